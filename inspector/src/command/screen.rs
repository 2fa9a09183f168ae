//! The interactive lab: wires source, driver and screen together.

use std::{
    fs::OpenOptions,
    io::{self, IsTerminal as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError, mpsc as requests},
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use tokio::sync::{mpsc, oneshot};

use super::{MET, detect, tell};
use crate::{
    cli::LabArgs,
    config::{self, Config},
    event::{Batch, id::Tgid},
    lab::{
        account::{self, Account, Invoker, choose},
        driver::{Command, Driver, Hooks, News},
    },
    ledger::LedgerRules,
    source::{Request, Running, SourceKind, gauges::Gauges, probe_set::ProbeSet},
    tui::{
        alarm::Alarms,
        app::{
            self, Connections,
            manners::{Closed, Manners},
        },
        model::{Setting, Source},
        rows::Screen,
        theme::Palette,
        update::lab::FIRST_ENTRIES,
    },
};

/// Why there can be no screen here; `None` = there can.
pub(super) fn hindrance() -> Option<&'static str> {
    if !io::stdin().is_terminal() {
        return Some("standard input is not a terminal");
    }
    if !io::stdout().is_terminal() {
        return Some("standard output is not a terminal");
    }
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    is_dumb.then_some("the terminal says it is dumb (TERM)")
}

/// Shows the screen until the user leaves.
///
/// # Errors
///
/// What kept the screen, the source or the configuration from working.
pub(super) fn run(args: &LabArgs) -> anyhow::Result<ExitCode> {
    let mut config = Config::load(args.screen.config.path.as_deref())?;
    config
        .grace
        .set_from_cli(args.grace.map(Duration::from_millis));
    config.theme.set_from_cli(args.screen.theme);
    config.ascii.set_from_cli(args.screen.ascii.then_some(true));
    config.lab.map.set_from_cli(args.map);
    let choice = choose(&Invoker::of_this_process(args.as_user.as_deref()))?;
    for notice in choice.notice.iter().chain(&config.notice) {
        tell(notice);
    }
    let owner = account::through_sudo(&Invoker::of_this_process(None))?;
    let link = Link::new(args)?;
    let setting = setting(&config, link.source())?;
    let manners = Manners {
        mouse: config.mouse.value,
        frames: config.frames.value,
        panic_after: args.screen.panic_after.map(Duration::from_millis),
    };
    let closed = link.show(setting, manners, choice.account, owner)?;
    Ok(match closed {
        Closed::Left => ExitCode::from(MET),
        // As a shell tells of a signal.
        Closed::Signal(signal) => ExitCode::from(128 + u8::try_from(signal).unwrap_or(0)),
    })
}

/// What the screen begins with.
fn setting(config: &Config, source: Source) -> anyhow::Result<Setting> {
    let filters = [
        (Screen::Entries, &config.filters.entries),
        (Screen::Threads, &config.filters.threads),
        (Screen::Handles, &config.filters.handles),
        (Screen::Waits, &config.filters.waits),
        (Screen::Events, &config.filters.events),
    ];
    for (screen, filter) in &filters {
        crate::tui::filter::parse(&filter.value, screen.fields()).map_err(|error| {
            anyhow!(
                "the filter {:?} of {} ({}) is wrong at its byte {}: {error}",
                filter.value,
                screen.title(),
                filter.from,
                error.at
            )
        })?;
    }
    let lab = &config.lab;
    let alarms = &config.alarms;
    Ok(Setting {
        rules: LedgerRules {
            grace_ns: u64::try_from(config.grace.value.as_nanos()).unwrap_or(u64::MAX),
            ..LedgerRules::default()
        },
        keymap: config.keys.map.clone(),
        palette: match config.theme.value {
            config::Theme::Dark => Palette::Dark,
            config::Theme::Light => Palette::Light,
            config::Theme::Mono => Palette::Mono,
        },
        ascii: config.ascii.value,
        alarms: Alarms::new(
            alarms.threads.value,
            alarms.handles.value,
            alarms.retained.value,
        ),
        lab: Some((lab.map.value, lab.entry.value, lab.policy.value)),
        watched: None,
        source,
        filters: filters
            .map(|(screen, filter)| (screen, filter.value.clone()))
            .into(),
    })
}

type Feed = (mpsc::Receiver<Batch>, Arc<Gauges>);

/// The source, which the driver's thread and the screen share.
struct Link {
    /// Where requests go; a poll's come when it has begun.
    requests: Arc<Mutex<requests::Sender<Request>>>,
    feed: Feed,
    probes: Option<ProbeSet>,
    /// Why /proc is polled.
    polls: Option<String>,
    /// The probes' thread, which detaches them at its end.
    thread: Option<JoinHandle<()>>,
}

impl Link {
    fn new(args: &LabArgs) -> anyhow::Result<Self> {
        Ok(
            match detect::probes(args.poll, &args.kernel.load_options())? {
                Ok(Running {
                    batches,
                    requests,
                    gauges,
                    kind,
                    thread,
                }) => Self {
                    requests: Arc::new(Mutex::new(requests)),
                    feed: (batches, gauges),
                    probes: match kind {
                        SourceKind::Ebpf(probes) => Some(probes),
                        SourceKind::Polling { .. } => None,
                    },
                    polls: None,
                    thread: Some(thread),
                },
                Err(why) => Self {
                    // Nobody listens until there is something to poll.
                    requests: Arc::new(Mutex::new(requests::channel().0)),
                    feed: (mpsc::channel(1).1, Arc::default()),
                    probes: None,
                    polls: Some(why),
                    thread: None,
                },
            },
        )
    }

    fn source(&self) -> Source {
        Source {
            probes: self.probes.clone(),
            polls: self.polls.clone(),
            ended: None,
        }
    }

    fn show(
        self,
        setting: Setting,
        manners: Manners,
        account: Option<Account>,
        owner: Option<Account>,
    ) -> anyhow::Result<Closed> {
        let (news, heard) = mpsc::unbounded_channel();
        let (feeds, sources) = mpsc::unbounded_channel();
        let hooks = self.hooks(news, feeds);
        let (map, entry, _) = setting.lab.context("this is the lab's screen")?;
        let driver = Driver::start(Path::new("/proc/self/exe"), account, map, hooks)
            .context("the lab's driver can't be started")?;
        for _ in 0..FIRST_ENTRIES {
            driver.send(Command::Store { count: 1, entry });
        }
        let requests = Arc::clone(&self.requests);
        let connections = Connections {
            batches: self.feed.0,
            gauges: self.feed.1,
            sources,
            news: heard,
            lab: Box::new(move |command| driver.send(command)),
            request: Box::new(move |request| send(&requests, request)),
            write: Box::new(move |what, extension, content| {
                write(owner.as_ref(), what, extension, content)
            }),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("the screen's loop can't be started")?;
        // The connections end with it: the lab's child with its driver, and nobody reads the
        // source any more.
        let closed = runtime.block_on(app::run(setting, connections, manners));
        runtime.shutdown_background();
        send(&self.requests, Request::Stop);
        if let Some(thread) = self.thread {
            detect::wait_for(thread, || {
                tell("the kernel is still detaching the probes; this ends when it has");
            });
        }
        closed
    }

    /// What the driver's thread does with a child and with news.
    fn hooks(
        &self,
        news: mpsc::UnboundedSender<News>,
        feeds: mpsc::UnboundedSender<Feed>,
    ) -> Hooks {
        let shared = Arc::clone(&self.requests);
        let polls = self.polls.clone();
        let follow = move |pid| match (ask_to_follow(&shared, pid), &polls) {
            (Followed::Yes, _) => Ok(()),
            (Followed::Refused(why), _) => Err(anyhow!(why)),
            (Followed::NobodyListens, None) => Err(anyhow!("the source has ended")),
            (Followed::NobodyListens, Some(why)) => {
                let running = detect::poll(pid, why)?;
                *shared.lock().unwrap_or_else(PoisonError::into_inner) = running.requests;
                let _screen_is_closing = feeds.send((running.batches, running.gauges));
                Ok(())
            }
        };
        let shared = Arc::clone(&self.requests);
        let drain = move || {
            let (done, answer) = oneshot::channel();
            send(&shared, Request::Drain(done));
            answer.blocking_recv().context("the source has ended")
        };
        Hooks {
            follow: Box::new(follow),
            drain: match &self.polls {
                Some(_) => Some(Box::new(drain)),
                None => None,
            },
            news: Box::new(move |one| news.send(one).is_ok()),
        }
    }
}

enum Followed {
    Yes,
    Refused(String),
    NobodyListens,
}

fn ask_to_follow(requests: &Mutex<requests::Sender<Request>>, pid: u32) -> Followed {
    let (done, answer) = oneshot::channel();
    let tgid = Tgid(pid);
    send(requests, Request::Follow { tgid, done });
    match answer.blocking_recv() {
        Ok(Ok(_)) => Followed::Yes,
        Ok(Err(why)) => Followed::Refused(why),
        Err(_) => Followed::NobodyListens,
    }
}

/// A source that has ended does not listen, and its answer's channel closes.
fn send(requests: &Mutex<requests::Sender<Request>>, request: Request) {
    let requests = requests.lock().unwrap_or_else(PoisonError::into_inner);
    let _may_have_ended = requests.send(request);
}

/// Writes a new file in the current folder as its owner-to-be: root that has shed its privileges
/// may not write where the user may, and the file is the user's.
fn write(
    owner: Option<&Account>,
    what: &str,
    extension: &str,
    content: &[u8],
) -> Result<String, String> {
    let seconds = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
    let name = format!(
        "inspector-{what}-{}.{extension}",
        seconds.map_or(0, |since| since.as_millis())
    );
    let written = thread::scope(|scope| {
        let writer = scope.spawn(|| -> io::Result<()> {
            if let Some(owner) = owner {
                // Of this thread alone, which then ends.
                owner.become_it()?;
            }
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&name)?;
            file.write_all(content)?;
            file.sync_all()
        });
        writer
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the writer failed")))
    });
    match written {
        Ok(()) => Ok(name),
        Err(error) => Err(format!(
            "{name} could not be written in this folder: {error}"
        )),
    }
}
