//! What is given of all instances of a study or a series at once, and of those that are no images.

use std::io::{Cursor, Read as _};

use dicom_dictionary_std::{tags, uids};
use http::StatusCode;
use medvan_imaging::{
    VR,
    dataset::{Dataset, Element, Value},
};

use super::{
    instances::{
        EXPLICIT, FRAMES, RLE, VIDEO, capture, capture_path, chest, compressed, document, file_of, path, pdf,
        run_length, series,
    },
    pacs::Pacs,
};

/// The chest CT, and a study of two frames in RLE, of a video and of a report.
async fn filled() -> Pacs {
    let pacs = Pacs::open().await;
    pacs.stores(&chest()).await;
    pacs.sends([compressed(1, RLE), compressed(2, VIDEO), report(3)]).await.was_stored();
    pacs
}

fn code(value: &str, meaning: &str) -> Dataset {
    let mut code = Dataset::new();
    code.put_bytes(tags::CODE_VALUE, VR::SH, value);
    code.put_bytes(tags::CODING_SCHEME_DESIGNATOR, VR::SH, "DCM");
    code.put_bytes(tags::CODE_MEANING, VR::LO, meaning);
    code
}

fn items(tag: medvan_imaging::Tag, items: Vec<Dataset>) -> Element {
    Element { tag, vr: VR::SQ, value: Value::Items(items) }
}

/// A structured report with one finding, which tries to be a script.
fn report(number: u32) -> Vec<u8> {
    let mut finding = Dataset::new();
    finding.put_bytes(tags::RELATIONSHIP_TYPE, VR::CS, "CONTAINS");
    finding.put_bytes(tags::VALUE_TYPE, VR::CS, "TEXT");
    finding.put(items(tags::CONCEPT_NAME_CODE_SEQUENCE, vec![code("121071", "Finding")]));
    finding.put_bytes(tags::TEXT_VALUE, VR::UT, "nodule <script>alert(1)</script> 結節");
    let mut data_set = capture(number);
    data_set.put_bytes(tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 192");
    data_set.put_bytes(tags::SOP_CLASS_UID, VR::UI, uids::BASIC_TEXT_SR_STORAGE);
    data_set.put_bytes(tags::VALUE_TYPE, VR::CS, "CONTAINER");
    data_set.put(items(tags::CONCEPT_NAME_CODE_SEQUENCE, vec![code("126000", "Imaging Measurement Report")]));
    data_set.put(items(tags::CONTENT_SEQUENCE, vec![finding]));
    file_of(&data_set, EXPLICIT, &[])
}

fn study() -> String {
    format!("/studies/{}", chest().study_uid())
}

const OCTETS: &str = "multipart/related; type=\"application/octet-stream\"";

#[tokio::test]
async fn a_study_a_series_and_an_instance_come_as_an_archive_of_the_stored_files() {
    let pacs = filled().await;
    for (below, slices) in [(study(), vec![1, 2, 3]), (series(&chest()), vec![1, 2, 3]), (path(&chest(), 2), vec![2])] {
        let answer = pacs.gets(&below).accepting("application/zip").await.expect(StatusCode::OK);
        assert_eq!(answer.content_type(), "application/zip");
        assert!(answer.header("content-disposition").starts_with("attachment; filename=\""));
        let mut archive = zip::ZipArchive::new(Cursor::new(answer.body)).unwrap();
        assert_eq!(archive.len(), slices.len(), "{below}");
        for slice in slices {
            let name = format!("{}/{}.dcm", chest().series_uid(), chest().instance_uid(slice));
            let mut file = Vec::new();
            archive.by_name(&name).unwrap().read_to_end(&mut file).unwrap();
            assert!(file == chest().file(slice), "{below} {slice}");
        }
    }
}

#[tokio::test]
async fn whoever_leaves_while_an_archive_is_written_leaves_nothing_behind() {
    let pacs = Pacs::open().await;
    let mut data_set = capture(1);
    data_set.put_bytes(tags::ENCAPSULATED_DOCUMENT, VR::OB, vec![7; 4 << 20]);
    pacs.sends([file_of(&data_set, EXPLICIT, &[])]).await.was_stored();
    // The body of an answer to HEAD is dropped at once.
    pacs.asks(http::Method::HEAD, "/studies/1.2.3").accepting("application/zip").await.expect(StatusCode::OK);
    assert!(pacs.ends().await, "a task waits for somebody who has gone");
}

#[tokio::test]
async fn an_archive_is_given_to_whoever_prefers_it_and_in_the_syntax_asked_for() {
    let pacs = filled().await;
    let one = capture_path(1);
    for (accept, media) in [
        ("application/zip, multipart/related; type=\"application/dicom\"; q=0.5", "application/zip"),
        ("application/zip;q=0.5, multipart/related; type=\"application/dicom\"", "multipart/related"),
        ("*/*", "multipart/related"),
    ] {
        let answer = pacs.gets(&one).accepting(accept).await.expect(StatusCode::OK);
        assert!(answer.content_type().starts_with(media), "{accept}: {}", answer.content_type());
    }
    for (accept, compressed) in [
        ("application/zip", true),
        ("application/zip; transfer-syntax=*", true),
        ("application/zip; transfer-syntax=1.2.840.10008.1.2.1", false),
    ] {
        let answer = pacs.gets(&one).accepting(accept).await.expect(StatusCode::OK);
        let mut archive = zip::ZipArchive::new(Cursor::new(answer.body)).unwrap();
        let mut file = Vec::new();
        archive.by_index(0).unwrap().read_to_end(&mut file).unwrap();
        assert_eq!(super::instances::read(&file).head.syntax.is_encapsulated(), compressed, "{accept}");
    }
}

#[tokio::test]
async fn the_pixels_of_a_series_are_those_of_all_its_frames() {
    let pacs = filled().await;
    for below in [study(), series(&chest())] {
        let parts = pacs.gets(&format!("{below}/pixeldata")).accepting(OCTETS).await.expect(StatusCode::OK).parts();
        assert_eq!(parts.len(), 3);
        assert!(parts.iter().all(|part| part.body.len() == 32 * 32 * 2));
    }
    // Of a video there are no frames, and a report has none.
    let parts = pacs.gets("/studies/1.2.3/pixeldata").accepting(OCTETS).await.expect(StatusCode::OK).parts();
    let bodies: Vec<Vec<u8>> = parts.into_iter().map(|part| part.body).collect();
    assert_eq!(bodies, FRAMES.map(|frame| frame.to_vec()));
}

#[tokio::test]
async fn every_frame_of_a_study_is_drawn_as_a_part() {
    let pacs = filled().await;
    for (below, accept, media, count) in [
        (study(), "*/*", "image/jpeg", 3),
        (series(&chest()), "multipart/related; type=\"image/png\"", "image/png", 3),
        ("/studies/1.2.3".to_owned(), "*/*", "image/jpeg", 2),
        (capture_path(1), "multipart/related; type=\"image/png\"", "image/png", 2),
    ] {
        let url = format!("{below}/rendered");
        let answer = pacs.gets(&url).accepting(accept).await.expect(StatusCode::OK);
        let parts = answer.parts();
        assert_eq!(parts.len(), count, "{below}");
        assert!(parts.iter().all(|part| part.media() == media), "{below}");
        let location = parts[0].head.content_location.clone().unwrap();
        let again = pacs.gets(&location).accepting(media).await.expect(StatusCode::OK);
        assert!(again.body == parts[0].body, "{location}");
    }
    pacs.gets(&format!("{}/rendered", study())).accepting("image/jpeg").await.expect(StatusCode::NOT_ACCEPTABLE);
}

#[tokio::test]
async fn all_bulk_data_comes_under_the_urls_of_the_metadata() {
    let pacs = filled().await;
    for (below, count) in [(study(), 3), (series(&chest()), 3), (path(&chest(), 1), 1)] {
        let parts = pacs.gets(&format!("{below}/bulkdata")).accepting(OCTETS).await.expect(StatusCode::OK).parts();
        assert_eq!(parts.len(), count, "{below}");
        for part in parts {
            let alone = pacs.gets(&part.head.content_location.unwrap()).accepting("application/octet-stream").await;
            assert!(alone.expect(StatusCode::OK).body == part.body);
        }
    }
    let frames = pacs.gets(&format!("{}/bulkdata", capture_path(1))).accepting(OCTETS).await.expect(StatusCode::OK);
    assert_eq!(frames.parts().len(), 2);
    pacs.gets(&format!("{}/bulkdata", capture_path(3))).await.expect(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_report_is_a_page_in_the_readers_language_that_runs_nothing() {
    let pacs = filled().await;
    let url = format!("{}/rendered", capture_path(3));
    for (accept, language, media, words) in [
        ("*/*", "en", "text/html; charset=utf-8", "nodule &lt;script&gt;alert(1)&lt;/script&gt; 結節"),
        ("text/html", "ja", "text/html; charset=utf-8", "nodule &lt;script&gt;alert(1)&lt;/script&gt; 結節"),
        ("text/plain", "en", "text/plain; charset=utf-8", "nodule <script>alert(1)</script> 結節"),
    ] {
        let answer = pacs.gets(&url).accepting(accept).with("accept-language", language).await.expect(StatusCode::OK);
        assert_eq!((answer.content_type(), answer.header("content-language")), (media, language));
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        assert!(text.contains(words) && text.contains("Imaging Measurement Report"), "{text}");
    }
    pacs.gets(&url).accepting("image/jpeg").await.expect(StatusCode::NOT_ACCEPTABLE);
    let wado = format!(
        "{}/hospitals/kiku/wado?requestType=WADO&studyUID=1.2.3&seriesUID=1.2.3.1&objectUID=1.2.3.1.3",
        pacs.url()
    );
    let page = pacs.gets(&wado).await.expect(StatusCode::OK);
    assert_eq!(page.content_type(), "text/html; charset=utf-8");
    let instance = pacs.gets(&format!("{wado}&contentType=application/dicom")).await.expect(StatusCode::OK);
    assert!(instance.body == report(3));
}

#[tokio::test]
async fn a_document_is_rendered_as_it_is() {
    let pacs = Pacs::open().await;
    pacs.sends([document(1)]).await.was_stored();
    let answer = pacs.gets(&format!("{}/rendered", capture_path(1))).await.expect(StatusCode::OK);
    assert_eq!(answer.content_type(), "application/pdf");
    assert!(answer.body == pdf());
}

#[tokio::test]
async fn a_video_is_its_stream_in_its_own_media_type() {
    let pacs = filled().await;
    // Two fragments, one behind the other.
    let stream = FRAMES.map(|frame| run_length(frame[0])).concat();
    let metadata = pacs.gets(&format!("{}/metadata", capture_path(2))).await.expect(StatusCode::OK).json();
    let bulk = metadata[0]["7FE00010"]["BulkDataURI"].as_str().unwrap().to_owned();
    for url in [bulk.clone(), format!("{}/rendered", capture_path(2))] {
        let answer = pacs.gets(&url).accepting("video/*, */*;q=0.1").await.expect(StatusCode::OK);
        assert_eq!(answer.content_type(), "video/mp4", "{url}");
        assert!(answer.body == stream);
        // As a player asks for it, across the fragments.
        let (from, to) = (stream.len() / 2 - 3, stream.len() / 2 + 5);
        let range = format!("bytes={from}-{to}");
        let part = pacs.gets(&url).with("range", &range).await.expect(StatusCode::PARTIAL_CONTENT);
        assert!(part.body == stream[from..=to]);
    }
    let parts =
        pacs.gets(&format!("{}/bulkdata", capture_path(2))).accepting(OCTETS).await.expect(StatusCode::OK).parts();
    assert_eq!(
        parts.iter().map(|part| (part.media(), part.body.as_slice())).collect::<Vec<_>>(),
        [("video/mp4".to_owned(), &stream[..])]
    );
    pacs.gets(&format!("{}/rendered", capture_path(2)))
        .accepting("image/jpeg")
        .await
        .expect(StatusCode::NOT_ACCEPTABLE);
}
