//! Decoding a data set (PS3.5 §6.1, §6.2): character set first, then values.

use std::cell::RefCell;

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use super::{Attribute, AttributePath, Attributes, Content, Number};
use crate::{
    charset::Charset,
    dataset::{Dataset, Element, Value, dictionary_vr, word_size},
};

/// What becomes of a value that was left in the source.
pub trait Bulk {
    /// Where it can be had, or `None` where nobody will ask for it: then the attribute is left out.
    fn uri(&self, path: &AttributePath) -> Option<String>;
}

impl<F: Fn(&AttributePath) -> Option<String>> Bulk for F {
    fn uri(&self, path: &AttributePath) -> Option<String> {
        self(path)
    }
}

/// Decodes a data set. Group 0002 and group lengths are not part of it (PS3.18 §F.2.2).
pub fn read(data_set: &Dataset, bulk: &impl Bulk) -> Attributes {
    Decoder { bulk, way: Vec::new() }.data_set(data_set, &Charset::default())
}

/// Where the values are that [`read`] leaves elsewhere, in the order of the data set.
pub fn bulk_paths(data_set: &Dataset) -> Vec<AttributePath> {
    let paths = RefCell::new(Vec::new());
    read(data_set, &|path: &AttributePath| {
        paths.borrow_mut().push(path.clone());
        None
    });
    paths.into_inner()
}

struct Decoder<'a, B> {
    bulk: &'a B,
    way: Vec<(Tag, usize)>,
}

impl<B: Bulk> Decoder<'_, B> {
    fn data_set(&mut self, data_set: &Dataset, outer: &Charset) -> Attributes {
        // An item has the character set of what holds it, unless it says otherwise (PS3.3 §C.12.1.1.2).
        let charset = data_set.bytes(tags::SPECIFIC_CHARACTER_SET).map(Charset::parse);
        let charset = charset.as_ref().unwrap_or(outer);
        data_set
            .iter()
            .filter(|element| element.tag.element() != 0 && element.tag.group() != 2)
            .filter_map(|element| Some((element.tag, self.attribute(element, charset)?)))
            .collect()
    }

    fn attribute(&mut self, element: &Element, charset: &Charset) -> Option<Attribute> {
        let mut vr = element.vr;
        let content = match &element.value {
            Value::Bytes(bytes) if is_long(vr, bytes) => {
                Content::Elsewhere(self.bulk.uri(&AttributePath::through(&self.way, element.tag))?)
            }
            Value::Bytes(bytes) => {
                vr = known_vr(element.tag, vr);
                values(vr, bytes, charset)
            }
            Value::Items(items) => Content::Items(self.items(element.tag, items, charset)),
            Value::Left(_) | Value::Fragments(_) => {
                Content::Elsewhere(self.bulk.uri(&AttributePath::through(&self.way, element.tag))?)
            }
        };
        Some(Attribute { vr, content })
    }

    fn items(&mut self, tag: Tag, items: &[Dataset], charset: &Charset) -> Vec<Attributes> {
        let mut decoded = Vec::with_capacity(items.len());
        for (number, item) in items.iter().enumerate() {
            self.way.push((tag, number));
            decoded.push(self.data_set(item, charset));
            self.way.pop();
        }
        decoded
    }
}

/// Whether a value that is here is bulk data all the same: that of a deflated data set is always here.
fn is_long(vr: VR, bytes: &[u8]) -> bool {
    bytes.len() > 1024 && matches!(vr, VR::OB | VR::OD | VR::OF | VR::OL | VR::OV | VR::OW | VR::UN)
}

/// An `UN` that the dictionary knows is what the dictionary says, written implicitly (PS3.5 §6.2.2 note 4).
fn known_vr(tag: Tag, vr: VR) -> VR {
    match (vr, dictionary_vr(tag)) {
        (VR::UN, VR::SQ) => VR::UN,
        (VR::UN, known) => known,
        _ => vr,
    }
}

fn values(vr: VR, bytes: &[u8], charset: &Charset) -> Content {
    if bytes.is_empty() {
        return Content::Empty;
    }
    match vr {
        VR::PN => present(charset.decode_names(bytes), |name| !name.is_empty(), Content::Names),
        VR::SH | VR::LO | VR::UC => texts(charset.decode_values(bytes), trimmed_end),
        VR::ST | VR::LT | VR::UT => texts(vec![charset.decode(bytes)], trimmed_end),
        VR::UR => texts(vec![plain(bytes)], trimmed),
        VR::AE | VR::AS | VR::CS | VR::DA | VR::DS | VR::DT | VR::IS | VR::TM | VR::UI => {
            texts(plain(bytes).split('\\').map(str::to_owned).collect(), trimmed)
        }
        VR::AT => Content::Text(bytes.chunks_exact(4).map(|tag| Some(attribute_tag(tag))).collect()),
        VR::SS | VR::US | VR::SL | VR::UL | VR::SV | VR::UV | VR::FL | VR::FD => numbers(vr, bytes),
        VR::OB | VR::OD | VR::OF | VR::OL | VR::OV | VR::OW | VR::UN | VR::SQ => Content::Inline(bytes.to_vec()),
    }
}

/// Characters that are ASCII by their VR; what is not comes out as a replacement character.
fn plain(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn trimmed_end(text: &str) -> &str {
    text.trim_end_matches([' ', '\0'])
}

fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\0'])
}

fn texts(values: Vec<String>, trim: fn(&str) -> &str) -> Content {
    let values: Vec<String> = values.into_iter().map(|value| trim(&value).to_owned()).collect();
    present(values, |value| !value.is_empty(), Content::Text)
}

fn present<T>(values: Vec<T>, is_there: fn(&T) -> bool, content: fn(Vec<Option<T>>) -> Content) -> Content {
    if values.iter().any(is_there) {
        content(values.into_iter().map(|value| is_there(&value).then_some(value)).collect())
    } else {
        Content::Empty
    }
}

fn attribute_tag(bytes: &[u8]) -> String {
    let half = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    format!("{:04X}{:04X}", half(0), half(2))
}

fn numbers(vr: VR, bytes: &[u8]) -> Content {
    let size = usize::from(word_size(vr));
    if bytes.len() < size {
        // Not a number of this VR: the bytes are all that is known.
        return Content::Inline(bytes.to_vec());
    }
    Content::Numbers(bytes.chunks_exact(size).map(|number| Some(number_of(vr, number))).collect())
}

fn number_of(vr: VR, bytes: &[u8]) -> Number {
    let mut wide = [0; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    let bits = u64::from_le_bytes(wide);
    match vr {
        VR::SS => Number::Signed(i64::from(bits as u16 as i16)),
        VR::SL => Number::Signed(i64::from(bits as u32 as i32)),
        VR::SV => Number::Signed(bits as i64),
        VR::FL => Number::Single(f32::from_bits(bits as u32)),
        VR::FD => Number::Double(f64::from_bits(bits)),
        _ => Number::Unsigned(bits),
    }
}
