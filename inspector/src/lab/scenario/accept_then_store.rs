//! `accept-then-store`: the socket is accepted before it is stored; an own mark gives it to the key.

use super::{Scenario, Variant, Which};
use crate::lab::{
    entry::{Born, EntryKind, Hold},
    expect::{Allowed, CLOSED_BY_THE_DELETE, Expect, Resource, WAITED_FOR},
    oracle::HandleSort,
    policy::Policy,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "accept-then-store",
    point: "the socket is accepted before it is stored; an own mark gives it to the key",
    shown: false,
    variants: &[
        Variant {
            which: Which::Leaky,
            entry: EntryKind::Connection,
            hold: Hold::Plain,
            born: Born::Before,
            policy: Policy::Bare,
            expect: &[
                Expect {
                    resource: Resource::Thread,
                    role: "task",
                    per_key: 1,
                    allowed: &[Allowed::RetainedParked],
                },
                Expect {
                    resource: Resource::Handle(HandleSort::Socket),
                    role: "connection",
                    per_key: 2,
                    allowed: &[Allowed::Retained],
                },
            ],
            delete_at_most_ms: None,
        },
        Variant {
            which: Which::Fixed,
            entry: EntryKind::Connection,
            hold: Hold::Plain,
            born: Born::Before,
            policy: Policy::StopWaitDelete,
            expect: &[
                Expect {
                    resource: Resource::Thread,
                    role: "task",
                    per_key: 1,
                    allowed: WAITED_FOR,
                },
                Expect {
                    resource: Resource::Handle(HandleSort::Socket),
                    role: "connection",
                    per_key: 2,
                    allowed: CLOSED_BY_THE_DELETE,
                },
            ],
            delete_at_most_ms: None,
        },
    ],
};
