//! What each step of a call does, and what its return tells.

use super::{CLONES, Call, World};
use crate::event::{
    handle::{HandleChange, HandleKind, Replaces},
    id::{BootTime, Fd},
    table::TableWhy,
};

impl World {
    pub(super) fn advance(&mut self, task: usize) {
        let Some(call) = self.tasks[task].call.take() else {
            return;
        };
        self.tasks[task].call = self.go_on(task, call);
    }

    /// One step of a call; `None` = it has returned.
    pub(super) fn go_on(&mut self, task: usize, call: Call) -> Option<Call> {
        let (table, now) = (self.tasks[task].table, self.clock);
        match call {
            Call::Open {
                fd: None, cloexec, ..
            } => {
                let fd = Some(self.reserve(table));
                Some(Call::Open {
                    fd,
                    file: usize::MAX,
                    cloexec,
                })
            }
            Call::Open {
                fd: Some(fd),
                file: usize::MAX,
                cloexec,
            } => {
                let file = self.new_file();
                self.install(table, fd, file, cloexec);
                Some(Call::Open {
                    fd: Some(fd),
                    file,
                    cloexec,
                })
            }
            Call::Open {
                fd: Some(fd),
                cloexec,
                ..
            } => {
                let change = HandleChange::Born {
                    fd: Fd(fd),
                    kind: HandleKind::Timerfd,
                    cloexec,
                    file: self.file_address(table, fd),
                };
                self.tell_change(task, now, change);
                None
            }
            Call::Dup { from, got: None } => {
                let &(file, _) = self.tables[table].open.get(&from)?;
                self.files[file].refs += 1;
                let to = self.reserve(table);
                self.install(table, to, file, false);
                Some(Call::Dup {
                    from,
                    got: Some((to, file)),
                })
            }
            Call::Dup {
                from,
                got: Some((to, _)),
            } => {
                let change = HandleChange::Duplicated {
                    from: Fd(from),
                    to: Fd(to),
                    cloexec: false,
                    replaces: None,
                    file: self.file_address(table, to),
                };
                self.tell_change(task, now, change);
                None
            }
            Call::Onto {
                from,
                to,
                entry,
                got: None,
            } => {
                let &(file, _) = self.tables[table].open.get(&from)?;
                if from == to || self.tables[table].reserved.contains(&to) {
                    return None;
                }
                self.files[file].refs += 1;
                if let Some((old, _)) = self.tables[table].open.insert(to, (file, false)) {
                    self.put(old);
                }
                Some(Call::Onto {
                    from,
                    to,
                    entry,
                    got: Some(file),
                })
            }
            Call::Onto {
                from,
                to,
                entry,
                got: Some(_),
            } => {
                let entry = self.settings.entries.then_some(BootTime(entry));
                let change = HandleChange::Duplicated {
                    from: Fd(from),
                    to: Fd(to),
                    cloexec: false,
                    replaces: Some(Replaces { entry }),
                    file: self.file_address(table, to),
                };
                self.tell_change(task, now, change);
                None
            }
            Call::Close {
                fd,
                entry,
                refs,
                freed: None,
            } => {
                let freed = self.tables[table].open.remove(&fd).map(|(file, _)| file);
                Some(Call::Close {
                    fd,
                    entry,
                    refs,
                    freed: Some(freed),
                })
            }
            Call::Close {
                fd,
                entry,
                refs,
                freed: Some(Some(file)),
            } => {
                self.put(file);
                let entry_seen = self.settings.entries;
                let change = HandleChange::Closed {
                    fd: Fd(fd),
                    entry_seen,
                    returned: BootTime(now),
                    references: (entry_seen && refs > 0).then_some(refs),
                };
                self.tell_change(task, if entry_seen { entry } else { now }, change);
                None
            }
            Call::Close {
                fd,
                freed: Some(None),
                ..
            } => {
                self.tell_change(task, now, HandleChange::CloseRefused { fd: Fd(fd) });
                None
            }
            Call::Range {
                first,
                last,
                entry,
                done: false,
            } => {
                for fd in first..=last {
                    if let Some((file, _)) = self.tables[table].open.remove(&fd) {
                        self.put(file);
                    }
                }
                Some(Call::Range {
                    first,
                    last,
                    entry,
                    done: true,
                })
            }
            Call::Range {
                first,
                last,
                entry,
                done: true,
            } => {
                let entry_seen = self.settings.entries;
                let change = HandleChange::RangeClosed {
                    first: Fd(first),
                    last: Fd(last),
                    entry_seen,
                    returned: BootTime(now),
                };
                self.tell_change(task, if entry_seen { entry } else { now }, change);
                None
            }
            Call::Flag {
                fd,
                on,
                done: false,
            } => {
                self.tables[table].open.get_mut(&fd)?.1 = on;
                Some(Call::Flag { fd, on, done: true })
            }
            Call::Flag { fd, on, done: true } => {
                let (first, last) = (Fd(fd), Fd(fd));
                self.tell_change(task, now, HandleChange::CloexecSet { first, last, on });
                None
            }
            Call::Read { file } => {
                self.put(file);
                None
            }
            Call::Receive { from, got: None } => {
                let fd = self.reserve(table);
                self.install(table, fd, from.1, false);
                Some(Call::Receive {
                    from,
                    got: Some(fd),
                })
            }
            Call::Receive { got: Some(fd), .. } => {
                let change = HandleChange::Received {
                    fd: Fd(fd),
                    cloexec: false,
                    file: self.file_address(table, fd),
                };
                self.tell_change(task, now, change);
                None
            }
            Call::Clone { kind, copy: None } => {
                let copy = (!CLONES[usize::from(kind)].1).then(|| self.copy_table(table));
                Some(Call::Clone {
                    kind,
                    copy: Some(copy),
                })
            }
            Call::Clone {
                kind,
                copy: Some(copy),
            } => {
                self.clone(task, kind, copy);
                None
            }
            Call::Unshare { begun: false } => {
                if self.tables[table].users > 1 {
                    self.unshare(task);
                    self.tell_table(task, self.tasks[task].tid, TableWhy::Unshare);
                }
                None
            }
            Call::Unshare { begun: true } => None,
            Call::Exec { entered } => self.exec(task, entered),
            Call::Exit { step } => self.exit(task, step),
        }
    }
}
