use std::collections::HashSet;

use super::{CODES, clinical, find};

#[test]
fn there_are_six_categories_and_twenty_nine_codes_each_once() {
    let categories = CODES.iter().filter(|reason| reason.category.is_none()).count();
    let codes: HashSet<_> = CODES.iter().map(|reason| reason.code).collect();
    assert_eq!((categories, CODES.len(), codes.len()), (6, 35, 35));
}

#[test]
fn every_code_stands_below_a_category_of_the_list() {
    for category in CODES.iter().filter_map(|reason| reason.category) {
        assert_eq!(find(category).unwrap().category, None, "{category}");
    }
}

#[test]
fn the_value_set_for_the_point_of_care_holds_twelve() {
    assert_eq!(clinical().count(), 12);
    assert!(clinical().any(|reason| reason.code == "patient-refuses"));
}

#[test]
fn a_coding_carries_system_code_and_display() {
    let coding = find("policy-contradicts").unwrap().coding();
    let written = serde_json::to_value(coding).unwrap();
    assert_eq!(
        written,
        serde_json::json!({
            "code": "policy-contradicts",
            "system": "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes",
            "display": "Institutional policy/guideline contradicts the recommended action"
        })
    );
}
