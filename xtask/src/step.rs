//! What xtask is doing now, told on stderr, so that stdout stays the started program's own.

use std::{
    process::{Command, ExitStatus},
    time::{Duration, Instant},
};

use anyhow::Context as _;

/// Steps counted out loud: `2/3 build …`, each with its time when it is done.
pub(crate) struct Steps {
    total: usize,
    begun: usize,
    now: Option<(String, Instant)>,
    /// Only `ci` wants to know where the minutes went.
    timed: bool,
}

impl Steps {
    pub(crate) fn new(total: usize) -> Self {
        Self {
            total,
            begun: 0,
            now: None,
            timed: false,
        }
    }

    /// Also says how long each step took.
    pub(crate) fn timed(mut self) -> Self {
        self.timed = true;
        self
    }

    /// Ends the step before and says which one begins.
    pub(crate) fn next(&mut self, name: &str) {
        self.end();
        self.begun += 1;
        say(&format!("{}/{} {name}", self.begun, self.total));
        self.now = Some((name.to_owned(), Instant::now()));
    }

    /// Ends the last step.
    pub(crate) fn end(&mut self) {
        if let Some((name, start)) = self.now.take()
            && self.timed
        {
            let place = format!("{}/{}", self.begun, self.total);
            say(&format!("{place} {name}: {}", seconds(start.elapsed())));
        }
    }
}

/// One line (or more) to the person in front of the terminal.
#[expect(
    clippy::print_stderr,
    reason = "the one place where xtask speaks; stdout belongs to the program it starts"
)]
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}

/// A duration as people read it.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

/// Runs `command` to its end, its output going where ours goes.
///
/// # Errors
/// When it can't be started.
pub(crate) fn status(command: &mut Command) -> anyhow::Result<ExitStatus> {
    command
        .status()
        .with_context(|| format!("could not start `{}`", shown(command)))
}

/// Runs `command` to its end and insists on success.
///
/// # Errors
/// When it can't be started or fails.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = status(command)?;
    anyhow::ensure!(
        status.success(),
        "`{}` failed: {status}; its own words are above",
        shown(command)
    );
    Ok(())
}

/// The command line as a person would type it (the program without its folder).
pub(crate) fn shown(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    std::iter::once(name)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_command_is_an_error_that_names_it() {
        let error = run(Command::new("/bin/sh").args(["-c", "exit 3"])).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("sh -c exit 3"), "{text}");
        assert!(text.contains("exit status: 3"), "{text}");
        run(Command::new("/bin/sh").args(["-c", "exit 0"])).unwrap();
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut Command::new("/no/such/program")).unwrap_err();
        assert!(error.to_string().contains("could not start `program`"));
    }
}
