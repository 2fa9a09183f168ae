//! A model of processes, threads, tables and files, whose calls overlap as the kernel's do: a
//! call enters, takes effect and returns at different times, and only its return is told.
//!
//! Numbers and addresses are used again at once, the last freed first.

mod begin;
mod calls;
mod tasks;

use std::{collections::BTreeMap, num::NonZeroU64};

use crate::event::{
    Event, HandleEvent, TableRead, ThreadEvent, What,
    handle::HandleChange,
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

#[derive(Clone, Copy)]
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
}
