//! [`Bearer`]: a token, or a name with its password, on its way into an `Authorization` header, and nowhere else.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::header::HeaderValue;

/// A borrowed secret. It is written into one header, never logged, never stored; `Debug` hides it.
#[derive(Clone)]
pub struct Bearer(HeaderValue);

/// The token holds characters that no header can carry (RFC 6750 §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token holds characters that an Authorization header cannot carry")]
pub struct NotAToken;

impl Bearer {
    /// Takes a token as RFC 6750 spells one: no space, no control character, nothing outside ASCII.
    pub fn new(token: &str) -> Result<Self, NotAToken> {
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(NotAToken);
        }
        let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| NotAToken)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    /// A name and a password (HTTP Basic, RFC 7617): the name has no colon, neither has control characters.
    ///
    /// # Errors
    /// They cannot be written so.
    pub fn basic(user: &str, password: &str) -> Result<Self, NotAToken> {
        let is_plain = |text: &str| !text.chars().any(char::is_control);
        if user.is_empty() || user.contains(':') || !is_plain(user) || !is_plain(password) {
            return Err(NotAToken);
        }
        let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
            .map_err(|_| NotAToken)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    pub(super) fn into_header(self) -> HeaderValue {
        self.0
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_could_split_a_header_is_refused() {
        for token in ["", "a b", "a\r\nx: y", "a\0", "日本"] {
            assert_eq!(Bearer::new(token).unwrap_err(), NotAToken);
        }
    }

    #[test]
    fn a_name_and_a_password_are_written_as_rfc_7617_says() {
        let header = |user, password| Bearer::basic(user, password).map(|basic| basic.into_header());
        assert_eq!(header("Aladdin", "open sesame").unwrap(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(header("test", "123\u{a3}").unwrap(), "Basic dGVzdDoxMjPCow==", "UTF-8, as its section 2.1 has it");
        for (user, password) in [("", "x"), ("a:b", "x"), ("a\n", "x"), ("a", "x\r\n")] {
            assert!(header(user, password).is_err());
        }
    }

    #[test]
    fn debug_hides_the_token() {
        assert!(!format!("{:?}", Bearer::new("s3cret").unwrap()).contains("s3cret"));
    }
}
