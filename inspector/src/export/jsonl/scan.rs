//! Readings of /proc as JSON objects.

use serde_json::{Value, json};

use super::time;
use crate::event::{
    Scan, Targets,
    limits::{Ceiling, Limits},
    scan::{ScanRole, SeenTable},
    target::{Many, SeenTarget, TargetDetail},
    text::Text,
};

/// A baseline, a poll or an audit of one process.
pub(super) fn scan(scan: &Scan) -> Value {
    let (role, since, heal) = match scan.role {
        ScanRole::Baseline => ("baseline", None, None),
        ScanRole::Poll { since } => ("poll", time(since), None),
        ScanRole::Audit { heal } => ("audit", None, Some(heal)),
    };
    let threads = scan.threads.as_ref().map(|threads| {
        let seen = threads.iter().map(|thread| {
            json!({
                "tid": thread.tid.0,
                "start_ticks": thread.start_ticks,
                "comm": thread.comm.to_string(),
                "state": char::from(thread.state).escape_default().to_string(),
            })
        });
        seen.collect::<Vec<_>>()
    });
    json!({
        "event": "scan",
        "role": role,
        "since_ns": since,
        "heal": heal,
        "tgid": scan.tgid.0,
        "began_ns": scan.began.0,
        "ended_ns": scan.ended.0,
        "threads": threads,
        "tables": scan.tables.iter().map(table).collect::<Vec<_>>(),
        "limits": scan.limits.as_deref().map(limits),
    })
}

fn table(table: &SeenTable) -> Value {
    let (handles, errno) = match &table.handles {
        Ok(handles) => {
            let seen = handles.iter().map(|handle| {
                json!({
                    "fd": handle.fd.0,
                    "kind": handle.kind.word(),
                    "cloexec": handle.cloexec,
                    "target": handle.target.to_string(),
                })
            });
            (Some(seen.collect::<Vec<_>>()), None)
        }
        Err(errno) => (None, Some(errno)),
    };
    let users: Vec<_> = table.users.iter().map(|tid| tid.0).collect();
    json!({"users": users, "handles": handles, "errno": errno})
}

fn limits(limits: &Limits) -> Value {
    let pids = limits.pids.as_ref().map(|pids| {
        json!({
            "cgroup": pids.cgroup.to_string(),
            "max": pids.max,
            "current": pids.current,
        })
    });
    // Its words, parted by NUL and ended by one.
    let command = limits.command.as_ref().map(|command| {
        let bytes = command.bytes();
        let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
        let words = bytes.split(|&byte| byte == 0);
        let words = words.map(|word| Text::from(word).to_string());
        words.collect::<Vec<_>>()
    });
    json!({
        "nofile": limits.nofile.map(ceiling),
        "nofile_hard": limits.nofile_hard.map(ceiling),
        "nproc": limits.nproc.map(ceiling),
        "pids": pids,
        "threads_max": limits.threads_max,
        "pid_max": limits.pid_max,
        "host_threads": limits.host_threads,
        "inner_pid": limits.inner_pid,
        "start_ticks": limits.start_ticks,
        "command": command,
        "parent": limits.parent.map(|parent| parent.0),
        "uid": limits.uid,
    })
}

fn ceiling(ceiling: Ceiling) -> Value {
    match ceiling {
        Ceiling::At(number) => json!(number),
        Ceiling::Unlimited => json!("unlimited"),
    }
}

/// What descriptors point at.
pub(super) fn targets(targets: &Targets) -> Value {
    json!({
        "event": "targets",
        "tgid": targets.tgid.0,
        "reader": targets.reader.0,
        "began_ns": targets.began.0,
        "ended_ns": targets.ended.0,
        "read": targets.read.iter().map(target).collect::<Vec<_>>(),
    })
}

fn target(seen: &SeenTarget) -> Value {
    json!({
        "fd": seen.fd.0,
        "kind": seen.kind.word(),
        "target": seen.target.to_string(),
        "detail": seen.detail.as_ref().map(detail),
    })
}

fn detail(detail: &TargetDetail) -> Value {
    match detail {
        TargetDetail::Inet(socket) => json!({
            "of": "inet",
            "transport": socket.transport.word(),
            "local": socket.local.to_string(),
            "peer": socket.peer.map(|peer| peer.to_string()),
            "state": socket.state.0,
            "state_name": socket.state.word(),
        }),
        TargetDetail::Unix(socket) => json!({
            "of": "unix",
            "flow": socket.flow.word(),
            "path": socket.path.as_ref().map(ToString::to_string),
            "state_name": socket.state.word(),
        }),
        TargetDetail::Timer(timer) => json!({
            "of": "timer",
            "clock": timer.clock,
            "left_ns": timer.left_ns,
            "every_ns": timer.every_ns,
            "unread": timer.unread,
        }),
        TargetDetail::Epoll { members } => json!({"of": "epoll", "members": many(*members)}),
        TargetDetail::Eventfd { count } => json!({"of": "eventfd", "count": count}),
        TargetDetail::Pidfd { pid } => json!({"of": "pidfd", "pid": pid}),
        TargetDetail::Inotify { watches } => json!({"of": "inotify", "watches": many(*watches)}),
    }
}

fn many(many: Many) -> Value {
    json!({"read": many.read, "more": many.more})
}
