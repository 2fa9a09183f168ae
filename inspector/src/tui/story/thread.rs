//! The story of a thread: what it does, who wakes it, whose it is.

use ratatui::text::{Line, Span};

use super::{Fact, Lane, Story};
use crate::{
    event::{BootTime, id::Moment, wait::Waking},
    ledger::{
        arena::Key, entry::Entry, identity::Origin, resource::Resource, thread::Thread,
        wait::Activity,
    },
    tui::{
        rows::{threads::ThreadIs, waits::histogram},
        subject::Place,
        table::Look,
        theme::Class,
        words::{self, On},
    },
    verdict::{Verdict, delete, wording::quantity::Duration},
};

pub(super) fn story(key: Key<Thread>, look: &Look<'_>) -> Story {
    let ledger = look.ledger();
    let Some(thread) = ledger.thread(key) else {
        return Story::default();
    };
    let (theme, dot) = (look.theme, look.glyphs.dot);
    let (is, since) = ThreadIs::of(thread);
    let mut title = vec![
        Span::styled(format!("thread {} ", thread.name.tid), theme.strong),
        Span::styled(format!("\"{}\"", thread.comm), theme.text),
    ];
    let mut say = |text: String| title.push(Span::styled(format!(" {dot} {text}"), theme.dim));
    say(format!("process {}", thread.name.tgid));
    say(match since {
        Some(since) => format!(
            "{} for {}",
            is.word(),
            words::passed(look.now.since_ns(since))
        ),
        None => is.word().to_owned(),
    });
    let mut story = Story {
        title: Line::from(title),
        from: thread.born.latest,
        ..Story::default()
    };
    let owner = thread.owner;
    if let Some(owner) = owner
        && let Some(entry) = ledger.entry(owner.entry)
    {
        story.mark(entry, look);
        let shared = if owner.shared {
            ", shared with other keys"
        } else {
            ""
        };
        let words = format!(
            "owned by {} ({}{shared})",
            words::key(entry),
            owner.rule.word()
        );
        story.facts.push(Fact::link(
            Line::styled(words, theme.link),
            Place::Entry(owner.entry),
        ));
    }
    story
        .lanes
        .extend(lane(key, owner.map(|owner| owner.entry), look));
    if let Some(activity) = thread.activity() {
        story.more.extend(waits(key, activity, look));
        if let Some(waker) = activity.waker {
            let ago = format!("{} ago", words::passed(look.now.since_ns(waker.at)));
            story.more.push(waker_fact(waker.how, &ago, look));
        }
        let sums = &activity.sums;
        if sums.count > 0 {
            let words = format!(
                "{} waits have ended, {} in all; 1 µs [{}] 16 s",
                words::count(sums.count),
                words::length(sums.total_ns),
                histogram(sums, look)
            );
            story.more.push(Fact::plain(Line::styled(words, theme.dim)));
        }
    }
    if let Some(parent) = thread.parent {
        let words = format!("created by thread {parent}");
        story.more.push(match ledger.thread_by_tid(parent) {
            Some(parent) => Fact::link(Line::styled(words, theme.link), Place::Thread(parent)),
            None => Fact::plain(Line::styled(words, theme.dim)),
        });
    }
    if let Some(waits) = look.world.chronicle().waits(key, &thread.name) {
        for ended in waits.last.iter().rev() {
            let lasted = match ended.wait.since {
                Some(since) => Duration(ended.ended.since_ns(since)).to_string(),
                None => "from before the attach".to_owned(),
            };
            let by = ended
                .waker
                .map(|waker| format!(", woken by {}", words::waker(ledger, &waker)));
            let words = format!(
                "{} ago waited {lasted} in {}{}",
                words::passed(look.now.since_ns(ended.ended)),
                words::call(ended.wait.call),
                by.unwrap_or_default()
            );
            story.more.push(Fact::plain(Line::styled(words, theme.dim)));
        }
    }
    story
}

/// What a thread is blocked in, or was woken from last, with what that is about.
fn waits(key: Key<Thread>, activity: &Activity, look: &Look<'_>) -> Option<Fact> {
    let (ledger, style) = (look.ledger(), look.theme.link);
    let name = ledger.thread(key)?.name;
    let (wait, words) = match activity.blocked {
        Some(blocked) => {
            let lasts = match blocked.since {
                Some(since) => format!("for {}", words::passed(look.now.since_ns(since))),
                None => "since before the attach".to_owned(),
            };
            let what = words::blocked(ledger, key, &blocked);
            (blocked, format!("blocked in {what} {lasts}"))
        }
        None => {
            let waits = look.world.chronicle().waits(key, &name)?;
            let wait = waits.last.back()?.wait;
            (wait, format!("was blocked in {}", words::woken(look, key)?))
        }
    };
    Some(match words::waits_on(ledger, key, &wait) {
        On::Handle(_, Some(handle)) => {
            Fact::link(Line::styled(words, style), Place::Handle(handle))
        }
        On::Word(address) => {
            let word = Place::Word(name.tgid, address);
            Fact::link(Line::styled(words, style), word)
        }
        On::Handle(_, None) | On::Nothing => Fact::plain(Line::styled(words, look.theme.text)),
    })
}

/// A waker, which can be followed while it lives.
pub(super) fn waker_fact(how: Waking, when: &str, look: &Look<'_>) -> Fact {
    let theme = look.theme;
    match how {
        Waking::Interrupt => Fact::plain(Line::styled(
            format!(
                "woken by an interrupt (timer, network) {when}: that says nothing about who \
                 can wake it"
            ),
            theme.text,
        )),
        Waking::Thread(tid) => match look.ledger().thread_by_tid(tid) {
            Some(waker) => {
                let comm = look
                    .ledger()
                    .thread(waker)
                    .map(|waker| waker.comm)
                    .unwrap_or_default();
                let words = format!("woken by thread {tid} \"{comm}\" {when}");
                Fact::link(Line::styled(words, theme.link), Place::Thread(waker))
            }
            None => Fact::plain(Line::styled(
                format!(
                    "woken by thread {tid} {when}, which is dead or not of a process that is \
                     watched"
                ),
                theme.warning,
            )),
        },
    }
}

/// A thread's life.
pub(super) fn lane(key: Key<Thread>, entry: Option<Key<Entry>>, look: &Look<'_>) -> Option<Lane> {
    let ledger = look.ledger();
    let thread = ledger.thread(key)?;
    let verdict = entry.and_then(|entry| delete::verdict(ledger, entry, Resource::Thread(key)));
    let death = thread.gone.map(|gone| died(thread, gone));
    let (is, since) = ThreadIs::of(thread);
    let now = match &verdict {
        Some(verdict) if Class::of(verdict) != Class::Pending => {
            let mut told = told(verdict, look);
            if death.is_none()
                && let Some(rate) = words::wakes(look, key)
            {
                told.spans.push(Span::styled(rate, look.theme.text));
            }
            told
        }
        _ if death.is_some() => Line::styled("dead", look.theme.dim),
        _ => {
            let words = match thread.activity().and_then(|activity| activity.blocked) {
                Some(blocked) => words::blocked(ledger, key, &blocked),
                None => is.word().to_owned(),
            };
            let lasts = since.map(|since| format!(" {}", words::passed(look.now.since_ns(since))));
            Line::styled(
                format!("{words}{}", lasts.unwrap_or_default()),
                look.theme.text,
            )
        }
    };
    Some(Lane {
        label: format!("thread {} {}", thread.name.tid, thread.comm),
        link: Some(Place::Thread(key)),
        class: verdict.as_ref().map_or(Class::Live, Class::of),
        born: thread.born,
        announced: thread.origin == Origin::Announced,
        died: death,
        now,
        wakes: Some(key),
        is_thread: true,
    })
}

/// A verdict with its sign.
pub(super) fn told(verdict: &Verdict, look: &Look<'_>) -> Line<'static> {
    let class = Class::of(verdict);
    let word = match class {
        Class::Retained | Class::Unknown | Class::Late => class.word().to_uppercase(),
        _ => class.word().to_owned(),
    };
    Line::from(vec![
        Span::styled(
            format!("{} {word} ", look.glyphs.class(class)),
            look.theme.class(class),
        ),
        Span::styled(verdict.how().to_string(), look.theme.text),
    ])
}

/// When its death counts: at its exit, once the last switch has confirmed it.
fn died(thread: &Thread, gone: Moment) -> BootTime {
    thread.exiting.unwrap_or(gone.latest)
}
