//! Signs that are drawn and not written: bars, lines and arrows join only where no font decides
//! how large they are.

/// Part of a cell, in its width and height: from the left, from above, width, height.
pub(super) type Part = [f64; 4];

/// How a sign is drawn.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    /// These parts are filled.
    Parts(Vec<Part>),
    /// All of the cell is filled, so many percent transparent.
    Shade(u16),
    /// A polygon, corner by corner, each from the left and from above.
    Polygon(&'static [[f64; 2]]),
}

/// A line's thickness in a cell's width, and a heavy line's.
const THIN: f64 = 0.13;
const THICK: f64 = 0.28;
/// A cell's width in its height: lines across are as thick as lines down.
const ASPECT: f64 = super::svg::CELL_WIDTH / super::svg::CELL_HEIGHT;

/// The shape of a sign; `None` = it is written.
pub(super) fn of(sign: char) -> Option<Shape> {
    let eighths = |from: char| f64::from(u32::from(sign) - u32::from(from) + 1) / 8.0;
    let parts = match sign {
        '▀' => vec![[0.0, 0.0, 1.0, 0.5]],
        '▁'..='█' => {
            let height = eighths('▁');
            vec![[0.0, 1.0 - height, 1.0, height]]
        }
        '▉'..='▏' => vec![[0.0, 0.0, 1.0 - eighths('▉'), 1.0]],
        '▐' => vec![[0.5, 0.0, 0.5, 1.0]],
        '■' => vec![[0.0, 0.5 - 0.4 * ASPECT, 0.84, 0.8 * ASPECT]],
        '░' => return Some(Shape::Shade(75)),
        '▒' => return Some(Shape::Shade(50)),
        '▓' => return Some(Shape::Shade(25)),
        '▶' => return Some(Shape::Polygon(&[[0.0, 0.24], [0.95, 0.5], [0.0, 0.76]])),
        '▸' => return Some(Shape::Polygon(&[[0.2, 0.32], [0.85, 0.52], [0.2, 0.72]])),
        '▲' => return Some(Shape::Polygon(&[[0.05, 0.7], [0.5, 0.32], [0.95, 0.7]])),
        '▼' => return Some(Shape::Polygon(&[[0.05, 0.34], [0.5, 0.72], [0.95, 0.34]])),
        _ => lines(sign)?,
    };
    Some(Shape::Parts(parts))
}

/// The lines from a cell's middle: to the left, to the right, up and down.
fn lines(sign: char) -> Option<Vec<Part>> {
    let (no, thin, thick) = (0.0, THIN, THICK);
    let [left, right, up, down] = match sign {
        '─' => [thin, thin, no, no],
        '━' => [thick, thick, no, no],
        '│' => [no, no, thin, thin],
        '┃' => [no, no, thick, thick],
        '┌' | '╭' => [no, thin, no, thin],
        '┐' | '╮' => [thin, no, no, thin],
        '└' | '╰' => [no, thin, thin, no],
        '┘' | '╯' => [thin, no, thin, no],
        '├' => [no, thin, thin, thin],
        '┤' => [thin, no, thin, thin],
        '┬' => [thin, thin, no, thin],
        '┴' => [thin, thin, thin, no],
        '┼' => [thin; 4],
        _ => return None,
    };
    // Lines across reach to the middle and past it by as much as lines down are thick.
    let half = left.max(right).max(up).max(down) / 2.0;
    let across =
        |from, to, thick: f64| [from, 0.5 - thick * ASPECT / 2.0, to - from, thick * ASPECT];
    let along = |from, to, thick: f64| [0.5 - thick / 2.0, from, thick, to - from];
    let parts = match [left > 0.0, right > 0.0, up > 0.0, down > 0.0] {
        [true, true, false, false] => vec![across(0.0, 1.0, left)],
        [false, false, true, true] => vec![along(0.0, 1.0, up)],
        arms => {
            let parts = [
                across(0.0, 0.5 + half, left),
                across(0.5 - half, 1.0, right),
                along(0.0, 0.5 + half * ASPECT, up),
                along(0.5 - half * ASPECT, 1.0, down),
            ];
            let there = parts.into_iter().zip(arms).filter(|(_, there)| *there);
            there.map(|(part, _)| part).collect()
        }
    };
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_on_the_ground() {
        assert_eq!(of('▁'), Some(Shape::Parts(vec![[0.0, 0.875, 1.0, 0.125]])));
        assert_eq!(of('█'), Some(Shape::Parts(vec![[0.0, 0.0, 1.0, 1.0]])));
        assert_eq!(of('▏'), Some(Shape::Parts(vec![[0.0, 0.0, 0.125, 1.0]])));
    }

    #[test]
    fn nothing_leaves_its_cell() {
        let inside = |[left, top, width, height]: Part| {
            let fits =
                |from: f64, size: f64| from >= 0.0 && size > 0.0 && from + size <= 1.0 + 1e-9;
            fits(left, width) && fits(top, height)
        };
        for sign in '\u{2500}'..'\u{2600}' {
            if let Some(Shape::Parts(parts)) = of(sign) {
                assert!(!parts.is_empty(), "{sign}");
                assert!(parts.iter().copied().all(inside), "{sign}: {parts:?}");
            }
        }
    }

    #[test]
    fn letters_are_written() {
        for sign in ['a', ' ', '✗', '–', '…', '好'] {
            assert_eq!(of(sign), None);
        }
    }
}
