//! A model of processes, threads, tables and files, whose calls overlap as the kernel's do: a
//! call enters, takes effect and returns at different times, and only its return is told.
//!
//! Numbers and addresses are used again at once, the last freed first.

use std::{collections::BTreeMap, num::NonZeroU64};

use crate::event::{
    Event, HandleEvent, TableRead, ThreadEvent, What,
    handle::{HandleChange, HandleKind, Replaces},
    id::{BootTime, CallNumber, Fd, FileAddress, FilesAddress, Tgid, Tid},
    table::TableWhy,
    text::Comm,
    thread::CloneFlags,
};

/// What a run of the model leaves out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// Whether the kernel tells addresses of files.
    pub(super) addresses: bool,
    /// Whether closes tell their entry and their references.
    pub(super) entries: bool,
    /// Whether calls overlap at all.
    pub(super) overlap: bool,
}

pub(super) struct File {
    pub(super) address: u64,
    pub(super) refs: u32,
}

pub(super) struct Table {
    pub(super) address: u64,
    pub(super) open: BTreeMap<u32, (usize, bool)>,
    reserved: Vec<u32>,
    pub(super) users: u32,
}

pub(super) struct Task {
    pub(super) tid: u32,
    pub(super) tgid: u32,
    pub(super) start: u64,
    pub(super) table: usize,
    call: Option<Call>,
    killed: bool,
    /// Exited; its last switch is still to be told.
    zombie: bool,
    pub(super) gone: bool,
}

#[derive(Clone)]
enum Call {
    Open {
        fd: Option<u32>,
        file: usize,
        cloexec: bool,
    },
    Dup {
        from: u32,
        got: Option<(u32, usize)>,
    },
    Onto {
        from: u32,
        to: u32,
        entry: u64,
        got: Option<usize>,
    },
    Close {
        fd: u32,
        entry: u64,
        refs: u32,
        freed: Option<Option<usize>>,
    },
    Range {
        first: u32,
        last: u32,
        entry: u64,
        done: bool,
    },
    Flag {
        fd: u32,
        on: bool,
        done: bool,
    },
    Read {
        file: usize,
    },
    Receive {
        from: (u32, usize),
        got: Option<u32>,
    },
    Clone {
        kind: u8,
        copy: Option<Option<usize>>,
    },
    Unshare {
        begun: bool,
    },
    Exec {
        entered: bool,
    },
    Exit {
        step: u8,
    },
}

pub(super) struct World {
    pub(super) settings: Settings,
    pub(super) clock: u64,
    pub(super) tasks: Vec<Task>,
    pub(super) tables: Vec<Table>,
    pub(super) files: Vec<File>,
    free_files: Vec<u64>,
    free_tables: Vec<u64>,
    next_address: u64,
    /// In the order of arrival.
    pub(super) out: Vec<Event>,
}

/// Kinds of clone: whether a thread, and whether it shares the table.
const CLONES: [(bool, bool); 6] = [
    (true, true),
    (true, true),
    (true, false),
    (false, true),
    (false, false),
    (false, false),
];
const FIRST_TID: u32 = 10;
const MOST_TASKS: usize = 8;

impl World {
    /// One process with one thread and an empty table, known from the start.
    pub(super) fn new(settings: Settings) -> Self {
        let mut world = Self {
            settings,
            clock: 1_000,
            tasks: Vec::new(),
            tables: Vec::new(),
            files: Vec::new(),
            free_files: Vec::new(),
            free_tables: Vec::new(),
            next_address: 0x1000,
            out: Vec::new(),
        };
        let table = world.new_table();
        world.tables[table].users = 1;
        world.add_task(FIRST_TID, FIRST_TID, table);
        let first = &world.tasks[0];
        let event = ThreadEvent::Born {
            parent: Tid(1),
            parent_tgid: Tgid(1),
            child: Tid(FIRST_TID),
            tgid: Tgid(FIRST_TID),
            start: BootTime(first.start),
            flags: CloneFlags(0),
            files: world.files_address(table),
            comm: Comm::default(),
        };
        world.tell(world.clock, What::Thread(event));
        world.tell_table(0, 1, TableWhy::Fork);
        world
    }

    fn add_task(&mut self, tid: u32, tgid: u32, table: usize) {
        self.tasks.push(Task {
            tid,
            tgid,
            start: self.clock,
            table,
            call: None,
            killed: false,
            zombie: false,
            gone: false,
        });
    }

    fn address(&mut self) -> u64 {
        self.next_address += 0x100;
        self.next_address
    }

    fn new_table(&mut self) -> usize {
        let address = self.free_tables.pop().unwrap_or_else(|| self.address());
        self.tables.push(Table {
            address,
            open: BTreeMap::new(),
            reserved: Vec::new(),
            users: 0,
        });
        self.tables.len() - 1
    }

    fn new_file(&mut self) -> usize {
        let address = self.free_files.pop().unwrap_or_else(|| self.address());
        self.files.push(File { address, refs: 1 });
        self.files.len() - 1
    }

    fn put(&mut self, file: usize) {
        self.files[file].refs -= 1;
        if self.files[file].refs == 0 {
            self.free_files.push(self.files[file].address);
        }
    }

    fn leave(&mut self, table: usize) {
        self.tables[table].users -= 1;
        if self.tables[table].users == 0 {
            for (file, _) in std::mem::take(&mut self.tables[table].open).into_values() {
                self.put(file);
            }
            self.free_tables.push(self.tables[table].address);
        }
    }

    fn files_address(&self, table: usize) -> Option<FilesAddress> {
        NonZeroU64::new(self.tables[table].address).map(FilesAddress)
    }

    /// The address behind a number, as a call's exit finds it: another call may have closed the
    /// number meanwhile, and a third may have been given it.
    fn file_address(&self, table: usize, fd: u32) -> Option<FileAddress> {
        let &(file, _) = self.tables[table].open.get(&fd)?;
        let address = self
            .settings
            .addresses
            .then_some(self.files[file].address)?;
        NonZeroU64::new(address).map(FileAddress)
    }

    fn tell(&mut self, at: u64, what: What) {
        self.out.push(Event {
            at: BootTime(at),
            what,
        });
    }

    fn tell_change(&mut self, task: usize, at: u64, change: HandleChange) {
        let event = HandleEvent {
            tid: Tid(self.tasks[task].tid),
            tgid: Tgid(self.tasks[task].tgid),
            call: CallNumber(0),
            change,
        };
        self.tell(at, What::Handle(event));
    }

    fn tell_table(&mut self, owner: usize, by: u32, why: TableWhy) {
        let task = &self.tasks[owner];
        let read = TableRead {
            owner: Tid(task.tid),
            tgid: Tgid(task.tgid),
            by: Tid(by),
            files: self.files_address(task.table),
            why,
            open: self.tables[task.table]
                .open
                .iter()
                .map(|(&fd, &(_, cloexec))| (Fd(fd), cloexec))
                .collect(),
            complete: true,
        };
        self.clock += 1;
        self.tell(self.clock, What::Table(Box::new(read)));
    }

    fn reserve(&mut self, table: usize) -> u32 {
        let table = &mut self.tables[table];
        let fd = (0..)
            .find(|fd| !table.open.contains_key(fd) && !table.reserved.contains(fd))
            .expect("tables are small");
        table.reserved.push(fd);
        fd
    }

    fn install(&mut self, table: usize, fd: u32, file: usize, cloexec: bool) {
        let table = &mut self.tables[table];
        table.reserved.retain(|&reserved| reserved != fd);
        table.open.insert(fd, (file, cloexec));
    }

    /// Tasks that can take a step.
    pub(super) fn movable(&self) -> Vec<usize> {
        (0..self.tasks.len())
            .filter(|&task| !self.tasks[task].gone)
            .collect()
    }

    /// A task goes on with its call, or begins the one that `choice` picks.
    pub(super) fn step(&mut self, task: usize, choice: u16) {
        self.clock += 1;
        if self.tasks[task].call.is_none() {
            self.begin(task, choice);
            if self.settings.overlap {
                return;
            }
            while self.tasks[task].call.is_some() && !self.tasks[task].gone {
                self.clock += 1;
                self.advance(task);
                let exec_waits = matches!(self.tasks[task].call, Some(Call::Exec { .. }));
                if exec_waits {
                    self.finish_others(task);
                }
            }
        } else {
            self.advance(task);
        }
    }

    fn finish_others(&mut self, task: usize) {
        for other in 0..self.tasks.len() {
            while self.tasks[other].killed && !self.tasks[other].gone && other != task {
                self.clock += 1;
                if self.tasks[other].call.is_none() {
                    self.begin(other, 0);
                }
                self.advance(other);
            }
        }
    }

    /// Every call returns; nothing new begins.
    pub(super) fn drain(&mut self) {
        loop {
            let busy: Vec<_> = (0..self.tasks.len())
                .filter(|&task| {
                    let task = &self.tasks[task];
                    !task.gone && (task.call.is_some() || task.killed)
                })
                .collect();
            if busy.is_empty() {
                return;
            }
            for task in busy {
                self.clock += 1;
                if self.tasks[task].call.is_none() {
                    self.begin(task, 0);
                } else {
                    self.advance(task);
                }
            }
        }
    }

    fn begin(&mut self, task: usize, choice: u16) {
        let table = self.tasks[task].table;
        let entry = self.clock;
        if self.tasks[task].killed {
            self.tasks[task].call = Some(Call::Exit { step: 0 });
            return;
        }
        let fd = u32::from(choice >> 8) % 6;
        let other = u32::from(choice >> 11) % 6;
        let open = self.tables[table].open.get(&fd).copied();
        let live = self.tasks.iter().filter(|task| !task.gone).count();
        let call = match choice % 24 {
            0..=5 => Call::Open {
                fd: None,
                file: usize::MAX,
                cloexec: choice & 0x400 != 0,
            },
            6 => Call::Dup {
                from: fd,
                got: None,
            },
            7 | 8 => Call::Onto {
                from: fd,
                to: other,
                entry,
                got: None,
            },
            9..=13 => Call::Close {
                fd,
                entry,
                refs: open.map_or(0, |(file, _)| self.files[file].refs),
                freed: None,
            },
            14 => Call::Range {
                first: fd,
                last: fd + 1,
                entry,
                done: false,
            },
            15 => Call::Flag {
                fd,
                on: choice & 0x400 != 0,
                done: false,
            },
            16 => match open {
                Some((file, _)) => {
                    self.files[file].refs += 1;
                    Call::Read { file }
                }
                None => return,
            },
            17 => match self.someone_elses(table, choice) {
                Some(from) => Call::Receive { from, got: None },
                None => return,
            },
            18..=20 if live < MOST_TASKS => Call::Clone {
                kind: choice.to_be_bytes()[0] % 6,
                copy: None,
            },
            21 if choice & 0x300 == 0 => Call::Exec { entered: false },
            22 => Call::Unshare { begun: false },
            23 if live > 1 => Call::Exit { step: 0 },
            _ => return,
        };
        self.tasks[task].call = Some(call);
    }

    /// A file that another table holds, to be received; its holder sends it first.
    fn someone_elses(&mut self, table: usize, choice: u16) -> Option<(u32, usize)> {
        let sender = (0..self.tasks.len()).find(|&task| {
            let task = &self.tasks[task];
            !task.gone && !task.killed && task.call.is_none() && task.table != table
        })?;
        let open = &self.tables[self.tasks[sender].table].open;
        let nth = usize::from(choice >> 9).checked_rem(open.len())?;
        let (&fd, &(file, _)) = open.iter().nth(nth)?;
        self.files[file].refs += 1;
        self.tell_change(sender, self.clock, HandleChange::Shared { fd: Fd(fd) });
        self.clock += 1;
        Some((fd, file))
    }

    fn advance(&mut self, task: usize) {
        let Some(call) = self.tasks[task].call.take() else {
            return;
        };
        self.tasks[task].call = self.go_on(task, call);
    }

    /// One step of a call; `None` = it has returned.
    fn go_on(&mut self, task: usize, call: Call) -> Option<Call> {
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

    fn copy_table(&mut self, table: usize) -> usize {
        let copy = self.new_table();
        self.tables[copy].users = 1;
        self.tables[copy].open = self.tables[table].open.clone();
        for (file, _) in self.tables[copy].open.clone().into_values() {
            self.files[file].refs += 1;
        }
        copy
    }

    fn unshare(&mut self, task: usize) {
        let table = self.tasks[task].table;
        self.tasks[task].table = self.copy_table(table);
        self.leave(table);
    }

    fn clone(&mut self, task: usize, kind: u8, copy: Option<usize>) {
        let (thread, _) = CLONES[usize::from(kind)];
        let parent_tgid = self.tasks[task].tgid;
        let tid = (FIRST_TID..)
            .find(|&tid| {
                let used = |task: &Task| !task.zombie && (task.tgid == tid || task.tid == tid);
                !self.tasks.iter().any(|task| !task.gone && used(task))
            })
            .expect("tasks are few");
        let tgid = if thread { parent_tgid } else { tid };
        let by = self.tasks[task].tid;
        let table = self.tasks[task].table;
        let killed = self.tasks[task].killed;
        self.add_task(tid, tgid, copy.unwrap_or(table));
        let child = self.tasks.len() - 1;
        self.tasks[child].killed = killed && thread;
        if copy.is_none() {
            self.tables[table].users += 1;
        }
        let shares = copy.is_none();
        let flags = u64::from(thread) * 0x1_0100 + u64::from(shares) * 0x400;
        let event = ThreadEvent::Born {
            parent: Tid(by),
            parent_tgid: Tgid(parent_tgid),
            child: Tid(tid),
            tgid: Tgid(tgid),
            start: BootTime(self.clock),
            flags: CloneFlags(flags),
            files: self.files_address(self.tasks[child].table),
            comm: Comm::default(),
        };
        self.tell(self.clock, What::Thread(event));
        if !shares {
            self.tell_table(child, by, TableWhy::Fork);
        }
    }

    fn exec(&mut self, task: usize, entered: bool) -> Option<Call> {
        let tgid = self.tasks[task].tgid;
        if self.tasks[task].killed {
            return None;
        }
        if !entered {
            for other in &mut self.tasks {
                other.killed |= other.tgid == tgid && !other.gone;
            }
            self.tasks[task].killed = false;
            return Some(Call::Exec { entered: true });
        }
        let is_sibling = |other: &Task| other.tgid == tgid && !other.gone && !other.zombie;
        if self.tasks.iter().filter(|other| is_sibling(other)).count() > 1 {
            return Some(Call::Exec { entered: true });
        }
        let leader = self
            .tasks
            .iter()
            .rposition(|other| other.tid == tgid && other.tgid == tgid);
        let start = leader.map_or(self.tasks[task].start, |leader| self.tasks[leader].start);
        let old_tid = self.tasks[task].tid;
        self.tasks[task].tid = tgid;
        self.tasks[task].start = start;
        if self.tables[self.tasks[task].table].users > 1 {
            self.unshare(task);
        }
        let table = self.tasks[task].table;
        let closing: Vec<u32> = self.tables[table]
            .open
            .iter()
            .filter(|(_, (_, cloexec))| *cloexec)
            .map(|(&fd, _)| fd)
            .collect();
        for fd in closing {
            if let Some((file, _)) = self.tables[table].open.remove(&fd) {
                self.put(file);
            }
        }
        let event = ThreadEvent::Exec {
            tgid: Tgid(tgid),
            old_tid: Tid(old_tid),
            start: BootTime(start),
            files: self.files_address(table),
            comm: Comm::default(),
        };
        self.tell(self.clock, What::Thread(event));
        self.tell_table(task, tgid, TableWhy::Exec);
        None
    }

    fn exit(&mut self, task: usize, step: u8) -> Option<Call> {
        let (tid, tgid) = (Tid(self.tasks[task].tid), Tgid(self.tasks[task].tgid));
        let start = BootTime(self.tasks[task].start);
        match step {
            0 => {
                let event = ThreadEvent::Exiting { tid, tgid, start };
                self.tell(self.clock, What::Thread(event));
            }
            1 => self.leave(self.tasks[task].table),
            2 => self.tasks[task].zombie = true,
            _ => {
                let event = ThreadEvent::Gone { tid, tgid, start };
                self.tell(self.clock, What::Thread(event));
                self.tasks[task].gone = true;
                return None;
            }
        }
        Some(Call::Exit { step: step + 1 })
    }
}
