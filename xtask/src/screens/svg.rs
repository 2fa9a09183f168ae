//! A terminal's screen as a picture that looks the same with any font.
//!
//! Every word is put into its own columns (`x`, `textLength`), so no font moves what stands behind
//! it; bars and lines are drawn (see [`shape`]). The same screen gives the same bytes.

use std::fmt::Write as _;

use avt::{Cell, Line, Pen, Terminal};

use super::{
    palette::{self, BACKGROUND, FOREGROUND, Rgb},
    shape::{self, Shape},
};

/// A cell in pixels. Its width is what most fonts advance by at this size: 0.6 em.
pub(super) const CELL_WIDTH: f64 = 8.4;
pub(super) const CELL_HEIGHT: f64 = 18.0;
const FONT_SIZE: u32 = 14;
/// The line that letters stand on, from a cell's top.
const BASELINE: f64 = 13.5;
/// Between the window's edge and the screen.
const EDGE: f64 = 14.0;
/// The window's own top, with its title.
const TOP: f64 = 34.0;
const FONTS: &str = "ui-monospace, 'SF Mono', Menlo, 'Cascadia Mono', 'DejaVu Sans Mono', \
                     'Liberation Mono', Consolas, monospace";
/// Letters at least, and what a font for them surely has; the rest may come from another font,
/// whose widths are others.
const LAST_SURE: char = '\u{2000}';

/// The screen as it is now, in a window with this title.
pub(super) fn write(title: &str, terminal: &Terminal) -> String {
    let (columns, rows) = terminal.size();
    let mut picture = Picture::default();
    for (row, line) in terminal.screen().visible_lines().enumerate() {
        picture.line(row, line);
    }
    let Picture {
        behind,
        shapes,
        words,
    } = picture;
    let width = number(2.0 * EDGE + cells(columns));
    let height = number(TOP + EDGE + CELL_HEIGHT * count(rows));
    let title = escaped(title);
    let (ground, ink) = (palette::hex(BACKGROUND), palette::hex(FOREGROUND));
    let edge = palette::hex(palette::mix(BACKGROUND, FOREGROUND, 20));
    let quiet = palette::hex(palette::mix(BACKGROUND, FOREGROUND, 55));
    let (across, down) = (number(EDGE), number(TOP));
    let middle = number(EDGE + cells(columns) / 2.0);
    let dots: String = (0..3)
        .map(|place| {
            let x = 20 + 18 * place;
            format!("<circle cx=\"{x}\" cy=\"17\" r=\"5.5\" fill=\"{edge}\"/>")
        })
        .collect();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" font-family=\"{FONTS}\" \
         font-size=\"{FONT_SIZE}\" fill=\"{ink}\">\n\
         <title>{title}</title>\n\
         <rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"9\" fill=\"{ground}\" \
         stroke=\"{edge}\"/>\n\
         {dots}\n\
         <text x=\"{middle}\" y=\"21.5\" text-anchor=\"middle\" font-size=\"13\" \
         fill=\"{quiet}\">{title}</text>\n\
         <g transform=\"translate({across} {down})\">\n\
         <g shape-rendering=\"crispEdges\">\n{behind}</g>\n\
         <g>\n{shapes}</g>\n\
         <g>\n{words}</g>\n\
         </g>\n\
         </svg>\n",
        number(2.0 * EDGE + cells(columns) - 1.0),
        number(TOP + EDGE + CELL_HEIGHT * count(rows) - 1.0),
    )
}

/// The layers, each a list of elements.
#[derive(Default)]
struct Picture {
    behind: String,
    shapes: String,
    words: String,
}

/// Neighbours in a line that look the same, from the first one's column.
struct Run {
    column: usize,
    columns: usize,
    pen: Pen,
    text: String,
}

impl Picture {
    fn line(&mut self, row: usize, line: &Line) {
        for run in runs(line.cells(), |before, cell| before.pen() == cell.pen()) {
            self.marks(row, &run);
        }
        for run in runs(line.cells(), stand_together) {
            let (color, _) = palette::of(&run.pen);
            let sign = run.text.chars().next().expect("a run has a cell");
            match shape::of(sign) {
                Some(shape) => self.shape(row, &run, &shape, color),
                None => self.words(row, &run, color),
            }
        }
    }

    /// What is behind and across the text: the same over all of a style's cells, blank or not.
    fn marks(&mut self, row: usize, run: &Run) {
        let (color, behind) = palette::of(&run.pen);
        if let Some(behind) = behind {
            let part = [0.0, 0.0, count(run.columns), 1.0];
            rect(&mut self.behind, row, run.column, part, behind);
        }
        // In pixels from the cell's top: strikethrough at half the height of small letters.
        let across = [
            (run.pen.is_underline(), BASELINE + 2.0),
            (run.pen.is_strikethrough(), BASELINE - 4.5),
        ];
        for (_, y) in across.into_iter().filter(|(there, _)| *there) {
            let thick = 1.2 / CELL_HEIGHT;
            let part = [0.0, y / CELL_HEIGHT, count(run.columns), thick];
            rect(&mut self.shapes, row, run.column, part, color);
        }
    }

    fn shape(&mut self, row: usize, run: &Run, shape: &Shape, color: Rgb) {
        match shape {
            Shape::Shade(percent) => {
                let (_, behind) = palette::of(&run.pen);
                let shade = palette::mix(color, behind.unwrap_or(BACKGROUND), *percent);
                let part = [0.0, 0.0, count(run.columns), 1.0];
                rect(&mut self.behind, row, run.column, part, shade);
            }
            Shape::Parts(parts) => {
                for &part in parts {
                    let [left, top, width, height] = part;
                    if left == 0.0 && width == 1.0 {
                        // Neighbours become one, so that no seam is seen.
                        let part = [0.0, top, count(run.columns), height];
                        rect(&mut self.behind, row, run.column, part, color);
                        continue;
                    }
                    // What stops short of an edge need not fall on whole pixels.
                    for column in run.column..run.column + run.columns {
                        rect(&mut self.shapes, row, column, part, color);
                    }
                }
            }
            Shape::Polygon(corners) => {
                for column in run.column..run.column + run.columns {
                    let points: Vec<String> = corners
                        .iter()
                        .map(|[left, top]| {
                            let x = number(cells(column) + left * CELL_WIDTH);
                            let y = number((count(row) + top) * CELL_HEIGHT);
                            format!("{x},{y}")
                        })
                        .collect();
                    let (points, fill) = (points.join(" "), palette::hex(color));
                    add(
                        &mut self.shapes,
                        format_args!("<polygon points=\"{points}\" fill=\"{fill}\"/>"),
                    );
                }
            }
        }
    }

    fn words(&mut self, row: usize, run: &Run, color: Rgb) {
        let before = run.text.len() - run.text.trim_start_matches(' ').len();
        let text = run.text.trim_matches(' ');
        if text.is_empty() {
            return;
        }
        let columns = run.columns - (run.text.len() - text.len());
        let x = number(cells(run.column + before));
        let y = number(count(row) * CELL_HEIGHT + BASELINE);
        let mut style = String::new();
        if color != FOREGROUND {
            style.push_str(&format!(" fill=\"{}\"", palette::hex(color)));
        }
        if run.pen.is_bold() {
            style.push_str(" font-weight=\"bold\"");
        }
        if run.pen.is_italic() {
            style.push_str(" font-style=\"italic\"");
        }
        // One sign alone can't push another out of its column.
        if text.chars().nth(1).is_some() {
            let length = number(cells(columns));
            style.push_str(&format!(
                " textLength=\"{length}\" lengthAdjust=\"spacingAndGlyphs\""
            ));
        }
        let text = escaped(text);
        add(
            &mut self.words,
            format_args!("<text x=\"{x}\" y=\"{y}\"{style}>{text}</text>"),
        );
    }
}

/// Whether two neighbours can be one element: of one style, and either the same drawn sign or
/// letters of one word or of words with one space between them.
fn stand_together(before: &Cell, cell: &Cell) -> bool {
    if before.pen() != cell.pen() || before.width() != cell.width() {
        return false;
    }
    let (before, sign) = (before.char(), cell.char());
    if shape::of(before).is_some() || shape::of(sign).is_some() {
        return before == sign;
    }
    let is_sure = |sign: char| sign < LAST_SURE;
    is_sure(before) && is_sure(sign) && (before, sign) != (' ', ' ')
}

/// A line in runs of neighbours that belong together.
fn runs(cells: &[Cell], together: impl Fn(&Cell, &Cell) -> bool) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut before: Option<&Cell> = None;
    for (column, cell) in cells.iter().enumerate() {
        // The second half of a wide sign.
        let columns = usize::from(cell.width());
        if columns == 0 {
            continue;
        }
        let goes_on = before.is_some_and(|before| together(before, cell));
        before = Some(cell);
        match runs.last_mut().filter(|_| goes_on) {
            Some(run) => {
                run.columns += columns;
                run.text.push(cell.char());
            }
            None => runs.push(Run {
                column,
                columns,
                pen: *cell.pen(),
                text: cell.char().to_string(),
            }),
        }
    }
    runs
}

/// Fills part of the cell at this place; the part is in cells.
fn rect(layer: &mut String, row: usize, column: usize, part: shape::Part, color: Rgb) {
    let [left, top, width, height] = part;
    let x = number(cells(column) + left * CELL_WIDTH);
    let y = number((count(row) + top) * CELL_HEIGHT);
    let width = number(width * CELL_WIDTH);
    let height = number(height * CELL_HEIGHT);
    let fill = palette::hex(color);
    add(
        layer,
        format_args!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"/>"
        ),
    );
}

fn add(layer: &mut String, element: std::fmt::Arguments<'_>) {
    writeln!(layer, "{element}").expect("a string takes everything");
}

fn cells(columns: usize) -> f64 {
    count(columns) * CELL_WIDTH
}

fn count(cells: usize) -> f64 {
    f64::from(u16::try_from(cells).expect("a terminal's size is two 16-bit numbers"))
}

/// With two decimals at most.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0" } else { text }.to_owned()
}

/// As XML 1.0 takes it: it has no way to write most control characters.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ if sign.is_control() => out.push('\u{fffd}'),
            _ => out.push(sign),
        }
    }
    out
}

#[cfg(test)]
mod tests;
