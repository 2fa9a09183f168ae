//! `inspector report`: watches processes or a command without a screen, and tells what remains; or
//! what remained in a recording.

mod recording;

use std::{
    fs::File,
    io::{self, Write as _},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use tokio::time::Instant;

use super::{
    MET,
    any::Aim,
    elevate, members,
    output::{Output, append_to},
    runtime, tell,
    watch::{Asked, Watch},
    watched::{self, PATIENCE, Started, Wish},
    with_command,
};
use crate::{
    cli::any::{AuditArg, ReportArgs},
    config::Config,
    event::text::Text,
    launch::status,
    ledger::{Ledger, LedgerRules},
    report::{
        document::{Document, Of, Run},
        history::Moments,
        html::Page,
        summary,
    },
    source::clock::{boot_time, wall_ns},
    target::{Found, Roots},
    verdict::growth::Growth,
};

/// Runs the verb.
///
/// # Errors
/// Who can't be watched, and what kept the source from working or the report from being written.
pub(super) fn run(args: &ReportArgs) -> anyhow::Result<ExitCode> {
    let wanted = args.target.wanted();
    if let Some(path) = &args.recording {
        if !wanted.is_empty() {
            bail!("processes or a recording: not both");
        }
        return recording::run(args, path);
    }
    match (wanted.is_empty(), args.line.is_empty()) {
        (true, true) => bail!(
            "say who: -p PID, --comm NAME, --cgroup PATH, --container ID, a recording, or a command \
             behind --"
        ),
        (false, false) => bail!("processes or a command: not both"),
        (true, false) if elevate::is_asked(&args.command) => {
            let passed = elevate::run(&args.command, &args.line, None, false, &[]);
            with_command(passed.map(Into::into))
        }
        (true, false) => with_command(of_command(args)),
        (false, true) => of_processes(args, &wanted.find(&Roots::here())?),
    }
}

fn of_processes(args: &ReportArgs, found: &Found) -> anyhow::Result<ExitCode> {
    let rules = rules(args)?;
    let outputs = Outputs::open(args)?;
    let snapshots = Snapshots::open(args)?;
    let opened = Aim::at(found, &args.watch, &args.kernel).open()?;
    members::follow(
        found.groups.clone(),
        &found.processes,
        opened.running.requests.clone(),
    )?;
    let mut run = Run {
        of: Of::Processes(found.processes.clone()),
        started: boot_time(),
        ended: boot_time(),
        boot_wall_ns: boot_wall_ns(),
    };
    let mut growth = Growth::new();
    let runtime = runtime()?;
    let watch = runtime.block_on(async {
        let mut watch = Watch::new(opened, rules);
        let mut asked = Asked::new()?;
        let time = args.time.map(|time| Instant::now() + time);
        let mut snapshot = |watch: &Watch| snapshots.take(&run, watch);
        let mut each_second = |ledger: &Ledger| growth.sample(ledger);
        watch
            .until(None, time, &mut asked, &mut snapshot, &mut each_second)
            .await?;
        watch.audit(args.watch.audit == AuditArg::Heal).await;
        anyhow::Ok(watch)
    })?;
    run.ended = boot_time();
    let kind = watch.kind().clone();
    let (pipeline, moments) = watch.stop();
    growth.sample(pipeline.ledger());
    let document = Document {
        run: &run,
        source: &kind,
        pipeline: &pipeline,
        growth: &growth,
    };
    outputs.write(args.json, document, &moments, &kernel())?;
    Ok(ExitCode::from(MET))
}

fn of_command(args: &ReportArgs) -> anyhow::Result<ExitCode> {
    let wish = Wish {
        command: &args.command,
        line: &args.line,
        watch: &args.watch,
        kernel: &args.kernel,
        rules: rules(args)?,
        time: args.time,
    };
    let outputs = Outputs::open(args)?;
    let snapshots = Snapshots::open(args)?;
    let mut growth = Growth::new();
    let runtime = runtime()?;
    let mut started = wish.start(&runtime)?;
    let mut run = Run {
        of: Of::Command {
            words: started.words.clone(),
            tgid: started.tgid,
            end: None,
        },
        started: started.started,
        ended: started.started,
        boot_wall_ns: boot_wall_ns(),
    };
    let mut snapshot = |watch: &Watch| snapshots.take(&run, watch);
    let mut each_second = |ledger: &Ledger| growth.sample(ledger);
    let mut ended = runtime.block_on(async {
        let ended = started
            .until_it_ends(&mut snapshot, &mut each_second)
            .await?;
        let heals = args.watch.audit == AuditArg::Heal;
        started.watch.audit(heals).await;
        anyhow::Ok(ended)
    })?;
    run.ended = boot_time();
    if let Of::Command { end, .. } = &mut run.of {
        *end = ended.map(watched::end);
    }
    let Started {
        watch, mut command, ..
    } = started;
    let kind = watch.kind().clone();
    let (pipeline, moments) = watch.stop();
    growth.sample(pipeline.ledger());
    let document = Document {
        run: &run,
        source: &kind,
        pipeline: &pipeline,
        growth: &growth,
    };
    let printed = outputs.write(args.json, document, &moments, &kernel());
    if ended.is_none() {
        command.terminate();
        ended = command.wait(PATIENCE);
    }
    printed?;
    let ended = ended.with_context(|| {
        format!(
            "process {} was told to end and goes on, unwatched",
            command.pid
        )
    })?;
    Ok(ExitCode::from(status::code(ended)))
}

fn rules(args: &ReportArgs) -> anyhow::Result<LedgerRules> {
    let mut config = Config::load(args.config.path.as_deref())?;
    config.grace.set_from_cli(args.watch.grace);
    Ok(config.ledger_rules())
}

fn boot_wall_ns() -> Option<u64> {
    wall_ns().checked_sub(boot_time().0)
}

/// Where everything known goes whenever it is asked for.
struct Snapshots(Option<File>);

impl Snapshots {
    fn open(args: &ReportArgs) -> anyhow::Result<Self> {
        Ok(Self(args.snapshot.as_deref().map(append_to).transpose()?))
    }

    fn take(&self, run: &Run, watch: &Watch) -> anyhow::Result<()> {
        let Some(mut file) = self.0.as_ref() else {
            tell("SIGUSR1 asks for a snapshot, and --snapshot FILE says where it goes");
            return Ok(());
        };
        let mut run = run.clone();
        run.ended = boot_time();
        // A snapshot tells what is; what grows the report tells in the end.
        let document = Document {
            run: &run,
            source: watch.kind(),
            pipeline: watch.pipeline(),
            growth: &Growth::new(),
        };
        let mut line = serde_json::to_vec(&document)?;
        line.push(b'\n');
        // In one piece: whoever waits for the line finds all of it.
        file.write_all(&line)
            .context("the snapshot could not be written")
    }
}

/// The release of the kernel that runs here.
fn kernel() -> Text {
    Text::from(rustix::system::uname().release().to_bytes())
}

/// Where the report goes.
struct Outputs {
    /// Its text or JSON.
    text: Option<Output>,
    /// Its page.
    page: Option<Output>,
    /// Whether standard output is a command's own.
    is_commands: bool,
}

impl Outputs {
    fn open(args: &ReportArgs) -> anyhow::Result<Self> {
        Ok(Self {
            text: args.output.as_deref().map(Output::open).transpose()?,
            page: args.html.as_deref().map(Output::open).transpose()?,
            is_commands: !args.line.is_empty(),
        })
    }

    /// Writes it, of what ran on this kernel.
    fn write(
        self,
        as_json: bool,
        document: Document<'_>,
        moments: &Moments,
        kernel: &Text,
    ) -> anyhow::Result<()> {
        // One that can't be written keeps the other from nothing.
        let page = self.page.map(|output| {
            let path = output.path().to_owned();
            let page = Page {
                document,
                moments,
                kernel: Some(kernel),
            };
            output.write_by(|out| page.write(out)).map(|()| path)
        });
        print(as_json, self.text, self.is_commands, document)?;
        if let Some(path) = page.transpose()? {
            tell(&format!("the page is in {}", path.display()));
        }
        Ok(())
    }
}

fn print(
    as_json: bool,
    output: Option<Output>,
    is_commands: bool,
    document: Document<'_>,
) -> anyhow::Result<()> {
    let text = if as_json {
        let mut text = serde_json::to_vec(&document)?;
        text.push(b'\n');
        text
    } else {
        let Document {
            run,
            source,
            pipeline,
            growth,
        } = document;
        summary::text(run, source, pipeline, growth).into_bytes()
    };
    match output {
        Some(output) => output.write(&text),
        // The command's own output is on the other.
        None if is_commands => io::stderr().write_all(&text).map_err(Into::into),
        None => io::stdout().write_all(&text).map_err(Into::into),
    }
}
