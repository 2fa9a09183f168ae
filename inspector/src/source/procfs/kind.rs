//! What a descriptor is, from the text of its link in /proc/PID/fd.
//!
//! The texts are what the kernel's `d_dname` and `anon_inode_getfd` callers name their files;
//! each is cited where the name is not the system call's own.

use crate::event::handle::HandleKind;

/// What the link's text says. Paths say only that something was opened.
pub(super) fn of_link(target: &[u8]) -> HandleKind {
    if let Some(name) = target.strip_prefix(b"anon_inode:") {
        return of_anonymous(name);
    }
    match target {
        [b'/', rest @ ..] => of_path(rest),
        _ if target.starts_with(b"socket:[") => HandleKind::Socket,
        _ if target.starts_with(b"pipe:[") => HandleKind::Pipe,
        // Since 6.9 (upstream cb12fd8e0dab, "pidfd: add pidfs").
        _ if target.starts_with(b"pidfd:[") => HandleKind::Pidfd,
        // Namespaces (`mnt:[…]`): open makes them too.
        _ if target.ends_with(b"]") => HandleKind::Opened,
        _ => HandleKind::Unknown,
    }
}

fn of_path(path: &[u8]) -> HandleKind {
    let deleted = path.ends_with(b" (deleted)");
    if deleted && path.starts_with(b"memfd:") {
        HandleKind::Memfd
    } else if path == b"secretmem (deleted)" || path == b"secretmem" {
        HandleKind::MemfdSecret
    } else {
        HandleKind::Opened
    }
}

fn of_anonymous(name: &[u8]) -> HandleKind {
    // Most names stand in brackets, some older ones do not.
    let bare = name
        .strip_prefix(b"[")
        .and_then(|name| name.strip_suffix(b"]"))
        .unwrap_or(name);
    match bare {
        b"eventfd" => HandleKind::Eventfd,
        b"timerfd" => HandleKind::Timerfd,
        b"signalfd" => HandleKind::Signalfd,
        b"eventpoll" => HandleKind::Epoll,
        b"inotify" => HandleKind::Inotify,
        b"fanotify" => HandleKind::Fanotify,
        b"pidfd" => HandleKind::Pidfd,
        b"userfaultfd" => HandleKind::Userfaultfd,
        b"perf_event" => HandleKind::PerfEvent,
        b"io_uring" => HandleKind::IoUring,
        b"secretmem" => HandleKind::MemfdSecret,
        b"fscontext" => HandleKind::FsContext,
        b"landlock-ruleset" => HandleKind::Landlock,
        b"seccomp notify" => HandleKind::Seccomp,
        b"btf" => HandleKind::Bpf,
        _ if bare.starts_with(b"bpf") => HandleKind::Bpf,
        _ => HandleKind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_every_kind() {
        for (target, kind) in [
            ("socket:[123]", HandleKind::Socket),
            ("pipe:[4]", HandleKind::Pipe),
            ("anon_inode:[eventfd]", HandleKind::Eventfd),
            ("anon_inode:inotify", HandleKind::Inotify),
            ("anon_inode:[pidfd]", HandleKind::Pidfd),
            ("pidfd:[7123]", HandleKind::Pidfd),
            ("anon_inode:bpf-map", HandleKind::Bpf),
            ("anon_inode:bpf_link", HandleKind::Bpf),
            ("anon_inode:seccomp notify", HandleKind::Seccomp),
            ("anon_inode:kvm-vm", HandleKind::Unknown),
            ("/memfd:cache (deleted)", HandleKind::Memfd),
            ("/memfd:cache", HandleKind::Opened),
            ("/tmp/memfd:x (deleted)", HandleKind::Opened),
            ("/tmp/socket:[1]", HandleKind::Opened),
            ("/secretmem (deleted)", HandleKind::MemfdSecret),
            ("mnt:[4026531841]", HandleKind::Opened),
            ("", HandleKind::Unknown),
            ("anon_inode:", HandleKind::Unknown),
            ("(unreachable)/x", HandleKind::Unknown),
        ] {
            assert_eq!(of_link(target.as_bytes()), kind, "{target}");
        }
    }
}
