//! Who may exchange images.

use http::{Method, StatusCode};
use medvan_fixtures::ehr::Keys;
use serde_json::{Value, json};

use super::instances::RLE;
use super::{
    instances::{capture_path, chest, compressed, path, series},
    pacs::Pacs,
};

#[tokio::test]
async fn another_hospitals_instances_are_not_there() {
    let pacs = Pacs::open().await;
    pacs.stores(&chest()).await;
    pacs.hospital("ran", json!({"aeTitle": "RAN"})).await;
    pacs.client("ran", "pacs", json!("loopback")).await;
    let there = format!("{}/hospitals/ran/dicom-web", pacs.url());
    let one = path(&chest(), 1);
    for below in
        [&one, &format!("{one}/metadata"), &format!("{one}/frames/1"), &format!("{one}/rendered"), &series(&chest())]
    {
        pacs.gets(below).await.expect_success();
        pacs.gets(&format!("{there}{below}")).await.expect(StatusCode::NOT_FOUND);
    }
    for resource in ["studies", "series", "instances"] {
        let found = pacs.gets(&format!("{there}/{resource}")).await.expect(StatusCode::OK).json();
        assert_eq!(found, json!([]), "{resource}");
    }
    let wado = format!(
        "wado?requestType=WADO&studyUID={}&seriesUID={}&objectUID={}",
        chest().study_uid(),
        chest().series_uid(),
        chest().instance_uid(1)
    );
    pacs.gets(&format!("{}/hospitals/ran/{wado}", pacs.url())).await.expect(StatusCode::NOT_FOUND);
    pacs.gets(&format!("{}/hospitals/kiku/{wado}", pacs.url())).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_page_of_another_site_that_was_led_to_this_machine_is_not_believed() {
    let pacs = Pacs::open().await;
    pacs.stores(&chest()).await;
    for (host, status) in [
        ("localhost", StatusCode::OK),
        ("127.0.0.1:8080", StatusCode::OK),
        ("[::1]:8080", StatusCode::OK),
        ("rebound.example", StatusCode::UNAUTHORIZED),
        ("127.0.0.1.rebound.example:8080", StatusCode::UNAUTHORIZED),
        ("localhost.rebound.example", StatusCode::UNAUTHORIZED),
    ] {
        pacs.gets("/studies").with("host", host).await.expect(status);
    }
}

#[tokio::test]
async fn a_hospital_without_imaging_exchanges_no_images() {
    let pacs = Pacs::open().await;
    pacs.hospital("ran", Value::Null).await;
    pacs.client("ran", "pacs", json!("loopback")).await;
    let there = format!("{}/hospitals/ran/dicom-web/studies", pacs.url());
    pacs.gets(&there).await.expect(StatusCode::NOT_FOUND);
    pacs.posts(&there, "application/dicom", chest().file(1)).await.expect(StatusCode::NOT_FOUND);
}

/// A token is good for every request until it ends, and for this root only.
#[tokio::test]
async fn a_token_is_for_the_dicom_web_root_of_one_hospital() {
    let pacs = Pacs::open().await;
    pacs.sends([compressed(1, RLE)]).await.was_stored();
    let keys = Keys::generate();
    let issuer = "https://archive.kiku.example";
    pacs.client("kiku", "archive", json!({"jwt": {"issuer": issuer, "jwks": {"keys": [keys.jwk()]}}})).await;
    let root = pacs.root();
    let token = |audience: &str, from: i64| {
        let now = medvan::clock::Clock::system().now().unix_timestamp() + from;
        let claims =
            json!({"iss": issuer, "aud": audience, "iat": now, "exp": now + 300, "jti": format!("{audience} {from}")});
        format!("Bearer {}", keys.sign(&json!({"alg": "ES384", "typ": "JWT", "kid": keys.kid()}), &claims))
    };
    let good = token(&root, 0);
    for _ in 0..2 {
        pacs.gets(&capture_path(1)).with("authorization", &good).await.expect(StatusCode::OK);
    }
    for wrong in [
        token(&format!("{}/hospitals/kiku/cds-services", pacs.url()), 0),
        token(&format!("{}/hospitals/ran/dicom-web", pacs.url()), 0),
        token(&root, -3_600),
        "Bearer nothing".to_owned(),
    ] {
        for method in [Method::GET, Method::POST] {
            let answer =
                pacs.asks(method, "/studies").with("authorization", &wrong).await.expect(StatusCode::UNAUTHORIZED);
            assert_eq!((answer.header("www-authenticate"), &answer.body[..]), ("Bearer", &b""[..]));
        }
    }
}
