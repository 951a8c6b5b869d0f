//! One finding as an Observation.

use std::fmt::Write as _;

use medvan_authoring::{
    Bilingual, BodyStructure, Coded, Component, ComponentValue, Concept, Link, Named, Observation, Release,
};

use super::{DCM, SCT, Selector, Told, patient, uid_identifier};
use crate::finding::{Answer, Code, Finding, ImageName, Place, Presence};

pub(super) fn observation(
    told: &Told<'_>,
    place: usize,
    finding: &Finding,
    selector: Option<&Selector<'_>>,
) -> Observation {
    let presence = presence(finding.presence);
    let mut components = components(finding, told.release);
    // obs-7: with a component of the same code there is no value.
    let code = concept(&finding.code);
    let value = if components.iter().any(|part| part.code == code) {
        let code = Coded::of(SCT, "705057003", "Presence").into();
        components.insert(0, Component { code, value: ComponentValue::Concept(presence) });
        None
    } else {
        Some(presence)
    };
    let imaging = Coded::of("http://terminology.hl7.org/CodeSystem/observation-category", "imaging", "Imaging");
    let group = Coded::of(DCM, "125007", "Measurement Group");
    Observation {
        header: told.header(told.observation_id(place)),
        is_withdrawn: told.is_superseded,
        identifiers: identifiers(finding)
            .chain(selector.and_then(|selector| selector.observation_uid(place)))
            .collect(),
        part_of: vec![told.imaging_study()],
        categories: vec![imaging.into(), group.into()],
        code,
        subject: patient(told.patient_id),
        effective: told.study_date,
        issued: told.at,
        value,
        notes: finding.text.iter().map(|words| Bilingual { ja: words.ja.clone(), en: words.en.clone() }).collect(),
        body_site: body_site(finding, told.release),
        body_structure: body_structure(told, finding),
        device: told.device(),
        derived_from: selections(selector, place).chain([told.imaging_study()]).collect(),
        components,
    }
}

fn selections(selector: Option<&Selector<'_>>, place: usize) -> impl Iterator<Item = Link> {
    selector.into_iter().flat_map(move |selector| selector.links(place))
}

pub(super) fn identifiers(finding: &Finding) -> impl Iterator<Item = Named> {
    let kind = |code, display| Some(Coded::of(DCM, code, display).into());
    let own = Named { kind: kind("112039", "Tracking Identifier"), system: None, value: finding.id.clone() };
    let tracked = finding
        .tracking_uid
        .as_ref()
        .map(|uid| Named { kind: kind("112040", "Tracking Unique Identifier"), ..uid_identifier(uid) });
    std::iter::once(own).chain(tracked)
}

/// Absent is SNOMED CT's own concept; the reports have that of PS3.16 CID 240, which SNOMED CT calls "Absence findings".
fn presence(presence: Presence) -> Concept {
    let (code, display, text) = match presence {
        Presence::Present => ("52101004", "Present", "あり (present)"),
        Presence::Absent => ("2667000", "Absent", "なし (absent)"),
        Presence::Indeterminate => ("82334004", "Indeterminate", "判定不能 (indeterminate)"),
    };
    Concept::from(Coded::of(SCT, code, display)).called(text.to_owned())
}

/// R4 has no `bodyStructure`: the side stands in the words, and as a component for machines. In R5 a site with a side is one.
fn body_site(finding: &Finding, release: Release) -> Option<Concept> {
    let site = finding.site.as_ref().filter(|_| release == Release::R4 || finding.laterality.is_none())?;
    let side = finding.laterality.as_ref().map(|side| format!("{} ({})", site.meaning, side.meaning));
    Some(match side {
        Some(words) => concept(site).called(words),
        None => concept(site),
    })
}

/// Of R5, where a site has a side.
pub(super) fn body_structure(told: &Told<'_>, finding: &Finding) -> Option<BodyStructure> {
    let laterality = finding.laterality.as_ref().filter(|_| told.release == Release::R5)?;
    Some(BodyStructure {
        identifiers: identifiers(finding).collect(),
        structure: concept(finding.site.as_ref()?),
        laterality: concept(laterality),
        patient: patient(told.patient_id),
    })
}

/// R5 has elements for the side and the place.
fn components(finding: &Finding, release: Release) -> Vec<Component> {
    let is_r4 = release == Release::R4;
    let coded = |system, code, display, value| Component { code: Coded::of(system, code, display).into(), value };
    let side = finding
        .laterality
        .iter()
        .filter(|_| is_r4)
        .map(|side| coded(SCT, "272741003", "Laterality", ComponentValue::Concept(concept(side))));
    let certainty = finding.confidence.iter().map(|share| {
        coded(DCM, "111012", "Certainty of Finding", ComponentValue::Quantity(percent(*share), "%".to_owned()))
    });
    let evaluations = finding.evaluations.iter().map(|evaluation| {
        let value = match &evaluation.answer {
            Answer::Code(code) => ComponentValue::Concept(concept(code)),
            Answer::Text(text) => ComponentValue::Text(text.clone()),
        };
        Component { code: concept(&evaluation.question), value }
    });
    let measurements = finding.measurements.iter().map(|measurement| {
        let value = ComponentValue::Quantity(measurement.value, measurement.unit.clone());
        Component { code: concept(&measurement.code), value }
    });
    let place = finding.place.iter().filter(|_| is_r4);
    let place = place.map(|place| coded(DCM, "111030", "Image Region", ComponentValue::Text(region(place))));
    side.chain(certainty).chain(evaluations).chain(measurements).chain(place).collect()
}

/// To a hundredth of a percent: what multiplication adds behind that is no certainty.
fn percent(share: f64) -> f64 {
    (share * 10_000.0).round() / 100.0
}

/// Where in the images, in words: R4 has no ImagingSelection. Lines and masks are told by their extent; the SR and the SEG
/// have them whole.
fn region(place: &Place) -> String {
    match place {
        Place::Image { image } => image_words(image),
        Place::Point { image, at: [column, row] } => format!("{}: point at {column}, {row}", image_words(image)),
        Place::Polyline { image, points } => format!("{}: line of {} points", image_words(image), points.len()),
        Place::Box { image, from, to } => {
            format!("{}: box from {}, {} to {}, {}", image_words(image), from[0], from[1], to[0], to[1])
        }
        Place::PatientPoint { frame_of_reference, at: [x, y, z] } => {
            format!("frame of reference {frame_of_reference}: point at {x}, {y}, {z} mm")
        }
        Place::PatientPolyline { frame_of_reference, points } => {
            format!("frame of reference {frame_of_reference}: line of {} points", points.len())
        }
        Place::Mask { frames } => format!("mask over {} images", frames.len()),
        Place::HeatMap { heat_map } => format!("heat map {heat_map}"),
    }
}

fn image_words(image: &ImageName) -> String {
    let mut words = format!("image {}", image.instance);
    if let Some(frame) = image.frame {
        // Writing to a String does not fail.
        let _ = write!(words, " frame {frame}");
    }
    words
}

pub(super) fn concept(code: &Code) -> Concept {
    let system = system(&code.scheme).map(str::to_owned);
    Concept::from(Coded { system, code: code.code.clone(), display: code.meaning.clone() }).called(code.meaning.clone())
}

/// The URI of a coding scheme (PS3.16 table 8-1). A vendor's own has none.
fn system(scheme: &str) -> Option<&'static str> {
    match scheme {
        "SCT" => Some(SCT),
        "DCM" => Some(DCM),
        "LN" => Some(super::LOINC),
        "UCUM" => Some("http://unitsofmeasure.org"),
        "RADLEX" => Some("http://www.radlex.org"),
        _ => None,
    }
}
