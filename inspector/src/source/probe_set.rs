//! Which programs of a run watch, and why others don't.

/// Which hooks a run uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProbeSetKind {
    /// Births and deaths: what verdicts need.
    BirthsAndDeaths,
    /// The same, and what threads wait in and who wakes them.
    #[default]
    WithWaits,
}

impl ProbeSetKind {
    /// The words for it, everywhere.
    pub fn words(self) -> &'static str {
        match self {
            Self::BirthsAndDeaths => "births and deaths",
            Self::WithWaits => "with waits and wakes",
        }
    }
}

/// Every program of a run and how it fares. "Zero" is a measurement only where the probe is
/// attached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProbeSet {
    /// Which set was asked for.
    pub kind: ProbeSetKind,
    /// One row a program.
    pub probes: Vec<ProbeStatus>,
}

impl ProbeSet {
    /// Those that should work and don't.
    pub fn lacking(&self) -> impl Iterator<Item = &ProbeStatus> {
        self.probes
            .iter()
            .filter(|probe| probe.state.why().is_some())
    }

    /// Those of the set that do not watch, whatever the reason.
    pub fn silent(&self) -> impl Iterator<Item = &ProbeStatus> {
        self.probes
            .iter()
            .filter(|probe| !probe.state.works() && probe.state != ProbeState::OtherSet)
    }

    /// Whether a program works.
    pub fn has(&self, name: &str) -> bool {
        self.probes
            .iter()
            .any(|probe| probe.name == name && probe.state.works())
    }

    /// How many work, of how many that should.
    pub fn working(&self) -> (usize, usize) {
        let wanted = self
            .probes
            .iter()
            .filter(|probe| !matches!(probe.state, ProbeState::Disabled | ProbeState::OtherSet));
        let works = wanted.clone().filter(|probe| probe.state.works()).count();
        (works, wanted.count())
    }
}

/// One program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeStatus {
    /// The program's name.
    pub name: &'static str,
    /// Kind and name of the hook.
    pub hook: String,
    /// What can't be told without it.
    pub without: &'static str,
    /// How it fares.
    pub state: ProbeState,
}

/// How a program fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeState {
    /// It runs.
    Attached,
    /// It is loaded, and is attached where a target has mark sites.
    Ready,
    /// Left out, as asked.
    Disabled,
    /// The probe set that was asked for does without it.
    OtherSet,
    /// This kernel does not have what it needs.
    Unsupported {
        /// What.
        why: String,
    },
    /// The kernel refused it.
    Refused {
        /// The kernel's reason.
        why: String,
    },
}

impl ProbeState {
    /// The word for it, everywhere.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Attached => "attached",
            Self::Ready => "ready",
            Self::Disabled => "disabled",
            Self::OtherSet => "not of this set",
            Self::Unsupported { .. } => "unsupported",
            Self::Refused { .. } => "refused",
        }
    }

    /// Whether it does its work.
    pub fn works(&self) -> bool {
        matches!(self, Self::Attached | Self::Ready)
    }

    /// Why it does not run, where something hinders it.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Attached | Self::Ready | Self::Disabled | Self::OtherSet => None,
            Self::Unsupported { why } | Self::Refused { why } => Some(why),
        }
    }
}
