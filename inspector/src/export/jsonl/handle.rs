//! Changes of descriptor tables, and whole tables, as JSON objects.

use std::num::NonZeroU64;

use serde_json::{Value, json};

use super::{address, call_name, time};
use crate::event::{
    HandleEvent, Named, TableRead,
    handle::{HandleChange, Unsettled},
    id::FileAddress,
    table::TableWhy,
};

/// A call that changed a table.
pub(super) fn change(event: &HandleEvent) -> Value {
    let mut value = match event.change {
        HandleChange::Born {
            fd,
            kind,
            cloexec,
            file,
        } => json!({
            "event": "handle_born",
            "fd": fd.0,
            "kind": kind.word(),
            "cloexec": cloexec,
            "file": file_value(file),
        }),
        HandleChange::Duplicated {
            from,
            to,
            cloexec,
            replaces,
            file,
        } => json!({
            "event": "handle_duplicated",
            "from": from.0,
            "fd": to.0,
            "cloexec": cloexec,
            "replaces": replaces.map(|replaces| json!({"entry_ns": time(replaces.entry)})),
            "file": file_value(file),
        }),
        HandleChange::Received { fd, cloexec, file } => json!({
            "event": "handle_received",
            "fd": fd.0,
            "cloexec": cloexec,
            "file": file_value(file),
        }),
        HandleChange::Shared { fd } => json!({"event": "handle_shared", "fd": fd.0}),
        HandleChange::Closed {
            fd,
            entry_seen,
            returned,
            references,
        } => json!({
            "event": "handle_closed",
            "fd": fd.0,
            "entry_seen": entry_seen,
            "returned_ns": returned.0,
            "references": references,
        }),
        HandleChange::RangeClosed {
            first,
            last,
            entry_seen,
            returned,
        } => json!({
            "event": "handles_closed",
            "first": first.0,
            "last": last.0,
            "entry_seen": entry_seen,
            "returned_ns": returned.0,
        }),
        HandleChange::CloexecSet { first, last, on } => json!({
            "event": "cloexec_set",
            "first": first.0,
            "last": last.0,
            "on": on,
        }),
        HandleChange::CloseRefused { fd } => json!({"event": "close_refused", "fd": fd.0}),
        HandleChange::BirthRefused { errno } => json!({"event": "birth_refused", "errno": errno}),
        HandleChange::Unsettled { why } => {
            json!({"event": "table_unsettled", "why": unsettled(why)})
        }
    };
    value["tid"] = json!(event.tid.0);
    value["tgid"] = json!(event.tgid.0);
    value["call"] = json!(event.call.0);
    value["call_name"] = json!(call_name(event.call));
    value
}

/// A name by which something was opened.
pub(super) fn named(named: &Named) -> Value {
    json!({
        "event": "handle_named",
        "tid": named.tid.0,
        "tgid": named.tgid.0,
        "call": named.call.0,
        "call_name": call_name(named.call),
        "fd": named.fd.0,
        "name": named.name.to_string(),
        "is_cut": named.is_cut,
    })
}

/// The kernel's own copy of a table.
pub(super) fn table(read: &TableRead) -> Value {
    let why = match read.why {
        TableWhy::Fork => "fork",
        TableWhy::Exec => "exec",
        TableWhy::Unshare => "unshare",
    };
    let open = read.open.iter();
    let open = open.map(|&(fd, cloexec)| json!({"fd": fd.0, "cloexec": cloexec}));
    json!({
        "event": "table_read",
        "owner": read.owner.0,
        "tgid": read.tgid.0,
        "by": read.by.0,
        "files": read.files.map(|files| address(files.0.get())),
        "why": why,
        "open": open.collect::<Vec<_>>(),
        "complete": read.complete,
    })
}

fn file_value(file: Option<FileAddress>) -> Option<String> {
    file.map(|file| file.0).map(NonZeroU64::get).map(address)
}

fn unsettled(why: Unsettled) -> &'static str {
    match why {
        Unsettled::CompatCall => "compat_call",
        Unsettled::X32Call => "x32_call",
        Unsettled::Ancillary => "ancillary",
        Unsettled::Memory => "memory",
        Unsettled::Filtered => "filtered",
    }
}
