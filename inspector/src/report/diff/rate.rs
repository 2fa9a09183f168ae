//! How often, in two runs that are not equally long: by the second, the minute or the hour.

use super::{Diff, Pair, sites::Tally};

/// A unit of time: what stands behind the stroke, and its nanoseconds.
pub(super) type Unit = (&'static str, f64);

/// Of births in the document.
pub(super) const MINUTE: Unit = ("min", 60e9);

/// The shortest that the commonest births fit comes first.
const UNITS: [Unit; 3] = [("s", 1e9), MINUTE, ("h", 3600e9)];

/// So many in a unit; a run without length has no rate.
pub(super) fn rate(count: u64, length_ns: u64, (_, unit_ns): Unit) -> Option<f64> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate of more than 2^52 is none"
    )]
    let rate = || count as f64 * unit_ns / length_ns as f64;
    (length_ns > 0).then(rate)
}

/// The unit in which the sites that got worse or better were born once at least; where none was, the
/// longest.
pub(super) fn unit(diff: &Diff) -> Unit {
    let told = || diff.worse().chain(diff.better());
    let births = |tally: &Tally| tally.births;
    let most = |of: fn(&Pair<u64>) -> u64| told().map(|site| of(&site.pair(births))).max();
    let (a, b) = (most(|pair| pair.a), most(|pair| pair.b));
    let fits = |count: Option<u64>, length_ns, unit| {
        rate(count.unwrap_or(0), length_ns, unit).is_some_and(|rate| rate >= 1.0)
    };
    let fits = |unit: &Unit| fits(a, diff.lengths_ns.a, *unit) || fits(b, diff.lengths_ns.b, *unit);
    UNITS.into_iter().find(fits).unwrap_or(UNITS[2])
}

/// Counts of both runs as rates: `4.1 → 0.5`.
pub(super) fn words(counts: &Pair<u64>, lengths_ns: &Pair<u64>, unit: Unit) -> String {
    let word = |count, length_ns| match rate(count, length_ns, unit) {
        None => "?".to_owned(),
        Some(rate) if rate == 0.0 || rate >= 10.0 => format!("{rate:.0}"),
        Some(rate) if rate >= 1.0 => format!("{rate:.1}"),
        Some(rate) if rate >= 0.005 => format!("{rate:.2}"),
        Some(_) => "<0.01".to_owned(),
    };
    let (a, b) = (word(counts.a, lengths_ns.a), word(counts.b, lengths_ns.b));
    format!("{a} → {b}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_rare_is_not_none() {
        let told = |a, b, unit| {
            let (counts, lengths) = (
                Pair { a, b },
                Pair {
                    a: 60_000_000_000,
                    b: 3_600_000_000_000,
                },
            );
            words(&counts, &lengths, unit)
        };
        assert_eq!(told(120, 7_200, UNITS[0]), "2.0 → 2.0");
        assert_eq!(told(6, 6, UNITS[0]), "0.10 → <0.01");
        assert_eq!(told(0, 60, MINUTE), "0 → 1.0");
        assert_eq!(
            words(&Pair { a: 1, b: 0 }, &Pair::default(), MINUTE),
            "? → ?"
        );
    }
}
