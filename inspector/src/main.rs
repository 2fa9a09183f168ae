//! Parse, run, print the error, exit.

use std::process::ExitCode;

use clap::Parser;
use inspector::{cli::Cli, command};

fn main() -> ExitCode {
    match command::run(Cli::parse()) {
        Ok(code) => code,
        Err(error) if command::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            command::tell(&format!("{error:#}"));
            ExitCode::from(command::ERROR)
        }
    }
}
