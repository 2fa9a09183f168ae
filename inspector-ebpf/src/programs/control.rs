//! Ancillary data of messages: descriptors received, and descriptors sent to others.

use aya_ebpf::helpers::generated::bpf_probe_read_user;
use inspector_ebpf::abi::{
    call::{CONTROL_BYTES, PassedRecord},
    record::kind,
    table::{UnsettledRecord, unsettled},
};

use crate::{
    context::read_user,
    emit::{emit, reserve, submit},
    target::Current,
};

/// The start of `struct user_msghdr`.
#[repr(C)]
#[derive(Clone, Copy)]
struct MessageHeader {
    name: u64,
    name_len: u64,
    iov: u64,
    iov_len: u64,
    control: u64,
    control_len: u64,
    flags: u64,
}

/// `struct mmsghdr`: a header and the bytes transferred, padded to 8.
const MMSGHDR_BYTES: u64 = size_of::<MessageHeader>() as u64 + 8;
/// Messages of one recvmmsg or sendmmsg that are looked at; the kernel's limit is 1,024.
const MESSAGES: u64 = 64;

/// recvmsg or sendmsg(fd, message, flags).
#[inline(always)]
pub(crate) fn one(nr: u16, args: [u64; 4], current: Current) {
    send(nr, args[1], args[2], current);
}

/// recvmmsg or sendmmsg(fd, messages, count, flags): `done` of them were transferred.
#[inline(always)]
pub(crate) fn several(nr: u16, args: [u64; 4], done: i64, current: Current) {
    for index in 0..MESSAGES {
        if index >= done as u64 {
            return;
        }
        send(nr, args[1] + index * MMSGHDR_BYTES, args[3], current);
    }
    if done as u64 > MESSAGES {
        emit(kind::UNSETTLED, current, |header| UnsettledRecord {
            header,
            why: unsettled::MANY_MESSAGES,
            nr: nr.into(),
        });
    }
}

/// Sends the control buffer of one message, if there is anything in it. The kernel has written
/// what it filled to `control_len` by now.
#[inline(always)]
fn send(nr: u16, message: u64, call_flags: u64, current: Current) {
    let Some(message) = read_user::<MessageHeader>(message) else {
        return;
    };
    if message.control_len == 0 || message.control == 0 {
        return;
    }
    let Some((mut entry, header)) = reserve::<PassedRecord>(kind::PASSED, current) else {
        return;
    };
    let bytes = if message.control_len > CONTROL_BYTES as u64 {
        CONTROL_BYTES as u32
    } else {
        message.control_len as u32
    };
    let record = entry.as_mut_ptr();
    // SAFETY: the record is reserved for us alone, `bytes` fits its buffer, and the helper checks
    // the source.
    let failed = unsafe {
        bpf_probe_read_user(
            (&raw mut (*record).control).cast(),
            bytes,
            message.control as *const _,
        )
    } != 0;
    // SAFETY: as above; the buffer's first `copied` bytes were just written.
    unsafe {
        (*record).header = header;
        (*record).control_len = message.control_len;
        (*record).call_flags = call_flags;
        (*record).nr = nr.into();
        (*record).copied = if failed { 0 } else { bytes };
    }
    submit(entry);
}
