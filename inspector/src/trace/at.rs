//! Times within a recording, as people write them.

use std::{fmt, str::FromStr};

use crate::{duration::parse_ns, event::BootTime};

/// A time within a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// A time of the day in UTC, in nanoseconds since midnight: the first one after the beginning.
    OfDay(u64),
    /// So many nanoseconds after the beginning.
    AfterStart(u64),
    /// So many nanoseconds before the end.
    BeforeEnd(u64),
}

/// Why a text is no such time, or is none of a recording's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTime {
    /// It is written wrong.
    #[error(
        "a time is 14:03:07 (of the day, in UTC), +90s (from the beginning) or -3m (from the end)"
    )]
    Form,
    /// The time of the day is not known.
    #[error("the recording does not know the time of the day: say +90s or -3m")]
    NoWallClock,
}

const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 86_400 * SECOND;

impl At {
    /// The time since boot in a recording that spans these.
    ///
    /// # Errors
    /// [`NoTime::NoWallClock`]
    pub fn within(
        self,
        (first, last): (BootTime, BootTime),
        boot_wall_ns: Option<u64>,
    ) -> Result<BootTime, NoTime> {
        Ok(match self {
            Self::AfterStart(ns) => first.plus_ns(ns),
            Self::BeforeEnd(ns) => BootTime(last.0.saturating_sub(ns).max(first.0)),
            Self::OfDay(of_day) => {
                let boot = boot_wall_ns.ok_or(NoTime::NoWallClock)?;
                let began_of_day = boot.saturating_add(first.0) % DAY;
                // In a recording past midnight it is the next day's.
                let after = (of_day + DAY - began_of_day) % DAY;
                first.plus_ns(after)
            }
        })
    }
}

impl FromStr for At {
    type Err = NoTime;

    fn from_str(text: &str) -> Result<Self, NoTime> {
        let text = text.trim();
        let length = |text| parse_ns(text).map_err(|_| NoTime::Form);
        if let Some(after) = text.strip_prefix('+') {
            return length(after).map(Self::AfterStart);
        }
        if let Some(before) = text.strip_prefix('-') {
            return length(before).map(Self::BeforeEnd);
        }
        of_day(text).map(Self::OfDay).ok_or(NoTime::Form)
    }
}

/// `14:03`, `14:03:07` or `14:03:07.25`.
fn of_day(text: &str) -> Option<u64> {
    let mut parts = text.split(':');
    let mut number = |most: u64| -> Option<u64> {
        let part = parts.next()?;
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let number = is_number.then(|| part.parse().ok())??;
        (number <= most).then_some(number)
    };
    let (hour, minute) = (number(23)?, number(59)?);
    let seconds = parts.next().unwrap_or("0");
    if parts.next().is_some() {
        return None;
    }
    let (second, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if second.is_empty() || !is_number(second) || !is_number(fraction) || fraction.len() > 9 {
        return None;
    }
    let second: u64 = second.parse().ok().filter(|&second| second < 60)?;
    let fraction: u64 = format!("{fraction:0<9}").parse().ok()?;
    Some((hour * 3600 + minute * 60 + second) * SECOND + fraction)
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OfDay(ns) => {
                let seconds = ns / SECOND;
                let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
                write!(f, "{hours:02}:{minutes:02}:{:02}", seconds % 60)
            }
            Self::AfterStart(ns) => write!(f, "+{}", crate::duration::written(*ns)),
            Self::BeforeEnd(ns) => write!(f, "-{}", crate::duration::written(*ns)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        assert_eq!("+90s".parse(), Ok(At::AfterStart(90 * SECOND)));
        assert_eq!("-3m".parse(), Ok(At::BeforeEnd(180 * SECOND)));
        assert_eq!("00:01".parse(), Ok(At::OfDay(60 * SECOND)));
        assert_eq!("00:00:01.5".parse(), Ok(At::OfDay(SECOND * 3 / 2)));
        for wrong in [
            "", "14", "24:00", "1:60", "1:2:3:4", "1:2:60", "+", "-x", "1:2:3.x",
        ] {
            assert_eq!(wrong.parse::<At>(), Err(NoTime::Form), "{wrong:?}");
        }
    }

    #[test]
    fn times_are_found_in_a_recording() {
        let span = (BootTime(10 * SECOND), BootTime(20 * SECOND));
        // It was booted ten seconds before a midnight.
        let boot = Some(5 * DAY - 10 * SECOND);
        let at = |text: &str| text.parse::<At>().unwrap().within(span, boot);
        assert_eq!(at("+3s"), Ok(BootTime(13 * SECOND)));
        assert_eq!(at("-3s"), Ok(BootTime(17 * SECOND)));
        assert_eq!(at("-1h"), Ok(span.0));
        assert_eq!(at("00:00:05"), Ok(BootTime(15 * SECOND)));
        let none = "00:00".parse::<At>().unwrap().within(span, None);
        assert_eq!(none, Err(NoTime::NoWallClock));
    }
}
