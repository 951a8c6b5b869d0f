//! Values of attributes as the checks need them, and the list of what is wrong.

use dicom_core::dictionary::{DataDictionary as _, DataDictionaryEntry as _};
use dicom_dictionary_std::{StandardDataDictionary, tags};
use medvan_imaging::{
    Tag,
    attributes::{Attributes, Content, Number},
};

use crate::{evidence::terms::Term, finding::Refused};

/// More than this are not told: they would not be read.
const MOST: usize = 100;

/// What is wrong with an object. The words are ours: nothing of what the object says is repeated.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Refused>);

impl Faults {
    pub(super) fn add(&mut self, place: impl Into<String>, reason: &str, mend: impl Into<String>) {
        if !self.is_full() {
            self.0.push(Refused::new(place, reason, mend));
        }
    }

    /// Whether looking on is of no use.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MOST
    }

    pub(super) fn into_inner(self) -> Vec<Refused> {
        self.0
    }
}

/// The keyword of an attribute, or its number where it has none.
pub(super) fn keyword(tag: Tag) -> String {
    let entry = StandardDataDictionary.by_tag(tag);
    entry.map_or_else(|| medvan_imaging::json::key(tag), |entry| entry.alias().to_owned())
}

/// The place of an attribute within another place.
pub(super) fn at(place: &str, tag: Tag) -> String {
    format!("{place}/{}", keyword(tag))
}

/// The place of an item.
pub(super) fn nth(place: &str, tag: Tag, number: usize) -> String {
    format!("{place}/{}/{number}", keyword(tag))
}

/// The first value, without padding; nothing where it is empty.
pub(super) fn text(item: &Attributes, tag: Tag) -> Option<String> {
    item.text(tag).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Every whole number of an attribute; `None` where one of them is none.
pub(super) fn wholes(item: &Attributes, tag: Tag) -> Option<Vec<u32>> {
    item.get(tag)?.texts().into_iter().map(|text| text?.trim().parse().ok()).collect()
}

/// Every binary number of an attribute; `None` where one of them is missing or not finite.
pub(super) fn reals(item: &Attributes, tag: Tag) -> Option<Vec<f64>> {
    let Content::Numbers(numbers) = &item.get(tag)?.content else { return None };
    let real = |number: &Option<Number>| match (*number)? {
        Number::Single(number) => Some(f64::from(number)),
        Number::Double(number) => Some(number),
        Number::Signed(number) => Some(number as f64),
        Number::Unsigned(number) => Some(number as f64),
    };
    numbers.iter().map(|number| real(number).filter(|number| number.is_finite())).collect()
}

/// The value of a code, wherever it stands (PS3.3 section 8.1).
pub(super) fn code_value(item: &Attributes) -> Option<String> {
    [tags::CODE_VALUE, tags::LONG_CODE_VALUE, tags::URN_CODE_VALUE].into_iter().find_map(|tag| text(item, tag))
}

/// Whether the first item of a code sequence is this concept.
pub(super) fn is_coded(item: &Attributes, sequence: Tag, term: Term<'_>) -> bool {
    let code = item.items(sequence).first();
    code.is_some_and(|code| {
        text(code, tags::CODING_SCHEME_DESIGNATOR).as_deref() == Some(term.scheme)
            && code_value(code).as_deref() == Some(term.code)
    })
}

/// Says what a code sequence lacks: exactly one code with value, scheme and meaning (PS3.3 section 8).
pub(super) fn check_code(item: &Attributes, sequence: Tag, place: &str, faults: &mut Faults) {
    let place = at(place, sequence);
    let [code] = item.items(sequence) else {
        faults.add(place, "there is not exactly one code", "write one item");
        return;
    };
    let has_scheme = text(code, tags::CODING_SCHEME_DESIGNATOR).is_some() || text(code, tags::URN_CODE_VALUE).is_some();
    if code_value(code).is_none() || text(code, tags::CODE_MEANING).is_none() || !has_scheme {
        let mend = "write code value, coding scheme designator and code meaning (PS3.3 section 8)";
        faults.add(place, "the code is not whole", mend);
    }
}
