//! `--sudo`: starts the command as the user, then inspector again through sudo, which watches it.

use std::{
    ffi::OsString,
    fs::File,
    process::{Command, ExitCode},
};

use anyhow::Context as _;
use rustix::process::geteuid;

use super::start::{self, Manner};
use crate::{
    cli::any::CommandArgs,
    launch::{Stdin, handover::Offer, status},
    source::clock::wall_ns,
};

/// Whether this process is to start the command and leave the watching to root.
pub(super) fn is_asked(args: &CommandArgs) -> bool {
    args.sudo && !geteuid().is_root()
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
) -> anyhow::Result<ExitCode> {
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
    let offer = Offer::new(wall_ns()).context("nothing can be handed over to root")?;
    let own = std::env::current_exe().context("inspector's own program is not to be found")?;
    let mut sudo = Command::new("sudo")
        .arg("--")
        .arg(own)
        .args(again(std::env::args_os().skip(1), &offer.name, added))
        .spawn()
        .context("sudo can't be started; is it installed?")?;
    let handed = prepared
        .waiting
        .hand_over(&offer, || matches!(sudo.try_wait(), Ok(None)));
    let ended = sudo.wait().context("sudo's end is not known")?;
    match (handed, ended.code()) {
        // What it says itself of why it failed stands above.
        (Err(_), Some(0 | 1)) | (_, None) => Ok(ExitCode::from(status::TOOL_FAILED)),
        _ => Ok(ExitCode::from(status::code(ended))),
    }
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
