//! The data types of which resources are made, in narrow form, and how they become fhir-sdk's.

use fhir_sdk::r4b::types::{
    CodeableConcept, CodeableConceptInner, Coding, CodingInner, Extension, ExtensionInner, ExtensionValue,
    FieldExtension, Identifier, IdentifierInner, Quantity, QuantityInner, Reference, ReferenceInner,
};

const UCUM: &str = "http://unitsofmeasure.org";
const TRANSLATION: &str = "http://hl7.org/fhir/StructureDefinition/translation";

/// A code of a code system (FHIR R4 §2.24.0.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coded {
    /// URI of the code system, where it has one.
    pub system: Option<String>,
    /// The code.
    pub code: String,
    /// What it means.
    pub display: String,
}

/// A concept: codes that say the same, and words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Concept {
    /// Codes.
    pub codes: Vec<Coded>,
    /// Words for people.
    pub text: Option<String>,
}

/// A business identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// What kind of identifier.
    pub kind: Option<Concept>,
    /// Who gave it, as a URI.
    pub system: Option<String>,
    /// The identifier.
    pub value: String,
}

/// A reference to a resource, by its address, by an identifier, or only in words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Link {
    /// `Device/…`, relative to the same server.
    pub reference: Option<String>,
    /// The type of resource; nothing where FHIR has none for it.
    pub kind: &'static str,
    /// Its identifier.
    pub identifier: Option<Named>,
    /// What it is, for people.
    pub display: Option<String>,
}

/// Words in Japanese, with their English translation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bilingual {
    /// Japanese.
    pub ja: String,
    /// English.
    pub en: String,
}

impl Coded {
    /// A code of a system.
    pub fn of(system: &str, code: &str, display: &str) -> Self {
        Self { system: Some(system.to_owned()), code: code.to_owned(), display: display.to_owned() }
    }
}

impl From<Coded> for Concept {
    fn from(code: Coded) -> Self {
        Self { codes: vec![code], text: None }
    }
}

impl Concept {
    /// A concept of which there are only words.
    pub fn words(text: &str) -> Self {
        Self { codes: Vec::new(), text: Some(text.to_owned()) }
    }

    /// The same with words.
    #[must_use]
    pub fn called(self, text: String) -> Self {
        Self { text: Some(text), ..self }
    }

    pub(crate) fn typed(&self) -> CodeableConcept {
        CodeableConcept::from(CodeableConceptInner {
            id: None,
            extension: Vec::new(),
            coding: self.codes.iter().map(|code| Some(code.typed())).collect(),
            coding_ext: Vec::new(),
            text: self.text.as_deref().and_then(visible),
            text_ext: None,
        })
    }
}

impl Coded {
    pub(crate) fn typed(&self) -> Coding {
        Coding::from(CodingInner {
            id: None,
            extension: Vec::new(),
            system: self.system.as_deref().and_then(visible),
            system_ext: None,
            version: None,
            version_ext: None,
            code: code(&self.code),
            code_ext: None,
            display: visible(&self.display),
            display_ext: None,
            user_selected: None,
            user_selected_ext: None,
        })
    }
}

impl Named {
    pub(crate) fn typed(&self) -> Identifier {
        Identifier::from(IdentifierInner {
            id: None,
            extension: Vec::new(),
            r#use: None,
            r#use_ext: None,
            r#type: self.kind.as_ref().map(Concept::typed),
            r#type_ext: None,
            system: self.system.as_deref().and_then(visible),
            system_ext: None,
            value: visible(&self.value),
            value_ext: None,
            period: None,
            period_ext: None,
            assigner: None,
            assigner_ext: None,
        })
    }
}

impl Link {
    /// A resource of the same server.
    pub fn to(kind: &'static str, id: &str) -> Self {
        Self { reference: Some(format!("{kind}/{id}")), kind, ..Self::default() }
    }

    /// A resource that is known by its identifier only.
    pub fn by(kind: &'static str, identifier: Named) -> Self {
        Self { kind, identifier: Some(identifier), ..Self::default() }
    }

    pub(crate) fn typed(&self) -> Reference {
        Reference::from(ReferenceInner {
            id: None,
            extension: Vec::new(),
            reference: self.reference.clone(),
            reference_ext: None,
            r#type: visible(self.kind),
            r#type_ext: None,
            identifier: self.identifier.as_ref().map(Named::typed),
            identifier_ext: None,
            display: self.display.as_deref().and_then(visible),
            display_ext: None,
        })
    }
}

impl Bilingual {
    /// The Japanese words; where there are none, the English ones.
    pub(crate) fn text(&self) -> Option<String> {
        visible(&self.ja).or_else(|| visible(&self.en))
    }

    /// The English ones, as the extension of a translation.
    pub(crate) fn translation(&self) -> Option<FieldExtension> {
        let (_, english) = (visible(&self.ja)?, visible(&self.en)?);
        let parts = vec![
            extension("lang", Vec::new(), Some(ExtensionValue::Code("en".to_owned()))),
            extension("content", Vec::new(), Some(ExtensionValue::String(english))),
        ];
        Some(FieldExtension { id: None, extension: vec![extension(TRANSLATION, parts, None)] })
    }
}

/// A quantity with a UCUM unit.
pub(crate) fn quantity(value: f64, unit: &str) -> Quantity {
    let unit = visible(unit);
    Quantity::from(QuantityInner {
        id: None,
        extension: Vec::new(),
        value: value.is_finite().then_some(value),
        value_ext: None,
        comparator: None,
        comparator_ext: None,
        system: unit.as_ref().map(|_| UCUM.to_owned()),
        system_ext: None,
        code: unit.as_deref().and_then(code),
        code_ext: None,
        unit,
        unit_ext: None,
    })
}

fn extension(url: &str, parts: Vec<Extension>, value: Option<ExtensionValue>) -> Extension {
    Extension::from(ExtensionInner { id: None, extension: parts, url: url.to_owned(), value, value_ext: None })
}

/// FHIR has no empty strings and no control characters but line breaks and tabulators (R4 §2.24.0.1): what would be nothing
/// is left out.
pub(crate) fn visible(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|char| !char.is_control() || matches!(char, '\t' | '\r' | '\n')).collect();
    (!text.trim().is_empty()).then_some(text)
}

/// A code has no white space around it, and single blanks in it.
fn code(text: &str) -> Option<String> {
    visible(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}
