//! `attach` and `run`: any process on the screen.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::{self, File, OpenOptions},
    os::unix::{ffi::OsStrExt as _, fs::OpenOptionsExt as _},
    path::{Path, PathBuf},
    process::{ExitCode, ExitStatus},
    time::Duration,
};

use anyhow::{Context as _, bail};
use tokio::sync::mpsc;

use super::{
    as_account, configured, hindrance, left, manners, setting, show, tape::ScreenTape, writer,
};
use crate::{
    cli::{
        ScreenArgs,
        any::{AttachArgs, RunArgs},
        record::TapeArgs,
    },
    command::{
        any::{Aim, Opened},
        detect, elevate, members,
        start::{self, Manner},
        tell,
        watched::end,
    },
    config::Config,
    event::{id::Tgid, text::Text},
    launch::{Stdin, status},
    source::{
        Request, SourceKind,
        ebpf::session::Until,
        toll::{self, Toll},
    },
    target::Roots,
    trace::meta,
    tui::{
        app::{Connections, manners::Closed},
        message::Message,
        model::Source,
        watched::{Ended, Verb, Watched},
    },
};

/// How long a command that was told to end may take before it is left alone.
const PATIENCE: Duration = Duration::from_secs(3);

/// Attaches to running processes and shows them until the user leaves.
///
/// # Errors
/// Who can't be watched, and what kept the screen or the source from working.
pub(in crate::command) fn attach(args: &AttachArgs) -> anyhow::Result<ExitCode> {
    let wanted = args.target.wanted();
    if wanted.is_empty() {
        bail!("say who: -p PID, --comm NAME, --cgroup PATH or --container ID");
    }
    let found = wanted.find(&Roots::here())?;
    need_screen()?;
    let config = configured(&args.screen, args.watch.grace)?;
    let before_ns = toll::measure();
    let (_nobody_says, heard) = mpsc::unbounded_channel();
    let opened = Aim::at(&found, &args.watch, &args.kernel).open()?;
    let watched = watched(Verb::Attach, found.processes, &opened, before_ns);
    let from = (heard, None);
    let of = meta::Watched::processes(watched.processes.iter().map(|tgid| tgid.0));
    let tape = tape(&args.tape, of, &config, &opened)?;
    let closed = look(
        &config,
        &args.screen,
        opened,
        found.groups,
        watched,
        from,
        tape,
    )?;
    Ok(left(closed))
}

/// Starts a command and shows it until the user leaves; the command's exit code is passed on.
///
/// # Errors
/// What kept the command from starting, and the screen or the source from working.
pub(in crate::command) fn run_command(args: &RunArgs) -> anyhow::Result<ExitCode> {
    need_screen()?;
    let config = configured(&args.screen, args.watch.grace)?;
    let (log, place) = match (&args.command.taken, &args.output) {
        // The file is open already where the command comes from.
        (Some(_), Some(place)) => (None, place.clone()),
        _ => log_file(args.output.as_deref(), args.command.as_user.as_deref())?,
    };
    if elevate::is_asked(&args.command) {
        let mut added = OsString::from("--output=");
        added.push(&place);
        let added = if args.output.is_none() {
            vec![added]
        } else {
            Vec::new()
        };
        let passed = elevate::run(&args.command, &args.line, log, true, &added)?;
        return Ok(passed.into());
    }
    let output = printed(log.as_ref(), &place, args.command.as_user.as_deref())?;
    let manner = Manner {
        output: log,
        stdin: Stdin::Null,
        own_session: true,
    };
    let prepared = start::prepare(&args.command, &args.line, manner)?;
    let pid = prepared.waiting.pid();
    let until = Until::Stopped;
    let aim = Aim::at_command(pid, prepared.program, until, &args.watch, &args.kernel);
    let before_ns = toll::measure();
    let started = aim.open().and_then(|opened| {
        let process = prepared.waiting.go()?;
        Ok((opened, process))
    });
    let (opened, process) = started.inspect_err(|_| {
        if args.output.is_none() {
            // Nothing was printed: nobody misses it.
            let _stays_in_the_temporary_folder = fs::remove_file(&place);
        }
    })?;
    let (says, heard) = mpsc::unbounded_channel();
    let ended = move |status: ExitStatus| {
        let ended = Ended {
            how: status::words(status),
            is_failure: !status.success(),
            end: end(status),
        };
        let _screen_may_be_closed = says.send(Message::CommandEnded(ended));
    };
    let mut command = start::Running::new(process, true, ended)?;
    let line = Text::from(prepared.words.clone().into_bytes());
    let watched = Watched {
        command: Some(line),
        output: Some(Text::from(place.as_os_str().as_bytes())),
        ..watched(Verb::Run, vec![Tgid(command.pid)], &opened, before_ns)
    };
    let from = (heard, Some(output));
    let words = args.line.iter().map(|word| word.as_bytes());
    let of = meta::Watched::command(words, command.pid);
    let shown = tape(&args.tape, of, &config, &opened).and_then(|tape| {
        look(
            &config,
            &args.screen,
            opened,
            Vec::new(),
            watched,
            from,
            tape,
        )
    });
    tell(&format!("what it printed stands in {}", place.display()));
    let shown = shown?;
    if let Ok(status) = command.ended.try_recv() {
        return Ok(ExitCode::from(status::code(status)));
    }
    command.terminate();
    match command.wait(PATIENCE) {
        Some(status) => Ok(ExitCode::from(status::code(status))),
        None => {
            tell(&format!(
                "{} (pid {}) was told to end and goes on, unwatched",
                Text::from(prepared.words.into_bytes()),
                command.pid
            ));
            Ok(left(shown))
        }
    }
}

/// What writes down all that happens, from now on or when it is asked to.
fn tape(
    args: &TapeArgs,
    of: meta::Watched,
    config: &Config,
    opened: &Opened,
) -> anyhow::Result<ScreenTape> {
    ScreenTape::begun(args, of, opened.running.kind.clone(), config.ledger_rules())
}

/// Shows what a source tells until the user leaves, and detaches.
fn look(
    config: &Config,
    screen: &ScreenArgs,
    opened: Opened,
    groups: Vec<PathBuf>,
    watched: Watched,
    (says, output): (mpsc::UnboundedReceiver<Message>, Option<File>),
    tape: ScreenTape,
) -> anyhow::Result<Closed> {
    let (probes, polls) = match &opened.running.kind {
        SourceKind::Ebpf(probes) => (Some(probes.clone()), None),
        SourceKind::Polling { why, .. } => (None, Some(why.clone())),
    };
    let source = Source {
        probes,
        polls,
        ended: None,
    };
    let followed = watched.processes.clone();
    let setting = setting(config, source, None, Some(watched))?;
    let requests = opened.running.requests.clone();
    let asks = requests.clone();
    members::follow(groups, &followed, requests.clone())?;
    let connections = Connections {
        early: opened.early,
        batches: opened.running.batches,
        gauges: opened.running.gauges,
        sources: mpsc::unbounded_channel().1,
        news: mpsc::unbounded_channel().1,
        says,
        output,
        tape: Some(Box::new(tape)),
        lab: Box::new(|_| {}),
        // A source that has ended does not listen.
        request: Box::new(move |request| drop(asks.send(request))),
        write: writer()?,
    };
    let closed = show(setting, connections, manners(config, screen));
    drop(requests.send(Request::Stop));
    detect::wait_for(opened.running.thread, || {
        tell("the kernel is still detaching the probes; this ends when it has");
    });
    closed
}

/// What is watched, as far as both verbs know it. `before_ns` is what a system call cost before
/// anything was attached.
fn watched(verb: Verb, processes: Vec<Tgid>, opened: &Opened, before_ns: u64) -> Watched {
    let has_probes = matches!(opened.running.kind, SourceKind::Ebpf(_));
    Watched {
        verb,
        processes,
        names: BTreeMap::new(),
        command: None,
        marks: opened.marks,
        toll: has_probes.then(|| Toll {
            before_ns,
            after_ns: toll::measure(),
        }),
        output: None,
        ended: None,
    }
}

/// The file that takes the command's output, to be read: opened now, for later root may not be able
/// to read it, and as the command's user, for it is theirs to say what is read there.
fn printed(log: Option<&File>, place: &Path, as_user: Option<&str>) -> anyhow::Result<File> {
    let opened = match log {
        Some(log) => log.try_clone(),
        None => {
            let owner = start::account(as_user)?;
            as_account(owner.as_ref(), || File::open(place))
        }
    };
    opened.with_context(|| format!("{} can't be read", place.display()))
}

/// The file that takes the command's output, which belongs to the command's user.
fn log_file(
    asked: Option<&Path>,
    as_user: Option<&str>,
) -> anyhow::Result<(Option<File>, PathBuf)> {
    let name = || std::env::temp_dir().join(format!("inspector-run-{}.log", std::process::id()));
    let place = asked.map_or_else(name, Path::to_owned);
    let owner = start::account(as_user)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    if asked.is_some() {
        options.create(true).truncate(true);
    } else {
        // Nobody else's file or link in a folder that all may write in.
        options.create_new(true);
    }
    let file = as_account(owner.as_ref(), || options.open(&place));
    let file = file.with_context(|| {
        format!(
            "{} can't be written; --output FILE names another",
            place.display()
        )
    })?;
    Ok((Some(file), place))
}

fn need_screen() -> anyhow::Result<()> {
    match hindrance() {
        None => Ok(()),
        Some(why) => bail!("{why}: `inspector report` watches without a screen"),
    }
}
