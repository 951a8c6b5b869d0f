//! One item of a FHIRPath collection, and the steps from it to others.
//!
//! JSON has no types: a choice element (`medication[x]`) is found by the FHIR types that may end its name, and `ofType()`
//! looks at `resourceType`.

use serde_json::Value;

use super::resolve::Unresolvable;

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

impl<'v> Item<'v> {
    /// The items that a value stands for: a list for its members.
    pub(super) fn all_of(value: &'v Value) -> Vec<Self> {
        let mut items = Vec::new();
        enter(value, None, &mut items);
        items
    }

    /// The resource with this id: the value itself, or an entry of the Bundle that it is.
    pub(super) fn with_id(value: &'v Value, resource_type: &str, id: &str) -> Option<Self> {
        let is = |resource: &Value| {
            text_of(resource, "id") == Some(id) && text_of(resource, "resourceType") == Some(resource_type)
        };
        if is(value) { Some(standing(value)) } else { entry(value, |entry| entry.get("resource").is_some_and(is)) }
    }

    /// The resource of the entry with this `fullUrl`.
    pub(super) fn with_full_url(bundle: &'v Value, url: &str) -> Option<Self> {
        entry(bundle, |entry| text_of(entry, "fullUrl") == Some(url))
    }

    /// The resource `#id` refers to from here.
    pub(super) fn contained(self, id: &str) -> Option<Self> {
        let Self::Element { resource: Some(container), .. } = self else { return None };
        if id.is_empty() {
            return Some(standing(container));
        }
        let value = container.get("contained")?.as_array()?.iter().find(|inner| text_of(inner, "id") == Some(id))?;
        Some(Self::Element { value, resource: Some(container) })
    }

    /// The reference that this is: an element of type Reference, or the text of one.
    pub(super) fn reference(self) -> Option<&'v str> {
        match self {
            Self::Element { value, .. } => value.as_str().or_else(|| text_of(value, "reference")),
            Self::Referred { .. } | Self::Text(_) | Self::Truth(_) => None,
        }
    }

    pub(super) fn member(self, name: &str, found: &mut Vec<Self>) -> Result<(), Unresolvable> {
        match self {
            Self::Element { value: Value::Object(members), resource } => {
                let choice =
                    |(key, _): &(&String, &Value)| key.strip_prefix(name).is_some_and(|suffix| TYPES.contains(&suffix));
                let value = members.get(name).or_else(|| members.iter().find(choice).map(|(_, value)| value));
                match (value, name) {
                    (Some(value), "contained") => enter_contained(value, resource, found),
                    (Some(value), _) => enter(value, resource, found),
                    (None, _) => {}
                }
            }
            Self::Referred { id, .. } if name == "id" => found.push(Self::Text(id)),
            Self::Referred { .. } => return Err(Unresolvable::NotAtHand),
            Self::Element { .. } | Self::Text(_) | Self::Truth(_) => {}
        }
        Ok(())
    }

    pub(super) fn extension(self, url: &str, found: &mut Vec<Self>) -> Result<(), Unresolvable> {
        match self {
            Self::Element { value, resource } => {
                let extensions = value.get("extension").and_then(Value::as_array).into_iter().flatten();
                let named = extensions.filter(|extension| text_of(extension, "url") == Some(url));
                found.extend(named.map(|value| Self::Element { value, resource }));
                Ok(())
            }
            Self::Referred { .. } => Err(Unresolvable::NotAtHand),
            Self::Text(_) | Self::Truth(_) => Ok(()),
        }
    }

    pub(super) fn is_of_type(&self, name: &str) -> bool {
        match self {
            Self::Element { value, .. } => text_of(value, "resourceType") == Some(name),
            Self::Referred { resource_type, .. } => *resource_type == name,
            Self::Text(_) | Self::Truth(_) => false,
        }
    }

    pub(super) fn text(&self) -> Option<&'v str> {
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
            Self::Element { value, .. } => {
                text_of(value, "reference").map(str::to_owned).ok_or(Unresolvable::NotSimple)
            }
        }
    }
}

/// A list contributes its members; a resource becomes the surroundings of what stands in it.
fn enter<'v>(value: &'v Value, resource: Option<&'v Value>, found: &mut Vec<Item<'v>>) {
    match value {
        Value::Null => {}
        Value::Array(values) => values.iter().for_each(|value| enter(value, resource, found)),
        value if value.get("resourceType").is_some() => found.push(standing(value)),
        value => found.push(Item::Element { value, resource }),
    }
}

/// References inside a contained resource are to its siblings: the surroundings stay the container.
fn enter_contained<'v>(value: &'v Value, resource: Option<&'v Value>, found: &mut Vec<Item<'v>>) {
    let values = value.as_array().into_iter().flatten();
    found.extend(values.map(|value| Item::Element { value, resource }));
}

fn entry<'v>(bundle: &'v Value, is: impl Fn(&Value) -> bool) -> Option<Item<'v>> {
    let entries = bundle.get("entry")?.as_array()?;
    entries.iter().find(|entry| is(entry))?.get("resource").map(standing)
}

fn standing(resource: &Value) -> Item<'_> {
    Item::Element { value: resource, resource: Some(resource) }
}

fn text_of<'v>(value: &'v Value, member: &str) -> Option<&'v str> {
    value.get(member)?.as_str()
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
