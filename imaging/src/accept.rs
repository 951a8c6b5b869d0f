//! What the user agent accepts, and what it gets (RFC 9110 §12.5.1, PS3.18 §8.3.3.1, §8.7.5 to §8.7.8).
//!
//! Read with [`Acceptable::parse`] from the Accept headers, the query parameter `accept` and the query parameter
//! `transferSyntax`; asked with [`Acceptable::choose`] once per response and with [`Acceptable::syntax_of`] once per part.
//!
//! Decisions where the standard leaves room or contradicts itself:
//!
//! - What is asked for by name and not to be had is no answer (406). The default goes to those who accept anything, by a
//!   wildcard or by sending no Accept header (§8.7.8.1 and not table 8.7.3-1).
//! - The query parameter comes first; what it cannot satisfy is looked for in the header (§8.7.8.1).
//! - The query parameter `transferSyntax` fills in for every media range without its own parameter, also those of the
//!   header: whoever writes it into the URL means it.
//! - Implicit VR and big endian never leave, not even for `transfer-syntax=*` (§8.7.3).
//! - Without a transfer syntax the default of the media type is meant; data that is held with loss, or that nobody here can
//!   decode, goes out as it is (§8.7.3).
//! - Parameters that we do not know, `charset` among them, narrow nothing: our text is UTF-8 and says so.

mod choice;
mod range;
#[cfg(test)]
mod tests;

pub use choice::{Choice, Offer, default_of};
pub use range::Place;

use range::Range;

use crate::{TransferSyntax, Uid, multipart::split_outside_quotes};

/// The longest sum of all headers and parameters read, in bytes.
const MAX_BYTES: usize = 8192;
/// The most media ranges.
const MAX_RANGES: usize = 64;

/// The media types and transfer syntaxes that a request accepts.
#[derive(Debug, Clone)]
pub struct Acceptable {
    /// From the query parameter `accept`.
    query: Vec<Range>,
    /// From the Accept headers.
    header: Vec<Range>,
}

/// Why what a request accepts cannot be understood: the user agent's fault, 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AcceptError {
    /// There is too much of it.
    #[error("Accept has at most {MAX_BYTES} bytes and {MAX_RANGES} media ranges")]
    TooLong,
    /// A media range is not `type/subtype`, or its parameters are not `name=value`.
    #[error("{0} is no media range: `type/subtype; name=value`")]
    Range(Place),
    /// A quality is no number from 0 to 1.
    #[error("{0}: q is a number from 0 to 1")]
    Quality(Place),
    /// A transfer syntax is neither a UID nor `*`.
    #[error("{0}: transfer-syntax is a UID or `*`, once")]
    TransferSyntax(Place),
}

impl Acceptable {
    /// Reads what a request accepts: its Accept headers in their order, and the values of the query parameters `accept`
    /// (`contentType` for the URI service) and `transferSyntax`, percent-decoded.
    ///
    /// # Errors
    /// Whatever makes the request a bad one (400).
    pub fn parse<'a>(
        headers: impl IntoIterator<Item = &'a str>,
        accept_query: Option<&str>,
        transfer_syntax_query: Option<&str>,
    ) -> Result<Self, AcceptError> {
        let mut reading = Reading { bytes: 0, ranges: 0, syntax: range::Syntax::Default };
        if let Some(value) = transfer_syntax_query {
            reading.count(value)?;
            reading.syntax = range::syntax(value).ok_or(AcceptError::TransferSyntax(Place::TransferSyntaxQuery))?;
        }
        let query = reading.list(accept_query.unwrap_or_default(), Place::Query)?;
        let mut header = Vec::new();
        for value in headers {
            header.extend(reading.list(value, Place::Header)?);
        }
        if query.is_empty() && header.is_empty() {
            header.push(Range::anything(reading.syntax));
        }
        Ok(Self { query, header })
    }

    /// What of the server's offers, given in its order of preference, the user agent gets: the highest quality first, then
    /// what was asked for most specifically, then the server's order. None: 406.
    pub fn choose(&self, offers: &[Offer]) -> Option<Choice> {
        self.lists().find_map(|ranges| choice::best(ranges, offers))
    }

    /// The transfer syntax of one part in the packaging that [`Self::choose`] found: the highest quality first, then the
    /// offer's order. It never takes another media type than the offer's.
    pub fn syntax_of(&self, offer: &Offer) -> Option<Uid> {
        self.lists().find_map(|ranges| choice::best_syntax(ranges, std::slice::from_ref(offer)))
    }

    /// The transfer syntax in which one stored instance goes out as `application/dicom`, alone or in a multipart body: as it
    /// is stored whenever the request prefers nothing else, else one of those that we can write it in. None: it cannot be
    /// given (406, or 206 when others can).
    pub fn dicom_syntax(&self, stored: &TransferSyntax, possible: &[TransferSyntax]) -> Option<Uid> {
        let syntaxes = || std::iter::once(stored).chain(possible).cloned();
        let offers = [
            Offer::related("application/dicom").in_syntaxes(syntaxes()),
            Offer::single("application/dicom").in_syntaxes(syntaxes()),
        ];
        self.lists().find_map(|ranges| choice::best_syntax(ranges, &offers))
    }

    fn lists(&self) -> impl Iterator<Item = &[Range]> {
        [self.query.as_slice(), self.header.as_slice()].into_iter()
    }
}

/// What has been read so far, to stay within the limits.
struct Reading {
    bytes: usize,
    ranges: usize,
    /// For ranges without their own.
    syntax: range::Syntax,
}

impl Reading {
    fn count(&mut self, text: &str) -> Result<(), AcceptError> {
        self.bytes = self.bytes.saturating_add(text.len());
        if self.bytes > MAX_BYTES { Err(AcceptError::TooLong) } else { Ok(()) }
    }

    /// A list of media ranges; empty elements are allowed (RFC 9110 §5.6.1).
    fn list(&mut self, text: &str, place: fn(usize) -> Place) -> Result<Vec<Range>, AcceptError> {
        self.count(text)?;
        let mut ranges = Vec::new();
        for item in split_outside_quotes(text, b',').map(str::trim).filter(|item| !item.is_empty()) {
            self.ranges += 1;
            if self.ranges > MAX_RANGES {
                return Err(AcceptError::TooLong);
            }
            ranges.push(Range::parse(item, place(ranges.len() + 1), &self.syntax)?);
        }
        Ok(ranges)
    }
}
