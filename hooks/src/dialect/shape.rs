//! Links, detail and system actions in the shape that an EHR reads.

use medvan_profiles::Json;

use super::{Adaptation, DetailFormat, Dialect, SystemActionsPlace};
use crate::{
    card::Card,
    markdown::{to_html, to_plain},
    merge::{Merged, as_json},
};

/// Where Epic reads what kind of text the detail is.
const EPIC_CONTENT_TYPE: &str = "com.epic.cdshooks.card.detail.content-type";

pub(super) fn links(dialect: &Dialect, merged: &mut Merged, notes: &mut Vec<Adaptation>) {
    for (index, card) in merged.response.cards.iter_mut().enumerate() {
        let before = card.links.len();
        card.links.retain(|link| dialect.links.contains(&link.kind));
        if card.links.len() < before {
            notes.push(Adaptation::new("drop-link", format!("cards[{index}].links")));
        }
        let contexts = card.links.iter_mut().filter(|link| link.app_context.is_some() && !dialect.app_context);
        for link in contexts {
            link.app_context = None;
            notes.push(Adaptation::new("drop-app-context", format!("cards[{index}].links")));
        }
    }
}

pub(super) fn detail(dialect: &Dialect, merged: &mut Merged, notes: &mut Vec<Adaptation>) {
    if dialect.detail == DetailFormat::Markdown {
        return;
    }
    for (index, card) in merged.response.cards.iter_mut().enumerate() {
        if let Some(detail) = card.detail.take() {
            let rule = write_detail(card, &detail, dialect.detail);
            notes.push(Adaptation::new(rule, format!("cards[{index}].detail")));
        }
    }
}

pub(super) fn system_actions(dialect: &Dialect, merged: &mut Merged, notes: &mut Vec<Adaptation>) {
    let response = &mut merged.response;
    if dialect.system_actions == SystemActionsPlace::BesideCards || response.system_actions.is_empty() {
        return;
    }
    let actions = std::mem::take(&mut response.system_actions);
    response.extension.insert("systemActions".to_owned(), as_json(&actions));
    notes.push(Adaptation::new("system-actions-in-extension", "extension.systemActions".to_owned()));
}

fn write_detail(card: &mut Card, detail: &str, format: DetailFormat) -> &'static str {
    match format {
        DetailFormat::Markdown => {
            card.detail = Some(detail.to_owned());
            "detail-as-markdown"
        }
        DetailFormat::Html => {
            card.detail = Some(to_html(detail));
            card.extension.insert(EPIC_CONTENT_TYPE.to_owned(), Json::from_value(&"text/html".into()));
            "detail-as-html"
        }
        DetailFormat::Plain => {
            card.detail = Some(to_plain(detail));
            "detail-as-plain-text"
        }
    }
}
