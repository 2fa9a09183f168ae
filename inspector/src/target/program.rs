//! The files a process executes code from: its program and its libraries.

use std::{collections::BTreeSet, ffi::OsStr, fs, os::unix::ffi::OsStrExt as _, path::PathBuf};

use super::Roots;
use crate::event::id::Tgid;

/// The program of a process and the libraries it has mapped, each once, as they can be opened from
/// here whatever the process's root is. What can't be read is left out.
pub fn files(roots: &Roots, tgid: Tgid) -> Vec<PathBuf> {
    let folder = roots.proc.join(tgid.to_string());
    let maps = fs::read(folder.join("maps")).unwrap_or_default();
    let mut files = vec![folder.join("exe")];
    let mut known = BTreeSet::new();
    for line in maps.split(|&byte| byte == b'\n') {
        let Some((file, path)) = executed(line) else {
            continue;
        };
        if known.insert(file.to_vec()) {
            files.push(folder.join("root").join(OsStr::from_bytes(path)));
        }
    }
    files
}

/// The file (its device and inode) and path of a line of proc_pid_maps(5) that maps code, the path
/// without its leading slash.
fn executed(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut fields = line.splitn(6, |&byte| byte == b' ');
    let permissions = fields.nth(1)?;
    let _offset = fields.next()?;
    let rest = line.splitn(4, |&byte| byte == b' ').nth(3)?;
    let (device, inode) = (fields.next()?, fields.next()?);
    let file = rest.get(..device.len() + 1 + inode.len())?;
    let path = fields.next()?.trim_ascii_start().strip_prefix(b"/")?;
    let is_there = permissions.contains(&b'x') && !path.ends_with(b" (deleted)");
    is_there.then_some((file, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_of_files_is_found_and_nothing_else() {
        let lib = b"7f00-7f10 r-xp 00001000 fe:00 1234                       /usr/lib/a b.so";
        assert_eq!(
            executed(lib),
            Some((&b"fe:00 1234"[..], &b"usr/lib/a b.so"[..]))
        );
        for other in [
            &b"7f00-7f10 r--p 00000000 fe:00 1234                       /usr/lib/a.so"[..],
            b"7f00-7f10 r-xp 00000000 00:00 0                          [vdso]",
            b"7f00-7f10 r-xp 00000000 00:00 0 ",
            b"7f00-7f10 r-xp 00000000 fe:00 9                          /tmp/x (deleted)",
            b"",
            b"7f00",
        ] {
            assert_eq!(executed(other), None);
        }
    }

    #[test]
    fn this_process_has_a_program_and_a_c_library() {
        let own = Tgid(std::process::id());
        let files = files(&Roots::here(), own);
        let named = |part: &str| {
            files
                .iter()
                .any(|file| file.to_string_lossy().contains(part))
        };
        assert!(named("/exe") && named("libc"), "{files:?}");
    }
}
