//! What the filters of threads, handles and waits can ask for.

use crate::tui::{
    filter::{FieldInfo, FieldKind},
    theme::CLASS_WORDS,
};

/// What can be asked of a thread.
pub const THREADS: &[FieldInfo] = &[
    FieldInfo {
        name: "tid",
        kind: FieldKind::Number,
        about: "its number",
    },
    FieldInfo {
        name: "pid",
        kind: FieldKind::Number,
        about: "its process",
    },
    FieldInfo {
        name: "name",
        kind: FieldKind::Text,
        about: "its name",
    },
    FieldInfo {
        name: "pattern",
        kind: FieldKind::Text,
        about: "what its name has in common with others: numbers are stars",
    },
    FieldInfo {
        name: "state",
        kind: FieldKind::Word(&[
            "active",
            "blocked",
            "exiting",
            "alive",
            "dead",
            "live",
            "gone",
            "reassigned",
            "pending",
            "late",
            "unknown",
            "retained",
        ]),
        about: "what it does, or its verdict",
    },
    FieldInfo {
        name: "verdict",
        kind: FieldKind::Word(CLASS_WORDS),
        about: "the verdict on it",
    },
    FieldInfo {
        name: "in",
        kind: FieldKind::Text,
        about: "the call it is blocked in",
    },
    FieldInfo {
        name: "for",
        kind: FieldKind::Duration,
        about: "how long it has been so",
    },
    FieldInfo {
        name: "owner",
        kind: FieldKind::Text,
        about: "the key that owns it",
    },
    FieldInfo {
        name: "age",
        kind: FieldKind::Duration,
        about: "time since its birth",
    },
    FieldInfo {
        name: "waits",
        kind: FieldKind::Number,
        about: "waits that have ended",
    },
];

/// What can be asked of a handle.
pub const HANDLES: &[FieldInfo] = &[
    FieldInfo {
        name: "fd",
        kind: FieldKind::Number,
        about: "its number",
    },
    FieldInfo {
        name: "pid",
        kind: FieldKind::Number,
        about: "its process",
    },
    FieldInfo {
        name: "kind",
        kind: FieldKind::Text,
        about: "what it is: socket, timerfd, …",
    },
    FieldInfo {
        name: "target",
        kind: FieldKind::Text,
        about: "what it points at",
    },
    FieldInfo {
        name: "name",
        kind: FieldKind::Text,
        about: "the same",
    },
    FieldInfo {
        name: "pattern",
        kind: FieldKind::Text,
        about: "what that has in common with others: numbers are stars",
    },
    FieldInfo {
        name: "via",
        kind: FieldKind::Text,
        about: "the call that made it",
    },
    FieldInfo {
        name: "state",
        kind: FieldKind::Word(&[
            "open",
            "ambiguous",
            "closed",
            "released",
            "live",
            "gone",
            "reassigned",
            "pending",
            "late",
            "unknown",
            "retained",
        ]),
        about: "its state, or its verdict",
    },
    FieldInfo {
        name: "verdict",
        kind: FieldKind::Word(CLASS_WORDS),
        about: "the verdict on it",
    },
    FieldInfo {
        name: "owner",
        kind: FieldKind::Text,
        about: "the key that owns it",
    },
    FieldInfo {
        name: "age",
        kind: FieldKind::Duration,
        about: "time since its birth",
    },
    FieldInfo {
        name: "holders",
        kind: FieldKind::Number,
        about: "open descriptors of the same open file",
    },
];

/// What can be asked of waits.
pub const WAITS: &[FieldInfo] = &[
    FieldInfo {
        name: "kind",
        kind: FieldKind::Word(&["thread", "word"]),
        about: "a thread's waits, or those on a futex word",
    },
    FieldInfo {
        name: "tid",
        kind: FieldKind::Number,
        about: "the thread's number",
    },
    FieldInfo {
        name: "pid",
        kind: FieldKind::Number,
        about: "its process",
    },
    FieldInfo {
        name: "name",
        kind: FieldKind::Text,
        about: "its name, or the word's address",
    },
    FieldInfo {
        name: "in",
        kind: FieldKind::Text,
        about: "the call it is blocked in",
    },
    FieldInfo {
        name: "for",
        kind: FieldKind::Duration,
        about: "how long",
    },
    FieldInfo {
        name: "waits",
        kind: FieldKind::Number,
        about: "waits that have ended",
    },
    FieldInfo {
        name: "total",
        kind: FieldKind::Duration,
        about: "time in them",
    },
    FieldInfo {
        name: "waiters",
        kind: FieldKind::Number,
        about: "threads that wait on the word now",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::rows::threads::ThreadIs;

    #[test]
    fn states_have_words_of_their_own() {
        let all = [
            ThreadIs::Active,
            ThreadIs::Blocked,
            ThreadIs::Exiting,
            ThreadIs::Alive,
            ThreadIs::Dead,
        ];
        let state = THREADS.iter().find(|field| field.name == "state");
        for is in all {
            let Some(FieldKind::Word(known)) = state.map(|field| field.kind) else {
                panic!("state is a word");
            };
            assert!(known.contains(&is.word()));
        }
    }
}
