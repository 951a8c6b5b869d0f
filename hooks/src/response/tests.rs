use super::Response;

fn check(input: &str, expect: &str) {
    let response: Response = serde_json::from_str(input).unwrap();
    assert_eq!(String::from_utf8(response.to_bytes()).unwrap(), expect);
}

#[test]
fn no_guidance_is_an_empty_list_of_cards() {
    check(r#"{"cards":[]}"#, r#"{"cards":[]}"#);
    assert_eq!(Response::empty().to_bytes(), br#"{"cards":[]}"#);
}

#[test]
fn absent_and_empty_members_are_not_written() {
    check(
        r#"{"cards":[{"summary":"s","detail":"","indicator":"info","source":{"label":"l","url":null},"links":[],"suggestions":[]}],"systemActions":[],"extension":{}}"#,
        r#"{"cards":[{"summary":"s","indicator":"info","source":{"label":"l"}}]}"#,
    );
}

#[test]
fn resources_and_extensions_leave_as_they_came() {
    let card = r#"{"cards":[{"summary":"減量","indicator":"warning","source":{"label":"腎機能"},"suggestions":[{"label":"減量する","actions":[{"type":"update","description":"d","resource":{"resourceType":"MedicationRequest", "dose":1.00,"_x":[null, {"a":"　"}]}}]}],"selectionBehavior":"any","extension":{"com.example.weight":[1.50, {}]}}]}"#;
    check(card, card);
}

#[test]
fn debug_shows_no_content() {
    let response: Response = serde_json::from_str(
        r#"{"cards":[{"summary":"SECRET","detail":"SECRET","indicator":"critical","source":{"label":"SECRET"},
            "suggestions":[{"label":"SECRET","actions":[{"type":"create","description":"SECRET","resource":{"id":"SECRET"}}]}],
            "links":[{"label":"SECRET","url":"https://SECRET","type":"smart"}],"overrideReasons":[{"code":"SECRET"}]}]}"#,
    )
    .unwrap();
    let shown = format!("{response:?} {:?} {:?}", response.cards[0].suggestions, response.cards[0].links);
    assert!(!shown.contains("SECRET"), "{shown}");
}
