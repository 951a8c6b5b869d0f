//! Walking a path through FHIR JSON.
//!
//! `resolve()` is lazy: a reference to a resource that is not at hand still has a type and an id,
//! which is what most templates ask for; looking deeper into it makes the template unresolvable rather than empty.

use std::cell::Cell;

use medvan_profiles::fhir::Reference;
use serde_json::Value;

use super::{expression::Step, item::Item, resolve::Unresolvable, scope::Scope};

/// What one walk may look at, counted in values. A path that follows references inside nested conditions could otherwise
/// look at everything for everything: the templates are a vendor's, the data an EHR's.
const SIGHT: usize = 300_000;

/// A walk that starts at `root`: a context field or the result under another key.
pub(super) struct Walk<'v> {
    scope: &'v Scope<'v>,
    root: &'v Value,
    sight: Cell<usize>,
}

impl<'v> Walk<'v> {
    pub(super) fn new(scope: &'v Scope<'v>, root: &'v Value) -> Self {
        Self { scope, root, sight: Cell::new(SIGHT) }
    }

    pub(super) fn run(&self, steps: &[Step]) -> Result<Vec<Item<'v>>, Unresolvable> {
        self.steps(Item::all_of(self.root), steps)
    }

    fn steps(&self, mut items: Vec<Item<'v>>, steps: &[Step]) -> Result<Vec<Item<'v>>, Unresolvable> {
        for step in steps {
            self.spend(items.len() + 1)?;
            items = self.step(items, step)?;
        }
        Ok(items)
    }

    fn step(&self, items: Vec<Item<'v>>, step: &Step) -> Result<Vec<Item<'v>>, Unresolvable> {
        match step {
            Step::Member(name) => each(items, |item, found| item.member(name, found)),
            Step::OfType(name) => Ok(items.into_iter().filter(|item| item.is_of_type(name)).collect()),
            Step::Resolve => self.resolve(items),
            Step::Extension(url) => each(items, |item, found| item.extension(url, found)),
            Step::Where(steps, text) => self.filter(items, steps, text.as_deref()),
            Step::Exists => Ok(vec![Item::Truth(!items.is_empty())]),
            Step::First => Ok(items.into_iter().take(1).collect()),
            Step::Index(index) => Ok(items.into_iter().skip(*index).take(1).collect()),
        }
    }

    fn filter(&self, items: Vec<Item<'v>>, steps: &[Step], text: Option<&str>) -> Result<Vec<Item<'v>>, Unresolvable> {
        let mut kept = Vec::new();
        for item in items {
            let found = self.steps(vec![item], steps)?;
            let holds = match text {
                Some(text) => found.iter().any(|item| item.text() == Some(text)),
                None => found.iter().any(|item| matches!(item, Item::Truth(true))),
            };
            kept.extend(holds.then_some(item));
        }
        Ok(kept)
    }

    /// FHIRPath `resolve()`: items that cannot be resolved are left out.
    fn resolve(&self, items: Vec<Item<'v>>) -> Result<Vec<Item<'v>>, Unresolvable> {
        let entries = |value: &Value| value.get("entry").and_then(Value::as_array).map_or(1, Vec::len);
        let each: usize = self.surroundings().map(entries).sum();
        let mut resolved = Vec::with_capacity(items.len());
        for item in items {
            self.spend(each)?;
            resolved.extend(self.follow(item));
        }
        Ok(resolved)
    }

    fn follow(&self, item: Item<'v>) -> Option<Item<'v>> {
        match Reference::parse(item.reference()?) {
            Reference::Fragment(id) => item.contained(id),
            Reference::Urn(urn) => self.surroundings().find_map(|value| Item::with_full_url(value, urn)),
            Reference::Literal(literal) if literal.base.is_none_or(|base| self.scope.is_own_server(base)) => {
                let (resource_type, id) = (literal.resource_type, literal.id);
                let at_hand = self.surroundings().find_map(|value| Item::with_id(value, resource_type, id));
                Some(at_hand.unwrap_or(Item::Referred { resource_type, id }))
            }
            Reference::Literal(_) | Reference::Other(_) => None,
        }
    }

    /// Where a referred resource may stand: the value walked through, then the call's context.
    fn surroundings(&self) -> impl Iterator<Item = &'v Value> {
        std::iter::once(self.root).chain(self.scope.fields())
    }

    fn spend(&self, values: usize) -> Result<(), Unresolvable> {
        self.sight.set(self.sight.get().checked_sub(values).ok_or(Unresolvable::TooMany)?);
        Ok(())
    }
}

fn each<'v>(
    items: Vec<Item<'v>>,
    step: impl Fn(Item<'v>, &mut Vec<Item<'v>>) -> Result<(), Unresolvable>,
) -> Result<Vec<Item<'v>>, Unresolvable> {
    let mut found = Vec::new();
    for item in items {
        step(item, &mut found)?;
    }
    Ok(found)
}
