//! What real clients send, and what they get.

use proptest::prelude::*;

use super::{AcceptError, Acceptable, Offer, Place};
use crate::{TransferSyntax, Uid};

const IMPLICIT: &str = "1.2.840.10008.1.2";
const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
const BIG: &str = "1.2.840.10008.1.2.2";
const JPEG: &str = "1.2.840.10008.1.2.4.50";
const JPEG_LOSSLESS: &str = "1.2.840.10008.1.2.4.70";
const J2K: &str = "1.2.840.10008.1.2.4.90";
const MP4: &str = "1.2.840.10008.1.2.4.102";
const CHROME: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7";
const FIREFOX_IMAGE: &str = "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5";
const JAVA: &str = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2";

fn syntax(uid: &str) -> TransferSyntax {
    TransferSyntax::of(Uid::parse(uid).unwrap())
}

fn syntaxes(uids: &[&str]) -> Vec<TransferSyntax> {
    uids.iter().map(|uid| syntax(uid)).collect()
}

fn metadata() -> Vec<Offer> {
    vec![
        Offer::single("application/dicom+json"),
        Offer::related("application/dicom+xml"),
        Offer::single("application/json"),
    ]
}

/// One instance, held in the first of these.
fn instance(uids: &[&str]) -> Vec<Offer> {
    vec![
        Offer::related("application/dicom").in_syntaxes(syntaxes(uids)),
        Offer::single("application/dicom").in_syntaxes(syntaxes(uids)),
        Offer::single("application/zip").in_syntaxes(syntaxes(uids)),
    ]
}

/// Frames that are held compressed and can be decoded.
fn frames(media: &'static str, held: &str) -> Vec<Offer> {
    vec![
        Offer::related(media).in_syntaxes(syntaxes(&[held])),
        Offer::related("application/octet-stream").in_syntaxes(syntaxes(&[EXPLICIT])).as_default(),
    ]
}

fn rendered() -> Vec<Offer> {
    vec![Offer::single("image/jpeg"), Offer::single("image/png"), Offer::single("image/gif")]
}

/// The choice in words: `multipart application/dicom 1.2.840.10008.1.2.1`.
fn chosen(acceptable: &Acceptable, offers: &[Offer]) -> String {
    let Some(choice) = acceptable.choose(offers) else { return "406".to_owned() };
    let offer = &offers[choice.offer];
    let packing = if offer.related { "multipart " } else { "" };
    let syntax = choice.transfer_syntax.map(|uid| format!(" {uid}")).unwrap_or_default();
    format!("{packing}{}{syntax}", offer.media)
}

fn header(accept: &str) -> Acceptable {
    Acceptable::parse([accept], None, None).unwrap_or_else(|error| panic!("{accept}: {error}"))
}

fn check(offers: &[Offer], table: &[(&str, &str)]) {
    for (accept, expected) in table {
        assert_eq!(chosen(&header(accept), offers), *expected, "Accept: {accept}");
    }
}

#[test]
fn metadata_is_given_as_each_client_reads_it() {
    check(
        &metadata(),
        &[
            ("application/dicom+json", "application/dicom+json"),
            ("APPLICATION/DICOM+JSON", "application/dicom+json"),
            ("application/json", "application/json"),
            // dicomweb-client in Python
            ("application/dicom+json, application/json", "application/dicom+json"),
            // OHIF: issues 3726, 3990, and the latter as it arrived at the server
            ("application/dicom+json, multipart/related; type=application/octet-stream", "application/dicom+json"),
            (
                "application/dicom+json, multipart/related; type=application/octet-stream; transfer-syntax=*",
                "application/dicom+json",
            ),
            (
                "application/dicom+json, multipart/related; type=application/octet-stream; transfer-syntax=*; transfer-syntax=*",
                "application/dicom+json",
            ),
            ("application/dicom+json; charset=utf-8", "application/dicom+json"),
            ("application/dicom+json;transfer-syntax=1.2.840.10008.1.2.1", "application/dicom+json"),
            (r#"multipart/related; type="application/dicom+xml""#, "multipart application/dicom+xml"),
            ("multipart/related;type=application/dicom+xml", "multipart application/dicom+xml"),
            ("multipart/related", "multipart application/dicom+xml"),
            ("application/*", "application/dicom+json"),
            ("*/*", "application/dicom+json"),
            ("", "application/dicom+json"),
            (" , ,", "application/dicom+json"),
            (CHROME, "application/dicom+json"),
            (JAVA, "application/dicom+json"),
            ("application/dicom+json;q=0.5, application/json;q=0.9", "application/json"),
            ("application/dicom+json;q=0, */*", "multipart application/dicom+xml"),
            ("application/dicom+json;q=0, multipart/*;q=0, */*", "application/json"),
            ("application/json, */*", "application/json"),
            ("application/xml", "406"),
            ("application/dicom+xml", "406"),
            ("text/html", "406"),
            ("*/*;q=0", "406"),
        ],
    );
    let absent = Acceptable::parse([], None, None).unwrap();
    assert_eq!(chosen(&absent, &metadata()), "application/dicom+json");
}

#[test]
fn an_instance_is_given_in_the_packaging_and_syntax_asked_for() {
    check(
        &instance(&[J2K, EXPLICIT]),
        &[
            // No syntax: the default, decoded if need be (OHIF, dicomweb-client, dcm4chee, 3D Slicer).
            (r#"multipart/related; type="application/dicom""#, "multipart application/dicom 1.2.840.10008.1.2.1"),
            ("multipart/related; type=application/dicom", "multipart application/dicom 1.2.840.10008.1.2.1"),
            (
                r#"multipart/related; type="application/dicom"; boundary=**"#,
                "multipart application/dicom 1.2.840.10008.1.2.1",
            ),
            ("application/dicom", "application/dicom 1.2.840.10008.1.2.1"),
            ("application/zip", "application/zip 1.2.840.10008.1.2.4.90"),
            // Any syntax: as it is held (Microsoft's examples).
            (
                r#"multipart/related;type="application/dicom";transfer-syntax=*"#,
                "multipart application/dicom 1.2.840.10008.1.2.4.90",
            ),
            ("application/dicom; transfer-syntax=*", "application/dicom 1.2.840.10008.1.2.4.90"),
            (r#"application/dicom; transfer-syntax="*""#, "application/dicom 1.2.840.10008.1.2.4.90"),
            (
                r#"multipart/related; type="application/dicom"; transfer-syntax=*, application/dicom"#,
                "multipart application/dicom 1.2.840.10008.1.2.4.90",
            ),
            ("transfer-syntax=*", "multipart application/dicom 1.2.840.10008.1.2.4.90"),
            // By name, wherever it stands.
            (
                r#"multipart/related; type="application/dicom; transfer-syntax=1.2.840.10008.1.2.4.90""#,
                "multipart application/dicom 1.2.840.10008.1.2.4.90",
            ),
            ("application/dicom;transfer-syntax=1.2.840.10008.1.2.1", "application/dicom 1.2.840.10008.1.2.1"),
            (
                r#"multipart/related; type="application/dicom";transfer-syntax=1.2.840.10008.1.2.4.50;boundary=**, multipart/related; type="application/dicom";transfer-syntax=1.2.840.10008.1.2.4.90;q=0.5;boundary=**"#,
                "multipart application/dicom 1.2.840.10008.1.2.4.90",
            ),
            // Not to be had.
            ("application/dicom;transfer-syntax=1.2.840.10008.1.2.4.50", "406"),
            ("application/dicom;transfer-syntax=1.2.840.10008.1.2", "406"),
            ("application/dicom;q=0, application/dicom;transfer-syntax=*;q=0", "406"),
            // "Not this one" rules out every syntax of it.
            (
                "multipart/related;q=0, application/dicom;q=0, */*;transfer-syntax=*",
                "application/zip 1.2.840.10008.1.2.4.90",
            ),
            (
                "application/dicom;q=0, */*;transfer-syntax=*;q=0.1",
                "multipart application/dicom 1.2.840.10008.1.2.4.90",
            ),
            ("image/jpeg", "406"),
            // Browsers, curl.
            ("*/*", "multipart application/dicom 1.2.840.10008.1.2.1"),
            (CHROME, "multipart application/dicom 1.2.840.10008.1.2.1"),
        ],
    );
}

#[test]
fn frames_asked_for_by_name_go_out_as_they_are_held_and_a_wildcard_means_bytes() {
    let list = [
        r#"multipart/related; type="image/jp2"; transfer-syntax=1.2.840.10008.1.2.4.90"#,
        r#"multipart/related; type="image/jls"; transfer-syntax=1.2.840.10008.1.2.4.80"#,
        r#"multipart/related; type="application/octet-stream"; transfer-syntax=*"#,
    ]
    .join(", ");
    check(
        &frames("image/jp2", J2K),
        &[
            // cornerstone, with and without quotes
            (
                "multipart/related; type=application/octet-stream; transfer-syntax=*",
                "multipart application/octet-stream 1.2.840.10008.1.2.1",
            ),
            (
                r#"multipart/related; type="application/octet-stream"; transfer-syntax=*"#,
                "multipart application/octet-stream 1.2.840.10008.1.2.1",
            ),
            (
                r#"multipart/related; type="application/octet-stream""#,
                "multipart application/octet-stream 1.2.840.10008.1.2.1",
            ),
            ("multipart/related; type=image/jp2", "multipart image/jp2 1.2.840.10008.1.2.4.90"),
            // dicom-microscopy-viewer wants what is there
            (&list, "multipart image/jp2 1.2.840.10008.1.2.4.90"),
            // dicomweb-client's wildcards, both spellings, and the standard's own example
            (r#"multipart/related; type="image/*""#, "multipart image/jp2 1.2.840.10008.1.2.4.90"),
            (r#"multipart/related; type="image/""#, "multipart image/jp2 1.2.840.10008.1.2.4.90"),
            (
                r#"multipart/related; type="application/octet-stream";q=0.5, multipart/related; type="image/*"; boundary=**, multipart/related; type="video/*"; boundary=**"#,
                "multipart image/jp2 1.2.840.10008.1.2.4.90",
            ),
            (r#"multipart/related; type="*/*""#, "multipart application/octet-stream 1.2.840.10008.1.2.1"),
            ("*/*", "multipart application/octet-stream 1.2.840.10008.1.2.1"),
            ("*/*; transfer-syntax=*", "multipart application/octet-stream 1.2.840.10008.1.2.1"),
            ("transfer-syntax=1.2.840.10008.1.2.4.90", "multipart image/jp2 1.2.840.10008.1.2.4.90"),
            ("multipart/related; type=image/jpeg", "406"),
            // A single part is not what a multipart offer is.
            ("image/jp2", "406"),
            (r#"multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.4.90"#, "406"),
        ],
    );
    check(
        &frames("image/jls", "1.2.840.10008.1.2.4.80"),
        &[(r#"multipart/related; type="image/x-jls""#, "multipart image/jls 1.2.840.10008.1.2.4.80")],
    );
    check(
        &frames("image/jpeg", JPEG),
        &[
            // The default of image/jpeg is lossless, but this is only there with loss.
            (r#"multipart/related; type="image/jpeg""#, "multipart image/jpeg 1.2.840.10008.1.2.4.50"),
            (r#"multipart/related; type="image/jpeg"; transfer-syntax=1.2.840.10008.1.2.4.70"#, "406"),
        ],
    );
}

#[test]
fn each_media_type_has_its_default_syntax() {
    for (media, default, other) in [
        ("application/dicom", EXPLICIT, J2K),
        ("application/octet-stream", EXPLICIT, J2K),
        ("image/jpeg", JPEG_LOSSLESS, "1.2.840.10008.1.2.4.57"),
        ("image/dicom-rle", "1.2.840.10008.1.2.5", J2K),
        ("image/jls", "1.2.840.10008.1.2.4.80", J2K),
        ("image/jp2", J2K, JPEG_LOSSLESS),
        ("image/jpx", "1.2.840.10008.1.2.4.92", J2K),
        ("image/jphc", "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202"),
        ("image/jxl", "1.2.840.10008.1.2.4.110", J2K),
    ] {
        let offers = [Offer::related(media).in_syntaxes(syntaxes(&[other, default]))];
        let accept = format!("multipart/related; type=\"{media}\"");
        assert_eq!(chosen(&header(&accept), &offers), format!("multipart {media} {default}"));
    }
}

#[test]
fn a_picture_is_given_in_the_format_asked_for() {
    check(
        &rendered(),
        &[
            ("image/jpeg", "image/jpeg"),
            ("image/png", "image/png"),
            ("image/png, image/jpeg", "image/jpeg"),
            ("image/png, image/jpeg;q=0.9", "image/png"),
            ("image/png;q=0.0001, image/bmp", "image/png"),
            ("image/*", "image/jpeg"),
            ("image/gif, image/*", "image/gif"),
            ("image/jpeg;transfer-syntax=1.2.840.10008.1.2.4.50", "image/jpeg"),
            (FIREFOX_IMAGE, "image/png"),
            (CHROME, "image/jpeg"),
            (JAVA, "image/jpeg"),
            ("image/bmp", "406"),
            ("multipart/related; type=image/jpeg", "406"),
        ],
    );
}

#[test]
fn the_query_comes_before_the_header_and_the_header_before_nothing() {
    let offers = instance(&[J2K, EXPLICIT]);
    for (headers, accept, transfer_syntax, expected) in [
        (&["*/*"][..], Some("application/dicom"), None, "application/dicom 1.2.840.10008.1.2.1"),
        (&["application/zip"], Some("application/dicom"), None, "application/dicom 1.2.840.10008.1.2.1"),
        (&[], Some("application/dicom; transfer-syntax=*"), None, "application/dicom 1.2.840.10008.1.2.4.90"),
        (&[], Some("application/dicom"), Some(J2K), "application/dicom 1.2.840.10008.1.2.4.90"),
        (&[], Some("application/dicom"), Some("*"), "application/dicom 1.2.840.10008.1.2.4.90"),
        (
            &[],
            Some("application/dicom;transfer-syntax=1.2.840.10008.1.2.1"),
            Some(J2K),
            "application/dicom 1.2.840.10008.1.2.1",
        ),
        (&["application/dicom"], None, Some(J2K), "application/dicom 1.2.840.10008.1.2.4.90"),
        (&[], None, Some(J2K), "multipart application/dicom 1.2.840.10008.1.2.4.90"),
        (&[], None, Some(JPEG), "406"),
        // What the query cannot have is looked for in the header.
        (&["*/*"], Some("image/png"), None, "multipart application/dicom 1.2.840.10008.1.2.1"),
        (&["application/zip"], Some("image/png"), None, "application/zip 1.2.840.10008.1.2.4.90"),
        (&["text/html"], Some("image/png"), None, "406"),
        // Who names something in the query and sends no header does not accept anything else.
        (&[], Some("image/png"), None, "406"),
        (&["text/html"], Some(""), None, "406"),
        // Several headers are one list.
        (
            &["text/html;q=0.1", "application/zip", "application/dicom;q=0.2"],
            None,
            None,
            "application/zip 1.2.840.10008.1.2.4.90",
        ),
    ] {
        let acceptable = Acceptable::parse(headers.iter().copied(), accept, transfer_syntax).unwrap();
        assert_eq!(
            chosen(&acceptable, &offers),
            expected,
            "{headers:?} accept={accept:?} transferSyntax={transfer_syntax:?}"
        );
    }
    // A plus sign in a query that nobody encoded.
    for query in ["application/dicom+json", "application/dicom json"] {
        let acceptable = Acceptable::parse(["application/json"], Some(query), None).unwrap();
        assert_eq!(chosen(&acceptable, &metadata()), "application/dicom+json", "{query}");
    }
}

#[test]
fn a_stored_instance_is_sent_as_it_is_whenever_the_request_allows() {
    const ANY: &str = "application/dicom; transfer-syntax=*";
    const MULTIPART: &str = r#"multipart/related; type="application/dicom""#;
    for (accept, stored, possible, expected) in [
        (MULTIPART, EXPLICIT, &[][..], Some(EXPLICIT)),
        (MULTIPART, J2K, &[EXPLICIT], Some(EXPLICIT)),
        (MULTIPART, DEFLATED, &[EXPLICIT], Some(EXPLICIT)),
        (MULTIPART, IMPLICIT, &[EXPLICIT], Some(EXPLICIT)),
        // Too long or not to be decoded: as it is.
        (MULTIPART, J2K, &[], Some(J2K)),
        // With loss, as video, or unknown to us: as it is, whatever could be made of it.
        (MULTIPART, JPEG, &[EXPLICIT], Some(JPEG)),
        (MULTIPART, MP4, &[EXPLICIT], Some(MP4)),
        (MULTIPART, "1.2.3.4", &[EXPLICIT], Some("1.2.3.4")),
        ("*/*", JPEG, &[EXPLICIT], Some(JPEG)),
        ("*/*", J2K, &[EXPLICIT], Some(EXPLICIT)),
        (ANY, J2K, &[EXPLICIT], Some(J2K)),
        (ANY, DEFLATED, &[EXPLICIT], Some(DEFLATED)),
        // "As stored" is not allowed for these two (PS3.18 §8.7.3).
        (ANY, IMPLICIT, &[EXPLICIT], Some(EXPLICIT)),
        (ANY, BIG, &[EXPLICIT], Some(EXPLICIT)),
        (ANY, IMPLICIT, &[], None),
        ("application/dicom; transfer-syntax=1.2.840.10008.1.2", IMPLICIT, &[EXPLICIT], None),
        // By name.
        ("application/dicom; transfer-syntax=1.2.840.10008.1.2.1", JPEG, &[EXPLICIT], Some(EXPLICIT)),
        ("application/dicom; transfer-syntax=1.2.840.10008.1.2.4.90", EXPLICIT, &[J2K], Some(J2K)),
        ("application/dicom; transfer-syntax=1.2.840.10008.1.2.4.90", EXPLICIT, &[], None),
        // Two that are equally good: no transcoding. One that is better: transcoding.
        (
            "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.90, application/dicom; transfer-syntax=*",
            EXPLICIT,
            &[J2K],
            Some(EXPLICIT),
        ),
        (
            "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.90, */*; transfer-syntax=*",
            EXPLICIT,
            &[J2K],
            Some(EXPLICIT),
        ),
        (
            "multipart/related; type=application/dicom; transfer-syntax=1.2.840.10008.1.2.4.90, application/dicom",
            EXPLICIT,
            &[J2K],
            Some(EXPLICIT),
        ),
        (
            "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.90, application/dicom; transfer-syntax=*; q=0.5",
            EXPLICIT,
            &[J2K],
            Some(J2K),
        ),
        (
            "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.90, application/dicom; transfer-syntax=*; q=0.5",
            EXPLICIT,
            &[],
            Some(EXPLICIT),
        ),
        ("image/jpeg", JPEG, &[EXPLICIT], None),
    ] {
        let given = header(accept).dicom_syntax(&syntax(stored), &syntaxes(possible));
        assert_eq!(given.as_ref().map(Uid::as_str), expected, "{accept}: {stored} or {possible:?}");
    }
}

#[test]
fn the_syntax_of_a_part_comes_from_the_ranges_of_its_packaging_only() {
    let accept = header(&format!(
        "application/dicom; transfer-syntax={EXPLICIT}, multipart/related; type=application/dicom; transfer-syntax=*"
    ));
    let held = || syntaxes(&[J2K, EXPLICIT]);
    let related = accept.syntax_of(&Offer::related("application/dicom").in_syntaxes(held()));
    let single = accept.syntax_of(&Offer::single("application/dicom").in_syntaxes(held()));
    assert_eq!((related.unwrap().as_str(), single.unwrap().as_str()), (J2K, EXPLICIT));
    assert_eq!(accept.syntax_of(&Offer::single("image/jp2").in_syntaxes(held())), None);
}

#[test]
fn what_no_reader_could_understand_is_the_clients_mistake() {
    let header = Place::Header;
    for (accept, expected) in [
        ("json", AcceptError::Range(header(1))),
        ("*/*, q=0.5", AcceptError::Range(header(2))),
        ("*/json", AcceptError::Range(header(1))),
        ("a/b/c", AcceptError::Range(header(1))),
        ("/", AcceptError::Range(header(1))),
        ("application/dicom, , text", AcceptError::Range(header(2))),
        ("application/dicom; =x", AcceptError::Range(header(1))),
        (r#"multipart/related; type="application/dicom"#, AcceptError::Range(header(1))),
        ("multipart/related; type=dicom", AcceptError::Range(header(1))),
        ("application/dicom\r\nX: y", AcceptError::Range(header(1))),
        ("application/dicom; q=high", AcceptError::Quality(header(1))),
        ("application/dicom; q=1.5", AcceptError::Quality(header(1))),
        ("application/dicom; q=-1", AcceptError::Quality(header(1))),
        ("application/dicom; q=", AcceptError::Quality(header(1))),
        ("application/dicom; q=.", AcceptError::Quality(header(1))),
        ("application/dicom; transfer-syntax=image/x-jls", AcceptError::TransferSyntax(header(1))),
        ("transfer-syntax=", AcceptError::TransferSyntax(header(1))),
        ("application/dicom; transfer-syntax=1.2; transfer-syntax=*", AcceptError::TransferSyntax(header(1))),
    ] {
        assert_eq!(Acceptable::parse([accept], None, None).map(|_| ()), Err(expected), "{accept:?}");
    }
    let query = Acceptable::parse(["*/*"], Some("dicom"), None).map(|_| ());
    assert_eq!(query, Err(AcceptError::Range(Place::Query(1))));
    let transfer_syntax = Acceptable::parse(["*/*"], None, Some("jpeg")).map(|_| ());
    assert_eq!(transfer_syntax, Err(AcceptError::TransferSyntax(Place::TransferSyntaxQuery)));
}

#[test]
fn what_a_request_accepts_is_bounded() {
    let ranges = |count: usize| vec!["a/b"; count].join(",");
    assert!(Acceptable::parse([ranges(64).as_str()], None, None).is_ok());
    for headers in [vec![ranges(65)], vec![ranges(40), ranges(40)], vec![format!("a/b;c={}", "d".repeat(8192))]] {
        let read = Acceptable::parse(headers.iter().map(String::as_str), None, None);
        assert_eq!(read.map(|_| ()), Err(AcceptError::TooLong));
    }
    let commas = ",".repeat(9000);
    assert_eq!(Acceptable::parse([commas.as_str()], None, None).map(|_| ()), Err(AcceptError::TooLong));
}

proptest! {
    #[test]
    fn no_header_makes_us_panic(accept in r#"([ -~]|application/dicom|;|,|"|\\|q=|transfer-syntax=|\*|type=|é){0,60}"#) {
        if let Ok(acceptable) = Acceptable::parse([accept.as_str()], Some(&accept), None) {
            let offers = instance(&[J2K, EXPLICIT]);
            if let Some(choice) = acceptable.choose(&offers) {
                // Whatever was chosen for the response can be given to its parts too.
                prop_assert!(acceptable.syntax_of(&offers[choice.offer]).is_some());
            }
        }
    }

    #[test]
    fn a_better_quality_wins_whatever_the_order(first in 1u16..=1000, second in 1u16..=1000) {
        let quality = |thousandths: u16| format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
        let accept = format!("image/png;q={}, image/gif;q={}", quality(first), quality(second));
        let expected = if second > first { "image/gif" } else { "image/png" };
        prop_assert_eq!(chosen(&header(&accept), &rendered()), expected);
    }
}
