//! `signal-no-wait`: a delete that returned is not a task that exited.

use super::{Scenario, Variant, Which};
use crate::lab::{
    entry::{Born, EntryKind, Hold},
    expect::{Allowed, CLOSED_BY_THE_DELETE, Expect, Resource, WAITED_FOR},
    oracle::HandleSort,
    policy::Policy,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "signal-no-wait",
    point: "a delete that returned is not a task that exited",
    shown: true,
    variants: &[
        Variant {
            which: Which::Leaky,
            entry: EntryKind::Ticker,
            hold: Hold::Plain,
            born: Born::Inside,
            policy: Policy::Signal,
            expect: &[
                Expect {
                    resource: Resource::Thread,
                    role: "task",
                    per_key: 1,
                    allowed: &[
                        Allowed::GoneDuring,
                        Allowed::GoneAfter { at_most_ms: 1000 },
                        Allowed::Late,
                    ],
                },
                Expect {
                    resource: Resource::Handle(HandleSort::Timerfd),
                    role: "timer",
                    per_key: 1,
                    allowed: &[
                        Allowed::GoneDuring,
                        Allowed::GoneAfter { at_most_ms: 1000 },
                        Allowed::Late,
                    ],
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
