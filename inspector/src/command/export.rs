//! `inspector export`: a recording, or a window of it, in a format of other tools.

use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use clap::{ValueEnum as _, builder::PossibleValue};

use super::{
    MET,
    output::{Folder, Output},
    recorded, tell,
};
use crate::{
    cli::recorded::ExportArgs,
    event::{Batch, BootTime},
    export::{self, Out, Subject, Target, Totals},
    ledger::{LedgerRules, retain::Retain},
    pipeline::Pipeline,
    trace::read::{Read, Reads},
};

/// How often progress is told.
const TELL: Duration = Duration::from_millis(500);

/// Runs the verb.
///
/// # Errors
/// Where the recording can't be read, or its export not be written.
pub(super) fn run(args: &ExportArgs) -> anyhow::Result<ExitCode> {
    let recording = recorded::open(&args.file, &args.read)?;
    let meta = recording.meta();
    let span = recording.span();
    let time = |at: Option<crate::trace::at::At>, default| {
        at.map_or(Ok(default), |at| at.within(span, meta.boot_wall_ns))
    };
    let since = time(args.since, span.0).context("--since")?;
    let until = time(args.until, span.1).context("--until")?;
    if since > until {
        bail!("the window ends before it begins: --since is after --until");
    }
    let place = Place::open(args)?;
    let rules = LedgerRules {
        // All of the window is exported: where that is too much, it is an error.
        retain: Retain { dead: usize::MAX },
        ..recorded::recorded_rules(&recording)
    };
    let mut reads = recording.reads_before(since);
    let (pipeline, rest) = until_time(&mut reads, Pipeline::new(rules), since);
    let rest = rest.map(Read::Batch).into_iter().chain(reads.by_ref());
    let mut rest = rest.take_while(|read| !is_beyond(read, until));
    let subject = Subject {
        pipeline,
        reads: &mut rest,
        since,
        until,
        most_bytes: args.memory.memory,
        boot_wall_ns: meta.boot_wall_ns,
        host: meta.host.clone(),
        command: (!meta.watched.words.is_empty()).then(|| meta.watched.words.join(" ")),
    };
    let mut told = Instant::now();
    let shows = !args.quiet && io::stderr().is_terminal();
    let mut progress = |at: BootTime| {
        if shows && told.elapsed() >= TELL {
            told = Instant::now();
            let whole = until.since_ns(since).max(1);
            let percent = at.since_ns(since).min(whole) as f64 / whole as f64 * 100.0;
            let _nobody_may_see = write!(io::stderr(), "\rinspector: read {percent:.0} %\x1b[K");
        }
    };
    let totals = place.fill(|out| export::write(args.format, subject, out, &mut progress))?;
    if shows {
        let _nobody_may_see = write!(io::stderr(), "\r\x1b[K");
    }
    for lack in recorded::lacks(&recording, reads.damaged()) {
        tell(&lack);
    }
    if !args.quiet {
        tell(&format!("exported {totals}"));
    }
    Ok(ExitCode::from(MET))
}

/// By how much an event can come late.
const LATE_NS: u64 = 1_000_000_000;

/// Where the export goes.
enum Place {
    Screen,
    Stream(Output),
    File(Output),
    Folder(Folder),
}

impl Place {
    /// Opens it before anything is read: who may not write should hear of it at once.
    fn open(args: &ExportArgs) -> anyhow::Result<Self> {
        let format = args.format.to_possible_value();
        let format = format.as_ref().map_or("this", PossibleValue::get_name);
        Ok(match (args.format.target(), &args.output) {
            (Target::Stream, None) => Self::Screen,
            (Target::Stream, Some(path)) => Self::Stream(Output::open(path)?),
            (Target::File, Some(path)) => Self::File(Output::open(path)?),
            (Target::File, None) => {
                bail!("the format {format} can't go to standard output: say -o FILE")
            }
            (Target::Folder, Some(path)) => Self::Folder(Folder::make(path)?),
            (Target::Folder, None) => {
                bail!("the format {format} is several files: say -o FOLDER, which is made")
            }
        })
    }

    fn fill(self, write: impl FnOnce(Out<'_>) -> io::Result<Totals>) -> anyhow::Result<Totals> {
        match self {
            Self::Screen => Ok(write(Out::Stream(&mut io::stdout().lock()))?),
            Self::Stream(output) => {
                let mut totals = None;
                output.write_by(|out| {
                    totals = Some(write(Out::Stream(out))?);
                    Ok(())
                })?;
                Ok(totals.expect("it was written"))
            }
            Self::File(output) => output.fill(|path| write(Out::File(path))),
            Self::Folder(folder) => Ok(write(Out::Folder(&mut |name| folder.new_file(name)))?),
        }
    }
}

/// Whether this, and whatever comes behind it, is of later than a time: events are in the order of their
/// times but for what took long.
fn is_beyond(read: &Read, time: BootTime) -> bool {
    let Read::Batch(batch) = read else {
        return false;
    };
    let first = batch.events.iter().map(|event| event.at).min();
    first.is_some_and(|first| first > time.plus_ns(LATE_NS))
}

/// Plays what was before a time. What comes behind it in the last batch is returned as well.
fn until_time(
    reads: &mut Reads,
    mut pipeline: Pipeline,
    since: BootTime,
) -> (Pipeline, Option<Batch>) {
    let rules = pipeline.ledger().rules();
    for read in reads {
        match read {
            Read::Batch(mut batch) => {
                let later = |at: BootTime| at >= since;
                let place = batch.events.iter().position(|event| later(event.at));
                let rest = place.map(|place| batch.events.split_off(place));
                pipeline.take(&batch);
                if let Some(events) = rest {
                    return (pipeline, Some(Batch { events }));
                }
            }
            Read::State(state) => pipeline = state.with_rules(rules),
            Read::Note { .. } => {}
        }
    }
    (pipeline, None)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Verb};

    fn opened(format: &str, output: Option<&std::path::Path>) -> Result<Place, String> {
        let mut words = vec!["inspector", "export", "recording", "--format", format];
        if let Some(output) = output {
            words.extend(["-o", output.to_str().unwrap()]);
        }
        match Cli::try_parse_from(words).unwrap().verb {
            Some(Verb::Export(args)) => Place::open(&args).map_err(|error| format!("{error:#}")),
            verb => panic!("{verb:?}"),
        }
    }

    #[test]
    fn what_is_no_stream_wants_a_place_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("new");
        assert!(matches!(opened("jsonl", None), Ok(Place::Screen)));
        let words = opened("ctf", None).err().unwrap();
        assert!(
            words.contains("ctf") && words.contains("-o FOLDER"),
            "{words}"
        );
        assert!(matches!(opened("ctf", Some(&place)), Ok(Place::Folder(_))));
        let words = opened("ctf", Some(&place)).err().unwrap();
        assert!(
            words.contains("can't be made"),
            "there is something: {words}"
        );
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn a_database_is_a_file() {
        let words = opened("sqlite", None).err().unwrap();
        assert!(
            words.contains("sqlite") && words.contains("-o FILE"),
            "{words}"
        );
        let place = Place::File(Output::open("/dev/null".as_ref()).unwrap());
        let refused = place.fill(|_| panic!("there is no file")).unwrap_err();
        assert!(format!("{refused:#}").contains("no regular file"));
    }
}
