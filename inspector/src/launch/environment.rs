//! The environment of a command whose tool was started through sudo: the user's, as far as known.
//!
//! sudo gives its programs root's HOME, USER and PATH, and little else. What a login would set is
//! rebuilt from the user's entry in passwd and from /etc/login.defs; what the user's own shell had
//! set beyond that is lost, and `--env NAME=VALUE` or `--sudo` brings it.

use std::{
    ffi::{OsStr, OsString},
    fs,
};

use nix::unistd::{Uid, User};

/// Where programs are looked for where login.defs does not say.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// What sudo sets for its own program, which is no business of the command's.
fn is_sudos(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b"SUDO_") || name == b"MAIL"
}

/// A user as passwd has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub name: OsString,
    /// The home folder.
    pub home: OsString,
    /// The shell.
    pub shell: OsString,
}

impl Login {
    /// That of a number; `None` where passwd does not have it.
    pub fn of(uid: u32) -> Option<Self> {
        let user = User::from_uid(Uid::from_raw(uid)).ok().flatten()?;
        Some(Self {
            name: user.name.into(),
            home: user.dir.into(),
            shell: user.shell.into(),
        })
    }
}

/// The environment `now`, made the user's again, with `added` last.
pub fn rebuilt(
    now: impl Iterator<Item = (OsString, OsString)>,
    login: Option<&Login>,
    added: &[(OsString, OsString)],
) -> Vec<(OsString, OsString)> {
    let mut set: Vec<(OsString, OsString)> = now.collect();
    if let Some(login) = login {
        set.retain(|(name, _)| !is_sudos(name));
        let mine = [
            ("HOME", login.home.clone()),
            ("USER", login.name.clone()),
            ("LOGNAME", login.name.clone()),
            ("SHELL", login.shell.clone()),
            ("PATH", path()),
        ];
        for (name, value) in mine {
            put(&mut set, name.into(), value);
        }
    }
    for (name, value) in added {
        put(&mut set, name.clone(), value.clone());
    }
    set
}

fn put(set: &mut Vec<(OsString, OsString)>, name: OsString, value: OsString) {
    match set.iter_mut().find(|(known, _)| *known == name) {
        Some((_, known)) => *known = value,
        None => set.push((name, value)),
    }
}

/// `ENV_PATH` of login.defs(5).
fn path() -> OsString {
    let defs = fs::read_to_string("/etc/login.defs").unwrap_or_default();
    path_of(&defs).into()
}

fn path_of(defs: &str) -> &str {
    let value = defs.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some("ENV_PATH")).then(|| words.next())?
    });
    value.map_or(PATH, |value| value.strip_prefix("PATH=").unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
        let owned = pairs
            .iter()
            .map(|&(name, value)| (name.into(), value.into()));
        owned.collect()
    }

    #[test]
    fn sudos_environment_becomes_the_users() {
        let login = Login {
            name: "ann".into(),
            home: "/home/ann".into(),
            shell: "/bin/zsh".into(),
        };
        let now = pairs(&[
            ("HOME", "/root"),
            ("SUDO_UID", "1000"),
            ("LANG", "C.UTF-8"),
            ("PATH", "/usr/sbin"),
        ]);
        let rebuilt = rebuilt(
            now.into_iter(),
            Some(&login),
            &pairs(&[("TZ", "UTC"), ("LANG", "C")]),
        );
        let value = |name: &str| {
            let found = rebuilt.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.to_str().unwrap())
        };
        assert_eq!(value("HOME"), Some("/home/ann"));
        assert_eq!(value("USER"), Some("ann"));
        assert_eq!(value("SHELL"), Some("/bin/zsh"));
        assert_eq!(value("LANG"), Some("C"));
        assert_eq!(value("TZ"), Some("UTC"));
        assert_eq!(value("SUDO_UID"), None);
        assert_ne!(value("PATH"), Some("/usr/sbin"));
    }

    #[test]
    fn without_a_login_nothing_but_what_is_added_changes() {
        let now = pairs(&[("HOME", "/root"), ("SUDO_UID", "0")]);
        assert_eq!(rebuilt(now.clone().into_iter(), None, &[]), now);
    }

    #[test]
    fn the_path_is_login_defs() {
        assert_eq!(path_of("# ENV_PATH x\nENV_PATH\tPATH=/a:/b\n"), "/a:/b");
        assert_eq!(path_of("ENV_SUPATH PATH=/c\n"), PATH);
    }
}
