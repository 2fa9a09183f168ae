//! Drives a lab child by hand: a thread owns it, takes commands and says news.
//!
//! The kernel kills the child when the thread that started it ends, so the thread starts it itself
//! and lives until it is told to quit. It carries out one command after the other. Between two
//! orders to the child it listens: `Stop`, `Reset` and `Quit` end what is under way and everything
//! that was sent before them; other commands wait for their turn.

mod row;
mod stage;
mod stock;

use std::{
    io,
    path::Path,
    sync::mpsc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    account::Account,
    entry::EntryKind,
    map::MapKind,
    policy::Policy,
    scenario::{Scenario, Variant},
};
use crate::event::Batch;

/// How long a dropped driver waits for its thread: longer than a child that was told to quit has
/// before it is killed.
const JOIN_PATIENCE: Duration = Duration::from_secs(5);

/// What the driver can be told.
#[derive(Clone, Debug)]
pub enum Command {
    /// Store new keys: `task-0001`, `task-0002`, and so on from where the child's last one was.
    Store {
        /// How many.
        count: u32,
        /// What each owns.
        entry: EntryKind,
    },
    /// Delete these keys, in order. How their values hold what they own is changed to what the
    /// policy means.
    Delete {
        /// The keys.
        keys: Vec<String>,
        /// How.
        policy: Policy,
    },
    /// Play a scenario slowly enough to be followed by eye, on new keys: store them, rest, delete
    /// them one by one, all as the variant says.
    Play {
        /// The scenario.
        scenario: &'static Scenario,
        /// Its variant.
        variant: &'static Variant,
        /// How many keys.
        keys: u32,
    },
    /// End what is under way after the order that the child has, and forget what waits.
    Stop,
    /// Start a new child, whose keys count from 1 again, and end the old one once the new one is
    /// followed.
    Reset {
        /// Its map.
        map: MapKind,
    },
    /// End the child and the thread.
    Quit,
}

/// What the driver says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A child is there, followed, and its map made; the one before it has ended.
    Started {
        /// Its process id.
        pid: u32,
        /// Its user.
        uid: u32,
        /// Its map.
        map: MapKind,
    },
    /// A key is stored. Said where keys come one at a time: alone, or in a scenario that is played
    /// slowly enough to name each.
    Stored {
        /// The key.
        key: String,
    },
    /// A key is deleted. Said where [`News::Stored`] is.
    Deleted {
        /// The key.
        key: String,
        /// How long that took in the child.
        took: Duration,
    },
    /// How far a `store` or `delete` of many is: at most 20 times a second, and where it ends.
    Progress {
        /// `store` or `delete`.
        what: &'static str,
        /// Keys done, or tried.
        done: u32,
        /// Of so many.
        total: u32,
    },
    /// A `store` or `delete` of many ended before its last key: it was told to, or refused.
    Stopped {
        /// `store` or `delete`.
        what: &'static str,
        /// Keys done.
        done: u32,
        /// Of so many.
        total: u32,
    },
    /// A scenario begins.
    Playing {
        /// The scenario's name.
        scenario: &'static str,
        /// The variant's name.
        variant: &'static str,
    },
    /// It is over, whether played to its end or not. Not said of one whose child died.
    Played {
        /// The scenario's name.
        scenario: &'static str,
        /// The variant's name.
        variant: &'static str,
    },
    /// Marks that the child repeated, because the source can't see them. To be applied after
    /// everything that was in the source's channel when this was said.
    Marks(Batch),
    /// A command was refused or made no sense, and why. The child goes on.
    Refused(String),
    /// The child died or is of no more use, and why. Only `Reset` and `Quit` make sense now.
    Died(String),
    /// The thread is about to end.
    Ended,
}

/// What the driver needs of its owner. All of it is called on the driver's thread, and must not
/// wait for whoever drops the driver.
pub struct Hooks {
    /// Follows a child that waits for orders: everything it does is seen from here on. Also called
    /// for each new child, while the one before it still lives.
    pub follow: Box<dyn FnMut(u32) -> anyhow::Result<()> + Send>,
    /// For a source that can't see marks, which the child then repeats: asks it to send everything
    /// that has happened so far, and returns when that is in its channel. None = it sees them.
    pub drain: Option<Box<dyn FnMut() -> anyhow::Result<()> + Send>>,
    /// Takes news; false = nobody listens any more, and the driver ends.
    pub news: Box<dyn FnMut(News) -> bool + Send>,
}

/// A driver at work. Dropping it ends the child and the thread.
#[derive(Debug)]
pub struct Driver {
    commands: mpsc::Sender<Command>,
    thread: Option<JoinHandle<()>>,
}

impl Driver {
    /// Starts the thread, which then starts `program lab-child` as `account` with a map of this
    /// kind: [`News::Started`] or [`News::Died`] tells how that went.
    ///
    /// # Errors
    ///
    /// The thread can't be started.
    pub fn start(
        program: &Path,
        account: Option<Account>,
        map: MapKind,
        hooks: Hooks,
    ) -> io::Result<Self> {
        let (commands, received) = mpsc::channel();
        let stage = stage::Stage::new(program.to_owned(), account, hooks, received);
        let thread = thread::Builder::new()
            .name("inspector-drive".to_owned())
            .spawn(move || stage.run(map))?;
        Ok(Self {
            commands,
            thread: Some(thread),
        })
    }

    /// Gives a command. After [`News::Ended`] there is nobody to take it, and nothing happens.
    pub fn send(&self, command: Command) {
        let _ended_already = self.commands.send(command);
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.send(Command::Quit);
        let Some(thread) = self.thread.take() else {
            return;
        };
        let until = Instant::now() + JOIN_PATIENCE;
        while !thread.is_finished() {
            if Instant::now() >= until {
                // It waits for a child that does not answer. It kills it when that has had its
                // time, and the kernel does when this process ends before.
                return;
            }
            thread::sleep(Duration::from_millis(2));
        }
        // A panic in it was told by its message already.
        let _ended = thread.join();
    }
}
