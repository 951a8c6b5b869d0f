//! One object of the answer, taken apart member by member.
//!
//! Taking a member notes what the standard forbids everywhere: null and empty values, wrong kinds, unknown names.

use std::borrow::Cow;

use medvan_profiles::Json;

use super::{
    desk::{Desk, Fault},
    node::Node,
    prune::prune,
    rules::{identity, reading},
};
use crate::card::Extension;

const EXTENSION: &str = "extension";

/// The members that nobody has taken yet.
pub(super) struct Members<'a>(Vec<(Cow<'a, str>, Node<'a>)>);

impl<'a> Members<'a> {
    /// Opens an object at the desk's place.
    pub(super) fn open(node: Node<'a>, desk: &Desk<'_>) -> Result<Self, Fault> {
        match node {
            Node::Object(members) => Ok(Self(members)),
            _ => Err(desk.fault(&reading::WRONG_KIND, "is not an object")),
        }
    }

    /// The member as it stands, without any judgement.
    pub(super) fn take(&mut self, name: &str) -> Option<Node<'a>> {
        let index = self.0.iter().position(|(key, _)| key == name)?;
        Some(self.0.swap_remove(index).1)
    }

    /// The member, unless it is absent or holds nothing.
    pub(super) fn filled(&mut self, name: &str, desk: &mut Desk<'_>) -> Option<Node<'a>> {
        let node = self.take(name)?;
        if node.is_empty() {
            desk.repair(&reading::EMPTY_MEMBER, name);
            return None;
        }
        Some(node)
    }

    /// An optional string; another kind is left out.
    pub(super) fn text(&mut self, name: &str, desk: &mut Desk<'_>) -> Option<String> {
        match self.filled(name, desk)? {
            Node::Text(text) => Some(text.into_owned()),
            _ => left_out(name, desk),
        }
    }

    /// A string without which the object makes no sense.
    pub(super) fn required(&mut self, name: &str, desk: &mut Desk<'_>) -> Result<String, Fault> {
        let missing =
            |desk: &mut Desk<'_>| desk.within(name, |desk| desk.fault(&reading::MISSING_MEMBER, "is required"));
        self.text(name, desk).ok_or_else(|| missing(desk))
    }

    /// An optional code out of a closed list; an unknown one is a fault, because its meaning is unknown.
    pub(super) fn code<T>(
        &mut self,
        name: &str,
        known: fn(&str) -> Option<T>,
        desk: &mut Desk<'_>,
    ) -> Result<Option<T>, Fault> {
        let unknown = |desk: &mut Desk<'_>| {
            desk.within(name, |desk| desk.fault(&reading::UNKNOWN_CODE, "is not one of the standard's codes"))
        };
        match self.filled(name, desk) {
            None => Ok(None),
            Some(Node::Text(code)) => known(&code).map(Some).ok_or_else(|| unknown(desk)),
            Some(_) => Err(unknown(desk)),
        }
    }

    /// A code without which the object makes no sense.
    pub(super) fn required_code<T>(
        &mut self,
        name: &str,
        known: fn(&str) -> Option<T>,
        desk: &mut Desk<'_>,
    ) -> Result<T, Fault> {
        let code = self.code(name, known, desk)?;
        code.ok_or_else(|| desk.within(name, |desk| desk.fault(&reading::MISSING_MEMBER, "is required")))
    }

    /// An optional boolean; another kind is left out.
    pub(super) fn flag(&mut self, name: &str, desk: &mut Desk<'_>) -> Option<bool> {
        match self.filled(name, desk)? {
            Node::Flag(flag) => Some(flag),
            _ => left_out(name, desk),
        }
    }

    /// An optional object; another kind is left out.
    pub(super) fn object(&mut self, name: &str, desk: &mut Desk<'_>) -> Option<Node<'a>> {
        match self.filled(name, desk)? {
            object @ Node::Object(_) => Some(object),
            _ => left_out(name, desk),
        }
    }

    /// An optional list; another kind is left out.
    pub(super) fn list(&mut self, name: &str, desk: &mut Desk<'_>) -> Vec<Node<'a>> {
        match self.filled(name, desk) {
            None => Vec::new(),
            Some(Node::List(list)) => list,
            Some(_) => left_out(name, desk).unwrap_or_default(),
        }
    }

    /// An optional value kept as text.
    pub(super) fn json(&mut self, name: &str, desk: &mut Desk<'_>) -> Option<Json> {
        match self.filled(name, desk)? {
            Node::Raw(raw) => Some(Json::from(raw.to_owned())),
            _ => left_out(name, desk),
        }
    }

    /// The object's extension: names with values, nothing empty, nobody else's resources.
    pub(super) fn extension(&mut self, desk: &mut Desk<'_>) -> Result<Extension, Fault> {
        let entries = self.entries(desk);
        desk.within(EXTENSION, |desk| checked_entries(entries, desk))
    }

    /// The extension as it stands, if it is the object that it must be.
    pub(super) fn entries(&mut self, desk: &mut Desk<'_>) -> Extension {
        let Some(node) = self.filled(EXTENSION, desk) else {
            return Extension::new();
        };
        let read = match node {
            Node::Raw(raw) => serde_json::from_str(raw.get()).ok(),
            _ => None,
        };
        read.or_else(|| left_out(EXTENSION, desk)).unwrap_or_default()
    }

    /// Notes what nobody took.
    pub(super) fn close(self, desk: &mut Desk<'_>) {
        if !self.0.is_empty() {
            desk.repair(&reading::UNKNOWN_MEMBER, "");
        }
    }
}

/// Entries of an extension without what is empty.
pub(super) fn checked_entries(entries: Extension, desk: &mut Desk<'_>) -> Result<Extension, Fault> {
    let mut kept = Extension::with_capacity(entries.len());
    for (name, value) in entries {
        let pruned = prune(&value);
        if pruned.as_ref() != Some(&value) {
            desk.repair(&reading::EMPTY_MEMBER, "");
        }
        if let Some(pruned) = pruned {
            identity::of_extension(&pruned, desk)?;
            kept.insert(name, pruned);
        }
    }
    Ok(kept)
}

fn left_out<T>(name: &str, desk: &mut Desk<'_>) -> Option<T> {
    desk.repair(&reading::WRONG_KIND, name);
    None
}
