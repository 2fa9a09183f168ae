//! `--sudo`: an ordinary user starts inspector, which makes itself root through the real sudo; the
//! command stays wholly the user's.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    binary::{is_refused, program, text},
    program::compiled,
    verbs::{Ends, each, said, until},
    watch::alone,
};

/// A group that no user database gives to anybody: who is in it has it from the process before.
const GROUP: u32 = 54_323;

/// An ordinary user whom sudo trusts without a password, with a folder that holds the program.
pub(crate) struct User {
    /// Its number.
    pub(crate) uid: u32,
    gid: u32,
    folder: TempDir,
}

impl User {
    /// Who called the tests through sudo. Where it is nobody, or sudo asks for a password, that is
    /// told on stdout; in CI it is a failure.
    pub(crate) fn found() -> Option<Self> {
        let found = std::env::var("SUDO_USER").ok().and_then(|name| {
            let passwd = Command::new("getent")
                .args(["passwd", &name])
                .output()
                .unwrap();
            let line = text(&passwd.stdout).to_owned();
            let mut fields = line.split(':').skip(2).map(str::parse);
            let user = Self {
                uid: fields.next()?.ok()?,
                gid: fields.next()?.ok()?,
                folder: tempfile::tempdir().unwrap(),
            };
            let mut trusted = user.command(&["sudo", "-n", "true"]);
            (user.uid != 0 && trusted.output().unwrap().status.success()).then_some(user)
        });
        let Some(user) = found else {
            println!(
                "LACKING: an ordinary user who calls the tests through sudo (SUDO_USER) and need \
                 not give a password"
            );
            return None;
        };
        // The user may not be able to enter the folder in which they were built.
        user.bring(program());
        chown(user.at(), Some(user.uid), Some(user.gid)).unwrap();
        fs::set_permissions(user.at(), Permissions::from_mode(0o755)).unwrap();
        Some(user)
    }

    /// The user's folder.
    fn at(&self) -> &Path {
        self.folder.path()
    }

    /// Copies a program to where the user can execute it.
    fn bring(&self, program: &Path) -> PathBuf {
        let copy = self.at().join(program.file_name().unwrap());
        fs::copy(program, &copy).unwrap();
        fs::set_permissions(&copy, Permissions::from_mode(0o755)).unwrap();
        copy
    }

    /// The program, where the user can execute it.
    pub(crate) fn program(&self) -> PathBuf {
        self.at().join(program().file_name().unwrap())
    }

    /// What comes before a command for it to be started by this user, in one more group.
    pub(crate) fn becoming(&self) -> Vec<String> {
        let (uid, gid) = (self.uid, self.gid);
        vec![
            "setpriv".to_owned(),
            format!("--reuid={uid}"),
            format!("--regid={gid}"),
            format!("--groups={gid},{GROUP}"),
        ]
    }

    /// A command of the user's, with as good as nothing in its environment. It ends within a minute
    /// or is no exit code of ours.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("timeout");
        command
            .args(["--kill-after=5", "60"])
            .args(self.becoming())
            .args(words)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.at())
            .current_dir(self.at());
        command
    }

    /// Runs inspector as this user, who may open `FILES` descriptors and has a word for the command.
    fn inspector(&self, arguments: &[&str]) -> Output {
        let program = self.program();
        let line = format!("ulimit -n {FILES} && exec \"$0\" \"$@\"");
        let words = [&["sh", "-c", &line, program.to_str().unwrap()], arguments].concat();
        let mut command = self.command(&words);
        command.env("ONLY_HERE", "a word").output().unwrap()
    }

    /// The document in a file of the folder, which is this user's alone.
    #[track_caller]
    fn document(&self, name: &str) -> Value {
        serde_json::from_str(&self.file(name)).unwrap()
    }

    /// What a file of the folder holds, which is this user's alone.
    #[track_caller]
    fn file(&self, name: &str) -> String {
        let path = self.at().join(name);
        let file = fs::metadata(&path).unwrap();
        let is = (file.uid(), file.gid(), file.mode() & 0o777);
        assert_eq!(is, (self.uid, self.gid, 0o600), "{name}");
        fs::read_to_string(path).unwrap()
    }
}

/// More than inspector needs, and no number that anybody else chose.
const FILES: u32 = 743;

const WHO: &str = "id -u; id -g; id -G; pwd; ulimit -n; echo $ONLY_HERE; echo sudo=$SUDO_UID; \
                   grep CapEff /proc/self/status; exit 7";

#[test]
fn the_command_is_the_users_and_root_watches_it() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let Some(user) = User::found() else {
        return;
    };
    let (uid, gid) = (user.uid, user.gid);
    let groups = format!("{gid} {GROUP}");
    let here = user.at().canonicalize().unwrap();
    let theirs = [
        &uid.to_string(),
        &gid.to_string(),
        &groups,
        here.to_str().unwrap(),
        &FILES.to_string(),
        "a word",
        "sudo=",
        "CapEff:\t0000000000000000",
    ];
    // Without --sudo the same is polled, which is all that an ordinary user can do.
    for (name, asks, kind) in [("root", &["--sudo"][..], "ebpf"), ("own", &[], "polling")] {
        let head = [&["report", "--json", "--output", name], asks].concat();
        let output = user.inspector(&[&head[..], &["--", "sh", "-c", WHO]].concat());
        assert_eq!(output.status.code(), Some(7), "{output:?}");
        let told: Vec<_> = text(&output.stdout).lines().collect();
        assert_eq!(told, theirs, "{output:?}");
        let document = user.document(name);
        assert_eq!(document["source"]["kind"], kind, "{}", document["source"]);
        assert_eq!(document["run"]["of"], "command", "{}", document["run"]);
    }
}

#[test]
fn what_check_finds_and_how_the_command_ends_is_passed_on() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let Some(user) = User::found() else {
        return;
    };
    let leaves = user.bring(&compiled("leaves", &[]));
    let leaves = leaves.to_str().unwrap();
    let missing = user.at().join("missing");
    for (command, code, classes) in [
        (&[leaves, "open", "leaky"][..], 1, &["open_at_exit"][..]),
        (&[leaves, "open", "fixed"], 0, &[]),
        (&["sh", "-c", "exit 7"], 7, &[]),
        (&["sh", "-c", "kill -7 $$"], 135, &[]),
        (&[missing.to_str().unwrap()], 127, &[]),
    ] {
        let head = [
            "check", "--sudo", "--grace", "100ms", "--json", "-o", "checked", "--junit", "junit",
            "--",
        ];
        for name in ["checked", "junit"] {
            let _may_not_be_there_yet = fs::remove_file(user.at().join(name));
        }
        let output = user.inspector(&[&head[..], command].concat());
        assert_eq!(output.status.code(), Some(code), "{command:?}: {output:?}");
        let document = user.document("checked");
        assert_eq!(document["exit"], code);
        assert_eq!(each(&document["findings"], "class"), classes);
        assert_eq!(document["unknown"], json!([]), "{document:#}");
        let junit = user.file("junit");
        assert!(junit.ends_with("</testsuites>\n"), "{junit}");
    }
}

/// The user cannot signal what is root's: the inspector that the user started passes it on.
#[test]
fn a_signal_ends_the_command_and_leaves_nothing_behind() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let Some(user) = User::found() else {
        return;
    };
    let script = "trap 'exit 0' TERM; echo > begun; while :; do sleep 0.05; done";
    for (verb, code) in [("report", 0), ("check", 143)] {
        let begun = user.at().join("begun");
        let _may_not_be_there_yet = fs::remove_file(&begun);
        let program = user.program();
        let mut command = Command::new("setpriv");
        command
            .args(&user.becoming()[1..])
            .arg(program)
            .args([
                verb, "--sudo", "--json", "-o", verb, "--", "sh", "-c", script,
            ])
            .current_dir(user.at());
        let mut inspector = Ends::start(&mut command);
        until("the command at work", || begun.exists());
        inspector.signal(Signal::TERM);
        let mut status = None;
        until("the end", || {
            status = inspector.0.try_wait().unwrap();
            status.is_some()
        });
        assert_eq!(status.unwrap().code(), Some(code), "{verb}");
        assert!(user.document(verb)["schema"].is_string());
    }
}

/// Root could write there; the user may not.
#[test]
fn where_the_user_may_not_write_nothing_is_written_or_run() {
    let _alone = alone();
    let Some(user) = User::found() else {
        return;
    };
    let closed = tempfile::tempdir().unwrap();
    let place = closed.path().join("report");
    let made = user.at().join("made");
    let output = user.inspector(&[
        "report",
        "--sudo",
        "-o",
        place.to_str().unwrap(),
        "--",
        "touch",
        made.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(125), "{output:?}");
    assert!(
        said(&output).contains("can't be written: Permission denied"),
        "{}",
        said(&output)
    );
    assert!(!place.exists() && !made.exists());
}
