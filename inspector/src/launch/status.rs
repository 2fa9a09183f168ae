//! Exit codes of verbs that run a command: its own, and the tool's, as env and docker have them.

use std::{os::unix::process::ExitStatusExt as _, process::ExitStatus};

/// The tool itself failed.
pub const TOOL_FAILED: u8 = 125;
/// The command can't be executed.
pub const NOT_EXECUTABLE: u8 = 126;
/// There is no such command.
pub const NOT_FOUND: u8 = 127;

/// A command's end as an exit code: its own, or 128 and the signal that killed it.
pub fn code(status: ExitStatus) -> u8 {
    let code = match (status.code(), status.signal()) {
        (Some(code), _) => code,
        (None, Some(signal)) => 128 + signal,
        (None, None) => i32::from(TOOL_FAILED),
    };
    u8::try_from(code).unwrap_or(TOOL_FAILED)
}

/// The same in words.
pub fn words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_told_as_shells_do() {
        assert_eq!(code(ExitStatus::from_raw(0)), 0);
        assert_eq!(code(ExitStatus::from_raw(3 << 8)), 3);
        assert_eq!(code(ExitStatus::from_raw(9)), 137);
        assert_eq!(words(ExitStatus::from_raw(9)), "was killed by signal 9");
        assert_eq!(words(ExitStatus::from_raw(3 << 8)), "exited with 3");
    }
}
