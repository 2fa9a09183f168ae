//! Who the lab's child runs as, and how it gives everything else away.
//!
//! The harness chooses ([`choose`]); the child, freshly started and still with one thread, drops
//! (`Account::become_it`) before it does anything else. Dropping after the exec rather than
//! before lets the program lie where only root may look.

use std::{fs, io, num::ParseIntError};

use nix::unistd::{Gid, Uid, User, getgrouplist};
use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::{
        CapabilitySet, CapabilitySets, clear_ambient_capability_set,
        remove_capability_from_bounding_set, set_capabilities, set_no_new_privs, set_thread_groups,
        set_thread_res_gid, set_thread_res_uid,
    },
};
use thiserror::Error;

/// A user with its groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// User id.
    pub uid: u32,
    /// Main group.
    pub gid: u32,
    /// All groups.
    pub groups: Vec<u32>,
}

/// What was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// `None` = as whoever runs inspector: there is nothing to become.
    pub account: Option<Account>,
    /// What the user should be told about it.
    pub notice: Option<String>,
}

/// Why no account could be chosen.
#[derive(Debug, Error)]
pub enum AccountError {
    /// `--as` without being root.
    #[error(
        "the lab cannot run as {0}: only root can change users (leave --as out, or start inspector through sudo)"
    )]
    NotRoot(String),
    /// No such user.
    #[error("the lab cannot run as {0}: there is no such user (`getent passwd` lists them)")]
    NoSuchUser(String),
    /// SUDO_UID or SUDO_GID is no number.
    #[error("{0} is {1:?}, not a number ({2}): unset it, or choose a user with --as")]
    BadSudo(&'static str, String, ParseIntError),
    /// The user database could not be read.
    #[error(
        "the user database could not be read for {0}: {1} (choose another user with --as USER)"
    )]
    Database(String, nix::Error),
}

/// What decides, passed in so that it can be tested.
#[derive(Clone, Debug, Default)]
pub struct Invoker<'a> {
    /// Whether inspector runs as root.
    pub root: bool,
    /// `--as`.
    pub wanted: Option<&'a str>,
    /// SUDO_UID.
    pub sudo_uid: Option<String>,
    /// SUDO_GID.
    pub sudo_gid: Option<String>,
}

impl<'a> Invoker<'a> {
    /// This process's own.
    pub fn of_this_process(wanted: Option<&'a str>) -> Self {
        Self {
            root: Uid::effective().is_root(),
            wanted,
            sudo_uid: std::env::var("SUDO_UID").ok(),
            sudo_gid: std::env::var("SUDO_GID").ok(),
        }
    }
}

/// Chooses: `--as`, else who called sudo, else `nobody` (said), else nobody to change to.
///
/// # Errors
///
/// See [`AccountError`].
pub fn choose(invoker: &Invoker<'_>) -> Result<Choice, AccountError> {
    let quietly = |account| Choice {
        account: Some(account),
        notice: None,
    };
    if let Some(name) = invoker.wanted {
        if !invoker.root {
            return Err(AccountError::NotRoot(name.to_owned()));
        }
        return by_name(name).map(quietly);
    }
    if !invoker.root {
        return Ok(Choice {
            account: None,
            notice: None,
        });
    }
    if let Some(account) = through_sudo(invoker)? {
        return Ok(quietly(account));
    }
    Ok(Choice {
        account: Some(by_name("nobody")?),
        notice: Some(
            "the lab's child runs as nobody, because root started inspector without sudo (--as USER chooses another)"
                .to_owned(),
        ),
    })
}

/// Who made inspector root by sudo, if it is root and someone did.
///
/// # Errors
///
/// See [`AccountError`].
pub fn through_sudo(invoker: &Invoker<'_>) -> Result<Option<Account>, AccountError> {
    let Some(uid) = invoker.sudo_uid.as_ref().filter(|_| invoker.root) else {
        return Ok(None);
    };
    let uid = number("SUDO_UID", uid)?;
    // Root through sudo is still root: it is nobody's invoking user.
    if uid == 0 {
        return Ok(None);
    }
    let gid = match &invoker.sudo_gid {
        Some(gid) => Some(number("SUDO_GID", gid)?),
        None => None,
    };
    by_uid(uid, gid).map(Some)
}

fn number(variable: &'static str, text: &str) -> Result<u32, AccountError> {
    text.parse()
        .map_err(|error| AccountError::BadSudo(variable, text.to_owned(), error))
}

fn by_name(name: &str) -> Result<Account, AccountError> {
    let user = User::from_name(name)
        .map_err(|error| AccountError::Database(name.to_owned(), error))?
        .ok_or_else(|| AccountError::NoSuchUser(name.to_owned()))?;
    with_groups(&user, user.gid)
}

fn by_uid(uid: u32, gid: Option<u32>) -> Result<Account, AccountError> {
    let user = User::from_uid(Uid::from_raw(uid))
        .map_err(|error| AccountError::Database(uid.to_string(), error))?;
    match user {
        Some(user) => with_groups(&user, gid.map_or(user.gid, Gid::from_raw)),
        // A uid without a name can still run something, in its one group.
        None => {
            let gid = gid.unwrap_or(uid);
            Ok(Account {
                uid,
                gid,
                groups: vec![gid],
            })
        }
    }
}

fn with_groups(user: &User, gid: Gid) -> Result<Account, AccountError> {
    let name = std::ffi::CString::new(user.name.as_str())
        .map_err(|_| AccountError::NoSuchUser(user.name.clone()))?;
    let groups = getgrouplist(&name, gid)
        .map_err(|error| AccountError::Database(user.name.clone(), error))?;
    Ok(Account {
        uid: user.uid.as_raw(),
        gid: gid.as_raw(),
        groups: groups.into_iter().map(Gid::as_raw).collect(),
    })
}

impl Account {
    /// Makes the calling thread this account's, and no other thread: where the process is to
    /// become it, the caller is the only one.
    ///
    /// # Errors
    ///
    /// Those of the calls: nothing works half.
    pub(crate) fn become_it(&self) -> io::Result<()> {
        let groups: Vec<_> = self
            .groups
            .iter()
            .map(|&gid| rustix::process::Gid::from_raw(gid))
            .collect();
        set_thread_groups(&groups)?;
        let gid = rustix::process::Gid::from_raw(self.gid);
        set_thread_res_gid(gid, gid, gid)?;
        let uid = rustix::process::Uid::from_raw(self.uid);
        set_thread_res_uid(uid, uid, uid)?;
        Ok(())
    }
}

/// Closes every descriptor but the standard three: what a shell left open without close-on-exec
/// may reach further than the account that the child becomes. To be called before anything of
/// the child's own is open.
///
/// # Errors
///
/// /proc is not there to tell what is open.
pub(super) fn close_inherited() -> io::Result<()> {
    let mut inherited = Vec::new();
    for entry in fs::read_dir("/proc/self/fd")? {
        if let Some(number) = entry?
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        {
            inherited.push(number);
        }
    }
    for number in inherited {
        let number: i32 = number;
        if number > 2 {
            // The folder just listed was one of them, and is closed already.
            let _ = nix::unistd::close(number);
        }
    }
    Ok(())
}

/// Empties the bounding set, as far as the caller may. Before the user changes: it takes
/// CAP_SETPCAP, which goes with the change.
pub(super) fn close_bounding_set() {
    for capability in CapabilitySet::all() {
        // Refused where CAP_SETPCAP is missing; no_new_privs then bars the way back.
        let _ = remove_capability_from_bounding_set(capability);
    }
}

/// Gives up every capability of the calling thread, for good. After the user changed, so that root and file
/// capabilities leave nothing behind either.
///
/// # Errors
///
/// Those of the calls.
pub(crate) fn give_up_capabilities() -> io::Result<()> {
    let none = CapabilitySet::empty();
    clear_ambient_capability_set()?;
    set_capabilities(
        None,
        CapabilitySets {
            effective: none,
            permitted: none,
            inheritable: none,
        },
    )?;
    set_no_new_privs(true)?;
    Ok(())
}

/// Raises the soft limit on descriptors to the hard one and returns it.
pub(super) fn raise_nofile() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    // Always allowed; should it fail all the same, the old limit is what there is.
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    );
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> Invoker<'static> {
        Invoker {
            root: true,
            ..Invoker::default()
        }
    }

    #[test]
    fn root_without_sudo_is_nobody_and_says_so() {
        let choice = choose(&root()).unwrap();
        assert_eq!(choice.account, Some(by_name("nobody").unwrap()));
        assert!(choice.notice.unwrap().contains("nobody"));
    }

    #[test]
    fn sudo_names_the_invoking_user() {
        let choice = choose(&Invoker {
            sudo_uid: Some("54321".into()),
            sudo_gid: Some("54322".into()),
            ..root()
        })
        .unwrap();
        let expected = Account {
            uid: 54321,
            gid: 54322,
            groups: vec![54322],
        };
        assert_eq!(choice.account, Some(expected));
        assert_eq!(choice.notice, None);
    }

    #[test]
    fn root_through_sudo_is_nobody_too() {
        let choice = choose(&Invoker {
            sudo_uid: Some("0".into()),
            ..root()
        })
        .unwrap();
        assert_eq!(choice.account, Some(by_name("nobody").unwrap()));
    }

    #[test]
    fn as_wins_over_sudo_and_needs_root() {
        let wanted = Invoker {
            wanted: Some("nobody"),
            sudo_uid: Some("54321".into()),
            ..root()
        };
        let choice = choose(&wanted).unwrap();
        assert_eq!(choice.account, Some(by_name("nobody").unwrap()));
        let refused = choose(&Invoker {
            root: false,
            ..wanted
        });
        assert!(matches!(refused, Err(AccountError::NotRoot(_))));
    }

    #[test]
    fn an_ordinary_user_stays_who_they_are() {
        let choice = choose(&Invoker {
            sudo_uid: Some("54321".into()),
            ..Invoker::default()
        })
        .unwrap();
        assert_eq!(choice.account, None);
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        let unknown = choose(&Invoker {
            wanted: Some("no-such-user-here"),
            ..root()
        });
        assert!(matches!(unknown, Err(AccountError::NoSuchUser(_))));
        let garbled = choose(&Invoker {
            sudo_uid: Some("x".into()),
            ..root()
        });
        assert!(matches!(
            garbled,
            Err(AccountError::BadSudo("SUDO_UID", ..))
        ));
    }
}
