//! Ring records → events: pure, total, bounds-checked.

mod address;
mod call;
mod control;
mod table;

use inspector_ebpf::abi::{
    call::{CallRecord, PassedRecord},
    mark::{self, MarkRecord},
    name::{NAME_BYTES, NameRecord},
    record::{Header, kind},
    table::{TableRecord, UnsettledRecord, unsettled},
    thread::{BornRecord, ExecRecord, ExitRecord, RenamedRecord},
    wait::{self as abi_wait, WaitRecord},
};
use zerocopy::FromBytes;

use crate::event::{
    BootTime, Event, HandleEvent, Mark, ThreadEvent, WaitEvent, What,
    handle::{HandleChange, Named, Unsettled},
    id::{CallNumber, Fd, FilesAddress, Tgid, Tid},
    mark::{Declared, Key, MapId, Owned},
    text::{Comm, Text},
    thread::CloneFlags,
    wait::{Blocked, Waker, Waking},
};

/// A record that is not what it claims to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged;

/// Turns records into events. It keeps the pieces of tables that have not come whole yet.
#[derive(Debug, Default)]
pub struct Decoder {
    tables: table::Pieces,
}

impl Decoder {
    /// The header of a record, if there is a whole one.
    pub fn header(bytes: &[u8]) -> Option<Header> {
        Header::read_from_prefix(bytes)
            .ok()
            .map(|(header, _)| header)
    }

    /// Appends the events of one record to `out`.
    ///
    /// # Errors
    /// Where the record is shorter than its kind, or of no kind.
    pub fn decode(&mut self, bytes: &[u8], out: &mut Vec<Event>) -> Result<(), Damaged> {
        let header = Self::header(bytes).ok_or(Damaged)?;
        let mut push = |at: BootTime, what: What| out.push(Event { at, what });
        let at = BootTime(header.time_ns);
        match header.kind {
            kind::CALL => call::decode(&record::<CallRecord>(bytes)?, &mut push),
            kind::PASSED => control::decode(&record::<PassedRecord>(bytes)?, &mut push),
            kind::BORN => push(at, What::Thread(born(&record(bytes)?))),
            kind::RENAMED => push(at, What::Thread(renamed(&record(bytes)?))),
            kind::EXEC => push(at, What::Thread(exec(&record(bytes)?))),
            kind::EXITING => {
                let record: ExitRecord = record(bytes)?;
                let (tid, tgid, start) = exit(&record);
                push(at, What::Thread(ThreadEvent::Exiting { tid, tgid, start }));
            }
            kind::GONE => {
                let record: ExitRecord = record(bytes)?;
                let (tid, tgid, start) = exit(&record);
                push(at, What::Thread(ThreadEvent::Gone { tid, tgid, start }));
            }
            kind::TABLE => {
                if let Some(table) = self.tables.add(&record::<TableRecord>(bytes)?) {
                    push(at, What::Table(Box::new(table)));
                }
            }
            kind::WAIT => push(at, What::Wait(Box::new(ended(&record(bytes)?)))),
            kind::MARK => {
                let mark = declared(&record(bytes)?)?;
                push(at, What::Mark(Box::new(mark)));
            }
            kind::NAME => {
                if let Some(named) = named(&record(bytes)?) {
                    push(at, What::Named(Box::new(named)));
                }
            }
            kind::UNSETTLED => {
                push(at, What::Handle(unsettled_table(&record(bytes)?)));
            }
            _ => return Err(Damaged),
        }
        Ok(())
    }
}

fn record<T: FromBytes>(bytes: &[u8]) -> Result<T, Damaged> {
    T::read_from_prefix(bytes)
        .map(|(record, _)| record)
        .map_err(|_| Damaged)
}

fn by(header: &Header) -> (Tid, Tgid) {
    (Tid(header.tid), Tgid(header.tgid))
}

fn files(address: u64) -> Option<FilesAddress> {
    address::hidden(address).map(FilesAddress)
}

fn born(record: &BornRecord) -> ThreadEvent {
    let (parent, parent_tgid) = by(&record.header);
    ThreadEvent::Born {
        parent,
        parent_tgid,
        child: Tid(record.child_tid),
        tgid: Tgid(record.child_tgid),
        start: BootTime(record.start_ns),
        flags: CloneFlags(record.clone_flags),
        files: files(record.files),
        comm: Comm::new(record.comm),
    }
}

fn renamed(record: &RenamedRecord) -> ThreadEvent {
    ThreadEvent::Renamed {
        tid: Tid(record.tid),
        tgid: Tgid(record.header.tgid),
        comm: Comm::new(record.comm),
    }
}

fn exec(record: &ExecRecord) -> ThreadEvent {
    ThreadEvent::Exec {
        tgid: Tgid(record.header.tgid),
        old_tid: Tid(record.old_tid),
        start: BootTime(record.start_ns),
        files: files(record.files),
        comm: Comm::new(record.comm),
    }
}

fn exit(record: &ExitRecord) -> (Tid, Tgid, BootTime) {
    let (tid, tgid) = by(&record.header);
    (tid, tgid, BootTime(record.start_ns))
}

fn unsettled_table(record: &UnsettledRecord) -> HandleEvent {
    let (tid, tgid) = by(&record.header);
    let why = match record.why {
        unsettled::COMPAT => Unsettled::CompatCall,
        unsettled::X32 => Unsettled::X32Call,
        _ => Unsettled::Ancillary,
    };
    let call = CallNumber(u16::try_from(record.nr & 0xffff).unwrap_or(u16::MAX));
    HandleEvent {
        tid,
        tgid,
        call,
        change: HandleChange::Unsettled { why },
    }
}

/// `None` = it could not be read.
fn named(record: &NameRecord) -> Option<Named> {
    let (tid, tgid) = by(&record.header);
    let len = usize::try_from(record.len).ok()?.min(NAME_BYTES - 1);
    let name = record.name.get(..len).filter(|name| !name.is_empty())?;
    Some(Named {
        tid,
        tgid,
        call: CallNumber(u16::try_from(record.nr).unwrap_or(u16::MAX)),
        fd: Fd(record.fd),
        name: Text::from(name),
        is_cut: len == NAME_BYTES - 1,
    })
}

fn ended(record: &WaitRecord) -> WaitEvent {
    let (tid, tgid) = by(&record.header);
    WaitEvent::Ended {
        tid,
        tgid,
        wait: blocked(&record.blocked),
        waker: waker(&record.waker),
    }
}

/// A wait as the kernel side keeps it.
pub fn blocked(blocked: &abi_wait::Blocked) -> Blocked {
    Blocked {
        since: (blocked.since_ns > abi_wait::BEFORE_ATTACH).then_some(BootTime(blocked.since_ns)),
        call: u16::try_from(blocked.nr).ok(),
        args: blocked.args,
    }
}

/// A wake-up as the kernel side keeps it.
pub fn waker(waker: &abi_wait::Waker) -> Option<Waker> {
    let how = waking(waker.kind, waker.tid)?;
    Some(Waker {
        at: BootTime(waker.time_ns),
        how,
    })
}

/// How a wake-up came about, by the kernel side's code.
pub fn waking(kind: u32, tid: u32) -> Option<Waking> {
    match kind {
        abi_wait::waker::TASK => Some(Waking::Thread(Tid(tid))),
        abi_wait::waker::INTERRUPT => Some(Waking::Interrupt),
        _ => None,
    }
}

fn declared(record: &MarkRecord) -> Result<Mark, Damaged> {
    let (tid, tgid) = by(&record.header);
    let copied = usize::from(record.key_copied).min(mark::KEY_BYTES);
    let span = (record.span != 0).then_some(record.span);
    let what = match record.mark {
        mark::code::STORE_BEGIN => Declared::StoreBegin { span },
        mark::code::STORE_END => Declared::StoreEnd { span },
        mark::code::OWN => Declared::Own(owned(record)),
        mark::code::DELETE_BEGIN => Declared::DeleteBegin {
            policy: policy(record),
        },
        mark::code::DELETE_UNLINK => Declared::DeleteUnlink,
        mark::code::DELETE_END => Declared::DeleteEnd,
        _ => return Err(Damaged),
    };
    let key = Key {
        text: Text::from(&record.key[..copied]),
        len: record.key_len,
    };
    Ok(Mark {
        tid,
        tgid,
        map: MapId(record.map),
        key,
        what,
    })
}

/// The low 32 bits: descriptors and tids are ints, whatever the register held above them.
fn owned(record: &MarkRecord) -> Owned {
    let number = u32::try_from(record.number & 0xffff_ffff).unwrap_or(u32::MAX);
    if record.flags & mark::flags::TID != 0 {
        Owned::Thread(Tid(number))
    } else {
        Owned::Handle(Fd(number))
    }
}

fn policy(record: &MarkRecord) -> Option<Text> {
    let copied = usize::from(record.policy_copied).min(mark::POLICY_BYTES);
    (copied > 0).then(|| Text::from(&record.policy[..copied]))
}

#[cfg(test)]
mod tests;
