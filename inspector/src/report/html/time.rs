//! Times on a page: of the wall clock in UTC, and how long something has lasted.

use std::fmt::{self, Display, Formatter};

use crate::{event::id::BootTime, rules::Date};

const SECOND: u64 = 1_000_000_000;

/// A time of a run, by the wall clock in UTC; where that is not known, by the time since boot.
pub(crate) struct At {
    pub(crate) at: BootTime,
    pub(crate) boot_wall_ns: Option<u64>,
}

impl Display for At {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(boot) = self.boot_wall_ns else {
            let ms = self.at.0 / 1_000_000;
            return write!(f, "{}.{:03} s after boot", ms / 1000, ms % 1000);
        };
        let ns = boot.saturating_add(self.at.0);
        let seconds = ns / SECOND;
        let date = Date::of_wall_clock(i64::try_from(seconds).unwrap_or(i64::MAX));
        let of_day = seconds % 86_400;
        write!(
            f,
            "{date} {:02}:{:02}:{:02}.{:03} UTC",
            of_day / 3600,
            of_day % 3600 / 60,
            of_day % 60,
            ns % SECOND / 1_000_000
        )
    }
}

/// How long something has lasted, in the two largest units.
pub(crate) struct Lasted(pub(crate) u64);

impl Display for Lasted {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (ms, seconds) = (self.0 / 1_000_000, self.0 / SECOND);
        match seconds {
            0 => write!(f, "{ms} ms"),
            1..100 => write!(f, "{seconds}.{} s", ms % 1000 / 100),
            100..3_600 => write!(f, "{} m {:02} s", seconds / 60, seconds % 60),
            3_600..86_400 => write!(f, "{} h {:02} m", seconds / 3600, seconds % 3600 / 60),
            _ => write!(f, "{} d {:02} h", seconds / 86_400, seconds % 86_400 / 3600),
        }
    }
}

/// A number with its thousands set apart.
pub(crate) struct Count(pub(crate) u64);

impl Display for Count {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_wall_clock_where_it_is_known() {
        let told = |boot_wall_ns| {
            let at = BootTime(1_500_000_000);
            At { at, boot_wall_ns }.to_string()
        };
        assert_eq!(
            told(Some(1_700_000_000 * SECOND)),
            "2023-11-14 22:13:21.500 UTC"
        );
        assert_eq!(told(None), "1.500 s after boot");
    }

    #[test]
    fn lengths_and_numbers_are_easy_to_read() {
        for (seconds, words) in [
            (0, "0 ms"),
            (12, "12.0 s"),
            (102, "1 m 42 s"),
            (7_860, "2 h 11 m"),
            (40 * 86_400, "40 d 00 h"),
        ] {
            assert_eq!(Lasted(seconds * SECOND).to_string(), words);
        }
        for (number, words) in [(0, "0"), (999, "999"), (1_000, "1,000"), (14_211, "14,211")] {
            assert_eq!(Count(number).to_string(), words);
        }
    }
}
