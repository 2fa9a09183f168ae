//! The rows of each screen, made from the ledger: what a screen lists, filtered and sorted.
//! They are made anew when something changed, and cells only when they are seen.

pub mod entries;
pub mod events;
pub mod fate;
pub mod fields;
pub mod findings;
pub mod handles;
pub mod threads;
pub mod told;
pub mod triage;
pub mod waits;

use std::borrow::Cow;

use ratatui::{
    style::Style,
    text::{Line, Span},
};

use super::{
    filter::{self, FieldInfo, Filter},
    subject::Place,
    table::{self, Look, Shape, TableRow},
    theme::Class,
    words,
    world::World,
};
use crate::{
    event::{BootTime, id::Tgid},
    ledger::{Ledger, resource::Resource},
    verdict::delete,
};

/// The screens that list something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Screen {
    /// What the application stores.
    Entries,
    /// Threads.
    Threads,
    /// Handles.
    Handles,
    /// What threads are blocked in.
    Waits,
    /// What happened.
    Events,
    /// What a target holds and how it grows; a lab has no such screen.
    Triage,
}

impl Screen {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 6] = [
        Self::Entries,
        Self::Threads,
        Self::Handles,
        Self::Waits,
        Self::Events,
        Self::Triage,
    ];

    /// Those that there are in the lab or elsewhere, in the order of the tabs.
    pub fn of(in_lab: bool) -> &'static [Self] {
        const TARGETS: [Screen; 6] = [
            Screen::Triage,
            Screen::Entries,
            Screen::Threads,
            Screen::Handles,
            Screen::Waits,
            Screen::Events,
        ];
        if in_lab { &TARGETS[1..] } else { &TARGETS }
    }

    /// The number that opens it, which is the same everywhere.
    pub fn number(self) -> u8 {
        match self {
            Self::Triage => 0,
            Self::Entries => 1,
            Self::Threads => 2,
            Self::Handles => 3,
            Self::Waits => 4,
            Self::Events => 5,
        }
    }

    /// Its tab's title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Entries => "Entries",
            Self::Threads => "Threads",
            Self::Handles => "Handles",
            Self::Waits => "Waits",
            Self::Events => "Events",
            Self::Triage => "Triage",
        }
    }

    /// What its filter can ask for.
    pub fn fields(self) -> &'static [FieldInfo] {
        match self {
            Self::Entries => entries::FIELDS,
            Self::Threads => fields::THREADS,
            Self::Handles => fields::HANDLES,
            Self::Waits => fields::WAITS,
            Self::Events => events::FIELDS,
            Self::Triage => triage::FIELDS,
        }
    }
}

/// How rows are chosen and ordered.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Only what this lets through.
    pub filter: Filter,
    /// The column they are sorted by.
    pub column: usize,
    /// Whether downwards.
    pub down: bool,
}

/// A screen's rows.
#[derive(Debug)]
pub enum Rows {
    /// Of the screen of this name, as all the others.
    Entries(Vec<entries::EntryRow>),
    /// Threads.
    Threads(Vec<threads::ThreadRow>),
    /// Handles.
    Handles(Vec<handles::HandleRow>),
    /// Waits.
    Waits(Vec<waits::WaitRow>),
    /// Events.
    Events(Vec<events::EventRow>),
    /// Groups.
    Triage(Vec<triage::GroupRow>),
}

/// Does the same for the rows of any screen.
macro_rules! each {
    ($rows:expr, $list:ident => $do:expr) => {
        match $rows {
            $crate::tui::rows::Rows::Entries($list) => $do,
            $crate::tui::rows::Rows::Threads($list) => $do,
            $crate::tui::rows::Rows::Handles($list) => $do,
            $crate::tui::rows::Rows::Waits($list) => $do,
            $crate::tui::rows::Rows::Events($list) => $do,
            $crate::tui::rows::Rows::Triage($list) => $do,
        }
    };
}
pub(super) use each;

impl Rows {
    /// The rows of a screen as the world is now; also how many the filter kept out.
    pub fn gather(screen: Screen, world: &World, now: BootTime, choice: &Choice) -> (Self, usize) {
        match screen {
            Screen::Entries => {
                let (rows, hidden) = chosen(entries::rows(world, now), screen, choice);
                (Self::Entries(rows), hidden)
            }
            Screen::Threads => {
                let dead = Dead::of(&choice.filter, &["active", "blocked", "exiting", "alive"]);
                let rows = threads::rows(world, now, dead);
                let (rows, hidden) = chosen(rows, screen, choice);
                (Self::Threads(rows), hidden)
            }
            Screen::Handles => {
                let dead = Dead::of(&choice.filter, &["open", "ambiguous"]);
                let rows = handles::rows(world, now, dead);
                let (rows, hidden) = chosen(rows, screen, choice);
                (Self::Handles(rows), hidden)
            }
            Screen::Waits => {
                let (rows, hidden) = chosen(waits::rows(world, now), screen, choice);
                (Self::Waits(rows), hidden)
            }
            Screen::Events => {
                let (rows, hidden) = chosen(events::rows(world), screen, choice);
                (Self::Events(rows), hidden)
            }
            Screen::Triage => {
                let (rows, hidden) = chosen(triage::rows(world, now), screen, choice);
                (Self::Triage(rows), hidden)
            }
        }
    }

    /// Which screen's they are.
    pub fn screen(&self) -> Screen {
        match self {
            Self::Entries(_) => Screen::Entries,
            Self::Threads(_) => Screen::Threads,
            Self::Handles(_) => Screen::Handles,
            Self::Waits(_) => Screen::Waits,
            Self::Events(_) => Screen::Events,
            Self::Triage(_) => Screen::Triage,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        each!(self, rows => rows.len())
    }

    /// Whether they change by the passing of time alone, as a running grace does.
    pub fn is_moving(&self) -> bool {
        match self {
            Self::Entries(rows) => rows.iter().any(|row| row.class == Class::Pending),
            _ => false,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the row of this number is about.
    pub fn place(&self, index: usize) -> Option<Place> {
        each!(self, rows => rows.get(index).map(TableRow::place))
    }

    /// The number of the row about this.
    pub fn find(&self, place: Place) -> Option<usize> {
        each!(self, rows => rows.iter().position(|row| row.place() == place))
    }

    /// The shapes of the columns, where several processes live or do not.
    pub fn shapes(&self, are_many: bool) -> Vec<Shape> {
        fn of<R: TableRow>(_: &[R], are_many: bool) -> Vec<Shape> {
            table::shapes(R::COLUMNS, are_many)
        }
        each!(self, rows => of(rows, are_many))
    }

    /// Title, meaning and source of each column.
    pub fn columns(&self) -> Vec<(&'static str, &'static str, &'static str)> {
        fn of<R: TableRow>(_: &[R]) -> Vec<(&'static str, &'static str, &'static str)> {
            let told = |column: &table::Column<R>| (column.title, column.about, column.source);
            R::COLUMNS.iter().map(told).collect()
        }
        each!(self, rows => of(rows))
    }
}

/// The column and direction a screen is sorted by at first.
pub fn sorted_at_first(screen: Screen) -> (usize, bool) {
    match screen {
        Screen::Entries => entries::EntryRow::SORTED,
        Screen::Threads => threads::ThreadRow::SORTED,
        Screen::Handles => handles::HandleRow::SORTED,
        Screen::Waits => waits::WaitRow::SORTED,
        Screen::Events => events::EventRow::SORTED,
        Screen::Triage => triage::GroupRow::SORTED,
    }
}

fn chosen<R: TableRow + filter::Row>(
    rows: impl IntoIterator<Item = R>,
    screen: Screen,
    choice: &Choice,
) -> (Vec<R>, usize) {
    let mut hidden = 0;
    let passes = |row: &R| {
        let passes = choice.filter.matches(row, screen.fields());
        hidden += usize::from(!passes);
        passes
    };
    let mut rows: Vec<R> = rows.into_iter().filter(passes).collect();
    table::sort(&mut rows, choice.column, choice.down);
    (rows, hidden)
}

/// A line of one style.
fn line(text: impl Into<Cow<'static, str>>, style: Style) -> Line<'static> {
    Line::from(Span::styled(text, style))
}

/// How long the dead are listed beside the living, unless a filter asks for them.
const RECENT_NS: u64 = 30_000_000_000;

/// Which of the dead are listed beside the living.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dead {
    /// None: the filter asks for the living only.
    None,
    /// Those of lately.
    Recent,
    /// All that are kept: the filter asks for a state.
    All,
}

impl Dead {
    fn of(filter: &Filter, living: &[&str]) -> Self {
        if filter.pins("state", living) {
            Self::None
        } else if filter.mentions("state") {
            Self::All
        } else {
            Self::Recent
        }
    }

    /// Whether something that died then is listed.
    fn shows(self, died: BootTime, now: BootTime) -> bool {
        match self {
            Self::None => false,
            Self::Recent => now.since_ns(died) < RECENT_NS,
            Self::All => true,
        }
    }
}

/// The process of a row, by its name and number.
fn process_line(process: Tgid, look: &Look<'_>) -> Line<'static> {
    line(words::process(look.ledger(), process), look.theme.dim)
}

/// The key that owns a resource, and the verdict on it once that is deleted.
fn owner_text(ledger: &Ledger, resource: Resource) -> (Option<String>, Class) {
    let owner = match resource {
        Resource::Thread(_) => ledger.owner(resource).map(|owner| owner.entry),
        Resource::Handle(handle) => ledger.owner_of_handle(handle).map(|(entry, _)| entry),
    };
    let Some(entry) = owner else {
        return (None, Class::Live);
    };
    let Some(record) = ledger.entry(entry) else {
        return (None, Class::Live);
    };
    let class = match &record.delete {
        Some(_) => delete::verdict(ledger, entry, resource)
            .map_or(Class::Live, |verdict| Class::of(&verdict)),
        None => Class::Live,
    };
    (Some(words::key(record)), class)
}

/// An age; one whose beginning nobody saw is at least that.
fn age_line(age_ns: u64, announced: bool, look: &Look<'_>) -> Line<'static> {
    let sign = if announced { "" } else { ">" };
    line(format!("{sign}{}", words::passed(age_ns)), look.theme.dim)
}

/// An owner with the sign of its verdict.
fn owner_line(owner: Option<&str>, class: Class, look: &Look<'_>) -> Line<'static> {
    let Some(owner) = owner else {
        return line(look.glyphs.none, look.theme.dim);
    };
    let owner = owner.to_owned();
    match class {
        Class::Live => line(owner, look.theme.text),
        class => Line::from(vec![
            Span::styled(
                format!("{} ", look.glyphs.class(class)),
                look.theme.class(class),
            ),
            Span::styled(owner, look.theme.class(class)),
        ]),
    }
}
