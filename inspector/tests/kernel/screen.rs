//! The interactive screen: the program itself in a pseudo-terminal, under the real probes.

#[path = "screen/end.rs"]
mod end;
#[path = "screen/file.rs"]
mod file;
#[path = "screen/lab.rs"]
mod lab;
#[path = "screen/look.rs"]
mod look;
#[path = "screen/picture.rs"]
mod picture;
#[path = "screen/process.rs"]
mod process;
#[path = "screen/replay.rs"]
mod replay;
#[path = "screen/sudo.rs"]
mod sudo;
#[path = "screen/tape.rs"]
mod tape;
#[path = "screen/target.rs"]
mod target;
#[path = "screen/terminal.rs"]
mod terminal;

use terminal::{Start, Terminal};

/// The screen at its beginning, with the lab's two entries, the later one selected.
fn started(start: &Start<'_>) -> Option<Terminal> {
    let terminal = start.begin()?;
    terminal.until("two entries, the later one selected", |picture| {
        let selected = picture.cursor().map(|(_, line)| line);
        picture.entry("task-0001").is_some()
            && selected.is_some_and(|line| line.contains("task-0002"))
    });
    Some(terminal)
}

/// Deletes the first entry as nobody should, and waits for the verdict.
fn leak(terminal: &mut Terminal) {
    terminal.choose("Down", "task-0001");
    terminal.press("d");
    terminal.until("task-0001 retained", |picture| {
        let row = picture.entry("task-0001");
        row.is_some_and(|row| row.contains("RETAINED"))
    });
}
