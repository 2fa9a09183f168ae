//! A purpose-made program in C: compiled once, driven by orders, ended with its test.

use std::{
    collections::HashMap,
    fs,
    io::{BufReader, Write as _},
    os::unix::{
        fs::{MetadataExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{LazyLock, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::Duration,
};

use inspector::event::id::{Tgid, Tid};
use rustix::process::{Pid, Signal, kill_process_group};

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(30);

/// Held while a program is started, and while a descriptor is open that it would inherit: a
/// pseudo-terminal is, for a moment, and a program that waits for its test's turn would hold it.
pub(crate) fn starting() -> MutexGuard<'static, ()> {
    static STARTING: Mutex<()> = Mutex::new(());
    STARTING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running program. It reads an order a line and ends each answer with a line `.`; it and
/// what it forked are killed when this is dropped.
pub(crate) struct Program {
    child: Child,
    orders: ChildStdin,
    answers: mpsc::Receiver<String>,
    /// Where it may put files.
    _folder: tempfile::TempDir,
}

impl Program {
    /// Compiles `programs/NAME.c` and starts it in a folder of its own.
    pub(crate) fn start(name: &str) -> Self {
        Self::run(&compiled(name, &[]), &[])
    }

    /// Starts a program file.
    pub(crate) fn run(file: &Path, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let starting = starting();
        let mut child = Command::new(file)
            .args(arguments)
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // One group with what it forks: they end together.
            .process_group(0)
            .spawn()
            .unwrap();
        drop(starting);
        let orders = child.stdin.take().unwrap();
        let answers = lines_of(BufReader::new(child.stdout.take().unwrap()));
        Self {
            child,
            orders,
            answers,
            _folder: folder,
        }
    }

    pub(crate) fn tgid(&self) -> Tgid {
        Tgid(self.child.id())
    }

    /// Its first thread.
    pub(crate) fn leader(&self) -> Tid {
        Tid(self.child.id())
    }

    /// Gives an order and returns the lines of its answer.
    pub(crate) fn tell(&mut self, order: &str) -> Vec<String> {
        self.order(order);
        self.answer(order)
    }

    /// Gives an order without waiting for its answer.
    pub(crate) fn order(&mut self, order: &str) {
        writeln!(self.orders, "{order}").unwrap();
    }

    /// The lines of the next answer.
    pub(crate) fn answer(&mut self, to: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            match self.answers.recv_timeout(ANSWER) {
                Ok(line) if line == "." => return lines,
                Ok(line) => lines.push(line),
                Err(error) => panic!("no answer to `{to}` ({error}); so far: {lines:?}"),
            }
        }
    }

    /// Kills it and reaps it.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // Not there any more if it ended by itself, with all it forked.
            let _may_be_gone = kill_process_group(group, Signal::KILL);
        }
        let _may_be_reaped = self.child.wait();
    }
}

/// The lines of an output, as they come.
pub(crate) fn lines_of(
    mut output: impl std::io::BufRead + Send + 'static,
) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        while output.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
            if sender.send(line.trim_end().to_owned()).is_err() {
                return;
            }
            line.clear();
        }
    });
    receiver
}

/// The program file of `programs/NAME.c`, compiled with `flags` beside the usual ones.
pub(crate) fn compiled(name: &str, flags: &[&str]) -> PathBuf {
    static BUILT: LazyLock<Mutex<HashMap<String, PathBuf>>> = LazyLock::new(Mutex::default);
    let key = format!("{name} {}", flags.join(" "));
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    built
        .entry(key)
        .or_insert_with(|| compile(name, flags))
        .clone()
}

fn compile(name: &str, flags: &[&str]) -> PathBuf {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("programs");
        fs::create_dir_all(&folder).unwrap();
        let (uid, gid) = owner();
        chown(&folder, Some(uid), Some(gid)).unwrap();
        folder
    });
    let (uid, gid) = owner();
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/kernel/programs")
        .join(format!("{name}.c"));
    let program = FOLDER.join(format!("{name}{}", flags.join("")));
    let compiled = Command::new("gcc")
        .args(["-O1", "-Wall", "-Werror", "-pthread"])
        .args(flags)
        .arg("-o")
        .args([&program, &source])
        // Root leaves nothing of its own in the folder of whoever called sudo.
        .uid(uid)
        .gid(gid)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success(), "{errors}");
    program
}

/// Whose the build folder is.
fn owner() -> (u32, u32) {
    let folder = fs::metadata(env!("CARGO_TARGET_TMPDIR")).unwrap();
    (folder.uid(), folder.gid())
}
