//! [`ReadError`]: why bytes are no data set.

use dicom_core::Tag;

/// Why a data set cannot be read. The text names places and tags, never values.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It does not begin like a DICOM file (PS3.10 §7.1).
    #[error("this is no DICOM file: it has no `DICM` after 128 bytes")]
    NotDicom,
    /// The preamble makes it a program, an archive or a web page for other readers (CVE-2019-11687).
    #[error("the preamble makes this file a {0}; such files are not taken")]
    Polyglot(&'static str),
    /// It ends before a value ends.
    #[error("the data set ends at byte {at}, in the middle of {tag}")]
    Truncated {
        /// Where it ends.
        at: u64,
        /// In which element.
        tag: Tag,
    },
    /// An item or sequence goes on past the end of what holds it.
    #[error("{tag} at byte {at} is longer than what holds it")]
    Overlong {
        /// Where it begins.
        at: u64,
        /// Which element.
        tag: Tag,
    },
    /// Something else stands where an item must be.
    #[error("a sequence has {tag} at byte {at}, where only an item can be")]
    NotAnItem {
        /// Where.
        at: u64,
        /// What stands there.
        tag: Tag,
    },
    /// A length is undefined where that means nothing.
    #[error("{tag} at byte {at} has no length")]
    NoLength {
        /// Where.
        at: u64,
        /// Which element.
        tag: Tag,
    },
    /// Sequences within sequences beyond the limit.
    #[error("sequences are nested more than {0} deep")]
    TooDeep(usize),
    /// More elements or more text than the limit.
    #[error("the data set has more elements or longer values than can be handled")]
    TooMuch,
    /// The deflated stream is broken.
    #[error("the deflated data set cannot be inflated")]
    Deflate,
    /// The source cannot be read: nobody's mistake but the disk's.
    #[error("the source cannot be read")]
    Io(#[from] std::io::Error),
}
