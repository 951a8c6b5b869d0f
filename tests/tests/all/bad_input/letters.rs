//! The tables of single requests. Each row starts from a good `order-sign` call and changes one thing.

use serde_json::{Value, json};

use super::authorization;
use crate::world::Letter;

type Bend = for<'a> fn(Letter<'a>, Value) -> Letter<'a>;

/// What is wrong, the status it gets, the place that the reason names, and how it is made wrong.
pub(super) const BAD: &[(&str, u16, &str, Bend)] = &[
    // item 11
    ("plain text", 415, "", |letter, good| letter.with("content-type", "text/plain").saying(good.to_string())),
    ("XML", 415, "", |letter, _| letter.with("content-type", "application/xml").saying("<a/>")),
    ("a form", 415, "", |letter, _| letter.with("content-type", "application/x-www-form-urlencoded").saying("a=b")),
    ("multipart", 415, "", |letter, _| letter.with("content-type", "multipart/form-data; boundary=x").saying("--x--")),
    ("text that is said to be JSON", 415, "", |letter, good| {
        letter.with("content-type", "text/json").saying(good.to_string())
    }),
    ("no content type", 415, "", |letter, good| letter.without("content-type").saying(good.to_string())),
    ("zstd", 415, "", |letter, good| letter.with("content-encoding", "zstd").saying(good.to_string())),
    ("two encodings", 415, "", |letter, good| letter.with("content-encoding", "gzip, gzip").saying(good.to_string())),
    // not what two JSON readers read alike: check 25
    ("nothing", 400, "", |letter, _| letter.saying("")),
    ("half a request", 400, "", |letter, good| letter.saying(good.to_string().split_at(40).0)),
    ("more after the end", 400, "", |letter, good| letter.saying(format!("{good}{{}}"))),
    ("a byte order mark", 400, "", |letter, good| letter.saying(format!("\u{feff}{good}"))),
    ("UTF-16", 400, "", |letter, good| {
        letter.saying(good.to_string().encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>())
    }),
    ("Shift_JIS", 400, "", |letter, _| letter.saying(b"{\"hook\":\"\x94\xe9\x96\xa7\"}".as_slice())),
    ("a lone surrogate", 400, "", |letter, good| letter.saying(with_raw(&good, r#""\ud83d""#))),
    ("NaN", 400, "", |letter, good| letter.saying(with_raw(&good, "NaN"))),
    ("Infinity", 400, "", |letter, good| letter.saying(with_raw(&good, "-Infinity"))),
    ("a number beyond all doubles", 400, "", |letter, good| letter.saying(with_raw(&good, "1e999"))),
    ("a number with a leading zero", 400, "", |letter, good| letter.saying(with_raw(&good, "007"))),
    ("a comment", 400, "", |letter, good| letter.saying(format!("/* 秘密 */{good}"))),
    ("a member twice", 400, "", |letter, good| {
        letter.saying(good.to_string().replacen('{', r#"{"hook":"order-sign","#, 1))
    }),
    ("a patient twice", 400, "", |letter, good| {
        letter.saying(good.to_string().replace(r#""patientId":"#, r#""patientId":"hanako","patientId":"#))
    }),
    ("a member twice by escapes", 400, "", |letter, good| {
        letter.saying(good.to_string().replace(r#""patientId":"#, r#""\u0070atientId":"hanako","patientId":"#))
    }),
    ("broken gzip", 400, "", |letter, good| letter.with("content-encoding", "gzip").saying(good.to_string())),
    // not an object
    ("an array", 400, "", |letter, good| letter.saying(json!([good]).to_string())),
    ("null", 400, "", |letter, _| letter.saying("null")),
    ("a string", 400, "", |letter, _| letter.saying(r#""秘密""#)),
    ("an empty object", 400, "hook", |letter, _| letter.saying("{}")),
    // item 12
    ("no hook", 400, "hook", |letter, good| letter.saying(without(good, "/hook"))),
    ("another hook", 400, "hook", |letter, good| letter.saying(with(good, "/hook", json!("patient-view")))),
    ("an unknown hook", 400, "hook", |letter, good| letter.saying(with(good, "/hook", json!("秘密-view")))),
    ("a hook that is a number", 400, "hook", |letter, good| letter.saying(with(good, "/hook", json!(7)))),
    ("an empty hook", 400, "hook", |letter, good| letter.saying(with(good, "/hook", json!("")))),
    // item 13
    ("no hookInstance", 400, "hookInstance", |letter, good| letter.saying(without(good, "/hookInstance"))),
    ("an endless hookInstance", 400, "hookInstance", |letter, good| {
        letter.saying(with(good, "/hookInstance", json!("秘密".repeat(1000))))
    }),
    ("a hookInstance with a line feed", 400, "hookInstance", |letter, good| {
        letter.saying(with(good, "/hookInstance", json!("a\r\nX: 秘密")))
    }),
    // item 14
    ("authorization without a server", 400, "fhirServer", |letter, good| {
        letter.saying(with(good, "/fhirAuthorization", authorization()))
    }),
    // item 15
    ("no context", 400, "context", |letter, good| letter.saying(without(good, "/context"))),
    ("a context that is a string", 400, "context", |letter, good| letter.saying(with(good, "/context", json!("秘密")))),
    ("no patient", 400, "context.patientId", |letter, good| letter.saying(without(good, "/context/patientId"))),
    ("no user", 400, "context.userId", |letter, good| letter.saying(without(good, "/context/userId"))),
    ("no orders", 400, "context.draftOrders", |letter, good| letter.saying(without(good, "/context/draftOrders"))),
    ("orders that are no Bundle", 400, "context.draftOrders", |letter, good| {
        letter.saying(with(good, "/context/draftOrders", json!({"resourceType": "List"})))
    }),
    ("a user without type", 400, "context.userId", |letter, good| {
        letter.saying(with(good, "/context/userId", json!("himitsu-0451")))
    }),
    // item 29: ids end in queries and paths
    ("a patient with its type", 400, "context.patientId", |letter, good| patient(letter, good, "Patient/himitsu-0451")),
    ("a patient with a query", 400, "context.patientId", |letter, good| patient(letter, good, "himitsu-0451&_count=9")),
    ("a patient with a path", 400, "context.patientId", |letter, good| patient(letter, good, "../himitsu-0451")),
    ("a patient that is an expression", 400, "context.patientId", |letter, good| {
        patient(letter, good, "{{context.userId}}")
    }),
    ("a patient of nothing", 400, "context.patientId", |letter, good| patient(letter, good, "")),
    ("a patient in another script", 400, "context.patientId", |letter, good| patient(letter, good, "秘密")),
    ("a patient that is a number", 400, "context.patientId", |letter, good| {
        letter.saying(with(good, "/context/patientId", json!(451)))
    }),
    // item 16
    ("a prefetch that is an array", 400, "prefetch", |letter, good| letter.saying(with(good, "/prefetch", json!([1])))),
    ("a prefetch value that is no resource", 400, "prefetch.patient", |letter, good| {
        letter.saying(with(good, "/prefetch", json!({"patient": "秘密"})))
    }),
    ("a prefetch key that is a name", 400, "prefetch[0]", |letter, good| {
        letter.saying(with(good, "/prefetch", json!({"秘密　太郎": "himitsu-0451"})))
    }),
    ("an extension that is a list", 400, "extension", |letter, good| {
        letter.saying(with(good, "/extension", json!(["秘密"])))
    }),
    // fhirAuthorization, items 30 to 33
    ("authorization without a token", 400, "fhirAuthorization.access_token", |letter, good| {
        authorized(letter, good, |authorization| {
            authorization.as_object_mut().unwrap().remove("access_token");
        })
    }),
    ("a token that would end its header", 400, "fhirAuthorization.access_token", |letter, good| {
        authorized(letter, good, |authorization| authorization["access_token"] = json!("himitsu-token\r\nX: y"))
    }),
    ("a token of another type", 400, "fhirAuthorization.token_type", |letter, good| {
        authorized(letter, good, |authorization| authorization["token_type"] = json!("mac"))
    }),
    ("a lifetime in words", 400, "fhirAuthorization.expires_in", |letter, good| {
        authorized(letter, good, |authorization| authorization["expires_in"] = json!("300"))
    }),
    ("a token for another patient", 400, "fhirAuthorization.patient", |letter, good| {
        authorized(letter, good, |authorization| authorization["patient"] = json!("himitsu-0451-b"))
    }),
];

/// What is forgiven, and what the explanation says about it.
pub(super) const FORGIVEN: &[(&str, &str, Bend)] = &[
    ("a hookInstance that is no UUID", "hookInstance", |letter, good| {
        letter.saying(with(good, "/hookInstance", json!("fhir-mcp-instance")))
    }),
    ("application/fhir+json", "", |letter, good| {
        letter.with("content-type", "application/fhir+json").saying(good.to_string())
    }),
    ("a charset", "", |letter, good| {
        letter.with("content-type", "application/json; charset=utf-8").saying(good.to_string())
    }),
    ("further members", "", |letter, good| letter.saying(with(good, "/somethingNew", json!({"a": "秘密"})))),
    ("an empty prefetch value", "", |letter, good| letter.saying(with(good, "/prefetch", json!({"patient": {}})))),
    ("patient scopes that do not say which", "fhirAuthorization.patient", |letter, good| {
        authorized(letter, good, |authorization| authorization["scope"] = json!("patient/*.read"))
    }),
];

fn with(mut request: Value, place: &str, value: Value) -> String {
    let (parent, name) = place.rsplit_once('/').unwrap();
    request.pointer_mut(parent).unwrap()[name] = value;
    request.to_string()
}

fn without(mut request: Value, place: &str) -> String {
    let (parent, name) = place.rsplit_once('/').unwrap();
    request.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    request.to_string()
}

/// A member with a value that no JSON writer writes.
fn with_raw(request: &Value, raw: &str) -> String {
    request.to_string().replacen('{', &format!(r#"{{"x":{raw},"#), 1)
}

fn patient<'a>(letter: Letter<'a>, good: Value, id: &str) -> Letter<'a> {
    letter.saying(with(good, "/context/patientId", json!(id)))
}

/// With access to the registered server, bent.
fn authorized<'a>(letter: Letter<'a>, mut good: Value, bend: impl FnOnce(&mut Value)) -> Letter<'a> {
    good["fhirServer"] = json!(letter.fhir_server());
    good["fhirAuthorization"] = authorization();
    bend(&mut good["fhirAuthorization"]);
    letter.saying(good.to_string())
}
