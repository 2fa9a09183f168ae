//! A model that has seen a story, under a clock that stands still, and how it is looked at.

use std::{collections::BTreeMap, fmt::Write as _};

use crossterm::event::{KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use ratatui::{
    buffer::{Buffer, CellWidth as _},
    layout::{Rect, Size},
};

use crate::{
    event::{
        BootTime,
        id::Tgid,
        text::{Text, is_hostile},
    },
    lab::{MapKind, driver::News, entry::EntryKind, policy::Policy},
    ledger::LedgerRules,
    pipeline::story::Cast,
    source::{
        probe_set::{ProbeSet, ProbeSetKind, ProbeState, ProbeStatus},
        toll::Toll,
    },
    tui::{
        alarm::Alarms,
        keymap::{Key, Keymap},
        message::{Effect, Message},
        model::{Clock, Model, Setting, Source},
        rows::Screen,
        theme::Palette,
        update::update,
        view,
        watched::{Verb, Watched},
    },
};

/// Sizes at which screens are kept.
pub(in crate::tui) const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

/// Midnight of the machine's first day was so long before its boot: times of day begin at 14:00.
const BOOT_ON_WALL_NS: u64 = 14 * 3600 * 1_000_000_000;

/// A model with what it asked for.
pub(in crate::tui) struct Stage {
    pub(in crate::tui) model: Model,
    /// The effects of the last message.
    pub(in crate::tui) effects: Vec<Effect>,
    cast: Cast,
}

/// How a stage's model begins.
pub(in crate::tui) fn setting() -> Setting {
    let probe = |name, state| ProbeStatus {
        name,
        hook: format!("tp_btf/{name}"),
        without: "nothing is told",
        state,
    };
    Setting {
        rules: LedgerRules::default(),
        keymap: Keymap::default(),
        palette: Palette::Dark,
        ascii: false,
        alarms: Alarms::default(),
        lab: Some((MapKind::Mutex, EntryKind::Ticker, Policy::Bare)),
        watched: None,
        source: Source {
            probes: Some(ProbeSet {
                kind: ProbeSetKind::WithWaits,
                probes: vec![
                    probe("task_newtask", ProbeState::Attached),
                    probe("sched_switch", ProbeState::Attached),
                ],
            }),
            polls: None,
            ended: None,
        },
        replay: None,
        filters: Vec::new(),
    }
}

/// A setting without a lab: a process of somebody else's is watched.
pub(in crate::tui) fn attached() -> Setting {
    Setting {
        lab: None,
        watched: Some(Watched {
            verb: Verb::Attach,
            processes: vec![Tgid(100)],
            names: BTreeMap::new(),
            command: None,
            marks: 0,
            toll: Some(Toll {
                before_ns: 75,
                after_ns: 120,
            }),
            output: None,
            ended: None,
        }),
        ..setting()
    }
}

/// A setting with a command that was started for this.
pub(in crate::tui) fn running() -> Setting {
    let watched = attached().watched.map(|watched| Watched {
        verb: Verb::Run,
        command: Some(Text::from(&b"make -j2"[..])),
        output: Some(Text::from(&b"/tmp/run.log"[..])),
        ..watched
    });
    Setting {
        watched,
        ..attached()
    }
}

/// A setting without probes.
pub(in crate::tui) fn polling() -> Setting {
    Setting {
        source: Source {
            probes: None,
            polls: Some("no CAP_BPF".to_owned()),
            ended: None,
        },
        ..setting()
    }
}

impl Stage {
    /// The lab, at so many milliseconds, after a story.
    pub(in crate::tui) fn new(story: &str, ms: u64) -> Self {
        Self::with(setting(), story, ms)
    }

    /// The same, with another setting.
    pub(in crate::tui) fn with(setting: Setting, story: &str, ms: u64) -> Self {
        let in_lab = setting.lab.is_some();
        let clock = Clock {
            boot_on_wall_ns: BOOT_ON_WALL_NS,
            ..Clock::default()
        };
        let mut stage = Self {
            model: Model::new(setting, Size::new(120, 40), clock),
            effects: Vec::new(),
            cast: Cast::default(),
        };
        if in_lab {
            stage.send(Message::Lab(News::Started {
                pid: 100,
                uid: 1000,
                map: MapKind::Mutex,
            }));
        }
        stage.tell(story);
        stage.at(ms);
        stage
    }

    /// One message.
    pub(in crate::tui) fn send(&mut self, message: Message) -> &mut Self {
        self.effects = update(&mut self.model, message);
        self
    }

    /// More of the story.
    pub(in crate::tui) fn tell(&mut self, story: &str) -> &mut Self {
        for batch in self.cast.batches(story) {
            self.effects = update(&mut self.model, Message::Batch(batch));
        }
        self
    }

    /// Time passes, and the rows are made anew.
    pub(in crate::tui) fn at(&mut self, ms: u64) -> &mut Self {
        self.send(Message::Tick(BootTime(ms * 1_000_000)));
        self.refresh()
    }

    /// The rows are made anew.
    pub(in crate::tui) fn refresh(&mut self) -> &mut Self {
        self.send(Message::Refresh)
    }

    /// Keys, written as in the configuration, with blanks between them.
    pub(in crate::tui) fn press(&mut self, keys: &str) -> &mut Self {
        for key in keys.split_whitespace() {
            self.send(Message::Key(key_event(key)));
        }
        self
    }

    /// Each character as a key.
    pub(in crate::tui) fn type_in(&mut self, text: &str) -> &mut Self {
        for character in text.chars() {
            let code = crossterm::event::KeyCode::Char(character);
            self.send(Message::Key(code.into()));
        }
        self
    }

    /// A click of the left button.
    pub(in crate::tui) fn click(&mut self, column: u16, row: u16) -> &mut Self {
        self.mouse(MouseEventKind::Down(MouseButton::Left), column, row)
    }

    /// Anything of the mouse.
    pub(in crate::tui) fn mouse(
        &mut self,
        kind: MouseEventKind,
        column: u16,
        row: u16,
    ) -> &mut Self {
        self.send(Message::Mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers: crossterm::event::KeyModifiers::NONE,
        }))
    }

    /// A click on the first cell of a text that is shown.
    #[track_caller]
    pub(in crate::tui) fn click_on(&mut self, text: &str) -> &mut Self {
        let shown = self.text();
        let found = shown.lines().enumerate().find_map(|(row, line)| {
            let before = line.split_once(text)?.0;
            Some((before.cell_width(), u16::try_from(row).unwrap()))
        });
        let Some((column, row)) = found else {
            panic!("{text:?} is not on the screen:\n{shown}");
        };
        self.click(column, row)
    }

    pub(in crate::tui) fn resize(&mut self, (width, height): (u16, u16)) -> &mut Self {
        self.send(Message::Resized(Size::new(width, height)))
    }

    /// The cells as they are drawn.
    pub(in crate::tui) fn cells(&self) -> Buffer {
        let Size { width, height } = self.model.size;
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        let cursor = view::draw(&self.model, area, &mut buffer);
        if let Some(cursor) = cursor {
            assert!(area.contains(cursor), "the cursor stands outside: {cursor}");
        }
        check_cells(&buffer);
        buffer
    }

    /// The screen as text.
    pub(in crate::tui) fn text(&self) -> String {
        view::buffer_text(&self.cells())
    }

    /// What the screen's lines that hold a text are.
    pub(in crate::tui) fn lines_with(&self, text: &str) -> Vec<String> {
        let shown = self.text();
        let lines = shown.lines().filter(|line| line.contains(text));
        lines.map(|line| line.trim().to_owned()).collect()
    }

    /// The first word of each row: its key or its number.
    pub(in crate::tui) fn column(&mut self) -> Vec<String> {
        let areas = crate::tui::layout::Areas::of(&self.model);
        let shown = self.text();
        let rows = shown.lines().skip(usize::from(areas.body.y));
        let rows = rows
            .take(usize::from(areas.body.height))
            .take(self.model.rows.len());
        rows.map(|row| {
            let row = row.trim_start_matches(['▸', ' ']);
            row.split_whitespace().next().unwrap_or_default().to_owned()
        })
        .collect()
    }

    /// The first word of the selected row.
    pub(in crate::tui) fn selected(&mut self) -> String {
        let row = self.model.table().row - self.model.table().top;
        self.column().swap_remove(row)
    }

    /// What was asked for with the last message, in the words of its type.
    pub(in crate::tui) fn asked(&self) -> String {
        format!("{:?}", self.effects)
    }

    /// What was said last.
    pub(in crate::tui) fn note(&self) -> &str {
        self.model.note.as_ref().map_or("", |note| &note.text)
    }

    /// The screen at each of [`SIZES`].
    pub(in crate::tui) fn at_all_sizes(&mut self) -> String {
        self.at_sizes(&SIZES)
    }

    pub(in crate::tui) fn at_sizes(&mut self, sizes: &[(u16, u16)]) -> String {
        let mut text = String::new();
        for &(width, height) in sizes {
            self.resize((width, height)).refresh();
            writeln!(text, "{width}×{height}\n{}", self.text()).unwrap();
        }
        text
    }

    pub(in crate::tui) fn opened(mut self, screen: Screen) -> Self {
        self.press(&screen.number().to_string());
        self
    }
}

/// A key as the terminal reports it.
pub(in crate::tui) fn key_event(key: &str) -> KeyEvent {
    key.parse::<Key>().unwrap().event()
}

/// Every line is as wide as the screen, nothing drives the terminal, and no wide character is cut
/// by its neighbour.
#[track_caller]
fn check_cells(buffer: &Buffer) {
    let area = buffer.area;
    for y in area.top()..area.bottom() {
        let mut covered = 0;
        for x in area.left()..area.right() {
            let symbol = buffer[(x, y)].symbol();
            assert!(
                !symbol.chars().any(is_hostile),
                "{symbol:?} at {x},{y} drives the terminal"
            );
            if covered > 0 {
                assert_eq!(symbol, " ", "the right half of a character at {x},{y}");
                covered -= 1;
                continue;
            }
            let width = symbol.cell_width();
            assert!(width > 0, "{symbol:?} at {x},{y} takes no cell");
            covered = width - 1;
        }
        assert_eq!(covered, 0, "line {y} is wider than the screen");
    }
}

/// Compares with what is kept in `tests/snapshots`; `INSTA_UPDATE=always` keeps what is now.
#[track_caller]
pub(in crate::tui) fn keep(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}
