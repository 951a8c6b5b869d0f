//! How long an answer counts (RFC 9111): `max-age` minus `Age`, within bounds of our own.

use http::{
    HeaderMap,
    header::{AGE, CACHE_CONTROL},
};
use time::Duration;

/// Without a word from the publisher.
const DEFAULT: Duration = Duration::minutes(5);

/// However long the publisher says: a revoked key is dead after this.
const LONGEST: Duration = Duration::HOUR;

/// However short: one caller's tokens must not become a flood of fetches.
const SHORTEST: Duration = Duration::seconds(5);

pub(super) fn life(headers: &HeaderMap) -> Duration {
    let Some(control) = headers.get(CACHE_CONTROL).and_then(|value| value.to_str().ok()) else {
        return DEFAULT;
    };
    let directives = || control.split(',').map(|directive| directive.trim().to_ascii_lowercase());
    if directives().any(|directive| directive == "no-store" || directive.starts_with("no-cache")) {
        return SHORTEST;
    }
    let max_age = directives().find_map(|directive| seconds(directive.strip_prefix("max-age=")?));
    let age = headers.get(AGE).and_then(|value| seconds(value.to_str().ok()?)).unwrap_or_default();
    max_age.map_or(DEFAULT, |max_age| (max_age - age).clamp(SHORTEST, LONGEST))
}

fn seconds(text: &str) -> Option<Duration> {
    let seconds: u32 = text.trim_matches('"').trim().parse().ok()?;
    Some(Duration::seconds(i64::from(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(control: Option<&str>, age: Option<&str>, expect: i64) {
        let mut headers = HeaderMap::new();
        control.map(|value| headers.insert(CACHE_CONTROL, value.parse().unwrap()));
        age.map(|value| headers.insert(AGE, value.parse().unwrap()));
        assert_eq!(life(&headers).whole_seconds(), expect, "{control:?} {age:?}");
    }

    #[test]
    fn the_publishers_word_counts_within_our_bounds() {
        check(None, None, 300);
        check(Some("public"), None, 300);
        check(Some("max-age=60"), None, 60);
        check(Some("public, Max-Age=\"60\""), None, 60);
        check(Some("max-age=60"), Some("50"), 10);
        check(Some("max-age=60"), Some("90"), 5);
        check(Some("max-age=0"), None, 5);
        check(Some("no-store"), None, 5);
        check(Some("no-cache, max-age=600"), None, 5);
        check(Some("max-age=31536000"), None, 3600);
        check(Some("max-age=-1"), None, 300);
        check(Some("s-maxage=9"), None, 300);
    }
}
