//! Starts the command that a verb runs: as its user, with its environment, waiting to be watched.

use std::{
    ffi::OsString,
    fs::File,
    path::PathBuf,
    process::ExitStatus,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open, pidfd_send_signal};
use tokio::sync::oneshot;

use crate::{
    cli::any::CommandArgs,
    lab::account::{Account, Invoker, choose, through_sudo},
    launch::{
        self, Launch, LaunchError, Process, Stdin, Waiting,
        environment::{Login, rebuilt},
    },
};

/// A command that waits, and what is known of it.
#[derive(Debug)]
pub(super) struct Prepared {
    /// It.
    pub(super) waiting: Waiting,
    /// The file it will execute, where that could be found.
    pub(super) program: Option<PathBuf>,
    /// Its words, for people.
    pub(super) words: String,
}

/// What differs between verbs.
#[derive(Debug)]
pub(super) struct Manner {
    /// Where both its outputs go; `None` = where this process's go.
    pub(super) output: Option<File>,
    /// Where it reads from, unless the command line says.
    pub(super) stdin: Stdin,
    /// Whether the terminal is not its.
    pub(super) own_session: bool,
}

/// Who the command runs as; `None` = whoever runs this.
///
/// # Errors
/// Where `--as` names nobody, or sudo's variables make no sense.
pub(super) fn account(as_user: Option<&str>) -> anyhow::Result<Option<Account>> {
    let invoker = Invoker::of_this_process(as_user);
    Ok(match as_user {
        Some(_) => choose(&invoker)?.account,
        None => through_sudo(&invoker)?,
    })
}

/// Starts the process that will be the command.
///
/// # Errors
/// [`LaunchError`] where that fails.
pub(super) fn prepare(
    args: &CommandArgs,
    line: &[OsString],
    manner: Manner,
) -> anyhow::Result<Prepared> {
    let account = account(args.as_user.as_deref())?;
    if let (Some(name), Some(command)) = (&args.taken, line.first()) {
        let user = account.as_ref().map_or(0, |account| account.uid);
        return Ok(Prepared {
            waiting: Waiting::taken(name, user, command)?,
            program: launch::program(command, std::env::var_os("PATH").as_deref()),
            words: words(line),
        });
    }
    let login = account.as_ref().and_then(|account| Login::of(account.uid));
    let environment = rebuilt(std::env::vars_os(), login.as_ref(), &args.env);
    let path = environment.iter().find(|(name, _)| name == "PATH");
    let program = line
        .first()
        .and_then(|name| launch::program(name, path.map(|(_, value)| value.as_os_str())));
    let waiting = Waiting::start(Launch {
        command: line.to_vec(),
        account,
        environment: Some(environment),
        stdin: args.stdin.clone().unwrap_or(manner.stdin),
        output: manner.output,
        own_session: manner.own_session,
    })?;
    Ok(Prepared {
        waiting,
        program,
        words: words(line),
    })
}

/// A command line in one line, as hostile as any string: whoever prints it escapes it.
pub(super) fn words(line: &[OsString]) -> String {
    let words: Vec<_> = line.iter().map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

/// A command at work.
#[derive(Debug)]
pub(super) struct Running {
    /// Its process id.
    pub(super) pid: u32,
    group: bool,
    /// Its end.
    pub(super) ended: oneshot::Receiver<ExitStatus>,
}

impl Running {
    /// Waits for its end on a thread of its own, which tells it with `heard` too. `group`: it has a
    /// session of its own.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub(super) fn new(
        mut process: Process,
        group: bool,
        heard: impl FnOnce(ExitStatus) + Send + 'static,
    ) -> Result<Self, LaunchError> {
        let (sender, ended) = oneshot::channel();
        let pid = process.pid();
        thread::Builder::new()
            .name("inspector-wait".to_owned())
            .spawn(move || {
                if let Ok(status) = process.wait() {
                    heard(status);
                    let _nobody_may_wait = sender.send(status);
                }
            })
            .map_err(|error| LaunchError::Failed {
                command: pid.to_string().into_bytes().into(),
                why: format!("no thread can be started to wait for it: {error}"),
            })?;
        Ok(Self { pid, group, ended })
    }

    /// Tells it to end.
    pub(super) fn terminate(&self) {
        terminate(self.pid, self.group);
    }

    /// Waits so long for its end; `None` = it goes on.
    pub(super) fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + patience;
        loop {
            match self.ended.try_recv() {
                Ok(status) => return Some(status),
                Err(oneshot::error::TryRecvError::Closed) => return None,
                Err(oneshot::error::TryRecvError::Empty) if Instant::now() >= until => return None,
                Err(oneshot::error::TryRecvError::Empty) => thread::sleep(Duration::from_millis(5)),
            }
        }
    }
}

/// Tells a process to end; `group`: and all of its group.
pub(super) fn terminate(pid: u32, group: bool) {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return;
    };
    if group {
        let _may_be_gone = kill_process_group(pid, Signal::TERM);
    } else if let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) {
        let _may_be_gone = pidfd_send_signal(process, Signal::TERM);
    }
}
