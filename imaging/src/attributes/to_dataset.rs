//! Encoding attributes as a data set, for objects that came as JSON and for what we author.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use super::{Attribute, Attributes, Content, Number, path::parse_tag};
use crate::{
    charset::Charset,
    dataset::{Dataset, Element, Value},
};

/// Why an attribute cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotWritable {
    /// Its text has characters that the data set's character set has not.
    #[error("{0} has characters that the stated character set has not")]
    Charset(Tag),
    /// Its value is of another kind than its VR.
    #[error("the value of {0} does not fit its value representation")]
    Kind(Tag),
    /// Its value is elsewhere and was not brought along.
    #[error("the bulk data of {0} did not come with it")]
    Elsewhere(Tag),
}

/// Encodes in the character set that the attributes themselves name (0008,0005). `bulk` gives the bytes for a `BulkDataURI`.
///
/// # Errors
/// The first attribute that cannot be written.
pub fn write(attributes: &Attributes, bulk: &mut impl FnMut(&str) -> Option<Value>) -> Result<Dataset, NotWritable> {
    data_set(attributes, &Charset::default(), bulk)
}

fn data_set(
    attributes: &Attributes,
    outer: &Charset,
    bulk: &mut impl FnMut(&str) -> Option<Value>,
) -> Result<Dataset, NotWritable> {
    let own = attributes.get(tags::SPECIFIC_CHARACTER_SET).map(|attribute| {
        let terms: Vec<String> = attribute.texts().into_iter().map(Option::unwrap_or_default).collect();
        Charset::parse(terms.join("\\").as_bytes())
    });
    let charset = own.as_ref().unwrap_or(outer);
    let mut data_set = Dataset::new();
    for (tag, attribute) in attributes {
        let value = match &attribute.content {
            Content::Items(items) => {
                Value::Items(items.iter().map(|item| self::data_set(item, charset, bulk)).collect::<Result<_, _>>()?)
            }
            Content::Elsewhere(uri) => bulk(uri).ok_or(NotWritable::Elsewhere(*tag))?,
            Content::Empty if attribute.vr == VR::SQ => Value::Items(Vec::new()),
            content => {
                data_set.put_bytes(*tag, attribute.vr, bytes(*tag, attribute, content, charset)?);
                continue;
            }
        };
        data_set.put(Element { tag: *tag, vr: attribute.vr, value });
    }
    Ok(data_set)
}

fn bytes(tag: Tag, attribute: &Attribute, content: &Content, charset: &Charset) -> Result<Vec<u8>, NotWritable> {
    match content {
        Content::Empty => Ok(Vec::new()),
        Content::Inline(bytes) => Ok(bytes.clone()),
        Content::Names(names) => {
            let names = names.iter().map(|name| match name {
                Some(name) => charset.encode_name(name).map_err(|_| NotWritable::Charset(tag)),
                None => Ok(Vec::new()),
            });
            joined(names)
        }
        Content::Text(texts) => joined(texts.iter().map(|text| encoded(tag, attribute.vr, text.as_deref(), charset)))
            .map(|bytes| if attribute.vr == VR::AT { without_delimiters(texts) } else { bytes }),
        Content::Numbers(numbers) => {
            let mut bytes = Vec::new();
            for number in numbers.iter().flatten() {
                bytes.extend(number_bytes(attribute.vr, *number).ok_or(NotWritable::Kind(tag))?);
            }
            Ok(bytes)
        }
        Content::Items(_) | Content::Elsewhere(_) => Err(NotWritable::Kind(tag)),
    }
}

fn encoded(tag: Tag, vr: VR, text: Option<&str>, charset: &Charset) -> Result<Vec<u8>, NotWritable> {
    let text = text.unwrap_or_default();
    match vr {
        VR::SH | VR::LO | VR::UC | VR::ST | VR::LT | VR::UT => {
            charset.encode(text).map_err(|_| NotWritable::Charset(tag))
        }
        VR::AT => parse_tag(text).map(|_| Vec::new()).ok_or(NotWritable::Kind(tag)),
        _ if text.is_ascii() => Ok(text.as_bytes().to_vec()),
        _ => Err(NotWritable::Charset(tag)),
    }
}

/// Attribute tags stand one after the other, without a delimiter between them.
fn without_delimiters(texts: &[Option<String>]) -> Vec<u8> {
    let tags = texts.iter().flatten().filter_map(|text| parse_tag(text));
    tags.flat_map(|tag| [tag.group().to_le_bytes(), tag.element().to_le_bytes()].concat()).collect()
}

fn joined(values: impl Iterator<Item = Result<Vec<u8>, NotWritable>>) -> Result<Vec<u8>, NotWritable> {
    Ok(values.collect::<Result<Vec<_>, _>>()?.join(&b'\\'))
}

fn number_bytes(vr: VR, number: Number) -> Option<Vec<u8>> {
    Some(match vr {
        VR::US => u16::try_from(number.whole()?).ok()?.to_le_bytes().to_vec(),
        VR::SS => i16::try_from(number.whole()?).ok()?.to_le_bytes().to_vec(),
        VR::UL => u32::try_from(number.whole()?).ok()?.to_le_bytes().to_vec(),
        VR::SL => i32::try_from(number.whole()?).ok()?.to_le_bytes().to_vec(),
        VR::UV => u64::try_from(number.whole()?).ok()?.to_le_bytes().to_vec(),
        VR::SV => i64::try_from(number.whole()?).ok()?.to_le_bytes().to_vec(),
        VR::FL => (number.real() as f32).to_le_bytes().to_vec(),
        VR::FD => number.real().to_le_bytes().to_vec(),
        _ => return None,
    })
}

impl Number {
    fn whole(self) -> Option<i128> {
        match self {
            Self::Signed(number) => Some(i128::from(number)),
            Self::Unsigned(number) => Some(i128::from(number)),
            Self::Single(_) | Self::Double(_) => None,
        }
    }

    fn real(self) -> f64 {
        match self {
            Self::Signed(number) => number as f64,
            Self::Unsigned(number) => number as f64,
            Self::Single(number) => f64::from(number),
            Self::Double(number) => number,
        }
    }
}
