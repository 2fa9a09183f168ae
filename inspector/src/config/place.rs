//! Where the configuration lies: as asked, else in the configuration folder of the invoking user.

use std::{
    env,
    path::{Path, PathBuf},
};

use nix::unistd::{Uid, User};

use crate::lab::account::Account;

/// Where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Where somebody said, so it must be there.
    Asked(PathBuf),
    /// Where it would be if there were one.
    Usual(PathBuf),
    /// Nobody has a home.
    Nowhere,
}

/// What decides, passed in so that it can be tested.
#[derive(Clone, Debug, Default)]
pub(super) struct Surroundings {
    /// INSPECTOR_CONFIG.
    pub(super) asked: Option<PathBuf>,
    /// XDG_CONFIG_HOME, where it is the invoking user's.
    pub(super) config_home: Option<PathBuf>,
    /// The invoking user's home.
    pub(super) home: Option<PathBuf>,
    /// Whether NO_COLOR is set.
    pub(super) no_color: bool,
}

impl Surroundings {
    /// This process's own. Where `user` made it root, HOME and XDG_CONFIG_HOME are root's and say
    /// nothing.
    pub(super) fn of_this_process(user: Option<&Account>) -> Self {
        let (config_home, home) = match user {
            Some(user) => (None, home_of(Uid::from_raw(user.uid))),
            None => (
                variable("XDG_CONFIG_HOME"),
                variable("HOME").or_else(|| home_of(Uid::current())),
            ),
        };
        Self {
            asked: variable("INSPECTOR_CONFIG"),
            config_home,
            home,
            no_color: variable("NO_COLOR").is_some(),
        }
    }
}

/// An empty variable is none.
fn variable(name: &str) -> Option<PathBuf> {
    let value = env::var_os(name).filter(|value| !value.is_empty())?;
    Some(value.into())
}

/// As the user database has it. One that can't be read has nothing to say.
fn home_of(uid: Uid) -> Option<PathBuf> {
    User::from_uid(uid).ok().flatten().map(|user| user.dir)
}

/// The place to look at; `asked` is what the command line says.
pub(super) fn find(asked: Option<&Path>, around: &Surroundings) -> Place {
    if let Some(path) = asked.or(around.asked.as_deref()) {
        return Place::Asked(path.to_owned());
    }
    // The XDG specification has relative folders ignored.
    let config_home = around.config_home.clone().filter(|path| path.is_absolute());
    let folder = config_home.or_else(|| around.home.as_ref().map(|home| home.join(".config")));
    folder.map_or(Place::Nowhere, |folder| {
        Place::Usual(folder.join("inspector/inspector.toml"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_wins_and_must_be_there() {
        let around = Surroundings {
            asked: Some("/variable".into()),
            config_home: Some("/xdg".into()),
            home: Some("/home/u".into()),
            no_color: false,
        };
        let asked = Place::Asked("/argument".into());
        assert_eq!(find(Some(Path::new("/argument")), &around), asked);
        assert_eq!(find(None, &around), Place::Asked("/variable".into()));
    }

    #[test]
    fn the_usual_place_is_the_configuration_folder() {
        let mut around = Surroundings {
            config_home: Some("/xdg".into()),
            home: Some("/home/u".into()),
            ..Surroundings::default()
        };
        let usual = |path: &str| Place::Usual(path.into());
        assert_eq!(find(None, &around), usual("/xdg/inspector/inspector.toml"));
        for none in [Some("relative".into()), None] {
            around.config_home = none;
            let place = usual("/home/u/.config/inspector/inspector.toml");
            assert_eq!(find(None, &around), place);
        }
        around.home = None;
        assert_eq!(find(None, &around), Place::Nowhere);
    }

    #[test]
    fn through_sudo_the_home_is_that_of_who_called_it() {
        let nobody = User::from_name("nobody").unwrap().unwrap();
        let around = Surroundings::of_this_process(Some(&Account {
            uid: nobody.uid.as_raw(),
            gid: nobody.gid.as_raw(),
            groups: Vec::new(),
        }));
        assert_eq!((around.config_home, around.home), (None, Some(nobody.dir)));
        let nameless = Account {
            uid: 54321,
            gid: 54321,
            groups: Vec::new(),
        };
        let around = Surroundings::of_this_process(Some(&nameless));
        assert_eq!((around.config_home, around.home), (None, None));
    }
}
