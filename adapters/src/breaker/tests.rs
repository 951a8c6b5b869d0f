use super::*;

const SETTINGS: Settings = Settings {
    window: Duration::from_secs(30),
    minimum_calls: 4,
    failure_percent: 50,
    pause: Duration::from_secs(10),
    lease: Duration::from_secs(5),
};

/// A breaker and a clock that stands where the test puts it.
struct Bench {
    breaker: Breaker,
    start: Instant,
}

impl Bench {
    fn closed() -> Self {
        Self { breaker: Breaker::new(SETTINGS), start: Instant::now() }
    }

    /// Opened at second 0 by four failures.
    fn open() -> Self {
        let bench = Self::closed();
        (0..4).for_each(|_| bench.permit(0).unwrap().failed());
        assert_eq!(bench.state(0), State::Open);
        bench
    }

    fn at(&self, seconds: u64) -> Instant {
        self.start + Duration::from_secs(seconds)
    }

    fn permit(&self, seconds: u64) -> Result<Permit<'_>, Open> {
        self.breaker.permit(self.at(seconds))
    }

    fn refused_until(&self, seconds: u64) -> Option<u64> {
        let open = self.permit(seconds).map(std::mem::forget).err()?;
        Some(open.retry_at.duration_since(self.start).as_secs())
    }

    fn state(&self, seconds: u64) -> State {
        self.breaker.state(self.at(seconds))
    }
}

#[test]
fn it_opens_at_the_share_of_failures_and_not_before_enough_calls() {
    for (outcomes, expect) in [
        ("fff", State::Closed),
        ("ffff", State::Open),
        ("ssff", State::Open),
        ("sssf", State::Closed),
        ("sssssfff", State::Closed),
        ("ssssffff", State::Open),
        ("----f", State::Closed), // dropped permits say nothing
    ] {
        let bench = Bench::closed();
        for outcome in outcomes.chars() {
            let permit = bench.permit(0).unwrap();
            match outcome {
                's' => permit.succeeded(),
                'f' => permit.failed(),
                _ => drop(permit),
            }
        }
        assert_eq!(bench.state(0), expect, "{outcomes}");
    }
}

#[test]
fn failures_of_long_ago_do_not_count() {
    let bench = Bench::closed();
    (0..3).for_each(|_| bench.permit(0).unwrap().failed());
    bench.permit(31).unwrap().failed();
    assert_eq!(bench.state(31), State::Closed);
}

#[test]
fn open_it_refuses_and_says_until_when() {
    let bench = Bench::open();
    for second in [0, 5, 9] {
        assert_eq!(bench.refused_until(second), Some(10));
    }
    assert_eq!(bench.state(10), State::HalfOpen);
}

#[test]
fn half_open_it_lets_one_probe_through() {
    let bench = Bench::open();
    let probe = bench.permit(10).unwrap();
    assert_eq!(bench.refused_until(11), Some(15));
    probe.succeeded();
    assert_eq!(bench.state(11), State::Closed);
    assert!(bench.permit(11).is_ok());
}

#[test]
fn a_failed_probe_opens_it_again() {
    let bench = Bench::open();
    bench.permit(10).unwrap().failed();
    assert_eq!(bench.refused_until(11), Some(20));
}

#[test]
fn a_probe_dropped_without_a_verdict_leaves_its_place_to_the_next() {
    let bench = Bench::open();
    drop(bench.permit(10).unwrap());
    bench.permit(10).unwrap().succeeded();
    assert_eq!(bench.state(10), State::Closed);
}

#[test]
fn a_probe_that_hangs_loses_its_lease_and_its_say() {
    let bench = Bench::open();
    let hanging = bench.permit(10).unwrap();
    let second = bench.permit(15).unwrap();
    hanging.failed();
    assert_eq!(bench.refused_until(16), Some(20), "the second probe still holds the lease");
    second.succeeded();
    assert_eq!(bench.state(16), State::Closed);
}

#[test]
fn a_probe_that_never_ends_at_all_does_not_keep_it_half_open() {
    let bench = Bench::open();
    std::mem::forget(bench.permit(10).unwrap());
    bench.permit(15).unwrap().succeeded();
    assert_eq!(bench.state(15), State::Closed);
}

#[test]
fn verdicts_of_an_earlier_phase_do_not_count() {
    let bench = Bench::closed();
    let (late_failure, late_success) = (bench.permit(0).unwrap(), bench.permit(0).unwrap());
    (0..4).for_each(|_| bench.permit(0).unwrap().failed());
    late_success.succeeded();
    assert_eq!(bench.state(0), State::Open);
    bench.permit(10).unwrap().succeeded();
    late_failure.failed();
    assert_eq!(bench.state(10), State::Closed);
}

#[test]
fn a_recovered_service_starts_with_a_clean_sheet() {
    let bench = Bench::open();
    bench.permit(10).unwrap().succeeded();
    (0..3).for_each(|_| bench.permit(11).unwrap().failed());
    assert_eq!(bench.state(11), State::Closed);
    bench.permit(11).unwrap().failed();
    assert_eq!(bench.state(11), State::Open);
}

#[test]
fn of_many_threads_exactly_one_gets_the_probe() {
    let bench = Bench::open();
    let probes = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..16).map(|_| scope.spawn(|| bench.permit(10).map(std::mem::forget).is_ok())).collect();
        tries.into_iter().map(|one| one.join().unwrap()).filter(|got| *got).count()
    });
    assert_eq!(probes, 1);
}
