//! The loop: waits for events, keys, news and time, has the model updated and drawn, and does what
//! the model wants done.

mod keys;
pub mod manners;
mod output;
mod own;
mod play;
mod reread;
mod signals;

use std::{
    fs::File,
    io::{self, stdout},
    mem::ManuallyDrop,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use crossterm::{clipboard::CopyToClipboard, execute};
use ratatui::{Terminal as Screen, backend::CrosstermBackend, layout::Size};
use rustix::process::{Signal, getpid, kill_process};
use tokio::{
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval, sleep_until, timeout},
};

use self::{
    keys::read_keys,
    manners::{Closed, Manners},
    own::Looked,
    play::PLAY,
    signals::Signals,
};
use super::{
    message::{Effect, Message},
    model::{Model, Own, Setting, SourceEnd},
    tape::Tape,
    terminal::{Terminal, has_panicked, whole},
    update::update,
    view,
};
use crate::{
    duration::as_ns,
    event::{Batch, What},
    lab::driver::{Command, News},
    source::{Request, clock::boot_time, gauges::Gauges},
};

/// How often the tool looks at itself.
const LOOK: Duration = Duration::from_secs(1);
/// How often time passes on the screen when nothing else happens.
const TICK: Duration = Duration::from_millis(200);
/// Rows are made anew at most this often.
const ROWS: Duration = Duration::from_millis(50);
/// They are this old at most, though nothing has happened.
const STALE: Duration = Duration::from_secs(1);
/// And rest this many times as long as making them took.
const REST: u32 = 30;

/// How far the signal of a closed terminal may be behind the first write that fails.
const HANG_UP: Duration = Duration::from_millis(200);

/// What the loop is connected to.
pub struct Connections {
    /// What the source has sent already.
    pub early: Vec<Batch>,
    /// The source's events.
    pub batches: mpsc::Receiver<Batch>,
    /// How the source fares.
    pub gauges: Arc<Gauges>,
    /// A source that takes the place of that one: a poll begins with the process it polls.
    pub sources: mpsc::UnboundedReceiver<(mpsc::Receiver<Batch>, Arc<Gauges>)>,
    /// News of the lab's driver.
    pub news: mpsc::UnboundedReceiver<News>,
    /// What else there is to tell.
    pub says: mpsc::UnboundedReceiver<Message>,
    /// The file that takes what the command prints, where one is run.
    pub output: Option<File>,
    /// Orders for it.
    pub lab: Box<dyn FnMut(Command)>,
    /// Requests to the source.
    pub request: Box<dyn FnMut(Request)>,
    /// Writes down what happens, when that is asked for.
    pub tape: Option<Box<dyn Tape>>,
    /// Writes a new file as the invoking user (what, extension, content); says where, or why not.
    pub write: Write,
}

/// What, extension and content in; where it was written, or why not, out.
pub type Write = Box<dyn Fn(&str, &str, &[u8]) -> Result<String, String>>;

/// Shows the screen until the user leaves.
///
/// # Errors
/// The terminal's, and a panic of any thread; the terminal has been given back.
pub async fn run(
    setting: Setting,
    mut connections: Connections,
    manners: Manners,
) -> anyhow::Result<Closed> {
    let mut signals = Signals::new()?;
    let terminal = Terminal::take(manners.mouse).context("the terminal can't be taken over")?;
    // The terminal is given back by its owner above. This would show the cursor once more when it
    // is dropped, and panic where the terminal is gone.
    let screen = Screen::new(CrosstermBackend::new(stdout())).context("the terminal")?;
    let mut screen = ManuallyDrop::new(screen);
    let (width, height) = crossterm::terminal::size().context("the terminal's size")?;
    let clock = play::clock(&setting);
    let size = Size { width, height };
    let mut model = Model::new(setting, size, clock);
    let _nothing_to_do = update(&mut model, Message::Resized(size));
    let mut keys = read_keys();
    let tape = connections.tape.take();
    let mut app = App::new(model, manners, tape);
    for batch in std::mem::take(&mut connections.early) {
        app.take(batch);
    }
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut plays = interval(PLAY);
    plays.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let panics = manners.panic_after.map(|after| Instant::now() + after);
    let closed = loop {
        if has_panicked() {
            anyhow::bail!("a part of the program failed; its message stands above");
        }
        let frame = app.next_frame();
        let message = tokio::select! {
            biased;
            signal = signals.next() => break Closed::Signal(signal),
            Some(event) = keys.recv() => app.typed(event),
            Some(news) = connections.news.recv() => {
                if matches!(news, News::Marks(_)) {
                    // They come after everything that was sent before them.
                    while let Ok(batch) = connections.batches.try_recv() {
                        app.take(batch);
                    }
                }
                Some(Message::Lab(news))
            }
            Some(said) = connections.says.recv() => Some(said),
            Some((batches, gauges)) = connections.sources.recv() => {
                connections.batches = batches;
                connections.gauges = gauges;
                None
            }
            Some(batch) = connections.batches.recv() => {
                app.take(batch);
                None
            }
            () = sleep_until(frame.into()), if app.is_dirty => {
                if let Err(error) = app.draw(&mut screen) {
                    // The signal that tells of a closed terminal may come behind it.
                    match timeout(HANG_UP, signals.next()).await {
                        Ok(signal) => break Closed::Signal(signal),
                        Err(_) => return Err(error),
                    }
                }
                None
            }
            _ = ticks.tick() => {
                if panics.is_some_and(|at| Instant::now() >= at) {
                    panic!("asked for by --panic-after");
                }
                app.follow_output(&connections);
                Some(Message::Tick(boot_time()))
            }
            _ = plays.tick(), if app.plays() => {
                app.play();
                None
            }
            _ = looks.tick() => {
                app.reread(&mut connections);
                Some(Message::Own(Box::new(app.look(&connections.gauges))))
            }
        };
        let Some(message) = message else {
            continue;
        };
        match app.handle(message, &mut connections, &terminal, &mut screen)? {
            Next::GoOn => {}
            Next::Leave => break Closed::Left,
        }
    };
    drop(terminal);
    if let Some(mut tape) = app.tape {
        tape.finish(app.model.live.pipeline());
    }
    Ok(closed)
}

enum Next {
    GoOn,
    Leave,
}

/// The model, and when what is due.
struct App {
    model: Model,
    is_dirty: bool,
    drawn: Instant,
    frame: Duration,
    rows_due: Instant,
    /// When rows were made last.
    rows_made: Instant,
    /// Whether something has happened since.
    has_news: bool,
    /// When handles were read anew last, and how long the longest reading since took.
    reread: Instant,
    reread_took: Duration,
    /// When what the command printed was read last.
    output_read: Instant,
    looked: Looked,
    own: Own,
    tape: Option<Box<dyn Tape>>,
}

impl App {
    fn new(model: Model, manners: Manners, tape: Option<Box<dyn Tape>>) -> Self {
        let now = Instant::now();
        Self {
            model,
            is_dirty: true,
            drawn: now.checked_sub(Duration::from_secs(1)).unwrap_or(now),
            frame: Duration::from_secs(1) / u32::from(manners.frames.max(1)),
            rows_due: now,
            rows_made: now,
            has_news: true,
            reread: now.checked_sub(reread::EVERY).unwrap_or(now),
            reread_took: Duration::ZERO,
            output_read: now,
            looked: Looked::new(),
            own: Own::default(),
            tape,
        }
    }

    fn next_frame(&self) -> Instant {
        self.drawn + self.frame
    }

    /// Takes in events. The screen changes with them unless it is paused.
    fn take(&mut self, batch: Batch) {
        self.time_readings(&batch);
        let started = Instant::now();
        let is_silent = batch
            .events
            .iter()
            .all(|event| matches!(event.what, What::Tick));
        // Waits come all the time; they are seen when time passes.
        let tells = batch
            .events
            .iter()
            .any(|event| !matches!(event.what, What::Tick | What::Wait(_)));
        let end = batch.events.iter().find_map(|event| match &event.what {
            What::End(end) => Some(end.error.clone()),
            _ => None,
        });
        let recorded = self.tape.as_mut().filter(|tape| tape.listens());
        let written = recorded.map(|tape| (tape, batch.clone()));
        let _nothing_to_do = update(&mut self.model, Message::Batch(batch));
        if let Some((tape, batch)) = written {
            let world = &self.model.live;
            tape.take(batch, world.pipeline(), world.fallen());
        }
        self.own.batch_ns = as_ns(started.elapsed());
        if let Some(error) = end {
            let how = error.map_or(SourceEnd::TargetsGone, SourceEnd::Failed);
            let _nothing_to_do = update(&mut self.model, Message::SourceEnded(how));
        }
        self.is_dirty |= tells && self.model.frozen.is_none();
        self.has_news |= !is_silent;
    }

    fn handle(
        &mut self,
        message: Message,
        connections: &mut Connections,
        terminal: &Terminal,
        screen: &mut Screen<CrosstermBackend<io::Stdout>>,
    ) -> anyhow::Result<Next> {
        self.is_dirty = true;
        self.has_news |= !matches!(message, Message::Tick(_) | Message::Own(_));
        if let (Message::CommandEnded(ended), Some(tape)) = (&message, &mut self.tape) {
            tape.command_ended(ended.end, self.model.live.pipeline());
        }
        for effect in update(&mut self.model, message) {
            match effect {
                Effect::Lab(command) => (connections.lab)(command),
                Effect::Copy(text) => {
                    execute!(
                        stdout(),
                        CopyToClipboard::to_clipboard_from(text.as_bytes())
                    )
                    .context("the terminal")?;
                }
                Effect::Write {
                    what,
                    extension,
                    content,
                } => {
                    let done = (connections.write)(what, extension, content.as_bytes());
                    let done = done.map(|place| format!("wrote {place}"));
                    let _nothing_to_do = update(&mut self.model, Message::Done(done));
                }
                Effect::Audit => {
                    let (done, _nobody_waits) = oneshot::channel();
                    (connections.request)(Request::Audit { heal: true, done });
                }
                Effect::Reread { tgid, fds } => {
                    let (done, _nobody_waits) = oneshot::channel();
                    (connections.request)(Request::Refresh { tgid, fds, done });
                }
                Effect::Record => {
                    if let Some(tape) = &mut self.tape {
                        let done = tape.press(self.model.live.pipeline());
                        let _nothing_to_do = update(&mut self.model, Message::Done(done));
                    }
                    self.tell_tape();
                }
                Effect::ReadOutput => self.read_output(connections),
                Effect::Redraw => screen.clear().context("the terminal")?,
                Effect::Suspend => {
                    terminal
                        .lend(|| {
                            let _stays_awake = kill_process(getpid(), Signal::TSTP);
                        })
                        .context("the terminal")?;
                    screen.clear().context("the terminal")?;
                }
                Effect::Quit => return Ok(Next::Leave),
            }
        }
        self.play_on();
        Ok(Next::GoOn)
    }

    fn draw(&mut self, screen: &mut Screen<CrosstermBackend<io::Stdout>>) -> anyhow::Result<()> {
        let started = Instant::now();
        // Asked for, because crossterm forgets a resize that comes together with a key; a model that
        // took a smaller terminal for a larger one would draw nothing.
        let size = screen.size().context("the terminal's size")?;
        if size != self.model.size {
            let _nothing_to_do = update(&mut self.model, Message::Resized(size));
        }
        let is_old =
            self.has_news || self.rows_made.elapsed() >= STALE || self.model.rows.is_moving();
        if is_old && started >= self.rows_due {
            self.has_news = false;
            let _nothing_to_do = update(&mut self.model, Message::Tick(boot_time()));
            let _nothing_to_do = update(&mut self.model, Message::Refresh);
            let took = started.elapsed();
            self.own.rows_ns = as_ns(took);
            self.rows_made = Instant::now();
            self.rows_due = self.rows_made + ROWS.max(took * REST);
            self.is_dirty = false;
        } else {
            // Rows that are older than what is known are drawn again when they are due.
            self.is_dirty = is_old && self.model.frozen.is_none();
        }
        let drawing = Instant::now();
        let paint = |frame: &mut ratatui::Frame<'_>| {
            let area = frame.area();
            let cursor = view::draw(&self.model, area, frame.buffer_mut());
            if let Some(cursor) = cursor {
                frame.set_cursor_position(cursor);
            }
        };
        whole(|| screen.draw(paint).map(drop)).context("the terminal can't be drawn on")?;
        self.own.frame_ns = as_ns(drawing.elapsed());
        self.drawn = Instant::now();
        Ok(())
    }

    fn tell_tape(&mut self) {
        let state = self.tape.as_ref().and_then(|tape| tape.state());
        let _nothing_to_do = update(&mut self.model, Message::Recording(state));
    }

    fn look(&mut self, gauges: &Gauges) -> Own {
        self.tell_tape();
        let kinds = *self.model.live.kinds();
        self.looked.look(kinds, gauges.read(), &self.own)
    }
}
