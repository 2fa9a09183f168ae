//! The program in a terminal of a test's own: keys in, what stands on the screen out.

use std::{
    io::{Read as _, Write},
    os::unix::fs::{PermissionsExt, chown},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::picture::Picture;
use crate::{
    binary::{is_refused, program},
    program::starting,
    watch::alone,
};

/// How long the program may take for anything.
pub(super) const SOON: Duration = Duration::from_secs(20);

/// How the program is to be started.
pub(super) struct Start<'a> {
    /// What follows its name.
    pub(super) arguments: &'a [&'a str],
    /// What is started instead: its words come before the program's name.
    pub(super) within: &'a [&'a str],
    /// The user and group who are said to have called sudo.
    pub(super) sudo: Option<(u32, u32)>,
    /// What the terminal is said to be.
    pub(super) term: &'a str,
    /// Whose the folder is that it is started in.
    pub(super) folder_of: u32,
}

impl Default for Start<'_> {
    fn default() -> Self {
        Self {
            arguments: &[],
            within: &[],
            sudo: None,
            term: "xterm-256color",
            folder_of: 0,
        }
    }
}

/// The program in a terminal. It is killed when this is dropped.
pub(super) struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    /// Both `None` once the terminal was closed.
    master: Option<Box<dyn MasterPty + Send>>,
    keys: Option<Box<dyn Write + Send>>,
    shown: Arc<(Mutex<Shown>, Condvar)>,
    /// How the line was set before the program had it.
    line: String,
    folder: TempDir,
    _alone: MutexGuard<'static, ()>,
}

struct Shown {
    parser: vt100::Parser<Frames>,
    /// Nobody writes to the terminal any more.
    has_ended: bool,
    /// Nobody reads it any more.
    is_closed: bool,
}

impl Start<'_> {
    /// Starts it in a terminal of 120 columns and 40 rows, in an empty folder and with no one's
    /// configuration; `None` (and the reason on stdout) where the machine refuses root's programs.
    pub(super) fn begin(&self) -> Option<Terminal> {
        let alone = alone();
        if is_refused() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        let work = folder.path().join("work");
        for each in [&home, &work] {
            std::fs::create_dir(each).unwrap();
        }
        std::fs::set_permissions(&folder, <_>::from_mode(0o755)).unwrap();
        chown(&work, Some(self.folder_of), Some(self.folder_of)).unwrap();
        let size = size(120, 40);
        let starting = starting();
        let pair = native_pty_system().openpty(size).unwrap();
        drop(starting);
        let mut words = self.within.iter().copied();
        let program = program().to_str().unwrap();
        let mut command = CommandBuilder::new(words.next().unwrap_or(program));
        command.args(words);
        if !self.within.is_empty() {
            command.arg(program);
        }
        command.args(self.arguments);
        command.env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("TERM", self.term);
        command.env("HOME", &home);
        command.env("XDG_CONFIG_HOME", &home);
        if let Some((user, group)) = self.sudo {
            command.env("SUDO_UID", user.to_string());
            command.env("SUDO_GID", group.to_string());
        }
        command.cwd(&work);
        let line = line(&*pair.master);
        let child = pair.slave.spawn_command(command).unwrap();
        // Only the program holds that end from now on: its own end is then the terminal's.
        drop(pair.slave);
        let shown = Arc::new((
            Mutex::new(Shown {
                parser: vt100::Parser::new_with_callbacks(
                    size.rows,
                    size.cols,
                    0,
                    Frames::default(),
                ),
                has_ended: false,
                is_closed: false,
            }),
            Condvar::new(),
        ));
        let reader = pair.master.try_clone_reader().unwrap();
        thread::spawn({
            let shown = Arc::clone(&shown);
            move || read(reader, &shown)
        });
        let keys = pair.master.take_writer().unwrap();
        Some(Terminal {
            child,
            master: Some(pair.master),
            keys: Some(keys),
            shown,
            line,
            folder,
            _alone: alone,
        })
    }
}

/// Whether a frame is under way: what stands on the screen is neither the last one nor the next.
#[derive(Default)]
struct Frames {
    is_half_drawn: bool,
}

impl vt100::Callbacks for Frames {
    fn unhandled_csi(
        &mut self,
        _: &mut vt100::Screen,
        private: Option<u8>,
        _: Option<u8>,
        parameters: &[&[u16]],
        end: char,
    ) {
        if (private, parameters) == (Some(b'?'), &[&[2026]]) {
            self.is_half_drawn = end == 'h';
        }
    }
}

/// Shows what is written until nobody writes or reads any more.
fn read(mut from: Box<dyn std::io::Read + Send>, shown: &(Mutex<Shown>, Condvar)) {
    let mut bytes = [0; 4096];
    loop {
        let count = from.read(&mut bytes).unwrap_or(0);
        let mut now = shown.0.lock().unwrap_or_else(PoisonError::into_inner);
        now.parser.process(&bytes[..count]);
        now.has_ended = count == 0;
        shown.1.notify_all();
        if now.has_ended || now.is_closed {
            return;
        }
    }
}

fn size(cols: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols,
        ..PtySize::default()
    }
}

/// How the line is set, as text that can be compared.
fn line(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().unwrap())
}

impl Terminal {
    /// Presses a key, by its name or its letter.
    pub(super) fn press(&mut self, key: &str) {
        let bytes = match key {
            "Enter" => "\r",
            "Esc" => "\x1b",
            "Backspace" => "\x7f",
            "Up" => "\x1b[A",
            "Down" => "\x1b[B",
            "space" => " ",
            "ctrl-c" => "\x03",
            letter if letter.chars().count() == 1 => letter,
            other => panic!("{other} has no bytes here"),
        };
        self.type_in(bytes);
    }

    /// Types a line.
    pub(super) fn type_in(&mut self, text: &str) {
        let keys = self.keys.as_mut().unwrap();
        keys.write_all(text.as_bytes()).unwrap();
        keys.flush().unwrap();
    }

    /// Waits until the screen is as asked, and gives it.
    #[track_caller]
    pub(super) fn until(&self, what: &str, asked: impl Fn(&Picture) -> bool) -> Picture {
        let deadline = Instant::now() + SOON;
        let (shown, changed) = &*self.shown;
        let mut now = shown.lock().unwrap();
        loop {
            let picture = Picture::of(now.parser.screen());
            if !now.parser.callbacks().is_half_drawn && asked(&picture) {
                return picture;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || now.has_ended {
                let ended = if now.has_ended { " (it ended)" } else { "" };
                drop(now);
                panic!("not seen{ended}: {what}\n{picture}");
            }
            now = changed.wait_timeout(now, left).unwrap().0;
        }
    }

    /// Waits until these words stand on the screen, and gives it.
    #[track_caller]
    pub(super) fn until_shown(&self, words: &str) -> Picture {
        self.until(words, |picture| picture.shows(words))
    }

    /// Waits until they do not.
    #[track_caller]
    pub(super) fn until_hidden(&self, words: &str) -> Picture {
        let what = format!("no {words}");
        self.until(&what, |picture| !picture.shows(words))
    }

    /// Presses `key` until the cursor is at a line with these words.
    #[track_caller]
    pub(super) fn choose(&mut self, key: &str, words: &str) {
        for _ in 0..20 {
            let (at, line) = self
                .until("a cursor", |picture| picture.cursor().is_some())
                .cursor()
                .unwrap();
            if line.contains(words) {
                return;
            }
            self.press(key);
            let what = format!("the cursor moving on to {words}");
            self.until(&what, |picture| {
                picture.cursor().is_some_and(|(now, _)| now != at)
            });
        }
        let picture = self.until("a screen", |_| true);
        panic!("the cursor never came to {words}\n{picture}");
    }

    /// Makes the terminal another size. What stood there is wiped off, so that whatever is seen
    /// next was painted for the new size.
    pub(super) fn resize(&self, cols: u16, rows: u16) {
        let mut now = self.shown.0.lock().unwrap();
        now.parser.screen_mut().set_size(rows, cols);
        now.parser.process(b"\x1b[2J");
        let master = self.master.as_ref().unwrap();
        master.resize(size(cols, rows)).unwrap();
    }

    /// Closes the terminal, as who closes its window does.
    pub(super) fn close(&mut self) {
        self.shown.0.lock().unwrap().is_closed = true;
        self.keys = None;
        self.master = None;
    }

    /// Sends the program a signal.
    pub(super) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    pub(super) fn pid(&self) -> Pid {
        let pid = self.child.process_id().unwrap();
        Pid::from_raw(pid.cast_signed()).unwrap()
    }

    /// The folder that it was started in.
    pub(super) fn folder(&self) -> std::path::PathBuf {
        self.folder.path().join("work")
    }

    /// Waits for the program's end.
    #[track_caller]
    pub(super) fn wait_exit(&mut self) -> ExitStatus {
        let deadline = Instant::now() + SOON;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            if Instant::now() >= deadline {
                let picture = self.until("a screen", |_| true);
                panic!("the program does not end\n{picture}");
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The program has the terminal for itself: what [`Self::assert_given_back`] wants undone.
    #[track_caller]
    pub(super) fn assert_taken(&self) {
        let now = self.shown.0.lock().unwrap();
        let screen = now.parser.screen();
        assert!(screen.alternate_screen() && screen.hide_cursor() && screen.bracketed_paste());
        let mouse = screen.mouse_protocol_mode();
        assert_ne!(mouse, vt100::MouseProtocolMode::None);
        let line = line(&**self.master.as_ref().unwrap());
        assert_ne!(line, self.line);
    }

    /// After the end: the terminal is as it was, and what stands on it then.
    #[track_caller]
    pub(super) fn assert_given_back(&self) -> Picture {
        let deadline = Instant::now() + SOON;
        let (shown, changed) = &*self.shown;
        let mut now = shown.lock().unwrap();
        while !now.has_ended {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "somebody still holds the terminal");
            now = changed.wait_timeout(now, left).unwrap().0;
        }
        let screen = now.parser.screen();
        let picture = Picture::of(screen);
        assert!(!screen.alternate_screen(), "alternate screen\n{picture}");
        assert!(!screen.hide_cursor(), "no cursor\n{picture}");
        assert!(!screen.bracketed_paste(), "bracketed paste\n{picture}");
        let mouse = screen.mouse_protocol_mode();
        assert_eq!(mouse, vt100::MouseProtocolMode::None, "{picture}");
        let line = line(&**self.master.as_ref().unwrap());
        assert_eq!(line, self.line, "{picture}");
        picture
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _may_be_gone = self.child.kill();
        let _may_be_reaped = self.child.wait();
    }
}
