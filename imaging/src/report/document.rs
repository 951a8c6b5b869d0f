//! A report before it has a form: what is shown, in the words of a language, within bounds.

use std::collections::BTreeSet;

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::{
    Language, moments,
    value::{self, Shown},
    words::Word,
};
use crate::{attributes::Attributes, person_name::PersonName};

/// Content items within content items.
const DEPTH: usize = 64;
/// Content items in all.
const ITEMS: usize = 20_000;
/// Bytes of text in all.
const BYTES: usize = 2 << 20;
/// What a line costs beside its own bytes: it may be indented.
const LINE: usize = 32;
/// Persons who verified it: each is a line at its head.
const VERIFIERS: usize = 100;

/// What is shown of a report.
pub(super) struct Document {
    pub(super) title: String,
    /// Patient, study, state: each with its label.
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) items: Vec<Item>,
    /// Places of items that others refer to.
    pub(super) targets: BTreeSet<String>,
    /// What is to be said at its end: that it is empty, or not whole.
    pub(super) note: Option<&'static str>,
}

/// A content item (PS3.3 §C.17.3).
pub(super) struct Item {
    /// Numbers of the items on the way to it, from that of the document itself: `1.2.3` (§C.17.3.2.5).
    pub(super) place: String,
    /// How it relates to what holds it; none where it is only contained.
    pub(super) relation: Option<String>,
    /// Its concept name.
    pub(super) name: Option<String>,
    pub(super) shown: Shown,
    pub(super) items: Vec<Item>,
}

impl Item {
    /// Whether it is a heading over others.
    pub(super) fn is_heading(&self) -> bool {
        matches!(self.shown, Shown::Nothing) && self.name.is_some()
    }
}

impl Document {
    pub(super) fn read(report: &Attributes, language: Language) -> Self {
        let mut reader = Reader { language, items: ITEMS, bytes: BYTES, cut: false, targets: BTreeSet::new() };
        let name = value::concept(report, tags::CONCEPT_NAME_CODE_SEQUENCE);
        let title = reader.line(name.unwrap_or_else(|| Word::Report.of(language).to_owned()));
        let facts = reader.facts(report);
        let items = reader.items(report, "1", 1);
        let note = match (reader.cut, items.is_empty()) {
            (true, _) => Some(Word::Cut),
            (false, true) => Some(Word::NoContent),
            (false, false) => None,
        };
        Self { title, facts, items, targets: reader.targets, note: note.map(|word| word.of(language)) }
    }
}

pub(super) struct Reader {
    pub(super) language: Language,
    /// How many more items may come.
    items: usize,
    /// How much more text may come.
    bytes: usize,
    /// Whether anything was left out.
    cut: bool,
    targets: BTreeSet<String>,
}

// The head.
impl Reader {
    fn facts(&mut self, report: &Attributes) -> Vec<(&'static str, String)> {
        let text = |tag| report.text(tag);
        let moment = |date, time| moments::joined(text(date).as_deref(), text(time).as_deref());
        let mut facts = vec![
            (Word::PatientName, report.name(tags::PATIENT_NAME).map(readable)),
            (Word::PatientId, text(tags::PATIENT_ID)),
            (Word::BirthDate, text(tags::PATIENT_BIRTH_DATE).map(|date| moments::date(&date))),
            (Word::Sex, text(tags::PATIENT_SEX).map(|code| self.said(&code, SEXES))),
            (Word::StudyDate, moment(tags::STUDY_DATE, tags::STUDY_TIME)),
            (Word::Accession, text(tags::ACCESSION_NUMBER)),
            (Word::Created, moment(tags::CONTENT_DATE, tags::CONTENT_TIME)),
            (Word::Completion, self.completion(report)),
            (Word::Verification, text(tags::VERIFICATION_FLAG).map(|flag| self.said(&flag, VERIFICATIONS))),
        ];
        let verifiers = report.items(tags::VERIFYING_OBSERVER_SEQUENCE);
        self.cut |= verifiers.len() > VERIFIERS;
        facts.extend(verifiers.iter().take(VERIFIERS).map(|verifier| (Word::Verifier, observer(verifier))));
        facts
            .into_iter()
            .filter_map(|(label, fact)| {
                Some((label.of(self.language), self.line(fact?))).filter(|(_, fact)| !fact.is_empty())
            })
            .collect()
    }

    /// Completion Flag with its description, and Preliminary Flag.
    fn completion(&self, report: &Attributes) -> Option<String> {
        let flag = |tag, words| report.text(tag).map(|flag| self.said(&flag, words));
        let parts: Vec<String> = [
            flag(tags::COMPLETION_FLAG, COMPLETIONS),
            flag(tags::PRELIMINARY_FLAG, PRELIMINARIES),
            report.text(tags::COMPLETION_FLAG_DESCRIPTION),
        ]
        .into_iter()
        .flatten()
        .collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// A code string in words, or as it is.
    fn said(&self, code: &str, words: &[(&str, Word)]) -> String {
        let known = words.iter().find(|(known, _)| *known == code);
        known.map_or_else(|| code.to_owned(), |(_, word)| word.of(self.language).to_owned())
    }
}

const SEXES: &[(&str, Word)] = &[("M", Word::Male), ("F", Word::Female), ("O", Word::Other)];
const COMPLETIONS: &[(&str, Word)] = &[("COMPLETE", Word::Complete), ("PARTIAL", Word::Partial)];
const PRELIMINARIES: &[(&str, Word)] = &[("PRELIMINARY", Word::Preliminary), ("FINAL", Word::Final)];
const VERIFICATIONS: &[(&str, Word)] = &[("VERIFIED", Word::Verified), ("UNVERIFIED", Word::Unverified)];
/// Relationship Type (PS3.3 §C.17.3.2.4).
const RELATIONS: &[(&str, Word)] = &[
    ("HAS OBS CONTEXT", Word::ObservationContext),
    ("HAS ACQ CONTEXT", Word::AcquisitionContext),
    ("HAS CONCEPT MOD", Word::Modifier),
    ("HAS PROPERTIES", Word::Property),
    ("INFERRED FROM", Word::InferredFrom),
    ("SELECTED FROM", Word::SelectedFrom),
];

// The tree.
impl Reader {
    fn items(&mut self, holder: &Attributes, place: &str, depth: usize) -> Vec<Item> {
        let sequence = holder.items(tags::CONTENT_SEQUENCE);
        if depth > DEPTH {
            self.cut |= !sequence.is_empty();
            return Vec::new();
        }
        let mut items = Vec::new();
        for (number, item) in (1..).zip(sequence) {
            if self.items == 0 || self.bytes == 0 {
                self.cut = true;
                break;
            }
            self.items -= 1;
            items.push(self.item(item, format!("{place}.{number}"), depth));
        }
        items
    }

    fn item(&mut self, item: &Attributes, place: String, depth: usize) -> Item {
        let relation = item.text(tags::RELATIONSHIP_TYPE).filter(|relation| relation != "CONTAINS");
        let relation = relation.map(|relation| self.said(&relation, RELATIONS));
        let name = value::concept(item, tags::CONCEPT_NAME_CODE_SEQUENCE);
        let shown = value::shown(self, item);
        if let Shown::Reference(target) = &shown {
            self.targets.insert(target.clone());
        }
        Item {
            relation: relation.map(|relation| self.line(relation)),
            name: name.map(|name| self.line(name)).filter(|name| !name.is_empty()),
            shown,
            items: self.items(item, &place, depth + 1),
            place,
        }
    }

    /// Text of several lines.
    pub(super) fn lines(&mut self, text: &str) -> String {
        let mut clean = String::new();
        let mut characters = text.trim_end().chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '\r' if characters.peek() == Some(&'\n') => {}
                '\r' | '\n' | '\x0B' | '\x0C' | '\u{85}' | '\u{2028}' | '\u{2029}' => clean.push('\n'),
                '\t' => clean.push('\t'),
                // They could make what follows look otherwise, or mean something to a terminal.
                '\u{202D}' | '\u{202E}' => {}
                control if control.is_control() => {}
                other => clean.push(other),
            }
        }
        self.spend(clean)
    }

    /// Text of one line.
    pub(super) fn line(&mut self, text: impl AsRef<str>) -> String {
        let lines = self.lines(text.as_ref());
        if lines.contains('\n') { lines.replace('\n', " ") } else { lines }
    }

    fn spend(&mut self, mut text: String) -> String {
        let mut cost = LINE;
        let end = text.char_indices().find(|(_, character)| {
            cost += character.len_utf8() + if *character == '\n' { LINE } else { 0 };
            cost > self.bytes
        });
        if let Some((end, _)) = end {
            text.truncate(end);
            text.push_str(" […]");
            self.cut = true;
        }
        self.bytes = self.bytes.saturating_sub(cost);
        text
    }
}

/// Who verified it, of which organization, and when (PS3.3 table C.17-2).
fn observer(verifier: &Attributes) -> Option<String> {
    let parts: Vec<String> = [
        verifier.name(tags::VERIFYING_OBSERVER_NAME).map(readable),
        verifier.text(tags::VERIFYING_ORGANIZATION),
        verifier.text(tags::VERIFICATION_DATE_TIME).map(|moment| moments::date_time(&moment)),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// A name as it is read: ideographs with their sound, then letters; components in their order with spaces between them.
pub(super) fn readable(name: &PersonName) -> String {
    let spaced = |group: &str| {
        let parts = group.split('^').map(str::trim).filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join(" ")
    };
    match name.groups().map(|group| group.map(spaced)) {
        [Some(letters), Some(ideographs), Some(sound)] => format!("{ideographs} ({sound}) {letters}"),
        [None, Some(ideographs), Some(sound)] => format!("{ideographs} ({sound})"),
        [letters, ideographs, sound] => {
            [ideographs, sound, letters].into_iter().flatten().collect::<Vec<_>>().join(" ")
        }
    }
}

/// The first value of an attribute as one line, if it has any.
pub(super) fn text_of(item: &Attributes, tag: Tag) -> Option<String> {
    item.text(tag).filter(|text| !text.trim().is_empty())
}
