//! [`Range`]: one element of Accept, with the parameters that PS3.18 §8.7.3.5 gives it.

use std::fmt;

use super::AcceptError;
use crate::{
    TransferSyntax, Uid,
    multipart::{media_name, parameter, split_outside_quotes},
};

/// One media range.
#[derive(Debug, Clone)]
pub(super) struct Range {
    packaging: Packaging,
    pattern: Pattern,
    syntax: Syntax,
    pub(super) quality: Quality,
}

/// How parts are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packaging {
    Any,
    Single,
    Related,
}

/// Which media types are meant, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Any,
    /// `image/*`: the word before the slash.
    Type(String),
    Exact(String),
}

/// Which transfer syntaxes are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Syntax {
    /// The default of the media type.
    Default,
    Any,
    Only(Uid),
}

/// A quality value in thousandths (RFC 9110 §12.4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Quality(u16);

/// How closely a range describes something: the media type first, then the transfer syntax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Specificity {
    /// 0 for `*/*`, 1 for parts of any type, 2 for `image/*`, 3 for a media type.
    pub(super) media: u8,
    /// 0 without a transfer syntax, 1 for `*`, 2 for a UID.
    syntax: u8,
}

/// Where in a request a media range stands, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the Accept headers; in each one the count begins anew.
    Header(usize),
    /// In the query parameter `accept`.
    Query(usize),
    /// In the query parameter `transferSyntax`.
    TransferSyntaxQuery,
}

impl Range {
    /// `*/*`: what a request without Accept means.
    pub(super) fn anything(syntax: Syntax) -> Self {
        Self { packaging: Packaging::Any, pattern: Pattern::Any, syntax, quality: Quality::FULL }
    }

    /// Reads one element, its transfer syntax filled in where it has none.
    pub(super) fn parse(item: &str, place: Place, fallback: &Syntax) -> Result<Self, AcceptError> {
        let mut pieces = split_outside_quotes(item, b';').filter(|piece| !piece.trim().is_empty());
        let first = pieces.next().ok_or(AcceptError::Range(place))?.trim();
        let mut read = Parameters::default();
        let name = if first.contains('/') || first == "*" {
            media(first, place)
        } else {
            // `transfer-syntax=*` alone, as a viewer sends it when its settings go wrong: anything, in that syntax.
            read.take(first, place)?;
            read.syntax.is_some().then(|| "*/*".to_owned())
        };
        for piece in pieces {
            read.take(piece, place)?;
        }
        read.range(&name.ok_or(AcceptError::Range(place))?, place, fallback)
    }

    /// Whether it means this media type in this packaging and transfer syntax, and how closely. No syntax: the offer has
    /// none, so that its parameter means nothing.
    pub(super) fn specificity(
        &self,
        (media, related): (&str, bool),
        syntax: Option<(&TransferSyntax, bool)>,
    ) -> Option<Specificity> {
        let packed = match self.packaging {
            Packaging::Any => true,
            Packaging::Single => !related,
            Packaging::Related => related,
        };
        let close = match &self.pattern {
            Pattern::Any => Some(u8::from(self.packaging == Packaging::Related)),
            Pattern::Type(kind) => begins_with_type(media, kind).then_some(2),
            Pattern::Exact(name) => spelled_today(media).eq_ignore_ascii_case(name).then_some(3),
        };
        let syntax = syntax.map_or(Some(0), |(syntax, is_default)| self.syntax_closeness(syntax, is_default));
        Some(Specificity { media: close.filter(|_| packed)?, syntax: syntax? })
    }

    fn syntax_closeness(&self, syntax: &TransferSyntax, is_default: bool) -> Option<u8> {
        match &self.syntax {
            // "Not this media type" means not in any transfer syntax.
            Syntax::Default => (is_default || !self.quality.is_acceptable()).then_some(0),
            Syntax::Any => Some(1),
            Syntax::Only(uid) => (uid == syntax.uid()).then_some(2),
        }
    }
}

impl Specificity {
    /// Whether the media type was left open.
    pub(super) fn is_wildcard(self) -> bool {
        self.media < 3
    }
}

impl Quality {
    const FULL: Self = Self(1000);

    /// Zero means: not this one.
    pub(super) fn is_acceptable(self) -> bool {
        self.0 > 0
    }

    /// Reads `0.5`, also as `.5`, which Java's own client sends. More than three digits are cut, but never down to zero.
    fn parse(text: &str) -> Option<Self> {
        let (whole, digits) = text.split_once('.').unwrap_or((text, ""));
        let all_digits = whole.bytes().chain(digits.bytes()).all(|byte| byte.is_ascii_digit());
        if !all_digits || whole.len() > 1 || (whole.is_empty() && digits.is_empty()) {
            return None;
        }
        let thousandths =
            (0..3).fold(0, |sum, at| sum * 10 + u16::from(digits.as_bytes().get(at).map_or(0, |d| d - b'0')));
        let nonzero = digits.bytes().any(|digit| digit != b'0');
        match (whole, nonzero) {
            ("1", false) => Some(Self::FULL),
            ("0" | "", _) => Some(Self(thousandths.max(u16::from(nonzero)))),
            _ => None,
        }
    }
}

/// The parameters of one range that mean something.
#[derive(Default)]
struct Parameters {
    kind: Option<String>,
    syntax: Option<Syntax>,
    quality: Option<Quality>,
}

impl Parameters {
    fn take(&mut self, piece: &str, place: Place) -> Result<(), AcceptError> {
        let (name, value) = parameter(piece).ok_or(AcceptError::Range(place))?;
        match name.as_str() {
            "type" => self.take_type(&value, place)?,
            "transfer-syntax" => self.take_syntax(&value, place)?,
            "q" => self.quality = Some(Quality::parse(&value).ok_or(AcceptError::Quality(place))?),
            _ => {}
        }
        Ok(())
    }

    /// Some clients put the transfer syntax inside the quotes: `type="image/jpeg; transfer-syntax=…"`.
    fn take_type(&mut self, value: &str, place: Place) -> Result<(), AcceptError> {
        let mut pieces = value.split(';');
        let kind = pieces.next().and_then(|kind| media(kind, place));
        self.kind = Some(kind.ok_or(AcceptError::Range(place))?);
        for piece in pieces.filter(|piece| !piece.trim().is_empty()) {
            let (name, value) = parameter(piece).ok_or(AcceptError::Range(place))?;
            if name == "transfer-syntax" {
                self.take_syntax(&value, place)?;
            }
        }
        Ok(())
    }

    /// It may come twice, as viewers do, but then it must say the same.
    fn take_syntax(&mut self, value: &str, place: Place) -> Result<(), AcceptError> {
        let read = syntax(value).ok_or(AcceptError::TransferSyntax(place))?;
        match self.syntax.replace(read) {
            before if before.is_some() && before != self.syntax => Err(AcceptError::TransferSyntax(place)),
            _ => Ok(()),
        }
    }

    fn range(self, name: &str, place: Place, fallback: &Syntax) -> Result<Range, AcceptError> {
        let (packaging, pattern) = match name {
            "*/*" => (Packaging::Any, Pattern::Any),
            "multipart/*" => (Packaging::Related, Pattern::Any),
            "multipart/related" => (
                Packaging::Related,
                self.kind.as_deref().map_or(Some(Pattern::Any), pattern).ok_or(AcceptError::Range(place))?,
            ),
            name => (Packaging::Single, pattern(name).ok_or(AcceptError::Range(place))?),
        };
        let syntax = self.syntax.unwrap_or_else(|| fallback.clone());
        Ok(Range { packaging, pattern, syntax, quality: self.quality.unwrap_or(Quality::FULL) })
    }
}

/// A transfer syntax as a parameter has it.
pub(super) fn syntax(value: &str) -> Option<Syntax> {
    match value.trim() {
        "*" => Some(Syntax::Any),
        uid => Uid::parse(uid).ok().map(Syntax::Only),
    }
}

/// `type/subtype` in lower case, with wildcards. `*` alone comes from Java's own client, `image/` from dicomweb-client; in a
/// query a `+` that was not percent-encoded has become a blank.
fn media(text: &str, place: Place) -> Option<String> {
    match text.trim() {
        "*" => Some("*/*".to_owned()),
        text if text.ends_with('/') => media_name(&format!("{text}*")),
        text if matches!(place, Place::Query(_)) => media_name(&text.replace(' ', "+")),
        text => media_name(text),
    }
}

fn pattern(name: &str) -> Option<Pattern> {
    match name.split_once('/')? {
        ("*", "*") => Some(Pattern::Any),
        ("*", _) => None,
        (kind, "*") => Some(Pattern::Type(kind.to_owned())),
        _ => Some(Pattern::Exact(spelled_today(name).to_owned())),
    }
}

fn begins_with_type(media: &str, kind: &str) -> bool {
    media.split_once('/').is_some_and(|(before, _)| before.eq_ignore_ascii_case(kind))
}

/// Spellings of earlier editions that clients still send.
pub(super) fn spelled_today(media: &str) -> &str {
    const EARLIER: [(&str, &str); 3] =
        [("image/x-jls", "image/jls"), ("image/x-dicom-rle", "image/dicom-rle"), ("video/mpeg2", "video/mpeg")];
    EARLIER.iter().find(|(earlier, _)| media.eq_ignore_ascii_case(earlier)).map_or(media, |(_, today)| today)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(number) => write!(f, "element {number} of Accept"),
            Self::Query(number) => write!(f, "element {number} of the query parameter accept"),
            Self::TransferSyntaxQuery => f.write_str("the query parameter transferSyntax"),
        }
    }
}
