//! What can happen to the screen, and what it wants done.

use crossterm::event::{KeyEvent, MouseEvent};
use ratatui::layout::Size;

use super::{
    model::{Own, SourceEnd},
    output::Output,
    tape::TapeState,
    watched::Ended,
};
use crate::{
    event::{
        Batch, BootTime,
        id::{Fd, Tgid},
    },
    lab::driver::{Command, News},
};

/// Something happened.
#[derive(Debug)]
pub enum Message {
    /// Events came.
    Batch(Batch),
    /// The source ended.
    SourceEnded(SourceEnd),
    /// A key was pressed.
    Key(KeyEvent),
    /// The mouse did something.
    Mouse(MouseEvent),
    /// Text was pasted.
    Paste(String),
    /// The terminal has another size.
    Resized(Size),
    /// Time passed.
    Tick(BootTime),
    /// So many events of the recording can be taken in now.
    Replay(usize),
    /// The rows are to be made anew.
    Refresh,
    /// The tool looked at itself.
    Own(Box<Own>),
    /// The lab's driver says something.
    Lab(News),
    /// The command that is watched ended.
    CommandEnded(Ended),
    /// What the command printed last was read, or can't be.
    Output(Result<Output, String>),
    /// How the recording fares; `None` = nothing is recorded.
    Recording(Option<TapeState>),
    /// Something that was asked for was done, or was not.
    Done(Result<String, String>),
}

/// Something is to be done.
#[derive(Debug)]
pub enum Effect {
    /// By the lab.
    Lab(Command),
    /// Put this text on the terminal's clipboard.
    Copy(String),
    /// Write this text to a new file whose name begins so.
    Write {
        /// What it is, for the name.
        what: &'static str,
        /// The name's extension.
        extension: &'static str,
        /// The content.
        content: String,
    },
    /// Compare with /proc.
    Audit,
    /// Read anew what descriptors point at.
    Reread {
        /// Of this process.
        tgid: Tgid,
        /// Which; `None` = all.
        fds: Option<Vec<Fd>>,
    },
    /// Begin a recording, end it, or save what a flight recorder holds.
    Record,
    /// Read what the command printed last.
    ReadOutput,
    /// Draw everything anew.
    Redraw,
    /// Give the terminal back until the shell continues this process.
    Suspend,
    /// End.
    Quit,
}
