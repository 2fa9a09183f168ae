//! Sockets by their inode, from a process's `net` tables: those of its network namespace.
//!
//! A table is read from its start, and only the sockets asked for are kept: a machine with a
//! hundred thousand of them takes a tenth of a second, so a reading ends when its time is over
//! and what it has not found by then is not known. A socket that is neither bound nor connected
//! stands in no table, unless it is a unix socket.
//!
//! The formats are those of proc_pid_net(5). Paths are the other process's: one with a line's
//! end in it can look like another socket's line, so an inode that stands there twice is nobody's.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    time::Instant,
};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::event::{
    id::Tgid,
    target::{InetSocket, SocketState, TargetDetail, Transport, UnixFlow, UnixSocket, UnixState},
    text::Text,
};

/// The inode in a socket's link: `socket:[4711]`.
pub fn inode(link: &[u8]) -> Option<u64> {
    let number = link.strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
    str::from_utf8(number).ok()?.parse().ok()
}

/// Finds sockets of a process until `deadline`.
pub fn find(
    proc_root: &Path,
    tgid: Tgid,
    wanted: &FxHashSet<u64>,
    deadline: Instant,
) -> FxHashMap<u64, TargetDetail> {
    let folder = proc_root.join(tgid.0.to_string()).join("net");
    let mut found = FxHashMap::default();
    let mut twice = FxHashSet::default();
    for (name, parse) in [
        ("unix", unix as fn(&[u8]) -> Option<(u64, TargetDetail)>),
        ("tcp", |line| inet(line, Transport::Tcp)),
        ("tcp6", |line| inet(line, Transport::Tcp)),
        ("udp", |line| inet(line, Transport::Udp)),
        ("udp6", |line| inet(line, Transport::Udp)),
    ] {
        // A kernel may lack one, a sandbox hide all.
        let Ok(file) = File::open(folder.join(name)) else {
            continue;
        };
        let mut lines = BufReader::with_capacity(64 * 1024, file);
        let mut line = Vec::new();
        loop {
            line.clear();
            if Instant::now() >= deadline || !matches!(lines.read_until(b'\n', &mut line), Ok(1..))
            {
                break;
            }
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            if let Some((inode, detail)) = parse(text)
                && wanted.contains(&inode)
                && found.insert(inode, detail).is_some()
            {
                twice.insert(inode);
            }
        }
    }
    found.retain(|inode, _| !twice.contains(inode));
    found
}

/// A line of `unix`: `Num RefCount Protocol Flags Type St Inode Path`.
fn unix(line: &[u8]) -> Option<(u64, TargetDetail)> {
    let (fields, path) = fields::<7>(line)?;
    let [_, _, _, flags, flow, state, inode] = fields;
    /// `__SO_ACCEPTCON` of `include/uapi/linux/net.h`.
    const LISTENS: u32 = 0x1_0000;
    let flags = u32::from_str_radix(flags, 16).ok()?;
    let socket = UnixSocket {
        flow: match flow {
            "0001" => UnixFlow::Stream,
            "0002" => UnixFlow::Datagram,
            "0005" => UnixFlow::Packets,
            _ => return None,
        },
        path: (!path.is_empty()).then(|| Text::from(path)),
        state: match state {
            _ if flags & LISTENS != 0 => UnixState::Listening,
            // `SS_CONNECTED`
            "03" => UnixState::Connected,
            _ => UnixState::Unconnected,
        },
    };
    Some((inode.parse().ok()?, TargetDetail::Unix(socket)))
}

/// A line of `tcp`, `udp` and their like.
fn inet(line: &[u8], transport: Transport) -> Option<(u64, TargetDetail)> {
    let (fields, _) = fields::<10>(line)?;
    let [_, local, peer, state, _, _, _, _, _, inode] = fields;
    let peer = address(peer)?;
    let socket = InetSocket {
        transport,
        local: address(local)?,
        peer: (peer.port() != 0).then_some(peer),
        state: SocketState(u8::from_str_radix(state, 16).ok()?),
    };
    Some((inode.parse().ok()?, TargetDetail::Inet(socket)))
}

/// The first fields of a line, and what follows the space behind them. What is asked for holds
/// no byte that a process could choose.
fn fields<const N: usize>(line: &[u8]) -> Option<([&str; N], &[u8])> {
    let mut fields = [""; N];
    let mut rest = line;
    for field in &mut fields {
        rest = rest.trim_ascii_start();
        let end = rest
            .iter()
            .position(|&byte| byte == b' ')
            .unwrap_or(rest.len());
        let (text, more) = rest.split_at(end);
        *field = str::from_utf8(text).ok().filter(|text| !text.is_empty())?;
        rest = more;
    }
    Some((fields, rest.strip_prefix(b" ").unwrap_or(rest)))
}

/// An address as the kernel prints it: words of 32 bits in network order, printed as numbers of
/// this machine, and the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (words, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| {
        let digits = words.get(at * 8..at * 8 + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    let ip = match words.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let mut bytes = [0; 16];
            for at in 0..4 {
                bytes[at * 4..at * 4 + 4].copy_from_slice(&word(at)?);
            }
            IpAddr::V6(Ipv6Addr::from(bytes))
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests;
