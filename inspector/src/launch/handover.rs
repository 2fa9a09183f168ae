//! Hands a waiting command from the user's own, ordinary inspector over to the one that sudo has
//! made root.
//!
//! sudo takes the environment, limits and terminal settings of the user away, and closes every
//! descriptor but the standard three. So the ordinary process starts the command, which waits, and
//! listens on an abstract Unix socket whose name its privileged twin is told. Each side checks with
//! the kernel who the other is (`SO_PEERCRED`): only root gets the command, and root takes one only
//! from the user who called sudo. The pipes travel as descriptors; the command's exit status, which
//! only its parent learns, comes last.

use std::{
    io::{self, IoSlice, IoSliceMut, PipeReader, PipeWriter, Read as _, Write as _},
    mem::MaybeUninit,
    os::{
        fd::{AsFd as _, OwnedFd},
        linux::net::SocketAddrExt as _,
        unix::{
            net::{SocketAddr, UnixListener, UnixStream},
            process::ExitStatusExt as _,
        },
    },
    process::ExitStatus,
    time::{Duration, Instant},
};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg, sockopt::socket_peercred,
};

/// How long root may take to come: a password has to be typed.
const PATIENCE: Duration = Duration::from_secs(120);
/// Time between two looks whether it has come.
const LOOK: Duration = Duration::from_millis(10);

/// Where the ordinary process waits for root.
#[derive(Debug)]
pub struct Offer {
    listener: UnixListener,
    /// The name that root is to be told.
    pub name: String,
}

/// What root has been given.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) pid: u32,
    pub(super) go: PipeWriter,
    pub(super) failed: PipeReader,
    pub(super) status: UnixStream,
}

impl Offer {
    /// Begins to listen. `distinction` makes the name this process's own.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new(distinction: u64) -> io::Result<Self> {
        let name = format!("inspector-{}-{distinction:x}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name)?;
        let listener = UnixListener::bind_addr(&address)?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, name })
    }

    /// Waits for root, as long as `goes_on`; everybody else is turned away.
    pub(super) fn accept(&self, mut goes_on: impl FnMut() -> bool) -> io::Result<UnixStream> {
        let until = Instant::now() + PATIENCE;
        while goes_on() && Instant::now() < until {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    if socket_peercred(&stream)?.uid.is_root() {
                        stream.set_nonblocking(false)?;
                        return Ok(stream);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    std::thread::sleep(LOOK);
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the privileged inspector did not come for it",
        ))
    }
}

/// Gives a waiting process away.
pub(super) fn give(
    stream: &UnixStream,
    pid: u32,
    go: &PipeWriter,
    failed: &PipeReader,
) -> io::Result<()> {
    let descriptors = [go.as_fd(), failed.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&descriptors));
    let data = pid.to_ne_bytes();
    sendmsg(
        stream,
        &[IoSlice::new(&data)],
        &mut control,
        SendFlags::NOSIGNAL,
    )?;
    Ok(())
}

/// Takes what waits under a name, from this user.
pub(super) fn take(name: &str, user: u32) -> io::Result<Given> {
    let stream = UnixStream::connect_addr(&SocketAddr::from_abstract_name(name)?)?;
    if socket_peercred(&stream)?.uid.as_raw() != user {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "it is another user's",
        ));
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut data = [0; 4];
    let flags = RecvFlags::CMSG_CLOEXEC;
    recvmsg(
        &stream,
        &mut [IoSliceMut::new(&mut data)],
        &mut control,
        flags,
    )?;
    let mut descriptors: Vec<OwnedFd> = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = message {
            descriptors.extend(received);
        }
    }
    let mut descriptors = descriptors.into_iter();
    match (descriptors.next(), descriptors.next()) {
        (Some(go), Some(failed)) => Ok(Given {
            pid: u32::from_ne_bytes(data),
            go: go.into(),
            failed: failed.into(),
            status: stream,
        }),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "its pipes did not come along",
        )),
    }
}

/// Tells root how the command ended.
pub(super) fn tell(mut stream: &UnixStream, status: ExitStatus) -> io::Result<()> {
    stream.write_all(&status.into_raw().to_ne_bytes())
}

/// Waits for that.
pub(super) fn told(mut stream: &UnixStream) -> io::Result<ExitStatus> {
    let mut raw = [0; 4];
    stream.read_exact(&mut raw)?;
    Ok(ExitStatus::from_raw(i32::from_ne_bytes(raw)))
}

#[cfg(test)]
mod tests;
