//! A user's file read with that user's rights, by a process that may have more.
//!
//! A message that quotes the file must not show what only root may read, whatever the file's name
//! links to. So a thread gives up what the user does not have, reads, and ends; rights belong to
//! threads, and the others keep theirs.

use std::{
    fs::File,
    io::{self, Read as _},
    panic,
    path::Path,
    thread,
};

use crate::lab::account::{self, Account, Invoker};

/// No configuration is longer.
pub(super) const MOST_BYTES: u64 = 64 * 1024;

/// With whose rights to read.
#[derive(Clone, Debug)]
pub(super) enum Rights {
    /// Of who called sudo.
    User(Account),
    /// Of whoever this process belongs to, without the capabilities that its file may carry.
    Ordinary,
    /// Of root, who is also whose file it is.
    Root,
}

impl Rights {
    /// What fits a process that `user` made root, if anyone did.
    pub(super) fn of(invoker: &Invoker<'_>, user: Option<Account>) -> Self {
        match user {
            Some(user) => Self::User(user),
            None if invoker.root => Self::Root,
            None => Self::Ordinary,
        }
    }

    /// The file's content; `None` = there is too much.
    ///
    /// # Errors
    /// Those of taking the rights and of reading.
    pub(super) fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        let account = match self {
            Self::Root => return bounded(path),
            Self::User(account) => Some(account),
            Self::Ordinary => None,
        };
        let lesser = || {
            if let Some(account) = account {
                account.become_it()?;
            }
            account::give_up_capabilities()?;
            bounded(path)
        };
        thread::scope(|scope| scope.spawn(lesser).join())
            .unwrap_or_else(|panicked| panic::resume_unwind(panicked))
    }
}

fn bounded(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let mut file = File::open(path)?.take(MOST_BYTES + 1);
    file.read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= MOST_BYTES).then_some(bytes))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_too_long_is_not_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long");
        for (length, fits) in [(MOST_BYTES, true), (MOST_BYTES + 1, false)] {
            fs::write(&path, vec![b'#'; usize::try_from(length).unwrap()]).unwrap();
            assert_eq!(Rights::Ordinary.read(&path).unwrap().is_some(), fits);
        }
        assert_eq!(Rights::Ordinary.read(Path::new("/dev/zero")).unwrap(), None);
        assert!(Rights::Ordinary.read(folder.path()).is_err());
    }
}
