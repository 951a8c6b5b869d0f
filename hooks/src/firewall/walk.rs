//! How elements are walked: each can be held back alone, and each meets the rules on its kind.

use super::{
    desk::{Desk, Fault, Reach},
    node::Node,
    rules::{Look, MOST, TOO_MANY, Verdict, reading, rules},
};

/// A rule as a function.
pub(super) type Apply<T> = for<'d, 'p> fn(&mut T, &'d mut Desk<'p>) -> Verdict;

/// Puts a thing to every rule on its kind.
pub(super) fn apply<T>(thing: &mut T, desk: &mut Desk<'_>, pick: fn(&Look) -> Option<Apply<T>>) -> Result<(), Fault> {
    for rule in rules() {
        if let Some(look) = pick(&rule.look) {
            look(thing, desk).map_err(|stop| desk.fault(rule, stop))?;
        }
    }
    Ok(())
}

/// Elements that can be held back one by one.
pub(super) fn units<'a, T>(
    name: &str,
    nodes: Vec<Node<'a>>,
    desk: &mut Desk<'_>,
    read: Read<'a, T>,
) -> Result<Vec<T>, Fault> {
    desk.within(name, |desk| {
        if nodes.len() > MOST {
            let over = nodes.len() - MOST;
            let fault = desk.fault(&TOO_MANY, format!("{over} over the bound of {MOST}"));
            desk.quarantine(fault);
        }
        let mut kept = Vec::with_capacity(nodes.len().min(MOST));
        for (index, node) in nodes.into_iter().take(MOST).enumerate() {
            kept.extend(desk.at(index, |desk| unit(node, desk, read))?);
        }
        Ok(kept)
    })
}

/// Reads one element.
pub(super) type Read<'a, T> = for<'d, 'p> fn(Node<'a>, &'d mut Desk<'p>) -> Result<T, Fault>;

/// One element that can be held back alone; only a fault that takes the whole card goes further up.
pub(super) fn unit<'a, T>(node: Node<'a>, desk: &mut Desk<'_>, read: Read<'a, T>) -> Result<Option<T>, Fault> {
    if node.is_empty() {
        desk.repair(&reading::EMPTY_MEMBER, "");
        return Ok(None);
    }
    match read(node, desk) {
        Ok(thing) => Ok(Some(thing)),
        Err(fault) if fault.reach == Reach::Card && desk.is_inside_a_card() => Err(fault),
        Err(fault) => {
            desk.quarantine(fault);
            Ok(None)
        }
    }
}
