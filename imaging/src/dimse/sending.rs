//! What is proposed to a peer that instances are to be sent to, and in which of the contexts that it accepted each goes.

use std::collections::BTreeSet;

use super::negotiation::Proposal;
use crate::{
    TransferSyntax, Uid,
    transfer_syntax::{EXPLICIT_LITTLE, Encoding, IMPLICIT_LITTLE, Pixels},
};

/// Presentation contexts of one association: the odd numbers up to 255 (PS3.8 §9.3.2.2).
pub const CONTEXTS: usize = 128;

/// A context that the peer accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Its id.
    pub id: u8,
    /// The SOP class.
    pub class: Uid,
    /// How data sets are written.
    pub syntax: TransferSyntax,
}

/// How an instance is written for the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As it is stored, byte for byte.
    AsStored,
    /// The same elements, little endian, with VRs or without.
    Rewritten {
        /// With VRs.
        explicit: bool,
    },
}

/// Which contexts to propose for instances of these classes, stored in these transfer syntaxes: each class once in every syntax
/// in which it is stored, alone, so that the peer has to say about each one; and once in the plain ones, if its pixels can be
/// written so. Several lists, where one association cannot have them all; a class is never in two.
pub fn proposals(instances: &[(Uid, TransferSyntax)]) -> Vec<Vec<Proposal>> {
    let classes: BTreeSet<&Uid> = instances.iter().map(|(class, _)| class).collect();
    let mut lists: Vec<Vec<(String, Vec<String>)>> = vec![Vec::new()];
    for class in classes {
        let mut contexts = contexts_of(class, instances);
        contexts.truncate(CONTEXTS);
        let is_full = lists.last().is_some_and(|list| list.len() + contexts.len() > CONTEXTS);
        if is_full {
            lists.push(Vec::new());
        }
        if let Some(list) = lists.last_mut() {
            list.append(&mut contexts);
        }
    }
    lists.into_iter().filter(|list| !list.is_empty()).map(numbered).collect()
}

fn contexts_of(class: &Uid, instances: &[(Uid, TransferSyntax)]) -> Vec<(String, Vec<String>)> {
    let stored = instances.iter().filter(|(of, _)| of == class).map(|(_, syntax)| syntax);
    let named = |syntaxes: Vec<String>| (class.to_string(), syntaxes);
    let mut seen = BTreeSet::new();
    let mut contexts = Vec::new();
    let mut can_be_plain = false;
    for syntax in stored {
        can_be_plain |= is_plain(syntax);
        if seen.insert(syntax.uid().clone()) {
            contexts.push(named(vec![syntax.uid().to_string()]));
        }
    }
    if can_be_plain {
        contexts.push(named(vec![EXPLICIT_LITTLE.to_owned(), IMPLICIT_LITTLE.to_owned()]));
    }
    contexts
}

fn numbered(list: Vec<(String, Vec<String>)>) -> Vec<Proposal> {
    let ids = (1..=255_u8).step_by(2);
    ids.zip(list)
        .map(|(id, (abstract_syntax, transfer_syntaxes))| Proposal { id, abstract_syntax, transfer_syntaxes })
        .collect()
}

/// The context in which an instance goes, and how it is written there; none where the peer can have it in no form that we can
/// make without touching its pixels.
pub fn context_for<'a>(accepted: &'a [Accepted], class: &Uid, stored: &TransferSyntax) -> Option<(&'a Accepted, Form)> {
    let of_class = || accepted.iter().filter(|context| context.class == *class);
    if let Some(context) = of_class().find(|context| context.syntax == *stored) {
        return Some((context, Form::AsStored));
    }
    if !is_plain(stored) {
        return None;
    }
    let plain = of_class().filter_map(|context| {
        let explicit = match context.syntax.uid().as_str() {
            EXPLICIT_LITTLE => true,
            IMPLICIT_LITTLE => false,
            _ => return None,
        };
        Some((context, Form::Rewritten { explicit }))
    });
    plain.min_by_key(|(context, _)| context.syntax.encoding == Encoding::ImplicitLittle)
}

/// Whether pixels are neither compressed nor elsewhere: then the elements can be written anew.
fn is_plain(syntax: &TransferSyntax) -> bool {
    syntax.pixels == Pixels::Native
}
