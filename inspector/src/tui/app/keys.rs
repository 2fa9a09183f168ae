//! Keys, the mouse and resizes, read on a thread of their own.

use std::thread;

use crossterm::event;
use ratatui::layout::Size;
use tokio::sync::mpsc;

use super::App;
use crate::tui::message::Message;

/// Reads them until the terminal is gone; the thread ends with the process.
pub(super) fn read_keys() -> mpsc::UnboundedReceiver<event::Event> {
    let (sender, receiver) = mpsc::unbounded_channel();
    thread::spawn(move || {
        while let Ok(event) = event::read() {
            if sender.send(event).is_err() {
                return;
            }
        }
    });
    receiver
}

impl App {
    /// What a key, the mouse or a resize is to the screen.
    pub(super) fn typed(&mut self, event: event::Event) -> Option<Message> {
        match event {
            event::Event::Key(key) => Some(Message::Key(key)),
            event::Event::Mouse(mouse) => {
                use event::MouseEventKind::{Drag, Moved, Up};
                // Only a recording's scrubber can be dragged.
                let is_idle = match mouse.kind {
                    Moved | Up(_) => true,
                    Drag(_) => self.model.replay.is_none(),
                    _ => false,
                };
                (!is_idle).then_some(Message::Mouse(mouse))
            }
            event::Event::Paste(text) => Some(Message::Paste(text)),
            event::Event::Resize(width, height) => Some(Message::Resized(Size { width, height })),
            event::Event::FocusGained | event::Event::FocusLost => None,
        }
    }
}
