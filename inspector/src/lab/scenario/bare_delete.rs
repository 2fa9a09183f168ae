//! `bare-delete`: deleting the key does not stop the background task.

use super::{Scenario, Variant, Which};
use crate::lab::{
    entry::{Born, EntryKind, Hold},
    expect::{Allowed, CLOSED_BY_THE_DELETE, Expect, Resource, WAITED_FOR},
    oracle::HandleSort,
    policy::Policy,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "bare-delete",
    point: "deleting the key does not stop the background task",
    shown: true,
    variants: &[
        Variant {
            which: Which::Leaky,
            entry: EntryKind::Ticker,
            hold: Hold::Plain,
            born: Born::Inside,
            policy: Policy::Bare,
            expect: &[
                Expect {
                    resource: Resource::Thread,
                    role: "task",
                    per_key: 1,
                    allowed: &[Allowed::RetainedActive],
                },
                Expect {
                    resource: Resource::Handle(HandleSort::Timerfd),
                    role: "timer",
                    per_key: 1,
                    allowed: &[Allowed::Retained],
                },
            ],
            delete_at_most_ms: None,
        },
        Variant {
            which: Which::Fixed,
            entry: EntryKind::Ticker,
            hold: Hold::Plain,
            born: Born::Inside,
            policy: Policy::StopWaitDelete,
            expect: &[
                Expect {
                    resource: Resource::Thread,
                    role: "task",
                    per_key: 1,
                    allowed: WAITED_FOR,
                },
                Expect {
                    resource: Resource::Handle(HandleSort::Timerfd),
                    role: "timer",
                    per_key: 1,
                    allowed: CLOSED_BY_THE_DELETE,
                },
            ],
            delete_at_most_ms: None,
        },
    ],
};
