//! `unclosed-value`: the task ends, but the value held a handle that nobody closes.

use super::{Scenario, Variant, Which};
use crate::lab::{
    entry::{Born, EntryKind, Hold},
    expect::{Allowed, CLOSED_BY_THE_DELETE, Expect, Resource, WAITED_FOR},
    oracle::HandleSort,
    policy::Policy,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "unclosed-value",
    point: "the task ends, but the value held a handle that nobody closes",
    shown: true,
    variants: &[
        Variant {
            which: Which::Leaky,
            entry: EntryKind::Writer,
            hold: Hold::Unclosed,
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
                    resource: Resource::Handle(HandleSort::File),
                    role: "file",
                    per_key: 1,
                    allowed: &[Allowed::Retained],
                },
            ],
            delete_at_most_ms: None,
        },
        Variant {
            which: Which::Fixed,
            entry: EntryKind::Writer,
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
                    resource: Resource::Handle(HandleSort::File),
                    role: "file",
                    per_key: 1,
                    allowed: CLOSED_BY_THE_DELETE,
                },
            ],
            delete_at_most_ms: None,
        },
    ],
};
