//! The only place that knows a colour or a glyph.

use ratatui::style::{Color, Modifier, Style};

use crate::verdict::Verdict;

/// What a claim amounts to, from best to worst: one colour, one glyph and one word each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Nothing was deleted.
    Live,
    /// Gone within the grace.
    Gone,
    /// Given to another entry.
    Reassigned,
    /// The grace runs.
    Pending,
    /// Gone after the grace.
    Late,
    /// It can't be said.
    Unknown,
    /// Still there.
    Retained,
}

impl Class {
    /// All of them, worst first.
    pub const WORST_FIRST: [Self; 7] = [
        Self::Retained,
        Self::Unknown,
        Self::Late,
        Self::Pending,
        Self::Reassigned,
        Self::Gone,
        Self::Live,
    ];

    /// A verdict's.
    pub fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Pending => Self::Pending,
            Verdict::Gone(_) => Self::Gone,
            Verdict::Late { .. } => Self::Late,
            Verdict::Retained(_) => Self::Retained,
            Verdict::Reassigned { .. } => Self::Reassigned,
            Verdict::Unknown(_) => Self::Unknown,
        }
    }

    /// The word for it, as verdicts have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Gone => "gone",
            Self::Reassigned => "reassigned",
            Self::Pending => "pending",
            Self::Late => "late",
            Self::Unknown => "unknown",
            Self::Retained => "retained",
        }
    }
}

/// The words of [`Class`], for filters.
pub const CLASS_WORDS: &[&str] = &[
    "live",
    "gone",
    "reassigned",
    "pending",
    "late",
    "unknown",
    "retained",
];

/// Colours by meaning.
#[derive(Clone, Debug)]
pub struct Theme {
    /// What needs no attention.
    pub dim: Style,
    /// Ordinary text.
    pub text: Style,
    /// Names and numbers to look at first.
    pub strong: Style,
    /// The tool's own name, the open tab, keys to press.
    pub accent: Style,
    /// Column titles.
    pub title: Style,
    /// The selected row.
    pub selected: Style,
    /// A link that can be followed, and the one that is chosen.
    pub link: Style,
    /// Threads, in the chart and on the time axis.
    pub thread: Style,
    /// Handles, likewise.
    pub handle: Style,
    /// The line of a delete.
    pub delete: Style,
    /// Warnings and losses.
    pub warning: Style,
    /// An alarm, and an error that ended something.
    pub alarm: Style,
    /// What a program did wrong: a command that failed, a finding.
    pub failure: Style,
    classes: [Style; 7],
}

/// Which theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Palette {
    /// For dark backgrounds.
    #[default]
    Dark,
    /// For light backgrounds.
    Light,
    /// No colour at all: bold, dim, underlined and reversed only.
    Mono,
}

impl Theme {
    /// The colours of a palette. They are the terminal's own sixteen: whoever chose them can
    /// read them.
    pub fn new(palette: Palette) -> Self {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        let dim = plain.add_modifier(Modifier::DIM);
        let mono = palette == Palette::Mono;
        let color = |dark: Color, light: Color| match palette {
            Palette::Dark => plain.fg(dark),
            Palette::Light => plain.fg(light),
            Palette::Mono => plain,
        };
        let grey = match palette {
            Palette::Dark => plain.fg(Color::DarkGray),
            Palette::Light => plain.fg(Color::Gray).add_modifier(Modifier::DIM),
            Palette::Mono => dim,
        };
        let green = color(Color::Green, Color::Green);
        let red = color(Color::LightRed, Color::Red);
        let yellow = color(Color::Yellow, Color::Yellow);
        let magenta = color(Color::LightMagenta, Color::Magenta);
        let cyan = color(Color::Cyan, Color::Blue);
        let reverse = plain.add_modifier(Modifier::REVERSED);
        Self {
            dim: grey,
            text: plain,
            strong: bold,
            accent: cyan.add_modifier(Modifier::BOLD),
            title: grey.add_modifier(Modifier::BOLD),
            selected: match palette {
                Palette::Dark => plain.bg(Color::Rgb(38, 50, 62)),
                Palette::Light => plain.bg(Color::Rgb(221, 231, 240)),
                Palette::Mono => reverse,
            },
            link: cyan.add_modifier(Modifier::UNDERLINED),
            thread: color(Color::LightBlue, Color::Blue),
            handle: color(Color::Cyan, Color::Cyan),
            delete: color(Color::LightYellow, Color::Red).add_modifier(Modifier::BOLD),
            warning: yellow.add_modifier(Modifier::BOLD),
            alarm: if mono {
                reverse.add_modifier(Modifier::BOLD)
            } else {
                plain
                    .fg(Color::White)
                    .bg(Color::Red)
                    .add_modifier(Modifier::BOLD)
            },
            failure: red.add_modifier(Modifier::BOLD),
            classes: [
                plain,
                green,
                color(Color::Blue, Color::Blue),
                dim,
                yellow.add_modifier(Modifier::BOLD),
                magenta.add_modifier(Modifier::BOLD),
                red.add_modifier(Modifier::BOLD),
            ],
        }
    }

    /// How a claim is shown. Never by colour alone: a glyph and a word go with it.
    pub fn class(&self, class: Class) -> Style {
        self.classes[class as usize]
    }

    /// What is dead: struck out, in the colour of its verdict.
    pub fn dead(&self, class: Class) -> Style {
        self.class(class)
            .remove_modifier(Modifier::BOLD)
            .add_modifier(Modifier::CROSSED_OUT)
    }
}

/// Signs, for terminals with Unicode and for those without.
#[derive(Clone, Copy, Debug)]
pub struct Glyphs {
    /// Before the selected row.
    pub cursor: &'static str,
    /// Between parts of a line.
    pub dot: &'static str,
    /// What was cut off.
    pub cut: &'static str,
    /// Before what is recorded.
    pub recording: &'static str,
    /// Before what needs attention.
    pub warn: &'static str,
    /// What is not known.
    pub none: &'static str,
    /// A rule across the screen.
    pub rule: &'static str,
    /// Ascending and descending.
    pub sorted: [&'static str; 2],
    /// Heights of a chart's column, from empty to full.
    pub bars: [&'static str; 9],
    /// A gauge's full and empty parts.
    pub gauge: [&'static str; 2],
    /// A delete on an axis.
    pub delete: &'static str,
    /// The end of its grace.
    pub grace: &'static str,
    /// On an axis: a birth, a life that is not looked into, a stretch of waiting, one with
    /// wake-ups, a death, and that it lives on.
    pub birth: &'static str,
    /// A life.
    pub life: &'static str,
    /// A wait.
    pub wait: &'static str,
    /// A wake-up.
    pub wake: &'static str,
    /// A death.
    pub death: &'static str,
    /// It lives on.
    pub on: &'static str,
    /// Where in a recording the screen is; that it stands still there; a remark of the user's own.
    pub head: &'static str,
    /// It stands still.
    pub paused: &'static str,
    /// A remark.
    pub note: &'static str,
    classes: [&'static str; 7],
}

/// For terminals with Unicode.
pub const UNICODE: Glyphs = Glyphs {
    cursor: "▸",
    dot: "·",
    cut: "…",
    recording: "●",
    warn: "▲",
    none: "–",
    rule: "─",
    sorted: ["▲", "▼"],
    bars: [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    gauge: ["■", "·"],
    delete: "┃",
    grace: "┊",
    birth: "├",
    life: "━",
    wait: "─",
    wake: "■",
    death: "┤",
    on: "▶",
    head: "●",
    paused: "‖",
    note: "◆",
    classes: [" ", "✓", "→", "…", "~", "?", "✗"],
};

/// For terminals without.
pub const ASCII: Glyphs = Glyphs {
    cursor: ">",
    dot: "|",
    cut: "~",
    recording: "*",
    warn: "!",
    none: "-",
    rule: "-",
    sorted: ["^", "v"],
    bars: [" ", ".", ".", ":", ":", "+", "+", "#", "#"],
    gauge: ["#", "."],
    delete: "|",
    grace: ":",
    birth: "[",
    life: "=",
    wait: "-",
    wake: "#",
    death: "]",
    on: ">",
    head: "@",
    paused: "=",
    note: "*",
    classes: [" ", "v", ">", ".", "~", "?", "X"],
};

impl Glyphs {
    /// Whether they are for terminals without Unicode.
    pub fn is_ascii(&self) -> bool {
        self.cut.is_ascii()
    }

    /// The sign of a claim.
    pub fn class(&self, class: Class) -> &'static str {
        self.classes[class as usize]
    }
}
