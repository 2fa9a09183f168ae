//! Clones, unshares, execs and exits.

use super::{CLONES, Call, FIRST_TID, Task, World};
use crate::event::{
    ThreadEvent, What,
    id::{BootTime, Tgid, Tid},
    table::TableWhy,
    text::Comm,
    thread::CloneFlags,
};

impl World {
    pub(super) fn copy_table(&mut self, table: usize) -> usize {
        let copy = self.new_table();
        self.tables[copy].users = 1;
        self.tables[copy].open = self.tables[table].open.clone();
        for (file, _) in self.tables[copy].open.clone().into_values() {
            self.files[file].refs += 1;
        }
        copy
    }

    pub(super) fn unshare(&mut self, task: usize) {
        let table = self.tasks[task].table;
        self.tasks[task].table = self.copy_table(table);
        self.leave(table);
    }

    pub(super) fn clone(&mut self, task: usize, kind: u8, copy: Option<usize>) {
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

    pub(super) fn exec(&mut self, task: usize, entered: bool) -> Option<Call> {
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

    pub(super) fn exit(&mut self, task: usize, step: u8) -> Option<Call> {
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
