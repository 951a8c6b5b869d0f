use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::*;

const SMALL: Limits = Limits { bytes: 200, depth: 4, values: 10 };

fn check(text: impl AsRef<[u8]>, expect: &Result<(), JsonError>) {
    assert_eq!(&scan(text.as_ref(), &SMALL), expect, "{:?}", String::from_utf8_lossy(text.as_ref()));
}

fn syntax(line: usize, column: usize) -> Result<(), JsonError> {
    Err(JsonError::Syntax { line, column })
}

#[test]
fn ordinary_texts_pass() {
    for text in
        ["null", " true ", "1.00", "-0", "\"　全角\"", "[]", "{}", r#"{"a":{"a":[{"a":1}]}}"#, r#""\ud83d\ude00""#]
    {
        check(text, &Ok(()));
    }
}

#[test]
fn what_two_parsers_may_read_differently_is_refused() {
    check("\u{feff}{}", &Err(JsonError::ByteOrderMark));
    check(r#"{"a":1,"a":2}"#, &Err(JsonError::DuplicateKey { line: 1, column: 10 }));
    check("{\"a\":1,\n\"b\":{\"c\":1,\"\\u0063\":2}}", &Err(JsonError::DuplicateKey { line: 2, column: 19 }));
    for lone in [r#""\ud83d""#, r#""\ude00""#, r#""\ud83dx""#, r#"{"\ud800":1}"#] {
        assert!(matches!(scan(lone.as_bytes(), &SMALL), Err(JsonError::Syntax { line: 1, .. })), "{lone}");
    }
    check(b"[1,\n\"\xff\"]", &syntax(2, 2));
    check("1e999", &syntax(1, 5));
}

#[test]
fn what_is_not_json_is_refused_with_its_place() {
    for text in [
        "",
        "nul",
        "NaN",
        "Infinity",
        "01",
        "+1",
        "1 2",
        "[1,]",
        "{\"a\":1,}",
        "'a'",
        "{a:1}",
        "\"\t\"",
        "[",
        "\"",
        "/**/1",
    ] {
        assert!(matches!(scan(text.as_bytes(), &SMALL), Err(JsonError::Syntax { .. })), "{text}");
    }
    check("[1,\n2 3]", &syntax(2, 3));
}

#[test]
fn the_limits_hold_to_the_last_one() {
    check(format!("\"{}\"", "a".repeat(198)), &Ok(()));
    check(format!("\"{}\"", "a".repeat(199)), &Err(JsonError::TooLong { limit: 200 }));
    check("[[[[]]]]", &Ok(()));
    check("[[[[[]]]]]", &Err(JsonError::TooDeep { limit: 4 }));
    check(r#"{"a":{"b":[{}]}}"#, &Ok(()));
    check(r#"{"a":{"b":[{"c":{}}]}}"#, &Err(JsonError::TooDeep { limit: 4 }));
    check("[1,2,3,4,5,6,7,8,9]", &Ok(()));
    check("[1,2,3,4,5,6,7,8,9,10]", &Err(JsonError::TooMany { limit: 10 }));
}

#[test]
fn a_hundred_thousand_levels_are_refused_without_recursion() {
    let deep = "[".repeat(100_000);
    assert_eq!(scan(deep.as_bytes(), &Limits::MESSAGE), Err(JsonError::TooDeep { limit: 64 }));
    let wide_open = Limits { depth: usize::MAX, ..Limits::MESSAGE };
    assert_eq!(scan(deep.as_bytes(), &wide_open), Err(JsonError::TooDeep { limit: 126 }));
    let deepest = format!("{}{}", "[".repeat(126), "]".repeat(126));
    assert_eq!(scan(deepest.as_bytes(), &wide_open), Ok(()));
}

#[test]
fn a_duplicate_is_found_in_a_large_object_too() {
    let members: Vec<String> = (0..1000).map(|n| format!("\"m{n}\":{{\"m{n}\":0}}")).collect();
    let once = format!("{{{}}}", members.join(","));
    assert_eq!(scan(once.as_bytes(), &Limits::MESSAGE), Ok(()));
    for again in [0, 23, 24, 25, 999] {
        let twice = format!("{{{},\"m{again}\":1}}", members.join(","));
        assert!(matches!(scan(twice.as_bytes(), &Limits::MESSAGE), Err(JsonError::DuplicateKey { .. })), "m{again}");
    }
}

#[test]
fn an_error_never_repeats_the_text() {
    for text in [r#"{"SECRET":1,"SECRET":2}"#, "SECRET", r#"{"SECRET" 1}"#] {
        let error = scan(text.as_bytes(), &SMALL).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("SECRET"));
    }
}

#[test]
fn debug_never_shows_the_content() {
    let json = Json::parse(br#"{"family":"SECRET"}"#, &SMALL).unwrap();
    assert_eq!(format!("{json:?}"), "Json(19 bytes)");
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    before: u8,
    resource: Json,
}

#[test]
fn a_text_leaves_another_struct_as_it_came() {
    let text = r#"{ "b":1.00 , "a":[ 1E+2,-0.0,12345678901234567890123 ], "_birthDate":null,"x":"\u3042　é" }"#;
    let resource = Json::parse(text.as_bytes(), &SMALL).unwrap();
    let written = serde_json::to_string(&Envelope { before: 1, resource: resource.clone() }).unwrap();
    assert_eq!(written, format!("{{\"before\":1,\"resource\":{text}}}"));
    assert_eq!(serde_json::from_str::<Envelope>(&written).unwrap().resource, resource);
}

#[test]
fn white_space_around_a_text_is_not_part_of_it() {
    let json = Json::parse(b"\r\n\t null \n", &SMALL).unwrap();
    assert_eq!(json.as_str(), "null");
    assert!(json.is_null());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::hash_map(".{0,4}", inner, 0..6).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = scan(&bytes, &SMALL);
        let _ = Json::parse(&bytes, &Limits::MESSAGE);
    }

    /// The scan agrees with serde_json, but for what it refuses on purpose.
    #[test]
    fn what_serde_json_reads_passes_and_nothing_else(text in r#"[\[\]{}:,"a-c0-2.eE+\- \\u\u{3000}tn]{0,12}"#) {
        match scan(text.as_bytes(), &Limits::MESSAGE) {
            Ok(()) => prop_assert!(serde_json::from_str::<Value>(&text).is_ok()),
            Err(JsonError::Syntax { .. }) => prop_assert!(serde_json::from_str::<Value>(&text).is_err()),
            Err(JsonError::DuplicateKey { .. }) => (),
            Err(other) => prop_assert!(false, "{other}"),
        }
    }

    #[test]
    fn every_value_is_kept_byte_for_byte(value in any_json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let json = Json::parse(text.as_bytes(), &Limits::MESSAGE).unwrap();
        prop_assert_eq!(json.as_str(), &text);
        prop_assert_eq!(json.value(), serde_json::from_str::<Value>(&text).unwrap());
        let written = serde_json::to_string(&Envelope { before: 0, resource: json }).unwrap();
        prop_assert_eq!(written, format!("{{\"before\":0,\"resource\":{text}}}"));
    }
}
