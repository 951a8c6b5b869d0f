//! Which of the server's [`Offer`]s satisfies a request best (PS3.18 §8.7.8).

use super::range::{Quality, Range, Specificity, spelled_today};
use crate::{
    TransferSyntax, Uid,
    transfer_syntax::{EXPLICIT_LITTLE, Pixels},
};

/// One representation that the server can give.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Its media type; that of the parts when it is multipart.
    pub media: &'static str,
    /// Whether it is sent as `multipart/related`.
    pub related: bool,
    /// The transfer syntaxes it can have, in order of preference: the one it is held in first, when it can go out in it.
    /// Empty: it has none, as JSON has none.
    pub transfer_syntaxes: Vec<TransferSyntax>,
    /// Whether a wildcard means this one before all others, wherever it stands (PS3.18 §8.7.8.1, step 4).
    pub is_default: bool,
}

/// What the request gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Which of the offers.
    pub offer: usize,
    /// In which of its transfer syntaxes, if it has any.
    pub transfer_syntax: Option<Uid>,
}

impl Offer {
    /// One thing by itself.
    pub fn single(media: &'static str) -> Self {
        Self { media, related: false, transfer_syntaxes: Vec::new(), is_default: false }
    }

    /// Parts of this type in a `multipart/related` body.
    pub fn related(media: &'static str) -> Self {
        Self { related: true, ..Self::single(media) }
    }

    /// In one of these transfer syntaxes; the one it is held in comes first.
    #[must_use]
    pub fn in_syntaxes(self, transfer_syntaxes: impl IntoIterator<Item = TransferSyntax>) -> Self {
        Self { transfer_syntaxes: transfer_syntaxes.into_iter().collect(), ..self }
    }

    /// As the default media type of the resource: the usual case needs no mark, because the first offer is taken anyway. It
    /// serves where another one is preferred when it is asked for by name: frames go out as they are held rather than
    /// decoded, but a wildcard means `application/octet-stream`.
    #[must_use]
    pub fn as_default(self) -> Self {
        Self { is_default: true, ..self }
    }

    /// Those that may leave at all (PS3.18 §8.7.3).
    fn leaving(&self) -> impl Iterator<Item = &TransferSyntax> {
        self.transfer_syntaxes.iter().filter(|syntax| syntax.may_leave_by_web())
    }

    /// What a request means that names no transfer syntax: the default of the media type, except where the data is held
    /// with loss, in a form that we cannot open, or without a way to the default (PS3.18 §8.7.3, §8.7.3.3).
    fn default_syntax(&self) -> Option<&Uid> {
        let held = self.leaving().next()?;
        let keeps = matches!(held.pixels, Pixels::Lossy(_) | Pixels::Video(_) | Pixels::Elsewhere | Pixels::Unknown);
        let default = self.leaving().find(|syntax| default_of(self.media) == Some(syntax.uid().as_str()));
        Some(default.filter(|_| !keeps).unwrap_or(held).uid())
    }

    /// The offer in each of its transfer syntaxes, or without one.
    fn variants(&self) -> impl Iterator<Item = Option<(&TransferSyntax, bool)>> {
        let default = self.default_syntax();
        let none = self.transfer_syntaxes.is_empty().then_some(None);
        self.leaving().map(move |syntax| Some((syntax, Some(syntax.uid()) == default))).chain(none)
    }

    /// What the closest of the ranges says about a variant; nothing when none means it or the closest one rules it out.
    fn grade(&self, ranges: &[Range], variant: Option<(&TransferSyntax, bool)>) -> Option<(Quality, Specificity)> {
        let media = (self.media, self.related);
        let closest = ranges.iter().filter_map(|range| Some((range.specificity(media, variant)?, range.quality))).max();
        closest.filter(|(_, quality)| quality.is_acceptable()).map(|(specificity, quality)| (quality, specificity))
    }
}

/// The best variant of all offers: quality, then how closely the media type was described, then the default if a wildcard
/// asks, then the server's order.
pub(super) fn best(ranges: &[Range], offers: &[Offer]) -> Option<Choice> {
    let mut best: Option<((Quality, u8, bool), Choice)> = None;
    for (offer, variant) in offers.iter().enumerate().flat_map(|(at, offer)| offer.variants().map(move |v| (at, v))) {
        let Some((quality, specificity)) = offers[offer].grade(ranges, variant) else { continue };
        let rank = (quality, specificity.media, specificity.is_wildcard() && offers[offer].is_default);
        if best.as_ref().is_none_or(|(before, _)| rank > *before) {
            best = Some((rank, Choice { offer, transfer_syntax: variant.map(|(syntax, _)| syntax.uid().clone()) }));
        }
    }
    best.map(|(_, choice)| choice)
}

/// The best transfer syntax, whatever the offers' packaging: quality, then the order of the offers' lists. How closely it
/// was described does not count: not to transcode is better than to do so.
pub(super) fn best_syntax(ranges: &[Range], offers: &[Offer]) -> Option<Uid> {
    let mut best: Option<(Quality, usize, &Uid)> = None;
    for offer in offers {
        for (rank, variant) in offer.variants().enumerate() {
            let (Some((quality, _)), Some((syntax, _))) = (offer.grade(ranges, variant), variant) else { continue };
            let better =
                |(before, at, _): &(Quality, usize, &Uid)| quality > *before || (quality == *before && rank < *at);
            if best.as_ref().is_none_or(better) {
                best = Some((quality, rank, syntax.uid()));
            }
        }
    }
    best.map(|(.., uid)| uid.clone())
}

/// The default transfer syntax of a media type (PS3.18 tables 8.7.3-2, 8.7.3-4 and 8.7.3-5).
pub fn default_of(media: &str) -> Option<&'static str> {
    const DEFAULTS: [(&str, &str); 12] = [
        ("application/dicom", EXPLICIT_LITTLE),
        ("application/octet-stream", EXPLICIT_LITTLE),
        ("image/jpeg", "1.2.840.10008.1.2.4.70"),
        ("image/dicom-rle", "1.2.840.10008.1.2.5"),
        ("image/jls", "1.2.840.10008.1.2.4.80"),
        ("image/jp2", "1.2.840.10008.1.2.4.90"),
        ("image/jpx", "1.2.840.10008.1.2.4.92"),
        ("image/jphc", "1.2.840.10008.1.2.4.201"),
        ("image/jxl", "1.2.840.10008.1.2.4.110"),
        ("video/mpeg", "1.2.840.10008.1.2.4.100"),
        ("video/mp4", "1.2.840.10008.1.2.4.102"),
        ("video/h265", "1.2.840.10008.1.2.4.107"),
    ];
    let media = spelled_today(media);
    DEFAULTS.iter().find(|(known, _)| media.eq_ignore_ascii_case(known)).map(|(_, uid)| *uid)
}
