//! A DICOM file's head: preamble, prefix and file meta information (PS3.10 §7.1).

use std::io::{BufRead, ErrorKind, Seek};

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use crate::{
    TransferSyntax, Uid,
    dataset::{Dataset, Inflated, Limits, Piece, ReadError, Seekable, Source, Value, read, read_until, write},
    transfer_syntax::{EXPLICIT_LITTLE, Encoding, IMPLICIT_LITTLE},
};

/// What stands before the data set.
#[derive(Debug, Clone)]
pub struct Head {
    /// Group 0002.
    pub meta: Dataset,
    /// How the data set is written.
    pub syntax: TransferSyntax,
    /// Bytes of the file before the data set.
    pub data_set_at: u64,
}

/// A file: its head and its data set with long values left in place. [`crate::dataset::Span`]s count from the beginning of
/// the file. Of a deflated one nothing is left in place.
#[derive(Debug, Clone)]
pub struct File {
    /// What stands before the data set.
    pub head: Head,
    /// The data set.
    pub data_set: Dataset,
}

/// Bytes that a deflated data set may inflate to, and that its values may have. Larger ones are refused: deflate is for
/// structured reports and presentation states, and it is what bombs are made of.
const INFLATED: u64 = 64 << 20;
const INFLATED_VALUES: usize = 64 << 20;

/// Reads a file's head and data set.
///
/// # Errors
/// It is no DICOM file, it is broken, or it is more than the limits allow.
pub fn read_file<R: BufRead + Seek>(source: Seekable<R>, limits: &Limits) -> Result<File, ReadError> {
    read_file_until(source, limits, |_| false)
}

/// The same up to the first element for which `stop` is true.
///
/// # Errors
/// As [`read_file`].
pub fn read_file_until<R: BufRead + Seek>(
    mut source: Seekable<R>,
    limits: &Limits,
    stop: impl Fn(Tag) -> bool,
) -> Result<File, ReadError> {
    let head = read_head(&mut source, limits)?;
    read_behind(head, source, limits, stop)
}

/// The same of a source that stands behind the head. A deflated data set takes memory for all that it inflates to: whoever reads
/// several at once should look at the head's [`TransferSyntax::encoding`] first.
///
/// # Errors
/// As [`read_file`].
pub fn read_behind<R: BufRead + Seek>(
    head: Head,
    mut source: Seekable<R>,
    limits: &Limits,
    stop: impl Fn(Tag) -> bool,
) -> Result<File, ReadError> {
    let data_set = if head.syntax.encoding == Encoding::Deflated {
        let (rest, length) = source.into_rest();
        let mut inflated = Inflated::new(std::io::Read::take(rest, length), INFLATED);
        // Nothing can be left in place: nobody could go there again without inflating all before it.
        let whole = Limits { text: u32::MAX, binary: u32::MAX, total: INFLATED_VALUES, ..*limits };
        let data_set = read_until(&mut inflated, Encoding::ExplicitLittle, &whole, stop)?;
        // Its pixels are native (PS3.5 §A.5). Fragments would be found again only by inflating all before them.
        if let Some(tag) = fragments(&data_set) {
            return Err(ReadError::NoLength { at: head.data_set_at, tag });
        }
        data_set
    } else {
        read_until(&mut source, head.syntax.encoding, limits, stop)?
    };
    Ok(File { head, data_set })
}

/// Reads preamble, prefix and group 0002; the source then stands at the data set.
///
/// # Errors
/// As [`read_file`].
pub fn read_head<R: BufRead + Seek>(source: &mut Seekable<R>, limits: &Limits) -> Result<Head, ReadError> {
    let mut preamble = [0; 132];
    source.fill(&mut preamble).map_err(no_dicom)?;
    if &preamble[128..] != b"DICM" {
        return Err(ReadError::NotDicom);
    }
    if let Some(kind) = polyglot(&preamble[..128]) {
        return Err(ReadError::Polyglot(kind));
    }
    let meta = read_meta(source, limits)?;
    let syntax = match meta.uid(tags::TRANSFER_SYNTAX_UID) {
        Some(uid) => TransferSyntax::of(uid),
        None => guess(source)?,
    };
    Ok(Head { meta, syntax, data_set_at: source.position() })
}

/// The first element whose value is fragments, at any depth.
fn fragments(data_set: &Dataset) -> Option<Tag> {
    data_set.iter().find_map(|element| match &element.value {
        Value::Fragments(_) => Some(element.tag),
        Value::Items(items) => items.iter().find_map(fragments),
        Value::Bytes(_) | Value::Left(_) => None,
    })
}

/// What ends too early is none; a disk that gives nothing says nothing about it.
fn no_dicom(error: std::io::Error) -> ReadError {
    match error.kind() {
        ErrorKind::UnexpectedEof => ReadError::NotDicom,
        _ => ReadError::Io(error),
    }
}

/// The head that a file with this transfer syntax begins with.
pub fn head(class: &Uid, instance: &Uid, syntax: &TransferSyntax) -> Vec<u8> {
    use dicom_core::VR;
    let mut meta = Dataset::new();
    meta.put_bytes(tags::FILE_META_INFORMATION_VERSION, VR::OB, [0, 1]);
    meta.put_bytes(tags::MEDIA_STORAGE_SOP_CLASS_UID, VR::UI, class.as_str());
    meta.put_bytes(tags::MEDIA_STORAGE_SOP_INSTANCE_UID, VR::UI, instance.as_str());
    meta.put_bytes(tags::TRANSFER_SYNTAX_UID, VR::UI, syntax.uid().as_str());
    meta.put_bytes(tags::IMPLEMENTATION_CLASS_UID, VR::UI, IMPLEMENTATION_CLASS);
    meta.put_bytes(tags::IMPLEMENTATION_VERSION_NAME, VR::SH, IMPLEMENTATION_VERSION);
    let group: Vec<u8> = write(&meta, true)
        .into_iter()
        .flat_map(|piece| match piece {
            Piece::Bytes(bytes) => bytes,
            Piece::Copy { .. } => Vec::new(),
        })
        .collect();
    let mut file = vec![0; 128];
    file.extend_from_slice(b"DICM");
    file.extend_from_slice(&[2, 0, 0, 0, b'U', b'L', 4, 0]);
    file.extend_from_slice(&u32::try_from(group.len()).unwrap_or(0).to_le_bytes());
    file.extend_from_slice(&group);
    file
}

/// Names the software that wrote a file (PS3.7 §D.3.3.2). A UUID-derived UID (PS3.5 §B.2), so that no registration is needed.
pub const IMPLEMENTATION_CLASS: &str = "2.25.236174418206458207213377861938410421057";
/// Its version, 16 characters at most.
pub const IMPLEMENTATION_VERSION: &str = "MEDVAN_1";

/// Group 0002 is always Explicit VR Little Endian. Its stated length is not believed: it is often wrong.
fn read_meta<R: BufRead + Seek>(source: &mut Seekable<R>, limits: &Limits) -> Result<Dataset, ReadError> {
    /// Bytes of the values of a whole group 0002.
    const MOST: u64 = 64 * 1024;
    let mut meta = Dataset::new();
    let (begin, mut last) = (source.position(), Tag(0, 0));
    loop {
        let mut tag = [0; 4];
        if source.at_end()? {
            return Ok(meta);
        }
        source.fill(&mut tag).map_err(no_dicom)?;
        source.back(4)?;
        let here = Tag(2, u16::from_le_bytes([tag[2], tag[3]]));
        // A second group 0002 behind the first is the data set's own, and says nothing about how that is written.
        if tag[..2] != [2, 0] || here <= last {
            return Ok(meta);
        }
        if source.position() - begin > MOST {
            return Err(ReadError::TooMuch);
        }
        last = here;
        let one = Limits { elements: 2, total: MOST as usize, ..*limits };
        for element in &read(&mut OneElement { source, done: false }, Encoding::ExplicitLittle, &one)? {
            meta.put(element.clone());
        }
    }
}

/// Lets a reader see one element and then the end.
struct OneElement<'a, R> {
    source: &'a mut Seekable<R>,
    done: bool,
}

impl<R: BufRead + Seek> Source for OneElement<'_, R> {
    fn position(&self) -> u64 {
        self.source.position()
    }
    fn fill(&mut self, buffer: &mut [u8]) -> std::io::Result<()> {
        self.done = true;
        self.source.fill(buffer)
    }
    fn skip(&mut self, bytes: u64) -> std::io::Result<()> {
        self.source.skip(bytes)
    }
    fn at_end(&mut self) -> std::io::Result<bool> {
        Ok(self.done)
    }
}

/// Two capital letters where a VR would be make it explicit; the others are the default of DICOM.
fn guess<R: BufRead + Seek>(source: &mut Seekable<R>) -> Result<TransferSyntax, ReadError> {
    let mut first = [0; 6];
    source.fill(&mut first).map_err(no_dicom)?;
    source.back(6)?;
    let explicit = first[4].is_ascii_uppercase() && first[5].is_ascii_uppercase();
    Ok(TransferSyntax::of(Uid::known(if explicit { EXPLICIT_LITTLE } else { IMPLICIT_LITTLE })))
}

/// What other readers would take the file for. A TIFF preamble is allowed: whole-slide images use it (PS3.10 §7.1).
fn polyglot(preamble: &[u8]) -> Option<&'static str> {
    const SIGNATURES: &[(&[u8], &str)] = &[
        (b"MZ", "Windows program"),
        (b"\x7fELF", "Linux program"),
        (b"\xCF\xFA\xED\xFE", "macOS program"),
        (b"\xCE\xFA\xED\xFE", "macOS program"),
        (b"\xFE\xED\xFA\xCE", "macOS program"),
        (b"\xFE\xED\xFA\xCF", "macOS program"),
        (b"\xCA\xFE\xBA\xBE", "Java or macOS program"),
        (b"#!", "script"),
        (b"PK\x03\x04", "ZIP archive"),
        (b"PK\x05\x06", "ZIP archive"),
        (b"7z\xBC\xAF\x27\x1C", "7z archive"),
        (b"Rar!", "RAR archive"),
        (b"MSCF", "CAB archive"),
        (b"\x1F\x8B", "gzip archive"),
        (b"\xFD7zXZ", "xz archive"),
        (b"\x28\xB5\x2F\xFD", "zstd archive"),
    ];
    let named = SIGNATURES.iter().find(|(signature, _)| preamble.starts_with(signature)).map(|(_, kind)| *kind);
    let text = preamble.trim_ascii_start();
    // Readers of PDF look for its beginning in the first kilobyte.
    let is_pdf = || preamble.windows(5).any(|bytes| bytes == b"%PDF-");
    named.or_else(|| text.starts_with(b"<").then_some("web page")).or_else(|| is_pdf().then_some("PDF"))
}
