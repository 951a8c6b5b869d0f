//! Bodies of real senders, bodies of bad ones, and what holds for all of them.

use bytes::Bytes;
use proptest::prelude::*;

use super::{
    Boundary, BoundaryError, ContentType, ContentTypeError, Event, HeadFlaw, Limits, MultipartError, PartHead, Reader,
    Writer,
};

/// What a reader made of a body.
#[derive(Debug, Default, PartialEq)]
struct Reading {
    parts: Vec<Part>,
    end: Option<MultipartError>,
}

#[derive(Debug, PartialEq)]
struct Part {
    head: PartHead,
    payload: Vec<u8>,
    complete: bool,
}

fn boundary(text: &str) -> Boundary {
    Boundary::parse(text).unwrap()
}

/// Reads a body that comes in these chunks; checks on the way that little is kept.
fn read_with<'a>(limits: Limits, boundary: &Boundary, chunks: impl IntoIterator<Item = &'a [u8]>) -> Reading {
    let mut reader = Reader::new(boundary, limits);
    let mut reading = Reading::default();
    for chunk in chunks {
        reader.push(Bytes::copy_from_slice(chunk));
        loop {
            match reader.next() {
                Ok(Event::Part(head)) => reading.parts.push(Part { head, payload: Vec::new(), complete: false }),
                Ok(Event::Data(data)) => {
                    assert!(!data.is_empty(), "a piece of payload is never empty");
                    reading.parts.last_mut().expect("payload comes in a part").payload.extend_from_slice(&data);
                }
                Ok(Event::PartEnd) => reading.parts.last_mut().expect("a part began").complete = true,
                Ok(Event::More | Event::End) => break,
                Err(error) => {
                    assert_eq!(reader.finish(), Err(error), "an error stays");
                    return Reading { end: Some(error), ..reading };
                }
            }
        }
        let most = limits.head_bytes + 2 + boundary.as_str().len() + 4 + 66;
        assert!(reader.kept() <= most, "{} bytes kept, at most {most}", reader.kept());
    }
    reading.end = reader.finish().err();
    reading
}

fn read(boundary: &Boundary, body: &[u8]) -> Reading {
    read_with(Limits::default(), boundary, [body])
}

/// The payloads of a body that is complete, read whole and byte by byte.
fn payloads(boundary: &Boundary, body: &[u8]) -> Vec<Vec<u8>> {
    let reading = read(boundary, body);
    assert_eq!(reading, read_with(Limits::default(), boundary, body.chunks(1)));
    assert_eq!(reading.end, None, "{}", body.escape_ascii());
    assert!(reading.parts.iter().all(|part| part.complete));
    reading.parts.into_iter().map(|part| part.payload).collect()
}

#[test]
fn bodies_of_real_senders_are_read() {
    for (sender, content_type, body) in [
        (
            "dicomweb-client in Python: CRLF first, nothing after the end",
            r#"multipart/related; type="application/dicom"; boundary="0f3cf5c0-70e0-41ef-baef-c6f9f65ec3e1""#,
            "\r\n--0f3cf5c0-70e0-41ef-baef-c6f9f65ec3e1\r\nContent-Type: application/dicom\r\n\r\nDICM\r\n--0f3cf5c0-70e0-41ef-baef-c6f9f65ec3e1--",
        ),
        (
            "dicomweb-client in JavaScript before 2020: no quotes",
            "multipart/related; type=application/dicom; boundary=2afeebaf-038d-792a-f952-d8e249ba8e96",
            "\r\n--2afeebaf-038d-792a-f952-d8e249ba8e96\r\nContent-Type: application/dicom\r\n\r\nDICM\r\n--2afeebaf-038d-792a-f952-d8e249ba8e96--",
        ),
        (
            "Orthanc: lengths and MIME-Version",
            "multipart/related; type=application/dicom; boundary=8b7e1c2d-97d1-4e6f-b0f3-5a2f7c9e1d34-1b2c",
            "--8b7e1c2d-97d1-4e6f-b0f3-5a2f7c9e1d34-1b2c\r\nContent-Type: application/dicom\r\nContent-Length: 4\r\nMIME-Version: 1.0\r\n\r\nDICM\r\n--8b7e1c2d-97d1-4e6f-b0f3-5a2f7c9e1d34-1b2c--\r\n",
        ),
        (
            "dcm4che's stowrs",
            r#"multipart/related; type="application/dicom"; boundary=myboundary"#,
            "\r\n--myboundary\r\nContent-Type: application/dicom\r\n\r\nDICM\r\n--myboundary--",
        ),
        (
            "curl --form",
            "multipart/related; boundary=------------------------d74496d66958873e",
            "--------------------------d74496d66958873e\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.dcm\"\r\nContent-Type: application/dicom\r\n\r\nDICM\r\n--------------------------d74496d66958873e--\r\n",
        ),
        (
            ".NET: type after boundary, header names in its own case",
            r#"Multipart/Related; boundary="5ca2fe5c-6a8a-4b9a-8a9a-0e5b3c6b2f37"; type="application/dicom";"#,
            "--5ca2fe5c-6a8a-4b9a-8a9a-0e5b3c6b2f37\r\ncontent-TYPE: application/dicom\r\n\r\nDICM\r\n--5ca2fe5c-6a8a-4b9a-8a9a-0e5b3c6b2f37--\r\n",
        ),
        (
            "a mail library: preamble, epilogue, padding, folded header",
            "multipart/related; start=\"<root>\"; type=\"application/dicom\";\tboundary=\"----=_Part_0_1 2.3\"",
            "This is a message in MIME format.\r\n------=_Part_0_1 2.3 \t \r\nContent-Type:\r\n application/dicom;\r\n\tcharset=x\r\nContent-Transfer-Encoding: binary\r\n\r\nDICM\r\n------=_Part_0_1 2.3--  \r\nbye\r\n------=_Part_0_1 2.3\r\n\r\nno part",
        ),
        ("without any header", "multipart/related; boundary=b", "--b\r\n\r\nDICM\r\n--b--\r\n"),
    ] {
        let content_type = ContentType::parse(content_type).unwrap_or_else(|error| panic!("{sender}: {error}"));
        assert!(content_type.is_related());
        let found = payloads(&content_type.boundary().unwrap(), body.as_bytes());
        assert_eq!(found, [b"DICM"], "{sender}");
    }
}

#[test]
fn a_payload_keeps_every_byte_up_to_the_line_end_of_its_delimiter() {
    let boundary = boundary("b");
    for payload in [
        "",
        "\r\n",
        "\r\n\r\n",
        "\r",
        "\n",
        "--b",
        "--b--",
        "x--b\r\n",
        "\n--b\r\n",
        "\r--b\r\n",
        "\r\n--",
        "\r\n--B\r\n",
        "\r\n--bb\r\n",
        "\r\n--b-\r\n",
        "\r\n--b x\r\n",
        "\r\n--b\rx",
        "\r\n--b\n",
        "\r\n-- b\r\n",
        "\r\n-\r\n--\r\n--b\r\r",
        "Content-Type: text/plain\r\n\r\ntext",
    ] {
        // At the start of a payload `--b` is a delimiter: the part is empty. So something stands before these.
        let payload = format!("DICM{payload}");
        let body = format!("--b\r\n\r\n{payload}\r\n--b\r\nA: b\r\n\r\n{payload}\r\n--b--");
        let found = payloads(&boundary, body.as_bytes());
        assert_eq!(found, [payload.as_bytes(), payload.as_bytes()], "{payload:?}");
    }
    let blanks = format!("\r\n--b{}\r\nx", " ".repeat(65));
    let body = format!("--b\r\n\r\n{blanks}\r\n--b--");
    assert_eq!(payloads(&boundary, body.as_bytes()), [blanks.as_bytes()], "more than 64 blanks are no padding");
}

#[test]
fn parts_can_be_empty_or_none() {
    for (body, parts) in [
        ("--b--", 0),
        ("--b--\r\n", 0),
        ("preamble\r\n--b--", 0),
        ("--b\r\n\r\n\r\n--b--", 1),
        // RFC 2046: a part without a payload has no empty line of its own.
        ("--b\r\nContent-Type: a/b\r\n\r\n--b--", 1),
        ("--b\r\n\r\n--b\r\n\r\n--b--", 2),
    ] {
        assert_eq!(payloads(&boundary("b"), body.as_bytes()), vec![b""; parts], "{body:?}");
    }
}

#[test]
fn a_boundary_is_compared_byte_by_byte() {
    for text in
        ["a.b*c+(d)?[e]|f^$", "'()+_,-./:=?", "--", "-", "a b c", "{0f3cf5c0-70e0-41ef-baef-c6f9f65ec3e1}", "\u{7e}"]
    {
        let body = format!("--{text}\r\n\r\nx\r\n--aXb\r\n\r\n\r\n--{text}--");
        assert_eq!(payloads(&boundary(text), body.as_bytes()), [b"x\r\n--aXb\r\n\r\n"], "{text:?}");
    }
}

#[test]
fn a_boundary_has_at_most_200_visible_characters() {
    for (text, expected) in [
        ("b".repeat(73), Ok(())),
        ("b".repeat(200), Ok(())),
        ("b".repeat(201), Err(BoundaryError::TooLong)),
        ("b".repeat(10_000), Err(BoundaryError::TooLong)),
        (String::new(), Err(BoundaryError::Missing)),
        ("b ".to_owned(), Err(BoundaryError::Character)),
        ("b\r\n".to_owned(), Err(BoundaryError::Character)),
        ("b\0".to_owned(), Err(BoundaryError::Character)),
        ("b\"".to_owned(), Err(BoundaryError::Character)),
        ("境界".to_owned(), Err(BoundaryError::Character)),
    ] {
        assert_eq!(Boundary::parse(&text).map(|_| ()), expected, "{text:?}");
    }
    assert_eq!(Boundary::random(0xfeed).as_str(), "medvan-0000000000000000000000000000feed");
    assert_eq!(Boundary::parse(Boundary::random(u128::MAX).as_str()), Ok(Boundary::random(u128::MAX)));
}

#[test]
fn a_content_type_is_read_however_it_is_quoted() {
    let parse = |text: &str| ContentType::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    for (text, root, boundary) in [
        (r#"multipart/related; type="application/dicom"; boundary=b"#, Some("application/dicom"), Ok("b")),
        ("multipart/related;type=application/dicom;boundary=b", Some("application/dicom"), Ok("b")),
        ("MULTIPART/RELATED ; TYPE=Application/DICOM ; BOUNDARY=\"B b\"", Some("application/dicom"), Ok("B b")),
        (
            r#"multipart/related; boundary="a;b,c"; type="application/dicom+json";"#,
            Some("application/dicom+json"),
            Ok("a;b,c"),
        ),
        (
            r#"multipart/related; type="application/octet-stream; transfer-syntax=1.2.3"; boundary=b"#,
            Some("application/octet-stream"),
            Ok("b"),
        ),
        ("multipart/related; boundary=b; boundary=b; start-info", None, Ok("b")),
        ("multipart/related; boundary", None, Err(BoundaryError::Missing)),
        ("multipart/related; boundary=\"\"", None, Err(BoundaryError::Missing)),
        ("multipart/related", None, Err(BoundaryError::Missing)),
        ("multipart/related; type=dicom; boundary=\"b \"", None, Err(BoundaryError::Character)),
    ] {
        let read = parse(text);
        assert_eq!((read.media(), read.root_type().as_deref()), ("multipart/related", root), "{text}");
        assert_eq!(read.boundary().as_ref().map(Boundary::as_str), boundary.as_ref().map(|text| *text), "{text}");
    }
    let escaped = parse(r#"application/dicom; note="a\";b\\"; transfer-syntax=1.2"#);
    assert_eq!((escaped.parameter("note"), escaped.parameter("transfer-syntax")), (Some(r#"a";b\"#), Some("1.2")));
    let dicom = parse("application/dicom;transfer-syntax=1.2.840.10008.1.2.4.90; note=\"a \\\"b\\\" \\\\\"");
    assert_eq!(dicom.transfer_syntax().unwrap().as_str(), "1.2.840.10008.1.2.4.90");
    assert_eq!(dicom.parameter("note"), Some("a \"b\" \\"));
    assert_eq!(
        dicom.to_string(),
        "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.90; note=\"a \\\"b\\\" \\\\\""
    );
    assert_eq!(parse(&dicom.to_string()), dicom);
    assert_eq!(ContentType::of("image/jp2").with("x", "a\r\nb: c").to_string(), "image/jp2; x=\"ab: c\"");
}

#[test]
fn a_content_type_that_can_be_read_in_two_ways_is_refused() {
    let many: String = (0..33).map(|number| format!(";p{number}=x")).collect();
    for (text, expected) in [
        ("", ContentTypeError::Media),
        ("dicom", ContentTypeError::Media),
        ("application/", ContentTypeError::Media),
        ("*/*", ContentTypeError::Media),
        ("a/b c", ContentTypeError::Media),
        ("multipart/related; boundary=a; boundary=b", ContentTypeError::Repeated),
        ("multipart/related; boundary=a; Boundary=\"b\"", ContentTypeError::Repeated),
        ("multipart/related; boundary=\"a", ContentTypeError::Parameter),
        ("multipart/related; boundary=\"a\"b", ContentTypeError::Parameter),
        ("multipart/related; boundary=a\"b\"", ContentTypeError::Parameter),
        ("multipart/related; bound ary=a", ContentTypeError::Parameter),
        ("multipart/related; boundary=a\0", ContentTypeError::Parameter),
        (&format!("a/b{many}"), ContentTypeError::TooLong),
        (&format!("a/b; c={}", "d".repeat(4096)), ContentTypeError::TooLong),
    ] {
        assert_eq!(ContentType::parse(text), Err(expected), "{text:?}");
    }
}

#[test]
fn a_head_says_what_its_part_is_or_what_is_wrong_with_it() {
    let dicom = || PartHead::of(ContentType::of("application/dicom"));
    let flawed = |flaw| PartHead { flaw: Some(flaw), ..PartHead::default() };
    for (text, expected) in [
        ("content-type:application/dicom", dicom()),
        ("CONTENT-TYPE : \tapplication/dicom  ", dicom()),
        ("Content-Type: application/dicom\r\nContent-Type: application/dicom", dicom()),
        (
            "Content-Type: application/octet-stream\r\nContent-Location: /studies/1/bulk/2\r\nContent-Length: 12\r\nContent-ID: <a@b>",
            PartHead {
                content_id: Some("<a@b>".to_owned()),
                ..PartHead::of(ContentType::of("application/octet-stream")).located("/studies/1/bulk/2").sized(12)
            },
        ),
        ("Content-Location: http://h/a\r\n  b\r\n\tc", PartHead::default().located("http://h/a b c")),
        ("X-Note: \u{65e5}\u{672c}\r\nContent-Encoding: identity", PartHead::default()),
        ("no colon", flawed(HeadFlaw::Field)),
        (": no name", flawed(HeadFlaw::Field)),
        (" folded: at once", flawed(HeadFlaw::Field)),
        ("X: a\rContent-Type: application/dicom", flawed(HeadFlaw::Field)),
        ("X: a\nContent-Type: application/dicom", flawed(HeadFlaw::Field)),
        ("X: a\0", flawed(HeadFlaw::Field)),
        ("Content-Type: dicom", flawed(HeadFlaw::ContentType(ContentTypeError::Media))),
        (
            "Content-Type: application/dicom\r\nContent-Type: text/html",
            PartHead { flaw: Some(HeadFlaw::Repeated), ..dicom() },
        ),
        ("Content-Length: +4", flawed(HeadFlaw::ContentLength)),
        ("Content-Length: 99999999999999999999", flawed(HeadFlaw::ContentLength)),
        ("Content-Transfer-Encoding: base64", flawed(HeadFlaw::Encoded)),
        ("Content-Encoding: gzip", flawed(HeadFlaw::Encoded)),
    ] {
        let body = format!("--b\r\n{text}\r\n\r\nDICM\r\n--b\r\n\r\nnext\r\n--b--");
        let reading = read(&boundary("b"), body.as_bytes());
        assert_eq!(reading.parts[0].head, expected, "{text:?}");
        assert_eq!(
            (reading.parts[1].payload.as_slice(), reading.end),
            (&b"next"[..], None),
            "the next part is whole: {text:?}"
        );
    }
}

#[test]
fn a_body_that_breaks_off_says_which_parts_are_whole() {
    let body = b"pre\r\n--b\r\nA: b\r\n\r\nfirst\r\n\r\n--b\r\n\r\nsecond\r\n--b--";
    for length in 0..body.len() {
        let reading = read(&boundary("b"), &body[..length]);
        let complete = reading.parts.iter().filter(|part| part.complete).count();
        let expected = match length {
            0..10 => MultipartError::NoDelimiter,
            // The line of the first delimiter is there and nothing after it.
            10 => MultipartError::Unclosed { complete: 0, cut: false },
            11..32 => MultipartError::Unclosed { complete: 0, cut: true },
            // And of the second.
            32 => MultipartError::Unclosed { complete: 1, cut: false },
            _ => MultipartError::Unclosed { complete: 1, cut: true },
        };
        assert_eq!((reading.end, complete), (Some(expected), usize::from(length >= 32)), "cut after {length} bytes");
    }
    assert_eq!(read(&boundary("b"), body).end, None);
}

#[test]
fn what_a_sender_may_send_besides_payloads_is_bounded() {
    let limits = Limits { parts: 2, head_bytes: 40, headers_per_part: 2, preamble_bytes: 20 };
    let long = "x".repeat(1000);
    for (body, expected) in [
        (format!("{}\r\n--b--", "x".repeat(20)), None),
        (format!("{}\r\n--b--", "x".repeat(21)), Some(MultipartError::NoDelimiter)),
        (long.clone(), Some(MultipartError::NoDelimiter)),
        ("\r\n--bx".repeat(100), Some(MultipartError::NoDelimiter)),
        ("--b\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--".to_owned(), None),
        ("--b\r\n\r\n\r\n".repeat(3), Some(MultipartError::TooManyParts { limit: 2 })),
        (format!("--b\r\nA: {}\r\n\r\n\r\n--b--", "x".repeat(33)), None),
        (format!("--b\r\nA: {}\r\n\r\n\r\n--b--", "x".repeat(34)), Some(MultipartError::HeadTooLong { limit: 40 })),
        (format!("--b\r\nA: {long}"), Some(MultipartError::HeadTooLong { limit: 40 })),
        ("--b\r\nA: 1\r\nB: 2\r\n\r\n\r\n--b--".to_owned(), None),
        ("--b\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n".to_owned(), Some(MultipartError::TooManyHeaders { limit: 2 })),
        ("--b\r\nA: b\r\n--b\r\n\r\n".to_owned(), Some(MultipartError::HeadUnended)),
    ] {
        let whole = read_with(limits, &boundary("b"), [body.as_bytes()]);
        let bytewise = read_with(limits, &boundary("b"), body.as_bytes().chunks(1));
        assert_eq!(whole.end, expected, "{body:?}");
        assert_eq!(whole, bytewise, "{body:?}");
    }
}

#[test]
fn bare_line_feeds_are_told_to_the_sender_and_are_payload_elsewhere() {
    let reading = read(&boundary("b"), b"--b\nContent-Type: application/dicom\n\nDICM\n--b--\n");
    assert_eq!(reading.end, Some(MultipartError::LineFeed));
    let reading = read(&boundary("b"), b"--b\r\n\r\nDICM\n--b\n\r\n--b--");
    assert_eq!(reading.parts[0].payload, b"DICM\n--b\n");
}

#[test]
fn a_million_parts_and_a_payload_within_a_payload_are_no_trouble() {
    let mut reader = Reader::new(&boundary("b"), Limits::default());
    let chunk = Bytes::from("--b\r\n\r\n\r\n".repeat(1000));
    let mut parts = 0;
    let error = loop {
        reader.push(chunk.clone());
        let stopped = loop {
            match reader.next() {
                Ok(Event::Part(_)) => parts += 1,
                Ok(Event::More) => break None,
                Ok(_) => {}
                Err(error) => break Some(error),
            }
        };
        if let Some(error) = stopped {
            break error;
        }
    };
    assert_eq!((error, parts), (MultipartError::TooManyParts { limit: 100_000 }, 100_000));

    let inner = "--inner\r\n\r\nx\r\n--inner--";
    let body = format!("--b\r\nContent-Type: multipart/related; boundary=inner\r\n\r\n{inner}\r\n--b--");
    assert_eq!(payloads(&boundary("b"), body.as_bytes()), [inner.as_bytes()]);
}

#[test]
fn payloads_are_slices_of_what_was_pushed() {
    let mut reader = Reader::new(&boundary("b"), Limits::default());
    let chunk = Bytes::from(format!("--b\r\n\r\n{}\r", "x".repeat(1000)));
    let range = chunk.as_ptr_range();
    reader.push(chunk);
    assert_eq!(reader.next(), Ok(Event::Part(PartHead::default())));
    let Ok(Event::Data(data)) = reader.next() else { panic!("payload comes") };
    assert!(range.contains(&data.as_ptr()), "not copied");
    assert_eq!((data.len(), reader.next()), (1000, Ok(Event::More)));
    assert_eq!(format!("{:?}", Event::Data(data.clone())), "Data(1000 bytes)", "no payload in a log");
    assert!(data.is_unique(), "the CR that was held back does not keep the chunk in memory");
}

#[test]
fn a_body_that_we_write_is_what_the_standard_shows() {
    let mut writer = Writer::new(boundary("b"), &ContentType::of("application/dicom").with("transfer-syntax", "1.2.3"));
    assert_eq!(writer.content_type(), "multipart/related; type=\"application/dicom\"; boundary=b");
    let heads = [
        PartHead::of(ContentType::of("application/dicom").with("transfer-syntax", "1.2.840.10008.1.2.1")).sized(4),
        PartHead::of(ContentType::of("application/octet-stream")).located("http://h/a b\r\nX: y/\u{5bae}"),
    ];
    let parts = [(&heads[0], 4), (&heads[1], 6)];
    let expected = writer.length_of(parts);
    let mut body = Vec::new();
    for (head, payload) in heads.iter().zip(["DICM", "frames"]) {
        body.extend_from_slice(&writer.part(head));
        body.extend_from_slice(payload.as_bytes());
    }
    assert_eq!(writer.length_of(parts), expected, "also when it has begun");
    body.extend_from_slice(&writer.end());
    assert_eq!(
        String::from_utf8(body.clone()).unwrap(),
        "--b\r\nContent-Type: application/dicom; transfer-syntax=1.2.840.10008.1.2.1\r\nContent-Length: 4\r\n\r\nDICM\
         \r\n--b\r\nContent-Type: application/octet-stream\r\nContent-Location: http://h/a%20b%0D%0AX:%20y/%E5%AE%AE\r\n\r\nframes\
         \r\n--b--\r\n"
    );
    assert_eq!(expected, body.len() as u64);
    assert_eq!(
        Writer::new(boundary("a b"), &ContentType::of("image/jp2")).content_type(),
        "multipart/related; type=\"image/jp2\"; boundary=\"a b\""
    );
    assert_eq!(Writer::new(boundary("b"), &ContentType::of("image/jp2")).end(), "--b--\r\n");
}

/// Pieces of which hostile bodies are made.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let known = [
        "\r\n--b",
        "\r\n--b\r\n",
        "\r\n--b--",
        "--b",
        "--b\r\n",
        "--",
        "-",
        "\r\n",
        "\r",
        "\n",
        " ",
        "\t",
        "b",
        ":",
        "\r\n\r\n",
        "Content-Type: a/b\r\n",
        "A: b\r\n c\r\n",
    ];
    prop_oneof![
        4 => prop::sample::select(known.map(|text| text.as_bytes().to_vec()).to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ]
}

fn hostile() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(fragment(), 0..25).prop_map(|fragments| fragments.concat())
}

/// Cuts a body after so many bytes, again and again.
fn cut<'a>(mut body: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut chunks = Vec::new();
    for length in lengths.iter().cycle() {
        if body.is_empty() || lengths.iter().all(|length| *length == 0) {
            break;
        }
        let (chunk, rest) = body.split_at((*length).min(body.len()));
        chunks.push(chunk);
        body = rest;
    }
    chunks.push(body);
    chunks
}

/// Whether a payload holds a delimiter of the boundary `b`, found the slow and simple way.
fn holds_delimiter(payload: &[u8]) -> bool {
    let line = [b"\r\n", payload, b"\r\n"].concat();
    (0..line.len()).any(|at| {
        line[at..].strip_prefix(b"\r\n--b").is_some_and(|rest| {
            let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            rest.starts_with(b"--") || rest[blanks..].starts_with(b"\r\n")
        })
    })
}

fn head() -> impl Strategy<Value = PartHead> {
    let content_type = prop_oneof![
        Just(ContentType::of("application/dicom")),
        Just(ContentType::of("application/octet-stream").with("transfer-syntax", "1.2.840.10008.1.2.1")),
        "[ -~]{1,20}".prop_map(|value| ContentType::of("image/jp2").with("note", value.trim())),
    ];
    let location = prop::option::of("[!-~]{1,40}");
    (prop::option::of(content_type), location, prop::option::of(any::<u64>())).prop_map(
        |(content_type, uri, length)| PartHead {
            content_type,
            content_location: uri,
            content_length: length,
            ..PartHead::default()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_was_written_is_read_however_it_is_cut(
        parts in prop::collection::vec((head(), hostile()), 0..5),
        preamble in "(text\r\n){0,3}",
        lengths in prop::collection::vec(0usize..40, 1..6),
    ) {
        let parts: Vec<_> = parts.into_iter().filter(|(_, payload)| !holds_delimiter(payload)).collect();
        let mut writer = Writer::new(boundary("b"), &ContentType::of("application/dicom"));
        let length = writer.length_of(parts.iter().map(|(head, payload)| (head, payload.len() as u64)));
        let mut body = Vec::new();
        for (head, payload) in &parts {
            body.extend_from_slice(&writer.part(head));
            body.extend_from_slice(payload);
        }
        body.extend_from_slice(&writer.end());
        prop_assert_eq!(body.len() as u64, length);
        let body = [preamble.as_bytes(), &body, b"epilogue"].concat();

        let reading = read_with(Limits::default(), &boundary("b"), cut(&body, &lengths));
        prop_assert_eq!(reading.end, None);
        let expected: Vec<_> = parts.into_iter().map(|(head, payload)| Part { head, payload, complete: true }).collect();
        prop_assert_eq!(reading.parts, expected);
    }

    #[test]
    fn any_bytes_are_read_in_the_same_way_however_they_are_cut(
        body in hostile(),
        lengths in prop::collection::vec(0usize..9, 1..6),
        begun in any::<bool>(),
        strict in any::<bool>(),
    ) {
        let body = if begun { [b"--b\r\n", body.as_slice()].concat() } else { body };
        let strict = strict.then_some(Limits { parts: 2, head_bytes: 30, headers_per_part: 2, preamble_bytes: 30 });
        let limits = strict.unwrap_or_default();
        let whole = read_with(limits, &boundary("b"), [body.as_slice()]);
        let pieces = read_with(limits, &boundary("b"), cut(&body, &lengths));
        prop_assert_eq!(whole, pieces);
    }

    #[test]
    fn any_text_is_a_content_type_or_is_refused(text in r#"([ -~]|;|"|\\|multipart/related|boundary=|é|\r\n){0,30}"#) {
        if let Ok(read) = ContentType::parse(&text) {
            prop_assert_eq!(ContentType::parse(&read.to_string()), Ok(read));
        }
    }
}
