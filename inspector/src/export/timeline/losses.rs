//! Gaps: what was lost, as slices on tracks of their own.

use std::io;

use super::painter::Painter;
use crate::{
    event::{Gap, loss::Layer},
    export::canvas::{Arg, Category, Drawn, TrackId},
};

/// Draws every gap that reaches into the window.
pub(super) fn draw(painter: &mut Painter<'_>, parent: TrackId, gaps: &[Gap]) -> io::Result<()> {
    // Gaps of several cpus overlap.
    let mut lanes: Vec<(TrackId, _)> = Vec::new();
    for gap in gaps {
        let Some(life) = painter.window.part_of(gap.from, Some(gap.until)) else {
            continue;
        };
        painter.lost(gap.total());
        let free = lanes.iter_mut().find(|(_, end)| *end <= life.from);
        let lane = match free {
            Some((lane, end)) => {
                *end = life.until;
                *lane
            }
            None => {
                let lane = painter.lane(parent, "lost", 1)?;
                lanes.push((lane, life.until));
                lane
            }
        };
        let name = match gap.layer {
            Layer::Unwatched(_) => "not watched".to_owned(),
            _ => format!("LOST {} events", gap.total()),
        };
        let mut args = vec![
            ("layer", Arg::word(gap.layer.word())),
            ("lost", Arg::Number(gap.total())),
            ("hides_lives", Arg::Is(gap.hides_lives())),
        ];
        if let Some(cpu) = gap.cpu {
            args.push(("cpu", Arg::Number(cpu.into())));
        }
        let kinds = gap.lost.iter().filter(|(_, count)| *count > 0);
        args.extend(kinds.map(|&(kind, count)| (kind, Arg::Number(count))));
        painter.slice(lane, life, &Drawn::new(&name, Category::Lost, &args))?;
    }
    Ok(())
}
