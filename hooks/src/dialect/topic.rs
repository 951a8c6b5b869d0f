//! Topic codes for EHRs that remember a user's override by `source.topic.code` alone.
//!
//! Such a code must never change, and codes of two vendors must never meet: else an override of one vendor's card
//! would silence the other's. A card without topic gets none, because a code made up for it would either change with
//! each card or be the same for all cards of the service.

use uuid::Uuid;

use super::{Adaptation, Dialect};
use crate::{
    card::{Coding, Extension},
    merge::Merged,
};

/// Our code system for the codes made here.
const SYSTEM: &str = "https://medvan.example/code-systems/card-topic";

/// Never to be changed: users' overrides are remembered by what comes of it.
const NAMESPACE: Uuid = Uuid::from_u128(0x6d65_6476_616e_5f74_8f70_6963_5f63_6f64);

/// Digits of the readable part; the rest of the 100 is the unmistakable part.
const MOST_READABLE: usize = 60;

pub(super) fn plain_codes(dialect: &Dialect, merged: &mut Merged, notes: &mut Vec<Adaptation>) {
    if !dialect.plain_topic_codes {
        return;
    }
    for (index, (card, placement)) in merged.response.cards.iter_mut().zip(&merged.placements).enumerate() {
        let service = placement.services.first().map(String::as_str).unwrap_or_default();
        if let Some(topic) = &mut card.source.topic {
            *topic = plain(service, topic);
            notes.push(Adaptation::new("plain-topic-code", format!("cards[{index}].source.topic")));
        }
    }
}

/// A new version of a service, and another service of the same vendor, keep the code.
fn plain(service: &str, topic: &Coding) -> Coding {
    let vendor = service.split('.').next().unwrap_or_default();
    let (system, code) = topic.key().unwrap_or_default();
    let unmistakable = Uuid::new_v5(&NAMESPACE, format!("{vendor}\n{system}\n{code}").as_bytes());
    let readable = format!("{vendor}{code}");
    let readable = readable.chars().filter(char::is_ascii_alphanumeric).take(MOST_READABLE);
    Coding {
        code: Some(readable.chain(unmistakable.simple().to_string().chars()).collect()),
        system: Some(SYSTEM.to_owned()),
        display: topic.display.clone(),
        extension: Extension::new(),
    }
}
