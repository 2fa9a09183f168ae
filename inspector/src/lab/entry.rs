//! The entry kinds: what a key owns. A kind is one file below and one row here.
//!
//! Every kind is made of the same parts: descriptors, one thread that uses them, and a way to
//! wake that thread so that it sees it should stop. The thread and the map's value share the
//! descriptors; the last of the two to let go closes them. So a value that is merely dropped
//! closes nothing while its thread lives, and a thread that was joined leaves the closing to the
//! value: no descriptor is ever closed under a call that still uses it.

mod connection;
mod ticker;
mod watcher;
mod writer;

use std::{
    io,
    net::TcpListener,
    os::fd::{AsRawFd, OwnedFd},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle, Thread},
    time::Duration,
};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// Threads here only loop around one call; 10,000 of them must fit.
const STACK_BYTES: usize = 128 * 1024;

/// Which entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// A thread that reads a timerfd.
    Ticker,
    /// A thread parked on an eventfd.
    Watcher,
    /// A TCP connection on loopback and a thread that reads one end; both ends are the key's.
    Connection,
    /// An open file and a thread that writes to it.
    Writer,
}

impl EntryKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ticker, Self::Watcher, Self::Connection, Self::Writer];

    /// Its name on the command line and in the protocol.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ticker => "ticker",
            Self::Watcher => "watcher",
            Self::Connection => "connection",
            Self::Writer => "writer",
        }
    }

    /// What it is, for the catalogue.
    pub fn about(self) -> &'static str {
        match self {
            Self::Ticker => "thread + the timerfd it reads",
            Self::Watcher => "thread parked on an eventfd",
            Self::Connection => "both ends of a loopback TCP connection + the thread reading one",
            Self::Writer => "open file + the thread writing to it",
        }
    }

    /// Descriptors one of its entries holds.
    pub fn handles(self) -> u64 {
        match self {
            Self::Ticker | Self::Watcher | Self::Writer => 1,
            Self::Connection => 2,
        }
    }

    /// Opens an entry: its descriptors first, then its thread.
    ///
    /// # Errors
    ///
    /// Those of the calls that make it; what was made before the failure is closed again.
    pub(super) fn open(self, spec: &Spec<'_>) -> io::Result<Value> {
        let entry = match self {
            Self::Ticker => ticker::open(spec),
            Self::Watcher => watcher::open(spec),
            Self::Connection => connection::open(spec),
            Self::Writer => writer::open(spec),
        }?;
        if spec.hold == Hold::Unclosed {
            for handle in &entry.handles {
                // The bug itself: someone took the bare number out of its owner, and nobody is
                // left whose end would close it.
                std::mem::forget(Arc::clone(handle));
            }
        }
        Ok(Value {
            entry,
            raii: spec.hold == Hold::Raii,
        })
    }
}

/// How the map's value holds what the entry owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hold {
    /// Shared with the thread; dropping the value stops nothing.
    Plain,
    /// Dropping the value stops the thread, waits for it and closes the descriptors.
    Raii,
    /// As `plain`, but the descriptors are bare numbers that nobody closes.
    Unclosed,
}

/// Where an entry's resources are born.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Born {
    /// Inside the store's span, which makes them the key's.
    Inside,
    /// Before the store (`c = accept(); map.insert(id, c)`): `own` marks give them to the key.
    Before,
}

/// What an entry is opened with.
pub(super) struct Spec<'a> {
    /// The key; its last part names the thread.
    pub(super) key: &'a str,
    /// Period of the timer or of the writes.
    pub(super) tick_ns: u64,
    /// How the value holds the entry.
    pub(super) hold: Hold,
    /// What all entries use.
    pub(super) shared: &'a Shared,
}

/// Made before any key, and no key's.
pub(super) struct Shared {
    listener: io::Result<TcpListener>,
}

impl Shared {
    /// Opens it. A machine without loopback loses only `connection`.
    pub(super) fn open() -> Self {
        Self {
            listener: TcpListener::bind(("127.0.0.1", 0)),
        }
    }
}

/// What the map holds under a key.
pub(super) struct Value {
    entry: Entry,
    /// Whether the entry's end is this value's end. A field and no type of its own, because a
    /// stored value can change its mind.
    raii: bool,
}

impl Value {
    /// The entry inside.
    pub(super) fn entry(&mut self) -> &mut Entry {
        &mut self.entry
    }

    /// Holds the entry this way from now on; false = that can't be, and nothing changed. A number
    /// that nobody closes can't be made of a descriptor whose owner is stored; one that was made
    /// at the store stays one however its value is held.
    pub(super) fn hold(&mut self, hold: Hold) -> bool {
        match hold {
            Hold::Plain => self.raii = false,
            Hold::Raii => self.raii = true,
            Hold::Unclosed => return false,
        }
        true
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        if !self.raii {
            return;
        }
        self.entry.stop();
        if let Some(thread) = self.entry.take_thread() {
            wait(thread);
        }
    }
}

type Wake = Box<dyn Fn(&[Arc<OwnedFd>], &Thread) + Send + Sync>;

/// Descriptors, the thread that uses them, and how to wake it.
pub(super) struct Entry {
    handles: Vec<Arc<OwnedFd>>,
    stopping: Arc<AtomicBool>,
    wake: Wake,
    waker: Thread,
    tid: Arc<OnceLock<u32>>,
    thread: Option<JoinHandle<()>>,
}

impl Entry {
    /// Starts `body` on a thread of its own that shares the handles.
    fn start(
        spec: &Spec<'_>,
        prefix: &str,
        handles: Vec<OwnedFd>,
        wake: impl Fn(&[Arc<OwnedFd>], &Thread) + Send + Sync + 'static,
        body: impl FnOnce(&Task) + Send + 'static,
    ) -> io::Result<Self> {
        let handles: Vec<_> = handles.into_iter().map(Arc::new).collect();
        let stopping = Arc::new(AtomicBool::new(false));
        let task = Task {
            handles: handles.clone(),
            stopping: Arc::clone(&stopping),
        };
        let tid = Arc::new(OnceLock::new());
        let told = Arc::clone(&tid);
        let thread = thread::Builder::new()
            .name(thread_name(prefix, spec.key))
            .stack_size(STACK_BYTES)
            .spawn(move || {
                let tid = rustix::thread::gettid().as_raw_pid().unsigned_abs();
                told.set(tid).expect("only this thread sets it, once");
                body(&task);
            })?;
        Ok(Self {
            handles,
            stopping,
            wake: Box::new(wake),
            waker: thread.thread().clone(),
            tid,
            thread: Some(thread),
        })
    }

    /// The numbers of its descriptors.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.handles
            .iter()
            .map(|handle| handle.as_raw_fd().unsigned_abs())
    }

    /// Its thread's number. Waits until that has run for the first time.
    pub(super) fn tid(&self) -> u32 {
        *self.tid.wait()
    }

    /// Tells the thread to stop, and does not wait.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        (self.wake)(&self.handles, &self.waker);
    }

    /// The thread, to [`wait`] for; once.
    pub(super) fn take_thread(&mut self) -> Option<JoinHandle<()>> {
        self.thread.take()
    }
}

/// Waits for an entry's thread. A thread that panicked has ended as well.
pub(super) fn wait(thread: JoinHandle<()>) {
    drop(thread.join());
}

/// What an entry's thread works with.
struct Task {
    handles: Vec<Arc<OwnedFd>>,
    stopping: Arc<AtomicBool>,
}

impl Task {
    fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    fn handle(&self, index: usize) -> &OwnedFd {
        &self.handles[index]
    }
}

/// A period, never shorter than a millisecond: a mistaken order must not spin a core.
fn period(spec: &Spec<'_>) -> Duration {
    Duration::from_nanos(spec.tick_ns.max(1_000_000))
}

/// `prefix` and the key's last part, within the 15 bytes the kernel keeps.
fn thread_name(prefix: &str, key: &str) -> String {
    let last = key.rsplit('-').next().unwrap_or(key);
    format!("{prefix}-{last}")
        .chars()
        .filter(char::is_ascii_graphic)
        .take(15)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thread_names_fit_the_kernel() {
        assert_eq!(thread_name("tick", "task-0007"), "tick-0007");
        assert_eq!(thread_name("write", "task-10000"), "write-10000");
        assert_eq!(thread_name("conn", "a\0b c"), "conn-abc");
        assert_eq!(thread_name("conn", "äöü"), "conn-");
        assert_eq!(thread_name("conn", &"9".repeat(40)), "conn-9999999999");
    }

    #[test]
    fn every_kind_stops_when_its_raii_value_is_dropped() {
        let shared = Shared::open();
        for kind in EntryKind::ALL {
            let mut value = kind
                .open(&Spec {
                    key: "task-0001",
                    tick_ns: 3_600_000_000_000,
                    hold: Hold::Raii,
                    shared: &shared,
                })
                .unwrap();
            let handles: Vec<_> = value.entry().handles.iter().map(Arc::downgrade).collect();
            assert_eq!(handles.len() as u64, kind.handles(), "{}", kind.name());
            // The tick is an hour: only the stop can have ended this.
            drop(value);
            assert!(handles.iter().all(|handle| handle.strong_count() == 0));
        }
    }

    #[test]
    fn a_plain_value_stops_nothing_and_an_unclosed_one_never_closes() {
        let shared = Shared::open();
        let open = |hold| {
            EntryKind::Watcher
                .open(&Spec {
                    key: "task-0001",
                    tick_ns: 1_000_000,
                    hold,
                    shared: &shared,
                })
                .unwrap()
        };
        let mut plain = open(Hold::Plain);
        let handle = Arc::downgrade(&plain.entry().handles[0]);
        drop(plain);
        assert_eq!(handle.strong_count(), 1, "the thread holds on");

        let mut changed = open(Hold::Raii);
        assert!(changed.hold(Hold::Plain) && !changed.hold(Hold::Unclosed));
        let handle = Arc::downgrade(&changed.entry().handles[0]);
        drop(changed);
        assert_eq!(handle.strong_count(), 1, "its thread holds on as well");

        let mut changed = open(Hold::Plain);
        assert!(changed.hold(Hold::Raii));
        let handle = Arc::downgrade(&changed.entry().handles[0]);
        drop(changed);
        assert_eq!(handle.strong_count(), 0, "stopped, waited for, closed");

        let mut unclosed = open(Hold::Unclosed);
        let handle = Arc::downgrade(&unclosed.entry().handles[0]);
        unclosed.entry().stop();
        wait(unclosed.entry().take_thread().unwrap());
        drop(unclosed);
        assert_eq!(handle.strong_count(), 1, "nobody holds on");
    }
}
