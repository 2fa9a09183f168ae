//! A count over the last ten minutes, and how fast it changed.

use std::collections::VecDeque;

use crate::event::BootTime;

/// Time between two samples that are kept.
const STEP_NS: u64 = 5_000_000_000;
/// How far back they reach.
const WINDOW_NS: u64 = 600_000_000_000;
/// What is known for a shorter time has no rate.
const LEAST_NS: u64 = 10_000_000_000;

/// The samples, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Series {
    samples: VecDeque<(BootTime, i64)>,
    last: (BootTime, i64),
}

impl Series {
    /// What was counted now; a second count of the same time takes the first one's place.
    pub fn add(&mut self, at: BootTime, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.last = (at, count);
        match self.samples.back_mut() {
            Some(kept) if kept.0 == at => kept.1 = count,
            Some(&mut (kept, _)) if at.since_ns(kept) < STEP_NS => {}
            _ => self.samples.push_back((at, count)),
        }
        while let Some(&(first, _)) = self.samples.front()
            && at.since_ns(first) > WINDOW_NS
        {
            self.samples.pop_front();
        }
    }

    /// The last count.
    pub fn last(&self) -> usize {
        usize::try_from(self.last.1).unwrap_or(0)
    }

    /// Counts one more or less from a time on: it was there, and only now is known for what it is.
    pub fn shift(&mut self, since: BootTime, by: i64) {
        for (at, count) in self.samples.iter_mut().rev() {
            if *at < since {
                break;
            }
            *count += by;
        }
    }

    /// How many more there are than at the beginning of the window.
    pub fn growth(&self) -> i64 {
        let first = self.samples.front();
        first.map_or(0, |(_, first)| self.last.1 - first)
    }

    /// How many more a minute, over the window or as long as it was watched; over the later half
    /// of that where it was slower there, for a burst that is over is not what goes on. `None` =
    /// it was not watched long enough to tell.
    pub fn per_minute(&self) -> Option<f64> {
        let whole = *self.samples.front()?;
        let span_ns = self.last.0.since_ns(whole.0);
        if span_ns < LEAST_NS {
            return None;
        }
        let middle = BootTime(whole.0.0 + span_ns / 2);
        let index = self.samples.partition_point(|(at, _)| *at <= middle);
        let half = self.samples[index.saturating_sub(1)];
        let (whole, half) = (self.rate_since(whole), self.rate_since(half));
        Some(if whole * half <= 0.0 {
            0.0
        } else if whole.abs() < half.abs() {
            whole
        } else {
            half
        })
    }

    fn rate_since(&self, (at, count): (BootTime, i64)) -> f64 {
        let span_ns = self.last.0.since_ns(at).max(1);
        #[expect(
            clippy::cast_precision_loss,
            reason = "a rate for a person to read, of counts far below 2^52"
        )]
        let rate = (self.last.1 - count) as f64 * 60e9 / span_ns as f64;
        rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn second(seconds: u64) -> BootTime {
        BootTime(seconds * 1_000_000_000)
    }

    #[test]
    fn a_rate_takes_ten_seconds_and_forgets_after_ten_minutes() {
        let mut series = Series::default();
        assert_eq!(series.per_minute(), None);
        for at in 0..10 {
            series.add(second(at), 100);
            assert_eq!(series.per_minute(), None);
        }
        series.add(second(10), 105);
        assert_eq!(series.per_minute(), Some(30.0));
        for at in 11..700 {
            series.add(second(at), 105);
        }
        assert_eq!(series.per_minute(), Some(0.0));
        assert_eq!((series.last(), series.samples.len()), (105, 120));
    }

    #[test]
    fn a_burst_that_is_over_is_no_rate() {
        let mut series = Series::default();
        for at in 0..=60 {
            series.add(second(at), if at < 10 { 0 } else { 100 });
        }
        assert_eq!((series.growth(), series.per_minute()), (100, Some(0.0)));
        // And one that has only begun is as slow as it was over all.
        for at in 61..=80 {
            series.add(second(at), 200);
        }
        assert_eq!(series.per_minute(), Some(150.0));
    }

    #[test]
    fn what_falls_has_a_rate_below_zero() {
        let mut series = Series::default();
        series.add(second(0), 100);
        series.add(second(60), 40);
        assert_eq!((series.per_minute(), series.growth()), (Some(-60.0), -60));
    }

    #[test]
    fn what_was_there_all_the_time_is_no_growth() {
        let mut series = Series::default();
        series.add(second(0), 1);
        series.add(second(20), 1);
        // Another one is found that was born at 5 s.
        series.shift(second(5), 1);
        series.add(second(30), 2);
        assert_eq!(series.growth(), 1);
        series.shift(second(0), 1);
        assert_eq!(series.growth(), 0);
    }

    #[test]
    fn a_second_count_of_one_time_replaces_the_first() {
        let mut series = Series::default();
        series.add(second(0), 1);
        series.add(second(0), 7);
        series.add(second(10), 7);
        assert_eq!(series.growth(), 0);
    }
}
