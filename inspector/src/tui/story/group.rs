//! The story of a group: how it has fared, and the oldest of its members.

use ratatui::text::Line;

use super::{Fact, Story, lane};
use crate::{
    ledger::resource::Resource,
    tui::{subject::Place, table::Look, triage::group::GroupKind, words},
    verdict::wording::CallWord,
};

pub(super) fn story(number: usize, look: &Look<'_>) -> Story {
    let group = look
        .world
        .triage()
        .and_then(|triage| triage.groups().get(number));
    let Some(group) = group else {
        return Story::default();
    };
    let theme = look.theme;
    let mut story = Story {
        title: Line::styled(
            format!("{} {}", words::count(group.alive as u64), group.name()),
            theme.strong,
        ),
        from: group.oldest.unwrap_or(look.now),
        ..Story::default()
    };
    let mut fared = match group.kind {
        GroupKind::ThreadsIn => "those that have been in it longest:".to_owned(),
        _ => format!(
            "{} born and {} died since the attach, {}",
            words::count(group.born),
            words::count(group.died),
            words::rate(group.per_minute),
        ),
    };
    if let Some(call) = group.call {
        fared.push_str(&format!("; most of them made by {}", CallWord(call)));
    }
    if group.kind != GroupKind::ThreadsIn {
        fared.push_str("; the oldest:");
    }
    story
        .facts
        .push(Fact::plain(Line::styled(fared, theme.text)));
    if let Some(suspect) = &group.suspect {
        let words = format!("suspect: {suspect}; a cache that fills looks the same");
        story
            .facts
            .push(Fact::plain(Line::styled(words, theme.warning)));
    }
    for member in &group.members {
        let resource = match member.place {
            Place::Handle(handle) => Resource::Handle(handle),
            Place::Thread(thread) => Resource::Thread(thread),
            _ => continue,
        };
        story.lanes.extend(lane(resource, None, look));
    }
    let born = story.lanes.iter().map(|lane| lane.born.latest).min();
    story.from = born.unwrap_or(story.from).min(story.from);
    story
}
