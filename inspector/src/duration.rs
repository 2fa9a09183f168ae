//! A length of time as a person writes it: `10s`, `1.5ms`, `2m`, `1h30m`.

use std::time::Duration;

/// The units, from the longest, each with its nanoseconds.
const UNITS: [(&str, u64); 8] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
];

/// Why a text is no length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoDuration {
    /// Nothing that could be read.
    #[error("a time is a number and a unit of d, h, m, s, ms, us, ns, such as 1.5s or 1h30m")]
    Unreadable,
    /// More than 64 bits of nanoseconds, which are 584 years.
    #[error("that time is too long")]
    TooLong,
}

/// The nanoseconds that `text` means. What is less than a nanosecond is dropped.
///
/// # Errors
/// See [`NoDuration`].
pub fn parse_ns(text: &str) -> Result<u64, NoDuration> {
    if text == "0" {
        return Ok(0);
    }
    if text.is_empty() {
        return Err(NoDuration::Unreadable);
    }
    let is_number = |letter: char| letter.is_ascii_digit() || letter == '.';
    let mut rest = text;
    let mut sum_ns = 0_u64;
    while !rest.is_empty() {
        let end = rest.find(|letter| !is_number(letter));
        let (number, after) = rest.split_at(end.ok_or(NoDuration::Unreadable)?);
        let (unit, after) = after.split_at(after.find(is_number).unwrap_or(after.len()));
        let unit = UNITS.iter().find(|(name, _)| *name == unit);
        let (_, unit_ns) = unit.ok_or(NoDuration::Unreadable)?;
        let part_ns = times(number, *unit_ns)?;
        sum_ns = sum_ns.checked_add(part_ns).ok_or(NoDuration::TooLong)?;
        rest = after;
    }
    Ok(sum_ns)
}

/// The nanoseconds of a length of time; of one of more than 584 years, as many as there can be.
pub fn as_ns(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// `number`, which is of digits and points, times `unit_ns`.
fn times(number: &str, unit_ns: u64) -> Result<u64, NoDuration> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
        return Err(NoDuration::Unreadable);
    }
    let whole: u64 = whole.parse().map_err(|_| NoDuration::TooLong)?;
    // Days have no digit below this that makes a nanosecond.
    let fraction = &fraction[..fraction.len().min(18)];
    let places = u32::try_from(fraction.len()).expect("18 at most");
    let fraction: u64 = fraction.parse().map_err(|_| NoDuration::Unreadable)?;
    let fraction_ns = u128::from(fraction) * u128::from(unit_ns) / 10_u128.pow(places);
    let sum_ns = u128::from(whole) * u128::from(unit_ns) + fraction_ns;
    u64::try_from(sum_ns).map_err(|_| NoDuration::TooLong)
}

/// Nanoseconds as the same text again, exactly, in the longest unit that needs no fraction.
pub fn written(ns: u64) -> String {
    if ns == 0 {
        return "0".to_owned();
    }
    let (name, unit_ns) = UNITS
        .iter()
        .find(|(_, unit_ns)| ns.is_multiple_of(*unit_ns))
        .expect("one divides everything");
    format!("{}{name}", ns / unit_ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        for (text, ns) in [
            ("0", 0),
            ("0s", 0),
            ("10s", 10_000_000_000),
            ("1.5ms", 1_500_000),
            ("2m", 120_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("3d", 259_200_000_000_000),
            ("7us", 7_000),
            ("7µs", 7_000),
            ("0.0000000019s", 1),
            ("1.00000000000000000000000000001s", 1_000_000_000),
            ("18446744073709551615ns", u64::MAX),
        ] {
            assert_eq!(parse_ns(text), Ok(ns), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "", "5", "s", "1.s", ".5s", "1..5s", "-1s", "1 s", "1x", "1s5", "1S", "é", "1é",
        ] {
            assert_eq!(parse_ns(text), Err(NoDuration::Unreadable), "{text:?}");
        }
        for text in [
            "18446744073709551616ns",
            "999999999999999999999s",
            "213504d",
        ] {
            assert_eq!(parse_ns(text), Err(NoDuration::TooLong), "{text:?}");
        }
        assert_eq!(parse_ns("213503d1d"), Err(NoDuration::TooLong));
    }

    #[test]
    fn what_is_written_is_read_again() {
        for (ns, text) in [
            (0, "0"),
            (1, "1ns"),
            (7_000, "7us"),
            (1_500_000_000, "1500ms"),
            (5_400_000_000_000, "90m"),
            (86_400_000_000_000, "1d"),
        ] {
            assert_eq!(written(ns), text);
            assert_eq!(parse_ns(text), Ok(ns));
        }
    }
}
