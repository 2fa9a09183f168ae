//! How the screen is to behave, and why it was closed.

use std::time::Duration;

/// How the screen is to be.
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    /// Whether the mouse is used.
    pub mouse: bool,
    /// Most frames a second.
    pub frames: u8,
    /// Panics after so long: what a test wants to see survived.
    pub panic_after: Option<Duration>,
}

/// Why the screen was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The user left.
    Left,
    /// A signal asked for it.
    Signal(i32),
}
