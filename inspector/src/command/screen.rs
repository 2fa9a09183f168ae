//! The interactive screen: what its verbs have in common.

mod lab;
mod replay;
mod tape;
mod target;

use std::{
    fs::OpenOptions,
    io::{self, IsTerminal as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    process::ExitCode,
    thread,
    time::Duration,
};

use anyhow::{Context as _, anyhow};

pub(super) use self::{
    lab::run,
    replay::replay,
    target::{attach, run_command},
};
use super::{MET, tell};
use crate::{
    cli::ScreenArgs,
    config::{self, Config},
    lab::{
        MapKind,
        account::{Account, Invoker, through_sudo},
        entry::EntryKind,
        policy::Policy,
    },
    tui::{
        alarm::Alarms,
        app::{
            self, Connections, Write,
            manners::{Closed, Manners},
        },
        model::{Setting, Source},
        rows::Screen,
        theme::Palette,
        watched::Watched,
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

/// The configuration, as the command line overrides it.
fn configured(screen: &ScreenArgs, grace: Option<Duration>) -> anyhow::Result<Config> {
    let mut config = Config::load(screen.config.path.as_deref())?;
    config.grace.set_from_cli(grace);
    config.theme.set_from_cli(screen.theme);
    config.ascii.set_from_cli(screen.ascii.then_some(true));
    if let Some(notice) = &config.notice {
        tell(notice);
    }
    Ok(config)
}

fn manners(config: &Config, screen: &ScreenArgs) -> Manners {
    Manners {
        mouse: config.mouse.value,
        frames: config.frames.value,
        panic_after: screen.panic_after.map(Duration::from_millis),
    }
}

/// Shows the screen until the user leaves. The connections end with it.
fn show(setting: Setting, connections: Connections, manners: Manners) -> anyhow::Result<Closed> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the screen's loop can't be started")?;
    let closed = runtime.block_on(app::run(setting, connections, manners));
    runtime.shutdown_background();
    closed
}

fn left(closed: Closed) -> ExitCode {
    match closed {
        Closed::Left => ExitCode::from(MET),
        // As a shell tells of a signal.
        Closed::Signal(signal) => ExitCode::from(128 + u8::try_from(signal).unwrap_or(0)),
    }
}

/// Writes files as the user who called sudo.
fn writer() -> anyhow::Result<Write> {
    let owner = through_sudo(&Invoker::of_this_process(None))?;
    Ok(Box::new(move |what, extension, content| {
        write(owner.as_ref(), what, extension, content)
    }))
}

/// What the screen begins with.
fn setting(
    config: &Config,
    source: Source,
    lab: Option<(MapKind, EntryKind, Policy)>,
    watched: Option<Watched>,
) -> anyhow::Result<Setting> {
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
    let alarms = &config.alarms;
    Ok(Setting {
        rules: config.ledger_rules(),
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
        lab,
        watched,
        source,
        replay: None,
        filters: filters
            .map(|(screen, filter)| (screen, filter.value.clone()))
            .into(),
    })
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
    let written = as_account(owner, || -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&name)?;
        file.write_all(content)?;
        file.sync_all()
    });
    match written {
        Ok(()) => Ok(name),
        Err(error) => Err(format!(
            "{name} could not be written in this folder: {error}"
        )),
    }
}

/// Does something with files as this user: root that has shed its privileges may not do all that
/// the user may, and what is made is the user's.
pub(super) fn as_account<T: Send>(
    account: Option<&Account>,
    act: impl FnOnce() -> io::Result<T> + Send,
) -> io::Result<T> {
    thread::scope(|scope| {
        let actor = scope.spawn(|| {
            if let Some(account) = account {
                // Of this thread alone, which then ends.
                account.become_it()?;
            }
            act()
        });
        actor
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the thread that should do it failed")))
    })
}
