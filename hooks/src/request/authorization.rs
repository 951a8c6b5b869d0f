//! `fhirAuthorization`: a borrowed secret. It serves this call only, is never stored, logged or passed on (items 30-32).

use std::fmt;

use medvan_profiles::Json;
use serde::Deserialize;
use serde_json::{Number, Value};

use super::error::{Problem, RequestError};
use crate::context::{Oddity, Warning};

/// Access to the sender's FHIR server. Its `Debug` shows neither the token nor the patient.
#[derive(Clone, PartialEq, Eq)]
pub struct FhirAuthorization {
    /// The bearer token.
    pub access_token: String,
    /// `Bearer`, in any spelling of case.
    pub token_type: String,
    /// Lifetime in seconds.
    pub expires_in: u64,
    /// The scopes: SMART v1 in 2.0, SMART v2 in 3.0.
    pub scope: String,
    /// The client id of *the service that is called*, here the gateway, at the sender's authorization server.
    pub subject: String,
    /// The patient that the token is restricted to.
    pub patient: Option<String>,
}

impl FhirAuthorization {
    pub(super) fn parse(json: &Json) -> Result<Self, RequestError> {
        if !json.is_object() {
            return Err(RequestError::at("fhirAuthorization", Problem::NotAnObject));
        }
        let wire: Wire = serde_json::from_str(json.as_str()).map_err(|_| diagnose(&json.value()))?;
        let text = |name: &'static str, value: Option<String>| present(name, value);
        let token_type = text("token_type", wire.token_type)?;
        if !token_type.eq_ignore_ascii_case("bearer") {
            return Err(RequestError::at("fhirAuthorization.token_type", Problem::NotBearer));
        }
        let expires_in = wire.expires_in.ok_or_else(|| at("expires_in", Problem::Missing))?;
        Ok(Self {
            access_token: token(present("access_token", wire.access_token)?)?,
            token_type,
            expires_in: expires_in.as_u64().ok_or_else(|| at("expires_in", Problem::NotSeconds))?,
            scope: text("scope", wire.scope)?,
            subject: text("subject", wire.subject)?,
            patient: wire.patient,
        })
    }

    /// cds-r-2: a token with patient scopes says which patient. Another one than the context's would read foreign data.
    pub(super) fn check(&self, patient_id: Option<&str>, warnings: &mut Vec<Warning>) -> Result<(), RequestError> {
        match (&self.patient, patient_id) {
            (Some(token), Some(context)) if token.trim_start_matches("Patient/") != context => {
                Err(at("patient", Problem::OtherPatient))
            }
            (None, _) if self.scope.split_whitespace().any(|scope| scope.starts_with("patient/")) => {
                warnings.push(Warning::new("fhirAuthorization.patient", Oddity::PatientScopeWithoutPatient));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for FhirAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FhirAuthorization")
            .field("access_token", &"[hidden]")
            .field("expires_in", &self.expires_in)
            .field("scope", &self.scope)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Wire {
    access_token: Option<String>,
    token_type: Option<String>,
    expires_in: Option<Number>,
    scope: Option<String>,
    subject: Option<String>,
    patient: Option<String>,
}

fn at(member: &str, problem: Problem) -> RequestError {
    RequestError::at(format!("fhirAuthorization.{member}"), problem)
}

fn present(member: &'static str, value: Option<String>) -> Result<String, RequestError> {
    match value {
        None => Err(at(member, Problem::Missing)),
        Some(text) if text.is_empty() => Err(at(member, Problem::Empty)),
        Some(text) => Ok(text),
    }
}

/// A token goes into a header of our own call: RFC 6750 `b64token`, loosely, and nothing that could end the header line.
fn token(text: String) -> Result<String, RequestError> {
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(text)
    } else {
        Err(at("access_token", Problem::NotAToken))
    }
}

fn diagnose(value: &Value) -> RequestError {
    const STRINGS: [&str; 5] = ["access_token", "token_type", "scope", "subject", "patient"];
    let wrong = |name: &&&str| value.get(**name).is_some_and(|value| !value.is_null() && !value.is_string());
    match STRINGS.iter().find(wrong) {
        Some(member) => at(member, Problem::NotAString),
        None => at("expires_in", Problem::NotSeconds),
    }
}
