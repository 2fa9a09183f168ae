//! Where everything stands: the same for whoever draws it and whoever asks what was clicked.

use ratatui::layout::{Rect, Size};

use super::{
    model::Model,
    rows::Screen,
    table::{self, GAP},
};

/// The parts of the screen; those without room are empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Areas {
    /// What is watched, and how long.
    pub title: Rect,
    /// Warnings: polling, an alarm, what ended.
    pub banner: Rect,
    /// Live counts over time.
    pub chart: Rect,
    /// Where in the recording it is.
    pub scrubber: Rect,
    /// Tabs and the filter.
    pub tabs: Rect,
    /// How near limits are.
    pub limits: Rect,
    /// Column titles.
    pub head: Rect,
    /// Rows.
    pub body: Rect,
    /// What is said of what is shown, below it.
    pub words: Rect,
    /// The line between rows and the detail pane.
    pub rule: Rect,
    /// The detail pane.
    pub detail: Rect,
    /// The source's and the tool's own state.
    pub status: Rect,
    /// Keys, or what was said last.
    pub keys: Rect,
}

/// Cells before a row, for the cursor.
pub const MARGIN: u16 = 2;

impl Areas {
    /// For the model's size and state.
    pub fn of(model: &Model) -> Self {
        let Size { width, height } = model.size;
        let mut top = 0;
        let mut take = |rows: u16| {
            let rows = rows.min(height.saturating_sub(top));
            let area = Rect::new(0, top, width, rows);
            top += rows;
            area
        };
        let title = take(1);
        let banners = u16::try_from(super::view::banner::lines(model).len()).unwrap_or(0);
        let banner = take(banners.min(height / 4));
        let is_triage = model.screen == Screen::Triage;
        let chart = take(match height {
            0..18 => 0,
            18..32 if is_triage => 0,
            18..32 => 2,
            // The deletes stand on the scrubber.
            _ if model.replay.is_some() => 2,
            _ => 3,
        });
        let scrubber = take(u16::from(model.replay.is_some() && height >= 8));
        let tabs = take(1);
        let limits = take(match height {
            _ if !is_triage => 0,
            0..18 => super::view::triage::limits_height(model).min(2),
            _ => super::view::triage::limits_height(model),
        });
        let head = take(1);
        let rest = height.saturating_sub(top);
        let foot = 2.min(rest.saturating_sub(1));
        let said = match height {
            _ if !is_triage => 0,
            0..18 => 1,
            _ => super::view::triage::said_height(model),
        };
        let said = said.min((rest - foot).saturating_sub(1));
        let middle = rest - foot - said;
        // The pane that keys go to is the larger one.
        let detail_rows = match (height, model.in_detail()) {
            (0..14, false) => 0,
            (14..30, false) if is_triage => 0,
            (_, true) => focused(model, middle),
            (14..22, false) => middle / 3,
            (_, false) => (middle * 2 / 5).min(14),
        };
        let rule_rows = u16::from(detail_rows > 0);
        let mut from = top;
        let mut take = |rows: u16| {
            let area = Rect::new(0, from, width, rows);
            from += rows;
            area
        };
        let body = take(middle - detail_rows.min(middle));
        let rule = take(rule_rows.min(detail_rows));
        let detail = take(detail_rows.saturating_sub(rule_rows));
        let words = take(said);
        let status = take(foot.min(1));
        let keys = take(foot.saturating_sub(1));
        Self {
            title,
            banner,
            chart,
            scrubber,
            tabs,
            limits,
            head,
            body,
            rule,
            detail,
            words,
            status,
            keys,
        }
    }
}

/// Rows of a detail pane that keys go to: what its story takes, and three quarters at most.
fn focused(model: &Model, middle: u16) -> u16 {
    let needs = super::view::detail::height(model).saturating_add(2);
    needs
        .max((middle * 2 / 5).min(14))
        .min((middle * 3 / 4).max(4))
        .min(middle)
}

/// The columns that are seen: index, first cell and width of each.
pub fn columns(model: &Model, width: u16) -> Vec<(usize, u16, u16)> {
    let mut at = MARGIN;
    table::fit(
        &model.rows.shapes(model.are_many),
        width.saturating_sub(MARGIN),
    )
    .into_iter()
    .map(|(index, width)| {
        let column = (index, at, width);
        at = at.saturating_add(width).saturating_add(GAP);
        column
    })
    .collect()
}

/// The tabs: what each says, and where it begins. Where room is short the open one alone is named.
pub fn tabs(open: Screen, in_lab: bool, width: u16) -> Vec<(Screen, u16, String)> {
    let mut at = 0_u16;
    // Where what stands behind the tabs has room too.
    let brackets = if in_lab { 80 } else { 94 };
    let mut tab = |screen: Screen| {
        let (number, title) = (screen.number(), screen.title());
        let (text, gap) = match width {
            0..48 if screen != open => (number.to_string(), 1),
            _ if width < brackets => (format!("{number} {title}"), 1),
            _ => (format!("[{number}] {title}"), 2),
        };
        let from = at;
        let cells = u16::try_from(text.len()).unwrap_or(u16::MAX);
        at = at.saturating_add(cells).saturating_add(gap);
        (screen, from, text)
    };
    Screen::of(in_lab).iter().copied().map(&mut tab).collect()
}
