//! Starts the source for any process: attaches, sheds what only that needed, follows the targets.

use std::{
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use anyhow::{Context as _, bail};
use tokio::sync::oneshot::{self, error::TryRecvError};

use super::tell;
use crate::{
    cli::{KernelArgs, any::WatchArgs},
    event::{Batch, id::Tgid},
    privilege,
    source::{
        Request, Running,
        ebpf::{
            load::LoadOptions,
            session::Until,
            start::{Prepared, prepare},
        },
        procfs::poll,
    },
    target::{Found, Roots, program},
};

/// How often /proc is read where eBPF is refused.
const POLL_EVERY: Duration = Duration::from_millis(250);
/// Time between two looks whether a process is followed.
const LOOK: Duration = Duration::from_millis(1);

/// Who is to be watched, and how.
#[derive(Debug)]
pub(super) struct Aim {
    /// The processes.
    processes: Vec<Tgid>,
    /// The program that one of them is going to execute.
    program: Option<PathBuf>,
    /// Programs and libraries whose marks the user wants attached.
    marks: Vec<PathBuf>,
    /// Whether /proc is polled whatever the kernel would allow.
    polls: bool,
    /// The kernel side.
    options: LoadOptions,
    /// When the source ends by itself.
    until: Until,
    /// Whether a process that can't be followed is left out: one of many may end meanwhile.
    may_lack: bool,
}

/// A source that follows its targets.
#[derive(Debug)]
pub(super) struct Opened {
    /// It.
    pub(super) running: Running,
    /// What it has sent already.
    pub(super) early: Vec<Batch>,
    /// Mark sites of the targets' programs.
    pub(super) marks: usize,
}

impl Aim {
    /// At processes that run already. A group may get members when all that it has are gone.
    pub(super) fn at(found: &Found, watch: &WatchArgs, kernel: &KernelArgs) -> Self {
        let processes = found.processes.clone();
        let is_group = !found.groups.is_empty();
        Self {
            may_lack: processes.len() > 1,
            processes,
            program: None,
            marks: watch.marks.clone(),
            polls: watch.poll,
            options: watch.load_options(kernel),
            until: if is_group {
                Until::Stopped
            } else {
                Until::TargetsEnd
            },
        }
    }

    /// At a command that waits, with what it will execute.
    pub(super) fn at_command(
        pid: u32,
        program: Option<PathBuf>,
        until: Until,
        watch: &WatchArgs,
        kernel: &KernelArgs,
    ) -> Self {
        Self {
            processes: vec![Tgid(pid)],
            program,
            marks: watch.marks.clone(),
            polls: watch.poll,
            options: watch.load_options(kernel),
            until,
            may_lack: false,
        }
    }

    /// Attaches and follows. Where the kernel refuses the programs, /proc is polled. What the user
    /// should know of it is told.
    ///
    /// # Errors
    /// Where a process can't be followed, or privileges not be shed.
    pub(super) fn open(self) -> anyhow::Result<Opened> {
        if self.polls {
            return self.poll("--poll asks for it".to_owned());
        }
        let mut prepared = match prepare(&self.options) {
            Ok(prepared) => prepared,
            Err(error) => return self.poll(error.to_string()),
        };
        let sites = self.attach_marks(&mut prepared)?;
        privilege::shed_for_targets().context("privileges could not be shed")?;
        let mut opened = Opened {
            running: prepared.start(self.until)?,
            early: Vec::new(),
            marks: sites,
        };
        let mut followed = 0;
        for &tgid in &self.processes {
            match opened.follow(tgid) {
                Ok(()) => followed += 1,
                Err(_) if self.may_lack => {}
                Err(why) => bail!(why),
            }
        }
        if followed == 0 {
            bail!("all of these processes have ended meanwhile");
        }
        Ok(opened)
    }

    /// Attaches the marks of what the targets execute now, and of what they are said to execute
    /// later: when privileges are shed attaching is over. Returns how many sites there are.
    fn attach_marks(&self, prepared: &mut Prepared) -> anyhow::Result<usize> {
        let mut sites = 0;
        let mut attach = |file: &Path| {
            let followed = prepared.attach_marks(file)?;
            // Files without marks are told nothing of: a script, a library.
            if followed.marks > 0 {
                sites += followed.marks;
                if let Some(why) = followed.unusable.first() {
                    let file = file.display();
                    tell(&format!("a mark of {file} can't be attached: {why}"));
                }
            }
            Ok::<_, String>(followed)
        };
        let roots = Roots::here();
        let files = match &self.program {
            // What waits to execute it still is inspector, whose lab has marks of its own.
            Some(program) => vec![program.clone()],
            None => {
                let of = |&tgid: &Tgid| program::files(&roots, tgid);
                self.processes.iter().flat_map(of).collect()
            }
        };
        for file in files {
            // It has ended, or the library was replaced on disk.
            let _has_no_marks_then = attach(&file);
        }
        for file in &self.marks {
            let followed = attach(file).map_err(anyhow::Error::msg)?;
            if followed.marks == 0 {
                let why = followed
                    .unusable
                    .first()
                    .map_or("there are none", String::as_str);
                bail!(
                    "{} has no marks of the provider lifecycle that can be attached: {why}",
                    file.display()
                );
            }
        }
        Ok(sites)
    }

    fn poll(self, why: String) -> anyhow::Result<Opened> {
        let root = PathBuf::from("/proc");
        let running = poll::start(root, &self.processes, POLL_EVERY, why)?;
        Ok(Opened {
            running,
            early: Vec::new(),
            marks: 0,
        })
    }
}

impl Opened {
    /// Follows one more process; its baseline has been sent when this returns.
    fn follow(&mut self, tgid: Tgid) -> Result<(), String> {
        let (done, mut answer) = oneshot::channel();
        let ended = || "the source has ended".to_owned();
        let request = Request::Follow { tgid, done };
        self.running.requests.send(request).map_err(|_| ended())?;
        loop {
            // Its channel is bounded, and nobody else reads it yet.
            while let Ok(batch) = self.running.batches.try_recv() {
                self.early.push(batch);
            }
            match answer.try_recv() {
                Ok(followed) => return followed.map(drop),
                Err(TryRecvError::Empty) => thread::sleep(LOOK),
                Err(TryRecvError::Closed) => return Err(ended()),
            }
        }
    }
}
