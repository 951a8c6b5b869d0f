use time::Duration;

use super::*;

const NOW: OffsetDateTime = time::macros::datetime!(2026-11-22 09:00:00 UTC);

fn seen(replay: &Replay, (hospital, iss, jti): (&str, &str, &str), after: i64) -> bool {
    replay.seen_or_insert(hospital, iss, jti, NOW + Duration::minutes(5), NOW + Duration::seconds(after))
}

#[test]
fn a_nonce_is_good_once() {
    let replay = Replay::new();
    assert!(!seen(&replay, ("h", "i", "1"), 0));
    assert!(seen(&replay, ("h", "i", "1"), 0));
    assert!(seen(&replay, ("h", "i", "1"), 359));
}

#[test]
fn nonces_of_others_do_not_matter() {
    let replay = Replay::new();
    for triple in [("h", "i", "1"), ("h", "i", "2"), ("h", "j", "1"), ("g", "i", "1"), ("hi", "", "1"), ("", "hi", "1")]
    {
        assert!(!seen(&replay, triple, 0), "{triple:?}");
    }
}

#[test]
fn the_same_nonce_with_another_expiry_is_still_spent() {
    let replay = Replay::new();
    assert!(!replay.seen_or_insert("h", "i", "1", NOW + Duration::minutes(2), NOW));
    assert!(replay.seen_or_insert("h", "i", "1", NOW + Duration::minutes(50), NOW));
}

#[test]
fn a_nonce_is_remembered_until_its_token_is_expired_for_certain_and_then_forgotten() {
    let replay = Replay::new();
    let exp = NOW + Duration::seconds(61);
    assert!(!replay.seen_or_insert("h", "i", "1", exp, NOW));
    let last_moment = exp + Duration::seconds(SKEW_SECONDS - 1);
    assert!(replay.seen_or_insert("h", "i", "1", exp, last_moment));
    assert!(!replay.seen_or_insert("h", "i", "2", last_moment + Duration::MINUTE, last_moment + Duration::minutes(3)));
    assert_eq!(replay.len(), 1);
}

#[test]
fn what_was_spent_before_a_restart_is_spent_after_it() {
    let exp = NOW + Duration::minutes(5);
    let replay = Replay::new();
    replay.restore([("h", "i", "1", exp)]);
    assert!(seen(&replay, ("h", "i", "1"), 0));
    assert!(!seen(&replay, ("h", "i", "2"), 0));
}

#[test]
fn of_many_at_once_exactly_one_is_first() {
    let replay = Replay::new();
    let firsts = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..16).map(|_| scope.spawn(|| !seen(&replay, ("h", "i", "1"), 0))).collect();
        tries.into_iter().map(|first| first.join().unwrap()).filter(|first| *first).count()
    });
    assert_eq!(firsts, 1);
}
