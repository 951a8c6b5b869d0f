//! What the check needs to see of a resource: types, ids, references and the way to them, nothing else.
//!
//! Read straight from the text, borrowed, without the numbers and texts that make up most of a resource: a third of
//! the time that a whole `Value` takes, on the way of every call.

use std::{borrow::Cow, fmt};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::fhir::is_resource_type;

/// One value.
pub(super) enum Outline<'t> {
    Object(Box<Object<'t>>),
    /// The items that say something, each with its index.
    Array(Vec<(usize, Outline<'t>)>),
    Text(Cow<'t, str>),
    /// Nothing in it matters.
    Scalar,
}

/// One object: the four texts that matter, and the members that say something.
#[derive(Default)]
pub(super) struct Object<'t> {
    resource_type: Option<Cow<'t, str>>,
    pub(super) id: Option<Cow<'t, str>>,
    pub(super) reference: Option<Cow<'t, str>>,
    pub(super) full_url: Option<Cow<'t, str>>,
    pub(super) members: Vec<(Cow<'t, str>, Outline<'t>)>,
}

impl<'t> Object<'t> {
    pub(super) fn resource_type(&self) -> Option<&str> {
        self.resource_type.as_deref().filter(|name| is_resource_type(name))
    }

    pub(super) fn member(&self, name: &str) -> Option<&Outline<'t>> {
        self.members.iter().find(|(known, _)| known == name).map(|(_, member)| member)
    }

    /// Most objects: a Coding, a Quantity, a Period.
    fn says_nothing(&self) -> bool {
        self.resource_type.is_none() && self.reference.is_none() && self.full_url.is_none() && self.members.is_empty()
    }

    fn take(&mut self, name: Cow<'t, str>, member: Outline<'t>) {
        let text = match member {
            Outline::Scalar => return,
            Outline::Object(_) | Outline::Array(_) => return self.members.push((name, member)),
            Outline::Text(text) => text,
        };
        match name.as_ref() {
            "resourceType" => self.resource_type = Some(text),
            "id" => self.id = Some(text),
            "reference" => self.reference = Some(text),
            "fullUrl" => self.full_url = Some(text),
            _ => (),
        }
    }
}

impl<'t> Outline<'t> {
    pub(super) fn object(&self) -> Option<&Object<'t>> {
        match self {
            Self::Object(object) => Some(object),
            Self::Array(_) | Self::Text(_) | Self::Scalar => None,
        }
    }

    pub(super) fn items(&self) -> &[(usize, Self)] {
        match self {
            Self::Array(items) => items,
            Self::Object(_) | Self::Text(_) | Self::Scalar => &[],
        }
    }
}

impl<'de> Deserialize<'de> for Outline<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OutlineVisitor)
    }
}

struct OutlineVisitor;

impl<'de> Visitor<'de> for OutlineVisitor {
    type Value = Outline<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Outline::Scalar)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Outline::Scalar)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Outline::Scalar)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Outline::Scalar)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Outline::Scalar)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Outline::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Outline::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        let mut index = 0;
        while let Some(item) = seq.next_element::<Outline<'de>>()? {
            if matches!(item, Outline::Object(_) | Outline::Array(_)) {
                items.push((index, item));
            }
            index += 1;
        }
        Ok(if items.is_empty() { Outline::Scalar } else { Outline::Array(items) })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut object = Object::default();
        while let Some(Name(name)) = map.next_key()? {
            let member = map.next_value()?;
            object.take(name, member);
        }
        Ok(if object.says_nothing() { Outline::Scalar } else { Outline::Object(Box::new(object)) })
    }
}

/// A member name, borrowed where the text has no escape in it.
struct Name<'t>(Cow<'t, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_str(OutlineVisitor)? {
            Outline::Text(name) => Ok(Self(name)),
            Outline::Object(_) | Outline::Array(_) | Outline::Scalar => Ok(Self(Cow::Borrowed(""))),
        }
    }
}
