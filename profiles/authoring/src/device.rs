//! Device (FHIR R4 §8.6; R5 has other names and several types): an AI service in one version.

use fhir_sdk::r4b::{
    codes::{DeviceNameType, FHIRDeviceStatus},
    types::{CodeableConcept, Identifier},
};
use serde::Serialize;

use crate::{
    element::{Concept, Named, visible},
    release::Release,
    written::{Head, Header, Written, identifiers, written},
};

/// An AI service in one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Id and time of change.
    pub header: Header,
    /// Other names of it, such as the number of its approval.
    pub identifiers: Vec<Named>,
    /// Who makes it.
    pub manufacturer: Option<String>,
    /// What people call it.
    pub name: String,
    /// The model's name.
    pub model: String,
    /// The model's number.
    pub model_number: Option<String>,
    /// What it is.
    pub kind: Concept,
    /// Its version.
    pub version: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Typed<Names> {
    #[serde(flatten)]
    head: Head,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    identifier: Vec<Identifier>,
    #[serde(flatten)]
    names: Names,
    version: Vec<Version>,
}

/// What R4 has its own way.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct R4 {
    status: FHIRDeviceStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    manufacturer: Option<String>,
    device_name: Vec<R4Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_number: Option<String>,
    r#type: CodeableConcept,
}

#[derive(Serialize)]
struct R4Name {
    name: String,
    r#type: DeviceNameType,
}

/// And R5.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct R5 {
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    status: FHIRDeviceStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    manufacturer: Option<String>,
    name: Vec<R5Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_number: Option<String>,
    r#type: [CodeableConcept; 1],
}

#[derive(Serialize)]
struct R5Name {
    value: String,
    /// `http://hl7.org/fhir/device-nametype` of R5 has no name of a model: it is what the product is registered as.
    r#type: &'static str,
}

#[derive(Serialize)]
struct Version {
    value: String,
}

impl Device {
    /// As FHIR JSON.
    pub fn written(&self, release: Release) -> Written {
        match release {
            Release::R4 => self.named(self.r4()),
            Release::R5 => self.named(self.r5()),
        }
    }

    fn named(&self, names: impl Serialize) -> Written {
        written(&Typed {
            head: self.header.typed("Device"),
            identifier: identifiers(&self.identifiers),
            names,
            version: vec![Version { value: self.version.clone() }],
        })
    }

    fn r4(&self) -> R4 {
        let names = [(&self.name, DeviceNameType::UserFriendlyName), (&self.model, DeviceNameType::ModelName)];
        let names = names.into_iter().filter_map(|(name, r#type)| Some(R4Name { name: visible(name)?, r#type }));
        R4 {
            status: FHIRDeviceStatus::Active,
            manufacturer: self.manufacturer.as_deref().and_then(visible),
            device_name: names.collect(),
            model_number: self.model_number.as_deref().and_then(visible),
            r#type: self.kind.typed(),
        }
    }

    fn r5(&self) -> R5 {
        let names = [(&self.name, "user-friendly-name"), (&self.model, "registered-name")];
        let names = names.into_iter().filter_map(|(name, r#type)| Some(R5Name { value: visible(name)?, r#type }));
        R5 {
            display_name: visible(&self.name),
            status: FHIRDeviceStatus::Active,
            manufacturer: self.manufacturer.as_deref().and_then(visible),
            name: names.collect(),
            model_number: self.model_number.as_deref().and_then(visible),
            r#type: [self.kind.typed()],
        }
    }
}
