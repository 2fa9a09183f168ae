//! The names by which files are opened: what is gone before anybody can look it up was somebody too.

use aya_ebpf::helpers::bpf_probe_read_user_str_bytes;
use inspector_ebpf::abi::{
    name::{NAME_BYTES, NameRecord},
    record::kind,
};

use crate::{
    emit::{reserve, submit},
    settings::setting,
    target::Current,
};

const OPEN: u16 = 2;
const CREAT: u16 = 85;
const OPENAT: u16 = 257;
const OPENAT2: u16 = 437;

/// Sends the name that a call of open's family was given, if it made a descriptor.
#[inline(always)]
pub(super) fn send(nr: u16, ret: i64, args: [u64; 4], current: Current) {
    if setting!(names) == 0 || ret < 0 {
        return;
    }
    let address = match nr {
        OPEN | CREAT => args[0],
        OPENAT | OPENAT2 => args[1],
        _ => return,
    };
    let Some((mut entry, header)) = reserve::<NameRecord>(kind::NAME, current) else {
        return;
    };
    let record = entry.as_mut_ptr();
    // SAFETY: the entry is this record's room in the ring, ours until it is submitted; every byte
    // of it is written. The helper checks the address itself, and ends what it copies with a NUL.
    unsafe {
        (*record).header = header;
        (*record).fd = ret as u32;
        (*record).nr = nr.into();
        (*record).pad = 0;
        (*record).name = [0; NAME_BYTES];
        let copied = bpf_probe_read_user_str_bytes(address as *const u8, &mut (*record).name);
        (*record).len = copied.map_or(0, <[u8]>::len) as u32;
    }
    submit(entry);
}
