//! `owner-map`: whoever removes the key stops its task and waits for it.

use super::{Scenario, Variant, Which};
use crate::lab::{
    entry::{Born, EntryKind, Hold},
    expect::{CLOSED_BY_THE_DELETE, Expect, Resource, WAITED_FOR},
    oracle::HandleSort,
    policy::Policy,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "owner-map",
    point: "whoever removes the key stops its task and waits for it",
    shown: true,
    variants: &[Variant {
        which: Which::Fixed,
        entry: EntryKind::Watcher,
        hold: Hold::Plain,
        born: Born::Inside,
        policy: Policy::DeleteAndStop,
        expect: &[
            Expect {
                resource: Resource::Thread,
                role: "task",
                per_key: 1,
                allowed: WAITED_FOR,
            },
            Expect {
                resource: Resource::Handle(HandleSort::Eventfd),
                role: "event",
                per_key: 1,
                allowed: CLOSED_BY_THE_DELETE,
            },
        ],
        delete_at_most_ms: Some(500),
    }],
};
