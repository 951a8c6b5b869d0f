//! [`Selection`]: attributes that an answer has, through sequences.

use std::collections::BTreeMap;

use super::{
    Selector,
    key::creator_of,
    matching::{Group, Zones},
};
use crate::attributes::{Attribute, Attributes, Content};

/// Attributes that are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Selection(BTreeMap<Selector, Part>);

/// How much of an attribute is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// All of it.
    Whole,
    /// These attributes of the items of a sequence.
    Inside(Selection),
}

impl Selection {
    /// Asks for the attribute at the end of a path; what is asked for whole stays whole.
    pub(super) fn ask(&mut self, path: &[Selector]) {
        let Some((first, rest)) = path.split_first() else { return };
        if rest.is_empty() {
            self.0.insert(first.clone(), Part::Whole);
            return;
        }
        let part = self.0.entry(first.clone()).or_insert_with(|| Part::Inside(Self::default()));
        if let Part::Inside(inside) = part {
            inside.ask(rest);
        }
    }

    /// What a candidate has of them. An attribute that it has not is there without a value, unless it is private. Of a
    /// sequence whose attributes were searched only the items that match are there (PS3.4 §C.2.2.2.6).
    pub(super) fn pick(&self, from: &Attributes, keys: Option<&Group>, zones: Zones) -> Attributes {
        let mut picked = Attributes::new();
        for (selector, part) in &self.0 {
            let Some((tag, attribute)) = selector.find(from) else {
                if selector.creator.is_none() {
                    picked.put_empty(selector.tag);
                }
                continue;
            };
            let group = keys.and_then(|keys| keys.at(selector));
            picked.put(tag, part.pick(attribute, group, zones));
            let creator = creator_of(tag);
            if let (Some(_), Some(attribute)) = (&selector.creator, from.get(creator)) {
                picked.put(creator, attribute.clone());
            }
        }
        picked
    }
}

impl Part {
    fn pick(&self, attribute: &Attribute, group: Option<&Group>, zones: Zones) -> Attribute {
        match (self, &attribute.content) {
            (Self::Inside(inside), Content::Items(items)) => {
                let matching = items.iter().filter(|item| group.is_none_or(|group| group.matches(item, zones)));
                let items = matching.map(|item| inside.pick(item, group, zones)).collect();
                Attribute { vr: attribute.vr, content: Content::Items(items) }
            }
            _ => attribute.clone(),
        }
    }
}
