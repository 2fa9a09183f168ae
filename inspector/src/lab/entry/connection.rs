//! `connection`: both ends of a TCP connection on loopback, and a thread that reads one.
//!
//! The store itself connects and accepts, so both ends are born in its span and belong to the
//! key. (A connection that is accepted elsewhere and stored later is a scenario of its own.)

use std::{
    io,
    net::{TcpListener, TcpStream},
    os::fd::OwnedFd,
};

use rustix::net::{RecvFlags, Shutdown, recv, shutdown};

use super::{Entry, Spec};

pub(super) fn open(spec: &Spec<'_>) -> io::Result<Entry> {
    let listener = spec.shared.listener.as_ref().map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("connections need TCP on 127.0.0.1: {error}"),
        )
    })?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let server = accept(listener, &client)?;
    Entry::start(
        spec,
        "conn",
        vec![OwnedFd::from(server), OwnedFd::from(client)],
        |handles, _| {
            // Fails only where the peer is gone already, and then the reader has returned.
            let _ = shutdown(&handles[0], Shutdown::Both);
        },
        |task| {
            let mut buffer = [0_u8; 512];
            while !task.stopping() {
                match recv(task.handle(0), &mut buffer, RecvFlags::empty()) {
                    Ok((0, _)) | Err(_) => return,
                    Ok(_) => {}
                }
            }
        },
    )
}

/// Accepts until it is our own connection that came: the port is open to every local process.
fn accept(listener: &TcpListener, client: &TcpStream) -> io::Result<TcpStream> {
    let ours = client.local_addr()?;
    loop {
        let (stream, peer) = listener.accept()?;
        if peer == ours {
            return Ok(stream);
        }
    }
}
