//! The interactive lab: wires source, driver and screen together.

use std::{
    path::Path,
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError, mpsc as requests},
    thread::JoinHandle,
};

use anyhow::{Context as _, anyhow};
use tokio::sync::{mpsc, oneshot};

use super::{configured, left, manners, setting, show, tape::ScreenTape, writer};
use crate::{
    cli::{LabArgs, record::RecordingArgs},
    command::{detect, tell},
    event::{Batch, id::Tgid},
    lab::{
        account::{Account, Invoker, choose},
        driver::{Command, Driver, Hooks, News},
    },
    ledger::LedgerRules,
    source::{Request, Running, SourceKind, gauges::Gauges, probe_set::ProbeSet},
    trace::meta,
    tui::{
        app::{
            Connections, Write,
            manners::{Closed, Manners},
        },
        model::{Setting, Source},
        update::lab::FIRST_ENTRIES,
    },
};

/// Shows the screen until the user leaves.
///
/// # Errors
///
/// What kept the screen, the source or the configuration from working.
pub(in crate::command) fn run(args: &LabArgs) -> anyhow::Result<ExitCode> {
    let grace = args.grace.map(std::time::Duration::from_millis);
    let mut config = configured(&args.screen, grace)?;
    config.lab.map.set_from_cli(args.map);
    let choice = choose(&Invoker::of_this_process(args.as_user.as_deref()))?;
    if let Some(notice) = &choice.notice {
        tell(notice);
    }
    let write = writer()?;
    let link = Link::new(args)?;
    let lab = &config.lab;
    let first = (lab.map.value, lab.entry.value, lab.policy.value);
    let setting = setting(&config, link.source(), Some(first), None)?;
    let manners = manners(&config, &args.screen);
    Ok(left(link.show(setting, manners, choice.account, write)?))
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
            match detect::probes(args.poll, &args.kernel.load_options(true))? {
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

    fn tape(&self, rules: LedgerRules) -> ScreenTape {
        let source = match (&self.probes, &self.polls) {
            (Some(probes), _) => SourceKind::Ebpf(probes.clone()),
            (None, why) => SourceKind::Polling {
                every: detect::POLL_EVERY,
                why: why.clone().unwrap_or_default(),
            },
        };
        let (how, watched) = (RecordingArgs::default(), meta::Watched::lab());
        ScreenTape::new(how, watched, source, rules)
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
        write: Write,
    ) -> anyhow::Result<Closed> {
        let (news, heard) = mpsc::unbounded_channel();
        let (feeds, sources) = mpsc::unbounded_channel();
        let tape = self.tape(setting.rules);
        let hooks = self.hooks(news, feeds);
        let (map, entry, _) = setting.lab.context("this is the lab's screen")?;
        let driver = Driver::start(Path::new("/proc/self/exe"), account, map, hooks)
            .context("the lab's driver can't be started")?;
        for _ in 0..FIRST_ENTRIES {
            driver.send(Command::Store { count: 1, entry });
        }
        let requests = Arc::clone(&self.requests);
        let connections = Connections {
            early: Vec::new(),
            output: None,
            tape: Some(Box::new(tape)),
            says: mpsc::unbounded_channel().1,
            batches: self.feed.0,
            gauges: self.feed.1,
            sources,
            news: heard,
            lab: Box::new(move |command| driver.send(command)),
            request: Box::new(move |request| send(&requests, request)),
            write,
        };
        // The lab's child ends with its driver, and nobody reads the source any more.
        let closed = show(setting, connections, manners);
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
