//! The program, played: in a pseudo-terminal, by keys, with what then stands on its screen.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use avt::Terminal;
use rustix::{
    pty::{self, OpenptFlags},
    termios::{self, Winsize},
};

use crate::step;

/// A screen's columns and rows.
pub(super) const SIZE: (u16, u16) = (120, 36);
/// Words that don't come within this time never will; attaching probes takes the longest.
const PATIENCE: Duration = Duration::from_secs(20);
/// The program answers a key, and paints a frame, within this time.
const ANSWER: Duration = Duration::from_millis(150);
/// How often a key is pressed to come to a place.
const MOST_PRESSES: usize = 40;

/// Puts a program (from the second argument on) on the terminal named first.
///
/// sudo trusts whom it asked at *this* terminal, so it is started here and its program moves to the
/// other one. `setsid` makes that the program's own, which is hung up when we end.
const MOVE: &str = "tty=$1; shift; exec setsid --ctty --wait \
    env -u NO_COLOR TERM=xterm-256color COLORTERM=truecolor LC_ALL=C.UTF-8 \
    \"$@\" <>\"$tty\" >&0 2>&0";

/// The program that plays.
pub(super) struct Play {
    /// What it shows.
    pub(super) terminal: Terminal,
    child: Child,
    keys: File,
    output: Receiver<Vec<u8>>,
    /// The bytes of a character whose rest is still to come.
    rest: Vec<u8>,
}

impl Play {
    /// Starts `program` in a new pseudo-terminal, by this `shell`: root's, or anybody's.
    pub(super) fn start(
        mut shell: Command,
        program: &Path,
        arguments: &[String],
    ) -> anyhow::Result<Self> {
        let (columns, rows) = SIZE;
        let open = || {
            let master =
                pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
            pty::grantpt(&master)?;
            pty::unlockpt(&master)?;
            termios::tcsetwinsize(
                &master,
                Winsize {
                    ws_row: rows,
                    ws_col: columns,
                    ws_xpixel: 0,
                    ws_ypixel: 0,
                },
            )?;
            let name = pty::ptsname(&master, Vec::new())?;
            Ok::<_, rustix::io::Errno>((master, name))
        };
        let (master, name) = open().context("there is no pseudo-terminal to be had")?;
        let keys = File::from(master);
        let name = name.to_str().context("a terminal's name is ASCII")?;
        shell.args(["-c", MOVE, "sh", name]);
        shell.arg(program).args(arguments);
        let child = shell
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("could not start `{}`", step::shown(&shell)))?;
        let output = read(keys.try_clone().context("a terminal can be shared")?);
        Ok(Self {
            terminal: Terminal::new(columns.into(), rows.into()).expect("the size is not zero"),
            child,
            keys,
            output,
            rest: Vec::new(),
        })
    }

    /// Presses a key, as the help screen writes it.
    pub(super) fn press(&mut self, key: &str) -> anyhow::Result<()> {
        let bytes = match key {
            "Enter" => "\r",
            "Esc" => "\x1b",
            "Backspace" => "\x7f",
            "Tab" => "\t",
            "Up" => "\x1b[A",
            "Down" => "\x1b[B",
            "Right" => "\x1b[C",
            "Left" => "\x1b[D",
            one if one.chars().count() == 1 => one,
            other => anyhow::bail!("no key is called `{other}`"),
        };
        self.write(bytes)
    }

    /// Types text.
    pub(super) fn write(&mut self, text: &str) -> anyhow::Result<()> {
        self.keys
            .write_all(text.as_bytes())
            .with_context(|| format!("{text:?} can't be typed: the program has ended"))?;
        self.pause(ANSWER)
    }

    /// Until all of the words stand on the screen.
    pub(super) fn wait_for(&mut self, words: &[&str]) -> anyhow::Result<()> {
        let end = Instant::now() + PATIENCE;
        while !self.shows(words) {
            let left = end.saturating_duration_since(Instant::now());
            anyhow::ensure!(
                !left.is_zero(),
                "waited {} in vain for {words:?}; the screen has\n{}",
                step::seconds(PATIENCE),
                self.text()
            );
            self.hear(left)?;
        }
        Ok(())
    }

    /// Presses a key again and again until the words stand on the screen.
    pub(super) fn press_until(&mut self, key: &str, words: &[&str]) -> anyhow::Result<()> {
        for _ in 0..MOST_PRESSES {
            if self.shows(words) {
                return Ok(());
            }
            self.press(key)?;
        }
        anyhow::bail!(
            "{MOST_PRESSES} times `{key}` did not bring {words:?}; the screen has\n{}",
            self.text()
        )
    }

    /// Goes on for this long.
    pub(super) fn pause(&mut self, how_long: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + how_long;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            self.hear(left)?;
        }
    }

    /// Until a frame is whole: nothing more comes for a moment.
    pub(super) fn settle(&mut self) -> anyhow::Result<()> {
        let end = Instant::now() + 10 * ANSWER;
        while Instant::now() < end && self.hear(ANSWER / 3)? {}
        Ok(())
    }

    /// Ends the program by its own keys.
    pub(super) fn end(mut self) -> anyhow::Result<()> {
        // What lies over the screen takes the next key for itself.
        self.press("Esc")?;
        self.keys.write_all(b"q")?;
        let end = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            anyhow::ensure!(Instant::now() < end, "`q` did not end the program");
            // What it says while it ends must be read, or it waits for that.
            match self.output.recv_timeout(ANSWER) {
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => thread::sleep(ANSWER),
            }
        };
        anyhow::ensure!(status.success(), "the program ended with {status}");
        Ok(())
    }

    fn shows(&self, words: &[&str]) -> bool {
        let text = self.text();
        words.iter().all(|words| text.contains(words))
    }

    fn text(&self) -> String {
        self.terminal.screen().text().join("\n")
    }

    /// Takes in what the program writes, for `at_most` this long; whether there was something.
    fn hear(&mut self, at_most: Duration) -> anyhow::Result<bool> {
        match self.output.recv_timeout(at_most) {
            Ok(bytes) => {
                self.rest.extend(bytes);
                feed(&mut self.terminal, &mut self.rest);
                Ok(true)
            }
            Err(RecvTimeoutError::Timeout) => Ok(false),
            Err(RecvTimeoutError::Disconnected) => anyhow::bail!(
                "the program has ended by itself; its last words are\n{}",
                self.text()
            ),
        }
    }
}

/// Feeds the terminal whole characters; the beginning of another stays.
fn feed(terminal: &mut Terminal, bytes: &mut Vec<u8>) {
    let all = std::mem::take(bytes);
    let mut left = &all[..];
    for chunk in all.utf8_chunks() {
        terminal.feed(chunk.valid());
        left = &left[chunk.valid().len() + chunk.invalid().len()..];
        let error = std::str::from_utf8(chunk.invalid()).err();
        match error {
            None => {}
            Some(error) if left.is_empty() && error.error_len().is_none() => {
                *bytes = chunk.invalid().to_vec();
            }
            Some(_) => terminal.feed(char::REPLACEMENT_CHARACTER),
        }
    }
}

/// Reads what comes from the terminal; the channel closes when its other side does.
fn read(mut terminal: File) -> Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        // The kernel tells of a closed other side as an error.
        while let Ok(length) = terminal.read(&mut buffer) {
            if length == 0 || send.send(buffer[..length].to_vec()).is_err() {
                return;
            }
        }
    });
    receive
}

#[cfg(test)]
mod tests {
    use super::*;

    fn play(script: &str) -> Play {
        Play::start(
            Command::new("sh"),
            Path::new("/bin/sh"),
            &["-c".to_owned(), script.to_owned()],
        )
        .unwrap()
    }

    #[test]
    fn keys_are_pressed_and_words_awaited() {
        let mut play = play("printf 'ready %s' \"$(stty size)\"; read a; echo \"got $a\"; read a");
        play.wait_for(&["ready", "36 120"]).unwrap();
        play.press("好").unwrap();
        play.press_until("Enter", &["got 好"]).unwrap();
    }

    #[test]
    fn a_program_that_ends_has_last_words() {
        let error = play("echo farewell").wait_for(&["hello"]).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("ended by itself") && text.contains("farewell"),
            "{text}"
        );
    }

    #[test]
    fn characters_may_come_in_parts() {
        let mut terminal = Terminal::new(8, 1).unwrap();
        let mut rest = Vec::new();
        for byte in "a✗好".bytes().chain([0xff, b'b', 0xe2]) {
            rest.push(byte);
            feed(&mut terminal, &mut rest);
        }
        assert_eq!(terminal.screen().text()[0].trim_end(), "a✗好\u{fffd}b");
        assert_eq!(rest, [0xe2]);
    }
}
