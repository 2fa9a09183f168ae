//! A timeline as lines of text, one a slice.

use std::{
    fmt::Write as _,
    io::{self},
};

use super::Told;
use crate::{
    event::id::BootTime,
    export::{
        canvas::{Arg, Canvas, Drawn, Shape, Title, Track, TrackId},
        timeline,
    },
};

/// The text so far. Below each track stands what is on it.
#[derive(Default)]
pub(super) struct Sketch {
    tracks: Vec<(String, String)>,
    depths: Vec<usize>,
    /// Arguments that are shown.
    args: &'static [&'static str],
}

/// A window's timeline, with these arguments of what is drawn. Tracks with nothing on them are left
/// out.
pub(super) fn sketch(told: &Told<'_>, args: &'static [&'static str]) -> String {
    let mut sketch = Sketch {
        args,
        ..Sketch::default()
    };
    told.with(|subject| timeline::draw(subject, &mut sketch, &mut |_| ()))
        .unwrap();
    assert!(sketch.depths.iter().all(|&depth| depth == 0), "open slices");
    let mut text = String::new();
    for (name, lines) in &sketch.tracks {
        if !lines.is_empty() {
            write!(text, "{name}\n{lines}").unwrap();
        }
    }
    text
}

impl Sketch {
    fn line(&mut self, track: TrackId, text: &str) {
        let index = usize::try_from(track.0 - 1).unwrap();
        let indent = "  ".repeat(self.depths[index] + 1);
        writeln!(self.tracks[index].1, "{indent}{text}").unwrap();
    }

    fn depth(&mut self, track: TrackId) -> &mut usize {
        &mut self.depths[usize::try_from(track.0 - 1).unwrap()]
    }

    fn words(&self, drawn: &Drawn<'_>) -> String {
        let mut words = format!("{}: {}", drawn.category.word(), drawn.name);
        for (name, value) in drawn
            .args
            .iter()
            .filter(|(name, _)| self.args.contains(name))
        {
            match value {
                Arg::Number(number) => write!(words, " {name}={number}"),
                Arg::Is(is) => write!(words, " {name}={is}"),
                Arg::Address(address) => write!(words, " {name}={address:#x}"),
                Arg::Text(text) => write!(words, " {name}={text}"),
            }
            .unwrap();
        }
        for flow in drawn.leads_to {
            write!(words, " →{flow}").unwrap();
        }
        if let Some(flow) = drawn.led_by {
            write!(words, " ←{flow}").unwrap();
        }
        words
    }
}

fn in_ms(at: BootTime) -> String {
    let (whole, rest) = (at.0 / 1_000_000, at.0 % 1_000_000);
    match rest {
        0 => whole.to_string(),
        _ => format!("{whole}.{rest:06}"),
    }
}

impl Canvas for Sketch {
    fn open(&mut self, _title: &Title<'_>) -> io::Result<()> {
        Ok(())
    }

    fn track(&mut self, track: &Track<'_>) -> io::Result<()> {
        let name = match track.shape {
            Shape::Process { pid, .. } => format!("process {pid} {}", track.name),
            Shape::Thread { pid, tid } => format!("thread {tid} of {pid} {}", track.name),
            Shape::Group | Shape::Lane { .. } | Shape::Counter => track.name.to_owned(),
        };
        self.tracks.push((name, String::new()));
        self.depths.push(0);
        Ok(())
    }

    fn begin(
        &mut self,
        track: TrackId,
        from: BootTime,
        until: BootTime,
        drawn: &Drawn<'_>,
    ) -> io::Result<()> {
        let words = self.words(drawn);
        let text = format!("{}..{} {words}", in_ms(from), in_ms(until));
        self.line(track, &text);
        *self.depth(track) += 1;
        Ok(())
    }

    fn end(&mut self, track: TrackId, _at: BootTime) -> io::Result<()> {
        *self.depth(track) -= 1;
        Ok(())
    }

    fn instant(&mut self, track: TrackId, at: BootTime, drawn: &Drawn<'_>) -> io::Result<()> {
        let words = self.words(drawn);
        self.line(track, &format!("{} {words}", in_ms(at)));
        Ok(())
    }

    fn counter(&mut self, track: TrackId, at: BootTime, value: u64) -> io::Result<()> {
        self.line(track, &format!("{} {value}", in_ms(at)));
        Ok(())
    }

    fn close(&mut self, lost: u64) -> io::Result<()> {
        self.tracks.push(("lost".into(), format!("  {lost}\n")));
        Ok(())
    }
}
