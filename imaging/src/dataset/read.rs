//! Reading a data set (PS3.5 §7.1, §7.5, §A.1 to §A.5).
//!
//! Strict where bytes would be lost or invented, lenient where real machines differ from the standard and the meaning is
//! plain: a transfer syntax that does not fit the first element, VRs that do not exist, `UN` that is a sequence,
//! elements out of order, odd lengths.

use std::io::ErrorKind;

use dicom_core::{Tag, VR};

use super::{
    Dataset, Element, Left, ReadError, Source, Span, Value, is_text,
    vr::{Context, has_long_length, swap, vr_in, word_size},
};
use crate::transfer_syntax::Encoding;

/// Bounds on what is kept of a data set in memory.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Sequences within sequences.
    pub depth: usize,
    /// Elements and items in all.
    pub elements: usize,
    /// Bytes of a text value that are kept; a longer one is left in the source.
    pub text: u32,
    /// Bytes of another value that are kept.
    pub binary: u32,
    /// Bytes kept in all.
    pub total: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 64, elements: 500_000, text: 64 * 1024, binary: 1024, total: 32 * 1024 * 1024 }
    }
}

const ITEM: Tag = Tag(0xFFFE, 0xE000);
const ITEM_END: Tag = Tag(0xFFFE, 0xE00D);
const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);
const PIXEL_DATA: Tag = Tag(0x7FE0, 0x0010);
const UNDEFINED: u32 = u32::MAX;

/// Reads a data set to its end.
///
/// # Errors
/// The bytes are no data set, or more of one than the limits allow.
pub fn read(source: &mut impl Source, encoding: Encoding, limits: &Limits) -> Result<Dataset, ReadError> {
    read_until(source, encoding, limits, |_| false)
}

/// Reads a data set up to the first element for which `stop` is true. That element's header is read and dropped.
///
/// # Errors
/// As [`read`].
pub fn read_until(
    source: &mut impl Source,
    encoding: Encoding,
    limits: &Limits,
    stop: impl Fn(Tag) -> bool,
) -> Result<Dataset, ReadError> {
    let form = Form { explicit: encoding != Encoding::ImplicitLittle, big: encoding == Encoding::ExplicitBig };
    let mut reader = Reader { source, limits, elements: limits.elements, bytes: limits.total };
    reader.root(form, &stop)
}

/// How elements are written here; inside a `UN` sequence it is implicit whatever holds it (PS3.5 §6.2.2 note 2).
#[derive(Debug, Clone, Copy)]
struct Form {
    explicit: bool,
    big: bool,
}

/// Where a data set or a sequence ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// At this position.
    At(u64),
    /// With the delimiter.
    Delimiter,
    /// With the source.
    Source,
}

struct Header {
    tag: Tag,
    vr: VR,
    length: u32,
    at: u64,
}

struct Reader<'a, S> {
    source: &'a mut S,
    limits: &'a Limits,
    /// How many more may come.
    elements: usize,
    /// How many more may be kept.
    bytes: usize,
}

impl<S: Source> Reader<'_, S> {
    fn root(&mut self, mut form: Form, stop: &impl Fn(Tag) -> bool) -> Result<Dataset, ReadError> {
        let mut elements = Vec::new();
        let mut context = Context::default();
        while self.goes_on(End::Source)? {
            let at = self.source.position();
            let first = self.first_half(at)?;
            // Padding behind the last element, of whole blocks in real files.
            if first == [0; 8] && !elements.is_empty() {
                break;
            }
            let is_delimiter = form.short([first[0], first[1]]) == ITEM.group();
            if elements.is_empty() && !is_delimiter {
                form.explicit = form.explicit && looks_explicit(first);
            }
            let header = self.header(first, form, context, at)?;
            if stop(header.tag) {
                break;
            }
            // A delimiter without anything to delimit is found in real files; it says nothing.
            if header.tag.group() == ITEM.group() {
                continue;
            }
            let element = self.element(&header, form, context, End::Source, 0)?;
            context.learn(&element);
            elements.push(element);
        }
        Ok(Dataset::from_unordered(elements))
    }

    fn item(&mut self, form: Form, mut context: Context, end: End, depth: usize) -> Result<Dataset, ReadError> {
        let mut elements = Vec::new();
        while self.goes_on(end)? {
            let at = self.source.position();
            let first = self.first_half(at)?;
            let header = self.header(first, form, context, at)?;
            if header.tag == ITEM_END && end == End::Delimiter {
                break;
            }
            let element = self.element(&header, form, context, end, depth)?;
            context.learn(&element);
            elements.push(element);
        }
        Ok(Dataset::from_unordered(elements))
    }

    fn goes_on(&mut self, end: End) -> Result<bool, ReadError> {
        Ok(match end {
            End::At(position) => self.source.position() < position,
            End::Delimiter => true,
            End::Source => {
                let at = self.source.position();
                !self.source.at_end().map_err(|error| cut_short(error, at, Tag(0, 0)))?
            }
        })
    }

    fn first_half(&mut self, at: u64) -> Result<[u8; 8], ReadError> {
        self.elements = self.elements.checked_sub(1).ok_or(ReadError::TooMuch)?;
        let mut first = [0; 8];
        self.source.fill(&mut first).map_err(|error| cut_short(error, at, Tag(0, 0)))?;
        Ok(first)
    }

    fn header(&mut self, first: [u8; 8], form: Form, context: Context, at: u64) -> Result<Header, ReadError> {
        let [t0, t1, t2, t3, v0, v1, l0, l1] = first;
        let tag = Tag(form.short([t0, t1]), form.short([t2, t3]));
        if !form.explicit || tag.group() == ITEM.group() {
            let length = form.long([v0, v1, l0, l1]);
            return Ok(Header { tag, vr: vr_in(tag, context), length, at });
        }
        // A VR that we do not know has a long length, as every VR to come will have (PS3.5 §7.1.2).
        let vr = VR::from_binary([v0, v1]);
        if vr.is_some_and(|vr| !has_long_length(vr)) {
            let length = u32::from(form.short([l0, l1]));
            return Ok(Header { tag, vr: vr.unwrap_or(VR::UN), length, at });
        }
        let mut length = [0; 4];
        self.source.fill(&mut length).map_err(|error| cut_short(error, at, tag))?;
        Ok(Header { tag, vr: vr.unwrap_or(VR::UN), length: form.long(length), at })
    }

    fn element(
        &mut self,
        header: &Header,
        form: Form,
        context: Context,
        end: End,
        depth: usize,
    ) -> Result<Element, ReadError> {
        let Header { tag, length, at, .. } = *header;
        let start = self.source.position();
        if let (End::At(end), false) = (end, length == UNDEFINED)
            && u64::from(length) > end.saturating_sub(start)
        {
            return Err(ReadError::Overlong { at, tag });
        }
        if length == UNDEFINED && tag == PIXEL_DATA {
            // Where the VR is not written it is OB (PS3.5 §A.4).
            let vr = if form.explicit { header.vr } else { VR::OB };
            return Ok(Element { tag, vr, value: Value::Fragments(self.fragments(form, tag)?) });
        }
        let sequence = match header.vr {
            VR::SQ => Some(form),
            // Implicit little endian inside (PS3.5 §6.2.2): whoever wrote it did not know the element.
            VR::UN if length == UNDEFINED => Some(Form { explicit: false, big: false }),
            _ => None,
        };
        if let Some(form) = sequence {
            let inner = if length == UNDEFINED { End::Delimiter } else { End::At(start + u64::from(length)) };
            let items = self.items(form, context, inner, depth + 1)?;
            return Ok(Element { tag, vr: VR::SQ, value: Value::Items(items) });
        }
        if length == UNDEFINED {
            return Err(ReadError::NoLength { at, tag });
        }
        Ok(Element { tag, vr: header.vr, value: self.value(header, form)? })
    }

    fn items(&mut self, form: Form, context: Context, end: End, depth: usize) -> Result<Vec<Dataset>, ReadError> {
        if depth > self.limits.depth {
            return Err(ReadError::TooDeep(self.limits.depth));
        }
        let mut items = Vec::new();
        while self.goes_on(end)? {
            let at = self.source.position();
            let first = self.first_half(at)?;
            let Header { tag, length, .. } = self.header(first, Form { explicit: false, ..form }, context, at)?;
            match tag {
                SEQUENCE_END if end == End::Delimiter => return Ok(items),
                // Left behind by writers that turned an undefined length into a defined one.
                SEQUENCE_END | ITEM_END if length == 0 => {}
                ITEM => {
                    let start = self.source.position();
                    let inner = if length == UNDEFINED { End::Delimiter } else { End::At(start + u64::from(length)) };
                    if let (End::At(inner), End::At(outer)) = (inner, end)
                        && inner > outer
                    {
                        return Err(ReadError::Overlong { at, tag });
                    }
                    items.push(self.item(form, context, inner, depth)?);
                }
                _ => return Err(ReadError::NotAnItem { at, tag }),
            }
        }
        Ok(items)
    }

    fn fragments(&mut self, form: Form, owner: Tag) -> Result<Vec<Span>, ReadError> {
        let mut fragments = Vec::new();
        loop {
            let at = self.source.position();
            let mut first = [0; 8];
            self.source.fill(&mut first).map_err(|error| cut_short(error, at, owner))?;
            let header = self.header(first, Form { explicit: false, ..form }, Context::default(), at)?;
            match header.tag {
                SEQUENCE_END => return Ok(fragments),
                ITEM if header.length != UNDEFINED => {
                    self.elements = self.elements.checked_sub(1).ok_or(ReadError::TooMuch)?;
                    let span = Span { offset: self.source.position(), length: u64::from(header.length) };
                    self.source.skip(span.length).map_err(|error| cut_short(error, at, owner))?;
                    fragments.push(span);
                }
                ITEM => return Err(ReadError::NoLength { at, tag: ITEM }),
                tag => return Err(ReadError::NotAnItem { at, tag }),
            }
        }
    }

    fn value(&mut self, header: &Header, form: Form) -> Result<Value, ReadError> {
        let Header { tag, vr, length, .. } = *header;
        let kept = if is_text(vr) { self.limits.text } else { self.limits.binary };
        let swapped = if form.big { word_size(vr) } else { 1 };
        let span = Span { offset: self.source.position(), length: u64::from(length) };
        if length > kept && may_be_left(vr) {
            self.source.skip(span.length).map_err(|error| cut_short(error, span.offset, tag))?;
            return Ok(Value::Left(Left { span, swapped }));
        }
        let bytes = usize::try_from(length).map_err(|_| ReadError::TooMuch)?;
        self.bytes = self.bytes.checked_sub(bytes).ok_or(ReadError::TooMuch)?;
        let mut value = self.take(bytes).map_err(|error| cut_short(error, span.offset, tag))?;
        swap(&mut value, swapped);
        Ok(Value::Bytes(value))
    }

    /// Reads in steps, so that a length which promises much costs no more memory than really comes.
    fn take(&mut self, bytes: usize) -> std::io::Result<Vec<u8>> {
        const STEP: usize = 64 * 1024;
        let mut value = Vec::new();
        while value.len() < bytes {
            let from = value.len();
            value.resize(bytes.min(from + STEP), 0);
            self.source.fill(&mut value[from..])?;
        }
        Ok(value)
    }
}

impl Context {
    /// Takes notice of an element on which the VR of later ones depends.
    fn learn(&mut self, element: &Element) {
        let Value::Bytes(bytes) = &element.value else { return };
        let first = bytes.first_chunk().map(|word| u16::from_le_bytes(*word));
        match (element.tag.group(), element.tag.element()) {
            // PixelRepresentation
            (0x0028, 0x0103) => self.signed_pixels = first == Some(1),
            // LUTDescriptor
            (0x0028, 0x3002) => self.one_entry_table = first == Some(1),
            _ => {}
        }
    }
}

impl Form {
    fn short(self, bytes: [u8; 2]) -> u16 {
        if self.big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    fn long(self, bytes: [u8; 4]) -> u32 {
        if self.big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }
}

/// Two capital letters after the tag are a VR. Files whose elements have none although their transfer syntax promises
/// it are read as they are.
fn looks_explicit(first: [u8; 8]) -> bool {
    first[4].is_ascii_uppercase() && first[5].is_ascii_uppercase()
}

/// The VRs whose values may be replaced by a reference in DICOM JSON (PS3.18 §10.4.3.3.2).
fn may_be_left(vr: VR) -> bool {
    !matches!(
        vr,
        VR::AE
            | VR::AS
            | VR::AT
            | VR::CS
            | VR::DA
            | VR::DT
            | VR::LO
            | VR::PN
            | VR::SH
            | VR::SQ
            | VR::TM
            | VR::UI
            | VR::UR
    )
}

fn cut_short(error: std::io::Error, at: u64, tag: Tag) -> ReadError {
    match error.kind() {
        ErrorKind::UnexpectedEof => ReadError::Truncated { at, tag },
        ErrorKind::FileTooLarge => ReadError::TooMuch,
        ErrorKind::InvalidData | ErrorKind::InvalidInput => ReadError::Deflate,
        _ => ReadError::Io(error),
    }
}
