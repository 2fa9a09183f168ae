//! What harness and child say to each other: one JSON object a line, over a socket pair.
//!
//! The child says [`Reply::Hello`] first and then waits: nothing of the workload exists before
//! the harness's first order, so that a source can attach. From then on each [`Order`] is
//! answered by exactly one [`Reply`] with the order's `seq`; a line that is no order is answered
//! by [`Reply::Error`] without `seq`, and the child goes on. A line holds at most
//! [`LINE_BYTES`]. When the socket closes, the child ends.
//!
//! How a value holds its entry is settled at its store, and a policy means what it says only for
//! values held as [`Policy::hold`] tells. Who chooses the policy after the store orders the delete
//! with a `hold`, which comes into force before the delete's begin mark.
//!
//! ```text
//! child   {"seq":null,"is":"hello","protocol":1,"uid":1000,"nofile":20000}
//! harness {"seq":1,"do":"start","map":"mutex","repeat_marks":false}
//! child   {"seq":1,"is":"started","map_id":1}
//! harness {"seq":2,"do":"store","key":"task-0001","entry":"ticker","hold":"plain","born":"inside","tick_ns":100000001}
//! child   {"seq":2,"is":"stored","took_ns":81234,"marks":[]}
//! harness {"seq":3,"do":"delete","key":"task-0001","policy":"bare"}
//! child   {"seq":3,"is":"deleted","took_ns":1234,"marks":[]}
//! harness {"seq":4,"do":"delete","key":"task-0002","policy":"drop","hold":"raii"}
//! child   {"seq":4,"is":"deleted","took_ns":51234,"marks":[]}
//! harness nonsense
//! child   {"seq":null,"is":"error","what":"this is no order: expected ident at line 1 column 2"}
//! ```

use serde::{Deserialize, Serialize};

use super::{
    entry::{Born, EntryKind, Hold},
    map::MapKind,
    policy::Policy,
};

/// Version of what is written here; a child that says another is refused.
pub const PROTOCOL: u32 = 1;
/// Longest line, its newline included.
pub const LINE_BYTES: usize = 64 * 1024;
/// Longest key in bytes.
pub const KEY_BYTES: usize = 200;

/// An order with its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbered {
    /// Counts up from 1.
    pub seq: u64,
    /// The order.
    #[serde(flatten)]
    pub order: Order,
}

/// What the harness wants done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Order {
    /// Make the map. Once, before all else.
    Start {
        /// Its kind.
        map: MapKind,
        /// Whether replies repeat the marks (for a source that cannot attach to them).
        repeat_marks: bool,
    },
    /// Store a key with a new entry; the key must not be in the map.
    Store {
        /// The key: 1 to [`KEY_BYTES`] bytes.
        key: String,
        /// What it owns.
        entry: EntryKind,
        /// How its value holds that.
        hold: Hold,
        /// Where what it owns is born.
        born: Born,
        /// Period of its timer or of its writes, in nanoseconds, at least 1 ms.
        tick_ns: u64,
    },
    /// Delete a key.
    Delete {
        /// The key.
        key: String,
        /// How.
        policy: Policy,
        /// How its value holds what it owns from now on; none = as it did. `unclosed` is refused:
        /// only a store can make such a value, which then never closes whatever is said here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hold: Option<Hold>,
    },
    /// How many keys the map holds.
    Count,
    /// End the process.
    Quit,
}

/// An answer with its order's number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The order's; `None` for the hello and for lines that were no order.
    pub seq: Option<u64>,
    /// The reply.
    #[serde(flatten)]
    pub reply: Reply,
}

/// What the child answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Reply {
    /// The child is there and holds no privileges any more.
    Hello {
        /// [`PROTOCOL`].
        protocol: u32,
        /// Its user.
        uid: u32,
        /// How many descriptors it may open (its soft limit, already raised to the hard one).
        nofile: u64,
    },
    /// The map is made.
    Started {
        /// The id its marks carry.
        map_id: u64,
    },
    /// The key is stored.
    Stored {
        /// From begin to end.
        took_ns: u64,
        /// The marks, if they are repeated.
        marks: Vec<ToldMark>,
    },
    /// The key is deleted.
    Deleted {
        /// From begin to end.
        took_ns: u64,
        /// The marks, if they are repeated.
        marks: Vec<ToldMark>,
    },
    /// The map's size.
    Counted {
        /// Keys in it.
        keys: u64,
    },
    /// The order was not carried out.
    Error {
        /// Why.
        what: String,
    },
}

/// A mark, repeated in a reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldMark {
    /// When, in nanoseconds since boot.
    pub at_ns: u64,
    /// The thread that passed it.
    pub tid: u32,
    /// The map's id.
    pub map: u64,
    /// The key.
    pub key: String,
    /// What it declares.
    #[serde(flatten)]
    pub what: ToldWhat,
}

/// The kinds of mark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mark", rename_all = "snake_case")]
pub enum ToldWhat {
    /// A store begins.
    StoreBegin,
    /// It ended.
    StoreEnd,
    /// A descriptor is given to the entry.
    OwnHandle {
        /// Its number.
        handle: u32,
    },
    /// A thread is given to the entry.
    OwnThread {
        /// Its number.
        thread: u32,
    },
    /// A delete begins.
    DeleteBegin {
        /// The policy's name.
        policy: String,
    },
    /// The key left the map.
    DeleteUnlink,
    /// The delete returned.
    DeleteEnd,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_lines_are_the_real_ones() {
        for line in [
            r#"{"seq":1,"do":"start","map":"mutex","repeat_marks":false}"#,
            r#"{"seq":2,"do":"store","key":"task-0001","entry":"ticker","hold":"plain","born":"inside","tick_ns":100000001}"#,
            r#"{"seq":3,"do":"delete","key":"task-0001","policy":"bare"}"#,
            r#"{"seq":4,"do":"delete","key":"task-0002","policy":"drop","hold":"raii"}"#,
        ] {
            let order: Numbered = serde_json::from_str(line).unwrap();
            assert_eq!(serde_json::to_string(&order).unwrap(), line);
        }
        for line in [
            r#"{"seq":null,"is":"hello","protocol":1,"uid":1000,"nofile":20000}"#,
            r#"{"seq":1,"is":"started","map_id":1}"#,
            r#"{"seq":2,"is":"stored","took_ns":81234,"marks":[]}"#,
            r#"{"seq":2,"is":"stored","took_ns":1,"marks":[{"at_ns":5,"tid":7,"map":1,"key":"k","mark":"store_begin"}]}"#,
        ] {
            let answer: Answer = serde_json::from_str(line).unwrap();
            assert_eq!(serde_json::to_string(&answer).unwrap(), line);
        }
    }
}
