//! `writer`: an open file and a thread that writes a line to it every tick.
//!
//! The file's name is removed at once: it lives as long as its descriptor, and nothing is left
//! in the temporary folder however the process ends.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::{fd::OwnedFd, unix::fs::OpenOptionsExt},
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use rustix::io::write;

use super::{Entry, Spec, period, thread_name};

/// Makes the names of this process's files differ.
static FILES: AtomicU64 = AtomicU64::new(0);

pub(super) fn open(spec: &Spec<'_>) -> io::Result<Entry> {
    let period = period(spec);
    let file = temporary(&thread_name("write", spec.key))?;
    Entry::start(
        spec,
        "write",
        vec![OwnedFd::from(file)],
        |_, thread| thread.unpark(),
        move |task| {
            while !task.stopping() {
                if write(task.handle(0), b"still here\n").is_err() {
                    return;
                }
                thread::park_timeout(period);
            }
        },
    )
}

fn temporary(name: &str) -> io::Result<File> {
    let process = std::process::id();
    let folder = std::env::temp_dir();
    loop {
        let number = FILES.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!(
            "inspector-lab-{process}-{number}-{}",
            name.replace('/', "_")
        ));
        let opened = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        match opened {
            Ok(file) => {
                fs::remove_file(&path)?;
                return Ok(file);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(io::Error::new(
                    error.kind(),
                    format!("{}: {error}", path.display()),
                ));
            }
        }
    }
}
