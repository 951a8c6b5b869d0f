use indexmap::IndexMap;
use medvan_hooks::firewall::{Policy, check};
use serde_json::{Value, json};

use super::noted;
use crate::call::explanation::{ServiceNote, Status};

fn blank() -> ServiceNote {
    ServiceNote {
        service: "asagao.news2".to_owned(),
        version: "1.0.0".to_owned(),
        mode: "live",
        status: Status::Answered,
        sent: IndexMap::new(),
        fetched: Vec::new(),
        omitted: IndexMap::new(),
        request_bytes: 0,
        response_bytes: None,
        elapsed_ms: 0.0,
        cards: 0,
        repairs: Vec::new(),
        quarantined: Vec::new(),
        unlisted: 0,
        re_emitted: false,
    }
}

/// The explanation of an answer of so many cards that are none.
fn told(useless_cards: usize) -> Value {
    let policy = Policy { patient_id: None, link_hosts: &[], loopback: false, system_actions: &[] };
    let body = json!({"cards": vec![7; useless_cards]}).to_string();
    let mut note = blank();
    noted(check(body.as_bytes(), &policy).unwrap(), &mut note);
    serde_json::to_value(&note).unwrap()
}

#[test]
fn what_the_check_did_not_list_is_counted() {
    let note = told(300);
    assert_eq!((note["quarantined"].as_array().map(Vec::len), &note["unlisted"]), (Some(256), &json!(300 - 256)));
    assert_eq!(told(1).get("unlisted"), None);
}
