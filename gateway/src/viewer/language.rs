//! The language of a page: as the address says (`lang=`), else as the browser says (RFC 9110 §12.5.4).

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use medvan_profiles::descriptor::Words;

/// A language that the pages are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Japanese,
    English,
}

impl Language {
    /// Its tag (RFC 5646).
    pub(super) const fn tag(self) -> &'static str {
        match self {
            Self::Japanese => "ja",
            Self::English => "en",
        }
    }

    /// The words in this language.
    pub(super) fn of(self, words: &Words) -> &str {
        match self {
            Self::Japanese => &words.ja,
            Self::English => &words.en,
        }
    }

    /// Japanese for whoever prefers it to English; English also for whoever wants neither.
    pub(crate) fn accepted(headers: &HeaderMap) -> Self {
        let lists = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
        let (mut japanese, mut english) = (0.0, 0.0);
        for range in lists.flat_map(|list| list.split(',')) {
            let (tag, quality) = range.split_once(';').unwrap_or((range, "q=1"));
            let quality = quality.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()).unwrap_or(0.0);
            // Of several ranges of one language, the heaviest counts.
            match tag.trim().split('-').next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "ja" => japanese = quality.max(japanese),
                "en" => english = quality.max(english),
                _ => {}
            }
        }
        if japanese > english { Self::Japanese } else { Self::English }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Language {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default();
        let asked = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "lang");
        Ok(match asked.as_ref().map(|(_, value)| value.as_ref()) {
            Some("ja") => Self::Japanese,
            Some("en") => Self::English,
            _ => Self::accepted(&parts.headers),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn japanese_is_for_whoever_prefers_it_to_english() {
        for (accepted, expected) in [
            ("ja", Language::Japanese),
            ("ja-JP,ja;q=0.9,en-US;q=0.8,en;q=0.7", Language::Japanese),
            ("en-US,en;q=0.9,ja;q=0.8", Language::English),
            ("fr,ja;q=0.5,en;q=0.3", Language::Japanese),
            ("fr, de;q=0.5", Language::English),
            ("JA-jp", Language::Japanese),
            ("ja;q=0, en;q=0.1", Language::English),
            ("ja;q=x", Language::English),
            ("jav", Language::English),
            ("*", Language::English),
            ("", Language::English),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, accepted.parse().unwrap())]);
            assert_eq!(Language::accepted(&headers), expected, "{accepted}");
        }
    }
}
