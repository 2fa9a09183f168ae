//! Which call a thread begins.

use super::{Call, MOST_TASKS, World};
use crate::event::{handle::HandleChange, id::Fd};

impl World {
    pub(super) fn begin(&mut self, task: usize, choice: u16) {
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
    pub(super) fn someone_elses(&mut self, table: usize, choice: u16) -> Option<(u32, usize)> {
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
}
