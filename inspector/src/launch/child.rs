//! What the hidden verb `launch` does: becomes the user, waits, and executes the command.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read as _, Write as _},
    os::{fd::RawFd, unix::process::CommandExt as _},
    process::Command,
};

use rustix::process::setsid;

use super::{LaunchError, door, status::TOOL_FAILED};
use crate::{event::text::Text, lab::account::Account};

/// What the launcher is told.
#[derive(Debug)]
pub struct Orders {
    /// The pipe to wait on.
    pub go: RawFd,
    /// The pipe that tells why the command did not start.
    pub failed: RawFd,
    /// Who to become.
    pub account: Option<Account>,
    /// Whether to begin a session.
    pub own_session: bool,
    /// The command and its arguments.
    pub command: Vec<OsString>,
}

/// Words before a reason that came before the command was tried.
const SETUP: &str = "setup ";
/// Words before the errno of the command's execution.
const EXEC: &str = "exec ";

/// Executes the command. Returns only if that fails: the exit code.
pub fn run(orders: &Orders) -> u8 {
    let (Some(go), Some(failed)) = (door::inherited(orders.go), door::inherited(orders.failed))
    else {
        // Nobody to tell but whoever typed it.
        crate::command::tell("`launch` is started by `inspector run`, which gives it two pipes");
        return TOOL_FAILED;
    };
    let mut failed = File::from(failed);
    let said = match prepare(orders) {
        Err(error) => format!("{SETUP}{error}"),
        Ok(()) => {
            let mut byte = [0];
            if !matches!(File::from(go).read(&mut byte), Ok(1)) {
                // Whoever should have watched is gone, or has given up.
                return TOOL_FAILED;
            }
            let Some((program, arguments)) = orders.command.split_first() else {
                return TOOL_FAILED;
            };
            // It puts the signals back to what a new program expects.
            let error = Command::new(program).args(arguments).exec();
            format!("{EXEC}{}", error.raw_os_error().unwrap_or(libc::EINVAL))
        }
    };
    let _nobody_may_read = failed.write_all(said.as_bytes());
    TOOL_FAILED
}

fn prepare(orders: &Orders) -> io::Result<()> {
    if orders.own_session {
        setsid()?;
    }
    match &orders.account {
        Some(account) => account.become_it(),
        None => Ok(()),
    }
}

/// What it said, as an error.
pub(super) fn error(command: Text, said: &str) -> LaunchError {
    let errno = said
        .strip_prefix(EXEC)
        .and_then(|errno| errno.parse::<i32>().ok());
    match errno {
        Some(libc::ENOENT) if !is_there(&command) => LaunchError::NotFound(command),
        Some(errno) => LaunchError::NotExecutable {
            command,
            error: io::Error::from_raw_os_error(errno),
        },
        None => LaunchError::Failed {
            command,
            why: said.strip_prefix(SETUP).unwrap_or(said).to_owned(),
        },
    }
}

/// A script whose interpreter is missing fails as a missing program does, and is there.
fn is_there(command: &Text) -> bool {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _, path::Path};
    command.bytes().contains(&b'/') && Path::new(OsStr::from_bytes(command.bytes())).exists()
}
