//! Events in words.

use crate::{
    event::{
        Event, HandleEvent, ThreadEvent, WaitEvent, What,
        handle::HandleChange,
        loss::Layer,
        mark::{Declared, Owned},
        scan::ScanRole,
        table::TableWhy,
    },
    ledger::Ledger,
    tui::words,
    verdict::wording::{CallWord, quantity::Duration},
};

/// An event in words.
pub fn tell(event: &Event, ledger: &Ledger) -> String {
    match &event.what {
        What::Thread(thread) => told_thread(thread),
        What::Handle(handle) => told_handle(handle),
        What::Table(read) => {
            let why = match read.why {
                TableWhy::Fork => "copied by fork",
                TableWhy::Exec => "left by exec",
                TableWhy::Unshare => "unshared",
            };
            format!("table {why}: {} descriptors", read.open.len())
        }
        What::Wait(wait) => match &**wait {
            WaitEvent::Ended { wait, waker, .. } => {
                let lasted = match wait.since {
                    Some(since) => Duration(event.at.since_ns(since)).to_string(),
                    None => "a wait from before the attach".to_owned(),
                };
                let by = match waker {
                    Some(waker) => format!(", woken by {}", words::waker(ledger, waker)),
                    None => String::new(),
                };
                format!("waited {lasted} in {}{by}", words::call(wait.call))
            }
            WaitEvent::Sample { .. } => "sampled".to_owned(),
            WaitEvent::Futex { address, .. } => format!("word {} sampled", words::word(*address)),
        },
        What::Mark(mark) => {
            let key = &mark.key.text;
            match &mark.what {
                Declared::StoreBegin { .. } => format!("store {key} begins"),
                Declared::StoreEnd { .. } => format!("store {key} ends"),
                Declared::Own(Owned::Handle(fd)) => format!("fd {fd} belongs to {key}"),
                Declared::Own(Owned::Thread(tid)) => format!("thread {tid} belongs to {key}"),
                Declared::DeleteBegin {
                    policy: Some(policy),
                } => {
                    format!("delete {key} begins ({policy})")
                }
                Declared::DeleteBegin { policy: None } => format!("delete {key} begins"),
                Declared::DeleteUnlink => format!("{key} left its map"),
                Declared::DeleteEnd => format!("delete {key} ends"),
            }
        }
        What::Scan(scan) => {
            let role = match scan.role {
                ScanRole::Baseline => "baseline",
                ScanRole::Poll { .. } => "poll",
                ScanRole::Audit { .. } => "audit",
            };
            let took = Duration(scan.ended.since_ns(scan.began));
            match &scan.threads {
                Some(threads) => format!(
                    "{role} of /proc/{}: {} threads, in {took}",
                    scan.tgid,
                    threads.len()
                ),
                None => format!("{role} of /proc/{}: it is gone", scan.tgid),
            }
        }
        What::Named(named) => format!("fd {} was opened as {}", named.fd, named.name),
        What::Targets(targets) => {
            let count = targets.read.len();
            format!("what {count} descriptors of {} point at", targets.tgid)
        }
        What::Gap(gap) => {
            let place = match gap.layer {
                Layer::Ring => "the ring was full".to_owned(),
                Layer::Map(map) => format!("the map {map} was full"),
                Layer::Missed => "runs of a program were skipped".to_owned(),
                Layer::Unwatched(program) => format!("{program} does not watch"),
                Layer::Damaged => "records were damaged".to_owned(),
                Layer::Recorder => "the recorder could not keep them".to_owned(),
                Layer::File => "the recording is damaged".to_owned(),
            };
            let lost: Vec<_> = gap
                .lost
                .iter()
                .map(|(kind, count)| format!("{kind} {count}"))
                .collect();
            format!("lost {}: {place}", lost.join(", "))
        }
        What::Tick => "time passed".to_owned(),
        What::End(end) => match &end.error {
            Some(error) => format!("the source ended: {error}"),
            None => "the source ended".to_owned(),
        },
    }
}

fn told_thread(thread: &ThreadEvent) -> String {
    match thread {
        ThreadEvent::Born {
            child, flags, comm, ..
        } if flags.thread() => {
            format!("thread {child} born \"{comm}\"")
        }
        ThreadEvent::Born { child, comm, .. } => format!("process {child} born \"{comm}\""),
        ThreadEvent::Renamed { comm, .. } => format!("named \"{comm}\""),
        ThreadEvent::Exec { tgid, comm, .. } => format!("process {tgid} executes \"{comm}\""),
        ThreadEvent::Exiting { .. } => "exits".to_owned(),
        ThreadEvent::Gone { .. } => "ended: its last switch".to_owned(),
    }
}

fn told_handle(handle: &HandleEvent) -> String {
    let call = CallWord(handle.call);
    match handle.change {
        HandleChange::Born { fd, kind, .. } => format!("fd {fd} born, {} ({call})", kind.word()),
        HandleChange::Duplicated { from, to, .. } => {
            format!("fd {to} born, duplicate of {from} ({call})")
        }
        HandleChange::Received { fd, .. } => format!("fd {fd} received ({call})"),
        HandleChange::Shared { fd } => format!("fd {fd} sent ({call})"),
        HandleChange::Closed {
            fd,
            references: Some(1),
            ..
        } => {
            format!("fd {fd} closed: the last reference ({call})")
        }
        HandleChange::Closed {
            fd,
            references: Some(references),
            ..
        } => {
            format!("fd {fd} closed, {references} references ({call})")
        }
        HandleChange::Closed {
            fd,
            references: None,
            ..
        } => format!("fd {fd} closed ({call})"),
        HandleChange::RangeClosed { first, last, .. } => {
            format!("fds {first} to {last} closed ({call})")
        }
        HandleChange::CloexecSet { first, on, .. } => {
            let what = if on { "closes" } else { "stays open" };
            format!("fd {first} {what} on exec ({call})")
        }
        HandleChange::CloseRefused { fd } => format!("fd {fd} was not open: EBADF ({call})"),
        HandleChange::BirthRefused { errno } => {
            format!("no descriptor left: errno {errno} ({call})")
        }
        HandleChange::Unsettled { .. } => format!("its table can't be followed ({call})"),
    }
}
