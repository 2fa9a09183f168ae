//! Tables of sockets as kernels print them, and as a process with strange paths makes them.

use std::{fs, time::Duration};

use super::*;

const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     \n   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 101 1 0000000000000000 100 0 0 10 0                     \n   1: 0100007F:1F90 0700000A:01BB 08 00000000:00000000 00:00000000 00000000     0        0 102 1 0000000000000000 20 4 30 10 -1                    \n";
const TCP6: &str = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   0: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 103 1 0000000000000000 100 0 0 10 0\n";
const UNIX: &str = "Num       RefCount Protocol Flags    Type St Inode Path\n0000000000000000: 00000002 00000000 00010000 0001 01   201 /run/a socket\n0000000000000000: 00000003 00000000 00000000 0001 03   202\n0000000000000000: 00000002 00000000 00000000 0002 01   203 @x\x1b\n0000000000000000: 00000002 00000000 00000000 0005 01   204 /x\n0000000000000000: 00000002 00000000 00010000 0001 01   202 /forged\n";

fn found(wanted: &[u64]) -> Vec<(u64, TargetDetail)> {
    let root = tempfile::tempdir().unwrap();
    let net = root.path().join("7/net");
    fs::create_dir_all(&net).unwrap();
    for (name, table) in [("tcp", TCP), ("tcp6", TCP6), ("unix", UNIX)] {
        fs::write(net.join(name), table).unwrap();
    }
    let wanted = wanted.iter().copied().collect();
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut found: Vec<_> = find(root.path(), Tgid(7), &wanted, deadline)
        .into_iter()
        .collect();
    found.sort_by_key(|(inode, _)| *inode);
    found
}

fn tcp(local: &str, peer: Option<&str>, state: u8) -> TargetDetail {
    TargetDetail::Inet(InetSocket {
        transport: Transport::Tcp,
        local: local.parse().unwrap(),
        peer: peer.map(|peer| peer.parse().unwrap()),
        state: SocketState(state),
    })
}

fn unix(flow: UnixFlow, path: &str, state: UnixState) -> TargetDetail {
    TargetDetail::Unix(UnixSocket {
        flow,
        path: Some(Text::from(path.as_bytes())),
        state,
    })
}

#[test]
fn internet_sockets() {
    assert_eq!(
        found(&[101, 102, 103, 999]),
        [
            (101, tcp("127.0.0.1:8080", None, 10)),
            (102, tcp("127.0.0.1:8080", Some("10.0.0.7:443"), 8)),
            (103, tcp("[::1]:80", None, 10)),
        ]
    );
    assert_eq!(SocketState(8).word(), "CLOSE_WAIT");
    assert_eq!(SocketState(200).word(), "UNKNOWN");
}

#[test]
fn unix_sockets_and_a_forged_line() {
    assert_eq!(
        found(&[201, 202, 203, 204]),
        [
            (
                201,
                unix(UnixFlow::Stream, "/run/a socket", UnixState::Listening)
            ),
            (
                203,
                unix(UnixFlow::Datagram, "@x\x1b", UnixState::Unconnected)
            ),
            (204, unix(UnixFlow::Packets, "/x", UnixState::Unconnected)),
        ]
    );
}

#[test]
fn only_what_is_wanted_and_nothing_when_the_time_is_over() {
    assert_eq!(found(&[101]).len(), 1);
    let wanted = [101].into_iter().collect();
    let over = Instant::now();
    assert!(find(Path::new("/proc"), Tgid(std::process::id()), &wanted, over).is_empty());
}

#[test]
fn lines_that_are_none() {
    for line in [
        "",
        "0:",
        "0: 0100007F 0:0 0A a b c d e 1",
        "0: 01:1 0:0 0A a b c d e 1",
    ] {
        assert_eq!(inet(line.as_bytes(), Transport::Udp), None, "{line}");
    }
    assert_eq!(super::unix(b"0: 2 0 zz 0001 01 1 /x"), None);
    assert_eq!(super::unix(b"0: 2 0 0 0009 01 1 /x"), None);
    assert_eq!(inode(b"socket:[12]"), Some(12));
    assert_eq!(inode(b"socket:[x]"), None);
    assert_eq!(inode(b"pipe:[12]"), None);
}
