//! [`Window`]: how the last while went, in ten buckets that slide, so that memory and work stay the same at any rate.

use std::time::{Duration, Instant};

use super::Settings;

const BUCKETS: usize = 10;

#[derive(Debug)]
pub(super) struct Window {
    bucket: Duration,
    /// The first call's moment, from which the buckets are counted.
    start: Option<Instant>,
    buckets: [Bucket; BUCKETS],
}

#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    number: u128,
    calls: u32,
    failures: u32,
}

/// Sums over the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) calls: u32,
    pub(super) failures: u32,
}

impl Window {
    pub(super) fn new(length: Duration) -> Self {
        let bucket = (length / 10).max(Duration::from_millis(1));
        Self { bucket, start: None, buckets: [Bucket::default(); BUCKETS] }
    }

    /// Counts a call that began then, and sums up. A call older than the window changes nothing.
    pub(super) fn count(&mut self, since: Instant, failed: bool) -> Tally {
        let start = *self.start.get_or_insert(since);
        let number = since.saturating_duration_since(start).as_nanos() / self.bucket.as_nanos();
        let bucket = &mut self.buckets[(number % BUCKETS as u128) as usize];
        if bucket.number < number {
            *bucket = Bucket { number, ..Bucket::default() };
        }
        if bucket.number == number {
            bucket.calls = bucket.calls.saturating_add(1);
            bucket.failures = bucket.failures.saturating_add(u32::from(failed));
        }
        self.tally(number)
    }

    fn tally(&self, number: u128) -> Tally {
        let newest = self.buckets.iter().map(|bucket| bucket.number).fold(number, u128::max);
        let live = self.buckets.iter().filter(|bucket| bucket.number + BUCKETS as u128 > newest);
        live.fold(Tally { calls: 0, failures: 0 }, |tally, bucket| Tally {
            calls: tally.calls.saturating_add(bucket.calls),
            failures: tally.failures.saturating_add(bucket.failures),
        })
    }
}

impl Tally {
    pub(super) fn is_failing(self, settings: &Settings) -> bool {
        let enough = self.calls >= settings.minimum_calls.max(1);
        enough && u64::from(self.failures) * 100 >= u64::from(self.calls) * u64::from(settings.failure_percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_counts_as_long_as_the_window_reaches_back_to_it() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut window = Window::new(Duration::from_secs(30));
        for (second, failed, calls, failures) in [
            (0, true, 1, 1),
            (2, false, 2, 1),
            (15, true, 3, 2),
            (29, false, 4, 2),
            (30, false, 3, 1), // the bucket of 0 to 2 is out
            (44, true, 4, 2),
            (45, false, 4, 1),
            (15, true, 4, 1), // too late to count
            (1000, false, 1, 0),
        ] {
            let tally = window.count(at(second), failed);
            assert_eq!(tally, Tally { calls, failures }, "second {second}");
        }
    }
}
