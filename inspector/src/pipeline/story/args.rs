//! The words of a story's line.

use std::num::NonZeroU64;

use crate::event::{
    handle::HandleKind,
    id::{BootTime, Fd, FileAddress, FilesAddress, Tid},
    wait::Waking,
};

/// The words after the verb: positions, flags, and `name=value`.
pub(super) struct Args<'a>(pub(super) &'a [&'a str]);

impl Args<'_> {
    pub(super) fn fd(&self, place: usize) -> Fd {
        Fd(self.0[place].parse().unwrap())
    }

    /// A word's bytes, with `%1b` for what can't be written.
    pub(super) fn bytes(&self, place: usize) -> Vec<u8> {
        let mut parts = self.0[place].split('%');
        let mut bytes = parts.next().unwrap().as_bytes().to_vec();
        for part in parts {
            bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
            bytes.extend_from_slice(&part.as_bytes()[2..]);
        }
        bytes
    }

    pub(super) fn count(&self, place: usize) -> u64 {
        self.0[place].parse().unwrap()
    }

    /// `by=TID:COUNT`.
    pub(super) fn wakers(&self) -> Vec<(Waking, u64)> {
        let by = self.value("by").and_then(|by| by.split_once(':'));
        by.into_iter()
            .map(|(tid, count)| {
                let waking = Waking::Thread(Tid(tid.parse().unwrap()));
                (waking, count.parse().unwrap())
            })
            .collect()
    }

    pub(super) fn numbers(&self) -> impl Iterator<Item = Fd> {
        self.0
            .iter()
            .filter_map(|word| Some(Fd(word.parse().ok()?)))
    }

    pub(super) fn has(&self, flag: &str) -> bool {
        self.0.contains(&flag)
    }

    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }

    pub(super) fn file(&self) -> Option<FileAddress> {
        let address: u64 = self.value("file")?.parse().unwrap();
        NonZeroU64::new(address).map(FileAddress)
    }

    pub(super) fn files(&self) -> Option<FilesAddress> {
        let address: u64 = self.value("files")?.parse().unwrap();
        NonZeroU64::new(address).map(FilesAddress)
    }

    pub(super) fn kind(&self) -> HandleKind {
        if self.has("socket") {
            HandleKind::Socket
        } else if self.has("file") {
            HandleKind::Opened
        } else {
            HandleKind::Timerfd
        }
    }
}

pub(super) fn time(ms: &str) -> BootTime {
    let ms: f64 = ms.parse().unwrap();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a story's times are small"
    )]
    BootTime((ms * 1e6).round() as u64)
}

pub(super) fn kind_name(name: &str) -> &'static str {
    inspector_ebpf::abi::record::kind::NAMES
        .iter()
        .find(|&&known| known == name)
        .unwrap()
}
