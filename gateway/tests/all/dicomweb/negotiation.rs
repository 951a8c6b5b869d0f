//! In which form an answer leaves (PS3.18 §8.7), and what every service tells about itself (§8.9).

use dicom_dictionary_std::tags;
use http::{Method, StatusCode};

use super::{
    instances::{EXPLICIT, FRAMES, RLE, VIDEO, capture_path, chest, compressed, path, read},
    pacs::Pacs,
};

const DICOM: &str = "multipart/related; type=\"application/dicom\"";

/// The transfer syntax of the one part of an answer, as its head and as its file say it.
async fn syntax(pacs: &Pacs, path: &str, accept: &str) -> String {
    let answer = pacs.gets(path).accepting(accept).await.expect(StatusCode::OK);
    let parts = answer.parts();
    let syntax = read(&parts[0].body).head.syntax.uid().to_string();
    assert_eq!(parts[0].media(), format!("application/dicom; transfer-syntax={syntax}"));
    syntax
}

#[tokio::test]
async fn without_a_wish_an_image_leaves_uncompressed_and_with_a_star_as_it_is_stored() {
    let pacs = Pacs::open().await;
    let stored = compressed(1, RLE);
    pacs.sends([stored.clone()]).await.was_stored();
    let path = capture_path(1);
    assert_eq!(syntax(&pacs, &path, DICOM).await, EXPLICIT);
    let plain = pacs.gets(&path).accepting("application/dicom").await.expect(StatusCode::OK);
    assert_eq!(plain.header("content-length"), plain.body.len().to_string());
    let plain = read(&plain.body);
    assert_eq!(plain.data_set.bytes(tags::PIXEL_DATA), Some(&FRAMES.concat()[..]));
    for wish in ["*", RLE] {
        let accept = format!("application/dicom; transfer-syntax={wish}");
        let answer = pacs.gets(&path).accepting(&accept).await.expect(StatusCode::OK);
        assert!(answer.body == stored, "{wish}");
    }
}

#[tokio::test]
async fn what_is_acceptable_is_said_in_the_header_or_in_the_query() {
    let pacs = Pacs::open().await;
    pacs.sends([compressed(1, RLE)]).await.was_stored();
    let path = capture_path(1);
    let whole = |syntax: &str| format!("application/dicom; transfer-syntax={syntax}");
    for (query, accept, expected) in [
        ("", "application/dicom; transfer-syntax=*", whole(RLE)),
        ("?accept=application/dicom;transfer-syntax=*", "*/*", whole(RLE)),
        ("?accept=application/dicom%3B%20transfer-syntax%3D*", "text/html", whole(RLE)),
        ("?transferSyntax=1.2.840.10008.1.2.5", "application/dicom", whole(RLE)),
        ("", "text/html, application/dicom;q=0.5, */*;q=0.1", whole(EXPLICIT)),
        ("", "application/dicom+json, application/dicom;transfer-syntax=*", whole(RLE)),
    ] {
        let answer = pacs.gets(&format!("{path}{query}")).accepting(accept).await.expect(StatusCode::OK);
        assert_eq!(answer.content_type(), expected, "{query} {accept}");
    }
    let unquoted = "multipart/related; type=application/dicom; transfer-syntax=*";
    assert_eq!(syntax(&pacs, &path, unquoted).await, RLE);
    let both = "application/dicom+json, multipart/related; type=application/octet-stream; transfer-syntax=*";
    let metadata = pacs.gets(&format!("{path}/metadata")).accepting(both).await.expect(StatusCode::OK);
    assert_eq!(metadata.content_type(), "application/dicom+json");
}

#[tokio::test]
async fn what_is_not_offered_is_not_acceptable_and_a_wildcard_is_the_default() {
    let pacs = Pacs::open().await;
    pacs.stores(&chest()).await;
    let one = path(&chest(), 1);
    let metadata = format!("{one}/metadata");
    let frames = format!("{one}/frames/1");
    let rendered = format!("{one}/rendered");
    for (path, wrong, default) in [
        (one.as_str(), "application/pdf", DICOM),
        (&metadata, "application/pdf", "application/dicom+json"),
        ("/studies", "text/csv", "application/dicom+json"),
        (&frames, "image/jp2", "multipart/related; type=\"application/octet-stream\""),
        (&rendered, "image/webp", "image/jpeg"),
    ] {
        pacs.gets(path).accepting(wrong).await.expect(StatusCode::NOT_ACCEPTABLE);
        for accept in ["*/*", &format!("{wrong}, */*;q=0.1")] {
            let answer = pacs.gets(path).accepting(accept).await.expect(StatusCode::OK);
            assert!(answer.content_type().starts_with(default), "{path}: {}", answer.content_type());
        }
    }
}

#[tokio::test]
async fn text_leaves_compressed_for_whoever_accepts_that_and_pixels_do_not() {
    let pacs = Pacs::open().await;
    pacs.stores(&chest()).await;
    let one = path(&chest(), 1);
    for (path, accept, encoding) in [
        (format!("{one}/metadata"), "*/*", "gzip"),
        (format!("{one}/metadata"), "multipart/related; type=\"application/dicom+xml\"", "gzip"),
        ("/instances?includefield=all".to_owned(), "*/*", "gzip"),
        (one.clone(), "*/*", ""),
        (format!("{one}/frames/1"), "*/*", ""),
        (format!("{one}/rendered"), "*/*", ""),
    ] {
        // The client would open it without a word otherwise.
        let answer = pacs.gets(&path).accepting(accept).with("accept-encoding", "gzip").await.expect(StatusCode::OK);
        assert_eq!(answer.header("content-encoding"), encoding, "{path}");
        if encoding == "gzip" {
            let plain = pacs.gets(&path).accepting(accept).with("accept-encoding", "identity").await;
            assert!(answer.body.len() < plain.body.len() / 2, "{path}: {} bytes", answer.body.len());
        }
    }
}

#[tokio::test]
async fn parameters_that_are_not_known_are_ignored() {
    let pacs = Pacs::open().await;
    pacs.stores(&chest()).await;
    let one = path(&chest(), 1);
    for below in [one.clone(), format!("{one}/metadata"), format!("{one}/frames/1"), format!("{one}/rendered")] {
        pacs.gets(&format!("{below}?colour=blue&cachebuster=1")).await.expect(StatusCode::OK);
    }
    assert_eq!(pacs.finds("studies", "cachebuster=1").await.len(), 1);
}

#[tokio::test]
async fn the_root_tells_what_there_is() {
    let pacs = Pacs::open().await;
    pacs.stores(&chest()).await;
    for root in ["", "/"] {
        let wadl = pacs.asks(Method::OPTIONS, root).await.expect(StatusCode::OK);
        assert_eq!(wadl.content_type(), "application/vnd.sun.wadl+xml");
        assert!(wadl.text().contains("<resource path=\"studies\">"));
    }
    let told = pacs.asks(Method::OPTIONS, "/").accepting("application/json").await.expect(StatusCode::OK).json();
    let resources = told["application"]["resources"].as_array().unwrap();
    let paths: Vec<&str> = resources.iter().map(|resource| resource["path"].as_str().unwrap()).collect();
    let work = serde_json::to_string(&super::workitems::work()).unwrap();
    pacs.posts("/workitems?workitem=1.2.3", "application/dicom+json", work).await.expect(StatusCode::CREATED);
    for resource in resources {
        // What is sent to, and not read, is there if it does not like nothing.
        if resource["methods"][0]["name"] != "GET" {
            let path = resource["path"].as_str().unwrap().replace("{workitem}", "1.2.3").replace("{aetitle}", "AI");
            if path.ends_with("/suspend") {
                let subscribers = path.trim_end_matches("/suspend");
                pacs.asks(Method::POST, subscribers).await.expect(StatusCode::CREATED);
                pacs.asks(Method::POST, &path).await.expect(StatusCode::OK);
                continue;
            }
            let method = resource["methods"][0]["name"].as_str().unwrap().parse().unwrap();
            let answer = pacs.asks(method, &path).await;
            let heard = [StatusCode::BAD_REQUEST, StatusCode::ACCEPTED, StatusCode::CREATED];
            assert!(heard.contains(&answer.status), "{path}");
            continue;
        }
        let path = resource["path"].as_str().unwrap().replace("{workitem}", "1.2.3");
        let path = path.replace("{study}", chest().study_uid().as_str());
        let path = path.replace("{series}", chest().series_uid().as_str());
        let path = path.replace("{instance}", chest().instance_uid(1).as_str());
        let path = path.replace("{path}", "7FE00010").replace("{frames}", "1");
        // A WebSocket is there if it misses the wish to upgrade.
        let there = if path.starts_with("/subscribers") { StatusCode::BAD_REQUEST } else { StatusCode::OK };
        pacs.gets(&path).await.expect(there);
    }
    for last in ["frames/{frames}", "pixeldata", "rendered", "thumbnail", "bulkdata/{path}", "metadata"] {
        assert!(paths.iter().any(|path| path.ends_with(last)), "{last}");
    }
}

#[tokio::test]
async fn parts_of_an_answer_say_what_they_are_and_where() {
    let pacs = Pacs::open().await;
    pacs.stores(&chest()).await;
    let one = path(&chest(), 1);
    let answer = pacs.gets(&format!("{one}/frames/1")).await.expect(StatusCode::OK);
    let (head, boundary) = answer.content_type().split_once("boundary=").unwrap();
    assert_eq!(head, "multipart/related; type=\"application/octet-stream\"; ");
    let end = format!("\r\n--{}--", boundary.trim_matches('"'));
    assert!(answer.body.trim_ascii_end().ends_with(end.as_bytes()));
    let parts = answer.parts();
    assert_eq!(parts[0].media(), format!("application/octet-stream; transfer-syntax={EXPLICIT}"));
    let location = parts[0].head.content_location.clone().unwrap();
    assert_eq!(location, format!("{}{one}/frames/1", pacs.root()));
    assert_eq!(pacs.gets(&location).await.parts()[0].body, parts[0].body);
}

#[tokio::test]
async fn head_tells_what_get_would() {
    let pacs = Pacs::open().await;
    pacs.stores(&chest()).await;
    let one = path(&chest(), 1);
    for (path, accept) in [
        (one.as_str(), "application/dicom"),
        (&format!("{one}/metadata"), "*/*"),
        (&format!("{one}/rendered"), "image/png"),
        ("/studies", "*/*"),
        ("/studies/1.2.3", "*/*"),
        ("/studies", "image/png"),
    ] {
        let got = pacs.gets(path).accepting(accept).await;
        let told = pacs.asks(Method::HEAD, path).accepting(accept).await;
        assert_eq!((told.status, told.content_type(), told.body.len()), (got.status, got.content_type(), 0), "{path}");
        assert_eq!(told.header("etag"), got.header("etag"));
    }
}

#[tokio::test]
async fn metadata_is_known_by_its_tag_until_something_is_added() {
    let pacs = Pacs::open().await;
    pacs.sends([chest().file(1)]).await.was_stored();
    let path = format!("/studies/{}/metadata", chest().study_uid());
    let first = pacs.gets(&path).await.expect(StatusCode::OK);
    let tag = first.header("etag");
    for known in [tag.to_owned(), format!("\"other\", {tag}"), "*".to_owned()] {
        let again = pacs.gets(&path).with("if-none-match", &known).await.expect(StatusCode::NOT_MODIFIED);
        assert!(again.body.is_empty());
    }
    pacs.gets(&path).with("if-none-match", "\"other\"").await.expect(StatusCode::OK);
    pacs.sends([chest().file(2)]).await.was_stored();
    let more = pacs.gets(&path).with("if-none-match", tag).await.expect(StatusCode::OK);
    assert_eq!(more.json().as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn json_is_unicode_and_the_character_set_stays_that_of_the_source() {
    let pacs = Pacs::open().await;
    pacs.stores(&chest()).await;
    let metadata = pacs.gets(&format!("{}/metadata", path(&chest(), 1))).await.expect(StatusCode::OK).json();
    assert_eq!(metadata[0]["00080005"]["Value"], serde_json::json!([null, "ISO 2022 IR 87"]));
    assert_eq!(metadata[0]["00100010"]["Value"][0]["Ideographic"], "宮本^花子");
    assert_eq!(metadata[0]["00081030"]["Value"][0], "胸部CT");
}

#[tokio::test]
async fn an_image_that_cannot_be_decoded_leaves_as_it_is_stored_or_not_at_all() {
    let pacs = Pacs::open().await;
    let stored = compressed(1, VIDEO);
    pacs.sends([stored.clone()]).await.was_stored();
    let path = capture_path(1);
    let wish = format!("application/dicom; transfer-syntax={EXPLICIT}");
    pacs.gets(&path).accepting(&wish).await.expect(StatusCode::NOT_ACCEPTABLE);
    for accept in ["application/dicom; transfer-syntax=*", "application/dicom"] {
        let answer = pacs.gets(&path).accepting(accept).await.expect(StatusCode::OK);
        assert!(answer.body == stored, "{accept}");
    }
}
