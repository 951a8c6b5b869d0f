//! DiagnosticReport (FHIR R4 §10.3; R5 has `study` instead of `imagingStudy`).

use fhir_sdk::{
    Date, Instant,
    r4b::{
        codes::DiagnosticReportStatus,
        types::{CodeableConcept, FieldExtension, Identifier, Reference},
    },
};
use serde::Serialize;
use time::OffsetDateTime;

use crate::{
    element::{Bilingual, Concept, Link, Named},
    release::Release,
    written::{Head, Header, Written, concepts, identifiers, instant, references, written},
};

/// What a machine reports. It has neither performer nor interpreter: both are people (JP Core, JP_DiagnosticReport_Radiology).
#[derive(Debug, Clone, PartialEq)]
pub struct DiagnosticReport {
    /// Id and time of change.
    pub header: Header,
    /// Whether it does not hold any more.
    pub is_withdrawn: bool,
    /// Other names of it.
    pub identifiers: Vec<Named>,
    /// Kinds of report.
    pub categories: Vec<Concept>,
    /// What was reported on.
    pub code: Concept,
    /// Whose.
    pub subject: Link,
    /// The day of the examination.
    pub effective: Option<time::Date>,
    /// When it was made.
    pub issued: OffsetDateTime,
    /// The observations.
    pub results: Vec<Link>,
    /// The studies.
    pub imaging_studies: Vec<Link>,
    /// The whole in words.
    pub conclusion: Option<Bilingual>,
    /// The report in other forms.
    pub forms: Vec<Form>,
}

/// Where a report is in another form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Media type.
    pub content_type: String,
    /// Address.
    pub url: String,
    /// What it is.
    pub title: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Typed {
    #[serde(flatten)]
    head: Head,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    identifier: Vec<Identifier>,
    status: DiagnosticReportStatus,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    category: Vec<CodeableConcept>,
    code: CodeableConcept,
    subject: Reference,
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_date_time: Option<Date>,
    issued: Instant,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    result: Vec<Reference>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    imaging_study: Vec<Reference>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    study: Vec<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conclusion: Option<String>,
    #[serde(rename = "_conclusion", skip_serializing_if = "Option::is_none")]
    conclusion_ext: Option<FieldExtension>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    presented_form: Vec<TypedForm>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TypedForm {
    content_type: String,
    url: String,
    title: String,
}

impl DiagnosticReport {
    /// As FHIR JSON.
    pub fn written(&self, release: Release) -> Written {
        let studies = references(&self.imaging_studies);
        let (imaging_study, study) = match release {
            Release::R4 => (studies, Vec::new()),
            Release::R5 => (Vec::new(), studies),
        };
        let status = if self.is_withdrawn {
            DiagnosticReportStatus::EnteredInError
        } else {
            DiagnosticReportStatus::Preliminary
        };
        written(&Typed {
            head: self.header.typed("DiagnosticReport"),
            identifier: identifiers(&self.identifiers),
            status,
            category: concepts(&self.categories),
            code: self.code.typed(),
            subject: self.subject.typed(),
            effective_date_time: self.effective.map(Date::Date),
            issued: instant(self.issued),
            result: references(&self.results),
            imaging_study,
            study,
            conclusion: self.conclusion.as_ref().and_then(Bilingual::text),
            conclusion_ext: self.conclusion.as_ref().and_then(Bilingual::translation),
            presented_form: self.forms.iter().map(typed_form).collect(),
        })
    }
}

fn typed_form(form: &Form) -> TypedForm {
    TypedForm { content_type: form.content_type.clone(), url: form.url.clone(), title: form.title.clone() }
}
