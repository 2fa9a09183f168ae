//! Does this machine's kernel take a probe from root? Asked without any of inspector's own code, so
//! that inspector's privileged tests cannot excuse themselves.

use std::{
    env, io,
    os::fd::{FromRawFd as _, OwnedFd},
    process::ExitCode,
};

use anyhow::Context as _;

use crate::{step, sudo::Root};

/// The verb that runs as root behind [`takes_probes`]; not in the list, it is nobody's chore.
pub(crate) const PROBE_VERB: &str = "try-probe";

/// Whether root may load and attach a probe here, and if not, the kernel's reason.
///
/// # Errors
/// When root could not be asked at all.
pub(crate) fn takes_probes(root: &Root) -> anyhow::Result<Result<(), String>> {
    let this = env::current_exe().context("where is this program?")?;
    let mut command = root.command(this);
    let output = command
        .arg(PROBE_VERB)
        .output()
        .with_context(|| format!("could not start `{}`", step::shown(&command)))?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    match output.status.code() {
        Some(0) => Ok(Ok(())),
        Some(1) => Ok(Err(said)),
        _ => anyhow::bail!("`{}`: {}: {said}", step::shown(&command), output.status),
    }
}

/// Tries it here and now: 0 it works, 1 it doesn't, with the kernel's reason on stderr.
pub(crate) fn probe_verb() -> anyhow::Result<ExitCode> {
    let Err((what, error)) = attach_empty_probe() else {
        return Ok(ExitCode::SUCCESS);
    };
    step::say(&format!("{what}: {error}"));
    Ok(ExitCode::FAILURE)
}

/// Loads `r0 = 0; exit` as a raw tracepoint program and attaches it where a thread exits.
fn attach_empty_probe() -> Result<(), (&'static str, io::Error)> {
    const PROG_LOAD: libc::c_long = 5;
    const RAW_TRACEPOINT_OPEN: libc::c_long = 17;
    const RAW_TRACEPOINT: u32 = 17;
    // `mov64 r0, 0` and `exit`, eight bytes each.
    const EMPTY: [u64; 2] = [0xb7, 0x95];
    let load = ProgLoad {
        prog_type: RAW_TRACEPOINT,
        insn_cnt: 2,
        insns: EMPTY.as_ptr().addr() as u64,
        license: c"GPL".as_ptr().addr() as u64,
        rest: [0; 4],
    };
    let program = bpf(PROG_LOAD, &load).map_err(|error| ("bpf(BPF_PROG_LOAD)", error))?;
    let open = RawTracepointOpen {
        name: c"sched_process_exit".as_ptr().addr() as u64,
        prog_fd: u32::try_from(std::os::fd::AsRawFd::as_raw_fd(&program))
            .expect("a descriptor's number is not negative"),
        padding: 0,
    };
    bpf(RAW_TRACEPOINT_OPEN, &open).map_err(|error| ("bpf(BPF_RAW_TRACEPOINT_OPEN)", error))?;
    Ok(())
}

/// The part of `union bpf_attr` that BPF_PROG_LOAD reads: no log, no version, no flags.
#[repr(C)]
struct ProgLoad {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
    rest: [u64; 4],
}

/// The part that BPF_RAW_TRACEPOINT_OPEN reads.
#[repr(C)]
struct RawTracepointOpen {
    name: u64,
    prog_fd: u32,
    padding: u32,
}

/// bpf(2) for the two commands above, which give a descriptor.
fn bpf<T>(command: libc::c_long, attributes: &T) -> io::Result<OwnedFd> {
    #[expect(unsafe_code, reason = "std and rustix have no bpf(2)")]
    // SAFETY: the attributes are a live value of the size given, the kernel only reads them, and
    // every address in them is that of a constant.
    let got = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            std::ptr::from_ref(attributes),
            size_of::<T>(),
        )
    };
    let fd = i32::try_from(got).expect("bpf(2) gives an int");
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    #[expect(
        unsafe_code,
        reason = "the number just given is a descriptor nobody owns"
    )]
    // SAFETY: both commands give a new descriptor on success.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    Ok(fd)
}
