//! Keys, the mouse and resizes, read on a thread of their own.

use std::thread;

use crossterm::event;
use tokio::sync::mpsc;

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
