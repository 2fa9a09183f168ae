//! Who ran within a run, under which name, and how well each was seen.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Judged, Run};
use crate::{
    event::{
        id::{BootTime, Tgid},
        text::{Comm, Text},
    },
    ledger::{
        Ledger,
        arena::Key,
        handle::Descriptor,
        identity::Origin,
        process::{Process, Watch},
        thread::Thread,
    },
    rules::{Rules, Whose},
};

/// A run, as the ledger tells it.
pub(super) struct Scene<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) rules: &'a Rules,
    pub(super) run: &'a Run,
    /// The command's process.
    pub(super) main: Option<Key<Process>>,
    /// Each process's main thread, as long as the ledger remembers it.
    leaders: FxHashMap<Key<Process>, &'a Thread>,
    threads: FxHashMap<Key<Process>, Vec<Key<Thread>>>,
    by_tgid: FxHashMap<Tgid, Vec<Key<Process>>>,
    judged: FxHashSet<Key<Process>>,
    doubts: FxHashMap<Key<Process>, String>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(ledger: &'a Ledger, rules: &'a Rules, run: &'a Run) -> Self {
        let mains = ledger
            .processes()
            .filter(|(_, process)| Some(process.tgid) == run.main)
            .filter(|(_, process)| process.born.earliest <= run.ended);
        let main = mains.max_by_key(|(_, process)| process.born.latest);
        let main = main.map(|(key, _)| key);
        let mut threads: FxHashMap<_, Vec<_>> = FxHashMap::default();
        for (key, thread) in ledger.threads() {
            threads.entry(thread.process).or_default().push(key);
        }
        let mut scene = Self {
            ledger,
            rules,
            run,
            main,
            leaders: ledger.leaders(),
            threads,
            by_tgid: FxHashMap::default(),
            judged: FxHashSet::default(),
            doubts: FxHashMap::default(),
        };
        scene.judged = match rules.processes {
            Whose::Main => main.into_iter().collect(),
            Whose::All => scene.ran().map(|(key, _)| key).collect(),
        };
        let mut by_tgid: FxHashMap<_, Vec<_>> = FxHashMap::default();
        for (key, process) in scene.ran() {
            by_tgid.entry(process.tgid).or_default().push(key);
        }
        scene.by_tgid = by_tgid;
        scene.doubts = scene.find_doubts();
        scene
    }

    pub(super) fn judged_so_far(&self) -> Judged {
        Judged {
            processes: self.judged.len() as u64,
            ran: self.ran().count() as u64,
            ..Judged::default()
        }
    }

    /// The command's process and those born within the run.
    pub(super) fn ran(&self) -> impl Iterator<Item = (Key<Process>, &'a Process)> {
        self.ledger.processes().filter(|&(key, process)| {
            Some(key) == self.main || process.born.latest >= self.run.started
        })
    }

    /// Whether a process's descriptors and threads are judged.
    pub(super) fn is_judged(&self, process: Key<Process>) -> bool {
        self.judged.contains(&process)
    }

    /// The processes that are judged.
    pub(super) fn judged(&self) -> impl Iterator<Item = (Key<Process>, &'a Process)> {
        let processes = self.ledger.processes();
        processes.filter(|(key, _)| self.is_judged(*key))
    }

    /// Why not everything is known of a process.
    pub(super) fn doubt(&self, process: Key<Process>) -> Option<&str> {
        self.doubts.get(&process).map(String::as_str)
    }

    /// A process's main thread.
    pub(super) fn leader(&self, process: Key<Process>) -> Option<&'a Thread> {
        self.leaders.get(&process).copied()
    }

    /// A process's program: its main thread's name.
    pub(super) fn program(&self, process: Key<Process>) -> Text {
        let comm = self.leader(process).map(|leader| leader.comm);
        Text::from(comm.unwrap_or_default().bytes())
    }

    /// The processes of this number that ran.
    pub(super) fn of_number(&self, tgid: Tgid) -> &[Key<Process>] {
        self.by_tgid.get(&tgid).map_or(&[], Vec::as_slice)
    }

    /// The program of the process of this number that ran last.
    pub(super) fn program_of(&self, tgid: Tgid) -> Text {
        let born = |key: &&Key<Process>| self.ledger.process(**key).map(|one| one.born.latest);
        let last = self.of_number(tgid).iter().max_by_key(born);
        last.map_or_else(Text::default, |&key| self.program(key))
    }

    /// The threads of a process, as long as the ledger remembers them.
    pub(super) fn threads(
        &self,
        process: Key<Process>,
    ) -> impl Iterator<Item = (Key<Thread>, &'a Thread)> {
        let threads = self.threads.get(&process).into_iter().flatten();
        threads.filter_map(|&key| Some((key, self.ledger.thread(key)?)))
    }

    /// `make (pid 17)`.
    pub(super) fn name(&self, process: Key<Process>) -> String {
        let tgid = self.ledger.process(process).map(|process| process.tgid);
        let pid = tgid.map_or_else(|| "?".to_owned(), |tgid| tgid.to_string());
        let program = self.program(process);
        if program.bytes().is_empty() {
            format!("process {pid}")
        } else {
            format!("{program} (pid {pid})")
        }
    }

    /// When a process began to end, as far as its main thread tells.
    pub(super) fn exit_began(&self, process: Key<Process>) -> Option<BootTime> {
        self.leader(process)?.exiting
    }

    pub(super) fn grace_ns(&self) -> u64 {
        let own = self.rules.grace;
        own.map_or(self.run.grace_ns, crate::duration::as_ns)
    }

    /// The process whose call made a descriptor, as its table tells.
    pub(super) fn process_of(&self, handle: &Descriptor) -> Option<Key<Process>> {
        Some(self.ledger.table(handle.table)?.process)
    }

    /// Whether a descriptor's or thread's birth was seen, within the run.
    pub(super) fn is_born_within(&self, origin: Origin, born: BootTime) -> bool {
        origin == Origin::Announced && born >= self.run.started
    }

    fn find_doubts(&self) -> FxHashMap<Key<Process>, String> {
        let mut doubts = FxHashMap::default();
        for (key, table) in self.ledger.tables() {
            if !self.is_judged(table.process) {
                continue;
            }
            let why = if self.ledger.table_tainted(key) {
                "events were lost".to_owned()
            } else if let Some((why, _)) = table.unsettled {
                why.to_string()
            } else {
                continue;
            };
            doubts.entry(table.process).or_insert(why);
        }
        for (key, process) in self.judged() {
            if let Watch::Polls { .. } = process.watch {
                let why = "/proc was only polled, and a poll does not see the end".to_owned();
                doubts.insert(key, why);
            }
        }
        doubts
    }
}

/// A thread's name as text.
pub(super) fn text_of(comm: Comm) -> Text {
    Text::from(comm.bytes())
}
