//! Walking a path through FHIR JSON.
//!
//! JSON has no types: a choice element (`medication[x]`) is found by the FHIR types that may end its name, and `ofType()`
//! looks at `resourceType`. `resolve()` is lazy: a reference to a resource that is not at hand still has a type and an id,
//! which is what most templates ask for; looking deeper into it makes the template unresolvable rather than empty.

use medvan_profiles::fhir::Reference;
use serde_json::Value;

use super::{expression::Step, resolve::Unresolvable, scope::Scope};

/// References followed in one step.
const REFERENCES: usize = 500;

/// One item of a collection.
#[derive(Debug, Clone, Copy)]
pub(super) enum Item<'v> {
    Element {
        value: &'v Value,
        /// The resource that it stands in, for `#id`.
        resource: Option<&'v Value>,
    },
    /// A resource known by reference only.
    Referred {
        resource_type: &'v str,
        id: &'v str,
    },
    Text(&'v str),
    Truth(bool),
}

/// A walk that starts at `root`: a context field or the result under another key.
#[derive(Clone, Copy)]
pub(super) struct Walk<'v> {
    pub(super) scope: &'v Scope<'v>,
    pub(super) root: &'v Value,
}

impl<'v> Walk<'v> {
    pub(super) fn run(self, steps: &[Step]) -> Result<Vec<Item<'v>>, Unresolvable> {
        let mut items = Vec::new();
        enter(self.root, None, &mut items);
        self.steps(items, steps)
    }

    fn steps(self, mut items: Vec<Item<'v>>, steps: &[Step]) -> Result<Vec<Item<'v>>, Unresolvable> {
        for step in steps {
            items = self.step(items, step)?;
        }
        Ok(items)
    }

    fn step(self, items: Vec<Item<'v>>, step: &Step) -> Result<Vec<Item<'v>>, Unresolvable> {
        match step {
            Step::Member(name) => each(items, |item, found| member(item, name, found)),
            Step::OfType(name) => Ok(items.into_iter().filter(|item| is_of_type(item, name)).collect()),
            Step::Resolve if items.len() > REFERENCES => Err(Unresolvable::TooMany),
            Step::Resolve => Ok(items.into_iter().filter_map(|item| self.follow(item)).collect()),
            Step::Extension(url) => each(items, |item, found| extension(item, url, found)),
            Step::Where(steps, text) => self.filter(items, steps, text.as_deref()),
            Step::Exists => Ok(vec![Item::Truth(!items.is_empty())]),
            Step::First => Ok(items.into_iter().take(1).collect()),
            Step::Index(index) => Ok(items.into_iter().skip(*index).take(1).collect()),
        }
    }

    fn filter(self, items: Vec<Item<'v>>, steps: &[Step], text: Option<&str>) -> Result<Vec<Item<'v>>, Unresolvable> {
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
    fn follow(self, item: Item<'v>) -> Option<Item<'v>> {
        let Item::Element { value, resource } = item else {
            return None;
        };
        let reference = value.as_str().or_else(|| value.get("reference")?.as_str())?;
        match Reference::parse(reference) {
            Reference::Fragment(id) => contained(resource?, id).map(standing),
            Reference::Urn(urn) => self
                .bundles()
                .find_map(|bundle| entry(bundle, |entry| entry.get("fullUrl").and_then(Value::as_str) == Some(urn))),
            Reference::Literal(literal) if literal.base.is_none_or(|base| self.scope.is_own_server(base)) => {
                let (resource_type, id) = (literal.resource_type, literal.id);
                let at_hand = self.bundles().find_map(|bundle| find(bundle, resource_type, id));
                Some(at_hand.unwrap_or(Item::Referred { resource_type, id }))
            }
            Reference::Literal(_) | Reference::Other(_) => None,
        }
    }

    /// Where a referred resource may stand: the value walked through, then the call's context.
    fn bundles(self) -> impl Iterator<Item = &'v Value> {
        std::iter::once(self.root).chain(self.scope.fields())
    }
}

impl<'v> Item<'v> {
    fn text(&self) -> Option<&'v str> {
        match self {
            Self::Element { value, .. } => value.as_str(),
            Self::Text(text) => Some(text),
            Self::Referred { .. } | Self::Truth(_) => None,
        }
    }

    /// The simple value that stands in a query; a reference stands for the text of it.
    pub(super) fn written(&self) -> Result<String, Unresolvable> {
        match self {
            Self::Text(text) => Ok((*text).to_owned()),
            Self::Truth(truth) => Ok(truth.to_string()),
            Self::Referred { resource_type, id } => Ok(format!("{resource_type}/{id}")),
            Self::Element { value: Value::String(text), .. } => Ok(text.clone()),
            Self::Element { value: value @ (Value::Number(_) | Value::Bool(_)), .. } => Ok(value.to_string()),
            Self::Element { value, .. } => match value.get("reference") {
                Some(Value::String(reference)) => Ok(reference.clone()),
                _ => Err(Unresolvable::NotSimple),
            },
        }
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

fn member<'v>(item: Item<'v>, name: &str, found: &mut Vec<Item<'v>>) -> Result<(), Unresolvable> {
    match item {
        Item::Element { value: Value::Object(members), resource } => {
            let choice =
                |(key, _): &(&String, &Value)| key.strip_prefix(name).is_some_and(|suffix| TYPES.contains(&suffix));
            let value = members.get(name).or_else(|| members.iter().find(choice).map(|(_, value)| value));
            if let Some(value) = value {
                enter(value, resource, found);
            }
        }
        Item::Referred { id, .. } if name == "id" => found.push(Item::Text(id)),
        Item::Referred { .. } => return Err(Unresolvable::NotAtHand),
        Item::Element { .. } | Item::Text(_) | Item::Truth(_) => {}
    }
    Ok(())
}

/// A list contributes its members; a resource becomes the surroundings of what stands in it.
fn enter<'v>(value: &'v Value, resource: Option<&'v Value>, found: &mut Vec<Item<'v>>) {
    match value {
        Value::Null => {}
        Value::Array(values) => values.iter().for_each(|value| enter(value, resource, found)),
        value => {
            let is_contained = resource.is_some_and(|outer| holds(outer, value));
            let is_resource = value.get("resourceType").is_some() && !is_contained;
            found.push(Item::Element { value, resource: if is_resource { Some(value) } else { resource } });
        }
    }
}

/// References inside a contained resource are to its siblings: the surroundings stay the container.
fn holds(outer: &Value, value: &Value) -> bool {
    let contained = outer.get("contained").and_then(Value::as_array);
    contained.is_some_and(|contained| contained.iter().any(|inner| std::ptr::eq(inner, value)))
}

fn extension<'v>(item: Item<'v>, url: &str, found: &mut Vec<Item<'v>>) -> Result<(), Unresolvable> {
    match item {
        Item::Element { value, resource } => {
            let extensions = value.get("extension").and_then(Value::as_array).into_iter().flatten();
            let named = extensions.filter(|extension| extension.get("url").and_then(Value::as_str) == Some(url));
            found.extend(named.map(|value| Item::Element { value, resource }));
            Ok(())
        }
        Item::Referred { .. } => Err(Unresolvable::NotAtHand),
        Item::Text(_) | Item::Truth(_) => Ok(()),
    }
}

fn is_of_type(item: &Item<'_>, name: &str) -> bool {
    match item {
        Item::Element { value, .. } => value.get("resourceType").and_then(Value::as_str) == Some(name),
        Item::Referred { resource_type, .. } => *resource_type == name,
        Item::Text(_) | Item::Truth(_) => false,
    }
}

fn contained<'v>(resource: &'v Value, id: &str) -> Option<&'v Value> {
    if id.is_empty() {
        return Some(resource);
    }
    let contained = resource.get("contained")?.as_array()?;
    contained.iter().find(|inner| inner.get("id").and_then(Value::as_str) == Some(id))
}

fn find<'v>(value: &'v Value, resource_type: &str, id: &str) -> Option<Item<'v>> {
    let is = |resource: &Value| {
        resource.get("id").and_then(Value::as_str) == Some(id)
            && resource.get("resourceType").and_then(Value::as_str) == Some(resource_type)
    };
    if is(value) {
        return Some(standing(value));
    }
    entry(value, |entry| entry.get("resource").is_some_and(is))
}

fn entry<'v>(bundle: &'v Value, is: impl Fn(&Value) -> bool) -> Option<Item<'v>> {
    let entries = bundle.get("entry")?.as_array()?;
    entries.iter().find(|entry| is(entry))?.get("resource").map(standing)
}

fn standing(resource: &Value) -> Item<'_> {
    Item::Element { value: resource, resource: Some(resource) }
}

/// The types that end the name of a choice element (FHIR R4 §2.1.0.6 and its open types, with R5's `CodeableReference`).
const TYPES: &[&str] = &[
    "Address",
    "Age",
    "Annotation",
    "Attachment",
    "Base64Binary",
    "Boolean",
    "Canonical",
    "Code",
    "CodeableConcept",
    "CodeableReference",
    "Coding",
    "ContactPoint",
    "Count",
    "Date",
    "DateTime",
    "Decimal",
    "Distance",
    "Dosage",
    "Duration",
    "Expression",
    "HumanName",
    "Id",
    "Identifier",
    "Instant",
    "Integer",
    "Integer64",
    "Markdown",
    "Meta",
    "Money",
    "Oid",
    "Period",
    "PositiveInt",
    "Quantity",
    "Range",
    "Ratio",
    "RatioRange",
    "Reference",
    "SampledData",
    "Signature",
    "String",
    "Time",
    "Timing",
    "UnsignedInt",
    "Uri",
    "Url",
    "Uuid",
];
