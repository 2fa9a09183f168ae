//! The story of an entry: what it owned, on one axis with its delete.

use ratatui::text::{Line, Span};

use super::{Fact, LANES, Story, lane};
use crate::{
    ledger::{arena::Key, entry::Entry, resource::Resource},
    tui::{
        rows::fate::{order, short},
        subject::Place,
        table::Look,
        theme::Class,
        words,
    },
    verdict::delete,
};

pub(super) fn story(key: Key<Entry>, look: &Look<'_>) -> Story {
    let ledger = look.ledger();
    let Some(entry) = ledger.entry(key) else {
        return Story::default();
    };
    let (theme, dot) = (look.theme, look.glyphs.dot);
    let mut title = vec![Span::styled(words::key(entry), theme.strong)];
    let mut say = |text: String| title.push(Span::styled(format!(" {dot} {text}"), theme.dim));
    if let Some(process) = ledger.process(entry.process) {
        say(format!("map {} of process {}", entry.map.0, process.tgid));
    }
    if let Some(stored) = entry.stored {
        say(format!(
            "stored {} ago",
            words::passed(look.now.since_ns(stored))
        ));
    }
    match &entry.delete {
        Some(delete) => say(delete.to_string()),
        None if entry.voided.is_some() => say("its process ended".to_owned()),
        None => say("in its map".to_owned()),
    }
    let mut story = Story {
        title: Line::from(title),
        from: entry.store_began.or(entry.stored).unwrap_or(look.now),
        ..Story::default()
    };
    story.mark(entry, look);
    let mut resources: Vec<_> = entry.resources().to_vec();
    resources.sort_by_cached_key(|&resource| order(ledger, resource));
    if resources.len() > LANES {
        let words = format!("the first {LANES} of {} that it owns:", resources.len());
        let line = Line::styled(words, theme.warning);
        story.facts.push(Fact::plain(line));
        resources.truncate(LANES);
    }
    for &resource in &resources {
        if let Some(lane) = lane(resource, Some(key), look) {
            story.from = story.from.min(lane.born.latest);
            story.lanes.push(lane);
        }
    }
    if resources.is_empty() && entry.moved.is_empty() {
        let words =
            "it owns nothing: nothing was born inside its store, and no own mark gave it anything";
        story
            .facts
            .push(Fact::plain(Line::styled(words, theme.dim)));
    }
    for moved in &entry.moved {
        let words = format!("{} went to {}", short(ledger, moved.place), moved.to);
        let style = theme.class(Class::Reassigned);
        story.more.push(Fact::link(
            Line::styled(words, style),
            Place::from(moved.place),
        ));
    }
    for &resource in &resources {
        if let Some(verdict) = delete::verdict(ledger, key, resource)
            && matches!(Class::of(&verdict), Class::Unknown | Class::Retained)
        {
            story.more.extend(why(resource, &verdict, look));
        }
    }
    if entry.born_after_delete > 0 {
        let words = format!(
            "{} more were born on its threads after the delete, and are not judged by it",
            entry.born_after_delete
        );
        story
            .more
            .push(Fact::plain(Line::styled(words, theme.warning)));
    }
    if entry.forgotten > 0 {
        let words = format!("{} dead ones of it have been forgotten", entry.forgotten);
        story.more.push(Fact::plain(Line::styled(words, theme.dim)));
    }
    story
}

/// Why a resource is still there, or can't be told, in a sentence.
fn why(resource: Resource, verdict: &crate::verdict::Verdict, look: &Look<'_>) -> Option<Fact> {
    let ledger = look.ledger();
    let words = match resource {
        Resource::Thread(thread) => {
            let record = ledger.thread(thread)?;
            let does = match record.activity()?.blocked {
                Some(blocked) => words::blocked(ledger, thread, &blocked),
                None => words::woken(look, thread)?,
            };
            let rate = words::wakes(look, thread).unwrap_or_default();
            format!(
                "{}: {}{rate}, {does}",
                short(ledger, resource),
                verdict.how()
            )
        }
        Resource::Handle(_) => return None,
    };
    let style = look.theme.class(Class::of(verdict));
    Some(Fact::plain(Line::styled(words, style)))
}
