//! The parts of a card, each opened, read member by member, and put to the rules on the way out.

use super::{
    desk::{Desk, Fault, Reach},
    members::Members,
    node::Node,
    rules::{Look, MOST, TOO_MANY, identity, reading},
    walk::{apply, units},
};
use crate::card::{
    Action, ActionSelectionBehavior, ActionType, Card, Coding, Indicator, Link, LinkType, SelectionBehavior, Source,
    Suggestion,
};

/// One card with all its parts.
pub(super) fn card(node: Node<'_>, desk: &mut Desk<'_>) -> Result<Card, Fault> {
    let mut members = Members::open(node, desk)?;
    let suggestions = members.list("suggestions", desk);
    let links = members.list("links", desk);
    let reasons = members.list("overrideReasons", desk);
    let mut card = Card {
        suggestions: units("suggestions", suggestions, desk, suggestion)?,
        uuid: members.text("uuid", desk),
        summary: members.required("summary", desk)?,
        detail: members.text("detail", desk),
        indicator: members.required_code("indicator", Indicator::from_code, desk)?,
        source: source_of(&mut members, desk)?,
        selection_behavior: members.code("selectionBehavior", SelectionBehavior::from_code, desk)?,
        override_reasons: units("overrideReasons", reasons, desk, override_reason)?,
        links: units("links", links, desk, link)?,
        extension: members.extension(desk)?,
    };
    members.close(desk);
    apply(&mut card, desk, |look| match look {
        Look::Card(rule) => Some(*rule),
        _ => None,
    })?;
    Ok(card)
}

fn source_of(card: &mut Members<'_>, desk: &mut Desk<'_>) -> Result<Source, Fault> {
    let node = card.filled("source", desk);
    desk.within("source", |desk| match node {
        Some(node) => source(node, desk),
        None => Err(desk.fault(&reading::MISSING_MEMBER, "is required")),
    })
}

fn source(node: Node<'_>, desk: &mut Desk<'_>) -> Result<Source, Fault> {
    let mut members = Members::open(node, desk)?;
    let topic = members.object("topic", desk);
    let topic = desk.within("topic", |desk| topic.map(|node| coding(node, desk)).transpose());
    let mut source = Source {
        label: members.required("label", desk)?,
        url: members.text("url", desk),
        icon: members.text("icon", desk),
        topic: topic?,
        extension: members.extension(desk)?,
    };
    members.close(desk);
    apply(&mut source, desk, |look| match look {
        Look::Source(rule) => Some(*rule),
        _ => None,
    })?;
    Ok(source)
}

fn coding(node: Node<'_>, desk: &mut Desk<'_>) -> Result<Coding, Fault> {
    let mut members = Members::open(node, desk)?;
    let coding = Coding {
        code: members.text("code", desk),
        system: members.text("system", desk),
        display: members.text("display", desk),
        extension: members.extension(desk)?,
    };
    members.close(desk);
    Ok(coding)
}

fn override_reason(node: Node<'_>, desk: &mut Desk<'_>) -> Result<Coding, Fault> {
    let mut reason = coding(node, desk)?;
    apply(&mut reason, desk, |look| match look {
        Look::OverrideReason(rule) => Some(*rule),
        _ => None,
    })?;
    Ok(reason)
}

fn link(node: Node<'_>, desk: &mut Desk<'_>) -> Result<Link, Fault> {
    let mut members = Members::open(node, desk)?;
    let mut link = Link {
        label: members.required("label", desk)?,
        url: members.required("url", desk)?,
        kind: members.required_code("type", LinkType::from_code, desk)?,
        app_context: members.text("appContext", desk),
        autolaunchable: members.flag("autolaunchable", desk),
        extension: members.extension(desk)?,
    };
    members.close(desk);
    apply(&mut link, desk, |look| match look {
        Look::Link(rule) => Some(*rule),
        _ => None,
    })?;
    Ok(link)
}

fn suggestion(node: Node<'_>, desk: &mut Desk<'_>) -> Result<Suggestion, Fault> {
    let mut members = Members::open(node, desk)?;
    let mut suggestion = Suggestion {
        actions: all_actions(&mut members, desk)?,
        label: members.required("label", desk)?,
        uuid: members.text("uuid", desk),
        is_recommended: members.flag("isRecommended", desk),
        action_selection_behavior: members.code("actionSelectionBehavior", ActionSelectionBehavior::from_code, desk)?,
        extension: members.extension(desk)?,
    };
    members.close(desk);
    apply(&mut suggestion, desk, |look| match look {
        Look::Suggestion(rule) => Some(*rule),
        _ => None,
    })?;
    Ok(suggestion)
}

/// All or none: the user accepts the actions of a suggestion together, so one cannot be held back alone.
fn all_actions(suggestion: &mut Members<'_>, desk: &mut Desk<'_>) -> Result<Vec<Action>, Fault> {
    let nodes = match suggestion.filled("actions", desk) {
        None => Vec::new(),
        Some(Node::List(nodes)) => nodes,
        Some(_) => {
            return Err(desk.within("actions", |desk| desk.fault(&reading::WRONG_KIND, "is not a list")));
        }
    };
    desk.within("actions", |desk| {
        if nodes.len() > MOST {
            return Err(desk.fault(&TOO_MANY, format!("more than {MOST}")));
        }
        each_action(nodes, desk)
    })
}

/// Looks at every action even after a fault: a foreign patient further down must still take the card with it.
fn each_action(nodes: Vec<Node<'_>>, desk: &mut Desk<'_>) -> Result<Vec<Action>, Fault> {
    let mut actions = Vec::with_capacity(nodes.len());
    let mut first_fault = None;
    for (index, node) in nodes.into_iter().enumerate() {
        match desk.at(index, |desk| action(node, desk)) {
            Ok(action) => actions.push(action),
            Err(fault) if fault.reach == Reach::Card => return Err(fault),
            Err(fault) => first_fault = first_fault.or(Some(fault)),
        }
    }
    first_fault.map_or(Ok(actions), Err)
}

fn action(node: Node<'_>, desk: &mut Desk<'_>) -> Result<Action, Fault> {
    let mut members = Members::open(node, desk)?;
    let resource = members.json("resource", desk);
    let resource_id = members.text("resourceId", desk);
    identity::of_action(resource.as_ref(), resource_id.as_deref(), desk)?;
    let mut action = Action {
        resource,
        resource_id,
        kind: members.required_code("type", ActionType::from_code, desk)?,
        description: members.text("description", desk),
        extension: members.extension(desk)?,
    };
    members.close(desk);
    apply(&mut action, desk, |look| match look {
        Look::Action(rule) => Some(*rule),
        _ => None,
    })?;
    Ok(action)
}

/// One action that asks nobody.
pub(super) fn system_action(node: Node<'_>, desk: &mut Desk<'_>) -> Result<Action, Fault> {
    let mut action = action(node, desk)?;
    apply(&mut action, desk, |look| match look {
        Look::SystemAction(rule) => Some(*rule),
        _ => None,
    })?;
    Ok(action)
}
