//! What an fdinfo file says of a descriptor beyond its flags.
//!
//! The lines are what the kernel's `show_fdinfo` functions print (`fs/timerfd.c`,
//! `fs/eventpoll.c`, `fs/eventfd.c`, `fs/notify/fdinfo.c`, `kernel/fork.c` or `fs/pidfs.c`);
//! proc_pid_fdinfo(5) describes them.

use crate::event::{
    handle::HandleKind,
    target::{Many, TargetDetail, Timer},
};

/// Whether a descriptor of this kind has a detail there.
pub(super) fn tells_of(kind: HandleKind) -> bool {
    matches!(
        kind,
        HandleKind::Timerfd
            | HandleKind::Epoll
            | HandleKind::Eventfd
            | HandleKind::Pidfd
            | HandleKind::Inotify
    )
}

/// The detail of a descriptor of this kind; `whole` if the text is the whole file.
pub(super) fn detail(kind: HandleKind, info: &[u8], whole: bool) -> Option<TargetDetail> {
    let info = Info(info);
    match kind {
        HandleKind::Timerfd => info.timer().map(TargetDetail::Timer),
        HandleKind::Epoll => Some(TargetDetail::Epoll {
            members: info.many(b"tfd:", whole),
        }),
        HandleKind::Inotify => Some(TargetDetail::Inotify {
            watches: info.many(b"inotify wd:", whole),
        }),
        HandleKind::Eventfd => {
            let count = info.value("eventfd-count:")?;
            let count = u64::from_str_radix(count, 16).ok()?;
            Some(TargetDetail::Eventfd { count })
        }
        HandleKind::Pidfd => {
            // −1: reaped; 0: in a pid namespace that is not ours.
            let pid: i32 = info.value("Pid:")?.parse().ok()?;
            let pid = u32::try_from(pid).ok().filter(|&pid| pid > 0);
            Some(TargetDetail::Pidfd { pid })
        }
        _ => None,
    }
}

struct Info<'a>(&'a [u8]);

impl<'a> Info<'a> {
    fn lines(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.0.split(|&byte| byte == b'\n')
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        let value = self
            .lines()
            .find_map(|line| line.strip_prefix(name.as_bytes()))?;
        Some(str::from_utf8(value).ok()?.trim())
    }

    fn many(&self, begins: &[u8], whole: bool) -> Many {
        let lines = self.lines().filter(|line| line.starts_with(begins));
        Many {
            read: u32::try_from(lines.count()).unwrap_or(u32::MAX),
            more: !whole,
        }
    }

    fn timer(&self) -> Option<Timer> {
        let left_ns = time(self.value("it_value:")?)?;
        Some(Timer {
            clock: self.value("clockid:")?.parse().ok()?,
            left_ns: (left_ns > 0).then_some(left_ns),
            every_ns: time(self.value("it_interval:")?)?,
            unread: self.value("ticks:")?.parse().ok()?,
        })
    }
}

/// `(seconds, nanoseconds)`.
fn time(pair: &str) -> Option<u64> {
    let pair = pair.strip_prefix('(')?.strip_suffix(')')?;
    let (seconds, nanoseconds) = pair.split_once(',')?;
    let seconds: u64 = seconds.trim().parse().ok()?;
    let nanoseconds: u64 = nanoseconds.trim().parse().ok()?;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers() {
        let info = b"pos:\t0\nflags:\t02\nclockid: 1\nticks: 3\nsettime flags: 00\n\
            it_value: (0, 49406829)\nit_interval: (1, 5)\n";
        let timer = |left_ns| Timer {
            clock: 1,
            left_ns,
            every_ns: 1_000_000_005,
            unread: 3,
        };
        assert_eq!(
            detail(HandleKind::Timerfd, info, true),
            Some(TargetDetail::Timer(timer(Some(49_406_829))))
        );
        let disarmed = String::from_utf8_lossy(info).replace("49406829", "0");
        assert_eq!(
            detail(HandleKind::Timerfd, disarmed.as_bytes(), true),
            Some(TargetDetail::Timer(timer(None)))
        );
        for damaged in ["it_value: (0)", "it_value: (9999999999999999, 0)", ""] {
            let info = disarmed.replace("it_value: (0, 0)", damaged);
            assert_eq!(detail(HandleKind::Timerfd, info.as_bytes(), true), None);
        }
    }

    #[test]
    fn members_and_watches() {
        let info = b"pos:\t0\ntfd:        5 events:       1d data: ffffffffffffffff\n\
            tfd:        6 events: 1 data: 0\n";
        let members = |more| TargetDetail::Epoll {
            members: Many { read: 2, more },
        };
        assert_eq!(detail(HandleKind::Epoll, info, true), Some(members(false)));
        assert_eq!(detail(HandleKind::Epoll, info, false), Some(members(true)));
        let info = b"pos:\t0\ninotify wd:3 ino:9e7e sdev:800013\n";
        let watches = Many {
            read: 1,
            more: false,
        };
        assert_eq!(
            detail(HandleKind::Inotify, info, true),
            Some(TargetDetail::Inotify { watches })
        );
    }

    #[test]
    fn counts_and_processes() {
        assert_eq!(
            detail(
                HandleKind::Eventfd,
                b"eventfd-count:               5a\n",
                true
            ),
            Some(TargetDetail::Eventfd { count: 0x5a })
        );
        assert_eq!(detail(HandleKind::Eventfd, b"pos: 0\n", true), None);
        let pidfd = |pid| Some(TargetDetail::Pidfd { pid });
        assert_eq!(
            detail(HandleKind::Pidfd, b"Pid:\t4711\nNSpid:\t4711\n", true),
            pidfd(Some(4711))
        );
        for none in ["Pid:\t-1\n", "Pid:\t0\n"] {
            assert_eq!(
                detail(HandleKind::Pidfd, none.as_bytes(), true),
                pidfd(None)
            );
        }
        assert!(!tells_of(HandleKind::Socket) && tells_of(HandleKind::Timerfd));
    }
}
