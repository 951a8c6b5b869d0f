//! Walks the answer from the outside in: its cards, its system actions in either place, its extension.

use medvan_profiles::Json;

use super::{
    NotAResponse,
    desk::Desk,
    members::{Members, checked_entries},
    node::Node,
    parts::{card, system_action},
    rules::{MOST, TOO_MANY, most_urgent, system_action as rule},
    walk::{unit, units},
};
use crate::{
    card::{Action, Card, Extension},
    response::Response,
};

/// Reads the whole answer.
pub(super) fn response(node: Node<'_>, desk: &mut Desk<'_>) -> Result<Response, NotAResponse> {
    let mut members = Members::open(node, desk).map_err(|_| NotAResponse::NotAnObject)?;
    let Some(Node::List(cards)) = members.take("cards") else {
        return Err(NotAResponse::NoCards);
    };
    let cards = all_cards(cards, desk);
    let mut extension = members.entries(desk);
    let older_place = extension.shift_remove("systemActions");
    let system_actions = all_system_actions(members.list("systemActions", desk), older_place.as_ref(), desk);
    let extension = response_extension(extension, desk);
    members.close(desk);
    Ok(Response { cards, system_actions, extension })
}

fn all_cards(nodes: Vec<Node<'_>>, desk: &mut Desk<'_>) -> Vec<Card> {
    let read: Vec<(usize, Card)> = nodes
        .into_iter()
        .enumerate()
        .filter_map(|(index, node)| {
            let card = desk.within("cards", |desk| desk.at(index, |desk| unit(node, desk, card)));
            card.ok().flatten().map(|card| (index, card))
        })
        .collect();
    let (kept, over) = most_urgent(read);
    if over > 0 {
        let fault = desk.fault(&TOO_MANY, format!("{over} cards over the bound of {MOST}"));
        desk.within("cards", |desk| desk.quarantine(fault));
    }
    kept
}

fn all_system_actions(nodes: Vec<Node<'_>>, older_place: Option<&Json>, desk: &mut Desk<'_>) -> Vec<Action> {
    let mut actions = system_actions_at("systemActions", nodes, desk);
    if let Some(older) = older_place {
        desk.repair(&rule::PLACE, "extension.systemActions");
        let nodes = serde_json::from_str(older.as_str()).unwrap_or_default();
        let moved = system_actions_at("extension.systemActions", nodes, desk);
        let new = moved.into_iter().filter(|action| !actions.contains(action));
        actions.extend(new.collect::<Vec<_>>());
    }
    actions
}

fn system_actions_at(place: &str, nodes: Vec<Node<'_>>, desk: &mut Desk<'_>) -> Vec<Action> {
    units(place, nodes, desk, system_action).unwrap_or_default()
}

fn response_extension(entries: Extension, desk: &mut Desk<'_>) -> Extension {
    desk.within("extension", |desk| {
        checked_entries(entries, desk).unwrap_or_else(|fault| {
            desk.quarantine(fault);
            Extension::new()
        })
    })
}
