//! The story of a handle: what it points at, who else holds it, how it went.

use ratatui::text::{Line, Span};

use super::{Fact, Lane, Story, thread::told};
use crate::{
    event::BootTime,
    ledger::{
        arena::Key,
        entry::Entry,
        handle::{Description, Descriptor, State},
        identity::Origin,
        resource::Resource,
    },
    tui::{rows::handles::HandleIs, subject::Place, table::Look, theme::Class, words},
    verdict::{delete, wording::CallWord},
};

/// Most other holders that are listed.
const HOLDERS: usize = 20;

pub(super) fn story(key: Key<Descriptor>, look: &Look<'_>) -> Story {
    let ledger = look.ledger();
    let (Some(handle), Some(name)) = (ledger.handle(key), ledger.handle_name(key)) else {
        return Story::default();
    };
    let (theme, dot) = (look.theme, look.glyphs.dot);
    let description = ledger.description(handle.description);
    let is = HandleIs::of(handle, description);
    let mut title = vec![Span::styled(
        format!("fd {} {}", handle.fd, words::handle(ledger, handle)),
        theme.strong,
    )];
    let mut say = |text: String| title.push(Span::styled(format!(" {dot} {text}"), theme.dim));
    say(format!("process {}", name.tgid));
    say(is.word().to_owned());
    if let Some(target) = words::points_at(ledger, handle) {
        say(target);
    }
    let mut story = Story {
        title: Line::from(title),
        from: handle.born.latest,
        ..Story::default()
    };
    let owner = ledger.owner_of_handle(key);
    if let Some((owner, rule)) = owner
        && let Some(entry) = ledger.entry(owner)
    {
        story.mark(entry, look);
        let words = format!("owned by {} ({})", words::key(entry), rule.word());
        story.facts.push(Fact::link(
            Line::styled(words, theme.link),
            Place::Entry(owner),
        ));
    }
    story
        .lanes
        .extend(lane(key, owner.map(|(entry, _)| entry), look));
    story
        .more
        .extend(description.and_then(|shared| read(shared, look)));
    if let Some(tid) = handle.born_by {
        let call = handle.call.map(|call| format!(" in {}", CallWord(call)));
        let words = format!("made by thread {tid}{}", call.unwrap_or_default());
        story.more.push(thread_fact(tid, words, look));
    }
    if let (Some(tid), State::Closed { how, .. }) = (handle.closed_by, handle.state) {
        let words = format!("closed by thread {tid} ({})", how.words());
        story.more.push(thread_fact(tid, words, look));
    }
    if let Some(description) = description {
        match description.released {
            Some(_) => {
                let words = format!("its open file is released: {}", description.proof.words());
                story
                    .more
                    .push(Fact::plain(Line::styled(words, theme.class(Class::Gone))));
            }
            None if description.unaccounted.is_some() => {
                let words = "closed here, but the kernel counted more references than the \
                 descriptors known";
                story.more.push(Fact::plain(Line::styled(
                    words,
                    theme.class(Class::Unknown),
                )));
            }
            None => {}
        }
        if description.reach.shared {
            let words = "others may hold it: it was sent (SCM_RIGHTS), registered, or may have been copied by a fork";
            story
                .more
                .push(Fact::plain(Line::styled(words, theme.warning)));
        }
    }
    let others = ledger
        .holders(handle.description)
        .filter(|&other| other != key);
    for other in others.take(HOLDERS) {
        if let Some(name) = ledger.handle_name(other) {
            let words = format!("its open file is also held by {name}");
            story.more.push(Fact::link(
                Line::styled(words, theme.link),
                Place::Handle(other),
            ));
            story.lanes.extend(
                lane(other, owner.map(|(entry, _)| entry), look).map(|mut lane| {
                    lane.link = None;
                    lane
                }),
            );
        }
    }
    story
}

/// What it points at, and how long ago that was read.
fn read(description: &Description, look: &Look<'_>) -> Option<Fact> {
    let ago = |at: BootTime| format!("read {} ago", words::passed(look.now.since_ns(at)));
    let (link, at) = description.points_at()?;
    let mut words = format!("points at {link}, {}", ago(at));
    if let Some(read) = &description.detail {
        words = format!("points at {link}: {}, {}", read.detail, ago(read.at));
    }
    Some(Fact::plain(Line::styled(words, look.theme.text)))
}

/// A thread, which can be followed while it lives.
fn thread_fact(tid: crate::event::id::Tid, words: String, look: &Look<'_>) -> Fact {
    match look.ledger().thread_by_tid(tid) {
        Some(thread) => Fact::link(Line::styled(words, look.theme.link), Place::Thread(thread)),
        None => Fact::plain(Line::styled(words, look.theme.dim)),
    }
}

/// A handle's life: until its open file is released.
pub(super) fn lane(
    key: Key<Descriptor>,
    entry: Option<Key<Entry>>,
    look: &Look<'_>,
) -> Option<Lane> {
    let ledger = look.ledger();
    let handle = ledger.handle(key)?;
    let description = ledger.description(handle.description);
    let verdict = entry
        .filter(|_| handle.owner.is_some())
        .and_then(|entry| delete::verdict(ledger, entry, Resource::Handle(key)));
    let released = description.and_then(|description| description.released);
    let is = HandleIs::of(handle, description);
    let now = match &verdict {
        Some(verdict) if Class::of(verdict) != Class::Pending => told(verdict, look),
        _ => {
            let target = words::points_at(ledger, handle)
                .map(|target| format!(" {} {target}", look.glyphs.dot));
            let words = format!("{}{}", is.word(), target.unwrap_or_default());
            Line::styled(words, look.theme.text)
        }
    };
    Some(Lane {
        label: format!("fd {} {}", handle.fd, words::handle(ledger, handle)),
        link: Some(Place::Handle(key)),
        class: verdict.as_ref().map_or(Class::Live, Class::of),
        born: handle.born,
        announced: handle.origin == Origin::Announced,
        died: released.or_else(|| handle.closed()).map(|at| at.latest),
        now,
        wakes: None,
        is_thread: false,
    })
}
