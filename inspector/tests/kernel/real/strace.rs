//! What strace saw of a run: the other witness.

use std::{collections::BTreeMap, fs, path::Path};

/// The calls that strace is to follow: those that make or close descriptors and tasks.
pub(crate) const CALLS: &str = "open,openat,openat2,creat,socket,accept,accept4,pipe,pipe2,\
     socketpair,dup,dup2,dup3,fcntl,eventfd,eventfd2,epoll_create,epoll_create1,timerfd_create,\
     signalfd,signalfd4,inotify_init,inotify_init1,memfd_create,pidfd_open,pidfd_getfd,\
     perf_event_open,io_uring_setup,userfaultfd,close,clone,clone3,fork,vfork,recvmsg";

/// Counts of a run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The first process, whose calls are not counted.
    pub(crate) shell: u64,
    /// Descriptors that calls made, by the call's name; of those that others sent, `recvmsg`.
    pub(crate) births: BTreeMap<String, u64>,
    /// Closes of descriptors.
    pub(crate) closes: u64,
    /// Threads that were born.
    pub(crate) threads: u64,
    /// Processes that were born.
    pub(crate) processes: u64,
}

/// Reads a log that `strace -f -o FILE` wrote.
pub(crate) fn read(log: &Path) -> Seen {
    let text = fs::read(log).unwrap();
    let text = String::from_utf8_lossy(&text);
    let mut seen = Seen::default();
    let mut unfinished: BTreeMap<&str, String> = BTreeMap::new();
    for line in text.lines() {
        let Some((pid, rest)) = line.split_once(' ') else {
            continue;
        };
        if seen.shell == 0 {
            seen.shell = pid.parse().unwrap();
        }
        let rest = rest.trim_start();
        if pid.parse() == Ok(seen.shell) {
            continue;
        }
        if rest.starts_with("---") || rest.starts_with("+++") {
            continue;
        }
        if let Some(begun) = rest.strip_suffix(" <unfinished ...>") {
            unfinished.insert(pid, begun.to_owned());
        } else if let Some(resumed) = rest.strip_prefix("<... ") {
            let begun = unfinished.remove(pid).unwrap_or_default();
            let (_, end) = resumed.split_once(" resumed>").unwrap();
            seen.call(&format!("{begun}{end}"));
        } else {
            seen.call(rest);
        }
    }
    seen
}

impl Seen {
    fn call(&mut self, line: &str) {
        let Some((name, rest)) = line.split_once('(') else {
            return;
        };
        let Some((arguments, result)) = rest.rsplit_once(" = ") else {
            return;
        };
        let number = result.split([' ', '<']).next().unwrap();
        let Ok(returned) = number.parse::<i64>() else {
            // "?": it never returned.
            return;
        };
        match name {
            "close" if returned == 0 => self.closes += 1,
            "close" => {}
            "clone" | "clone3" | "fork" | "vfork" if returned > 0 => {
                if arguments.contains("CLONE_THREAD") {
                    self.threads += 1;
                } else {
                    self.processes += 1;
                }
            }
            "recvmsg" if returned >= 0 => self.born("recvmsg", received(arguments)),
            "fcntl" if !arguments.contains("F_DUPFD") => {}
            "clone" | "clone3" | "fork" | "vfork" | "recvmsg" => {}
            _ if returned < 0 => {}
            "pipe" | "pipe2" | "socketpair" => self.born(name, 2),
            // A descriptor onto itself makes none.
            "dup2" if arguments.split(", ").next() == Some(number) => {}
            "signalfd" | "signalfd4" if !arguments.starts_with("-1") => {}
            _ => self.born(name, 1),
        }
    }

    fn born(&mut self, call: &str, count: u64) {
        if count > 0 {
            *self.births.entry(call.to_owned()).or_default() += count;
        }
    }
}

/// How many descriptors a message brought.
fn received(arguments: &str) -> u64 {
    let parts = arguments.split("SCM_RIGHTS, cmsg_data=[").skip(1);
    let counts = parts.map(|part| {
        let list = part.split(']').next().unwrap();
        list.split(", ").filter(|number| !number.is_empty()).count() as u64
    });
    counts.sum()
}
