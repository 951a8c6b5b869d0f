//! OperationOutcome (FHIR R4 §3.2.6): how a FHIR-shaped surface says that something went wrong.

use fhir_sdk::r4b::{
    codes::{IssueSeverity, IssueType},
    resources::OperationOutcomeIssue,
    types::{CodeableConcept, CodeableConceptInner},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

const RESOURCE_TYPE: &str = "OperationOutcome";

/// One issue, in our words. Its texts name places and mends, never a patient's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// How bad it is.
    pub severity: IssueSeverity,
    /// What kind of thing went wrong (`http://hl7.org/fhir/issue-type`).
    pub code: IssueType,
    /// What is wrong and how to mend it.
    pub diagnostics: String,
    /// Where, as a simple FHIRPath.
    pub expression: Option<String>,
    /// The same for the person at the screen, in the language of the place: `details.text`.
    pub details: Option<String>,
}

/// The issues of a foreign OperationOutcome, as far as they can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issues {
    /// Those that fhir-sdk could read.
    pub readable: Vec<Issue>,
    /// How many it could not (a code that FHIR does not know, a missing severity).
    pub unreadable: usize,
}

/// The bytes are no OperationOutcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an OperationOutcome")]
pub struct NotAnOperationOutcome;

/// Writes an OperationOutcome as FHIR JSON. FHIR wants at least one issue; where there is none, the outcome says so.
pub fn operation_outcome(issues: &[Issue]) -> Vec<u8> {
    let issue = match issues {
        [] => vec![typed(&Issue::nothing())],
        issues => issues.iter().map(typed).collect(),
    };
    serde_json::to_vec(&Written { resource_type: RESOURCE_TYPE, issue }).expect("an issue is texts and codes")
}

impl Issue {
    /// Something that stopped the request.
    pub fn error(code: IssueType, diagnostics: String, expression: Option<String>) -> Self {
        Self { severity: IssueSeverity::Error, code, diagnostics, expression, details: None }
    }

    /// Something that the sender should mend, although the request went on.
    pub fn warning(code: IssueType, diagnostics: String, expression: Option<String>) -> Self {
        Self { severity: IssueSeverity::Warning, ..Self::error(code, diagnostics, expression) }
    }

    /// Adds the text for the person at the screen.
    #[must_use]
    pub fn with_details(self, text: String) -> Self {
        Self { details: Some(text), ..self }
    }

    fn nothing() -> Self {
        let text = "nothing to report".to_owned();
        Self { severity: IssueSeverity::Information, ..Self::error(IssueType::Informational, text, None) }
    }
}

impl Issues {
    /// Reads a foreign OperationOutcome. The text must have passed `medvan_profiles::json::scan`.
    pub fn read(bytes: &[u8]) -> Result<Self, NotAnOperationOutcome> {
        let outcome: Received<'_> = serde_json::from_slice(bytes).map_err(|_| NotAnOperationOutcome)?;
        if outcome.resource_type != RESOURCE_TYPE {
            return Err(NotAnOperationOutcome);
        }
        let readable: Vec<Issue> = outcome.issue.iter().filter_map(|raw| plain(raw)).collect();
        Ok(Self { unreadable: outcome.issue.len() - readable.len(), readable })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    resource_type: &'static str,
    issue: Vec<OperationOutcomeIssue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Received<'t> {
    resource_type: String,
    #[serde(borrow, default)]
    issue: Vec<&'t RawValue>,
}

fn typed(issue: &Issue) -> OperationOutcomeIssue {
    OperationOutcomeIssue {
        id: None,
        extension: Vec::new(),
        modifier_extension: Vec::new(),
        severity: issue.severity,
        severity_ext: None,
        code: issue.code,
        code_ext: None,
        details: issue.details.as_deref().and_then(visible).map(concept),
        details_ext: None,
        diagnostics: visible(&issue.diagnostics),
        diagnostics_ext: None,
        location: Vec::new(),
        location_ext: Vec::new(),
        expression: issue.expression.as_deref().and_then(visible).into_iter().map(Some).collect(),
        expression_ext: Vec::new(),
    }
}

fn concept(text: String) -> CodeableConcept {
    CodeableConcept::from(CodeableConceptInner {
        id: None,
        extension: Vec::new(),
        coding: Vec::new(),
        coding_ext: Vec::new(),
        text: Some(text),
        text_ext: None,
    })
}

/// FHIR has no empty strings: what would be one is left out.
fn visible(text: &str) -> Option<String> {
    (!text.trim().is_empty()).then(|| text.to_owned())
}

fn plain(raw: &RawValue) -> Option<Issue> {
    let issue: OperationOutcomeIssue = serde_json::from_str(raw.get()).ok()?;
    Some(Issue {
        severity: issue.severity,
        code: issue.code,
        diagnostics: issue.diagnostics.unwrap_or_default(),
        expression: issue.expression.into_iter().flatten().next(),
        details: issue.details.and_then(|details| details.text.clone()),
    })
}
