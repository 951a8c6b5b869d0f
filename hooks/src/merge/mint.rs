//! Ids of the gateway's own for every card and suggestion.
//!
//! A client sends no feedback for a card without `uuid`, and vendors' ids may be missing, repeated or equal across
//! vendors. So the EHR sees the gateway's ids only; the vendor's go back on with its feedback.

use uuid::Uuid;

use super::{Entry, Merged, Origin, PROVENANCE, Placement, Suppression, as_json};
use crate::card::Card;

/// One service's part in one card that was given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minted {
    /// The card's id towards the EHR.
    pub gateway_id: Uuid,
    /// Who made the card.
    pub service: String,
    /// The card's id towards that service.
    pub vendor_id: Option<String>,
    /// The card's suggestions.
    pub suggestions: Vec<MintedSuggestion>,
}

/// One suggestion that was given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MintedSuggestion {
    /// Its id towards the EHR.
    pub gateway_id: Uuid,
    /// Its id towards the service.
    pub vendor_id: Option<String>,
}

impl Minted {
    /// Puts the parts of a suggestion in its place; accepting one of them is feedback on the whole.
    pub(crate) fn split_suggestion(&mut self, whole: Uuid, parts: &[Uuid]) {
        let Some(at) = self.suggestions.iter().position(|suggestion| suggestion.gateway_id == whole) else {
            return;
        };
        let vendor_id = self.suggestions[at].vendor_id.clone();
        let parts = parts.iter().map(|part| MintedSuggestion { gateway_id: *part, vendor_id: vendor_id.clone() });
        self.suggestions.splice(at..=at, parts);
    }
}

/// Numbers the card, writes its provenance, and adds it with its notes to the result.
pub(super) fn issue(entry: Entry, new_id: &mut dyn FnMut() -> Uuid, merged: &mut Merged) {
    let Entry { mut card, tier, acceptance, origins, .. } = entry;
    let id = new_id();
    card.uuid = Some(id.to_string());
    let suggestion_ids = number_suggestions(&mut card, new_id);
    merged.placements.push(Placement {
        card: id,
        services: origins.iter().map(|origin| origin.service.clone()).collect(),
        indicator: card.indicator,
        tier,
        acceptance,
    });
    merged.suppressions.extend(origins.iter().skip(1).map(|origin| folded(origin, id)));
    write_provenance(&mut card, &origins);
    merged.minted.extend(origins.into_iter().map(|origin| minted(origin, id, &suggestion_ids)));
    merged.response.cards.push(card);
}

fn number_suggestions(card: &mut Card, new_id: &mut dyn FnMut() -> Uuid) -> Vec<Uuid> {
    let mut number = |suggestion: &mut crate::card::Suggestion| {
        let id = new_id();
        suggestion.uuid = Some(id.to_string());
        id
    };
    card.suggestions.iter_mut().map(&mut number).collect()
}

fn folded(origin: &Origin, id: Uuid) -> Suppression {
    Suppression {
        service: origin.service.clone(),
        place: format!("cards[{}]", origin.position),
        reason: "says the same as another service's card, which names this service too",
        shown_as: Some(id),
    }
}

/// Replaces what a vendor may have written there: only the gateway speaks in its own name.
fn write_provenance(card: &mut Card, origins: &[Origin]) {
    card.extension.shift_remove(PROVENANCE);
    let all: Vec<_> = origins.iter().filter_map(|origin| origin.provenance.as_ref()).collect();
    if !all.is_empty() {
        card.extension.insert(PROVENANCE.to_owned(), as_json(&all));
    }
}

fn minted(origin: Origin, id: Uuid, suggestion_ids: &[Uuid]) -> Minted {
    let suggestions = suggestion_ids.iter().zip(origin.suggestion_ids);
    Minted {
        gateway_id: id,
        service: origin.service,
        vendor_id: origin.card_id,
        suggestions: suggestions
            .map(|(gateway_id, vendor_id)| MintedSuggestion { gateway_id: *gateway_id, vendor_id })
            .collect(),
    }
}
