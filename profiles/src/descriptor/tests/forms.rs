use serde_json::json;

use super::{FORM, VALUE, check, edited, passes, refused};
use crate::descriptor::Descriptor;

#[test]
fn forms_are_held_to() {
    for id in ["", "Asagao", "-a", "a_b", "a.b", "ａ", "朝顔", &"a".repeat(64)] {
        refused("/vendor", json!(id), FORM);
        refused("/id", json!(id), FORM);
    }
    for version in ["", "1", "1.2", "01.2.3", "1.2.3-", "1.2.3-01", "v1.2.3", "1.2.3 ", "１.2.3"] {
        refused("/version", json!(version), FORM);
    }
    for version in ["0.0.0", "1.2.3-rc.1", "1.2.3-0a", "1.2.3+2025.01", "1.2.3-x-y.7+b"] {
        passes("/version", json!(version));
    }
    for (place, wrong) in [
        ("/contact/email", "nobody"),
        ("/contact/telephone", "０３"),
        ("/hooks/0/hook", "患者"),
        ("/hooks/0/id", "a/b"),
        ("/transport/baseUrl", "ai.example"),
        ("/transport/baseUrl", "ftp://ai.example"),
        ("/transport/audience", "a b"),
        ("/transport/discoveryPath", "cds"),
        ("/transport/discoveryPath", "/a?b"),
        ("/transport/overrides/contentType", "json\r\n"),
        ("/regulatory/date", "2025/01/01"),
        ("/regulatory/date", "２０２５-01-01"),
    ] {
        refused(place, json!(wrong), FORM);
    }
}

#[test]
fn japanese_text_passes_and_blank_text_does_not() {
    for text in ["全角　空白", "ﾊﾝｶｸ", "髙﨑", "改\n行\tと", "😀", "\u{a0}x"] {
        passes("/name/ja", json!(text));
    }
    for text in ["　", " ", "\n", "a\u{0}", "\u{1b}[2J", "a\u{7f}"] {
        refused("/name/ja", json!(text), FORM);
    }
    check("/name/ja", json!(""), &[("/name/ja", FORM), ("/name/ja", "it is empty or too short")]);
    refused("/name/ja", json!("あ".repeat(201)), "the text is too long");
    passes("/name/ja", json!("あ".repeat(200)));
}

#[test]
fn types_and_values_are_told_apart() {
    refused("/name", json!("NEWS2"), "it is not an object");
    refused("/vendor", json!(1), "it is not a text");
    refused("/purposes", json!("other"), "it is not a list");
    refused("/limits/concurrency", json!("32"), "it is not a whole number");
    refused("/transport/overrides/feedback", json!("yes"), "it is not true or false");
    refused("/descriptor", json!("2"), VALUE);
    refused("/transport/kind", json!("grpc"), VALUE);
    refused("/transport/authentication", json!("basic"), VALUE);
    refused("/regulatory/status", json!("pending"), VALUE);
    refused("/purposes/0", json!("診断支援"), VALUE);
    refused("/purposes", json!([]), "it is empty or too short");
    check("/purposes/0", json!("risk-prediction"), &[("/purposes", "something is listed twice")]);
    refused("/hooks", json!([]), "neither hooks nor images are described");
}

#[test]
fn limits_are_bounded() {
    for (name, least, most) in [
        ("deadlineMs", 50, 30_000),
        ("concurrency", 1, 1024),
        ("requestBytes", 1024, 8 << 20),
        ("responseBytes", 1024, 8 << 20),
    ] {
        let place = format!("/limits/{name}");
        passes(&place, json!(least));
        passes(&place, json!(most));
        refused(&place, json!(least - 1), "the number is too small");
        refused(&place, json!(most + 1), "the number is too large");
        refused(&place, json!(-1), "the number is too small");
        refused(&place, json!(1e300), "the number is too large");
    }
    refused("/limits/deadlineMs", json!(800.5), "it is not a whole number");
    let with_fraction = edited("/limits/deadlineMs", Some(json!(800.0)));
    let faults = Descriptor::check(&with_fraction).unwrap_err();
    assert!(faults[0].mend.contains("whole numbers"), "{faults:?}");
}
