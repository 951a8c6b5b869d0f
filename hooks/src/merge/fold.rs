//! Near-duplicates: two services say the same thing, and the user reads it once, with both named.
//!
//! Same topic and same urgency are not enough: one rule ("interaction") speaks of many things. The suggestions must
//! do the same, or, where there is nothing to accept, the summaries must read the same; a critical card needs both.
//! What the second service says beyond that stays readable in the detail.

use super::Entry;
use crate::{
    card::{Card, Coding, Indicator},
    markdown::{escape, to_plain},
};

/// The entries in their order, near-duplicates folded into the first of their kind.
pub(super) fn near_duplicates(entries: Vec<Entry>) -> Vec<Entry> {
    let mut kept: Vec<Entry> = Vec::with_capacity(entries.len());
    for entry in entries {
        let twin = kept.iter_mut().find_map(|first| pairing(first, &entry).map(|pairs| (first, pairs)));
        match twin {
            Some((first, pairs)) => fold(first, entry, &pairs),
            None => kept.push(entry),
        }
    }
    kept
}

/// For each suggestion of the first card the index of its twin on the second; `None` when the cards differ.
fn pairing(first: &Entry, second: &Entry) -> Option<Vec<usize>> {
    let are_strangers = first.origins.iter().all(|origin| origin.service != second.origins[0].service);
    if !are_strangers || !is_same_subject(&first.card, &second.card) {
        return None;
    }
    let needs_same_words = first.card.suggestions.is_empty() || first.card.indicator == Indicator::Critical;
    if needs_same_words && first.words() != second.words() {
        return None;
    }
    first.offers().twins_among(second.offers())
}

fn is_same_subject(first: &Card, second: &Card) -> bool {
    let topic = first.source.topic.as_ref().and_then(Coding::key);
    first.indicator == second.indicator
        && topic.is_some()
        && topic == second.source.topic.as_ref().and_then(Coding::key)
        && first.selection_behavior == second.selection_behavior
        && first.suggestions.len() == second.suggestions.len()
}

/// A text's words, for comparing: however they are spaced and capitalised.
pub(super) fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_lowercase).collect()
}

fn fold(first: &mut Entry, second: Entry, pairs: &[usize]) {
    let says_more = first.words() != second.words();
    let Entry { card, mut origins, .. } = second;
    for origin in &mut origins {
        origin.suggestion_ids = pairs.iter().map(|index| origin.suggestion_ids[*index].clone()).collect();
    }
    first.origins.append(&mut origins);
    add_words(&mut first.card, &card, says_more);
    add_offers(&mut first.card, card);
}

/// Names the second source, and keeps what it says differently. Its words are added without their markup: two
/// harmless texts joined need not be harmless.
fn add_words(first: &mut Card, second: &Card, says_more: bool) {
    let mut words = Vec::new();
    if says_more {
        words.push(escape(&second.summary));
    }
    if second.detail.is_some() && second.detail != first.detail {
        words.extend(second.detail.as_deref().map(|detail| escape(&to_plain(detail))));
    }
    if !words.is_empty() {
        let added = format!("**{}**: {}", escape(&second.source.label), words.join("\n\n"));
        first.detail = Some(match first.detail.take() {
            Some(detail) => joined(&detail, &added),
            None => added,
        });
    }
    if !first.source.label.split(" / ").any(|label| label == second.source.label) {
        first.source.label = format!("{} / {}", first.source.label, second.source.label);
    }
}

/// One text after the other. A code block that the first one leaves open would swallow the second one's words as code: then
/// these come first, escaped as they are.
fn joined(detail: &str, added: &str) -> String {
    let after = format!("{detail}\n\n{added}");
    if to_plain(&after).trim_end().ends_with(to_plain(added).trim_end()) {
        after
    } else {
        format!("{added}\n\n{detail}")
    }
}

fn add_offers(first: &mut Card, second: Card) {
    for reason in second.override_reasons {
        if !first.override_reasons.iter().any(|known| known.key() == reason.key()) {
            first.override_reasons.push(reason);
        }
    }
    for link in second.links {
        if !first.links.contains(&link) {
            first.links.push(link);
        }
    }
    // Opening one service's page at once would hide the other service's words.
    for link in &mut first.links {
        link.autolaunchable = None;
    }
    for (name, value) in second.extension {
        first.extension.entry(name).or_insert(value);
    }
}
