//! Wires a source, the pipeline and the harness together: what watches a lab child.

use std::{
    path::{Path, PathBuf},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow, bail};
use tokio::sync::oneshot;

use super::recording::{Hidden, Recording};
use crate::{
    cli::record::RecordArgs,
    event::{Batch, id::Tgid},
    lab::{
        detection::{Claim, Detection, Fallen, Life, Named, Said, When},
        watch::Watch,
    },
    ledger::{
        Ledger, LedgerRules,
        identity::{HandleName, ResourceName, ThreadName},
    },
    pipeline::Pipeline,
    report,
    source::{
        Followed, Request, Running, SourceKind,
        ebpf::{
            load::LoadOptions,
            refusal::LoadError,
            session::Until,
            start::{Prepared, prepare},
        },
        probe_set::{ProbeSet, ProbeState},
        procfs::poll,
    },
    trace::meta::Watched,
    verdict::{How, Judgement, Latency, Retained, ThreadState, Verdict},
};

/// How long detaching may take before it is told.
const DETACH: Duration = Duration::from_millis(100);
/// How often /proc is read where eBPF is refused.
pub(super) const POLL_EVERY: Duration = Duration::from_millis(100);

/// What watches lab children: one loaded set of programs for all of them, or a poll each.
pub(super) enum Watcher {
    /// The kernel's programs.
    Ebpf(Box<Watching>),
    /// /proc, and why.
    Polling(String),
}

/// A recording, and what it is made of where it hides the keys that scores are told by.
struct Recorded {
    recording: Recording,
    hidden: Option<Box<Hidden>>,
}

/// A source and the pipeline behind it.
pub(super) struct Watching {
    running: Running,
    pipeline: Pipeline,
    recording: Option<Recorded>,
}

impl Watcher {
    /// Loads the programs, and sheds what only that needed. Where the kernel refuses, or polling
    /// is asked for, /proc is polled, and the second value says why.
    ///
    /// # Errors
    /// Where the source can't be started although its programs were loaded.
    pub(super) fn new(
        poll: bool,
        options: &LoadOptions,
        rules: LedgerRules,
    ) -> anyhow::Result<Self> {
        Ok(match probes(poll, options)? {
            Ok(running) => Self::Ebpf(Box::new(Watching {
                running,
                pipeline: Pipeline::new(rules),
                recording: None,
            })),
            Err(why) => Self::Polling(why),
        })
    }

    /// Has everything written down from now on.
    ///
    /// # Errors
    /// Where it can't be written, or /proc is polled: each child has a source of its own then.
    pub(super) fn record(&mut self, args: &RecordArgs) -> anyhow::Result<()> {
        let watching = match self {
            Self::Ebpf(watching) => watching,
            Self::Polling(why) => bail!("the lab is recorded with eBPF only, and {why}"),
        };
        let Watching {
            running, pipeline, ..
        } = &**watching;
        let watched = Watched::lab();
        let (path, how, kind) = (&args.output, &args.recording, &running.kind);
        let hidden = Hidden::new(&how.redact, pipeline.ledger().rules());
        let redaction = hidden.as_deref().map(Hidden::redaction);
        let begun = Recording::start(path, how, redaction, watched, kind, pipeline)?;
        watching.recording = Some(Recorded {
            recording: begun.quietly(args.quiet),
            hidden,
        });
        Ok(())
    }
}

/// Loads the programs for the lab, attaches its marks, sheds what only that needed, and starts the
/// source. The inner error says why /proc must be polled instead.
///
/// # Errors
/// Where the source can't be started although its programs were loaded.
pub(super) fn probes(poll: bool, options: &LoadOptions) -> anyhow::Result<Result<Running, String>> {
    if poll {
        return Ok(Err("--poll asks for it".to_owned()));
    }
    let mut prepared = match prepare(options) {
        Ok(prepared) => prepared,
        Err(error) => return Ok(Err(error.to_string())),
    };
    if let Err(why) = attach_marks(&mut prepared) {
        return Ok(Err(LoadError::Marks(why).explained().to_string()));
    }
    crate::privilege::shed_for_lab().context("privileges could not be shed")?;
    Ok(Ok(prepared.start(Until::Stopped)?))
}

/// Starts polling the first process; others can be followed.
///
/// # Errors
/// Where it can't be read.
pub(super) fn poll(pid: u32, why: &str) -> anyhow::Result<Running> {
    let root = PathBuf::from("/proc");
    Ok(poll::start(root, &[Tgid(pid)], POLL_EVERY, why.to_owned())?)
}

/// Waits until the kernel has detached everything, calling `slow` once if that takes longer than
/// [`DETACH`].
pub(super) fn wait_for(source: JoinHandle<()>, slow: impl FnOnce()) {
    let until = Instant::now() + DETACH;
    while !source.is_finished() {
        if Instant::now() >= until {
            slow();
            break;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    // A panic in it was told by its message already.
    let _ended = source.join();
}

impl Watching {
    /// Polls one child.
    pub(super) fn polling(pid: u32, why: &str, rules: LedgerRules) -> anyhow::Result<Self> {
        Ok(Self {
            running: poll(pid, why)?,
            pipeline: Pipeline::new(rules),
            recording: None,
        })
    }

    /// Watches a child that waits: everything it will do is seen from here on.
    pub(super) fn follow(&mut self, pid: u32) -> anyhow::Result<()> {
        let (done, answer) = oneshot::channel();
        self.running.requests.send(Request::Follow {
            tgid: Tgid(pid),
            done,
        })?;
        // The baseline is one batch, and the channel holds more: nobody has to read meanwhile.
        answer.blocking_recv()?.map_err(|why| anyhow!(why))?;
        Ok(())
    }

    /// As the harness sees it. `repeats`: the child must tell its marks, which nobody else can
    /// see.
    pub(super) fn detection(&mut self, pid: u32, label: &str, repeats: bool) -> impl Detection {
        let Self {
            running,
            pipeline,
            recording,
        } = self;
        let Running {
            batches, requests, ..
        } = running;
        let child = Tgid(pid);
        Watch::new(
            label.to_owned(),
            repeats.then_some(child),
            batches,
            move |answer| Ok(requests.send(Request::Drain(answer))?),
            move |batch: &Batch| {
                let fallen = taken(pipeline, recording, batch).into_iter();
                // An earlier run's child dies while this one's is watched.
                fallen
                    .filter(|one| one.entry.tgid == child)
                    .map(|one| fallen_of(&one))
                    .collect()
            },
        )
    }

    /// Which programs watch; `None` where /proc is polled.
    pub(super) fn probes(&self) -> Option<&ProbeSet> {
        match &self.running.kind {
            SourceKind::Ebpf(probes) => Some(probes),
            SourceKind::Polling { .. } => None,
        }
    }

    /// What is known, losses included.
    pub(super) fn ledger(&self) -> &Ledger {
        self.pipeline.ledger()
    }

    /// Ends the source and takes in its last events, its counts among them. Its thread goes on
    /// detaching for a moment.
    pub(super) fn stop(mut self) -> Stopped {
        // A source that has ended already does not listen, and need not.
        let _ended_already = self.running.requests.send(Request::Stop);
        while let Some(batch) = self.running.batches.blocking_recv() {
            taken(&mut self.pipeline, &mut self.recording, &batch);
        }
        Stopped {
            ledger: self.pipeline,
            thread: self.running.thread,
            recording: self.recording,
        }
    }
}

/// Takes in a batch and writes it down.
fn taken(
    pipeline: &mut Pipeline,
    recorded: &mut Option<Recorded>,
    batch: &Batch,
) -> Vec<Judgement> {
    let fallen = pipeline.take(batch);
    match recorded {
        None => {}
        Some(Recorded {
            recording,
            hidden: None,
        }) => recording.take(batch, pipeline, &fallen),
        Some(Recorded {
            recording,
            hidden: Some(hidden),
        }) => {
            let mut batch = batch.clone();
            let fallen = hidden.take(&mut batch);
            recording.take(&batch, Hidden::or(Some(hidden), pipeline), &fallen);
        }
    }
    fallen
}

/// A source that has said all it had to say.
pub(super) struct Stopped {
    ledger: Pipeline,
    thread: JoinHandle<()>,
    recording: Option<Recorded>,
}

impl Stopped {
    /// Ends the recording, where there is one.
    ///
    /// # Errors
    /// Where it could not be written to its end.
    pub(super) fn finish_recording(&mut self) -> anyhow::Result<()> {
        let recording = self.recording.take();
        recording.map_or(Ok(()), |Recorded { recording, hidden }| {
            recording.finish(Hidden::or(hidden.as_deref(), &self.ledger))
        })
    }

    /// What is known.
    pub(super) fn ledger(&self) -> &Ledger {
        self.ledger.ledger()
    }

    /// See [`wait_for`].
    pub(super) fn wait(self, slow: impl FnOnce()) {
        wait_for(self.thread, slow);
    }
}

/// Attaches the marks of this very program, which the lab's child runs.
fn attach_marks(prepared: &mut Prepared) -> Result<(), String> {
    let mark = "mark_passed";
    let probes = &prepared.probes().probes;
    let mark = probes.iter().find(|probe| probe.name == mark);
    match mark.map(|mark| (&mark.state, mark.state.why())) {
        // As asked: what is lost without it is to be seen.
        Some((ProbeState::Disabled, _)) => return Ok(()),
        Some((_, Some(why))) => return Err(why.to_owned()),
        _ => {}
    }
    let Followed { marks, unusable } = prepared.attach_marks(Path::new("/proc/self/exe"))?;
    match unusable.first() {
        // One reason will do: the sites are alike.
        Some(why) => Err(why.clone()),
        None if marks == 0 => Err("the program has none".to_owned()),
        None => Ok(()),
    }
}

fn fallen_of(judgement: &Judgement) -> Fallen {
    Fallen {
        claim: Claim {
            key: judgement.entry.key.text.bytes().to_vec(),
            generation: judgement.entry.generation,
            resource: match judgement.resource {
                ResourceName::Thread(ThreadName { tid, .. }) => Named::Thread { tid: tid.0 },
                ResourceName::Handle(HandleName { fd, .. }) => Named::Handle { fd: fd.0 },
            },
            said: said(&judgement.verdict),
        },
        text: report::text::Line(judgement).to_string(),
        grounds: report::text::Grounds(judgement).to_string(),
        json: report::json::value(judgement),
    }
}

fn said(verdict: &Verdict) -> Said {
    match verdict {
        Verdict::Pending => Said::Pending,
        Verdict::Gone(how) => {
            let (earliest, latest) = match how {
                How::BeforeDelete => (When::Before, When::Before),
                How::DuringDelete => (When::During, When::During),
                How::BeforeEnd => (When::Before, When::During),
                // Not less than nothing: it may as well have gone before the delete's end.
                How::After(Latency {
                    least_ns: 0,
                    most_ns,
                }) if *most_ns > 0 => (When::Before, When::After { ns: *most_ns }),
                How::After(Latency { least_ns, most_ns }) => {
                    (When::After { ns: *least_ns }, When::After { ns: *most_ns })
                }
            };
            Said::Gone { earliest, latest }
        }
        Verdict::Late { .. } => Said::Late,
        Verdict::Retained(retained) => Said::Retained {
            life: life(retained),
        },
        Verdict::Reassigned { .. } => Said::Reassigned,
        Verdict::Unknown(_) => Said::Unknown,
    }
}

fn life(retained: &Retained) -> Option<Life> {
    match retained {
        Retained::Thread(ThreadState::Active { .. }) => Some(Life::Active),
        Retained::Thread(ThreadState::Parked { .. }) => Some(Life::Parked),
        _ => None,
    }
}
