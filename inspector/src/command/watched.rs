//! A command that is run and watched without a screen, from its first instruction to its end.

use std::{
    ffi::OsString, os::unix::process::ExitStatusExt as _, process::ExitStatus, time::Duration,
};

use tokio::{runtime::Runtime, time::Instant};

use super::{
    any::Aim,
    recording::Recording,
    start::{self, Manner, Prepared},
    watch::{Asked, Ended, Watch},
};
use crate::{
    check::CommandEnd,
    cli::{
        KernelArgs,
        any::{CommandArgs, WatchArgs},
    },
    event::{
        id::{BootTime, Tgid},
        text::Text,
    },
    launch::Stdin,
    ledger::{Ledger, LedgerRules},
    pipeline::Pipeline,
    source::{SourceKind, clock::boot_time, ebpf::session::Until},
};

/// How long a command that was told to end may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// What is to be run, and how.
pub(super) struct Wish<'a> {
    pub(super) command: &'a CommandArgs,
    pub(super) line: &'a [OsString],
    pub(super) watch: &'a WatchArgs,
    pub(super) kernel: &'a KernelArgs,
    pub(super) rules: LedgerRules,
    /// The time after which it is told to end.
    pub(super) time: Option<Duration>,
}

/// A command at work.
pub(super) struct Started {
    pub(super) watch: Watch,
    pub(super) command: start::Running,
    pub(super) words: Vec<Text>,
    pub(super) tgid: Tgid,
    /// Just before it was let go.
    pub(super) started: BootTime,
    asked: Asked,
    time: Option<Instant>,
    /// The signal that ended it early, if one did.
    pub(super) signal: Option<i32>,
}

impl Wish<'_> {
    /// Starts it. What it prints and reads is none of ours.
    ///
    /// # Errors
    /// What kept it from starting, or from being watched.
    pub(super) fn start(&self, runtime: &Runtime) -> anyhow::Result<Started> {
        self.start_recorded(runtime, |_, _, _, _| Ok(None))
    }

    /// The same, and what happens is written down, where `record` says so.
    ///
    /// # Errors
    /// The same, and those of `record`.
    pub(super) fn start_recorded(
        &self,
        runtime: &Runtime,
        record: impl FnOnce(&[Text], Tgid, &SourceKind, &Pipeline) -> anyhow::Result<Option<Recording>>,
    ) -> anyhow::Result<Started> {
        let manner = Manner {
            output: None,
            stdin: Stdin::Inherit,
            own_session: false,
        };
        let Prepared {
            waiting, program, ..
        } = start::prepare(self.command, self.line, manner)?;
        let tgid = Tgid(waiting.pid());
        let until = Until::TargetsEnd;
        let opened = Aim::at_command(tgid.0, program, until, self.watch, self.kernel).open()?;
        let words = self.line.iter();
        let words: Vec<Text> = words.map(|word| word.as_encoded_bytes().into()).collect();
        let watch = Watch::recorded(opened, self.rules, |kind, pipeline| {
            record(&words, tgid, kind, pipeline)
        })?;
        let asked = runtime.block_on(async { Asked::new() })?;
        let started = boot_time();
        let command = start::Running::new(waiting.go()?, false, |_| {})?;
        Ok(Started {
            watch,
            command,
            words,
            tgid,
            started,
            asked,
            signal: None,
            time: self.time.map(|time| Instant::now() + time),
        })
    }
}

impl Started {
    /// Watches until the command has ended, or its time is over; a signal to this process tells
    /// the command to end. `None` = it goes on. See [`Watch::until`].
    ///
    /// # Errors
    /// Those of `snapshot`.
    pub(super) async fn until_it_ends(
        &mut self,
        snapshot: &mut dyn FnMut(&Watch) -> anyhow::Result<()>,
        each_second: &mut dyn FnMut(&Ledger),
    ) -> anyhow::Result<Option<ExitStatus>> {
        let status = match self.first(self.time, snapshot, each_second).await? {
            Ended::Command(status) => Some(status),
            Ended::Time => None,
            // It has seen the last of them go, or has failed; the command's end is told by itself.
            Ended::Source => self.command.wait(PATIENCE),
            Ended::Signal(signal) => {
                self.signal = Some(signal);
                self.end_it(snapshot, each_second).await?
            }
        };
        self.watch.drain().await;
        Ok(status)
    }

    /// Tells the command to end, and watches until it has. `None` = it goes on.
    ///
    /// # Errors
    /// Those of `snapshot`.
    pub(super) async fn end_it(
        &mut self,
        snapshot: &mut dyn FnMut(&Watch) -> anyhow::Result<()>,
        each_second: &mut dyn FnMut(&Ledger),
    ) -> anyhow::Result<Option<ExitStatus>> {
        self.command.terminate();
        let time = Some(Instant::now() + PATIENCE);
        Ok(match self.first(time, snapshot, each_second).await? {
            Ended::Command(status) => Some(status),
            Ended::Source => self.command.wait(PATIENCE),
            Ended::Time | Ended::Signal(_) => None,
        })
    }

    /// Watches until the first of what may end that, the command's own end among it.
    async fn first(
        &mut self,
        time: Option<Instant>,
        snapshot: &mut dyn FnMut(&Watch) -> anyhow::Result<()>,
        each_second: &mut dyn FnMut(&Ledger),
    ) -> anyhow::Result<Ended> {
        let (watch, command, asked) = (&mut self.watch, &mut self.command, &mut self.asked);
        watch
            .until(Some(command), time, asked, snapshot, each_second)
            .await
    }

    /// Watches what the command has left behind for so long, or until nothing is left.
    ///
    /// # Errors
    /// Those of `snapshot`.
    pub(super) async fn rest(
        &mut self,
        time: Duration,
        snapshot: &mut dyn FnMut(&Watch) -> anyhow::Result<()>,
        each_second: &mut dyn FnMut(&Ledger),
    ) -> anyhow::Result<()> {
        let time = Some(Instant::now() + time);
        let watch = &mut self.watch;
        watch
            .until(None, time, &mut self.asked, snapshot, each_second)
            .await?;
        watch.drain().await;
        Ok(())
    }
}

/// How a command ended, for reports and checks.
pub(super) fn end(status: ExitStatus) -> CommandEnd {
    match (status.code(), status.signal()) {
        (_, Some(signal)) => CommandEnd::Killed(u8::try_from(signal).unwrap_or(u8::MAX)),
        (code, None) => CommandEnd::Exited(
            code.and_then(|code| u8::try_from(code).ok())
                .unwrap_or(u8::MAX),
        ),
    }
}
