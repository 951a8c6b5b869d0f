//! The Native DICOM Model: attributes as XML (PS3.19 §A.1; media type `application/dicom+xml` of PS3.18).

mod parse;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dicom_core::{
    Tag,
    dictionary::{DataDictionary as _, DataDictionaryEntry},
};
use dicom_dictionary_std::StandardDataDictionary;

pub use parse::{XmlError, parse};

use crate::{
    attributes::{Attribute, Attributes, Content, Number},
    person_name::PersonName,
};

/// Writes a document with one data set, in UTF-8. Specific Character Set (0008,0005) in it is that of the source, as in JSON.
pub fn write(attributes: &Attributes) -> Vec<u8> {
    let mut writer = Writer { out: String::with_capacity(HEAD.len() + 128 * attributes.len()) };
    writer.out.push_str(HEAD);
    writer.data_set(attributes);
    writer.out.push_str("</NativeDicomModel>");
    writer.out.into_bytes()
}

const HEAD: &str = concat!(
    r#"<?xml version="1.0" encoding="UTF-8"?>"#,
    r#"<NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM" xml:space="preserve">"#,
);

/// The five components of a name group, in their order (PS3.5 §6.2.1.1).
const COMPONENTS: [&str; 5] = ["FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix"];

struct Writer {
    out: String,
}

impl Writer {
    fn data_set(&mut self, attributes: &Attributes) {
        for (tag, attribute) in attributes {
            self.attribute(*tag, attribute, attributes);
        }
    }

    fn attribute(&mut self, tag: Tag, attribute: &Attribute, holder: &Attributes) {
        let creator = private_creator(tag, holder);
        // The block of a private element says nothing without its creator: it is left out where that is told (table A.1.5-2).
        let element = if creator.is_some() { tag.element() & 0xFF } else { tag.element() };
        self.put(format_args!(r#"<DicomAttribute tag="{:04X}{element:04X}" vr="{}""#, tag.group(), attribute.vr));
        if let Some(keyword) = keyword(tag) {
            self.put(format_args!(r#" keyword="{keyword}""#));
        }
        if let Some(creator) = creator {
            self.out.push_str(r#" privateCreator=""#);
            self.escaped(&creator);
            self.out.push('"');
        }
        let open = self.out.len();
        self.out.push('>');
        self.content(&attribute.content);
        if self.out.len() == open + 1 {
            self.out.truncate(open);
            self.out.push_str("/>");
        } else {
            self.out.push_str("</DicomAttribute>");
        }
    }

    fn content(&mut self, content: &Content) {
        match content {
            Content::Empty => {}
            Content::Text(texts) => self.each("Value", texts, |writer, text| writer.escaped(text)),
            Content::Numbers(numbers) => self.each("Value", numbers, |writer, number| writer.number(*number)),
            Content::Names(names) => self.each("PersonName", names, Self::name),
            Content::Items(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.numbered("Item", at, (!item.is_empty()).then_some(item), Self::data_set);
                }
            }
            Content::Inline(bytes) => {
                self.out.push_str("<InlineBinary>");
                STANDARD.encode_string(bytes, &mut self.out);
                self.out.push_str("</InlineBinary>");
            }
            Content::Elsewhere(uri) => {
                self.out.push_str(r#"<BulkData uri=""#);
                self.escaped(uri);
                self.out.push_str(r#""/>"#);
            }
        }
    }

    /// Values with their holes, which keep their numbers.
    fn each<T>(&mut self, element: &str, values: &[Option<T>], write: impl Fn(&mut Self, &T)) {
        for (at, value) in values.iter().enumerate() {
            self.numbered(element, at, value.as_ref(), &write);
        }
    }

    fn numbered<T>(&mut self, element: &str, at: usize, value: Option<&T>, write: impl Fn(&mut Self, &T)) {
        let number = at + 1;
        match value {
            None => self.put(format_args!(r#"<{element} number="{number}"/>"#)),
            Some(value) => {
                self.put(format_args!(r#"<{element} number="{number}">"#));
                write(self, value);
                self.put(format_args!("</{element}>"));
            }
        }
    }

    fn name(&mut self, name: &PersonName) {
        let groups =
            [("Alphabetic", &name.alphabetic), ("Ideographic", &name.ideographic), ("Phonetic", &name.phonetic)];
        for (element, group) in groups {
            let Some(group) = group.as_deref().filter(|group| !group.is_empty()) else { continue };
            self.put(format_args!("<{element}>"));
            // Whatever comes after the fifth caret has no place of its own.
            for (component, text) in COMPONENTS.iter().zip(group.splitn(COMPONENTS.len(), '^')) {
                if !text.is_empty() {
                    self.put(format_args!("<{component}>"));
                    self.escaped(text);
                    self.put(format_args!("</{component}>"));
                }
            }
            self.put(format_args!("</{element}>"));
        }
    }

    /// As XML Schema writes what JSON cannot.
    fn number(&mut self, number: Number) {
        let real = match number {
            Number::Single(single) => f64::from(single),
            Number::Double(double) => double,
            Number::Signed(_) | Number::Unsigned(_) => 0.0,
        };
        match real {
            f64::INFINITY => self.out.push_str("INF"),
            f64::NEG_INFINITY => self.out.push_str("-INF"),
            _ => self.put(format_args!("{number}")),
        }
    }

    /// Text, fit for content and for attributes. Characters that XML 1.0 has no way to write (§2.2 there) become U+FFFD.
    fn escaped(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '"' => self.out.push_str("&quot;"),
                // A reader would turn them into other white space.
                '\t' | '\n' | '\r' => self.put(format_args!("&#{};", u32::from(character))),
                '\0'..='\x1F' | '\u{FFFE}' | '\u{FFFF}' => self.out.push('\u{FFFD}'),
                other => self.out.push(other),
            }
        }
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        self.out.write_fmt(text).expect("a String takes every text");
    }
}

/// The creator that holds a private element's block, in the same data set or item (PS3.5 §7.8.1).
fn private_creator(tag: Tag, holder: &Attributes) -> Option<String> {
    let block = tag.element() >> 8;
    let private = tag.group() % 2 == 1 && (0x10..=0xFF).contains(&block);
    holder.text(Tag(tag.group(), block)).filter(|_| private)
}

fn keyword(tag: Tag) -> Option<&'static str> {
    let listed = StandardDataDictionary.by_tag(tag).filter(|_| tag.group().is_multiple_of(2))?;
    Some(listed.alias())
}
