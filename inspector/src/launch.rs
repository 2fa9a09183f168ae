//! Starts a command that waits before its first instruction, as the user whose command it is.
//!
//! The command's process is this very program first (the hidden verb `launch`): it becomes the
//! user, waits for a byte in a pipe, and executes the command. Whoever watches it follows it while
//! it waits, so that everything the command does is seen; what it inherited is known before its
//! program begins.

pub mod child;
#[expect(unsafe_code, reason = "a named door: descriptors come by number")]
mod door;
pub mod environment;
pub mod handover;
pub mod status;

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, PipeReader, PipeWriter, Read as _, Write as _},
    os::{
        fd::{AsFd, AsRawFd as _},
        unix::net::UnixStream,
    },
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

use rustix::io::{FdFlags, fcntl_setfd};
use thiserror::Error;

use self::status::{NOT_EXECUTABLE, NOT_FOUND, TOOL_FAILED};
use crate::{event::text::Text, lab::account::Account};

/// What is to be started, and how.
#[derive(Debug)]
pub struct Launch {
    /// The command and its arguments: at least the command.
    pub command: Vec<OsString>,
    /// The user it runs as; `None` = as whoever runs this.
    pub account: Option<Account>,
    /// Its whole environment; `None` = this process's.
    pub environment: Option<Vec<(OsString, OsString)>>,
    /// Where it reads from.
    pub stdin: Stdin,
    /// Where both its outputs go; `None` = where this process's go.
    pub output: Option<File>,
    /// Whether it gets a session of its own, so that no terminal is its.
    pub own_session: bool,
}

/// Where a command reads from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stdin {
    /// From nowhere: it finds the end at once.
    #[default]
    Null,
    /// From where this process reads.
    Inherit,
    /// From a file.
    File(PathBuf),
}

/// Why a command was not started.
#[derive(Debug, Error)]
pub enum LaunchError {
    /// There is no such program.
    #[error("{0}: command not found; is it spelled right, and in a folder of PATH?")]
    NotFound(Text),
    /// There is, and the kernel does not execute it.
    #[error("{command}: can't be executed: {error}")]
    NotExecutable {
        /// The command.
        command: Text,
        /// The kernel's reason.
        error: io::Error,
    },
    /// Its input can't be read.
    #[error("{} can't be opened as the command's input: {error}", .path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It did not come as far as that.
    #[error("{command} could not be started: {why}")]
    Failed {
        /// The command.
        command: Text,
        /// What failed, and why.
        why: String,
    },
}

impl LaunchError {
    /// The exit code that shells, env and docker have for it.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NotFound(_) => NOT_FOUND,
            Self::NotExecutable { .. } => NOT_EXECUTABLE,
            Self::Input { .. } | Self::Failed { .. } => TOOL_FAILED,
        }
    }
}

/// A command that waits for [`Waiting::go`]. Dropping this ends it unseen.
#[derive(Debug)]
pub struct Waiting {
    process: Process,
    go: PipeWriter,
    failed: PipeReader,
    command: Text,
}

/// A command's process.
#[derive(Debug)]
pub enum Process {
    /// This process's own child.
    Child(Child),
    /// The child of the ordinary process that handed it over, which tells how it ends.
    Given {
        /// Its number.
        pid: u32,
        /// Where its end is told.
        status: UnixStream,
    },
}

impl Process {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        match self {
            Self::Child(child) => child.id(),
            Self::Given { pid, .. } => *pid,
        }
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// Where nobody tells any more how it ended.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        match self {
            Self::Child(child) => child.wait(),
            Self::Given { status, .. } => handover::told(status),
        }
    }
}

impl Waiting {
    /// Starts the process that will be the command.
    ///
    /// # Errors
    /// Where it can't be started, or its input not be opened.
    pub fn start(launch: Launch) -> Result<Self, LaunchError> {
        let name = launch
            .command
            .first()
            .map_or(OsStr::new(""), OsString::as_os_str);
        let command = Text::from(name.as_encoded_bytes());
        let failed_to_start = |error: io::Error| LaunchError::Failed {
            command: command.clone(),
            why: error.to_string(),
        };
        let stdin = launch.stdin.open()?;
        let (go_reader, go) = io::pipe().map_err(failed_to_start)?;
        let (failed, failed_writer) = io::pipe().map_err(failed_to_start)?;
        for end in [go_reader.as_fd(), failed_writer.as_fd()] {
            fcntl_setfd(end, FdFlags::empty()).map_err(|errno| failed_to_start(errno.into()))?;
        }
        let mut process = Command::new("/proc/self/exe");
        process
            .arg("launch")
            .arg(format!("--go={}", go_reader.as_raw_fd()))
            .arg(format!("--failed={}", failed_writer.as_raw_fd()))
            .stdin(stdin);
        if let Some(output) = launch.output {
            let twin = output.try_clone().map_err(failed_to_start)?;
            process.stdout(output).stderr(twin);
        }
        if let Some(account) = &launch.account {
            let groups: Vec<_> = account.groups.iter().map(u32::to_string).collect();
            process
                .arg(format!("--uid={}", account.uid))
                .arg(format!("--gid={}", account.gid))
                .arg(format!("--groups={}", groups.join(",")));
        }
        if launch.own_session {
            process.arg("--own-session");
        }
        if let Some(environment) = launch.environment {
            process.env_clear().envs(environment);
        }
        let child = process
            .arg("--")
            .args(&launch.command)
            .spawn()
            .map_err(failed_to_start)?;
        Ok(Self {
            process: Process::Child(child),
            go,
            failed,
            command,
        })
    }

    /// Takes over one that waits under this name, from the user who called sudo.
    ///
    /// # Errors
    /// Where nobody of that user has one.
    pub fn taken(name: &str, user: u32, command: &OsStr) -> Result<Self, LaunchError> {
        let command = Text::from(command.as_encoded_bytes());
        match handover::take(name, user) {
            Ok(given) => Ok(Self {
                process: Process::Given {
                    pid: given.pid,
                    status: given.status,
                },
                go: given.go,
                failed: given.failed,
                command,
            }),
            Err(error) => Err(LaunchError::Failed {
                command,
                why: format!("it was not handed over: {error}"),
            }),
        }
    }

    /// Hands it over to root, as long as `goes_on`, and tells root how it ends.
    ///
    /// # Errors
    /// Where root does not come for it; it is not started then.
    pub fn hand_over(
        self,
        offer: &handover::Offer,
        goes_on: impl FnMut() -> bool,
    ) -> io::Result<()> {
        let Self {
            mut process,
            go,
            failed,
            ..
        } = self;
        let stream = offer.accept(goes_on)?;
        handover::give(&stream, process.pid(), &go, &failed)?;
        // Only root can let it go now, or give it up.
        drop((go, failed));
        let status = process.wait()?;
        // Root may have left it alone, and be gone.
        let _root_may_be_gone = handover::tell(&stream, status);
        Ok(())
    }

    /// Its process id, which the command keeps.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Lets it go, and waits until the command's program has taken its place.
    ///
    /// # Errors
    /// Where there is no such command, or the kernel does not execute it. The process has ended.
    pub fn go(self) -> Result<Process, LaunchError> {
        let Self {
            mut process,
            mut go,
            mut failed,
            command,
        } = self;
        // One that was killed meanwhile does not read it; its status tells.
        let _may_be_dead = go.write_all(b"g");
        drop(go);
        let mut said = String::new();
        if failed.read_to_string(&mut said).is_err() || said.is_empty() {
            return Ok(process);
        }
        let _its_status_is_said = process.wait();
        Err(child::error(command, &said))
    }
}

impl Stdin {
    fn open(&self) -> Result<Stdio, LaunchError> {
        match self {
            Self::Null => Ok(Stdio::null()),
            Self::Inherit => Ok(Stdio::inherit()),
            Self::File(path) => match File::open(path) {
                Ok(file) => Ok(file.into()),
                Err(error) => Err(LaunchError::Input {
                    path: path.clone(),
                    error,
                }),
            },
        }
    }
}

impl std::str::FromStr for Stdin {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "null" => Self::Null,
            "inherit" => Self::Inherit,
            path => Self::File(path.into()),
        })
    }
}

/// The file that a command's name stands for, where one can be found: what `PATH` leads to. Only
/// the command's own start says for sure.
pub fn program(name: &OsStr, path: Option<&OsStr>) -> Option<PathBuf> {
    let is_file = |path: &Path| path.metadata().is_ok_and(|file| file.is_file());
    if name.as_encoded_bytes().contains(&b'/') {
        let path = PathBuf::from(name);
        return is_file(&path).then_some(path);
    }
    std::env::split_paths(path?)
        .map(|folder| folder.join(name))
        .find(|path| is_file(path))
}
