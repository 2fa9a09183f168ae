//! The terminal: taken over, and given back whatever happens.

use std::{
    io::{self, Write as _, stdout},
    panic,
    sync::{
        Once,
        atomic::{AtomicBool, Ordering},
    },
};

use crossterm::{
    cursor::{Hide, Show},
    event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture},
    execute, queue,
    terminal::{
        BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
        disable_raw_mode, enable_raw_mode,
    },
};

/// Whether the terminal is ours now.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Whether some thread has panicked since: the screen then ends.
static PANICKED: AtomicBool = AtomicBool::new(false);

/// The terminal while it is ours. Dropping it gives it back.
pub(super) struct Terminal {
    mouse: bool,
}

impl Terminal {
    /// Takes it over. From now on a panic of any thread gives it back before it says anything.
    ///
    /// # Errors
    /// The terminal's.
    pub(super) fn take(mouse: bool) -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                PANICKED.store(true, Ordering::SeqCst);
                give_back();
                before(info);
            }));
        });
        let terminal = Self { mouse };
        terminal.enter()?;
        Ok(terminal)
    }

    fn enter(&self) -> io::Result<()> {
        TAKEN.store(true, Ordering::SeqCst);
        enable_raw_mode()?;
        execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, Hide)?;
        if self.mouse {
            execute!(stdout(), EnableMouseCapture)?;
        }
        Ok(())
    }

    /// Gives it back while `meanwhile` runs, and takes it over again.
    ///
    /// # Errors
    /// The terminal's.
    pub(super) fn lend(&self, meanwhile: impl FnOnce()) -> io::Result<()> {
        give_back();
        meanwhile();
        self.enter()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

/// Has a frame drawn of which nobody sees a half: a terminal that knows how shows nothing of it
/// until it is over.
///
/// # Errors
/// The terminal's.
pub(super) fn whole(draw: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    queue!(stdout(), BeginSynchronizedUpdate)?;
    draw()?;
    execute!(stdout(), EndSynchronizedUpdate)
}

/// Whether some thread has panicked.
pub(super) fn has_panicked() -> bool {
    PANICKED.load(Ordering::SeqCst)
}

/// Gives the terminal back, once. There is nobody to tell of a failure.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(
            stdout(),
            EndSynchronizedUpdate,
            DisableMouseCapture,
            DisableBracketedPaste,
            Show,
            LeaveAlternateScreen
        );
        let _ = stdout().flush();
        let _ = disable_raw_mode();
    }
}
