//! Lines of bounded length over a stream.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
};

use serde::Serialize;

use super::protocol::LINE_BYTES;

/// What reading a line gave.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A whole line, without its newline.
    Whole(Vec<u8>),
    /// More than [`LINE_BYTES`] without a newline; the rest of it was skipped.
    TooLong,
    /// The other side closed.
    Closed,
}

/// One end of the socket pair.
#[derive(Debug)]
pub(super) struct Wire {
    reader: BufReader<UnixStream>,
}

impl Wire {
    pub(super) fn new(stream: UnixStream) -> Self {
        Self {
            reader: BufReader::new(stream),
        }
    }

    /// The next line.
    ///
    /// # Errors
    ///
    /// Those of the socket; `WouldBlock` when its read timeout passes.
    pub(super) fn read(&mut self) -> io::Result<Line> {
        let mut line = Vec::new();
        loop {
            let room = (LINE_BYTES - line.len()) as u64;
            let read = (&mut self.reader).take(room).read_until(b'\n', &mut line)?;
            if line.last() == Some(&b'\n') {
                line.pop();
                return Ok(Line::Whole(line));
            }
            if line.len() >= LINE_BYTES {
                self.skip_line()?;
                return Ok(Line::TooLong);
            }
            if read == 0 {
                // An unfinished last line is no line.
                return Ok(Line::Closed);
            }
        }
    }

    /// Sends one value as a line.
    pub(super) fn write(&mut self, value: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(value).map_err(io::Error::other)?;
        line.push(b'\n');
        self.reader.get_mut().write_all(&line)
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let buffered = self.reader.fill_buf()?;
            let (used, done) = match buffered.iter().position(|&byte| byte == b'\n') {
                Some(at) => (at + 1, true),
                None => (buffered.len(), buffered.is_empty()),
            };
            self.reader.consume(used);
            if done {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_at_newlines_and_long_ones_skipped() {
        let (here, mut there) = UnixStream::pair().unwrap();
        let writer = std::thread::spawn(move || {
            there.write_all(b"one\n\n").unwrap();
            there.write_all(&vec![b'x'; 3 * LINE_BYTES]).unwrap();
            there.write_all(b"\ntwo\nunfinished").unwrap();
        });
        let mut wire = Wire::new(here);
        assert_eq!(wire.read().unwrap(), Line::Whole(b"one".to_vec()));
        assert_eq!(wire.read().unwrap(), Line::Whole(Vec::new()));
        assert_eq!(wire.read().unwrap(), Line::TooLong);
        assert_eq!(wire.read().unwrap(), Line::Whole(b"two".to_vec()));
        assert_eq!(wire.read().unwrap(), Line::Closed);
        writer.join().unwrap();
    }
}
