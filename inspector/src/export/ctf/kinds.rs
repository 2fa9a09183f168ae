//! Which fields each kind of event has in a CTF trace, and where its JSON has them.

use serde_json::Value;

/// A kind of event: its name, and its fields. Its number in a trace is its place in [`KINDS`].
pub(super) type Kind = (&'static str, &'static [Field]);

/// A field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    /// Whether it may be not known, or there be none.
    pub(super) may_lack: bool,
    /// Its name in the JSON, and what it is within there.
    own_name: &'static str,
    within: Option<&'static str>,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Number,
    Flag,
    /// What JSON has as hexadecimal text.
    Address,
    Text,
    /// What has parts itself, as JSON.
    Parts,
}

const fn field(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        shape,
        may_lack: false,
        own_name: name,
        within: None,
    }
}

const fn number(name: &'static str) -> Field {
    field(name, Shape::Number)
}

const fn flag(name: &'static str) -> Field {
    field(name, Shape::Flag)
}

const fn address(name: &'static str) -> Field {
    field(name, Shape::Address)
}

const fn text(name: &'static str) -> Field {
    field(name, Shape::Text)
}

const fn parts(name: &'static str) -> Field {
    field(name, Shape::Parts)
}

const fn maybe(field: Field) -> Field {
    Field {
        may_lack: true,
        ..field
    }
}

/// Of something that may lack: what `own_name` is within it.
const fn of(within: &'static str, own_name: &'static str, field: Field) -> Field {
    Field {
        own_name,
        within: Some(within),
        may_lack: true,
        ..field
    }
}

const TID: Field = number("tid");
const TGID: Field = number("tgid");
const CALL: Field = number("call");
const CALL_NAME: Field = text("call_name");
const FD: Field = number("fd");
const FILE: Field = maybe(address("file"));
const FILES: Field = maybe(address("files"));
const COMM: Field = text("comm");
const CLOEXEC: Field = flag("cloexec");
const RETURNED: Field = number("returned_ns");
const WAIT_SINCE: Field = of("wait", "since_ns", number("wait_since_ns"));
const WAIT_CALL: Field = of("wait", "call", number("wait_call"));
const WAIT_CALL_NAME: Field = of("wait", "call_name", text("wait_call_name"));
const WAIT_ARGS: Field = of("wait", "args", parts("wait_args"));
const WAKER: Field = of("waker", "tid", number("waker"));
const WOKEN: Field = of("waker", "at_ns", number("woken_ns"));
const MAP: Field = number("map");
const KEY: Field = text("key");
const KEY_LEN: Field = number("key_len");

/// Every kind, with the fields in the order of `docs/export.md`.
#[rustfmt::skip]
pub(super) const KINDS: &[Kind] = &[
    ("thread_born", &[TID, TGID, number("start_ns"), number("parent"), number("parent_tgid"), number("flags"), FILES, COMM]),
    ("thread_renamed", &[TID, TGID, COMM]),
    ("exec", &[TGID, number("old_tid"), number("start_ns"), FILES, COMM]),
    ("thread_exiting", &[TID, TGID, number("start_ns")]),
    ("thread_gone", &[TID, TGID, number("start_ns")]),
    ("handle_born", &[TID, TGID, CALL, CALL_NAME, FD, text("kind"), CLOEXEC, FILE]),
    ("handle_duplicated", &[TID, TGID, CALL, CALL_NAME, number("from"), FD, CLOEXEC, maybe(parts("replaces")), FILE]),
    ("handle_received", &[TID, TGID, CALL, CALL_NAME, FD, CLOEXEC, FILE]),
    ("handle_shared", &[TID, TGID, CALL, CALL_NAME, FD]),
    ("handle_closed", &[TID, TGID, CALL, CALL_NAME, FD, flag("entry_seen"), RETURNED, maybe(number("references"))]),
    ("handles_closed", &[TID, TGID, CALL, CALL_NAME, number("first"), number("last"), flag("entry_seen"), RETURNED]),
    ("cloexec_set", &[TID, TGID, CALL, CALL_NAME, number("first"), number("last"), flag("on")]),
    ("close_refused", &[TID, TGID, CALL, CALL_NAME, FD]),
    ("birth_refused", &[TID, TGID, CALL, CALL_NAME, number("errno")]),
    ("table_unsettled", &[TID, TGID, CALL, CALL_NAME, text("why")]),
    ("handle_named", &[TID, TGID, CALL, CALL_NAME, FD, text("name"), flag("is_cut")]),
    ("table_read", &[number("owner"), TGID, number("by"), FILES, text("why"), parts("open"), flag("complete")]),
    ("wait_ended", &[TID, TGID, WAIT_SINCE, WAIT_CALL, WAIT_CALL_NAME, WAIT_ARGS, WAKER, WOKEN]),
    ("wait_sample", &[TID, TGID, WAIT_SINCE, WAIT_CALL, WAIT_CALL_NAME, WAIT_ARGS, WAKER, WOKEN, maybe(number("ran_ns")), parts("sums")]),
    ("futex", &[TGID, address("address"), parts("sums"), parts("wakers")]),
    ("store_begin", &[TID, TGID, MAP, KEY, KEY_LEN, maybe(number("span"))]),
    ("store_end", &[TID, TGID, MAP, KEY, KEY_LEN, maybe(number("span"))]),
    ("own_handle", &[TID, TGID, MAP, KEY, KEY_LEN, FD]),
    ("own_thread", &[TID, TGID, MAP, KEY, KEY_LEN, number("thread")]),
    ("delete_begin", &[TID, TGID, MAP, KEY, KEY_LEN, maybe(text("policy"))]),
    ("delete_unlink", &[TID, TGID, MAP, KEY, KEY_LEN]),
    ("delete_end", &[TID, TGID, MAP, KEY, KEY_LEN]),
    ("scan", &[text("role"), maybe(number("since_ns")), maybe(flag("heal")), TGID, number("began_ns"), number("ended_ns"), maybe(parts("threads")), parts("tables"), maybe(parts("limits"))]),
    ("targets", &[TGID, number("reader"), number("began_ns"), number("ended_ns"), parts("read")]),
    ("gap", &[text("layer"), maybe(text("of")), maybe(number("cpu")), parts("lost"), number("from_ns"), number("until_ns")]),
    ("tick", &[]),
    ("end", &[maybe(text("error")), parts("counts")]),
];

/// The number of a kind, and its fields.
pub(super) fn kind_of(json: &Value) -> Option<(u16, &'static [Field])> {
    let name = json["event"].as_str()?;
    let place = KINDS.iter().position(|&(kind, _)| kind == name)?;
    Some((u16::try_from(place).ok()?, KINDS[place].1))
}

impl Field {
    /// Its bytes; `None` = the JSON does not have it so.
    pub(super) fn encode(&self, json: &Value, into: &mut Vec<u8>) -> Option<()> {
        let value = match self.within {
            Some(within) => &json[within][self.own_name],
            None => json.get(self.own_name)?,
        };
        if self.may_lack {
            into.push(u8::from(!value.is_null()));
            if value.is_null() {
                return Some(());
            }
        }
        match self.shape {
            Shape::Number => into.extend(value.as_u64()?.to_le_bytes()),
            Shape::Flag => into.push(value.as_bool()?.into()),
            Shape::Address => {
                let digits = value.as_str()?.strip_prefix("0x")?;
                into.extend(u64::from_str_radix(digits, 16).ok()?.to_le_bytes());
            }
            Shape::Text => string(value.as_str()?, into),
            Shape::Parts => string(&value.to_string(), into),
        }
        Some(())
    }
}

/// Text ends with a NUL; escaped text, and JSON, have none within.
fn string(text: &str, into: &mut Vec<u8>) {
    into.extend(text.bytes().filter(|&byte| byte != 0));
    into.push(0);
}
