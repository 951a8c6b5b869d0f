//! Gives each service its part of the feedback, in its own ids.
//!
//! A card of two services is feedback for both. What a service has not numbered cannot be told to it ("if either the
//! card or the suggestion has no uuid, the CDS Client does not send a notification"), but is kept all the same.

use uuid::Uuid;

use super::{AcceptedSuggestion, Feedback, Outcome};
use crate::merge::Minted;

/// Feedback, split up.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Split {
    /// One part for each item and service.
    pub parts: Vec<Part>,
    /// Items on cards that nobody knows, by their place among the items.
    pub unknown: Vec<usize>,
}

/// One item's part for one service.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The card's id towards the EHR.
    pub card: Uuid,
    /// Who made the card.
    pub service: String,
    /// As the EHR sent it, with the gateway's ids.
    pub received: Feedback,
    /// As the service gets it, with its own ids; `None` when it numbered too little.
    pub forward: Option<Feedback>,
}

/// Splits feedback; `lookup` tells who made the card of an id, with all parts of a card that several made.
pub fn split(feedback: Vec<Feedback>, lookup: &dyn Fn(&Uuid) -> Vec<Minted>) -> Split {
    let mut split = Split::default();
    for (index, item) in feedback.into_iter().enumerate() {
        let minted = Uuid::try_parse(&item.card).map(|id| lookup(&id)).unwrap_or_default();
        if minted.is_empty() {
            split.unknown.push(index);
        }
        split.parts.extend(minted.into_iter().map(|minted| part(&item, &minted)));
    }
    split
}

fn part(item: &Feedback, minted: &Minted) -> Part {
    Part {
        card: minted.gateway_id,
        service: minted.service.clone(),
        received: item.clone(),
        forward: in_vendors_ids(item, minted),
    }
}

fn in_vendors_ids(item: &Feedback, minted: &Minted) -> Option<Feedback> {
    let card = minted.vendor_id.clone()?;
    let mut accepted: Vec<AcceptedSuggestion> = Vec::new();
    for suggestion in &item.accepted_suggestions {
        let id = vendors_id(&suggestion.id, minted);
        // Parts of one suggestion that the EHR could not show whole lead back to the same id.
        accepted.extend(id.map(|id| AcceptedSuggestion { id }).filter(|suggestion| !accepted.contains(suggestion)));
    }
    if item.outcome == Outcome::Accepted && accepted.is_empty() {
        return None;
    }
    Some(Feedback { card, accepted_suggestions: accepted, ..item.clone() })
}

fn vendors_id(id: &str, minted: &Minted) -> Option<String> {
    let id = Uuid::try_parse(id).ok()?;
    minted.suggestions.iter().find(|suggestion| suggestion.gateway_id == id)?.vendor_id.clone()
}
