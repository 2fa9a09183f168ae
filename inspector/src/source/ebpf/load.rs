//! Loads the programs, each by itself, and attaches them.

use std::{fs, io, path::Path, thread, time::Duration};

use aya::{
    Btf, Ebpf, EbpfLoader,
    programs::{BtfTracePoint, ProgramError, TracePoint, UProbe, trace_point::TracePointLink},
};
use inspector_ebpf::abi::config::Config;
use zerocopy::IntoBytes as _;

use super::{
    hook::{Hook, PROBES, Probe},
    kernel::{self, Kernel},
    refusal::LoadError,
};
use crate::source::{
    Audits,
    probe_set::{ProbeSet, ProbeSetKind, ProbeState, ProbeStatus},
};

/// The object, as build.rs compiled it.
static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/probes"));

/// What can be chosen about the kernel side.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Which hooks.
    pub set: ProbeSetKind,
    /// Size of the ring in bytes; a power of two, at least a page.
    pub ring_bytes: u32,
    /// Wake the reader when this many bytes wait; 0 = never, it polls.
    pub wakeup_bytes: u32,
    /// Waits that lasted longer are sent one by one; shorter ones are only summed.
    pub wait_threshold: Duration,
    /// Whether children of a target become targets.
    pub follow_forks: bool,
    /// Most threads whose waits are kept.
    pub max_threads: u32,
    /// Most futex words whose waits are summed.
    pub max_futexes: u32,
    /// Programs left out, by name: the negative controls of tests and of `--without-probe`.
    pub without: Vec<String>,
    /// Whether the names by which files are opened are told.
    pub names: bool,
    /// Whether the programs say what they have to say; if not, that costs nothing.
    pub log: bool,
    /// How what they tell is compared with /proc.
    pub audits: Audits,
}

impl Default for LoadOptions {
    /// The sizes' reasons stand in `inspector-ebpf/src/maps.rs`.
    fn default() -> Self {
        Self {
            set: ProbeSetKind::default(),
            ring_bytes: 16 << 20,
            wakeup_bytes: 0,
            wait_threshold: Duration::from_millis(1),
            follow_forks: true,
            max_threads: 65_536,
            max_futexes: 16_384,
            without: Vec::new(),
            names: true,
            log: false,
            audits: Audits::default(),
        }
    }
}

/// The loaded object.
pub struct Loaded {
    /// Its maps and programs; dropping it detaches all but the entries.
    pub ebpf: Ebpf,
    /// The classic tracepoints' links. Each takes the kernel some 70 ms to undo.
    pub entries: Vec<TracePointLink>,
    /// What became of each program.
    pub probes: ProbeSet,
}

/// Loads and attaches every program of the set.
///
/// # Errors
/// Where the kernel has no usable type information, or refuses the maps or every program. A
/// single refused program is no error: it stands in [`Loaded::probes`].
pub fn load(options: &LoadOptions) -> Result<Loaded, LoadError> {
    let uname = rustix::system::uname();
    if let Some(release) = kernel::too_old(&uname.release().to_string_lossy()) {
        return Err(LoadError::TooOld(release));
    }
    load_here(options).map_err(LoadError::explained)
}

fn load_here(options: &LoadOptions) -> Result<Loaded, LoadError> {
    let kernel = Kernel::running()?;
    if !kernel.lacking.is_empty() {
        return Err(LoadError::Fields(kernel.lacking));
    }
    let waits = options.set == ProbeSetKind::WithWaits;
    let config = Config {
        offsets: kernel.offsets,
        follow_forks: options.follow_forks.into(),
        wakeup_bytes: options.wakeup_bytes,
        waits: waits.into(),
        names: options.names.into(),
        wait_threshold_ns: crate::duration::as_ns(options.wait_threshold),
    };
    let btf = Btf::from_sys_fs().map_err(|error| LoadError::Object(error.to_string()))?;
    // 0 is below every level: the verifier then drops the programs' log calls as dead code.
    let log_level = if options.log {
        aya_log::Level::Debug as u8
    } else {
        0
    };
    // A map of one slot where the set has no use for it.
    let if_waits = |entries| if waits { entries } else { 1 };
    let mut ebpf = EbpfLoader::new()
        .btf(Some(&btf))
        .override_global("CONFIG", config.as_bytes(), true)
        .override_global(aya_log::LEVEL, &log_level, true)
        .map_max_entries("RING", options.ring_bytes)
        .map_max_entries("WAITS", if_waits(options.max_threads))
        .map_max_entries("FUTEXES", if_waits(options.max_futexes))
        .map_max_entries(
            "FUTEX_WAKERS",
            if_waits(options.max_futexes.saturating_mul(2)),
        )
        .load(OBJECT)
        .map_err(|error| LoadError::Object(chain(&error)))?;
    let mut entries = Vec::new();
    let probes = attach_all(&mut ebpf, &mut entries, &btf, &kernel, options);
    let probes = ProbeSet {
        kind: options.set,
        probes,
    };
    if probes.working().0 == 0 {
        return Err(LoadError::Programs(first_reason(&probes)));
    }
    Ok(Loaded {
        ebpf,
        entries,
        probes,
    })
}

/// Attaches the program that does nothing at every call's exit, and no other, for the overhead
/// benchmark: no hook there can cost less. Dropping the result detaches it.
///
/// # Errors
/// Where the kernel refuses it.
pub fn attach_floor() -> Result<Ebpf, LoadError> {
    let refused = |error: &dyn std::error::Error| LoadError::Object(chain(error));
    let btf = Btf::from_sys_fs().map_err(|error| refused(&error))?;
    let mut ebpf = EbpfLoader::new()
        .btf(Some(&btf))
        .load(OBJECT)
        .map_err(|error| refused(&error))?;
    attach_typed(&mut ebpf, &btf, "exit_nothing", "sys_exit").map_err(|error| refused(&error))?;
    Ok(ebpf)
}

fn first_reason(probes: &ProbeSet) -> String {
    let reason = probes.lacking().find_map(|probe| probe.state.why());
    reason.unwrap_or("none was asked for").to_owned()
}

fn attach_all(
    ebpf: &mut Ebpf,
    entries: &mut Vec<TracePointLink>,
    btf: &Btf,
    kernel: &Kernel,
    options: &LoadOptions,
) -> Vec<ProbeStatus> {
    PROBES
        .iter()
        .map(|probe| {
            let state = if probe.only_in.is_some_and(|set| set != options.set) {
                ProbeState::OtherSet
            } else if options.without.iter().any(|name| name == probe.program) {
                ProbeState::Disabled
            } else {
                attach(ebpf, entries, btf, kernel, probe)
            };
            probe.status(state)
        })
        .collect()
}

fn attach(
    ebpf: &mut Ebpf,
    entries: &mut Vec<TracePointLink>,
    btf: &Btf,
    kernel: &Kernel,
    probe: &Probe,
) -> ProbeState {
    let attached = match probe.hook {
        Hook::TypedTracepoint(name) => {
            let Some(arguments) = kernel.tracepoint_args(name) else {
                let why = format!("this kernel has no tracepoint {name}");
                return ProbeState::Unsupported { why };
            };
            if name == "sched_switch" && arguments < 4 {
                let why = "sched_switch tells the leaving task's state since Linux 5.18".to_owned();
                return ProbeState::Unsupported { why };
            }
            attach_typed(ebpf, btf, probe.program, name)
        }
        Hook::Tracepoint(category, name) => {
            attach_classic(ebpf, probe.program, category, name).map(|link| entries.push(link))
        }
        Hook::MarkSites => {
            return match load_uprobe(ebpf, probe.program) {
                Ok(()) => ProbeState::Ready,
                Err(error) => ProbeState::Refused {
                    why: reason(&error),
                },
            };
        }
    };
    match attached {
        Ok(()) => ProbeState::Attached,
        Err(error) => ProbeState::Refused {
            why: reason(&error),
        },
    }
}

/// The object holds every program of [`PROBES`]; a test compares the two.
const IN_OBJECT: &str = "every probe is a program of the object";

fn attach_typed(ebpf: &mut Ebpf, btf: &Btf, program: &str, name: &str) -> Result<(), ProgramError> {
    let program: &mut BtfTracePoint = ebpf.program_mut(program).expect(IN_OBJECT).try_into()?;
    program.load(name, btf)?;
    program.attach()?;
    Ok(())
}

fn load_uprobe(ebpf: &mut Ebpf, program: &str) -> Result<(), ProgramError> {
    let program: &mut UProbe = ebpf.program_mut(program).expect(IN_OBJECT).try_into()?;
    program.load()
}

fn attach_classic(
    ebpf: &mut Ebpf,
    program: &str,
    category: &str,
    name: &str,
) -> Result<TracePointLink, ProgramError> {
    let program: &mut TracePoint = ebpf.program_mut(program).expect(IN_OBJECT).try_into()?;
    program.load()?;
    with_tracefs(|| {
        let id = program.attach(category, name)?;
        program.take_link(id)
    })
}

/// Where tracefs is expected.
const TRACEFS: &str = "/sys/kernel/tracing";

/// Runs `attach` where tracefs can be read. Where the system has not mounted it, a thread with a
/// mount namespace of its own does: nothing changes for anybody else.
fn with_tracefs<T: Send>(
    attach: impl FnOnce() -> Result<T, ProgramError> + Send,
) -> Result<T, ProgramError> {
    if Path::new(TRACEFS).join("events").exists()
        || Path::new("/sys/kernel/debug/tracing/events").exists()
    {
        return attach();
    }
    thread::scope(|scope| {
        scope
            .spawn(|| {
                mount_tracefs_privately().map_err(|error| {
                    ProgramError::IOError(io::Error::new(
                        error.kind(),
                        format!("can't mount tracefs privately: {error}; `mount -t tracefs tracefs {TRACEFS}`"),
                    ))
                })?;
                attach()
            })
            .join()
            .expect("attaching returns its errors")
    })
}

fn mount_tracefs_privately() -> io::Result<()> {
    use rustix::{
        mount::{MountFlags, MountPropagationFlags, mount, mount_change},
        thread::UnshareFlags,
    };
    #[expect(
        unsafe_code,
        reason = "a thread of its own gets a mount namespace of its own"
    )]
    // SAFETY: NEWNS (which implies FS) unshares nothing that Rust's I/O safety rests on: the
    // descriptor table stays shared. The thread ends after this attach.
    unsafe {
        rustix::thread::unshare_unsafe(UnshareFlags::NEWNS)?;
    }
    mount_change(
        "/",
        MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
    )?;
    mount("tracefs", TRACEFS, "tracefs", MountFlags::empty(), None)?;
    // Fails here, with the path, rather than inside the attach.
    fs::metadata(Path::new(TRACEFS).join("events")).map(|_| ())
}

/// The kernel's reason in one line: the error, and the verifier's last words if it spoke.
fn reason(error: &ProgramError) -> String {
    if let ProgramError::LoadError {
        io_error,
        verifier_log,
    } = error
    {
        let log = verifier_log.to_string();
        let words: Vec<&str> = log
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with("processed "))
            .collect();
        return match words.last() {
            Some(last) => format!("{io_error}: {last}"),
            None => io_error.to_string(),
        };
    }
    chain(error)
}

/// An error and its causes, in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !line.contains(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        source = cause.source();
    }
    line
}
