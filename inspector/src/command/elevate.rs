//! `--sudo`: starts the command as the user, then inspector again through sudo, which watches it.
//!
//! A signal that asks for the end is passed on to the command, whose end ends all: an ordinary
//! user's signals do not reach root, and sudo passes on none that comes from beside it. A terminal
//! sends its own to both.

use std::{
    ffi::OsString,
    fs::File,
    os::unix::process::ExitStatusExt as _,
    process::{Command, ExitCode, ExitStatus},
    sync::{Arc, OnceLock},
    thread,
};

use anyhow::Context as _;
use rustix::process::geteuid;
use tokio::{
    select,
    signal::unix::{SignalKind, signal},
};

use super::{
    runtime,
    start::{self, Manner},
};
use crate::{
    cli::any::CommandArgs,
    launch::{Stdin, handover::Offer, status},
    source::clock::wall_ns,
};

/// Whether this process is to start the command and leave the watching to root.
pub(super) fn is_asked(args: &CommandArgs) -> bool {
    args.sudo && !geteuid().is_root()
}

/// How the inspector that watched has ended.
pub(super) struct Passed {
    /// Its exit code.
    pub(super) code: u8,
    /// The signal that ended the command early, if one did.
    pub(super) signal: Option<i32>,
}

impl From<Passed> for ExitCode {
    fn from(passed: Passed) -> Self {
        Self::from(passed.code)
    }
}

/// Starts the command, hands it over, and passes on the exit code of the inspector that watched.
///
/// # Errors
/// What kept the command or sudo from starting.
pub(super) fn run(
    args: &CommandArgs,
    line: &[OsString],
    output: Option<File>,
    own_session: bool,
    added: &[OsString],
) -> anyhow::Result<Passed> {
    let stdin = if own_session {
        Stdin::Null
    } else {
        Stdin::Inherit
    };
    let manner = Manner {
        output,
        stdin,
        own_session,
    };
    let prepared = start::prepare(args, line, manner)?;
    let asked = pass_signals_on(prepared.waiting.pid(), own_session)?;
    let offer = Offer::new(wall_ns()).context("nothing can be handed over to root")?;
    let own = std::env::current_exe().context("inspector's own program is not to be found")?;
    let mut sudo = Command::new("sudo")
        .arg("--")
        .arg(own)
        .args(again(std::env::args_os().skip(1), &offer.name, added))
        .spawn()
        .context("sudo can't be started; is it installed?")?;
    let handed = prepared.waiting.hand_over(&offer, || {
        asked.get().is_none() && matches!(sudo.try_wait(), Ok(None))
    });
    if let (Err(_), Some(&signal)) = (&handed, asked.get()) {
        // sudo may still ask for the password: nobody but the terminal can end that.
        return Ok(Passed {
            code: status::code(ExitStatus::from_raw(signal)),
            signal: Some(signal),
        });
    }
    let ended = sudo.wait().context("sudo's end is not known")?;
    let code = match (handed, ended.code()) {
        // What it says itself of why it failed stands above.
        (Err(_), Some(0 | 1)) | (_, None) => status::TOOL_FAILED,
        _ => status::code(ended),
    };
    Ok(Passed {
        code,
        signal: asked.get().copied(),
    })
}

/// From now on signals that ask for the end tell the command to end; gives the first of them.
fn pass_signals_on(pid: u32, group: bool) -> anyhow::Result<Arc<OnceLock<i32>>> {
    let runtime = runtime()?;
    let asked = Arc::new(OnceLock::new());
    let first = Arc::clone(&asked);
    let kinds = [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
        SignalKind::quit(),
    ];
    let listening = runtime.block_on(async { kinds.map(signal) });
    let [interrupt, terminate, hangup, quit] = listening;
    let context = "signals can't be listened to";
    let (mut interrupt, mut terminate) = (interrupt.context(context)?, terminate.context(context)?);
    let (mut hangup, mut quit) = (hangup.context(context)?, quit.context(context)?);
    let listen = move || {
        runtime.block_on(async {
            loop {
                let kind = select! {
                    _ = interrupt.recv() => SignalKind::interrupt(),
                    _ = terminate.recv() => SignalKind::terminate(),
                    _ = hangup.recv() => SignalKind::hangup(),
                    _ = quit.recv() => SignalKind::quit(),
                };
                // Another one was the first.
                let _is_known = first.set(kind.as_raw_value());
                start::terminate(pid, group);
            }
        })
    };
    thread::Builder::new()
        .name("inspector-signals".to_owned())
        .spawn(listen)
        .context("no thread can be started to listen to signals")?;
    Ok(asked)
}

/// This process's arguments, as root is to have them.
fn again(
    arguments: impl Iterator<Item = OsString>,
    name: &str,
    added: &[OsString],
) -> Vec<OsString> {
    let mut again = Vec::new();
    let mut is_ours = true;
    for argument in arguments {
        if is_ours && argument == "--" {
            is_ours = false;
            again.push(format!("--taken={name}").into());
            again.extend(added.iter().cloned());
        }
        if !(is_ours && argument == "--sudo") {
            again.push(argument);
        }
    }
    again
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_own_arguments_stay_as_they_are() {
        let words = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        let line = "run --sudo --poll -- make --sudo -- all";
        assert_eq!(
            again(words(line).into_iter(), "x", &words("--output=log")),
            words("run --poll --taken=x --output=log -- make --sudo -- all")
        );
    }
}
