//! Is a token meant for the address it was sent to (items 54 and 56, checks 4 and 5)?
//!
//! Every entry of `aud` must be an address of this call: a token that is also good elsewhere could be sent on to us by
//! whoever received it there. A trailing slash makes no difference, as configured base URLs have one or not.

/// Whether all audiences of a token are among the accepted ones.
pub(super) fn all_accepted(audiences: &[String], called: &[&str], registered: &[String]) -> bool {
    let accepted = |audience: &String| {
        let audience = bare(audience);
        called.iter().any(|url| bare(url) == audience) || registered.iter().any(|other| bare(other) == audience)
    };
    !audiences.is_empty() && audiences.iter().all(accepted)
}

fn bare(url: &str) -> &str {
    url.strip_suffix('/').unwrap_or(url)
}
