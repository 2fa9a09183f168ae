//! Readings of /proc in a story: scans, and what descriptors point at.

use super::{
    Cast,
    args::{Args, time},
};
use crate::event::{
    Scan, Targets, What,
    handle::HandleKind,
    id::{BootTime, Fd, Tid},
    scan::{ScanRole, SeenHandle, SeenTable, SeenThread},
    target::{SeenTarget, TargetDetail},
    text::{Comm, Text},
};

impl Cast {
    /// `point FD TARGET`, with `began=MS` and maybe `socket` and `count=N`.
    pub(super) fn point(&self, at: BootTime, tid: u32, args: &Args<'_>) -> What {
        let count = args.value("count").map(|count| count.parse().unwrap());
        What::Targets(Box::new(Targets {
            tgid: self.tgid(tid),
            reader: Tid(tid),
            began: time(args.value("began").unwrap()),
            ended: at,
            read: vec![SeenTarget {
                fd: args.fd(0),
                kind: args.kind(),
                target: Text::from(args.bytes(1)),
                detail: count.map(|count| TargetDetail::Eventfd { count }),
            }],
        }))
    }

    /// `baseline THREADS… | NUMBERS…`, with `began=MS`; the first thread reads the table.
    pub(super) fn scan(&self, at: BootTime, tid: u32, verb: &str, args: &Args<'_>) -> What {
        let role = match verb {
            "baseline" => ScanRole::Baseline,
            "poll" => ScanRole::Poll {
                since: args.value("since").map(time),
            },
            "audit" => ScanRole::Audit { heal: true },
            _ => ScanRole::Audit { heal: false },
        };
        let mut sides = args.0.split(|&word| word == "|");
        let threads: Vec<u32> = Args(sides.next().unwrap())
            .numbers()
            .map(|fd| fd.0)
            .collect();
        let numbers: Vec<Fd> = Args(sides.next().unwrap_or_default()).numbers().collect();
        let seen = threads.iter().map(|&tid| SeenThread {
            tid: Tid(tid),
            start_ticks: self.start(tid).ticks(),
            comm: Comm::from_bytes(format!("t{tid}").as_bytes()),
            state: b'S',
        });
        let handles = numbers.iter().map(|&fd| SeenHandle {
            fd,
            kind: HandleKind::Timerfd,
            cloexec: Some(false),
            target: Text::from(&b"anon_inode:[timerfd]"[..]),
        });
        What::Scan(Box::new(Scan {
            role,
            tgid: self.tgid(tid),
            began: time(args.value("began").unwrap()),
            ended: at,
            threads: (!args.has("gone")).then(|| seen.collect()),
            tables: vec![SeenTable {
                users: threads.iter().map(|&tid| Tid(tid)).collect(),
                handles: Ok(handles.collect()),
            }],
            limits: None,
        }))
    }
}
