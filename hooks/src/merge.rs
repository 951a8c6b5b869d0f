//! Many services' answers become one.
//!
//! The standard leaves this open ("This specification does not address these scenarios specifically"), so the rules
//! are ours, and each decision is listed so that it can be explained afterwards:
//!
//! - the order of cards follows a stable key, never the order of arrival (`order`);
//! - cards of two services that say the same thing become one card that names both (`fold`);
//! - changes that would overwrite each other are never applied silently (`conflict`);
//! - every card and suggestion gets an id of the gateway's, so that feedback finds its way back (`mint`).
//!
//! Nothing critical is hidden: such a card is folded only into one that shows the same summary as urgently.

mod conflict;
mod effect;
mod fold;
mod mint;
mod order;
#[cfg(test)]
mod tests;

use std::cell::OnceCell;

use indexmap::IndexMap;
use medvan_profiles::Json;
use serde::Serialize;
use uuid::Uuid;

use self::effect::Offers;
pub use self::mint::{Minted, MintedSuggestion};
use crate::{
    card::{Card, Extension, Indicator},
    response::Response,
};

/// Where a card says which services made it: a list, one entry for each.
pub const PROVENANCE: &str = "jp.medvan.provenance";

/// Where an answer keeps the vendors' own response extensions: an object, one member for each service.
pub const SERVICES: &str = "jp.medvan.services";

/// What one service answered. A call has at most one answer of a service.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The service, as `vendor.service`.
    pub service: String,
    /// The hospital's preference; lower comes first.
    pub tier: u8,
    /// How often this hospital's users accept the service's cards, 0 to 1, once that is known.
    pub acceptance: Option<f32>,
    /// What passed the [`firewall`](crate::firewall).
    pub response: Response,
    /// Put on each card under [`PROVENANCE`].
    pub provenance: Option<Json>,
}

/// One answer, and why it looks as it does.
#[derive(Debug, Clone, Default)]
pub struct Merged {
    /// For the EHR.
    pub response: Response,
    /// Who made which card and suggestion; a card of two services stands here twice.
    pub minted: Vec<Minted>,
    /// The cards in their order, with what put them there.
    pub placements: Vec<Placement>,
    /// What the EHR does not get.
    pub suppressions: Vec<Suppression>,
    /// What the EHR gets with a warning.
    pub conflicts: Vec<Conflict>,
}

/// Why a card stands where it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Placement {
    /// The gateway's id of the card.
    pub card: Uuid,
    /// Who made it; the first one's place counts.
    pub services: Vec<String>,
    /// First part of the key: the most urgent come first.
    pub indicator: Indicator,
    /// Second part: the hospital's preference.
    pub tier: u8,
    /// Third part: the most accepted come first, the unknown last. Then name of the service, then its own order.
    pub acceptance: Option<f32>,
}

/// Something that a service sent and the EHR does not get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Suppression {
    /// Who sent it.
    pub service: String,
    /// Where it stood in the checked answer.
    pub place: String,
    /// Why it is left out.
    pub reason: &'static str,
    /// The card that says the same.
    pub shown_as: Option<Uuid>,
}

/// Suggestions that would overwrite each other's change. Their cards carry a warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Conflict {
    /// Whose suggestions, or system actions, they are.
    pub services: Vec<String>,
    /// What kind of resource they change.
    pub resource_type: String,
}

/// A card on its way, with all who made it.
struct Entry {
    card: Card,
    tier: u8,
    acceptance: Option<f32>,
    origins: Vec<Origin>,
    /// What its suggestions do; read once, and only when another card may be its twin.
    offers: OnceCell<Offers>,
    /// The words of its summary, likewise.
    words: OnceCell<Vec<String>>,
}

impl Entry {
    fn offers(&self) -> &Offers {
        self.offers.get_or_init(|| Offers::of(&self.card.suggestions))
    }

    fn words(&self) -> &[String] {
        self.words.get_or_init(|| fold::words(&self.card.summary))
    }
}

/// One service's part in a card.
struct Origin {
    service: String,
    /// Place in the service's answer.
    position: usize,
    card_id: Option<String>,
    /// The service's ids of the card's suggestions, in the order of the card shown.
    suggestion_ids: Vec<Option<String>>,
    provenance: Option<Json>,
}

/// Makes one answer of all. `new_id` is called in the order of the result, so that equal answers get equal ids
/// from an equal source.
pub fn merge(mut answers: Vec<Answer>, new_id: &mut dyn FnMut() -> Uuid) -> Merged {
    answers.sort_by(|left, right| left.service.cmp(&right.service));
    let mut merged = Merged::default();
    merged.response.extension = services_extension(&mut answers);
    let system_actions = conflict::settle_system_actions(&mut answers, &mut merged.suppressions);
    let mut entries = fold::near_duplicates(order::ranked(answers));
    merged.conflicts = conflict::warn(&mut entries, &system_actions);
    merged.response.system_actions = system_actions.into_iter().map(|kept| kept.action).collect();
    for entry in entries {
        mint::issue(entry, new_id, &mut merged);
    }
    merged
}

/// Vendors' extensions of the response never meet in one flat map.
fn services_extension(answers: &mut [Answer]) -> Extension {
    let of_services: IndexMap<String, Extension> = answers
        .iter_mut()
        .filter(|answer| !answer.response.extension.is_empty())
        .map(|answer| (answer.service.clone(), std::mem::take(&mut answer.response.extension)))
        .collect();
    if of_services.is_empty() {
        return Extension::new();
    }
    Extension::from_iter([(SERVICES.to_owned(), as_json(&of_services))])
}

/// A JSON text made of JSON texts.
pub(crate) fn as_json(value: &impl Serialize) -> Json {
    let raw = serde_json::value::to_raw_value(value).expect("maps and lists of JSON texts can always be written");
    Json::from(raw)
}
