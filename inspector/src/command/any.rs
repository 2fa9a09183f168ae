//! Starts the source for any process: attaches, sheds what only that needed, follows the targets.

use std::{
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use anyhow::{Context as _, bail};
use tokio::sync::oneshot::{self, error::TryRecvError};

use crate::{
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
        toll::{self, Toll},
    },
    target::{Roots, program},
};

/// How often /proc is read where eBPF is refused.
const POLL_EVERY: Duration = Duration::from_millis(250);
/// Time between two looks whether a process is followed.
const LOOK: Duration = Duration::from_millis(1);

/// Who is to be watched, and how.
#[derive(Debug)]
pub(super) struct Aim {
    /// The processes.
    pub(super) processes: Vec<Tgid>,
    /// The program that one of them is going to execute.
    pub(super) program: Option<PathBuf>,
    /// Programs and libraries whose marks the user wants attached.
    pub(super) marks: Vec<PathBuf>,
    /// Whether /proc is polled whatever the kernel would allow.
    pub(super) polls: bool,
    /// The kernel side.
    pub(super) options: LoadOptions,
    /// When the source ends by itself.
    pub(super) until: Until,
    /// Whether a process that can't be followed is left out: one of many may end meanwhile.
    pub(super) may_lack: bool,
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
    /// What a system call costs now, and did before.
    pub(super) toll: Option<Toll>,
    /// What the user should be told.
    pub(super) notices: Vec<String>,
}

impl Aim {
    /// Attaches and follows. Where the kernel refuses the programs, /proc is polled.
    ///
    /// # Errors
    /// Where a process can't be followed, or privileges not be shed.
    pub(super) fn open(self) -> anyhow::Result<Opened> {
        if self.polls {
            return self.poll("--poll asks for it".to_owned());
        }
        let before_ns = toll::measure();
        let mut prepared = match prepare(&self.options) {
            Ok(prepared) => prepared,
            Err(error) => return self.poll(error.to_string()),
        };
        let mut notices = Vec::new();
        let sites = self.attach_marks(&mut prepared, &mut notices)?;
        privilege::shed_for_targets().context("privileges could not be shed")?;
        let mut opened = Opened {
            running: prepared.start(self.until)?,
            early: Vec::new(),
            marks: sites,
            toll: Some(Toll {
                before_ns,
                after_ns: toll::measure(),
            }),
            notices,
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
    fn attach_marks(
        &self,
        prepared: &mut Prepared,
        notices: &mut Vec<String>,
    ) -> anyhow::Result<usize> {
        let mut sites = 0;
        let mut attach = |file: &Path| {
            let followed = prepared.attach_marks(file)?;
            // Files without marks are told nothing of: a script, a library.
            if followed.marks > 0 {
                sites += followed.marks;
                let why = followed.unusable.first();
                notices.extend(
                    why.map(|why| format!("a mark of {} can't be attached: {why}", file.display())),
                );
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
            toll: None,
            notices: Vec::new(),
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
