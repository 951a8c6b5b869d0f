//! What a service found, as FHIR R4 and R5: an Observation for each finding, a DiagnosticReport that holds them, a Provenance that says
//! from which images and by which service, and a Device for that service.
//!
//! The mapping is that of HL7's guide "DICOM SR to FHIR" (1.0.0 ballot) (for R5) brought to R4, with one departure. The guide has the
//! finding as the *value* of an Observation of a "Measurement Group". A service may also say that something is **not** there,
//! and whoever reads a value without looking further would read the contrary. Here the finding is the `code`, and the value says
//! whether it is present, absent or not to be told; the guide's code stands in `category`.
//!
//! R5 has ImagingSelection: where R4 tells the place of a finding in words, R5 has the regions, images and segments themselves, and the
//! content item of the report that says so ([`Selector`]).
//!
//! No status is ever `final`, no performer is ever named: both are a doctor's (JP Core 1.2.0, JP_DiagnosticReport_Radiology).
//!
//! Logical ids say where they come from, so that a resource is found again without an index of ids: a job's report and
//! provenance have the id of the job, its observations add their place (`<job>.<n>`), imaging
//! selections the part too (`<job>.<n>.segment`), a study has its StudyInstanceUID.

mod finding;
mod selection;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use medvan_authoring::{
    Agent, Bilingual, Coded, Concept, Device, DiagnosticReport, Form, Header, Link, Named, Observation, Provenance,
    Release,
};
use medvan_imaging::Uid;
use medvan_profiles::descriptor::{Descriptor, Words};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

pub use selection::{Part, Selector};

use crate::{evidence::Reference, finding::Findings};

const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const SCT: &str = "http://snomed.info/sct";
const LOINC: &str = "http://loinc.org";
const DICOM_UID: &str = "urn:dicom:uid";
/// SR documents (PS3.4 table B.5-1): what a report may be shown as.
const STRUCTURED_REPORTS: &str = "1.2.840.10008.5.1.4.1.1.88.";

/// What one job found, and all that is told with it.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// For which release of FHIR it is told.
    pub release: Release,
    /// The job.
    pub job: Uuid,
    /// When the service answered.
    pub at: OffsetDateTime,
    /// Whether a later job took its place.
    pub is_superseded: bool,
    /// Jobs whose place it took.
    pub supersedes: &'a [Uuid],
    /// PatientID, or nothing.
    pub patient_id: &'a str,
    /// StudyInstanceUID.
    pub study: &'a Uid,
    /// StudyDate, if it is one.
    pub study_date: Option<Date>,
    /// `<vendor>.<service>`.
    pub service: &'a str,
    /// Its version.
    pub version: &'a str,
    /// What it found.
    pub findings: &'a Findings,
    /// The series that it was given, with their instances.
    pub inputs: &'a [(Uid, Vec<Uid>)],
    /// Those of them about which more is known. Only R5 tells it.
    pub images: &'a HashMap<Uid, Image>,
    /// What was made of it, with the address to retrieve it from.
    pub evidence: &'a [(Reference, String)],
}

/// What the index of images knows of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// SOPClassUID.
    pub class: Uid,
    /// Whether it has several frames.
    pub is_multi_frame: bool,
}

/// The id of the Device that stands for a service in a version: the same everywhere and always.
pub fn device_id(service: &str, version: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("urn:medvan:service:{service}@{version}").as_bytes())
}

/// A patient, by the id that a hospital gave.
pub fn patient(patient_id: &str) -> Link {
    if patient_id.is_empty() {
        return Link { kind: "Patient", display: Some("unknown".to_owned()), ..Link::default() };
    }
    let kind = Coded::of("http://terminology.hl7.org/CodeSystem/v2-0203", "MR", "Medical record number");
    Link::by("Patient", Named { kind: Some(kind.into()), system: None, value: patient_id.to_owned() })
}

/// StudyInstanceUID as an identifier.
pub fn study_identifier(study: &Uid) -> Named {
    let kind = Coded::of(DCM, "110180", "Study Instance UID");
    Named { kind: Some(kind.into()), ..uid_identifier(study) }
}

/// A service in a version, as its descriptor tells it.
pub fn device(service: &str, version: &str, descriptor: Option<&Descriptor>) -> Device {
    let approval = descriptor.and_then(|descriptor| {
        let (ja, en) = (descriptor.regulatory.status.ja(), descriptor.regulatory.status.en());
        let kind = Some(Concept::words(&format!("{ja} ({en})")));
        Some(Named { kind, system: None, value: descriptor.regulatory.number.clone()? })
    });
    let own = Named { kind: None, system: None, value: format!("{service}@{version}") };
    Device {
        header: Header { id: device_id(service, version).to_string(), changed_at: None },
        identifiers: std::iter::once(own).chain(approval).collect(),
        manufacturer: descriptor.map(|descriptor| descriptor.maker.ja.clone()),
        name: descriptor.map_or(service, |descriptor| &descriptor.name.ja).to_owned(),
        model: descriptor.map_or(service, |descriptor| &descriptor.product_name.ja).to_owned(),
        model_number: descriptor.and_then(|descriptor| descriptor.model_number.clone()),
        kind: Concept::words("AI service"),
        version: version.to_owned(),
    }
}

impl Told<'_> {
    /// One Observation for each finding, in the service's order.
    pub fn observations(&self) -> impl Iterator<Item = Observation> + '_ {
        let selector = self.selector();
        let findings = self.findings.findings.iter().enumerate();
        findings.map(move |(place, finding)| finding::observation(self, place, finding, selector.as_ref()))
    }

    /// That of the finding at a place, counted from 0.
    pub fn observation(&self, place: usize) -> Option<Observation> {
        let finding = self.findings.findings.get(place)?;
        Some(finding::observation(self, place, finding, self.selector().as_ref()))
    }

    /// What selects the places of the findings; nothing in R4.
    pub fn selector(&self) -> Option<Selector<'_>> {
        (self.release == Release::R5).then(|| Selector::of(self))
    }

    /// The report that holds them.
    pub fn report(&self) -> DiagnosticReport {
        let urn = Named { kind: None, system: Some("urn:ietf:rfc:3986".to_owned()), value: self.job.urn().to_string() };
        let radiology = Coded::of(LOINC, "LP29684-5", "Radiology");
        let study = Coded::of(LOINC, "18748-4", "Diagnostic imaging study");
        DiagnosticReport {
            header: self.header(self.job.to_string()),
            is_withdrawn: self.is_superseded,
            identifiers: vec![urn],
            categories: vec![radiology.into()],
            code: Concept::from(study).called("AI による画像解析 (AI image analysis)".to_owned()),
            subject: patient(self.patient_id),
            effective: self.study_date,
            issued: self.at,
            results: self.results(),
            imaging_studies: vec![self.imaging_study()],
            conclusion: self.conclusion(),
            forms: self.forms(),
        }
    }

    /// From what, by whom and instead of what it was made.
    pub fn provenance(&self) -> Provenance {
        let made = self.evidence.iter().map(|(made, _)| Link::by("", uid_identifier(&made.instance)));
        let report = Link::to("DiagnosticReport", &self.job.to_string());
        let create = Coded::of("http://terminology.hl7.org/CodeSystem/v3-DataOperation", "CREATE", "create");
        Provenance {
            header: self.header(self.job.to_string()),
            targets: std::iter::once(report).chain(self.results()).chain(made).collect(),
            recorded: self.at,
            activity: create.into(),
            agents: self.agents(),
            sources: std::iter::once(self.imaging_study()).chain(self.inputs.iter().map(input)).collect(),
            revised: self.supersedes.iter().map(|job| Link::to("DiagnosticReport", &job.to_string())).collect(),
        }
    }

    fn header(&self, id: String) -> Header {
        Header { id, changed_at: Some(self.at) }
    }

    fn results(&self) -> Vec<Link> {
        (0..self.findings.findings.len()).map(|place| Link::to("Observation", &self.observation_id(place))).collect()
    }

    /// The id of the observation of the finding at a place, counted from 0; ids count from 1.
    fn observation_id(&self, place: usize) -> String {
        format!("{}.{}", self.job, place + 1)
    }

    fn imaging_study(&self) -> Link {
        let identifier = Some(study_identifier(self.study));
        Link { identifier, ..Link::to("ImagingStudy", self.study.as_str()) }
    }

    fn device(&self) -> Link {
        let display = Some(format!("{} {}", self.service, self.version));
        Link { display, ..Link::to("Device", &device_id(self.service, self.version).to_string()) }
    }

    fn agents(&self) -> Vec<Agent> {
        let role = |code, display| {
            Coded::of("http://terminology.hl7.org/CodeSystem/provenance-participant-type", code, display).into()
        };
        let vendor = self.service.split_once('.').map_or(self.service, |(vendor, _)| vendor).to_owned();
        let vendor = Link { kind: "Organization", display: Some(vendor), ..Link::default() };
        let gateway = Link { kind: "Device", display: Some("MedVAN".to_owned()), ..Link::default() };
        vec![
            Agent { role: role("author", "Author"), who: self.device(), on_behalf_of: Some(vendor) },
            Agent { role: role("assembler", "Assembler"), who: gateway, on_behalf_of: None },
        ]
    }

    /// The summary, and what stood in the way of a good answer.
    fn conclusion(&self) -> Option<Bilingual> {
        let limits = &self.findings.limitations;
        let limit =
            |words: &Words| Words { ja: format!("制限: {}", words.ja), en: format!("Limitation: {}", words.en) };
        let lines: Vec<Words> = self.findings.summary.iter().cloned().chain(limits.iter().map(limit)).collect();
        let all = |of: fn(&Words) -> &str| lines.iter().map(of).collect::<Vec<_>>().join("\n");
        (!lines.is_empty()).then(|| Bilingual { ja: all(|words| &words.ja), en: all(|words| &words.en) })
    }

    fn forms(&self) -> Vec<Form> {
        let form = |url: &String| Form {
            content_type: "application/dicom".to_owned(),
            url: url.clone(),
            title: "DICOM SR".to_owned(),
        };
        self.evidence.iter().filter(|(made, _)| is_report(made)).map(|(_, url)| form(url)).collect()
    }
}

fn is_report(made: &Reference) -> bool {
    made.class.as_str().starts_with(STRUCTURED_REPORTS)
}

fn input((series, instances): &(Uid, Vec<Uid>)) -> Link {
    let kind = Concept::from(Coded::of(DCM, "112002", "Series Instance UID"));
    let identifier = Named { kind: Some(kind), ..uid_identifier(series) };
    Link { display: Some(format!("{} instances", instances.len())), ..Link::by("", identifier) }
}

fn uid_identifier(uid: &Uid) -> Named {
    Named { kind: None, system: Some(DICOM_UID.to_owned()), value: format!("urn:oid:{uid}") }
}
