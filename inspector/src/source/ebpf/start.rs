//! Starts the eBPF source, in two steps: what needs root, and what doesn't.

use std::{
    path::Path,
    sync::mpsc,
    thread::{self, JoinHandle},
};

use aya::programs::trace_point::TracePointLink;
use rustix::process::setpriority_process;
use tokio::sync::mpsc as batches;

use super::{
    load::{LoadOptions, Loaded, load},
    refusal::LoadError,
    session::{Session, Until},
};
use crate::{
    event::Batch,
    source::{BATCHES, Followed, Running, SourceKind, probe_set::ProbeSet},
};

/// Loads the programs and starts the source. It traces nobody yet, and ends with its targets.
///
/// # Errors
/// Where the kernel refuses the maps or every program.
pub fn start(options: &LoadOptions) -> Result<Running, LoadError> {
    prepare(options)?.start(Until::TargetsEnd)
}

/// Loads the programs. Privileges may be shed between this and [`Prepared::start`], whose thread
/// then never has them.
///
/// # Errors
/// Where the kernel refuses the maps or every program.
pub fn prepare(options: &LoadOptions) -> Result<Prepared, LoadError> {
    let Loaded {
        ebpf,
        entries,
        probes,
    } = load(options)?;
    let (sender, batches) = batches::channel(BATCHES);
    let has_waits = probes.has("task_switched");
    let mut session = Session::new(ebpf, sender, has_waits, options.audits)
        .map_err(|error| LoadError::Object(format!("its maps are not as expected: {error}")))?;
    if options.log {
        session
            .pass_on_log()
            .map_err(|error| LoadError::Object(error.to_string()))?;
    }
    session.say_unwatched(&probes);
    Ok(Prepared {
        session,
        entries,
        batches,
        probes,
    })
}

/// Loaded and attached; nobody is traced.
pub struct Prepared {
    session: Session,
    entries: Vec<TracePointLink>,
    batches: batches::Receiver<Batch>,
    probes: ProbeSet,
}

impl Prepared {
    /// Which programs watch.
    pub fn probes(&self) -> &ProbeSet {
        &self.probes
    }

    /// Attaches the mark sites of a program ahead of its processes: attaching needs privileges
    /// that may be gone when they start.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn attach_marks(&mut self, program: &Path) -> Result<Followed, String> {
        self.session.attach_marks(program)
    }

    /// Starts the source's thread.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn start(self, until: Until) -> Result<Running, LoadError> {
        let Self {
            session,
            entries,
            batches,
            probes,
        } = self;
        let gauges = session.gauges();
        let (requests, asked) = mpsc::channel();
        let thread = spawn(session, entries, until, asked)
            .map_err(|error| LoadError::Object(format!("can't start a thread: {error}")))?;
        Ok(Running {
            batches,
            requests,
            kind: SourceKind::Ebpf(probes),
            gauges,
            thread,
        })
    }
}

/// The niceness of the thread that empties the ring: when every cpu is busy it still gets one in
/// time, for it sleeps most of its life and a ring that nobody empties loses records.
const READER_NICE: i32 = -10;

fn spawn(
    mut session: Session,
    entries: Vec<TracePointLink>,
    until: Until,
    asked: mpsc::Receiver<crate::source::Request>,
) -> std::io::Result<JoinHandle<()>> {
    thread::Builder::new()
        .name("inspector-ebpf".to_owned())
        .spawn(move || {
            // Of this thread alone. Without `CAP_SYS_NICE` it takes its turn as all do, and loses
            // more where the cpus are full; what it loses is counted.
            let _takes_its_turn = setpriority_process(None, READER_NICE);
            session.run(until, &asked);
            // Undone side by side their grace periods overlap: the kernel takes a third of the time.
            let marks = session.take_mark_links();
            thread::scope(|scope| {
                for link in marks {
                    scope.spawn(|| drop(link));
                }
                for link in entries {
                    scope.spawn(|| drop(link));
                }
            });
            drop(session);
        })
}
