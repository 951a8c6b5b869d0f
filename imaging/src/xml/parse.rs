//! Reading the Native DICOM Model.
//!
//! XML is read by quick-xml, which expands no entities but the five predefined ones. What it lets pass and XML does not
//! (a declaration in the middle, characters that XML has not) is refused here, and so is every document type.

mod private;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dicom_core::{Tag, VR};
use quick_xml::{
    Reader, XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesDecl, BytesRef, BytesStart, Event},
};

use self::private::DataSet;
use super::COMPONENTS;
use crate::{
    attributes::{Attribute, Attributes, Content, Number, parse_tag},
    dataset::{dictionary_vr, parse_vr},
    person_name::PersonName,
};

/// Sequences within sequences, as in a data set that is read.
const DEPTH: usize = 64;
/// Attributes, items and holes in all, as in a data set that is read. Values are bounded by the bytes that they take.
const ELEMENTS: usize = 500_000;
/// Attributes of one XML element: the model has four. Each is compared with all before it.
const XML_ATTRIBUTES: usize = 32;

/// Why a text is no instance of the Native DICOM Model. It names places, never values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// It is no well-formed XML.
    #[error("this is no XML: error near byte {at}")]
    NotXml {
        /// Bytes before the place.
        at: u64,
    },
    /// It is in another encoding.
    #[error("the XML must be in UTF-8")]
    Encoding,
    /// It has a document type, which could define entities.
    #[error("a document type (DOCTYPE) is not taken")]
    DocumentType,
    /// An XML element or text stands where the model has none.
    #[error("the Native DICOM Model has nothing like what stands before byte {at}")]
    NotNative {
        /// Bytes up to its end.
        at: u64,
    },
    /// The `tag` of a `DicomAttribute` is no tag.
    #[error("the tag of the DicomAttribute before byte {at} is not eight hexadecimal digits")]
    Tag {
        /// Bytes up to its end.
        at: u64,
    },
    /// A VR is none.
    #[error("{0} has no value representation of DICOM")]
    Vr(Tag),
    /// A value does not fit its VR, values have wrong numbers, or they are of several kinds.
    #[error("a value of {0} does not fit its value representation")]
    Value(Tag),
    /// An attribute comes twice.
    #[error("{0} comes twice")]
    Repeated(Tag),
    /// It has a Private Creator, and either is not private or there is no block left for it.
    #[error("{0} cannot have a Private Creator")]
    Private(Tag),
    /// Sequences within sequences beyond the limit.
    #[error("sequences are nested more than {DEPTH} deep")]
    TooDeep,
    /// More attributes, items and missing values than the limit.
    #[error("the document has more attributes than can be handled")]
    TooMuch,
}

/// Reads a document with one data set (PS3.19 §A.1.5). Text is kept to the last space, wherever `xml:space` stands.
///
/// A private attribute whose `privateCreator` is told gets the block of this creator, with the creator's own attribute
/// where that was left out (PS3.5 §7.8.1). Bulk data with a `uuid` is [`Content::Elsewhere`] as `urn:uuid:…`.
///
/// # Errors
/// It is no instance of the Native DICOM Model, or more of one than can be handled.
pub fn parse(bytes: &[u8]) -> Result<Attributes, XmlError> {
    let text = std::str::from_utf8(bytes).map_err(|_| XmlError::Encoding)?;
    if let Some(at) = text.find(|character| !is_xml(character)) {
        return Err(XmlError::NotXml { at: at as u64 });
    }
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    config.enable_all_checks(true);
    let mut parser = Parser { reader, begun: false, elements: ELEMENTS };
    let root = parser.child()?.ok_or_else(|| parser.not_native())?;
    parser.expect(&root, "NativeDicomModel")?;
    let attributes = parser.data_set(0)?;
    parser.end()?;
    Ok(attributes)
}

/// What XML 1.0 has as a character (§2.2 there).
fn is_xml(character: char) -> bool {
    !matches!(character, '\0'..='\x08' | '\x0B' | '\x0C' | '\x0E'..='\x1F' | '\u{FFFE}' | '\u{FFFF}')
}

/// What the model is made of.
enum Step<'a> {
    Open(BytesStart<'a>),
    Text(Cow<'a, str>),
    Close,
    End,
}

/// The attributes of a `DicomAttribute` element.
struct Head {
    tag: Tag,
    vr: Option<VR>,
    creator: Option<String>,
}

struct Parser<'a> {
    reader: Reader<&'a [u8]>,
    /// Whether anything came, so that no declaration can come any more.
    begun: bool,
    /// How many more attributes, items and holes may come.
    elements: usize,
}

// The document as a sequence of steps.
impl<'a> Parser<'a> {
    fn step(&mut self) -> Result<Step<'a>, XmlError> {
        loop {
            let event = self.reader.read_event().map_err(|_| self.not_xml())?;
            let first = !std::mem::replace(&mut self.begun, true);
            return Ok(match event {
                Event::Start(start) | Event::Empty(start) => Step::Open(start),
                Event::End(_) => Step::Close,
                // Line ends are one character, whoever wrote them (XML 1.0 §2.11).
                Event::Text(text) => Step::Text(text.xml10_content()),
                Event::CData(text) => Step::Text(text.xml10_content()),
                Event::GeneralRef(reference) => Step::Text(self.resolved(&reference)?),
                Event::Decl(declaration) if first => {
                    self.check_declaration(&declaration)?;
                    continue;
                }
                Event::Decl(_) => return Err(self.not_xml()),
                Event::Comment(_) | Event::PI(_) => continue,
                Event::DocType(_) => return Err(XmlError::DocumentType),
                Event::Eof => Step::End,
            });
        }
    }

    fn check_declaration(&self, declaration: &BytesDecl<'a>) -> Result<(), XmlError> {
        let version = declaration.version().map_err(|_| self.not_xml())?;
        if version != "1.0" {
            return Err(self.not_xml());
        }
        match declaration.encoding().transpose().map_err(|_| self.not_xml())? {
            Some(encoding) if !["utf-8", "us-ascii"].contains(&encoding.to_ascii_lowercase().as_str()) => {
                Err(XmlError::Encoding)
            }
            _ => Ok(()),
        }
    }

    /// A character by its number, or one of the five that have a name. There are no other entities without a document type.
    fn resolved(&self, reference: &BytesRef<'a>) -> Result<Cow<'a, str>, XmlError> {
        let character = reference.resolve_char_ref().map_err(|_| self.not_xml())?;
        match character {
            Some(character) if is_xml(character) => Ok(Cow::Owned(character.to_string())),
            Some(_) => Err(self.not_xml()),
            None => resolve_predefined_entity(reference).map(Cow::Borrowed).ok_or_else(|| self.not_xml()),
        }
    }

    /// The next element inside of this one; none at its end.
    fn child(&mut self) -> Result<Option<BytesStart<'a>>, XmlError> {
        loop {
            match self.step()? {
                Step::Open(start) => return Ok(Some(start)),
                Step::Close => return Ok(None),
                Step::Text(text) if is_white(&text) => {}
                Step::Text(_) => return Err(self.not_native()),
                Step::End => return Err(self.not_xml()),
            }
        }
    }

    /// The text of this element, which holds nothing else, to its end.
    fn text(&mut self) -> Result<String, XmlError> {
        let mut whole = String::new();
        loop {
            match self.step()? {
                Step::Text(text) => whole.push_str(&text),
                Step::Close => return Ok(whole),
                Step::Open(_) => return Err(self.not_native()),
                Step::End => return Err(self.not_xml()),
            }
        }
    }

    /// Nothing else comes in this element.
    fn close(&mut self) -> Result<(), XmlError> {
        match self.child()? {
            None => Ok(()),
            Some(_) => Err(self.not_native()),
        }
    }

    /// Nothing else comes at all.
    fn end(&mut self) -> Result<(), XmlError> {
        loop {
            match self.step()? {
                Step::End => return Ok(()),
                Step::Text(text) if is_white(&text) => {}
                Step::Text(_) | Step::Open(_) | Step::Close => return Err(self.not_xml()),
            }
        }
    }

    fn expect(&self, start: &BytesStart<'a>, name: &str) -> Result<(), XmlError> {
        if is_named(start, name) { Ok(()) } else { Err(self.not_native()) }
    }

    /// The values of an XML element's attributes with these names.
    fn xml_attributes<const N: usize>(
        &self,
        start: &BytesStart<'a>,
        names: [&str; N],
    ) -> Result<[Option<String>; N], XmlError> {
        let mut values = [const { None }; N];
        for (count, attribute) in start.attributes().enumerate() {
            let attribute = attribute.ok().filter(|_| count < XML_ATTRIBUTES).ok_or_else(|| self.not_xml())?;
            let Some(at) = names.iter().position(|name| *name == attribute.key.as_ref()) else { continue };
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| self.not_xml())?;
            if !value.chars().all(is_xml) {
                return Err(self.not_xml());
            }
            values[at] = Some(value.into_owned());
        }
        Ok(values)
    }

    fn not_xml(&self) -> XmlError {
        XmlError::NotXml { at: self.reader.error_position().max(self.reader.buffer_position()) }
    }

    fn not_native(&self) -> XmlError {
        XmlError::NotNative { at: self.reader.buffer_position() }
    }

    fn spend(&mut self, elements: usize) -> Result<(), XmlError> {
        self.elements = self.elements.checked_sub(elements).ok_or(XmlError::TooMuch)?;
        Ok(())
    }
}

// What the steps mean.
impl<'a> Parser<'a> {
    fn data_set(&mut self, depth: usize) -> Result<Attributes, XmlError> {
        let mut data_set = DataSet::default();
        while let Some(start) = self.child()? {
            self.expect(&start, "DicomAttribute")?;
            self.spend(1)?;
            let head = self.head(&start)?;
            let attribute = self.attribute(&head, depth)?;
            data_set.put(head.tag, head.creator, attribute)?;
        }
        data_set.settled()
    }

    fn head(&self, start: &BytesStart<'a>) -> Result<Head, XmlError> {
        let [tag, vr, creator] = self.xml_attributes(start, ["tag", "vr", "privateCreator"])?;
        let at = self.reader.buffer_position();
        let tag = tag.as_deref().and_then(parse_tag).ok_or(XmlError::Tag { at })?;
        let vr = vr.map(|vr| parse_vr(&vr).ok_or(XmlError::Vr(tag))).transpose()?;
        let creator = creator.map(|creator| creator.trim_matches(' ').to_owned()).filter(|creator| !creator.is_empty());
        Ok(Head { tag, vr, creator })
    }

    fn attribute(&mut self, head: &Head, depth: usize) -> Result<Attribute, XmlError> {
        let tag = head.tag;
        // Of a private attribute the dictionary knows nothing, and its low byte alone could be taken for a creator's.
        let by_dictionary = || if head.creator.is_some() { VR::UN } else { dictionary_vr(tag) };
        let vr = head.vr.unwrap_or_else(by_dictionary);
        let Some(first) = self.child()? else { return Ok(Attribute { vr, content: Content::Empty }) };
        let is_sequence = vr == VR::SQ || head.vr.is_none() && vr == VR::UN;
        let content = match first.local_name().as_ref() {
            "Item" if is_sequence => return self.sequence(first, tag, depth),
            "InlineBinary" if vr != VR::SQ => self.inline(tag)?,
            "BulkData" if vr != VR::SQ => self.elsewhere(&first, tag)?,
            "Value" | "PersonName" if vr == VR::PN => self.names(first, tag)?,
            "Value" => self.values(first, tag, vr)?,
            "Item" | "InlineBinary" | "BulkData" | "PersonName" => return Err(XmlError::Value(tag)),
            _ => return Err(self.not_native()),
        };
        Ok(Attribute { vr, content })
    }

    fn sequence(&mut self, first: BytesStart<'a>, tag: Tag, depth: usize) -> Result<Attribute, XmlError> {
        if depth == DEPTH {
            return Err(XmlError::TooDeep);
        }
        let items = self.each(first, tag, |parser, _| {
            parser.spend(1)?;
            parser.data_set(depth + 1).map(Some)
        })?;
        let items = items.into_iter().map(Option::unwrap_or_default).collect();
        Ok(Attribute { vr: VR::SQ, content: Content::Items(items) })
    }

    fn inline(&mut self, tag: Tag) -> Result<Content, XmlError> {
        let mut text = self.text()?;
        self.close()?;
        text.retain(|character| !character.is_ascii_whitespace());
        STANDARD.decode(text).map(Content::Inline).map_err(|_| XmlError::Value(tag))
    }

    fn elsewhere(&mut self, start: &BytesStart<'a>, tag: Tag) -> Result<Content, XmlError> {
        let uri = match self.xml_attributes(start, ["uri", "uuid"])? {
            [Some(uri), _] => uri,
            [None, Some(uuid)] => format!("urn:uuid:{uuid}"),
            [None, None] => return Err(XmlError::Value(tag)),
        };
        self.close()?;
        self.close()?;
        Ok(Content::Elsewhere(uri))
    }

    fn values(&mut self, first: BytesStart<'a>, tag: Tag, vr: VR) -> Result<Content, XmlError> {
        match vr {
            VR::FL | VR::FD | VR::SL | VR::SS | VR::SV | VR::UL | VR::US | VR::UV => {
                let numbers = self.each(first, tag, |parser, _| match parser.text()? {
                    text if is_white(&text) => Ok(None),
                    text => Number::parse(vr, &text).map(Some).ok_or(XmlError::Value(tag)),
                })?;
                Ok(present(numbers, Content::Numbers))
            }
            VR::OB | VR::OD | VR::OF | VR::OL | VR::OV | VR::OW | VR::UN | VR::SQ => Err(XmlError::Value(tag)),
            _ => {
                let texts =
                    self.each(first, tag, |parser, _| Ok(Some(parser.text()?).filter(|text| !text.is_empty())))?;
                Ok(present(texts, Content::Text))
            }
        }
    }

    fn names(&mut self, first: BytesStart<'a>, tag: Tag) -> Result<Content, XmlError> {
        let names = self.each(first, tag, |parser, start| {
            // Some senders write a name as they would write any other text.
            let name = if is_named(start, "Value") { PersonName::parse(&parser.text()?) } else { parser.name(tag)? };
            Ok(Some(name).filter(|name| !name.is_empty()))
        })?;
        Ok(present(names, Content::Names))
    }

    fn name(&mut self, tag: Tag) -> Result<PersonName, XmlError> {
        const GROUPS: [&str; 3] = ["Alphabetic", "Ideographic", "Phonetic"];
        let mut groups: [Option<String>; 3] = Default::default();
        while let Some(start) = self.child()? {
            let at = GROUPS.iter().position(|group| is_named(&start, group)).ok_or_else(|| self.not_native())?;
            let group = self.group(tag)?;
            if groups[at].replace(group).is_some() {
                return Err(XmlError::Value(tag));
            }
        }
        Ok(PersonName::parse(&groups.map(Option::unwrap_or_default).join("=")))
    }

    /// The components of a group, with a caret before each that is there and has one before it.
    fn group(&mut self, tag: Tag) -> Result<String, XmlError> {
        let mut components: [Option<String>; COMPONENTS.len()] = Default::default();
        while let Some(start) = self.child()? {
            let at = COMPONENTS.iter().position(|name| is_named(&start, name)).ok_or_else(|| self.not_native())?;
            let text = self.text()?;
            if text.contains('=') || components[at].replace(text).is_some() {
                return Err(XmlError::Value(tag));
            }
        }
        let count = components.iter().rposition(|text| text.as_ref().is_some_and(|text| !text.is_empty()));
        let components = components.into_iter().take(count.map_or(0, |last| last + 1));
        Ok(components.map(Option::unwrap_or_default).collect::<Vec<_>>().join("^"))
    }

    /// Elements of one name to the end of what holds them, each at the place that its number says.
    fn each<T>(
        &mut self,
        first: BytesStart<'a>,
        tag: Tag,
        read: impl Fn(&mut Self, &BytesStart<'a>) -> Result<Option<T>, XmlError>,
    ) -> Result<Vec<Option<T>>, XmlError> {
        let name = first.local_name().as_ref().to_owned();
        let mut values = Vec::new();
        let mut next = Some(first);
        while let Some(start) = next {
            if !is_named(&start, &name) {
                return Err(XmlError::Value(tag));
            }
            let [number] = self.xml_attributes(&start, ["number"])?;
            let number = number.map(|number| number.trim().parse::<usize>()).transpose();
            let place = number.map_err(|_| XmlError::Value(tag))?.unwrap_or(values.len() + 1);
            let holes = place.checked_sub(values.len() + 1).ok_or(XmlError::Value(tag))?;
            self.spend(holes)?;
            values.extend(std::iter::repeat_with(|| None).take(holes));
            values.push(read(self, &start)?);
            next = self.child()?;
        }
        Ok(values)
    }
}

fn is_named(start: &BytesStart<'_>, name: &str) -> bool {
    start.local_name().as_ref() == name
}

/// White space of XML (XML 1.0 §2.3), not of Unicode: a full-width space is text.
fn is_white(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

fn present<T>(values: Vec<Option<T>>, content: fn(Vec<Option<T>>) -> Content) -> Content {
    if values.iter().any(Option::is_some) { content(values) } else { Content::Empty }
}
