//! Device (FHIR R4 §8.6): an AI service in one version.

use fhir_sdk::r4b::{
    codes::{DeviceNameType, FHIRDeviceStatus},
    types::{CodeableConcept, Identifier},
};
use serde::Serialize;

use crate::{
    element::{Concept, Named, visible},
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
struct Typed {
    #[serde(flatten)]
    head: Head,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    identifier: Vec<Identifier>,
    status: FHIRDeviceStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    manufacturer: Option<String>,
    device_name: Vec<DeviceName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_number: Option<String>,
    r#type: CodeableConcept,
    version: Vec<Version>,
}

#[derive(Serialize)]
struct DeviceName {
    name: String,
    r#type: DeviceNameType,
}

#[derive(Serialize)]
struct Version {
    value: String,
}

impl Device {
    /// As FHIR JSON.
    pub fn written(&self) -> Written {
        let names = [(&self.name, DeviceNameType::UserFriendlyName), (&self.model, DeviceNameType::ModelName)];
        let names = names.into_iter().filter_map(|(name, r#type)| Some(DeviceName { name: visible(name)?, r#type }));
        written(&Typed {
            head: self.header.typed("Device"),
            identifier: identifiers(&self.identifiers),
            status: FHIRDeviceStatus::Active,
            manufacturer: self.manufacturer.as_deref().and_then(visible),
            device_name: names.collect(),
            model_number: self.model_number.as_deref().and_then(visible),
            r#type: self.kind.typed(),
            version: vec![Version { value: self.version.clone() }],
        })
    }
}
