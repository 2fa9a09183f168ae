//! The verbs: wiring only, one file each.

mod config;
mod detect;
mod doctor;
mod lab;
mod screen;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use crate::{
    cli::{Cli, LabArgs, LabChildArgs, Verb},
    lab::{account::Account, child},
};

/// Nothing to complain of.
const MET: u8 = 0;
/// Expectations not met.
const NOT_MET: u8 = 1;
/// It could not be found out.
pub const ERROR: u8 = 2;

/// Runs what the command line says.
///
/// # Errors
///
/// What ended the run early: one message that says what failed, on what, and what to do.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.verb {
        None => lab_or_screen(&LabArgs::unasked(cli.screen)),
        Some(Verb::Lab(args)) => lab_or_screen(&args),
        Some(Verb::Doctor(args)) => doctor::run(args.json),
        Some(Verb::Config(args)) => config::run(&args),
        Some(Verb::LabChild(args)) => lab_child(&args),
    }
}

/// The lab on the screen, where there is one and nothing asks for lines.
fn lab_or_screen(args: &LabArgs) -> anyhow::Result<ExitCode> {
    if !args.wants_screen() {
        return lab::run(args);
    }
    match screen::hindrance() {
        None => screen::run(args),
        Some(why) => {
            tell(&format!(
                "{why}: playing scenarios without a screen (`inspector lab --headless` asks for that)"
            ));
            lab::run(args)
        }
    }
}

/// Says something on stderr. A closed or full stderr is no reason to end: nobody hears, that is all.
pub fn tell(what: &str) {
    let _nobody_may_hear = writeln!(io::stderr(), "inspector: {what}");
}

/// Whether an error only says that nobody reads the output any more: that is success.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

fn lab_child(args: &LabChildArgs) -> anyhow::Result<ExitCode> {
    let account = args.uid.zip(args.gid).map(|(uid, gid)| Account {
        uid,
        gid,
        groups: args.groups.clone(),
    });
    child::run(account.as_ref())?;
    // Its keys may hold anything: the process's end is theirs.
    std::process::exit(0)
}
