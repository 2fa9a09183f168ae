//! The verbs: wiring only, one file each.

mod any;
mod check;
mod config;
mod detect;
mod diff;
mod doctor;
mod elevate;
mod export;
mod info;
mod lab;
mod members;
mod output;
mod record;
mod recorded;
mod recording;
mod repair;
mod report;
mod screen;
mod start;
mod watch;
mod watched;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use anyhow::Context as _;
use tokio::runtime::{Builder, Runtime};

use crate::{
    cli::{Cli, LabArgs, LabChildArgs, Verb, any::LaunchArgs},
    lab::{account::Account, child},
    launch::{self, LaunchError, child::Orders, status},
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
        Some(Verb::Attach(args)) => screen::attach(&args),
        Some(Verb::Run(args)) => with_command(screen::run_command(&args)),
        Some(Verb::Report(args)) => report::run(&args),
        Some(Verb::Check(args)) => with_command(check::run(&args)),
        Some(Verb::Record(args)) => record::run(&args),
        Some(Verb::Replay(args)) => screen::replay(&args),
        Some(Verb::Info(args)) => info::run(&args),
        Some(Verb::Repair(args)) => repair::run(&args),
        Some(Verb::Diff(args)) => diff::run(&args),
        Some(Verb::Export(args)) => export::run(&args),
        Some(Verb::Lab(args)) => lab_or_screen(&args),
        Some(Verb::Doctor(args)) => doctor::run(args.json),
        Some(Verb::Config(args)) => config::run(&args),
        Some(Verb::LabChild(args)) => lab_child(&args),
        Some(Verb::Launch(args)) => Ok(ExitCode::from(launch::child::run(&launched(args)))),
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

/// What the verbs' loops run on.
fn runtime() -> anyhow::Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the loop can't be started")
}

/// The exit code of a verb that runs a command: what fails before it is told here.
fn with_command(done: anyhow::Result<ExitCode>) -> anyhow::Result<ExitCode> {
    done.or_else(|error| {
        tell(&format!("{error:#}"));
        let code = error.downcast_ref::<LaunchError>();
        Ok(ExitCode::from(
            code.map_or(status::TOOL_FAILED, LaunchError::exit_code),
        ))
    })
}

fn launched(args: LaunchArgs) -> Orders {
    Orders {
        go: args.go,
        failed: args.failed,
        account: account(args.uid, args.gid, args.groups),
        own_session: args.own_session,
        command: args.line,
    }
}

fn account(uid: Option<u32>, gid: Option<u32>, groups: Vec<u32>) -> Option<Account> {
    let (uid, gid) = uid.zip(gid)?;
    Some(Account { uid, gid, groups })
}

fn lab_child(args: &LabChildArgs) -> anyhow::Result<ExitCode> {
    let account = account(args.uid, args.gid, args.groups.clone());
    child::run(account.as_ref())?;
    // Its keys may hold anything: the process's end is theirs.
    std::process::exit(0)
}
