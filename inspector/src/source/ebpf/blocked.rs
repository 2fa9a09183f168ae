//! What threads were blocked in before anybody watched: /proc/PID/task/TID/syscall.

use std::{fs, path::Path};

use crate::event::{
    BootTime, Event, WaitEvent, What,
    id::{Tgid, Tid},
    wait::{Blocked, WaitSums},
};

/// One sample for each blocked thread of a process. Since when is not known: it was before.
pub(super) fn at_attach(proc_root: &Path, tgid: Tgid, at: BootTime) -> Vec<Event> {
    let Ok(tasks) = fs::read_dir(proc_root.join(tgid.to_string()).join("task")) else {
        return Vec::new();
    };
    // Threads that end meanwhile, and kernels without CONFIG_HAVE_ARCH_TRACEHOOK, tell nothing.
    let blocked = tasks.filter_map(|task| {
        let task = task.ok()?;
        let tid = task.file_name().to_str()?.parse().ok()?;
        let text = fs::read_to_string(task.path().join("syscall")).ok()?;
        Some((Tid(tid), parse(&text)?))
    });
    blocked
        .map(|(tid, blocked)| Event {
            at,
            what: What::Wait(Box::new(WaitEvent::Sample {
                tid,
                tgid,
                blocked: Some(blocked),
                ran: None,
                waker: None,
                sums: WaitSums::default(),
            })),
        })
        .collect()
}

/// `running`, or `-1 sp pc` for a block outside any call, or `number` and six arguments in
/// hexadecimal, then sp and pc. (proc_pid_syscall(5))
fn parse(text: &str) -> Option<Blocked> {
    let mut words = text.split_ascii_whitespace();
    let number: i64 = words.next()?.parse().ok()?;
    let mut args = [0; 4];
    if number >= 0 {
        for argument in &mut args {
            let word = words.next()?.strip_prefix("0x")?;
            *argument = u64::from_str_radix(word, 16).ok()?;
        }
    }
    Some(Blocked {
        since: None,
        call: u16::try_from(number).ok(),
        args,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_calls_and_blocks_outside_of_any() {
        let read = "0 0x3 0x7ffd10 0x400 0x0 0x0 0x0 0x7ffd08 0x7f12\n";
        let read = parse(read).expect("a call");
        assert_eq!((read.call, read.args), (Some(0), [3, 0x7f_fd10, 0x400, 0]));
        assert_eq!(read.since, None);
        let stopped = parse("-1 0x7ffd08 0x7f12\n").expect("no call");
        assert_eq!((stopped.call, stopped.args), (None, [0; 4]));
    }

    #[test]
    fn a_running_thread_and_nonsense_are_nothing() {
        for text in ["running\n", "", "x", "0 3", "0 0x3 0xzz 0 0"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
