//! Elements of a command set (PS3.7 annex E) that are read and written.

use dicom_core::{Tag, VR};

use super::command::NotACommand;
use crate::{Uid, dataset::Dataset};

/// A number that must be there.
pub(super) fn number(command: &Dataset, tag: Tag) -> Result<u16, NotACommand> {
    command.unsigned_short(tag).ok_or(NotACommand::Missing(tag))
}

/// A UID that must be there.
pub(super) fn uid(command: &Dataset, tag: Tag) -> Result<Uid, Tag> {
    command.uid(tag).ok_or(tag)
}

/// Text of an element whose characters are ASCII, without padding; unreadable characters are replaced.
pub(super) fn text(command: &Dataset, tag: Tag) -> Option<String> {
    let text = String::from_utf8_lossy(command.bytes(tag)?).trim_matches([' ', '\0']).to_owned();
    (!text.is_empty()).then_some(text)
}

/// Attribute tags (VR AT).
pub(super) fn tags_of(command: &Dataset, tag: Tag) -> Vec<Tag> {
    let half = |bytes: &[u8], at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    command.bytes(tag).unwrap_or_default().chunks_exact(4).map(|four| Tag(half(four, 0), half(four, 2))).collect()
}

/// Puts a number in.
pub(super) fn put_number(command: &mut Dataset, tag: Tag, number: u16) {
    command.put_bytes(tag, VR::US, number.to_le_bytes());
}

/// Puts a UID in.
pub(super) fn put_uid(command: &mut Dataset, tag: Tag, uid: &Uid) {
    command.put_bytes(tag, VR::UI, uid.as_str());
}

/// Puts attribute tags in.
pub(super) fn put_tags(command: &mut Dataset, tag: Tag, tags: &[Tag]) {
    let bytes: Vec<u8> =
        tags.iter().flat_map(|tag| [tag.group().to_le_bytes(), tag.element().to_le_bytes()].concat()).collect();
    command.put_bytes(tag, VR::AT, bytes);
}
