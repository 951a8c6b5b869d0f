//! One call's time, cut into slices: prefetch, vendors, merge. Pure arithmetic on instants.

use std::time::Duration;

use tokio::time::Instant;

use crate::catalog::Hospital;

/// When each step of one call must be over. The EHR gets its answer by `answer_by`, whatever happens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    /// End of fetching FHIR data.
    pub(crate) prefetch_until: Instant,
    /// End of waiting for services.
    pub(crate) services_until: Instant,
}

impl Deadline {
    /// Cuts the hospital's whole time: the merge slice is kept for the end, the prefetch slice ends early enough
    /// that services have at least half of the time between.
    pub(crate) fn of(hospital: &Hospital, start: Instant) -> Self {
        Self::cut(
            start,
            Duration::from_millis(hospital.deadline_ms.into()),
            Duration::from_millis(hospital.prefetch_ms.into()),
            Duration::from_millis(hospital.merge_ms.into()),
        )
    }

    fn cut(start: Instant, whole: Duration, prefetch: Duration, merge: Duration) -> Self {
        let services_until = start + whole.saturating_sub(merge.min(whole / 2));
        let prefetch_until = start + prefetch.min(services_until.duration_since(start) / 2);
        Self { prefetch_until, services_until }
    }

    /// When one service must have answered: its own limit, inside the slice of all services.
    pub(crate) fn for_service(&self, asked_at: Instant, own_limit: Duration) -> Instant {
        (asked_at + own_limit).min(self.services_until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(whole: u64, prefetch: u64, merge: u64) -> (u128, u128) {
        let start = Instant::now();
        let ms = Duration::from_millis;
        let deadline = Deadline::cut(start, ms(whole), ms(prefetch), ms(merge));
        ((deadline.prefetch_until - start).as_millis(), (deadline.services_until - start).as_millis())
    }

    #[test]
    fn the_slices_lie_one_after_another_inside_the_whole() {
        for (slices, expected) in [
            ((2000, 500, 50), (500, 1950)),
            ((500, 500, 50), (225, 450)),
            ((100, 0, 0), (0, 100)),
            ((100, 50, 500), (25, 50)),
        ] {
            assert_eq!(cut(slices.0, slices.1, slices.2), expected, "{slices:?}");
        }
    }

    #[test]
    fn a_service_never_has_longer_than_the_slice() {
        let start = Instant::now();
        let deadline = Deadline::cut(start, Duration::from_secs(2), Duration::ZERO, Duration::ZERO);
        assert_eq!(deadline.for_service(start, Duration::from_secs(9)), deadline.services_until);
        assert_eq!(deadline.for_service(start, Duration::from_millis(300)), start + Duration::from_millis(300));
    }
}
