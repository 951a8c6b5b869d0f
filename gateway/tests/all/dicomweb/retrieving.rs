//! WADO-RS (PS3.18 §10.4).

use dicom_dictionary_std::{tags, uids};
use http::StatusCode;
use medvan_imaging::VR;
use serde_json::Value;

use super::{
    instances::{
        EXPLICIT, FRAMES, RLE, capture, capture_path, chest, compressed, document, file_of, path, pdf, read, series,
    },
    pacs::Pacs,
};

const OCTETS: &str = "multipart/related; type=\"application/octet-stream\"";

async fn with_chest() -> Pacs {
    let pacs = Pacs::open().await;
    pacs.stores(&chest()).await;
    pacs
}

async fn with_compressed() -> Pacs {
    let pacs = Pacs::open().await;
    pacs.sends([compressed(1, RLE)]).await.was_stored();
    pacs
}

/// The numbers in the head of a PNG.
fn png_size(bytes: &[u8]) -> (u32, u32) {
    assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"));
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

#[tokio::test]
async fn what_was_stored_comes_back_byte_by_byte() {
    let pacs = with_chest().await;
    let files: Vec<Vec<u8>> = chest().files().collect();
    for below in [format!("/studies/{}", chest().study_uid()), series(&chest())] {
        let answer = pacs.gets(&below).await.expect(StatusCode::OK);
        let bodies: Vec<Vec<u8>> = answer.parts().into_iter().map(|part| part.body).collect();
        assert!(bodies == files, "{below}");
    }
    let single = pacs.gets(&path(&chest(), 2)).accepting("application/dicom").await.expect(StatusCode::OK);
    assert!(single.body == files[1]);
    assert_eq!(single.header("content-length"), files[1].len().to_string());
}

#[tokio::test]
async fn what_is_not_there_is_a_404_at_every_level() {
    let pacs = with_chest().await;
    let study = format!("/studies/{}", chest().study_uid());
    let series = series(&chest());
    let one = path(&chest(), 1);
    for below in [
        "/studies/1.2.3".to_owned(),
        "/studies/1.2.3/metadata".to_owned(),
        format!("{study}/series/1.2.3"),
        format!("{series}/instances/1.2.3"),
        format!("{series}/instances/1.2.3/frames/1"),
        format!("/studies/1.2.3/series/{}/instances/{}", chest().series_uid(), chest().instance_uid(1)),
        format!("{one}/frames/2"),
        format!("{one}/frames/1,2"),
        format!("{one}/frames/2/rendered"),
        format!("{one}/bulkdata/00420011"),
        format!("{study}/frames/1"),
        "/studies/1.2.3/rendered".to_owned(),
        format!("{study}/series/1.2.3/bulkdata"),
        "/studies/1.2.3/pixeldata".to_owned(),
    ] {
        pacs.gets(&below).await.expect(StatusCode::NOT_FOUND);
    }
    for below in
        [format!("{one}/frames/0"), format!("{one}/frames/1,,2"), format!("{one}/frames/x"), "/studies/x".to_owned()]
    {
        pacs.gets(&below).await.expect(StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn metadata_is_the_data_set_with_long_values_by_reference() {
    let pacs = with_chest().await;
    for (below, count) in
        [(format!("/studies/{}", chest().study_uid()), 3), (series(&chest()), 3), (path(&chest(), 1), 1)]
    {
        let metadata = pacs.gets(&format!("{below}/metadata")).await.expect(StatusCode::OK).json();
        let instances = metadata.as_array().unwrap().clone();
        assert_eq!(instances.len(), count, "{below}");
        for instance in &instances {
            let members = instance.as_object().unwrap();
            assert!(members.keys().all(|tag| !tag.starts_with("0002")) && members.len() > 35);
            assert!(members.keys().is_sorted());
            for (tag, element) in members {
                assert!(element["vr"].is_string());
                assert_eq!(element.get("BulkDataURI").is_some(), tag == "7FE00010", "{tag}");
            }
        }
    }
    let xml = "multipart/related; type=\"application/dicom+xml\"";
    let answer = pacs.gets(&format!("{}/metadata", series(&chest()))).accepting(xml).await.expect(StatusCode::OK);
    assert_eq!(answer.parts().len(), 3);
}

#[tokio::test]
async fn of_an_instance_that_cannot_be_read_any_more_metadata_is_what_the_index_knows() {
    let pacs = with_chest().await;
    pacs.loses_its_images();
    let metadata = pacs.gets(&format!("{}/metadata", series(&chest()))).await.expect(StatusCode::OK);
    // Restored from a copy they are others.
    assert_eq!(metadata.header("etag"), "");
    let metadata = metadata.json();
    let uids: Vec<&str> = metadata
        .as_array()
        .unwrap()
        .iter()
        .map(|instance| {
            assert_eq!(instance["0020000D"]["Value"][0], chest().study_uid().as_str());
            assert_eq!(instance["0020000E"]["Value"][0], chest().series_uid().as_str());
            assert_eq!(instance["00280010"]["Value"][0], 32);
            assert_eq!(instance["00080056"]["Value"][0], "UNAVAILABLE");
            instance["00080018"]["Value"][0].as_str().unwrap()
        })
        .collect();
    let expected: Vec<_> = (1..=3).map(|slice| chest().instance_uid(slice)).collect();
    assert_eq!(uids, expected.iter().map(medvan_imaging::Uid::as_str).collect::<Vec<_>>());
}

#[tokio::test]
async fn while_the_disk_gives_nothing_there_is_no_answer_that_looks_whole() {
    let pacs = with_chest().await;
    pacs.is_without_its_disk();
    pacs.gets(&format!("{}/metadata", series(&chest()))).await.expect(StatusCode::INTERNAL_SERVER_ERROR);
    // What only the instances themselves say cannot be searched now; what the index has can.
    let search = |key: &str| format!("{}/instances?{key}", series(&chest()));
    pacs.gets(&search("SliceThickness=1")).await.expect(StatusCode::INTERNAL_SERVER_ERROR);
    pacs.gets(&search("InstanceNumber=1")).await.expect(StatusCode::OK);
}

async fn bulk_url(pacs: &Pacs) -> String {
    let metadata: Value = pacs.gets(&format!("{}/metadata", path(&chest(), 1))).await.json();
    metadata[0]["7FE00010"]["BulkDataURI"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn bulk_data_comes_by_itself_in_parts_and_by_ranges() {
    let pacs = with_chest().await;
    let url = bulk_url(&pacs).await;
    assert!(url.starts_with(&format!("{}{}/bulkdata/", pacs.root(), path(&chest(), 1))));
    let file = chest().file(1);
    let pixels = &file[file.len() - 32 * 32 * 2..];
    let single = pacs.gets(&url).accepting("application/octet-stream").await.expect(StatusCode::OK);
    assert!(single.body == pixels);
    assert_eq!(single.header("accept-ranges"), "bytes");
    let related = pacs.gets(&url).accepting(OCTETS).await.expect(StatusCode::OK).parts();
    assert!(related[0].body == pixels);
    assert_eq!(related[0].head.content_location.as_deref(), Some(url.as_str()));
    for (range, from, to) in [("bytes=0-9", 0, 10), ("bytes=101-", 101, 2048), ("bytes=-7", 2041, 2048)] {
        let part = pacs.gets(&url).accepting("application/octet-stream").with("range", range).await;
        let part = part.expect(StatusCode::PARTIAL_CONTENT);
        assert!(part.body == pixels[from..to], "{range}");
        assert_eq!(part.header("content-range"), format!("bytes {from}-{}/2048", to - 1));
    }
    let outside = pacs.gets(&url).accepting("application/octet-stream").with("range", "bytes=2048-").await;
    assert_eq!(outside.expect(StatusCode::RANGE_NOT_SATISFIABLE).header("content-range"), "bytes */2048");
}

#[tokio::test]
async fn a_document_leaves_in_its_own_media_type() {
    let pacs = Pacs::open().await;
    pacs.sends([document(1)]).await.was_stored();
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8";
    for accept in ["application/pdf", browser, "*/*"] {
        let url = format!("{}/bulkdata/00420011", capture_path(1));
        let answer = pacs.gets(&url).accepting(accept).await.expect(StatusCode::OK);
        assert_eq!(answer.content_type(), "application/pdf", "{accept}");
        assert!(answer.body == pdf());
    }
}

#[tokio::test]
async fn frames_come_in_the_order_asked_for_each_as_a_part() {
    let pacs = with_compressed().await;
    let url = format!("{}/frames", capture_path(1));
    for (list, expected) in [("1", vec![7]), ("2,1", vec![9, 7]), ("1,2", vec![7, 9])] {
        let parts = pacs.gets(&format!("{url}/{list}")).accepting(OCTETS).await.expect(StatusCode::OK).parts();
        let bodies: Vec<Vec<u8>> = parts.into_iter().map(|part| part.body).collect();
        let expected: Vec<Vec<u8>> = expected.into_iter().map(|value| vec![value; 16]).collect();
        assert_eq!(bodies, expected, "{list}");
    }
}

#[tokio::test]
async fn pixel_data_is_every_frame() {
    let pacs = with_compressed().await;
    let url = format!("{}/pixeldata", capture_path(1));
    let parts = pacs.gets(&url).accepting(OCTETS).await.expect(StatusCode::OK).parts();
    assert_eq!(parts.into_iter().map(|part| part.body).collect::<Vec<_>>(), FRAMES);
}

#[tokio::test]
async fn a_picture_has_the_size_and_the_form_asked_for() {
    let pacs = with_chest().await;
    let one = path(&chest(), 1);
    for (query, size) in [
        ("", (32, 32)),
        ("?viewport=16,16", (16, 16)),
        ("?viewport=64,16", (16, 16)),
        ("?viewport=16,16,8,8,16,16", (16, 16)),
        ("?window=-400,1500,linear&quality=50", (32, 32)),
    ] {
        for below in ["rendered", "frames/1/rendered"] {
            let answer =
                pacs.gets(&format!("{one}/{below}{query}")).accepting("image/png").await.expect(StatusCode::OK);
            assert_eq!(png_size(&answer.body), size, "{below}{query}");
        }
    }
    let jpeg = pacs.gets(&format!("{one}/rendered")).await.expect(StatusCode::OK);
    assert!(jpeg.content_type() == "image/jpeg" && jpeg.body.starts_with(b"\xFF\xD8\xFF"));
    let narrow = pacs.gets(&format!("{one}/rendered?window=0,10,linear")).accepting("image/png").await;
    let wide = pacs.gets(&format!("{one}/rendered")).accepting("image/png").await;
    assert_ne!(narrow.body, wide.body);
    for wrong in ["quality=0", "viewport=0,1", "window=1", "window=1,2,cubic", "viewport=a,b"] {
        pacs.gets(&format!("{one}/rendered?{wrong}")).await.expect(StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn what_is_not_drawn_is_warned_of_or_not_acceptable() {
    let pacs = with_chest().await;
    let one = path(&chest(), 1);
    for query in ["annotation=patient", "iccprofile=srgb"] {
        let answer = pacs.gets(&format!("{one}/rendered?{query}")).await.expect(StatusCode::OK);
        assert!(answer.header("warning").starts_with("299 "), "{query}");
    }
    let mut state = capture(9);
    state.put_bytes(tags::SOP_CLASS_UID, VR::UI, uids::GRAYSCALE_SOFTCOPY_PRESENTATION_STATE_STORAGE);
    pacs.sends([file_of(&state, EXPLICIT, &[])]).await.was_stored();
    pacs.gets(&format!("{}/rendered", capture_path(9))).await.expect(StatusCode::NOT_ACCEPTABLE);
}

#[tokio::test]
async fn a_thumbnail_stands_for_each_level() {
    let pacs = with_chest().await;
    let one = path(&chest(), 1);
    for below in [format!("/studies/{}", chest().study_uid()), series(&chest()), one.clone(), format!("{one}/frames/1")]
    {
        let answer = pacs.gets(&format!("{below}/thumbnail?viewport=8,8")).accepting("image/png").await;
        assert_eq!(png_size(&answer.expect(StatusCode::OK).body), (8, 8), "{below}");
        let jpeg = pacs.gets(&format!("{below}/thumbnail")).await.expect(StatusCode::OK);
        assert_eq!(jpeg.content_type(), "image/jpeg");
    }
    pacs.gets(&format!("{one}/thumbnail?viewport=8,8,0,0,4,4")).await.expect(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_study_of_which_only_a_part_is_acceptable_is_partial() {
    let pacs = with_compressed().await;
    pacs.sends([file_of(&capture(2), EXPLICIT, &[])]).await.was_stored();
    let only = format!("multipart/related; type=\"application/dicom\"; transfer-syntax={RLE}");
    let answer = pacs.gets("/studies/1.2.3").accepting(&only).await.expect(StatusCode::PARTIAL_CONTENT);
    let parts = answer.parts();
    assert_eq!(parts.len(), 1);
    assert_eq!(read(&parts[0].body).head.syntax.uid().as_str(), RLE);
}
