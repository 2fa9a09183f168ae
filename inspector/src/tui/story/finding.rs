//! The story of a finding: what was done wrong, by whom, and what that rests on.

use ratatui::text::Line;

use super::{Fact, Story, thread};
use crate::{
    event::BootTime,
    tui::{subject::Place, table::Look, words},
    verdict::wording::CallWord,
};

pub(super) fn story(number: u64, look: &Look<'_>) -> Story {
    let ledger = look.ledger();
    let Some(finding) = ledger.findings().get(number) else {
        return Story {
            title: Line::styled("this finding has been forgotten", look.theme.dim),
            ..Story::default()
        };
    };
    let mut story = Story {
        title: Line::styled(finding.what().to_string(), look.theme.strong),
        from: finding.first,
        ..Story::default()
    };
    let time = |at: BootTime| words::wall(at, look.boot_on_wall_ns, 0);
    let mut when = format!("at {}", time(finding.first));
    if finding.count > 1 {
        when = format!(
            "{} times, first {when}, last at {}",
            words::count(finding.count),
            time(finding.last)
        );
    }
    let who = format!(
        "by thread {} \"{}\" in {}, {when}",
        finding.thread.tid,
        finding.comm,
        CallWord(finding.call)
    );
    let there = ledger.thread_by_tid(finding.thread.tid);
    let there = there.filter(|&key| {
        ledger
            .thread(key)
            .is_some_and(|thread| thread.name == finding.thread)
    });
    story.facts.push(match there {
        Some(key) => Fact::link(Line::styled(who, look.theme.link), Place::Thread(key)),
        None => Fact::plain(Line::styled(who, look.theme.text)),
    });
    let grounds = finding.grounds().to_string();
    for part in grounds.split("; ") {
        let line = Line::styled(part.to_owned(), look.theme.text);
        story.facts.push(Fact::plain(line));
    }
    if let Some(key) = there {
        story.lanes.extend(thread::lane(key, None, look));
    }
    let born = story.lanes.iter().map(|lane| lane.born.latest).min();
    story.from = born.unwrap_or(finding.first).min(finding.first);
    story
}
