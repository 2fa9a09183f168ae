//! Root for the one command that needs it: asked for once, first, and kept while the build runs.

use std::{
    env,
    ffi::OsStr,
    fs,
    os::unix::fs::MetadataExt as _,
    process::{Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::{step, workspace};

/// How often the password's timestamp is renewed; sudo's shortest common limit is 5 minutes.
const RENEW_EVERY: Duration = Duration::from_secs(60);

/// How commands get root here: through sudo, its timestamp kept fresh for as long as this value
/// lives, or by being root already (a container, CI, a root shell).
pub(crate) struct Root {
    sudo: Option<KeptFresh>,
}

/// Whether [`Root::get`] will have to ask sudo.
pub(crate) fn needed() -> bool {
    !rustix::process::geteuid().is_root()
}

impl Root {
    /// Makes sure of root: at once if it is there, else by sudo, which asks for the password now.
    ///
    /// # Errors
    /// When there is no sudo or it refuses; the message says what to do instead.
    pub(crate) fn get() -> anyhow::Result<Self> {
        if !needed() {
            return Ok(Self { sudo: None });
        }
        anyhow::ensure!(
            workspace::in_path("sudo"),
            "probes need root and there is no sudo in PATH.\n{WITHOUT_SUDO}\n\
             Or install it, as root: `apt-get install sudo`, then `usermod -aG sudo {}`.",
            env::var("USER").unwrap_or_else(|_| "YOU".to_owned()),
        );
        // Asking without a password first spares those whom sudo trusts anyway a useless question.
        let trusted = sudo(["-n", "true"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !trusted {
            let status = step::status(&mut sudo(["-v"]))?;
            anyhow::ensure!(
                status.success(),
                "probes need root and sudo did not grant it ({status}).\n{WITHOUT_SUDO}"
            );
        }
        Ok(Self {
            sudo: Some(KeptFresh::start()),
        })
    }

    /// `program` as root.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        if self.sudo.is_none() {
            return Command::new(program);
        }
        let mut command = Command::new("sudo");
        command.arg("--").arg(program);
        command
    }
}

const WITHOUT_SUDO: &str = "\
Without root inspector can only poll /proc: `cargo run --release --bin inspector -- lab --headless`.
With a root shell: `cargo xtask run` there works as well, and runs the lab as `nobody`.";

/// A thread that renews sudo's timestamp until this is dropped: a long build must not outlast it.
pub(crate) struct KeptFresh {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl KeptFresh {
    fn start() -> Self {
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = thread::spawn(move || {
            while stopped.recv_timeout(RENEW_EVERY) == Err(RecvTimeoutError::Timeout) {
                // A refusal here is not the end: sudo asks again when the command is started.
                let _ = sudo(["-n", "-v"])
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .status();
            }
        });
        Self {
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for KeptFresh {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It only runs sudo; a panic in it has nothing to tell that matters here.
            let _ = thread.join();
        }
    }
}

fn sudo<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = Command::new("sudo");
    command.args(arguments);
    command
}

/// Refuses to go on when somebody put `sudo` before `cargo`: files of root's in the user's target
/// folder would break every later build.
///
/// # Errors
/// Always when started by another user's sudo, with the command to type instead.
pub(crate) fn refuse_cargo_under_sudo(verb: &str) -> anyhow::Result<()> {
    let uid = env::var("SUDO_UID").ok();
    let Some(uid) = started_by(uid.as_deref(), !needed()) else {
        return Ok(());
    };
    let target = workspace::target_dir();
    let mend = match fs::metadata(&target) {
        Ok(metadata) if metadata.uid() == 0 || has_roots_files(&target) => format!(
            "\ncargo has already written root's files: `sudo chown -R {uid} {}` gives them back.",
            target.display()
        ),
        _ => String::new(),
    };
    anyhow::bail!(
        "cargo must not run under sudo. Type `cargo xtask {verb}` as yourself: it asks sudo for \
         the one program that needs root.{mend}"
    )
}

/// The user who put sudo before this, if that is somebody else than root.
fn started_by(sudo_uid: Option<&str>, root: bool) -> Option<&str> {
    sudo_uid.filter(|uid| root && *uid != "0")
}

/// Whether the build that brought this program here wrote as root.
fn has_roots_files(target: &std::path::Path) -> bool {
    ["debug", "debug/xtask", ".rustc_info.json"]
        .iter()
        .filter_map(|name| fs::metadata(target.join(name)).ok())
        .any(|metadata| metadata.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_root_by_somebodys_sudo_is_refused() {
        assert_eq!(started_by(Some("1000"), true), Some("1000"));
        assert_eq!(started_by(None, true), None, "plain root: a container");
        assert_eq!(started_by(Some("0"), true), None, "root used sudo");
        assert_eq!(started_by(Some("1000"), false), None, "sudo -u to a user");
    }

    #[test]
    fn renewing_stops_when_dropped() {
        let start = std::time::Instant::now();
        drop(KeptFresh::start());
        assert!(start.elapsed() < RENEW_EVERY / 2);
    }
}
