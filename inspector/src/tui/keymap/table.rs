//! The one key table: each action with its name, its keys, its help and where it is shown.

use super::{Action, Context};

/// Part of the help screen, in the order in which it shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// From row to row and from screen to screen.
    Move,
    /// What of it is shown.
    Look,
    /// What the lab should do.
    Lab,
    /// To and fro in a recording.
    Replay,
    /// What should outlive the screen.
    Keep,
    /// The rest.
    General,
}

impl Section {
    /// Its heading.
    pub fn name(self) -> &'static str {
        match self {
            Self::Move => "Move",
            Self::Look => "Look",
            Self::Lab => "Lab",
            Self::Replay => "Replay",
            Self::Keep => "Keep",
            Self::General => "General",
        }
    }
}

/// What is known of an action.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Which.
    pub action: Action,
    /// Its name in the configuration.
    pub name: &'static str,
    /// Its keys, unless the configuration has others; written as there.
    pub keys: &'static [&'static str],
    /// What it does. Neighbours with the same words share a line of the help screen.
    pub help: &'static str,
    /// Where the help screen shows it.
    pub section: Section,
    /// Its word at the screen's foot, if it has a place there.
    pub footer: Option<&'static str>,
    /// Where it has a meaning.
    pub contexts: &'static [Context],
}

const EVERYWHERE: &[Context] = &[
    Context::Lab,
    Context::Processes,
    Context::Command,
    Context::Replay,
];
const LIVE: &[Context] = &[Context::Lab, Context::Processes, Context::Command];
const IN_LAB: &[Context] = &[Context::Lab];
const IN_REPLAY: &[Context] = &[Context::Replay];
const OF_TARGETS: &[Context] = &[Context::Processes, Context::Command, Context::Replay];
const OF_COMMANDS: &[Context] = &[Context::Command];

/// Every action, in the order of the help screen and of the screen's foot.
pub static TABLE: &[Row] = {
    use Action as A;
    use Section::{General, Keep, Look, Move};
    &[
        row(A::Up, "up", &["Up", "k"], "one row up", Move),
        row(A::Down, "down", &["Down", "j"], "one row down", Move),
        row(A::PageUp, "page-up", &["PgUp"], "one page up", Move),
        row(A::PageDown, "page-down", &["PgDn"], "one page down", Move),
        row(A::Top, "top", &["g", "Home"], "first row", Move),
        row(A::Bottom, "bottom", &["G", "End"], "last row", Move),
        row(
            A::ColumnLeft,
            "column-left",
            &["Left", "h"],
            "one column to the left",
            Move,
        ),
        row(
            A::ColumnRight,
            "column-right",
            &["Right", "l"],
            "one column to the right",
            Move,
        ),
        Row {
            footer: Some("triage"),
            contexts: OF_TARGETS,
            ..screen(0, "triage", &["0"])
        },
        screen(1, "screen-1", &["1"]),
        screen(2, "screen-2", &["2"]),
        screen(3, "screen-3", &["3"]),
        screen(4, "screen-4", &["4"]),
        screen(5, "screen-5", &["5"]),
        row(A::NextScreen, "next-screen", &[">"], "next screen", Move),
        row(
            A::PreviousScreen,
            "previous-screen",
            &["<"],
            "previous screen",
            Move,
        ),
        row(
            A::SwitchFocus,
            "switch-focus",
            &["Tab"],
            "between the table and the details",
            Move,
        ),
        row(
            A::Follow,
            "follow",
            &["Enter"],
            "into the details; there: along the chosen link",
            Move,
        ),
        row(
            A::Back,
            "back",
            &["Backspace"],
            "back to where you came from",
            Move,
        ),
        row(A::Filter, "filter", &["/"], "show only some rows", Look),
        row(
            A::ClearFilter,
            "clear-filter",
            &["\\"],
            "show all rows again",
            Look,
        ),
        row(A::Sort, "sort", &["o"], "sort by this column", Look),
        row(
            A::ReverseSort,
            "reverse-sort",
            &["O"],
            "sort the other way round",
            Look,
        ),
        row(
            A::ZoomIn,
            "zoom-in",
            &["+"],
            "look closer at the time axis",
            Look,
        ),
        row(A::ZoomOut, "zoom-out", &["-"], "look at more of it", Look),
        row(
            A::Earlier,
            "earlier",
            &["[", "alt-Left"],
            "its earlier part",
            Look,
        ),
        row(
            A::Later,
            "later",
            &["]", "alt-Right"],
            "its later part",
            Look,
        ),
        live(A::Pause, "pause", &["space"], "hold the screen still"),
        live(A::Refresh, "refresh", &["F5"], "compare with /proc now"),
        live(
            A::UpdateTargets,
            "update-targets",
            &["u"],
            "update what handles point at",
        ),
        Row {
            footer: Some("output"),
            contexts: OF_COMMANDS,
            ..row(
                A::Output,
                "output",
                &["t"],
                "the tail of what the command printed",
                Look,
            )
        },
        live(A::Performance, "performance", &["i"], "what watching costs"),
        lab(A::Store, "store", &["s"], "store a key", "store"),
        lab(A::Delete, "delete", &["d"], "delete this key", "delete"),
        Row {
            footer: None,
            ..lab(A::DeleteAll, "delete-all", &["D"], "delete all keys", "")
        },
        lab(
            A::Policy,
            "policy",
            &["p"],
            "another delete policy, for deletes from now on",
            "policy",
        ),
        lab(
            A::EntryKind,
            "entry-kind",
            &["e"],
            "another kind of entry, for stores from now on",
            "entry",
        ),
        lab(A::MapKind, "map-kind", &["m"], "another kind of map", "map"),
        lab(
            A::Burst,
            "burst",
            &["b"],
            "store many keys at once",
            "burst",
        ),
        lab(
            A::Auto,
            "auto",
            &["a"],
            "let the lab store and delete by itself",
            "auto",
        ),
        Row {
            footer: None,
            ..lab(A::Reset, "reset", &["X"], "start the lab anew", "")
        },
        replay(A::Play, "play", &["space"], "play, and stand still", "play"),
        replay(A::Slower, "slower", &["<"], "slower, and faster", ""),
        replay(A::Faster, "faster", &[">"], "slower, and faster", ""),
        replay(A::StepBack, "step-back", &[","], EVENT, "event"),
        replay(A::StepOn, "step-on", &["."], EVENT, "event"),
        replay(A::DeleteBack, "previous-delete", &["["], DELETE, "delete"),
        replay(A::DeleteOn, "next-delete", &["]"], DELETE, "delete"),
        replay(
            A::VerdictBack,
            "previous-verdict",
            &["N"],
            VERDICT,
            "verdict",
        ),
        replay(A::VerdictOn, "next-verdict", &["n"], VERDICT, "verdict"),
        replay(A::GapBack, "previous-gap", &["{"], GAP, "gap"),
        replay(A::GapOn, "next-gap", &["}"], GAP, "gap"),
        replay(A::ScrubBack, "scrub-back", &["Left"], SCRUB, ""),
        replay(A::ScrubOn, "scrub-on", &["Right"], SCRUB, ""),
        replay(A::ScrubFarBack, "scrub-far-back", &["shift-Left"], FAR, ""),
        replay(A::ScrubFarOn, "scrub-far-on", &["shift-Right"], FAR, ""),
        replay(
            A::ToStart,
            "to-start",
            &["^"],
            "to its beginning, and its end",
            "",
        ),
        replay(
            A::ToEnd,
            "to-end",
            &["$"],
            "to its beginning, and its end",
            "",
        ),
        replay(
            A::Goto,
            "goto",
            &["g"],
            "to a time: 14:03:07, +90s, -3m, 50%",
            "goto",
        ),
        row(A::Copy, "copy", &["y"], "copy the row", Keep),
        row(A::SaveText, "save-text", &["S"], "save the screen", Keep),
        row(
            A::Dump,
            "dump",
            &["w"],
            "write down all that is known",
            Keep,
        ),
        Row {
            footer: Some("record"),
            contexts: LIVE,
            ..row(
                A::Record,
                "record",
                &["R"],
                "record what happens, or end (or save) that",
                Keep,
            )
        },
        row(A::Help, "help", &["?", "F1"], "this help", General),
        row(
            A::Escape,
            "escape",
            &["Esc"],
            "close what is open, or leave it",
            General,
        ),
        row(
            A::AcknowledgeAlarm,
            "acknowledge-alarm",
            &["A"],
            "the alarm is seen",
            General,
        ),
        row(A::Redraw, "redraw", &["ctrl-l"], "paint it anew", General),
        row(
            A::Suspend,
            "suspend",
            &["ctrl-z"],
            "back to the shell (fg returns)",
            General,
        ),
        Row {
            footer: Some("quit"),
            ..row(A::Quit, "quit", &["q", "ctrl-c"], "end inspector", General)
        },
    ]
};

const fn row(
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    help: &'static str,
    section: Section,
) -> Row {
    Row {
        action,
        name,
        keys,
        help,
        section,
        footer: None,
        contexts: EVERYWHERE,
    }
}

const fn screen(number: u8, name: &'static str, keys: &'static [&'static str]) -> Row {
    row(
        Action::Screen(number),
        name,
        keys,
        "the screen of this number",
        Section::Move,
    )
}

const EVENT: &str = "the event before this, and the next";
const DELETE: &str = "the delete before this, and the next";
const VERDICT: &str = "the bad verdict before this, and the next";
const GAP: &str = "the gap before this, and the next";
const SCRUB: &str = "by one column of the time line";
const FAR: &str = "by ten of them";

const fn live(
    action: Action,
    name: &'static str,
    key: &'static [&'static str],
    help: &'static str,
) -> Row {
    Row {
        contexts: LIVE,
        ..row(action, name, key, help, Section::Look)
    }
}

const fn replay(
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    help: &'static str,
    footer: &'static str,
) -> Row {
    Row {
        footer: if footer.is_empty() {
            None
        } else {
            Some(footer)
        },
        contexts: IN_REPLAY,
        ..row(action, name, keys, help, Section::Replay)
    }
}

const fn lab(
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    help: &'static str,
    footer: &'static str,
) -> Row {
    Row {
        footer: Some(footer),
        contexts: IN_LAB,
        ..row(action, name, keys, help, Section::Lab)
    }
}
