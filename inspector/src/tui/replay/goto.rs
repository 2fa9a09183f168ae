//! Where to go in a recording, as a person writes it: `14:03:07`, `+90s`, `-3m`, `50%`, `start`.

use crate::{
    duration::{NoDuration, parse_ns},
    event::BootTime,
    trace::at::At,
    tui::words,
};

/// What a time is told by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// The time of the first event.
    pub from: BootTime,
    /// And that of the last.
    pub until: BootTime,
    /// The time that is shown.
    pub at: BootTime,
    /// Adds to a time since boot to give the time of day (UTC), in nanoseconds.
    pub boot_on_wall_ns: u64,
}

/// Why a text leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTime {
    /// It is none of what can be written.
    #[error("a time is such as 14:03:07, 14:03:07.250, +90s, -3m, 50%, start or end")]
    Unreadable,
    /// The length behind the sign is none.
    #[error("{0}")]
    Length(#[from] NoDuration),
    /// More than there is.
    #[error("it has 100 % at most")]
    Percent,
    /// No such time of day is in it.
    #[error("{text} is not in it: it goes from {from} to {until} (UTC)")]
    Outside {
        /// The time, as it was written.
        text: String,
        /// When it begins,
        from: String,
        /// and ends.
        until: String,
    },
}

const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 86_400 * SECOND;

/// The recorded time that a text means. Lengths lead at most to the ends.
///
/// # Errors
/// [`NoTime`]
pub fn parse(text: &str, scale: &Scale) -> Result<BootTime, NoTime> {
    let text = text.trim();
    let within = |at: BootTime| at.clamp(scale.from, scale.until);
    if let Some(length) = text.strip_prefix('+') {
        return Ok(within(scale.at.plus_ns(parse_ns(length)?)));
    }
    if let Some(length) = text.strip_prefix(['-', '−']) {
        let at = scale.at.0.saturating_sub(parse_ns(length)?);
        return Ok(within(BootTime(at)));
    }
    if let Some(percent) = text.strip_suffix('%') {
        return part(percent.trim_end(), scale);
    }
    match text {
        "start" => Ok(scale.from),
        "end" => Ok(scale.until),
        _ => of_day(text, scale),
    }
}

fn part(percent: &str, scale: &Scale) -> Result<BootTime, NoTime> {
    let thousandths = decimal(percent, 3).ok_or(NoTime::Unreadable)?;
    if thousandths > 100_000 {
        return Err(NoTime::Percent);
    }
    let span = u128::from(scale.until.since_ns(scale.from));
    let passed = span * u128::from(thousandths) / 100_000;
    let passed = u64::try_from(passed).unwrap_or(u64::MAX);
    Ok(scale.from.plus_ns(passed))
}

/// A number with so many places behind its point, as a whole number of the last ones.
fn decimal(text: &str, places: usize) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || part.len() > places || !is_number(whole) || !is_number(part) {
        return None;
    }
    format!("{whole}{part:0<places$}").parse().ok()
}

/// The time of day nearest to the time that is shown, within the recording.
fn of_day(text: &str, scale: &Scale) -> Result<BootTime, NoTime> {
    let Ok(At::OfDay(of_day)) = text.parse() else {
        return Err(NoTime::Unreadable);
    };
    // A time that is written to the second is that second: its beginning may be before the first
    // event.
    let rounding = match text.split_once('.') {
        Some((_, part)) => SECOND / 10_u64.pow(u32::try_from(part.len().min(9)).unwrap_or(9)),
        None if text.matches(':').count() == 1 => 60 * SECOND,
        None => SECOND,
    };
    let wall = |at: BootTime| scale.boot_on_wall_ns.saturating_add(at.0);
    let first_day = wall(scale.from) / DAY;
    let last_day = wall(scale.until) / DAY;
    let is_in = |at: &u64| *at + rounding > wall(scale.from) && *at <= wall(scale.until);
    let days = first_day..=last_day;
    let times = days.map(|day| day.saturating_mul(DAY).saturating_add(of_day));
    let nearest = times
        .filter(is_in)
        .min_by_key(|at| at.abs_diff(wall(scale.at)));
    let Some(at) = nearest else {
        let told = |at| {
            let mut told = words::wall(at, scale.boot_on_wall_ns, 0);
            told.truncate("00:00:00".len());
            told
        };
        return Err(NoTime::Outside {
            text: text.to_owned(),
            from: told(scale.from),
            until: told(scale.until),
        });
    };
    let at = BootTime(at.saturating_sub(scale.boot_on_wall_ns));
    Ok(at.clamp(scale.from, scale.until))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From 14:02:11 to 14:17:40, at 14:05:00.
    fn scale() -> Scale {
        let boot_on_wall_ns = 14 * 3600 * SECOND;
        Scale {
            from: BootTime(131 * SECOND + 5),
            until: BootTime(1060 * SECOND),
            at: BootTime(300 * SECOND),
            boot_on_wall_ns,
        }
    }

    fn seconds(text: &str) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "for a person to read")]
        let ns = parse(text, &scale()).unwrap().0 as f64;
        ns / 1e9
    }

    #[test]
    fn times_of_every_kind_are_read() {
        for (text, expected) in [
            ("14:03:07", 187.0),
            ("14:03:07.25", 187.25),
            (" 14:04 ", 240.0),
            ("14:17:40", 1060.0),
            ("+90s", 390.0),
            ("-1m30s", 210.0),
            ("+1h", 1060.0),
            ("100%", 1060.0),
            ("end", 1060.0),
        ] {
            assert!((seconds(text) - expected).abs() < 1e-6, "{text}");
        }
        // What begins before the first event is its time.
        for text in ["14:02:11", "14:02", "-9d", "0%", "start"] {
            assert_eq!(parse(text, &scale()), Ok(scale().from), "{text}");
        }
        let middle = parse("50%", &scale()).unwrap();
        assert_eq!(middle.0, (131 + 1060) * SECOND / 2 + 2);
    }

    #[test]
    fn what_is_no_time_is_told() {
        for text in [
            "",
            "7",
            "14",
            "25:00:00",
            "14:61",
            "14:03:07:01",
            "x%",
            "14:03:60",
            "++1s",
        ] {
            assert!(parse(text, &scale()).is_err(), "{text}");
        }
        assert_eq!(parse("101%", &scale()), Err(NoTime::Percent));
        assert_eq!(
            parse("14:30:00", &scale()).unwrap_err().to_string(),
            "14:30:00 is not in it: it goes from 14:02:11 to 14:17:40 (UTC)"
        );
        assert_eq!(
            parse("+3", &scale()).unwrap_err().to_string(),
            "a time is a number and a unit of d, h, m, s, ms, us, ns, such as 1.5s or 1h30m"
        );
    }

    #[test]
    fn of_several_days_the_nearest_is_meant() {
        let days = Scale {
            until: BootTime(3 * DAY),
            at: BootTime(2 * DAY),
            ..scale()
        };
        assert_eq!(
            parse("15:00:00", &days),
            Ok(BootTime(2 * DAY + 3600 * SECOND))
        );
    }
}
