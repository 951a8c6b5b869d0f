//! The standard's SHALLs for an answer, checked independently of the code under test: on plain JSON, from the
//! tables of CDS Hooks 2.0.1 and the invariants cds-resp-1 to cds-resp-7 of the 3.0 ballot.

use serde_json::Value;

/// Every breach, with its place; empty when the answer obeys.
pub(crate) fn breaches(answer: &[u8]) -> Vec<String> {
    let answer: Value = serde_json::from_slice(answer).unwrap();
    let mut found = Breaches(Vec::new());
    found.filled(&answer, "");
    found.only(&answer, "", &["cards", "systemActions", "extension"]);
    match answer["cards"].as_array() {
        None => found.add("cards", "missing"),
        Some(cards) => cards.iter().enumerate().for_each(|(index, card)| found.card(card, &format!("cards[{index}]"))),
    }
    for (index, action) in list(&answer["systemActions"]).iter().enumerate() {
        found.action(action, &format!("systemActions[{index}]"));
    }
    found.0
}

struct Breaches(Vec<String>);

impl Breaches {
    fn add(&mut self, place: &str, what: &str) {
        self.0.push(format!("{place}: {what}"));
    }

    fn ensure(&mut self, holds: bool, place: &str, what: &str) {
        if !holds {
            self.add(place, what);
        }
    }

    /// "JSON elements SHALL NOT be null or empty"; FHIR resources follow FHIR's own rules.
    fn filled(&mut self, value: &Value, place: &str) {
        let is_answers_cards = place == ".cards";
        match value {
            Value::Null => self.add(place, "null"),
            Value::String(text) => self.ensure(!text.is_empty(), place, "empty"),
            Value::Array(list) => {
                self.ensure(is_answers_cards || !list.is_empty(), place, "empty");
                list.iter().for_each(|element| self.filled(element, &format!("{place}[]")));
            }
            Value::Object(members) if !members.contains_key("resourceType") => {
                self.ensure(!members.is_empty(), place, "empty");
                members.iter().for_each(|(name, value)| self.filled(value, &format!("{place}.{name}")));
            }
            Value::Object(_) | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn only(&mut self, object: &Value, place: &str, names: &[&str]) {
        let members = object.as_object().unwrap();
        for name in members.keys().filter(|name| !names.contains(&name.as_str())) {
            self.add(place, &format!("unknown member {name}"));
        }
        if let Some(extension) = members.get("extension") {
            self.ensure(extension.is_object(), place, "extension is not an object");
        }
    }

    fn text(&mut self, object: &Value, place: &str, required: &[&str], optional: &[&str]) {
        for name in required {
            self.ensure(object[*name].is_string(), place, &format!("{name} missing"));
        }
        for name in optional {
            self.ensure(matches!(object[*name], Value::Null | Value::String(_)), place, &format!("{name} no string"));
        }
    }

    fn code(&mut self, value: &Value, place: &str, codes: &[&str]) {
        self.ensure(value.as_str().is_some_and(|code| codes.contains(&code)), place, "not one of the codes");
    }

    fn card(&mut self, card: &Value, place: &str) {
        self.only(
            card,
            place,
            &[
                "uuid",
                "summary",
                "detail",
                "indicator",
                "source",
                "suggestions",
                "selectionBehavior",
                "overrideReasons",
                "links",
                "extension",
            ],
        );
        self.text(card, place, &["summary"], &["uuid", "detail"]);
        self.ensure(card["summary"].as_str().unwrap_or_default().chars().count() <= 140, place, "long summary");
        self.code(&card["indicator"], place, &["info", "warning", "critical"]);
        self.source(&card["source"], &format!("{place}.source"));
        self.selection(card, place);
        for suggestion in list(&card["suggestions"]) {
            self.suggestion(suggestion, &format!("{place}.suggestions[]"));
        }
        for link in list(&card["links"]) {
            self.link(link, &format!("{place}.links[]"));
        }
        for reason in list(&card["overrideReasons"]) {
            self.coding(reason, &format!("{place}.overrideReasons[]"));
            self.ensure(reason["display"].is_string(), place, "cds-resp-4");
        }
    }

    fn source(&mut self, source: &Value, place: &str) {
        if !source.is_object() {
            return self.add(place, "missing");
        }
        self.only(source, place, &["label", "url", "icon", "topic", "extension"]);
        self.text(source, place, &["label"], &[]);
        for name in ["url", "icon"] {
            let is_absolute = |value: &Value| value.as_str().is_some_and(|text| url::Url::parse(text).is_ok());
            self.ensure(source[name].is_null() || is_absolute(&source[name]), place, "not absolute");
        }
        if !source["topic"].is_null() {
            self.coding(&source["topic"], place);
        }
    }

    fn coding(&mut self, coding: &Value, place: &str) {
        self.only(coding, place, &["code", "system", "display", "extension"]);
        self.text(coding, place, &["code", "system"], &["display"]);
    }

    fn selection(&mut self, card: &Value, place: &str) {
        let suggestions = list(&card["suggestions"]);
        if !suggestions.is_empty() || !card["selectionBehavior"].is_null() {
            self.code(&card["selectionBehavior"], &format!("{place} cds-resp-6"), &["at-most-one", "any"]);
        }
        let recommended = suggestions.iter().filter(|suggestion| suggestion["isRecommended"] == true).count();
        self.ensure(card["selectionBehavior"] != "at-most-one" || recommended <= 1, place, "cds-resp-1");
    }

    fn suggestion(&mut self, suggestion: &Value, place: &str) {
        self.only(
            suggestion,
            place,
            &["label", "uuid", "isRecommended", "actions", "actionSelectionBehavior", "extension"],
        );
        self.text(suggestion, place, &["label"], &["uuid"]);
        let recommended = &suggestion["isRecommended"];
        self.ensure(recommended.is_null() || recommended.is_boolean(), place, "isRecommended no boolean");
        if !suggestion["actionSelectionBehavior"].is_null() {
            self.code(&suggestion["actionSelectionBehavior"], place, &["all", "any", "at-most-one"]);
        }
        for action in list(&suggestion["actions"]) {
            self.action(action, place);
            self.ensure(action["description"].is_string(), place, "cds-resp-5");
        }
    }

    fn action(&mut self, action: &Value, place: &str) {
        self.only(action, place, &["type", "description", "resource", "resourceId", "extension"]);
        self.text(action, place, &["type"], &["description", "resourceId"]);
        self.code(&action["type"], place, &["create", "update", "delete"]);
        if action["type"] == "delete" {
            let reference = action["resourceId"].as_str().unwrap_or_default();
            self.ensure(reference.split('/').count() == 2 && action["resource"].is_null(), place, "cds-resp-2");
        } else {
            self.ensure(action["resource"]["resourceType"].is_string(), place, "no resource");
        }
    }

    fn link(&mut self, link: &Value, place: &str) {
        self.only(link, place, &["label", "url", "type", "appContext", "autolaunchable", "extension"]);
        self.text(link, place, &["label", "url"], &["appContext"]);
        self.code(&link["type"], place, &["absolute", "smart"]);
        self.ensure(link["type"] == "smart" || link["appContext"].is_null(), place, "cds-resp-3");
        let is_secure = link["url"].as_str().is_some_and(|url| url.starts_with("https://"));
        self.ensure(is_secure, place, "not https");
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
