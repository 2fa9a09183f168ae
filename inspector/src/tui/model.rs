//! Everything the screen is made from. `view` reads it, `update` alone writes it.

mod lab;
mod own;

use ratatui::layout::{Position, Size};
use tui_input::Input;

pub use self::{
    lab::{Busy, Lab},
    own::Own,
};
use super::{
    alarm::Alarms,
    filter::{Filter, FilterError},
    keymap::{Context, Keymap},
    output::Output,
    replay::Replay,
    rows::{self, Choice, Rows, Screen},
    subject::{Place, Subject},
    table::Look,
    tape::TapeState,
    theme::{ASCII, Glyphs, Palette, Theme, UNICODE},
    watched::{Verb, Watched},
    world::World,
};
use crate::{
    event::BootTime,
    lab::{MapKind, entry::EntryKind, policy::Policy, scenario},
    ledger::LedgerRules,
    source::probe_set::ProbeSet,
};

/// The whole state.
#[derive(Debug)]
pub struct Model {
    /// What happens.
    pub live: World,
    /// What is shown instead while the view is paused, and the time it shows.
    pub frozen: Option<(Box<World>, BootTime)>,
    /// Clocks.
    pub clock: Clock,
    /// The terminal's size.
    pub size: Size,
    /// The open tab.
    pub screen: Screen,
    /// Each screen's own state, in the order of [`Screen::ALL`].
    pub tables: Vec<TableState>,
    /// The open screen's rows.
    pub rows: Rows,
    /// How many rows its filter keeps out.
    pub hidden: usize,
    /// Whether rows tell whose they are: several processes live, or have entries.
    pub are_many: bool,
    /// Whether processes were watched, and none of them lives any more.
    pub are_over: bool,
    /// The detail pane.
    pub detail: Detail,
    /// What lies over the screen.
    pub popup: Option<Popup>,
    /// The lab, where it is what is watched.
    pub lab: Option<Lab>,
    /// What is watched instead.
    pub watched: Option<Watched>,
    /// The recording, where one is looked at instead.
    pub replay: Option<Box<Replay>>,
    /// What the command printed last, as it was read last; or why it can't be read.
    pub output: Option<Result<Output, String>>,
    /// Where events come from.
    pub source: Source,
    /// What the tool itself takes.
    pub own: Own,
    /// Limits that alarm.
    pub alarms: Alarms,
    /// How the recording fares; `None` = nothing is recorded.
    pub recording: Option<TapeState>,
    /// The last thing to tell.
    pub note: Option<Note>,
    /// Which key does what.
    pub keymap: Keymap,
    /// Colours.
    pub theme: Theme,
    /// Signs.
    pub glyphs: Glyphs,
}

/// Clocks, as the last tick told them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    /// Now; where a recording is looked at, the recorded time that is shown.
    pub now: BootTime,
    /// Now, by the clock of this machine.
    pub own: BootTime,
    /// When the screen opened.
    pub started: BootTime,
    /// Adds to a time since boot to give the time of day (UTC), in nanoseconds.
    pub boot_on_wall_ns: u64,
}

/// A screen's own state.
#[derive(Clone, Debug)]
pub struct TableState {
    /// The selected row's entity.
    pub selected: Option<Subject>,
    /// Its row when it was last found.
    pub row: usize,
    /// The first row that is seen.
    pub top: usize,
    /// The column that `?` explains and the order goes by, when asked.
    pub column: usize,
    /// What rows are shown, and in which order.
    pub choice: Choice,
    /// The filter's text.
    pub filter: String,
}

/// The detail pane.
#[derive(Clone, Debug, Default)]
pub struct Detail {
    /// The way that was followed, the entity shown last; empty = what is selected in the table.
    pub trail: Vec<Subject>,
    /// The number of the chosen one of its links, where keys go to the pane.
    pub link: Option<usize>,
    /// Where that link leads: links come and go, and the choice stays with its entity.
    pub chosen: Option<Place>,
    /// The stretch of time that is looked at; `None` = the whole life, up to now.
    pub window: Option<Window>,
}

/// A stretch of time on the axis. It stays where it is while time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its beginning.
    pub from: BootTime,
    /// Its length, in nanoseconds.
    pub span_ns: u64,
}

/// What lies over the screen.
#[derive(Clone, Debug)]
pub enum Popup {
    /// Keys and columns, scrolled down by so many lines.
    Help(u16),
    /// The tool's own performance.
    Performance,
    /// A filter being typed, what is wrong with it, and the one before, which leaving it restores.
    Filter(Input, Option<FilterError>, String),
    /// How many keys to store.
    Burst(Input, Option<String>),
    /// Where to go in the recording.
    Goto(Input, Option<String>),
    /// Scenarios to choose from: the row.
    Auto(usize),
    /// What the command printed, scrolled up from its end by so many lines.
    Output(usize),
    /// Whether to end while the command runs.
    Leave,
}

/// Where events come from.
#[derive(Clone, Debug)]
pub struct Source {
    /// The programs; `None` = /proc is polled.
    pub probes: Option<ProbeSet>,
    /// Why it is polled.
    pub polls: Option<String>,
    /// How it ended, if it has.
    pub ended: Option<SourceEnd>,
}

/// How a source ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceEnd {
    /// Everything it watched has ended.
    TargetsGone,
    /// It failed, for this reason.
    Failed(String),
}

/// Something to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The words.
    pub text: String,
    /// Whether something went wrong.
    pub is_bad: bool,
    /// When it was said.
    pub at: BootTime,
}

/// How long a note stays, unless a key is pressed.
pub const NOTE_NS: u64 = 6_000_000_000;
/// The same for one of something that went wrong.
pub const BAD_NOTE_NS: u64 = 30_000_000_000;

/// What a model begins with.
#[derive(Debug)]
pub struct Setting {
    /// Rules of verdicts.
    pub rules: LedgerRules,
    /// Which key does what.
    pub keymap: Keymap,
    /// Colours.
    pub palette: Palette,
    /// Whether the terminal has no Unicode.
    pub ascii: bool,
    /// Limits that alarm.
    pub alarms: Alarms,
    /// The lab's first choices, where there is a lab.
    pub lab: Option<(MapKind, EntryKind, Policy)>,
    /// What is watched where there is none.
    pub watched: Option<Watched>,
    /// Where events come from.
    pub source: Source,
    /// The recording, where one is looked at.
    pub replay: Option<Box<Replay>>,
    /// Each screen's filter at first.
    pub filters: Vec<(Screen, String)>,
}

impl Model {
    /// A screen that has seen nothing yet.
    pub fn new(setting: Setting, size: Size, clock: Clock) -> Self {
        let tables = Screen::ALL.map(|screen| {
            let text = setting.filters.iter().find(|(of, _)| *of == screen);
            let text = text.map(|(_, text)| text.clone()).unwrap_or_default();
            TableState::new(screen, text)
        });
        let in_lab = setting.lab.is_some();
        let has_deletes = |replay: &Replay| replay.timeline.has_deletes();
        let (world, screen) = if in_lab {
            (World::new(setting.rules), Screen::Entries)
        } else if setting.replay.as_deref().is_some_and(has_deletes) {
            (World::of_targets(setting.rules), Screen::Entries)
        } else {
            (World::of_targets(setting.rules), Screen::Triage)
        };
        let first = &tables[screen as usize].choice;
        let (rows, hidden) = Rows::gather(screen, &world, clock.now, first);
        Self {
            live: world,
            frozen: None,
            clock,
            size,
            screen,
            tables: tables.into(),
            rows,
            hidden,
            are_many: false,
            are_over: false,
            detail: Detail::default(),
            popup: None,
            lab: setting.lab.map(|(map, entry, policy)| Lab {
                pid: None,
                uid: 0,
                map,
                entry,
                policy,
                busy: None,
                has_deleted: false,
                died: None,
                select: None,
            }),
            watched: setting.watched,
            replay: setting.replay,
            output: None,
            source: setting.source,
            own: Own::default(),
            alarms: setting.alarms,
            recording: None,
            note: None,
            keymap: setting.keymap,
            theme: Theme::new(setting.palette),
            glyphs: if setting.ascii { ASCII } else { UNICODE },
        }
    }

    /// What is shown: the live world, or the one at which the view was paused.
    pub fn world(&self) -> &World {
        self.frozen.as_ref().map_or(&self.live, |(world, _)| world)
    }

    /// The time that is shown.
    pub fn now(&self) -> BootTime {
        self.frozen.as_ref().map_or(self.clock.now, |(_, at)| *at)
    }

    /// What cells are drawn with.
    pub fn look(&self) -> Look<'_> {
        Look {
            world: self.world(),
            theme: &self.theme,
            glyphs: &self.glyphs,
            now: self.now(),
            boot_on_wall_ns: self.clock.boot_on_wall_ns,
        }
    }

    /// The open screen's state.
    pub fn table(&self) -> &TableState {
        &self.tables[self.screen as usize]
    }

    /// The same, to be changed.
    pub fn table_mut(&mut self) -> &mut TableState {
        &mut self.tables[self.screen as usize]
    }

    /// Whether what is watched declares its deletes: marks were attached to, or have come.
    pub fn declares_deletes(&self) -> bool {
        self.watched
            .as_ref()
            .is_some_and(|watched| watched.marks > 0)
            || self.world().declares_deletes()
    }

    /// What is watched, as far as keys have a meaning by it.
    pub fn context(&self) -> Context {
        match (&self.lab, &self.watched) {
            _ if self.replay.is_some() => Context::Replay,
            (Some(_), _) => Context::Lab,
            (None, Some(watched)) if watched.verb == Verb::Run => Context::Command,
            (None, _) => Context::Processes,
        }
    }

    /// Whether a command was started for this and has not ended.
    pub fn is_command_running(&self) -> bool {
        self.context() == Context::Command
            && self
                .watched
                .as_ref()
                .is_some_and(|watched| watched.ended.is_none())
    }

    /// Whether the end of what the command prints is looked at, and follows it.
    pub fn follows_output(&self) -> bool {
        matches!(self.popup, Some(Popup::Output(0)))
    }

    /// Who the detail pane shows.
    pub fn subject(&self) -> Option<&Subject> {
        self.detail.trail.last().or(self.table().selected.as_ref())
    }

    /// Whether keys go to the detail pane.
    pub fn in_detail(&self) -> bool {
        self.detail.link.is_some()
    }

    /// The scenarios that can be played, each with a variant.
    pub fn scenarios()
    -> impl Iterator<Item = (&'static scenario::Scenario, &'static scenario::Variant)> {
        let of = |scenario: &'static scenario::Scenario| {
            scenario
                .variants
                .iter()
                .map(move |variant| (scenario, variant))
        };
        scenario::ALL.into_iter().flat_map(of)
    }
}

impl TableState {
    fn new(screen: Screen, text: String) -> Self {
        let (column, down) = rows::sorted_at_first(screen);
        // What does not parse was refused when the configuration was read.
        let filter = super::filter::parse(&text, screen.fields()).unwrap_or_default();
        Self {
            selected: None,
            row: 0,
            top: 0,
            column: 0,
            choice: Choice {
                filter,
                column,
                down,
            },
            filter: text,
        }
    }

    /// Sets its filter.
    pub fn set_filter(&mut self, text: &str, filter: Filter) {
        text.clone_into(&mut self.filter);
        self.choice.filter = filter;
    }
}

/// Where a cursor stands, if one is shown.
pub type Cursor = Option<Position>;
