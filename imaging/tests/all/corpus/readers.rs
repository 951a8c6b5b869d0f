//! Every reader of untrusted bytes that the crate has, and what it says about them.

use std::io::Cursor;

use bytes::Bytes;
use medvan_imaging::{
    AeTitle, TransferSyntax, Uid,
    accept::{Acceptable, Offer},
    attributes::{self, AttributePath, Attributes},
    charset::Charset,
    dataset::{self, Dataset, Inflated, Limits, Seekable},
    dimse::{Command, Commitment, Message, Root, Selection},
    file,
    frames::{self, FrameList},
    json,
    multipart::{self, Boundary, ContentType, Event},
    person_name::{Pattern, PersonName},
    query::{Extended, Level, Query},
    rendering::{RenderedQuery, WadoUriQuery},
    report::{self, Language},
    transfer_syntax::Encoding,
    xml,
};

/// Reads bytes and says what came of it: `taken: …` or `refused: …`.
pub(super) type Reader = fn(&[u8]) -> String;

/// The readers that have files of their own, by the folder of these.
pub(super) const READERS: &[(&str, Reader)] = &[
    ("accept", accept),
    ("command", command),
    ("content-type", content_type),
    ("data-set", explicit),
    ("file", whole_file),
    ("json", json_text),
    ("multipart", multipart_body),
    ("query", query),
    ("text", text),
    ("xml", xml_text),
];

/// The rest: whatever they say, they end.
pub(super) const OTHERS: &[Reader] = &[implicit, big_endian, inflated, words];

fn said<T, E: std::fmt::Display>(result: Result<T, E>, taken: impl FnOnce(T) -> String) -> String {
    match result {
        Ok(value) => format!("taken: {}", taken(value)),
        Err(error) => format!("refused: {error}"),
    }
}

fn whole_file(bytes: &[u8]) -> String {
    let read = file::read_file(Seekable::new(Cursor::new(bytes)).unwrap(), &Limits::default());
    said(read, |file| {
        use_data_set(&file.data_set, &file.head.syntax);
        format!("{} as {}", meaning(&file.data_set), file.head.syntax.uid())
    })
}

fn explicit(bytes: &[u8]) -> String {
    data_set(bytes, Encoding::ExplicitLittle)
}

fn implicit(bytes: &[u8]) -> String {
    data_set(bytes, Encoding::ImplicitLittle)
}

fn big_endian(bytes: &[u8]) -> String {
    data_set(bytes, Encoding::ExplicitBig)
}

fn data_set(bytes: &[u8], encoding: Encoding) -> String {
    let read = dataset::read(&mut Seekable::new(Cursor::new(bytes)).unwrap(), encoding, &Limits::default());
    said(read, |data_set| {
        use_data_set(&data_set, &TransferSyntax::explicit_little());
        meaning(&data_set)
    })
}

fn inflated(bytes: &[u8]) -> String {
    let read = dataset::read(&mut Inflated::new(bytes, 1 << 20), Encoding::ExplicitLittle, &Limits::default());
    said(read, |data_set| meaning(&data_set))
}

/// As JSON, after everything else that can be done with attributes was done with them.
fn meaning(data_set: &Dataset) -> String {
    let attributes = attributes::read(data_set, &|path: &AttributePath| Some(format!("bulk/{path}")));
    // What is sent as XML can be stored as XML.
    if let Err(error) = xml::parse(&xml::write(&attributes)) {
        panic!("XML of our own is refused: {error}");
    }
    let _ = attributes::write(&attributes, &mut |_| None);
    of(&attributes)
}

fn of(attributes: &Attributes) -> String {
    for shown in [report::html(attributes, Language::English), report::text(attributes, Language::Japanese)] {
        assert!(shown.len() < 16 << 20, "{} bytes are shown", shown.len());
    }
    let _ = Query::from_identifier(Level::Instance, attributes, Extended::default());
    let _ = xml::write(attributes);
    serde_json::to_string(attributes).unwrap()
}

/// What the rest of the crate does with a data set.
fn use_data_set(data_set: &Dataset, syntax: &TransferSyntax) {
    let _ = dataset::write(data_set, true);
    let _ = dataset::write(data_set, false);
    let _ = Commitment::read(data_set);
    let _ = Selection::read(data_set, Root::Patient, true);
    let _ = Selection::read(data_set, Root::Study, false);
    let located = frames::locate(data_set, syntax, |span| Ok(vec![0; span.length.min(4096) as usize]));
    if let Ok(frames) = located {
        let _ = frames.frame(1);
        let _ = frames.frame(frames.count());
    }
}

fn json_text(bytes: &[u8]) -> String {
    said(json::parse_many(bytes), |many| {
        let many: Vec<String> = many.iter().map(of).collect();
        many.join(" ")
    })
}

fn xml_text(bytes: &[u8]) -> String {
    said(xml::parse(bytes), |attributes| of(&attributes))
}

/// The first line is the Specific Character Set, the rest a value.
fn text(bytes: &[u8]) -> String {
    let at = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (term, value) = bytes.split_at(at);
    let value = value.strip_prefix(b"\n").unwrap_or(value);
    let charset = Charset::parse(term);
    let _ = charset.decode(value);
    for name in charset.decode_names(value) {
        let _ = (charset.encode_name(&name), name.search_keys());
    }
    let values = charset.decode_values(value);
    let _ = charset.encode_values(&values);
    format!("taken: {}", serde_json::to_string(&values).unwrap())
}

/// A body whose boundary is `b`, in one piece and in small ones.
fn multipart_body(bytes: &[u8]) -> String {
    let whole = parts([bytes]);
    // Piece by piece it is the same.
    let small = if bytes.len() < 1 << 15 { 1 } else { 1021 };
    for size in [small, 1024] {
        assert_eq!(parts(bytes.chunks(size)), whole, "in pieces of {size}");
    }
    whole
}

fn parts<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut reader = multipart::Reader::new(&Boundary::parse("b").unwrap(), multipart::Limits::default());
    let mut lengths: Vec<usize> = Vec::new();
    for chunk in chunks {
        reader.push(Bytes::copy_from_slice(chunk));
        loop {
            match reader.next() {
                Ok(Event::Part(_)) => lengths.push(0),
                Ok(Event::Data(data)) => *lengths.last_mut().expect("payload comes in a part") += data.len(),
                Ok(Event::PartEnd) => {}
                Ok(Event::More | Event::End) | Err(_) => break,
            }
        }
    }
    said(reader.finish(), |()| format!("parts of {lengths:?} bytes"))
}

fn content_type(bytes: &[u8]) -> String {
    said(ContentType::parse(&String::from_utf8_lossy(bytes)), |read| {
        let boundary = match read.boundary() {
            Ok(boundary) => format!("with boundary {boundary}"),
            Err(error) => format!("without one: {error}"),
        };
        let _ = (read.root_type(), read.transfer_syntax(), read.to_string());
        format!("{} {boundary}", read.media())
    })
}

/// An Accept header for one frame that is held in JPEG 2000.
fn accept(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let _ = Acceptable::parse([], Some(&text), Some(&text));
    said(Acceptable::parse([text.as_ref()], None, None), |acceptable| {
        let held = [Uid::known("1.2.840.10008.1.2.4.90"), Uid::known("1.2.840.10008.1.2.1")].map(TransferSyntax::of);
        let [jpeg_2000, plain] = held.clone();
        let offers = [
            Offer::related("application/octet-stream").in_syntaxes([plain]).as_default(),
            Offer::related("image/jp2").in_syntaxes([jpeg_2000]),
        ];
        let _ = acceptable.dicom_syntax(&held[0], &held);
        acceptable
            .choose(&offers)
            .map_or_else(|| "nothing (406)".to_owned(), |choice| offers[choice.offer].media.to_owned())
    })
}

/// A query string for studies, without percent-encoding.
fn query(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let pairs =
        || text.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let _ = (RenderedQuery::from_parameters(pairs()), WadoUriQuery::from_parameters(pairs()));
    said(Query::from_parameters(Level::Study, pairs()), |(query, warnings)| {
        let mut study = Attributes::new();
        study.put_text(medvan_imaging::Tag(0x0010, 0x0010), "a".repeat(64));
        let _ = query.matches(&study);
        format!("{} keys, {} warnings", query.keys().len(), warnings.len())
    })
}

fn command(bytes: &[u8]) -> String {
    said(Message::read(bytes), |message| {
        let _ = message.write();
        match &message.command {
            Command::Request(request) => request.operation.field().word().to_owned(),
            Command::Response(response) => format!("answer to {}", response.field.word()),
            Command::Cancel { .. } => "cancel".to_owned(),
            Command::Mistyped { field, tag, .. } => format!("{} without {tag}", field.word()),
        }
    })
}

/// What is read from single words.
fn words(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let _ = (Uid::parse(&text), AeTitle::parse(&text), FrameList::parse(&text), text.parse::<AttributePath>());
    let name = PersonName::parse(&text);
    let _ = name.search_keys();
    if let Ok(pattern) = Pattern::parse(&text) {
        let _ = (pattern.keys(), pattern.fuzzy_keys(), name.matches(&pattern), name.fuzzy_matches(&pattern));
    }
    String::new()
}
