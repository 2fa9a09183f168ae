//! Parse, run, print the error, exit.

use std::process::ExitCode;

use clap::Parser;
use inspector::{cli::Cli, command};

fn main() -> ExitCode {
    match command::run(Cli::parse()) {
        Ok(code) => code,
        Err(error) if command::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::from(command::ERROR)
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the one place where errors are shown, after every screen has gone"
)]
fn complain(error: &anyhow::Error) {
    eprintln!("inspector: {error:#}");
}
