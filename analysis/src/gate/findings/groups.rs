//! Measurement groups of Imaging Measurement Reports as findings (PS3.16 TID 1410, 1411, 1501).

use dicom_dictionary_std::tags;
use medvan_imaging::{Tag, attributes::Attributes};
use medvan_profiles::descriptor::Words;

use super::{
    super::{
        reading::{is_coded, reals, text, wholes},
        report::is_measurement_report,
    },
    Gathered, code, cut,
    segments::Segments,
};
use crate::{
    evidence::terms::{self, Term},
    finding::{Answer, Code, Evaluation, Finding, ImageName, Measurement, Place, Presence, STATEMENTS},
    inputs::{decimals, uid},
};

const NAME: Tag = tags::CONCEPT_NAME_CODE_SEQUENCE;
const VALUE: Tag = tags::CONCEPT_CODE_SEQUENCE;

/// Reads a report, if it is one of measurements.
pub(super) fn read(root: &Attributes, segments: &mut Segments, gathered: &mut Gathered) {
    if !is_measurement_report(root) {
        return;
    }
    for container in items(root) {
        if is_coded(container, NAME, terms::IMAGING_MEASUREMENTS) {
            for group in items(container).filter(|item| is_coded(item, NAME, terms::MEASUREMENT_GROUP)) {
                match finding(group, segments, &mut gathered.unread) {
                    Some(finding) => gathered.push(finding),
                    None => gathered.unread += 1,
                }
            }
        } else if is_coded(container, NAME, terms::QUALITATIVE_EVALUATIONS) {
            let conclusion = words(&texts(container, terms::CONCLUSION)).into_iter().next();
            gathered.findings.summary = gathered.findings.summary.take().or(conclusion);
            gathered.findings.limitations.extend(words(&texts(container, terms::COMMENT)));
        }
    }
}

fn items(item: &Attributes) -> impl Iterator<Item = &Attributes> {
    item.items(tags::CONTENT_SEQUENCE).iter()
}

/// A text in the language that it says, if it does.
type Said = (Option<String>, String);

fn texts(container: &Attributes, name: Term<'_>) -> Vec<Said> {
    let texts = items(container).filter(|item| is_coded(item, NAME, name));
    texts.filter_map(said).collect()
}

fn said(item: &Attributes) -> Option<Said> {
    let language = items(item).find(|child| is_coded(child, NAME, terms::LANGUAGE));
    let language = language.and_then(|language| code(language, VALUE)).map(|language| language.code);
    Some((language, text(item, tags::TEXT_VALUE)?))
}

/// Texts in pairs of languages; where there is none in the other language the same stands in both.
fn words(texts: &[Said]) -> Vec<Words> {
    let is = |said: &Said, language: &str| {
        said.0.as_deref().is_some_and(|tag| tag == language || tag.starts_with(&format!("{language}-")))
    };
    let (japanese, others): (Vec<&Said>, Vec<&Said>) = texts.iter().partition(|said| is(said, "ja"));
    let pair = |number: usize| {
        let (ja, en) = (japanese.get(number), others.get(number));
        let ja = ja.or(en).map(|said| said.1.clone())?;
        Some(Words { en: en.map_or_else(|| ja.clone(), |said| said.1.clone()), ja })
    };
    (0..japanese.len().max(others.len())).filter_map(pair).collect()
}

fn finding(group: &Attributes, segments: &mut Segments, unread: &mut usize) -> Option<Finding> {
    let mut place = None;
    for item in items(group) {
        place = place.or_else(|| self::place(item, segments));
    }
    let named = |term| items(group).find(|item| is_coded(item, NAME, term));
    let site = named(terms::FINDING_SITE);
    let side = site.and_then(|site| items(site).find(|item| is_coded(item, NAME, terms::LATERALITY)));
    let found = code(named(terms::FINDING)?, VALUE)?;
    let id = named(terms::TRACKING_IDENTIFIER).and_then(|item| text(item, tags::TEXT_VALUE));
    let mut finding = Finding {
        id: cut(&id.unwrap_or_else(|| found.meaning.clone()), 64),
        tracking_uid: named(terms::TRACKING_UID).and_then(|item| uid(item, tags::UID)),
        code: found,
        category: named(terms::FINDING_CATEGORY).and_then(|item| code(item, VALUE)),
        presence: Presence::Present,
        site: site.and_then(|site| code(site, VALUE)),
        laterality: side.and_then(|side| code(side, VALUE)),
        confidence: None,
        evaluations: Vec::new(),
        measurements: Vec::new(),
        place,
        text: words(&texts(group, terms::COMMENT)).into_iter().next(),
    };
    for item in items(group) {
        state(item, &mut finding, unread);
    }
    Some(finding)
}

/// What has another place in a finding, or says who made it.
const ELSEWHERE: [Term<'_>; 5] =
    [terms::FINDING, terms::FINDING_CATEGORY, terms::FINDING_SITE, terms::COMMENT, terms::TRACKING_IDENTIFIER];

/// Numbers, and questions with answers.
fn state(item: &Attributes, finding: &mut Finding, unread: &mut usize) {
    let is_contained = text(item, tags::RELATIONSHIP_TYPE).as_deref() == Some("CONTAINS");
    if !is_contained || ELSEWHERE.into_iter().any(|term| is_coded(item, NAME, term)) {
        return;
    }
    let answer = match text(item, tags::VALUE_TYPE).as_deref() {
        Some("NUM") => return measure(item, finding, unread),
        Some("CODE") if let Some(presence) = presence(item) => {
            finding.presence = presence;
            return;
        }
        Some("CODE") => code(item, VALUE).map(Answer::Code),
        Some("TEXT") => text(item, tags::TEXT_VALUE).map(Answer::Text),
        _ => return,
    };
    match code(item, NAME).zip(answer) {
        Some((question, answer)) if finding.evaluations.len() < STATEMENTS => {
            finding.evaluations.push(Evaluation { question, answer });
        }
        _ => *unread += 1,
    }
}

fn presence(item: &Attributes) -> Option<Presence> {
    let says = |term| is_coded(item, NAME, terms::PRESENCE) && is_coded(item, VALUE, term);
    if says(terms::ABSENT) || says(terms::ABSENT_OF_SNOMED) {
        Some(Presence::Absent)
    } else {
        says(terms::INDETERMINATE).then_some(Presence::Indeterminate)
    }
}

/// A number with its unit. One that is a mean or a maximum says so below, which a measurement cannot: it is left out.
fn measure(item: &Attributes, finding: &mut Finding, unread: &mut usize) {
    let is_derived = items(item).any(|child| is_coded(child, NAME, terms::DERIVATION));
    let measured = item.items(tags::MEASURED_VALUE_SEQUENCE).first();
    let value = measured.and_then(|measured| {
        let exact = reals(measured, tags::FLOATING_POINT_VALUE).and_then(|numbers| numbers.first().copied());
        exact.or_else(|| decimals::<1>(measured, tags::NUMERIC_VALUE).map(|[value]| value))
    });
    let unit = measured.and_then(|measured| code(measured, tags::MEASUREMENT_UNITS_CODE_SEQUENCE));
    let (Some(name), Some(value), Some(unit), false) = (code(item, NAME), value, unit, is_derived) else {
        *unread += 1;
        return;
    };
    if is_coded(item, NAME, terms::CERTAINTY_OF_FINDING)
        && finding.confidence.is_none()
        && let Some(part) = part(value, &unit)
    {
        finding.confidence = Some(part);
    } else if finding.measurements.len() < STATEMENTS {
        finding.measurements.push(Measurement { code: name, value, unit: unit.code });
    } else {
        *unread += 1;
    }
}

/// A certainty as a part of 1.
fn part(value: f64, unit: &Code) -> Option<f64> {
    let part = match unit.code.as_str() {
        "%" => value / 100.0,
        "1" => value,
        _ => return None,
    };
    (0.0..=1.0).contains(&part).then_some(part)
}

fn place(item: &Attributes, segments: &mut Segments) -> Option<Place> {
    let referenced = item.items(tags::REFERENCED_SOP_SEQUENCE).first();
    match text(item, tags::VALUE_TYPE).as_deref()? {
        "IMAGE" => {
            let referenced = referenced?;
            let instance = uid(referenced, tags::REFERENCED_SOP_INSTANCE_UID)?;
            match wholes(referenced, tags::REFERENCED_SEGMENT_NUMBER).as_deref() {
                Some([number]) => segments.place(&instance, *number),
                Some(_) => None,
                None if is_coded(item, NAME, terms::SOURCE_OF_MEASUREMENT) => {
                    Some(Place::Image { image: image(referenced)? })
                }
                None => None,
            }
        }
        "SCOORD" => in_image(item),
        "SCOORD3D" => in_patient(item),
        _ => None,
    }
}

/// The image, or the one frame of it.
fn image(referenced: &Attributes) -> Option<ImageName> {
    let instance = uid(referenced, tags::REFERENCED_SOP_INSTANCE_UID)?;
    let frame = match wholes(referenced, tags::REFERENCED_FRAME_NUMBER).as_deref() {
        None | Some([]) => None,
        Some([frame]) => Some(*frame),
        Some(_) => return None,
    };
    Some(ImageName { instance, frame })
}

fn in_image(item: &Attributes) -> Option<Place> {
    if text(item, tags::PIXEL_ORIGIN_INTERPRETATION).as_deref() == Some("VOLUME") {
        return None;
    }
    let image = image(items(item).find_map(|child| child.items(tags::REFERENCED_SOP_SEQUENCE).first())?)?;
    let numbers = reals(item, tags::GRAPHIC_DATA)?;
    let (points, _) = numbers.as_chunks::<2>();
    match (text(item, tags::GRAPHIC_TYPE)?.as_str(), points) {
        ("POINT", [at]) => Some(Place::Point { image, at: *at }),
        ("POLYLINE", points) => Some(match rectangle(points) {
            Some([from, to]) => Place::Box { image, from, to },
            None => Place::Polyline { image, points: points.to_vec() },
        }),
        // Circles, ellipses and many points are in the report; the image is what can be said of them here.
        _ => Some(Place::Image { image }),
    }
}

/// The corners of a closed line that is an upright rectangle.
fn rectangle(points: &[[f64; 2]]) -> Option<[[f64; 2]; 2]> {
    let [a, b, c, d, e] = points else { return None };
    let across = a[1] == b[1] && b[0] == c[0] && c[1] == d[1] && d[0] == a[0];
    let down = a[0] == b[0] && b[1] == c[1] && c[0] == d[0] && d[1] == a[1];
    let from = [a[0].min(c[0]), a[1].min(c[1])];
    let to = [a[0].max(c[0]), a[1].max(c[1])];
    (a == e && (across || down) && from[0] < to[0] && from[1] < to[1]).then_some([from, to])
}

fn in_patient(item: &Attributes) -> Option<Place> {
    let frame_of_reference = uid(item, tags::REFERENCED_FRAME_OF_REFERENCE_UID)?;
    let numbers = reals(item, tags::GRAPHIC_DATA)?;
    let mut points = numbers.as_chunks::<3>().0.to_vec();
    match text(item, tags::GRAPHIC_TYPE)?.as_str() {
        "POINT" => Some(Place::PatientPoint { frame_of_reference, at: *points.first()? }),
        "POLYLINE" => Some(Place::PatientPolyline { frame_of_reference, points }),
        "POLYGON" => {
            let first = *points.first()?;
            if points.last() != Some(&first) {
                points.push(first);
            }
            Some(Place::PatientPolyline { frame_of_reference, points })
        }
        _ => None,
    }
}
