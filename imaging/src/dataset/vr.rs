//! Value representations (PS3.5 §6.2 and table 7.1-1): what the dictionary says, and how each is written.

use dicom_core::{
    Tag, VR,
    dictionary::{DataDictionary as _, DataDictionaryEntry, VirtualVr},
};
use dicom_dictionary_std::StandardDataDictionary;

/// What the VR of some elements depends on (PS3.5 §A.1, PS3.6 chapter 6): pixels signed or not, and whether a lookup table
/// has one entry only.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Context {
    pub(super) signed_pixels: bool,
    pub(super) one_entry_table: bool,
}

/// The VR that an element has by the dictionary; `UN` where it is not listed there.
///
/// Where the dictionary leaves a choice, unsigned numbers and words are taken.
pub fn dictionary_vr(tag: Tag) -> VR {
    vr_in(tag, Context::default())
}

/// The same where what it depends on is known.
pub(super) fn vr_in(tag: Tag, context: Context) -> VR {
    if tag.element() == 0 {
        return VR::UL;
    }
    if tag.group() % 2 == 1 {
        let creator = (0x0010..=0x00FF).contains(&tag.element());
        return if creator { VR::LO } else { VR::UN };
    }
    match StandardDataDictionary.by_tag(tag).map(DataDictionaryEntry::vr) {
        None => VR::UN,
        Some(VirtualVr::Exact(vr)) => vr,
        Some(VirtualVr::Xs) => {
            if context.signed_pixels {
                VR::SS
            } else {
                VR::US
            }
        }
        Some(VirtualVr::Lt) if context.one_entry_table => VR::US,
        Some(_) => VR::OW,
    }
}

/// The VR of this name.
pub(crate) fn parse_vr(text: &str) -> Option<VR> {
    VR::from_binary(*text.as_bytes().first_chunk::<2>()?).filter(|_| text.len() == 2)
}

/// Whether its length takes four bytes in explicit VR (PS3.5 §7.1.2).
pub(super) fn has_long_length(vr: VR) -> bool {
    matches!(
        vr,
        VR::OB
            | VR::OD
            | VR::OF
            | VR::OL
            | VR::OV
            | VR::OW
            | VR::SQ
            | VR::SV
            | VR::UC
            | VR::UN
            | VR::UR
            | VR::UT
            | VR::UV
    )
}

/// Whether its value is characters.
pub fn is_text(vr: VR) -> bool {
    word_size(vr) == 1 && !matches!(vr, VR::OB | VR::UN | VR::SQ)
}

/// Bytes of one number of it; 1 for characters and bytes.
pub fn word_size(vr: VR) -> u8 {
    match vr {
        // An attribute tag is two words of two bytes.
        VR::AT | VR::OW | VR::SS | VR::US => 2,
        VR::FL | VR::OF | VR::OL | VR::SL | VR::UL => 4,
        VR::FD | VR::OD | VR::OV | VR::SV | VR::UV => 8,
        _ => 1,
    }
}

/// Turns big-endian numbers into little-endian ones or back. A rest that is no whole number stays.
pub(super) fn swap(bytes: &mut [u8], size: u8) {
    if size > 1 {
        bytes.chunks_exact_mut(usize::from(size)).for_each(<[u8]>::reverse);
    }
}
