//! The truth: what the child really has, read by the harness itself from /proc and kcmp.
//!
//! It knows neither the lab's belief nor detection's. What a store created is the difference
//! between two readings at quiet points; a descriptor is told apart from its number's next one
//! by an identity that holds no reference to it ([`view::Identity`]); two descriptors that look
//! the same are the same open file description if kcmp says so. A description is released when
//! no descriptor of a watched process holds it any more.

mod kcmp;
mod view;

use std::{
    collections::{HashMap, HashSet},
    io,
    path::{Path, PathBuf},
};

pub use view::{HandleSort, Identity};

use super::told::boot_ns;

/// How much of a process is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// What has appeared and what has vanished; a number that stayed is taken to be the same.
    Changes,
    /// Everything: a number whose identity changed is another descriptor.
    All,
}

/// Everything seen so far of one process.
pub struct Oracle {
    root: PathBuf,
    pid: u32,
    things: Vec<Thing>,
    threads: HashMap<u32, ThingId>,
    handles: HashMap<u32, (ThingId, Identity)>,
}

/// A thread or an open file description, by its place in the oracle's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThingId(usize);

/// What the oracle knows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thing {
    /// What it is.
    pub what: What,
    /// When a reading last began in which it was there, in nanoseconds since boot.
    pub alive_ns: u64,
    /// When the first reading ended in which it was not.
    pub gone_ns: Option<u64>,
}

/// A thread, or an open file description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A thread.
    Thread {
        /// Its number.
        tid: u32,
        /// Field 22 of its stat: clock ticks since boot.
        start_ticks: u64,
    },
    /// A description.
    Handle {
        /// The number it was first seen under.
        fd: u32,
        /// What tells it apart.
        identity: Identity,
    },
}

/// What one reading found new.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Appeared.
    pub born: Vec<ThingId>,
    /// Vanished.
    pub gone: Vec<ThingId>,
}

/// Whether something was released in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// Seen gone by then.
    Released,
    /// Seen alive after that.
    Retained,
    /// The readings lie too far apart to say.
    Undecided,
}

impl Oracle {
    /// For process `pid` below `root` (`/proc`). Takes the first reading: what is there now
    /// belongs to no key.
    ///
    /// # Errors
    ///
    /// The process is gone, or may not be looked into.
    pub fn new(root: &Path, pid: u32) -> io::Result<Self> {
        let mut oracle = Self {
            root: root.to_owned(),
            pid,
            things: Vec::new(),
            threads: HashMap::new(),
            handles: HashMap::new(),
        };
        oracle.observe(Depth::All)?;
        Ok(oracle)
    }

    /// A thing.
    pub fn thing(&self, id: ThingId) -> &Thing {
        &self.things[id.0]
    }

    /// How many descriptors were open at the last reading.
    pub fn open_handles(&self) -> usize {
        self.handles.len()
    }

    /// Whether a thread came or went since the last reading.
    ///
    /// # Errors
    ///
    /// The process is gone.
    pub fn has_changed(&self) -> io::Result<bool> {
        let now = view::tids(&self.root, self.pid)?;
        Ok(
            now.len() != self.threads.len()
                || now.iter().any(|tid| !self.threads.contains_key(tid)),
        )
    }

    /// Waits until no thread comes or goes: whoever was told to stop has. Looks at threads only;
    /// reading a descriptor in /proc holds a reference to it for a moment, and a close then
    /// would not be the last.
    ///
    /// # Errors
    ///
    /// The process is gone.
    pub fn settle(&self) -> io::Result<()> {
        const STILL: std::time::Duration = std::time::Duration::from_millis(1);
        const ROUNDS: u32 = 500;
        let mut before = view::tids(&self.root, self.pid)?;
        for _ in 0..ROUNDS {
            std::thread::sleep(STILL);
            let now = view::tids(&self.root, self.pid)?;
            if now == before {
                break;
            }
            before = now;
        }
        Ok(())
    }

    /// Reads the process and says what changed since the last reading.
    ///
    /// # Errors
    ///
    /// The process is gone, or may not be looked into.
    pub fn observe(&mut self, depth: Depth) -> io::Result<Changes> {
        let began_ns = boot_ns();
        let tids = view::tids(&self.root, self.pid)?;
        let numbers = view::numbers(&self.root, self.pid)?;
        let mut changes = Changes::default();
        self.observe_threads(&tids, depth, began_ns, &mut changes);
        self.observe_handles(&numbers, depth, began_ns, &mut changes)?;
        let ended_ns = boot_ns();
        for id in &changes.gone {
            self.things[id.0].gone_ns = Some(ended_ns);
        }
        Ok(changes)
    }

    /// Whether it was released by `deadline_ns`.
    pub fn truth(&self, id: ThingId, deadline_ns: u64) -> Truth {
        let thing = self.thing(id);
        if thing.alive_ns >= deadline_ns {
            Truth::Retained
        } else if thing.gone_ns.is_some_and(|gone| gone <= deadline_ns) {
            Truth::Released
        } else {
            Truth::Undecided
        }
    }

    fn observe_threads(
        &mut self,
        tids: &HashSet<u32>,
        depth: Depth,
        began_ns: u64,
        changes: &mut Changes,
    ) {
        self.threads.retain(|tid, id| {
            let there = tids.contains(tid);
            if !there {
                changes.gone.push(*id);
            }
            there
        });
        for &tid in tids {
            let known = self.threads.get(&tid).copied();
            if let (Some(id), Depth::Changes) = (known, depth) {
                self.things[id.0].alive_ns = began_ns;
                continue;
            }
            // A thread that ends meanwhile was not there.
            let start = view::start_ticks(&self.root, self.pid, tid);
            let same = known.filter(|id| {
                matches!(self.things[id.0].what, What::Thread { start_ticks, .. } if Some(start_ticks) == start)
            });
            match (same, start) {
                (Some(id), _) => self.things[id.0].alive_ns = began_ns,
                (None, start) => {
                    if let Some(id) = known {
                        changes.gone.push(id);
                        self.threads.remove(&tid);
                    }
                    if let Some(start_ticks) = start {
                        let id = self.add(What::Thread { tid, start_ticks }, began_ns);
                        self.threads.insert(tid, id);
                        changes.born.push(id);
                    }
                }
            }
        }
    }

    fn observe_handles(
        &mut self,
        numbers: &HashSet<u32>,
        depth: Depth,
        began_ns: u64,
        changes: &mut Changes,
    ) -> io::Result<()> {
        let before: HashSet<ThingId> = self.handles.values().map(|(id, _)| *id).collect();
        self.handles.retain(|fd, _| numbers.contains(fd));
        let mut fresh = Vec::new();
        for &fd in numbers {
            if depth == Depth::Changes && self.handles.contains_key(&fd) {
                continue;
            }
            let identity = view::identity(&self.root, self.pid, fd)?;
            let same = self
                .handles
                .get(&fd)
                .is_some_and(|(_, known)| Some(known) == identity.as_ref());
            if !same {
                self.handles.remove(&fd);
                // A descriptor that closes meanwhile was not there.
                fresh.extend(identity.map(|identity| (fd, identity)));
            }
        }
        fresh.sort_unstable_by_key(|(fd, _)| *fd);
        for (fd, identity) in fresh {
            let id = match self.same_description(fd, &identity)? {
                Some(id) => id,
                None => {
                    let what = What::Handle {
                        fd,
                        identity: identity.clone(),
                    };
                    let id = self.add(what, began_ns);
                    changes.born.push(id);
                    id
                }
            };
            self.handles.insert(fd, (id, identity));
        }
        let now: HashSet<ThingId> = self.handles.values().map(|(id, _)| *id).collect();
        for id in &now {
            self.things[id.0].alive_ns = began_ns;
        }
        changes.gone.extend(before.difference(&now));
        changes.gone.sort_unstable();
        Ok(())
    }

    /// The known description behind `fd`, if another descriptor already shows it.
    fn same_description(&self, fd: u32, identity: &Identity) -> io::Result<Option<ThingId>> {
        for (&other, (id, known)) in &self.handles {
            if known == identity && kcmp::same_description(self.pid, fd, other)? {
                return Ok(Some(*id));
            }
        }
        Ok(None)
    }

    fn add(&mut self, what: What, alive_ns: u64) -> ThingId {
        self.things.push(Thing {
            what,
            alive_ns,
            gone_ns: None,
        });
        ThingId(self.things.len() - 1)
    }
}
