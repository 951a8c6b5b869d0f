//! Where the check stands, as a chain on the stack: nothing is allocated unless something is found.

use std::fmt::Write as _;

use super::{ForeignPatient, NAMES_OTHERS};

/// One step of the way from the root to a value.
pub(super) struct Place<'a> {
    around: Option<&'a Place<'a>>,
    step: Step<'a>,
}

enum Step<'a> {
    /// The outermost value; its type opens the text.
    Root(&'a str),
    /// A resource begins here: the elements below are its own.
    Resource(&'a str),
    Member(&'a str),
    Item(usize),
}

impl<'a> Place<'a> {
    pub(super) fn root(resource_type: Option<&'a str>) -> Self {
        Self { around: None, step: Step::Root(shown(resource_type.unwrap_or("Resource"))) }
    }

    pub(super) fn resource(&'a self, resource_type: &'a str) -> Self {
        Self { around: Some(self), step: Step::Resource(resource_type) }
    }

    pub(super) fn member(&'a self, name: &'a str) -> Self {
        Self { around: Some(self), step: Step::Member(name) }
    }

    pub(super) fn item(&'a self, index: usize) -> Self {
        Self { around: Some(self), step: Step::Item(index) }
    }

    /// Whether this is one of these elements, or an item of one.
    pub(super) fn is_element_of(&self, names: &[&str]) -> bool {
        self.way_up().find_map(member_name).is_some_and(|name| names.contains(&name))
    }

    /// Whether the element stands in [`NAMES_OTHERS`] for the resource that it belongs to.
    pub(super) fn names_others(&self) -> bool {
        NAMES_OTHERS.iter().any(|(resource_type, path)| self.is_at(resource_type, path))
    }

    pub(super) fn foreign(&self) -> ForeignPatient {
        ForeignPatient { place: self.text() }
    }

    fn is_at(&self, resource_type: &str, path: &str) -> bool {
        let mut path = path.rsplit('.');
        for step in self.way_up() {
            match step {
                Step::Resource(name) => return *name == resource_type && path.next().is_none(),
                Step::Member(name) if path.next() != Some(name) => return false,
                Step::Root(_) => return false,
                Step::Member(_) | Step::Item(_) => (),
            }
        }
        false
    }

    fn way_up(&self) -> impl Iterator<Item = &Step<'a>> {
        std::iter::successors(Some(self), |place| place.around).map(|place| &place.step)
    }

    fn text(&self) -> String {
        let steps: Vec<&Step<'_>> = self.way_up().collect();
        let mut text = String::new();
        for step in steps.into_iter().rev() {
            // Writing to a String cannot fail.
            let _ = match step {
                Step::Root(name) => write!(text, "{name}"),
                Step::Resource(_) => Ok(()),
                Step::Member(name) => write!(text, ".{}", shown(name)),
                Step::Item(index) => write!(text, "[{index}]"),
            };
        }
        text
    }
}

fn member_name<'a>(step: &Step<'a>) -> Option<&'a str> {
    match step {
        Step::Member(name) => Some(name),
        Step::Root(_) | Step::Resource(_) | Step::Item(_) => None,
    }
}

/// A member's name as it may be shown: whoever sent the resource could have put a value there instead.
fn shown(name: &str) -> &str {
    let is_plain = name.len() <= 40 && !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    if is_plain { name } else { "?" }
}
