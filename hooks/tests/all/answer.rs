//! The members of an answer against the attribute tables of CDS Hooks 2.0 ("CDS Service Response"), written here by hand:
//! whatever a service sends, each member that reaches an EHR is there when it must be, and of its type.

use medvan_hooks::firewall::{Checked, Policy, check};
use serde_json::{Value, json};

/// One line of an attribute table.
struct Row {
    /// Where in the card.
    place: &'static str,
    need: Need,
    form: Form,
}

#[derive(Clone, Copy, PartialEq)]
enum Need {
    /// Without it this part of the card (empty: the whole card) is held back.
    Required(&'static str),
    /// Without it the gateway knows only one thing it can mean.
    Mended(&'static str),
    Optional,
}

#[derive(Clone, Copy)]
enum Form {
    Text,
    /// An absolute URL.
    Url,
    Flag,
    Object,
    List,
    /// One of these words.
    Code(&'static [&'static str]),
}

#[rustfmt::skip]
const TABLE: &[Row] = &[
    Row { place: "/uuid", need: Need::Optional, form: Form::Text },
    Row { place: "/summary", need: Need::Required(""), form: Form::Text },
    Row { place: "/detail", need: Need::Optional, form: Form::Text },
    Row { place: "/indicator", need: Need::Required(""), form: Form::Code(&["info", "warning", "critical"]) },
    Row { place: "/source", need: Need::Required(""), form: Form::Object },
    Row { place: "/suggestions", need: Need::Optional, form: Form::List },
    Row { place: "/selectionBehavior", need: Need::Mended("at-most-one"), form: Form::Code(&["at-most-one", "any"]) },
    Row { place: "/overrideReasons", need: Need::Optional, form: Form::List },
    Row { place: "/links", need: Need::Optional, form: Form::List },

    Row { place: "/source/label", need: Need::Required(""), form: Form::Text },
    Row { place: "/source/url", need: Need::Optional, form: Form::Url },
    Row { place: "/source/icon", need: Need::Optional, form: Form::Url },
    Row { place: "/source/topic", need: Need::Optional, form: Form::Object },
    Row { place: "/source/topic/code", need: Need::Required("/source/topic"), form: Form::Text },
    Row { place: "/source/topic/system", need: Need::Required("/source/topic"), form: Form::Text },
    Row { place: "/source/topic/display", need: Need::Optional, form: Form::Text },

    Row { place: "/suggestions/0/label", need: Need::Required("/suggestions/0"), form: Form::Text },
    Row { place: "/suggestions/0/uuid", need: Need::Optional, form: Form::Text },
    Row { place: "/suggestions/0/isRecommended", need: Need::Optional, form: Form::Flag },
    Row { place: "/suggestions/0/actions", need: Need::Optional, form: Form::List },

    Row { place: "/suggestions/0/actions/0/type", need: Need::Required("/suggestions/0"), form: Form::Code(&["create"]) },
    Row { place: "/suggestions/0/actions/0/description", need: Need::Mended("処方する"), form: Form::Text },
    Row { place: "/suggestions/0/actions/0/resource", need: Need::Required("/suggestions/0"), form: Form::Object },

    Row { place: "/overrideReasons/0/code", need: Need::Required("/overrideReasons/0"), form: Form::Text },
    Row { place: "/overrideReasons/0/system", need: Need::Required("/overrideReasons/0"), form: Form::Text },
    Row { place: "/overrideReasons/0/display", need: Need::Required("/overrideReasons/0"), form: Form::Text },

    Row { place: "/links/0/label", need: Need::Required("/links/0"), form: Form::Text },
    Row { place: "/links/0/url", need: Need::Required("/links/0"), form: Form::Url },
    Row { place: "/links/0/type", need: Need::Required("/links/0"), form: Form::Code(&["smart"]) },
    Row { place: "/links/0/appContext", need: Need::Optional, form: Form::Text },
];

/// A card with every member of every table.
fn full_card() -> Value {
    let create = json!({"type": "create", "description": "オーダーを作成", "resource": {"resourceType": "ServiceRequest", "status": "draft"}});
    json!({
        "uuid": "card-1",
        "summary": "腎機能を確認してください",
        "detail": "**eGFR** 28",
        "indicator": "warning",
        "source": {
            "label": "腎機能サービス", "url": "https://example.com/about", "icon": "https://example.com/icon.png",
            "topic": {"code": "renal", "system": "https://example.com/topics", "display": "腎機能"}
        },
        "suggestions": [{"label": "処方する", "uuid": "s-1", "isRecommended": true, "actions": [create]}],
        "selectionBehavior": "any",
        "overrideReasons": [{"code": "r", "system": "https://example.com/reasons", "display": "確認済み"}],
        "links": [{"label": "開く", "url": "https://example.com/launch", "type": "smart", "appContext": "a"}],
    })
}

fn checked(card: &Value) -> Checked {
    let hosts = ["example.com".to_owned()];
    let policy = Policy { patient_id: Some("p-1"), link_hosts: &hosts, loopback: false, system_actions: &[] };
    check(json!({"cards": [card]}).to_string().as_bytes(), &policy).expect("an answer")
}

/// The card as it leaves, null if it does not, and whether anything was noted.
fn leaves(card: &Value) -> (Value, bool) {
    let checked = checked(card);
    let answer: Value = serde_json::from_slice(&checked.response.to_bytes()).expect("JSON");
    let is_noted = !checked.repairs.is_empty() || !checked.quarantined.is_empty();
    (answer["cards"].get(0).cloned().unwrap_or_default(), is_noted)
}

fn set(card: &mut Value, place: &str, value: Value) {
    *card.pointer_mut(place).expect(place) = value;
}

/// Takes a member, or an element of a list, away; what is empty then goes with it.
fn remove(card: &mut Value, place: &str) {
    let (parent, name) = place.rsplit_once('/').expect("a place below the card");
    let parent_is_empty = match card.pointer_mut(parent).expect(place) {
        Value::Array(list) => {
            list.remove(name.parse().expect("an index"));
            list.is_empty()
        }
        object => object.as_object_mut().expect(place).remove(name).is_none(),
    };
    if parent_is_empty {
        remove(card, parent);
    }
}

/// The card that is left when this part of it is held back.
fn without(part: &str) -> Value {
    let mut card = full_card();
    match part {
        "" => return Value::Null,
        _ => remove(&mut card, part),
    }
    card
}

impl Form {
    /// Values of other JSON types, and words that mean nothing.
    fn wrong(self) -> Vec<Value> {
        let all = [json!("words"), json!(7), json!(true), json!({"a": 1}), json!([7])];
        let is_right = |value: &Value| match self {
            Self::Text => value.is_string(),
            Self::Flag => value.is_boolean(),
            Self::Object => false,
            Self::List => value.is_array(),
            Self::Url | Self::Code(_) => false,
        };
        let mut wrong: Vec<Value> = all.into_iter().filter(|value| !is_right(value)).collect();
        if let Self::Url = self {
            wrong.extend([json!("/relative"), json!("//example.com/a"), json!("example.com/a")]);
        }
        wrong
    }
}

#[test]
fn a_card_with_every_member_leaves_as_it_came() {
    assert_eq!(leaves(&full_card()), (full_card(), false));
}

#[test]
fn an_optional_member_may_be_left_out() {
    for row in TABLE.iter().filter(|row| row.need == Need::Optional) {
        let mut card = full_card();
        remove(&mut card, row.place);
        assert_eq!(leaves(&card), (card, false), "{}", row.place);
    }
}

#[test]
fn what_lacks_a_required_member_does_not_leave() {
    for row in TABLE {
        for nothing in [None, Some(Value::Null), Some(json!("")), Some(json!([])), Some(json!({}))] {
            let mut card = full_card();
            match &nothing {
                None => remove(&mut card, row.place),
                Some(empty) => set(&mut card, row.place, empty.clone()),
            }
            let expect = match row.need {
                Need::Optional => without(row.place),
                Need::Required(part) => without(part),
                Need::Mended(value) => {
                    let mut card = full_card();
                    set(&mut card, row.place, json!(value));
                    card
                }
            };
            let (left, is_noted) = leaves(&card);
            assert_eq!(left, expect, "{} {nothing:?}", row.place);
            assert!(is_noted || nothing.is_none() && row.need == Need::Optional, "{} {nothing:?}", row.place);
        }
    }
}

#[test]
fn no_member_leaves_in_another_type_than_its_own() {
    for row in TABLE {
        for wrong in row.form.wrong() {
            let mut card = full_card();
            set(&mut card, row.place, wrong.clone());
            let (left, is_noted) = leaves(&card);
            assert!(is_noted, "{} = {wrong}", row.place);
            assert_ne!(left.pointer(row.place), Some(&wrong), "{}", row.place);
            if let Need::Required(part) = row.need {
                assert_eq!(left, without(part), "{} = {wrong}", row.place);
            }
        }
    }
}

#[test]
fn every_word_of_a_code_leaves_as_it_came() {
    for row in TABLE {
        let Form::Code(words) = row.form else { continue };
        for word in words {
            let mut card = full_card();
            set(&mut card, row.place, json!(word));
            assert_eq!(leaves(&card), (card, false), "{}", row.place);
        }
    }
}

/// The words that change what else must be there.
#[test]
fn each_kind_of_action_and_link_leaves_in_its_own_shape() {
    let action =
        |members: Value| json!({"selectionBehavior": "any", "suggestions": [{"label": "l", "actions": [members]}]});
    let link = |members: Value| json!({"links": [members]});
    let whole = json!({"resourceType": "ServiceRequest", "id": "1", "status": "active", "code": {"text": "採血"}});
    for members in [
        action(json!({"type": "create", "description": "d", "resource": whole})),
        action(json!({"type": "update", "description": "d", "resource": whole})),
        action(json!({"type": "delete", "description": "d", "resourceId": "ServiceRequest/1"})),
        link(json!({"label": "l", "url": "https://example.com/a/b?c=d#e", "type": "absolute"})),
        link(json!({"label": "l", "url": "https://example.com/launch", "type": "smart"})),
    ] {
        let mut card = json!({"summary": "s", "indicator": "info", "source": {"label": "l"}});
        card.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
        assert_eq!(leaves(&card), (card, false));
    }
}

/// All actions of a suggestion are one: where one cannot be done, none is offered.
#[test]
fn the_actions_of_a_suggestion_stay_together_in_their_order() {
    let delete = |id: &str| json!({"type": "delete", "description": "d", "resourceId": id});
    let mut card = full_card();
    card["suggestions"][0]["actions"] = json!([delete("Task/3"), delete("Task/1"), delete("Task/2")]);
    assert_eq!(leaves(&card), (card.clone(), false));
    card["suggestions"][0]["actions"][1] = delete("nonsense");
    assert_eq!(leaves(&card).0, without("/suggestions/0"));
}

#[test]
fn several_suggestions_may_be_recommended_only_where_any_may_be_chosen() {
    let recommended = json!({"label": "l", "isRecommended": true});
    let card = |behavior: &str| {
        let mut card = full_card();
        card["selectionBehavior"] = json!(behavior);
        card["suggestions"] = json!([recommended, recommended]);
        card
    };
    assert_eq!(leaves(&card("any")), (card("any"), false));
    let (left, is_noted) = leaves(&card("at-most-one"));
    assert!(is_noted && left["suggestions"].as_array().is_some_and(|suggestions| suggestions.len() == 2));
    assert!(left["suggestions"][0].get("isRecommended").is_none());
}
