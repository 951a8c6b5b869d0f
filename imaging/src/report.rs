//! Structured reports as text that people read: an HTML page or plain text (PS3.18 §8.7.4; PS3.3 §A.35 and §C.17).
//!
//! What is shown is what the report says, in its order: nothing is computed, left out for beauty or looked up elsewhere.
//! Images that it refers to are named, not shown. A report that is broken gives what can be read of it.
//!
//! Both forms are bounded: 64 levels, 20,000 content items, 2 MB of text. Where something had to be left out, the report says
//! so. Long texts must be in the attributes, not [`crate::attributes::Content::Elsewhere`]: whoever reads the data set for this should let
//! texts be as long as they are.

mod document;
mod html;
mod moments;
mod plain;
#[cfg(test)]
mod tests;
mod value;
mod words;

use self::document::Document;
use crate::{Uid, attributes::Attributes};

/// The language of the labels. What the report itself says stays in its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Japanese.
    Japanese,
}

impl Language {
    /// Its tag (RFC 5646).
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Japanese => "ja",
        }
    }
}

/// Whether instances of a SOP class are structured reports (PS3.4 §B.5): they alone have a content tree.
pub fn is_report(class: &Uid) -> bool {
    class.as_str().starts_with("1.2.840.10008.5.1.4.1.1.88.")
}

/// The report as an HTML page in UTF-8. It loads nothing, runs nothing and links nowhere but into itself.
pub fn html(report: &Attributes, language: Language) -> String {
    html::page(&Document::read(report, language), language)
}

/// The report as plain text: a line for each fact and each content item, which is indented as deep as it stands.
pub fn text(report: &Attributes, language: Language) -> String {
    plain::text(&Document::read(report, language))
}
