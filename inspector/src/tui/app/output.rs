//! Reads what the command printed last, from the file that was opened before privileges were shed.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    time::{Duration, Instant},
};

use super::{App, Connections};
use crate::tui::{
    message::Message,
    output::{Output, TAIL},
    update::update,
};

/// Time from one reading to the next.
const EVERY: Duration = Duration::from_millis(400);

impl App {
    /// Reads it anew now and then, while its end is looked at.
    pub(super) fn follow_output(&mut self, connections: &Connections) {
        if self.model.follows_output() && self.output_read.elapsed() >= EVERY {
            self.read_output(connections);
        }
    }

    pub(super) fn read_output(&mut self, connections: &Connections) {
        self.output_read = Instant::now();
        let read = match &connections.output {
            Some(file) => tail(file).map_err(|error| error.to_string()),
            None => Err("no file takes it".to_owned()),
        };
        let _nothing_to_do = update(&mut self.model, Message::Output(read));
        self.is_dirty = true;
    }
}

/// The end of a file that may grow meanwhile, or be emptied.
fn tail(file: &File) -> io::Result<Output> {
    let size = file.metadata()?.len();
    let mut bytes = vec![0; TAIL];
    let from = size.saturating_sub(TAIL as u64);
    let mut read = 0;
    while read < bytes.len() {
        match file.read_at(&mut bytes[read..], from + read as u64) {
            Ok(0) => break,
            Ok(count) => read += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Output::of(&bytes[..read], from + read as u64))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn the_end_of_a_file_is_read_wherever_its_writer_is() {
        let mut file = tempfile::tempfile().unwrap();
        assert_eq!(tail(&file).unwrap(), Output::default());
        for number in 0..20_000 {
            writeln!(file, "line {number}").unwrap();
        }
        let output = tail(&file).unwrap();
        let lines = output.pieces(80);
        assert_eq!(lines.last(), Some(&"line 19999"));
        let first: usize = lines[0].strip_prefix("line ").unwrap().parse().unwrap();
        assert_eq!(lines.len(), 20_000 - first);
        assert!(output.before() > 0 && lines.len() > 1_000);
    }
}
