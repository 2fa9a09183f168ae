//! Ancillary data: descriptors that came with a message, or went with one.

use inspector_ebpf::abi::call::{CONTROL_BYTES, PassedRecord};

use crate::event::{
    BootTime, HandleEvent, What,
    handle::{HandleChange, HandleKind, Unsettled},
    id::{CallNumber, Fd, Tgid, Tid},
};

const SENDMSG: u32 = 46;
const SENDMMSG: u32 = 307;
const MSG_CMSG_CLOEXEC: u64 = 0x4000_0000;
const SOL_SOCKET: u32 = 1;
const SCM_RIGHTS: u32 = 1;
/// A pidfd of the sender, made for the receiver (Linux 6.5, upstream 5e2ff6704a27); it closes on
/// exec whatever the call's flags say, as every pidfd does.
const SCM_PIDFD: u32 = 4;
/// `struct cmsghdr`: u64 length (itself included), i32 level, i32 type.
const HEADER_BYTES: usize = 16;

/// Passes on what one control buffer did to the caller's table.
pub(super) fn decode(record: &PassedRecord, push: &mut impl FnMut(BootTime, What)) {
    let sent = matches!(record.nr, SENDMSG | SENDMMSG);
    let copied = usize::try_from(record.copied)
        .unwrap_or(usize::MAX)
        .min(CONTROL_BYTES);
    let cloexec = record.call_flags & MSG_CMSG_CLOEXEC != 0;
    let mut change = |change: HandleChange| {
        push(
            BootTime(record.header.time_ns),
            What::Handle(HandleEvent {
                tid: Tid(record.header.tid),
                tgid: Tgid(record.header.tgid),
                call: CallNumber(u16::try_from(record.nr).unwrap_or(u16::MAX)),
                change,
            }),
        );
    };
    for (kind, data) in messages(&record.control[..copied]) {
        for number in data.as_chunks::<4>().0 {
            let fd = Fd(u32::from_ne_bytes(*number));
            match kind {
                SCM_RIGHTS if sent => change(HandleChange::Shared { fd }),
                SCM_RIGHTS => change(HandleChange::Received {
                    fd,
                    cloexec,
                    file: None,
                }),
                SCM_PIDFD if !sent && fd.0 <= i32::MAX.unsigned_abs() => {
                    change(HandleChange::Born {
                        fd,
                        kind: HandleKind::Pidfd,
                        cloexec: true,
                        file: None,
                    });
                }
                _ => {}
            }
        }
    }
    if !sent && (copied as u64) < record.control_len {
        change(HandleChange::Unsettled {
            why: Unsettled::Ancillary,
        });
    }
}

/// The socket-level messages of a control buffer: type and data. A length that can't be ends it.
fn messages(mut buffer: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    std::iter::from_fn(move || {
        loop {
            let (header, _) = buffer.split_first_chunk::<HEADER_BYTES>()?;
            let (len, rest) = header.split_first_chunk::<8>()?;
            let (level, kind) = rest.split_first_chunk::<4>()?;
            let kind = u32::from_ne_bytes(*kind.first_chunk::<4>()?);
            let len = usize::try_from(u64::from_ne_bytes(*len)).ok()?;
            let data = buffer.get(HEADER_BYTES..len)?;
            let next = len.checked_next_multiple_of(8)?.min(buffer.len());
            buffer = &buffer[next..];
            if u32::from_ne_bytes(*level) == SOL_SOCKET {
                return Some((kind, data));
            }
        }
    })
}
