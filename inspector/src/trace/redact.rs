//! Keeps secrets out of a recording: names become salted hashes, equal ones equal hashes.
//!
//! A path is hashed component by component, so that what lies in one folder still does. Addresses of
//! sockets, numbers and sizes stay. The salt is made for a run of the program and never written:
//! whoever has the recording can't try names.

use std::hash::BuildHasher as _;

use crate::event::{
    Batch, Event, What,
    limits::Limits,
    mark::{Declared, Key, Mark},
    scan::Scan,
    target::{TargetDetail, Targets},
    text::{Comm, Text},
    thread::ThreadEvent,
};

/// What is to be made unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Secret {
    /// Paths of files and of sockets
    Paths,
    /// Command lines
    Args,
    /// Keys of entries
    Keys,
    /// Names of threads and processes
    Names,
}

impl Secret {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Paths => "paths",
            Self::Args => "args",
            Self::Keys => "keys",
            Self::Names => "names",
        }
    }
}

/// Makes events unreadable.
#[derive(Clone, Debug)]
pub struct Redaction {
    secrets: Vec<Secret>,
    salt: std::hash::RandomState,
}

/// Folders whose files are the system's own, and say nothing of anybody.
const OPEN: [&[u8]; 3] = [b"/dev/", b"/proc/", b"/sys/"];

impl Redaction {
    /// Of these; `None` = of nothing.
    pub fn new(secrets: &[Secret]) -> Option<Self> {
        (!secrets.is_empty()).then(|| Self {
            secrets: secrets.to_vec(),
            salt: std::hash::RandomState::new(),
        })
    }

    fn hides(&self, secret: Secret) -> bool {
        self.secrets.contains(&secret)
    }

    /// The words for what it hides.
    pub fn words(&self) -> Vec<String> {
        let words = self.secrets.iter();
        words.map(|secret| secret.word().to_owned()).collect()
    }

    /// A command's words, where these are not to be read.
    pub fn command(&self, words: &mut [String]) {
        if self.hides(Secret::Args) {
            for word in words {
                *word = self.hashed(word.as_bytes());
            }
        }
    }

    /// Every event of a batch.
    pub fn apply(&self, batch: &mut Batch) {
        for event in &mut batch.events {
            self.event(event);
        }
    }

    fn event(&self, event: &mut Event) {
        match &mut event.what {
            What::Thread(thread) => self.thread(thread),
            What::Mark(mark) => self.mark(mark),
            What::Named(named) => self.path(&mut named.name),
            What::Scan(scan) => self.scan(scan),
            What::Targets(targets) => self.targets(targets),
            What::Handle(_)
            | What::Table(_)
            | What::Wait(_)
            | What::Gap(_)
            | What::Tick
            | What::End(_) => {}
        }
    }

    fn thread(&self, thread: &mut ThreadEvent) {
        match thread {
            ThreadEvent::Born { comm, .. }
            | ThreadEvent::Renamed { comm, .. }
            | ThreadEvent::Exec { comm, .. } => self.name(comm),
            ThreadEvent::Exiting { .. } | ThreadEvent::Gone { .. } => {}
        }
    }

    fn mark(&self, mark: &mut Mark) {
        if !self.hides(Secret::Keys) {
            return;
        }
        // Keys of one length that differ beyond what was copied stay as they were: alike, and not
        // whole.
        let is_whole = mark.key.is_whole();
        let hashed = self.hashed(mark.key.text.bytes());
        mark.key = Key {
            len: hashed.len() as u64 + u64::from(!is_whole),
            text: Text::from(hashed.into_bytes()),
        };
        if let Declared::DeleteBegin {
            policy: Some(policy),
        } = &mut mark.what
        {
            *policy = Text::from(self.hashed(policy.bytes()).into_bytes());
        }
    }

    fn scan(&self, scan: &mut Scan) {
        for thread in scan.threads.iter_mut().flatten() {
            self.name(&mut thread.comm);
        }
        for table in &mut scan.tables {
            for handle in table.handles.iter_mut().flatten() {
                self.path(&mut handle.target);
            }
        }
        if let Some(limits) = &mut scan.limits {
            self.limits(limits);
        }
    }

    fn limits(&self, limits: &mut Limits) {
        if self.hides(Secret::Args)
            && let Some(command) = &mut limits.command
        {
            let words = command.bytes().split(|&byte| byte == 0);
            let hashed: Vec<_> = words
                .map(|word| {
                    if word.is_empty() {
                        String::new()
                    } else {
                        self.hashed(word)
                    }
                })
                .collect();
            *command = Text::from(hashed.join("\0").into_bytes());
        }
        if let Some(pids) = &mut limits.pids {
            self.path(&mut pids.cgroup);
        }
    }

    fn targets(&self, targets: &mut Targets) {
        for seen in &mut targets.read {
            self.path(&mut seen.target);
            if let Some(TargetDetail::Unix(socket)) = &mut seen.detail
                && let Some(path) = &mut socket.path
            {
                self.path(path);
            }
        }
    }

    fn name(&self, comm: &mut Comm) {
        if self.hides(Secret::Names) && !comm.bytes().is_empty() {
            *comm = Comm::from_bytes(self.hashed(comm.bytes()).as_bytes());
        }
    }

    /// What a descriptor's link says; `socket:[7]` and `anon_inode:[eventpoll]` are no paths.
    fn path(&self, path: &mut Text) {
        let bytes = path.bytes();
        let is_open = OPEN.iter().any(|open| bytes.starts_with(open));
        let is_kernels = bytes.ends_with(b"]") && bytes.contains(&b':') && !bytes.contains(&b'/');
        if !self.hides(Secret::Paths) || is_open || is_kernels || bytes.is_empty() {
            return;
        }
        // The kernel says so behind the path of a file that has no name any more.
        let (named, deleted) = match bytes.strip_suffix(b" (deleted)") {
            Some(named) => (named, " (deleted)"),
            None => (bytes, ""),
        };
        let (start, rest) = match named.strip_prefix(b"/memfd:") {
            Some(rest) => ("/memfd:", rest),
            None => match named.strip_prefix(b"@") {
                Some(rest) => ("@", rest),
                None => ("", named),
            },
        };
        let components = rest.split(|&byte| byte == b'/');
        let hashed: Vec<_> = components
            .map(|component| match component {
                b"" | b"." | b".." => String::from_utf8_lossy(component).into_owned(),
                _ => self.hashed(component),
            })
            .collect();
        *path = Text::from(format!("{start}{}{deleted}", hashed.join("/")).into_bytes());
    }

    /// Eleven characters, which fit a thread's name.
    fn hashed(&self, bytes: &[u8]) -> String {
        format!("#{:010x}", self.salt.hash_one(bytes) >> 24)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redaction() -> Redaction {
        Redaction::new(&[Secret::Paths, Secret::Names]).unwrap()
    }

    fn path(redaction: &Redaction, text: &str) -> String {
        let mut path = Text::from(text.as_bytes());
        redaction.path(&mut path);
        path.to_string()
    }

    #[test]
    fn paths_are_hashed_by_their_components() {
        let redaction = redaction();
        let (one, other) = (path(&redaction, "/srv/a/x"), path(&redaction, "/srv/a/y"));
        assert_ne!(one, other);
        assert_eq!(
            one.rsplit_once('/').unwrap().0,
            other.rsplit_once('/').unwrap().0
        );
        assert_eq!(one, path(&redaction, "/srv/a/x"));
        assert!(!one.contains("srv") && one.matches('/').count() == 3);
        assert!(path(&redaction, "/tmp/secret (deleted)").ends_with(" (deleted)"));
        assert!(path(&redaction, "/memfd:secret (deleted)").starts_with("/memfd:#"));
    }

    #[test]
    fn what_names_nobody_stays() {
        for open in [
            "socket:[17]",
            "anon_inode:[eventpoll]",
            "pipe:[9]",
            "/dev/null",
            "",
        ] {
            assert_eq!(path(&redaction(), open), open);
        }
    }

    #[test]
    fn salts_differ_and_names_fit() {
        let hash = |redaction: &Redaction| {
            let mut comm = Comm::from_bytes(b"worker-1");
            redaction.name(&mut comm);
            comm.to_string()
        };
        let one = redaction();
        assert_eq!(hash(&one), hash(&one));
        assert_ne!(hash(&one), hash(&redaction()));
        assert_eq!(hash(&one).len(), 11);
    }
}
