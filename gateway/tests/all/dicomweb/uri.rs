//! WADO-URI (PS3.18 chapter 9).

use http::StatusCode;

use super::{
    instances::{EXPLICIT, RLE, chest, compressed},
    pacs::{Answer, Pacs},
};

const CAPTURE: &str = "requestType=WADO&studyUID=1.2.3&seriesUID=1.2.3.1&objectUID=1.2.3.1.1";

fn slice() -> String {
    let (study, series, instance) = (chest().study_uid(), chest().series_uid(), chest().instance_uid(1));
    format!("requestType=WADO&studyUID={study}&seriesUID={series}&objectUID={instance}")
}

async fn filled() -> Pacs {
    let pacs = Pacs::open().await;
    pacs.stores(&chest()).await;
    pacs.sends([compressed(1, RLE)]).await.was_stored();
    pacs
}

async fn wado(pacs: &Pacs, query: &str, accept: &str) -> Answer {
    pacs.gets(&format!("{}/hospitals/kiku/wado?{query}", pacs.url())).accepting(accept).await
}

#[tokio::test]
async fn one_frame_is_a_picture_and_several_are_the_instance() {
    let pacs = filled().await;
    let slice = slice();
    for (query, accept, expected) in [
        (slice.clone(), "*/*", "image/jpeg".to_owned()),
        (format!("{slice}&contentType=image/png"), "*/*", "image/png".to_owned()),
        (slice.clone(), "image/png", "image/png".to_owned()),
        (
            format!("{slice}&contentType=image/png&rows=8&columns=8&windowCenter=0&windowWidth=9"),
            "*/*",
            "image/png".to_owned(),
        ),
        (format!("{slice}&region=0.25,0.25,0.75,0.75&imageQuality=70"), "*/*", "image/jpeg".to_owned()),
        (CAPTURE.to_owned(), "*/*", format!("application/dicom; transfer-syntax={EXPLICIT}")),
        (format!("{CAPTURE}&frameNumber=2"), "*/*", "image/jpeg".to_owned()),
        (
            format!("{CAPTURE}&contentType=application/dicom&transferSyntax={RLE}"),
            "*/*",
            format!("application/dicom; transfer-syntax={RLE}"),
        ),
    ] {
        let answer = wado(&pacs, &query, accept).await.expect(StatusCode::OK);
        assert_eq!(answer.content_type(), expected, "{query}");
    }
    let whole = wado(&pacs, &format!("{slice}&contentType=application/dicom"), "*/*").await.expect(StatusCode::OK);
    assert!(whole.body == chest().file(1));
}

#[tokio::test]
async fn a_request_that_is_not_as_it_must_be_is_refused() {
    let pacs = filled().await;
    let slice = slice();
    for query in [
        String::new(),
        slice.replace("requestType=WADO&", ""),
        slice.replace("WADO", "wado"),
        slice.replace("requestType", "requesttype"),
        slice.replace("&objectUID", "&objectuid"),
        slice.replace("studyUID=", "studyUID=x"),
        format!("{slice}&frameNumber=1"),
        format!("{slice}&windowCenter=1"),
        format!("{slice}&region=0,0,2,2"),
        format!("{CAPTURE}&frameNumber=3"),
        format!("{CAPTURE}&frameNumber=0"),
        format!("{CAPTURE}&frameNumber=1,2"),
    ] {
        wado(&pacs, &query, "*/*").await.expect(StatusCode::BAD_REQUEST);
    }
    wado(&pacs, &CAPTURE.replace("1.2.3.1.1", "1.2.3.1.9"), "*/*").await.expect(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn nothing_identified_leaves_under_anonymize() {
    let pacs = filled().await;
    for form in ["", "&contentType=application/dicom", "&contentType=image/png"] {
        let answer = wado(&pacs, &format!("{}&anonymize=yes{form}", slice()), "*/*").await;
        let answer = answer.expect(StatusCode::NOT_ACCEPTABLE);
        assert!(answer.content_type().starts_with("text/plain") && !answer.text().contains("Miyamoto"));
    }
    let state = format!("{}&presentationSeriesUID=1.2.3&presentationUID=1.2.4", slice());
    wado(&pacs, &state, "*/*").await.expect(StatusCode::NOT_ACCEPTABLE);
}
