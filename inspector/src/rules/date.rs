//! A day of the calendar, as rules name the last one on which they hold: `2027-01-31`.

use std::{fmt, str::FromStr};

/// A day, in the order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: i64,
    month: u8,
    day: u8,
}

/// Why a text is no day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a date is a day of the calendar written as YYYY-MM-DD, such as 2027-01-31")]
pub struct NoDate;

const DAY_SECONDS: i64 = 86_400;

impl Date {
    /// The day, of UTC, on which a time of the wall clock falls (seconds since 1970).
    pub fn of_wall_clock(seconds: i64) -> Self {
        // Years are counted from March on, in eras of 400 years, so that leap days come last.
        let days = seconds.div_euclid(DAY_SECONDS) + 719_468;
        let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let small = |number: i64| u8::try_from(number).expect("days and months are small");
        Self {
            year: year + era * 400 + i64::from(month <= 2),
            month: small(month),
            day: small(day),
        }
    }

    fn days_of(year: i64, month: u8) -> u8 {
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        match month {
            2 if is_leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }
}

impl FromStr for Date {
    type Err = NoDate;

    fn from_str(text: &str) -> Result<Self, NoDate> {
        let parts: Vec<_> = text.split('-').collect();
        let &[year, month, day] = &parts[..] else {
            return Err(NoDate);
        };
        let is_written_so = [year, month, day].map(str::len) == [4, 2, 2]
            && text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'-');
        let date = Self {
            year: year.parse().map_err(|_| NoDate)?,
            month: month.parse().map_err(|_| NoDate)?,
            day: day.parse().map_err(|_| NoDate)?,
        };
        let is_there = (1..=12).contains(&date.month)
            && (1..=Self::days_of(date.year, date.month)).contains(&date.day);
        (is_written_so && is_there).then_some(date).ok_or(NoDate)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_and_written() {
        for text in ["2027-01-31", "2024-02-29", "2000-02-29", "1970-01-01"] {
            assert_eq!(text.parse::<Date>().unwrap().to_string(), text);
        }
        for text in [
            "2027-02-29",
            "1900-02-29",
            "2027-13-01",
            "2027-00-01",
            "2027-01-00",
            "2027-04-31",
            "27-01-01",
            "2027-1-1",
            "2027-01-31T00",
            "+027-01-01",
            "",
            "2027-01",
            "2027-01-01-01",
        ] {
            assert_eq!(text.parse::<Date>(), Err(NoDate), "{text}");
        }
    }

    #[test]
    fn the_wall_clock_tells_the_day() {
        for (seconds, day) in [
            (0, "1970-01-01"),
            (86_399, "1970-01-01"),
            (86_400, "1970-01-02"),
            (-1, "1969-12-31"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_801_353_599, "2027-01-30"),
            (1_801_353_600, "2027-01-31"),
        ] {
            assert_eq!(Date::of_wall_clock(seconds).to_string(), day);
        }
    }

    #[test]
    fn days_are_in_the_order_of_time() {
        let days: Vec<_> = (0..2_000)
            .map(|day| Date::of_wall_clock(day * DAY_SECONDS))
            .collect();
        assert!(days.is_sorted_by(|one, other| one < other));
    }
}
