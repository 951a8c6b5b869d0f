//! When a study is complete. DICOM has no message "the study is finished", so it is judged by evidence, and the evidence is
//! kept: what was counted, what was expected, how long nothing came.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

/// What a hospital says about completeness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// So long nothing must have come.
    pub quiet: Duration,
    /// So long where the last transfer was cut off: its sender will try again.
    pub quiet_after_cut: Duration,
    /// So long after the first instance it is taken as it is.
    pub deadline: Duration,
    /// What happens then.
    pub at_deadline: AtDeadline,
}

/// What happens with a study that is not complete at its deadline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AtDeadline {
    /// The work is done with what is there.
    #[default]
    Run,
    /// No work is done; people are told.
    Alarm,
}

/// What is known of a study's arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// When the first instance came of those that were not judged yet.
    pub began_at: OffsetDateTime,
    /// When the last one came.
    pub last_at: OffsetDateTime,
    /// Instances that are stored.
    pub instances: u64,
    /// Instances that the study has, where somebody said so: Number of Study Related Instances (0020,1208).
    pub expected: Option<u64>,
    /// Requests and associations that bring instances of this hospital right now.
    pub open_transfers: usize,
    /// Whether the last transfer that brought something ended before its time: an association was aborted, a request broken off.
    pub is_cut: bool,
    /// Whether the series that some service needs is there.
    pub is_wanted: bool,
}

/// Whether a study is complete, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Judgement {
    /// What is to be done.
    pub verdict: Verdict,
    /// By which evidence.
    pub because: Vec<Reason>,
}

/// What is to be done with a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Verdict {
    /// It is complete.
    Complete,
    /// It is looked at again.
    Waiting {
        /// At the latest then.
        #[serde(with = "time::serde::rfc3339")]
        until: OffsetDateTime,
    },
    /// Its time is over, and the work is done with what is there.
    TakenAsItIs,
    /// Its time is over, and people must look.
    Overdue,
}

/// One piece of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase", tag = "evidence")]
pub enum Reason {
    /// As many instances as were announced.
    AllThatWereAnnounced {
        /// Instances.
        instances: u64,
    },
    /// Fewer instances than were announced.
    FewerThanAnnounced {
        /// Instances that are there.
        instances: u64,
        /// Instances that were announced.
        expected: u64,
    },
    /// Nothing came for long enough.
    Quiet {
        /// Since so many seconds.
        seconds: i64,
    },
    /// Something came a moment ago.
    StillArriving {
        /// So many seconds ago.
        seconds: i64,
    },
    /// A request or an association that may bring more is under way.
    TransferUnderWay {
        /// How many.
        transfers: usize,
    },
    /// The last request or association that brought something was broken off.
    TransferCut,
    /// A series that is needed is there.
    NeededSeriesIsThere,
    /// No series that is needed is there.
    NoNeededSeries,
    /// The deadline is over.
    DeadlineOver {
        /// So many seconds after the first instance.
        seconds: i64,
    },
}

/// Judges a study. The same facts give the same judgement.
pub fn judge(policy: &Policy, seen: &Seen, now: OffsetDateTime) -> Judgement {
    let (quiet, age) = (now - seen.last_at, now - seen.began_at);
    let mut because = Vec::new();
    let wanted = if seen.is_cut { policy.quiet_after_cut.max(policy.quiet) } else { policy.quiet };
    let is_quiet = quiet >= wanted;
    let seconds = quiet.whole_seconds();
    because.push(if is_quiet { Reason::Quiet { seconds } } else { Reason::StillArriving { seconds } });
    if seen.open_transfers > 0 {
        because.push(Reason::TransferUnderWay { transfers: seen.open_transfers });
    }
    if seen.is_cut {
        because.push(Reason::TransferCut);
    }
    because.push(if seen.is_wanted { Reason::NeededSeriesIsThere } else { Reason::NoNeededSeries });
    let instances = seen.instances;
    let (mut is_counted, mut is_short) = (false, false);
    if let Some(expected) = seen.expected {
        is_counted = instances >= expected;
        is_short = !is_counted;
        because.push(if is_counted {
            Reason::AllThatWereAnnounced { instances }
        } else {
            Reason::FewerThanAnnounced { instances, expected }
        });
    }
    let verdict = if is_counted || (is_quiet && !is_short && seen.open_transfers == 0) {
        Verdict::Complete
    } else if age >= policy.deadline {
        because.push(Reason::DeadlineOver { seconds: age.whole_seconds() });
        match policy.at_deadline {
            AtDeadline::Run => Verdict::TakenAsItIs,
            AtDeadline::Alarm => Verdict::Overdue,
        }
    } else {
        let quiet_at = if is_quiet { now + policy.quiet } else { seen.last_at + wanted };
        Verdict::Waiting { until: quiet_at.min(seen.began_at + policy.deadline).max(now + Duration::SECOND) }
    };
    Judgement { verdict, because }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    const BEGAN: OffsetDateTime = datetime!(2026-11-01 9:00 UTC);

    fn policy() -> Policy {
        Policy {
            quiet: Duration::seconds(60),
            quiet_after_cut: Duration::seconds(300),
            deadline: Duration::hours(1),
            at_deadline: AtDeadline::Run,
        }
    }

    fn seen() -> Seen {
        let last_at = BEGAN + Duration::seconds(100);
        Seen {
            began_at: BEGAN,
            last_at,
            instances: 24,
            expected: None,
            open_transfers: 0,
            is_cut: false,
            is_wanted: true,
        }
    }

    #[track_caller]
    fn check(seen: &Seen, after: i64, expect: Verdict) {
        assert_eq!(judge(&policy(), seen, BEGAN + Duration::seconds(after)).verdict, expect);
    }

    #[test]
    fn a_study_is_complete_when_nothing_came_for_long_enough() {
        check(&seen(), 120, Verdict::Waiting { until: BEGAN + Duration::seconds(160) });
        check(&seen(), 160, Verdict::Complete);
    }

    #[test]
    fn a_count_that_was_announced_decides_before_quiet_does() {
        check(&Seen { expected: Some(24), ..seen() }, 101, Verdict::Complete);
        let short = Seen { expected: Some(25), ..seen() };
        check(&short, 1_000, Verdict::Waiting { until: BEGAN + Duration::seconds(1_060) });
        check(&short, 3_600, Verdict::TakenAsItIs);
    }

    #[test]
    fn an_open_transfer_is_waited_for_until_the_deadline() {
        let open = Seen { open_transfers: 1, ..seen() };
        check(&open, 1_000, Verdict::Waiting { until: BEGAN + Duration::seconds(1_060) });
        check(&open, 3_590, Verdict::Waiting { until: BEGAN + Duration::seconds(3_600) });
        check(&open, 3_600, Verdict::TakenAsItIs);
    }

    #[test]
    fn after_a_transfer_that_was_cut_off_its_sender_is_waited_for() {
        let cut = Seen { is_cut: true, ..seen() };
        check(&cut, 160, Verdict::Waiting { until: BEGAN + Duration::seconds(400) });
        check(&cut, 400, Verdict::Complete);
        check(&Seen { expected: Some(24), ..cut.clone() }, 101, Verdict::Complete);
        assert!(judge(&policy(), &cut, BEGAN + Duration::seconds(160)).because.contains(&Reason::TransferCut));
    }

    #[test]
    fn the_evidence_is_told_with_its_numbers() {
        let judgement = judge(&policy(), &Seen { expected: Some(30), ..seen() }, BEGAN + Duration::hours(2));
        assert_eq!(
            serde_json::to_value(&judgement).unwrap(),
            serde_json::json!({
                "verdict": { "is": "taken-as-it-is" },
                "because": [
                    { "evidence": "quiet", "seconds": 7_100 },
                    { "evidence": "needed-series-is-there" },
                    { "evidence": "fewer-than-announced", "instances": 24, "expected": 30 },
                    { "evidence": "deadline-over", "seconds": 7_200 },
                ],
            })
        );
    }

    proptest! {
        /// Whatever is known, a study waits for no longer than its deadline, and is looked at later than now.
        #[test]
        fn waiting_ends(after in 0_i64..10_000, last in 0_i64..10_000, transfers in 0_usize..3, expected in proptest::option::of(0_u64..50)) {
            let seen = Seen { last_at: BEGAN + Duration::seconds(last.min(after)), open_transfers: transfers, expected, ..seen() };
            let now = BEGAN + Duration::seconds(after);
            match judge(&policy(), &seen, now).verdict {
                Verdict::Waiting { until } => {
                    prop_assert!(now < until && until <= (BEGAN + policy().deadline).max(now + Duration::SECOND));
                    prop_assert!(after < 3_600);
                }
                _ => prop_assert!(after >= 3_600 || expected.is_some_and(|count| count <= 24) || last.min(after) + 60 <= after),
            }
        }
    }
}
