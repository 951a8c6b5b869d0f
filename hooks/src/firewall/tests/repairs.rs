//! What can be mended in one way is mended, and noted.

use serde_json::{Value, json};

use super::{card_with, put, put_answer, suggestion_with};

/// `card` leaves as `expected`, with these repairs and nothing held back.
fn check(card: Value, expected: Value, repairs: &[&str]) {
    let (answer, noted, quarantined) = put(card);
    assert_eq!(answer["cards"][0], expected);
    assert_eq!(noted, repairs);
    assert!(quarantined.is_empty(), "{quarantined:?}");
}

#[test]
fn an_answer_that_obeys_leaves_as_it_came() {
    let card = card_with(json!({
        "uuid": "not-a-uuid", "detail": "**K 6.8**, `<5.0`", "selectionBehavior": "at-most-one",
        "source": {"label": "腎機能", "url": "https://example.com/a", "icon": "https://img.hospital.example/i.png",
                   "topic": {"system": "urn:x", "code": "k"}},
        "suggestions": [{"label": "l", "isRecommended": true, "actions": [{"type": "delete", "description": "d", "resourceId": "ServiceRequest/1"}]}],
        "overrideReasons": [{"code": "c", "system": "urn:x", "display": "d"}],
        "links": [{"label": "l", "url": "https://example.com/launch", "type": "smart", "appContext": "{\"a\":1}", "autolaunchable": true}],
        "extension": {"com.example.x": {"a": [1.50, {"b": 0}]}}
    }));
    check(card.clone(), card, &[]);
}

#[test]
fn empty_members_are_left_out() {
    check(
        card_with(
            json!({"detail": "", "links": [], "suggestions": null, "extension": {}, "overrideReasons": [{}, null]}),
        ),
        card_with(json!({})),
        &[
            "empty-member@cards[0].suggestions",
            "empty-member@cards[0].links",
            "empty-member@cards[0].detail",
            "empty-member@cards[0].overrideReasons[0]",
            "empty-member@cards[0].overrideReasons[1]",
            "empty-member@cards[0].extension",
        ],
    );
}

#[test]
fn empty_values_inside_an_extension_go_without_touching_the_rest() {
    check(
        card_with(json!({"extension": {"a": {"x": 1, "y": null}, "b": {"z": {"q": ""}}, "c": [1, null]}})),
        card_with(json!({"extension": {"a": {"x": 1}}})),
        &["empty-member@cards[0].extension", "empty-member@cards[0].extension", "empty-member@cards[0].extension"],
    );
}

#[test]
fn unknown_members_and_wrong_kinds_are_left_out() {
    check(
        card_with(json!({"uuid": 7, "severity": "high", "links": "none"})),
        card_with(json!({})),
        &["wrong-kind@cards[0].links", "wrong-kind@cards[0].uuid", "unknown-member@cards[0]"],
    );
}

#[test]
fn a_topic_that_is_no_coding_costs_no_card() {
    check(
        card_with(json!({"source": {"label": "l", "topic": "potassium"}})),
        card_with(json!({"source": {"label": "l"}})),
        &["wrong-kind@cards[0].source.topic"],
    );
}

#[test]
fn a_missing_selection_behavior_becomes_at_most_one() {
    check(
        card_with(json!({"suggestions": [{"label": "l"}]})),
        card_with(json!({"suggestions": [{"label": "l"}], "selectionBehavior": "at-most-one"})),
        &["selection-behavior-missing@cards[0].selectionBehavior"],
    );
}

#[test]
fn of_several_recommended_alternatives_none_is_marked() {
    let of = |recommended: bool| {
        let suggestion = if recommended { json!({"label": "l", "isRecommended": true}) } else { json!({"label": "l"}) };
        card_with(json!({"selectionBehavior": "at-most-one", "suggestions": [suggestion, suggestion]}))
    };
    check(of(true), of(false), &["several-recommended@cards[0].suggestions"]);
}

#[test]
fn a_summary_of_140_characters_is_short_enough() {
    let card = card_with(json!({"summary": "薬".repeat(140)}));
    check(card.clone(), card, &[]);
}

#[test]
fn a_long_summary_is_cut_and_kept_whole_in_the_detail() {
    let long = "薬*".repeat(71);
    let (answer, repairs, _) = put(card_with(json!({"summary": long, "detail": "more"})));
    let card = &answer["cards"][0];
    assert_eq!(card["summary"], format!("{}…", "薬*".repeat(69)));
    assert_eq!(card["detail"], format!("{}\n\nmore", "薬\\*".repeat(71)));
    assert_eq!(repairs, ["summary-too-long@cards[0].summary"]);
}

#[test]
fn a_cut_never_parts_a_character_from_its_marks() {
    let summary = format!("{}か\u{3099}{}", "あ".repeat(137), "い".repeat(9));
    let (answer, _, _) = put(card_with(json!({"summary": summary})));
    assert_eq!(answer["cards"][0]["summary"], format!("{}…", "あ".repeat(137)));
}

#[test]
fn what_is_created_has_no_id_yet() {
    let create = json!({"type": "create", "description": "d", "resource": {"resourceType": "ServiceRequest"}});
    let mut named = create.clone();
    named["resourceId"] = json!("ServiceRequest/1");
    check(
        suggestion_with(named),
        suggestion_with(create),
        &["resource-id-on-create@cards[0].suggestions[0].actions[0].resourceId"],
    );
}

#[test]
fn a_delete_by_resource_becomes_a_delete_by_reference() {
    let delete = |members: Value| {
        let mut action = json!({"type": "delete", "description": "d"});
        action.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        suggestion_with(action)
    };
    let place = "delete-by-resource@cards[0].suggestions[0].actions[0].resource";
    let expected = delete(json!({"resourceId": "ServiceRequest/1"}));
    check(delete(json!({"resource": "ServiceRequest/1"})), expected.clone(), &[place]);
    check(delete(json!({"resource": {"resourceType": "ServiceRequest", "id": "1"}})), expected, &[place]);
}

#[test]
fn an_action_without_description_takes_the_label_of_its_suggestion() {
    let action = json!({"type": "delete", "resourceId": "ServiceRequest/1"});
    let described = json!({"type": "delete", "resourceId": "ServiceRequest/1", "description": "中止する"});
    check(
        suggestion_with(action),
        suggestion_with(described),
        &["action-description@cards[0].suggestions[0].actions[0].description"],
    );
}

#[test]
fn app_context_on_an_absolute_link_is_left_out() {
    let link = |context: Value| {
        let mut link = json!({"label": "l", "url": "https://example.com/", "type": "absolute"});
        link.as_object_mut().unwrap().extend(context.as_object().unwrap().clone());
        card_with(json!({"links": [link]}))
    };
    check(link(json!({"appContext": "x"})), link(json!({})), &["app-context-on-absolute@cards[0].links[0].appContext"]);
}

#[test]
fn the_source_leads_only_where_the_hospital_allows() {
    check(
        card_with(
            json!({"source": {"label": "l", "url": "https://evil.example/", "icon": "data:image/png;base64,AA", "topic": {"code": "k"}}}),
        ),
        card_with(json!({"source": {"label": "l"}})),
        &[
            "source-target@cards[0].source.url",
            "source-target@cards[0].source.icon",
            "topic-incomplete@cards[0].source.topic",
        ],
    );
}

#[test]
fn a_reason_of_the_common_code_system_gets_its_words() {
    let system = crate::override_reason::SYSTEM;
    let words = crate::override_reason::find("patient-refuses").unwrap().display;
    check(
        card_with(json!({"overrideReasons": [{"code": "patient-refuses", "system": system}]})),
        card_with(json!({"overrideReasons": [{"code": "patient-refuses", "system": system, "display": words}]})),
        &["override-reason-incomplete@cards[0].overrideReasons[0].display"],
    );
}

#[test]
fn a_critical_card_cannot_be_hidden_by_an_autolaunch() {
    let card = |indicator: &str, autolaunch: Value| {
        let mut link = json!({"label": "l", "url": "https://example.com/", "type": "smart"});
        link.as_object_mut().unwrap().extend(autolaunch.as_object().unwrap().clone());
        card_with(json!({"indicator": indicator, "links": [link]}))
    };
    let hiding = json!({"autolaunchable": true});
    check(card("critical", hiding.clone()), card("critical", json!({})), &["autolaunch-on-critical@cards[0].links"]);
    check(card("warning", hiding.clone()), card("warning", hiding), &[]);
}

#[test]
fn markup_in_the_detail_is_shown_as_text() {
    check(
        card_with(json!({"detail": "<script>alert(1)</script> ![p](https://example.com/p.gif)"})),
        card_with(json!({"detail": "&lt;script>alert(1)&lt;/script> p"})),
        &["markdown@cards[0].detail"],
    );
}

#[test]
fn a_detail_without_end_is_cut() {
    let (answer, repairs, _) = put(card_with(json!({"detail": "あ".repeat(40_000)})));
    assert_eq!(answer["cards"][0]["detail"].as_str().unwrap().chars().count(), 32_767);
    assert_eq!(repairs, ["detail-too-long@cards[0].detail"]);
}

#[test]
fn system_actions_in_the_extension_move_beside_the_cards() {
    let action = json!({"type": "delete", "resourceId": "ServiceRequest/1"});
    let (answer, repairs, quarantined) = put_answer(json!({
        "cards": [], "systemActions": [action], "extension": {"systemActions": [action], "com.example.x": 1}
    }));
    assert_eq!(answer, json!({"cards": [], "systemActions": [action], "extension": {"com.example.x": 1}}));
    assert_eq!(repairs, ["system-actions-place@extension.systemActions"]);
    assert!(quarantined.is_empty());
}
