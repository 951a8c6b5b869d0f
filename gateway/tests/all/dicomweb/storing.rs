//! STOW-RS (PS3.18 §10.5).

use std::time::Duration;

use dicom_dictionary_std::tags;
use http::StatusCode;
use medvan_imaging::VR;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use super::{
    instances::{EXPLICIT, capture, capture_path, chest, file_of, path, read, series},
    pacs::{Pacs, body, parts, related},
};

const GARBAGE: &[u8] = b"this is no instance";

/// A capture with this text.
fn commented(number: u32, comment: &str) -> Vec<u8> {
    let mut data_set = capture(number);
    data_set.put_bytes(tags::IMAGE_COMMENTS, VR::LT, comment);
    file_of(&data_set, EXPLICIT, &[])
}

#[tokio::test]
async fn a_study_is_stored_with_a_module_that_names_each_instance() {
    let pacs = Pacs::open().await;
    let answer = pacs.sends(chest().files()).await.was_stored();
    assert_eq!((answer.content_type(), answer.stored()), ("application/dicom+json", 3));
    let module = answer.json();
    let study = format!("{}/studies/{}", pacs.root(), chest().study_uid());
    assert_eq!(module["00081190"], json!({"vr": "UR", "Value": [study]}));
    let first = &module["00081199"]["Value"][0];
    assert_eq!(first["00081190"]["Value"][0], format!("{}{}", pacs.root(), path(&chest(), 1)));
    assert_eq!(first["00081155"]["Value"][0], chest().instance_uid(1).as_str());
    let members: Vec<&String> = module.as_object().unwrap().keys().collect();
    assert_eq!(members, ["00081190", "00081199"]);
}

#[tokio::test]
async fn instances_come_in_every_packaging() {
    let slice = || chest().file(1);
    let bare = || parts([("", slice())]);
    let octets = || parts([("content-TYPE: application/octet-stream\r\nContent-Length: 7\r\n", slice())]);
    let framed = || [b"preamble\r\n".to_vec(), body([slice()]), b"\r\nepilogue".to_vec()].concat();
    let boundary = related("application/dicom");
    let typeless = boundary.replace("type=\"application/dicom\"; ", "");
    let unquoted = boundary.replace("\"application/dicom\"", "application/dicom");
    for (what, content_type, body) in [
        ("one by itself", "application/dicom", slice()),
        ("a part", &boundary, body([slice()])),
        ("an unquoted type", &unquoted, body([slice()])),
        ("no type", &typeless, body([slice()])),
        ("a part without a type", &boundary, bare()),
        ("a part of octets with a wrong length", &boundary, octets()),
        ("a preamble and an epilogue", &boundary, framed()),
    ] {
        let pacs = Pacs::open().await;
        let answer = pacs.posts("/studies", content_type, body).await;
        assert_eq!((answer.status, answer.stored()), (StatusCode::OK, 1), "{what}: {}", answer.text());
        let back = pacs.gets(&path(&chest(), 1)).accepting("application/dicom").await;
        assert!(back.body == slice(), "{what}");
    }
}

#[tokio::test]
async fn an_instance_comes_as_json_with_its_bulk_data() {
    let pacs = Pacs::open().await;
    let uid = |value: &str| json!({"vr": "UI", "Value": [value]});
    let object = json!([{
        "00080005": {"vr": "CS", "Value": ["ISO_IR 100"]},
        "00080016": uid("1.2.840.10008.5.1.4.1.1.66"), "00080018": uid("1.2.3.1.5"),
        "0020000D": uid("1.2.3"), "0020000E": uid("1.2.3.1"),
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Miyamoto^Hanako", "Ideographic": "宮本^花子"}]},
        "00420011": {"vr": "OB", "BulkDataURI": "bulk/1"},
    }]);
    let whole = || {
        parts([
            ("Content-Type: application/dicom+json\r\n", object.to_string().into_bytes()),
            ("Content-Type: application/octet-stream\r\nContent-Location: bulk/1\r\n", b"\r\n--long--\r\n".to_vec()),
        ])
    };
    pacs.posts("/studies", &related("application/dicom+json"), whole()).await.was_stored();
    let back = pacs.gets(&capture_path(5)).accepting("application/dicom").await.expect(StatusCode::OK);
    assert_eq!(read(&back.body).data_set.bytes(tags::ENCAPSULATED_DOCUMENT), Some(&b"\r\n--long--\r\n"[..]));
    assert_eq!(pacs.finds("studies", "PatientName=宮本*").await.len(), 1);
}

#[tokio::test]
async fn instances_come_as_xml_each_with_its_bulk_data_and_a_broken_one_costs_no_other() {
    let pacs = Pacs::open().await;
    let element = |tag: &str, vr: &str, inside: &str| {
        format!("<DicomAttribute tag=\"{tag}\" vr=\"{vr}\">{inside}</DicomAttribute>")
    };
    let value = |tag: &str, vr: &str, value: &str| element(tag, vr, &format!("<Value number=\"1\">{value}</Value>"));
    let name = "<PersonName number=\"1\"><Alphabetic><FamilyName>Miyamoto</FamilyName></Alphabetic>\
         <Ideographic><FamilyName>宮本</FamilyName><GivenName>花子</GivenName></Ideographic></PersonName>";
    let document = |number: u32| {
        let inside = [
            value("00080016", "UI", "1.2.840.10008.5.1.4.1.1.66"),
            value("00080018", "UI", &format!("1.2.3.1.{number}")),
            element("00100010", "PN", name),
            value("0020000D", "UI", "1.2.3"),
            value("0020000E", "UI", "1.2.3.1"),
            element("00420011", "OB", &format!("<BulkData uri=\"bulk/{number}\"/>")),
        ];
        format!("<NativeDicomModel xml:space=\"preserve\">{}</NativeDicomModel>", inside.concat()).into_bytes()
    };
    const XML: &str = "Content-Type: application/dicom+xml\r\n";
    let whole = parts([
        (XML, document(1)),
        (XML, b"<NativeDicomModel>".to_vec()),
        (XML, document(2)),
        ("Content-Type: application/octet-stream\r\nContent-Location: bulk/1\r\n", b"first ".to_vec()),
        ("Content-Type: application/octet-stream\r\nContent-Location: bulk/2\r\n", b"second".to_vec()),
    ]);
    let answer = pacs.posts("/studies", &related("application/dicom+xml"), whole).await.expect(StatusCode::ACCEPTED);
    assert_eq!((answer.stored(), answer.reasons("0008119A")), (2, vec![0xC001]));
    for (number, bytes) in [(1, b"first "), (2, b"second")] {
        let back = pacs.gets(&capture_path(number)).accepting("application/dicom").await.expect(StatusCode::OK);
        assert_eq!(read(&back.body).data_set.bytes(tags::ENCAPSULATED_DOCUMENT), Some(&bytes[..]));
    }
    assert_eq!(pacs.finds("studies", "PatientName=宮本*").await.len(), 1);
}

#[tokio::test]
async fn a_photograph_that_comes_as_bulk_data_becomes_the_pixels_of_an_image_that_can_be_shown() {
    let pacs = Pacs::open().await;
    pacs.stores(&chest()).await;
    let drawn = pacs.gets(&format!("{}/rendered", path(&chest(), 1))).accepting("image/jpeg").await;
    let photograph = drawn.expect(StatusCode::OK).body.to_vec();
    let uid = |value: &str| json!({"vr": "UI", "Value": [value]});
    let object = json!([{
        "00080016": uid("1.2.840.10008.5.1.4.1.1.77.1.4"), "00080018": uid("1.2.3.1.5"),
        "0020000D": uid("1.2.3"), "0020000E": uid("1.2.3.1"), "00100020": {"vr": "LO", "Value": ["P"]},
        "7FE00010": {"vr": "OW", "BulkDataURI": "photograph"},
    }]);
    let whole = parts([
        ("Content-Type: application/dicom+json\r\n", object.to_string().into_bytes()),
        ("Content-Type: image/jpeg\r\nContent-Location: photograph\r\n", photograph.clone()),
    ]);
    pacs.posts("/studies", &related("application/dicom+json"), whole).await.was_stored();
    let stored = pacs.gets(&capture_path(5)).accepting("application/dicom; transfer-syntax=*").await;
    let stored = read(&stored.expect(StatusCode::OK).body);
    assert_eq!(stored.head.syntax.uid().as_str(), "1.2.840.10008.1.2.4.50");
    assert_eq!(stored.data_set.unsigned_short(tags::ROWS), Some(32));
    let frame = pacs.gets(&format!("{}/frames/1", capture_path(5))).accepting("image/jpeg; transfer-syntax=*").await;
    // A fragment has an even length.
    assert_eq!(frame.expect(StatusCode::OK).body[..photograph.len()], photograph[..]);
    pacs.gets(&format!("{}/rendered", capture_path(5))).accepting("image/png").await.expect(StatusCode::OK);
}

#[tokio::test]
async fn bulk_data_that_is_named_ever_again_does_not_fill_the_disk() {
    let pacs = Pacs::open().await;
    let uid = |value: &str| json!({"vr": "UI", "Value": [value]});
    let objects: Vec<serde_json::Value> = (1..=20)
        .map(|number| {
            json!({
                "00080016": uid("1.2.840.10008.5.1.4.1.1.66"), "00080018": uid(&format!("1.2.3.1.{number}")),
                "0020000D": uid("1.2.3"), "0020000E": uid("1.2.3.1"),
                "00420011": {"vr": "OB", "BulkDataURI": "bulk"},
            })
        })
        .collect();
    let whole = parts([
        ("Content-Type: application/dicom+json\r\n", json!(objects).to_string().into_bytes()),
        ("Content-Type: application/octet-stream\r\nContent-Location: bulk\r\n", vec![7; 1 << 20]),
    ]);
    let answer = pacs.posts("/studies", &related("application/dicom+json"), whole).await.expect(StatusCode::ACCEPTED);
    // What a few instances share is no reason to refuse them.
    assert_eq!(answer.stored(), 4);
    assert!(pacs.bytes_kept() < 5 << 20);
}

#[tokio::test]
async fn compressed_pixels_that_nothing_describes_are_refused() {
    // Lossless, three components: it says nowhere whether it is RGB. Then: as many lines as its end will tell.
    let stream = |process: u8, rows: u8, components: u8| {
        let mut stream = vec![0xFF, 0xD8, 0xFF, 0xC0 + process, 0, 8 + 3 * components, 8, 0, rows, 0, 8, components];
        stream.extend(std::iter::repeat_n(1, usize::from(components) * 3));
        stream
    };
    for (jpeg, photometric, is_stored) in [
        (stream(3, 8, 3), None, false),
        (stream(3, 8, 3), Some("RGB"), true),
        (stream(0, 8, 4), None, false),
        (stream(0, 0, 1), None, false),
        (stream(0, 8, 3), None, true),
    ] {
        let uid = |value: &str| json!({"vr": "UI", "Value": [value]});
        let mut object = json!({
            "00080016": uid("1.2.840.10008.5.1.4.1.1.77.1.4"), "00080018": uid("1.2.3.1.5"),
            "0020000D": uid("1.2.3"), "0020000E": uid("1.2.3.1"),
            "7FE00010": {"vr": "OW", "BulkDataURI": "photograph"},
        });
        if let Some(photometric) = photometric {
            object["00280004"] = json!({"vr": "CS", "Value": [photometric]});
        }
        let whole = parts([
            ("Content-Type: application/dicom+json\r\n", json!([object]).to_string().into_bytes()),
            ("Content-Type: image/jpeg\r\nContent-Location: photograph\r\n", jpeg.clone()),
        ]);
        let pacs = Pacs::open().await;
        let answer = pacs.posts("/studies", &related("application/dicom+json"), whole).await;
        assert_eq!(answer.stored() == 1, is_stored, "{jpeg:?} {}", answer.text());
    }
}

#[tokio::test]
async fn a_body_of_another_kind_is_refused() {
    let pacs = Pacs::open().await;
    for (content_type, status) in [
        ("multipart/related; type=\"image/jpeg\"; boundary=b", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("multipart/form-data; boundary=b", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("application/json", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("multipart/related; type=\"application/dicom\"", StatusCode::BAD_REQUEST),
    ] {
        pacs.posts("/studies", content_type, body([chest().file(1)])).await.expect(status);
    }
    assert!(pacs.finds("studies", "").await.is_empty());
}

#[tokio::test]
async fn a_broken_part_costs_no_other_and_never_makes_a_500() {
    let good = || commented(1, "good");
    let no_uid = || {
        let mut data_set = capture(2);
        data_set.put_bytes(tags::SERIES_INSTANCE_UID, VR::UI, "not a uid");
        file_of(&data_set, EXPLICIT, &[])
    };
    let cut = || good()[..good().len() - 3].to_vec();
    for (what, files, status, stored, known, unknown) in [
        ("good and garbage", vec![good(), GARBAGE.to_vec()], 202, 1, vec![], vec![0xC000]),
        ("good and no UID", vec![no_uid(), good()], 202, 1, vec![0xA900], vec![]),
        ("garbage", vec![GARBAGE.to_vec(), Vec::new()], 400, 0, vec![], vec![0xC000, 0xC000]),
        ("no UID", vec![no_uid()], 409, 0, vec![0xA900], vec![]),
        ("cut short", vec![cut()], 400, 0, vec![], vec![]),
    ] {
        let pacs = Pacs::open().await;
        let answer = pacs.sends(files).await;
        assert_eq!((answer.status.as_u16(), answer.stored()), (status, stored), "{what}: {}", answer.text());
        if what != "cut short" {
            assert_eq!((answer.reasons("00081198"), answer.reasons("0008119A")), (known, unknown), "{what}");
        }
        assert_eq!(pacs.finds("instances", "").await.len(), stored, "{what}");
        assert!(answer.header("warning").contains(&pacs.root()), "{what}: {:?}", answer.headers);
    }
}

#[tokio::test]
async fn an_instance_of_another_study_than_the_paths_fails_alone() {
    let pacs = Pacs::open().await;
    let study = format!("/studies/{}", chest().study_uid());
    let mixed = pacs.sends_to(&study, [chest().file(1), commented(1, "other")]).await.expect(StatusCode::ACCEPTED);
    assert_eq!((mixed.stored(), mixed.reasons("00081198")), (1, vec![0xA901]));
    let other = pacs.sends_to(&study, [commented(1, "other")]).await.expect(StatusCode::CONFLICT);
    assert_eq!(other.stored(), 0);
    assert_eq!(pacs.finds("studies", "").await.len(), 1);
    pacs.sends_to("/studies/not-a-uid", [chest().file(1)]).await.expect(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_same_again_is_a_success_and_no_second_instance() {
    let pacs = Pacs::open().await;
    pacs.stores(&chest()).await;
    assert!(pacs.bytes_kept() >= chest().files().map(|file| file.len() as u64).sum());
    for _ in 0..2 {
        assert_eq!(pacs.sends(chest().files()).await.was_stored().stored(), 3);
    }
    assert_eq!(pacs.finds("instances", "").await.len(), 3);
}

#[tokio::test]
async fn another_content_under_a_known_uid_is_refused_kept_out_or_put_in_its_place() {
    let (old, new) = (commented(1, "first"), commented(1, "second"));
    for (on_conflict, status, expected) in [
        (Value::Null, StatusCode::CONFLICT, &old),
        (json!("refuse"), StatusCode::CONFLICT, &old),
        (json!("keep"), StatusCode::OK, &old),
        (json!("replace"), StatusCode::OK, &new),
    ] {
        let mut imaging = json!({"aeTitle": "KIKU"});
        if !on_conflict.is_null() {
            imaging["onConflict"] = on_conflict.clone();
        }
        let pacs = Pacs::with(imaging).await;
        pacs.sends([old.clone()]).await.was_stored();
        let answer = pacs.sends([new.clone()]).await.expect(status);
        let reasons = if status == StatusCode::CONFLICT { vec![0x0111] } else { vec![] };
        assert_eq!(answer.reasons("00081198"), reasons, "{on_conflict}");
        let back = pacs.gets(&capture_path(1)).accepting("application/dicom").await;
        assert!(back.body == *expected, "{on_conflict}");
        assert_eq!(pacs.finds("instances", "").await.len(), 1);
    }
}

#[tokio::test]
async fn values_that_break_their_vr_do_not_prevent_storing() {
    let pacs = Pacs::open().await;
    let mut data_set = capture(1);
    data_set.put_bytes(tags::STUDY_DATE, VR::DA, "yesterday");
    data_set.put_bytes(tags::SERIES_NUMBER, VR::IS, "1A");
    data_set.put_bytes(tags::PATIENT_SEX, VR::CS, "very long and lower");
    let file = file_of(&data_set, EXPLICIT, &[]);
    pacs.sends([file.clone()]).await.expect_success();
    assert_eq!(pacs.finds("studies", "PatientID=C-1").await.len(), 1);
    pacs.gets("/studies/1.2.3/metadata").await.expect(StatusCode::OK).json();
    let back = pacs.gets(&capture_path(1)).accepting("application/dicom").await;
    assert!(back.body == file);
}

#[tokio::test]
async fn the_answer_comes_in_the_form_asked_for_or_nothing_is_stored() {
    let pacs = Pacs::open().await;
    let post = |accept: &'static str, file: Vec<u8>| {
        let request = super::pacs::http().post(format!("{}/studies", pacs.root())).header("accept", accept);
        request.header("content-type", "application/dicom").body(file).send()
    };
    let refused = post("text/html", commented(1, "x")).await.unwrap();
    assert_eq!(refused.status(), StatusCode::NOT_ACCEPTABLE);
    assert!(pacs.finds("instances", "").await.is_empty());
    let answer = post("application/dicom+xml", commented(1, "x")).await.unwrap();
    assert_eq!(
        (answer.status(), &answer.headers()["content-type"]),
        (StatusCode::OK, &"application/dicom+xml".parse().unwrap())
    );
    assert!(answer.text().await.unwrap().contains("keyword=\"ReferencedSOPSequence\""));
}

/// The last part has come but for its delimiter when the connection breaks.
#[tokio::test]
async fn of_a_connection_that_breaks_the_finished_parts_stay() {
    let pacs = Pacs::open().await;
    let whole = body(chest().files());
    let sent = &whole[..whole.len() - 30];
    let host = pacs.url().trim_start_matches("http://");
    let mut socket = tokio::net::TcpStream::connect(host).await.unwrap();
    let head = format!(
        "POST /hospitals/kiku/dicom-web/studies HTTP/1.1\r\nHost: {host}\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
        related("application/dicom"),
        whole.len()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(sent).await.unwrap();
    socket.shutdown().await.unwrap();
    drop(socket);
    let mut found = 0;
    for _ in 0..100 {
        found = pacs.finds("instances", "").await.len();
        if found > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(found, 2);
    pacs.gets(&path(&chest(), 2)).await.expect(StatusCode::OK);
    pacs.gets(&path(&chest(), 3)).await.expect(StatusCode::NOT_FOUND);
    assert_eq!(pacs.sends(chest().files()).await.was_stored().stored(), 3);
    assert_eq!(pacs.finds(&format!("{}/instances", &series(&chest())[1..]), "").await.len(), 3);
}
