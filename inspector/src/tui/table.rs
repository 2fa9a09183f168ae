//! Tables: columns that say what they show and where it comes from, an order, and what fits.

use std::cmp::Ordering;

use ratatui::text::Line;

use super::{
    subject::Place,
    theme::{Glyphs, Theme},
    world::World,
};
use crate::{event::BootTime, ledger::Ledger};

/// What cells are drawn with.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    /// What there is to see.
    pub world: &'a World,
    /// Colours.
    pub theme: &'a Theme,
    /// Signs.
    pub glyphs: &'a Glyphs,
    /// The time that is shown.
    pub now: BootTime,
    /// Adds to a time since boot to give the time of day (UTC), in nanoseconds.
    pub boot_on_wall_ns: u64,
}

impl<'a> Look<'a> {
    /// What is known.
    pub fn ledger(&self) -> &'a Ledger {
        self.world.ledger()
    }
}

/// A row of some screen.
pub trait TableRow: Sized + 'static {
    /// The screen's columns.
    const COLUMNS: &'static [Column<Self>];
    /// The column it is sorted by at first, and whether downwards.
    const SORTED: (usize, bool);

    /// What it is about.
    fn place(&self) -> Place;
}

/// A column.
pub struct Column<R: 'static> {
    /// Its title.
    pub title: &'static str,
    /// Cells it needs.
    pub width: u16,
    /// Whether it takes what is left.
    pub grows: bool,
    /// Whether numbers stand at its right edge.
    pub right: bool,
    /// 0 = always there; of the others the highest leaves first where room is short.
    pub rank: u8,
    /// Whether it is there only where several processes live.
    pub many: bool,
    /// What it says.
    pub about: &'static str,
    /// Where that comes from.
    pub source: &'static str,
    /// The cell of a row.
    pub cell: for<'a> fn(&R, &Look<'a>, usize) -> Line<'static>,
    /// What it is sorted by.
    pub order: fn(&R) -> Order,
}

impl<R: 'static> Column<R> {
    /// A column that is always there, as wide as stated, its text at the left edge.
    pub const fn new(
        title: &'static str,
        width: u16,
        about: &'static str,
        source: &'static str,
        cell: for<'a> fn(&R, &Look<'a>, usize) -> Line<'static>,
        order: fn(&R) -> Order,
    ) -> Self {
        Self {
            title,
            width,
            grows: false,
            right: false,
            rank: 0,
            many: false,
            about,
            source,
            cell,
            order,
        }
    }

    /// The same, with its text at the right edge.
    pub const fn right(mut self) -> Self {
        self.right = true;
        self
    }

    /// The same, taking what is left.
    pub const fn grows(mut self) -> Self {
        self.grows = true;
        self
    }

    /// The same, only where several processes live.
    pub const fn many(mut self) -> Self {
        self.many = true;
        self
    }

    /// The same, leaving where room is short: the highest rank first.
    pub const fn rank(mut self, rank: u8) -> Self {
        self.rank = rank;
        self
    }
}

/// A value to sort by. What is not known stands last, either way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// A number.
    Number(u64),
    /// Text.
    Text(String),
    /// Not known.
    Unknown,
}

impl From<Option<u64>> for Order {
    fn from(number: Option<u64>) -> Self {
        number.map_or(Self::Unknown, Self::Number)
    }
}

impl Order {
    fn compare(&self, other: &Self, down: bool) -> Ordering {
        let ordering = match (self, other) {
            (Self::Number(one), Self::Number(other)) => one.cmp(other),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
            (Self::Unknown, Self::Unknown) => return Ordering::Equal,
            (Self::Unknown, _) => return Ordering::Greater,
            (_, Self::Unknown) => return Ordering::Less,
        };
        if down { ordering.reverse() } else { ordering }
    }
}

/// Sorts rows by a column. Rows that are alike there keep their order.
pub fn sort<R: TableRow>(rows: &mut [R], column: usize, down: bool) {
    let Some(column) = R::COLUMNS.get(column) else {
        return;
    };
    rows.sort_by_cached_key(|row| Ranked {
        by: (column.order)(row),
        down,
    });
}

/// A value to sort by, with its direction.
#[derive(PartialEq, Eq)]
struct Ranked {
    by: Order,
    down: bool,
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        self.by.compare(&other.by, self.down)
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What a layout must know of a column.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Cells it needs.
    pub width: u16,
    /// Whether it takes what is left.
    pub grows: bool,
    /// 0 = always there.
    pub rank: u8,
    /// Whether it is left out whatever room there is.
    pub hidden: bool,
}

/// Of a screen's columns, where several processes live or do not.
pub fn shapes<R>(columns: &[Column<R>], are_many: bool) -> Vec<Shape> {
    let shape = |column: &Column<R>| Shape {
        width: column.width,
        grows: column.grows,
        rank: column.rank,
        hidden: column.many && !are_many,
    };
    columns.iter().map(shape).collect()
}

/// Blank cells between two columns.
pub const GAP: u16 = 2;

/// Which columns fit into `width` cells, and how wide each is: those of the highest rank leave
/// first, and what is left over goes to those that grow.
pub fn fit(shapes: &[Shape], width: u16) -> Vec<(usize, u16)> {
    let mut kept: Vec<usize> = (0..shapes.len())
        .filter(|&index| !shapes[index].hidden)
        .collect();
    let needs = |kept: &[usize]| -> u32 {
        let cells: u32 = kept
            .iter()
            .map(|&index| u32::from(shapes[index].width))
            .sum();
        let gaps = u32::try_from(kept.len().saturating_sub(1)).unwrap_or(0) * u32::from(GAP);
        cells + gaps
    };
    while needs(&kept) > u32::from(width) {
        let Some(place) = (0..kept.len())
            .filter(|&place| shapes[kept[place]].rank > 0)
            .max_by_key(|&place| (shapes[kept[place]].rank, place))
        else {
            break;
        };
        kept.remove(place);
    }
    let spare = u32::from(width).saturating_sub(needs(&kept));
    let growing = kept.iter().filter(|&&index| shapes[index].grows).count();
    let growing = u32::try_from(growing).unwrap_or(1).max(1);
    let mut first = true;
    kept.into_iter()
        .map(|index| {
            let mut cells = u32::from(shapes[index].width);
            if shapes[index].grows {
                cells += spare / growing;
                if std::mem::take(&mut first) {
                    cells += spare % growing;
                }
            }
            (index, u16::try_from(cells).unwrap_or(u16::MAX))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(width: u16, rank: u8, grows: bool) -> Shape {
        Shape {
            width,
            grows,
            rank,
            hidden: false,
        }
    }

    #[test]
    fn the_least_important_columns_leave_first_and_the_rest_grows() {
        let shapes = [
            shape(10, 0, false),
            shape(8, 2, false),
            shape(8, 1, false),
            shape(10, 0, true),
        ];
        assert_eq!(fit(&shapes, 50), [(0, 10), (1, 8), (2, 8), (3, 18)]);
        assert_eq!(fit(&shapes, 40), [(0, 10), (2, 8), (3, 18)]);
        assert_eq!(fit(&shapes, 24), [(0, 10), (3, 12)]);
        assert_eq!(fit(&shapes, 5), [(0, 10), (3, 10)]);
        assert!(fit(&[], 5).is_empty());
        let hidden = Shape {
            hidden: true,
            ..shapes[0]
        };
        assert_eq!(fit(&[hidden, shapes[3]], 50), [(1, 50)]);
    }

    #[test]
    fn what_is_not_known_stands_last_either_way() {
        let (one, two) = (Order::Number(1), Order::Number(2));
        assert_eq!(one.compare(&two, false), Ordering::Less);
        assert_eq!(one.compare(&two, true), Ordering::Greater);
        for down in [false, true] {
            assert_eq!(Order::Unknown.compare(&one, down), Ordering::Greater);
            assert_eq!(one.compare(&Order::Unknown, down), Ordering::Less);
        }
    }
}
