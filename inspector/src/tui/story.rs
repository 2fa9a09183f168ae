//! The whole story of one entity: its facts, its life on a time axis beside what belongs to it,
//! and what it leads to.

mod entry;
mod finding;
mod group;
mod handle;
mod thread;

use ratatui::text::Line;

use super::{
    subject::{Place, Subject},
    table::Look,
    theme::Class,
    words,
};
use crate::{
    event::{
        BootTime,
        id::{Moment, Tgid},
    },
    ledger::{
        arena::Key,
        entry::{Delete, Entry},
        resource::Resource,
        thread::Thread,
    },
};

/// Most lives that are drawn.
const LANES: usize = 200;

/// What the detail pane shows.
#[derive(Clone, Debug, Default)]
pub struct Story {
    /// Who it is about, and its verdict.
    pub title: Line<'static>,
    /// Lines before the lanes.
    pub facts: Vec<Fact>,
    /// Lives, on one axis.
    pub lanes: Vec<Lane>,
    /// Lines behind the lanes.
    pub more: Vec<Fact>,
    /// Times drawn through all lanes.
    pub marks: Vec<Mark>,
    /// Where its axis begins, if nothing else is asked for.
    pub from: BootTime,
}

/// A line of a story; one with a place can be followed.
#[derive(Clone, Debug)]
pub struct Fact {
    /// Its words.
    pub line: Line<'static>,
    /// Where Enter leads.
    pub link: Option<Place>,
}

/// A life on the axis.
#[derive(Clone, Debug)]
pub struct Lane {
    /// Who lives it.
    pub label: String,
    /// Where Enter leads.
    pub link: Option<Place>,
    /// What became of it.
    pub class: Class,
    /// Its birth.
    pub born: Moment,
    /// Whether its birth was seen.
    pub announced: bool,
    /// Its death.
    pub died: Option<BootTime>,
    /// What is said behind the axis.
    pub now: Line<'static>,
    /// The thread whose wake-ups are drawn.
    pub wakes: Option<Key<Thread>>,
    /// Whether it is a thread's.
    pub is_thread: bool,
}

/// A time drawn through all lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub at: BootTime,
    /// What.
    pub what: MarkWhat,
}

/// What a mark is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkWhat {
    /// A delete began.
    Begin,
    /// It returned: the delete clock starts.
    End,
    /// The grace ended.
    Grace,
}

impl Story {
    /// Of an entity; empty where the ledger has forgotten it.
    pub fn of(subject: &Subject, look: &Look<'_>) -> Self {
        if !subject.is_there(look.ledger()) {
            return Self {
                title: Line::styled("this has been forgotten", look.theme.dim),
                ..Self::default()
            };
        }
        match subject.place {
            Place::Entry(entry) => entry::story(entry, look),
            Place::Thread(thread) => thread::story(thread, look),
            Place::Handle(handle) => handle::story(handle, look),
            Place::Word(tgid, address) => word(tgid, address, look),
            Place::Event(number) => event(number, look),
            Place::Group(number) => group::story(number, look),
            Place::Finding(number) => finding::story(number, look),
        }
    }

    /// What can be followed, in the order in which it is shown.
    pub fn links(&self) -> Vec<Place> {
        let of = |facts: &[Fact]| {
            facts
                .iter()
                .filter_map(|fact| fact.link)
                .collect::<Vec<_>>()
        };
        let mut links = of(&self.facts);
        links.extend(self.lanes.iter().filter_map(|lane| lane.link));
        links.extend(of(&self.more));
        links
    }

    fn mark(&mut self, entry: &Entry, look: &Look<'_>) {
        let Some(Delete { begin, end, .. }) = &entry.delete else {
            return;
        };
        let grace = look.ledger().rules().grace_ns;
        let marks = [
            (*begin, MarkWhat::Begin),
            (*end, MarkWhat::End),
            (end.map(|end| end.plus_ns(grace)), MarkWhat::Grace),
        ];
        let told = marks
            .into_iter()
            .filter_map(|(at, what)| Some(Mark { at: at?, what }));
        self.marks.extend(told.filter(|mark| mark.at <= look.now));
    }
}

impl Fact {
    fn plain(line: impl Into<Line<'static>>) -> Self {
        Self {
            line: line.into(),
            link: None,
        }
    }

    fn link(line: impl Into<Line<'static>>, to: Place) -> Self {
        Self {
            line: line.into(),
            link: Some(to),
        }
    }
}

/// A lane of a resource.
fn lane(resource: Resource, entry: Option<Key<Entry>>, look: &Look<'_>) -> Option<Lane> {
    match resource {
        Resource::Thread(key) => thread::lane(key, entry, look),
        Resource::Handle(key) => handle::lane(key, entry, look),
    }
}

/// A futex word: who waits on it and who woke them.
fn word(tgid: Tgid, address: u64, look: &Look<'_>) -> Story {
    use super::rows::waits::histogram;
    let ledger = look.ledger();
    let mut story = Story {
        title: Line::styled(
            format!("futex word {} of process {tgid}", words::word(address)),
            look.theme.strong,
        ),
        ..Story::default()
    };
    if let Some(word) = ledger.futex(tgid, address) {
        let sums = &word.sums;
        let words = format!(
            "{} waits, {} in all; 1 µs [{}] 16 s",
            words::count(sums.count),
            words::length(sums.total_ns),
            histogram(sums, look),
        );
        story
            .facts
            .push(Fact::plain(Line::styled(words, look.theme.text)));
    }
    let Some(process) = ledger.process_by_tgid(tgid) else {
        return story;
    };
    for &thread in ledger.threads_of(process) {
        let blocked = ledger
            .thread(thread)
            .and_then(|record| record.activity())
            .and_then(|activity| activity.blocked);
        if blocked.is_some_and(|blocked| blocked.call == Some(202) && blocked.args[0] == address) {
            story.lanes.extend(thread::lane(thread, None, look));
        }
    }
    story.from = story
        .lanes
        .iter()
        .map(|lane| lane.born.latest)
        .min()
        .unwrap_or(look.now);
    if let Some(word) = ledger.futex(tgid, address) {
        for &(how, times) in &word.wakers {
            story
                .more
                .push(thread::waker_fact(how, &format!("{times} times"), look));
        }
    }
    story
}

/// An event: what it is about can be followed.
fn event(number: u64, look: &Look<'_>) -> Story {
    use super::rows::{events, told};
    let ledger = look.ledger();
    let Some(event) = look.world.chronicle().event(number) else {
        return Story {
            title: Line::styled("this event has been forgotten", look.theme.dim),
            ..Story::default()
        };
    };
    let mut story = Story {
        title: Line::styled(told::tell(event, ledger), look.theme.strong),
        from: event.at,
        ..Story::default()
    };
    for place in events::places(event, ledger) {
        match place {
            Place::Thread(key) => story.lanes.extend(thread::lane(key, None, look)),
            Place::Handle(key) => story.lanes.extend(handle::lane(key, None, look)),
            Place::Entry(entry) => {
                let Some(record) = ledger.entry(entry) else {
                    continue;
                };
                story.mark(record, look);
                let words = format!("about {}", words::key(record));
                let line = Line::styled(words, look.theme.link);
                story.facts.push(Fact::link(line, place));
                for &resource in record.resources().iter().take(LANES) {
                    story.lanes.extend(lane(resource, Some(entry), look));
                }
            }
            Place::Word(..) | Place::Event(_) | Place::Group(_) | Place::Finding(_) => {}
        }
    }
    let born = story.lanes.iter().map(|lane| lane.born.latest).min();
    story.from = born.unwrap_or(event.at).min(event.at);
    story
}
