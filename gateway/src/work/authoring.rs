//! Which objects are made of an analysis: all of them of findings, and of results that came as DICOM what they lack.

use medvan_analysis::{
    evidence::{self, Context, NotWritable, Object, Reference, RgbPicture},
    finding::{CheckedFindings, ImageName},
};
use medvan_profiles::descriptor::images::ResultModality;

/// The objects that the gateway makes, beside those that the service gave.
///
/// # Errors
/// As [`evidence::report::author`].
pub(super) fn made(
    context: &Context<'_>,
    findings: &CheckedFindings,
    given: &[Reference],
    pictures: Vec<(ImageName, RgbPicture)>,
) -> Result<Vec<Object>, NotWritable> {
    if given.is_empty() { all(context, findings, pictures) } else { beside(context, findings, given, pictures) }
}

/// Everything that is made of findings: segmentations, presentation states, pictures, the report that names them, and the page
/// for people.
fn all(
    context: &Context<'_>,
    findings: &CheckedFindings,
    pictures: Vec<(ImageName, RgbPicture)>,
) -> Result<Vec<Object>, NotWritable> {
    let mut objects = evidence::segmentation::author(context, findings)?;
    let mut shown = evidence::presentation::author(context, findings)?;
    shown.extend(drawn(context, findings, pictures)?);
    let beside: Vec<Reference> = shown.iter().map(|object| object.reference.clone()).collect();
    let report = evidence::report::author(context, findings, &beside)?;
    let page = evidence::pdf::author(context, findings, std::slice::from_ref(&report.reference))?;
    objects.push(report);
    objects.extend(shown);
    objects.push(page);
    Ok(objects)
}

/// What is made beside results that a service gave itself: its own report and segmentations stand, and of the other kinds those
/// that it did not give.
fn beside(
    context: &Context<'_>,
    findings: &CheckedFindings,
    given: &[Reference],
    pictures: Vec<(ImageName, RgbPicture)>,
) -> Result<Vec<Object>, NotWritable> {
    let mut objects = drawn(context, findings, pictures)?;
    if !gives(given, evidence::PRESENTATION) {
        objects.extend(evidence::presentation::author(context, findings)?);
    }
    if !gives(given, evidence::DOCUMENT) {
        let reports: Vec<Reference> =
            given.iter().filter(|reference| is_report(reference.class.as_str())).cloned().collect();
        objects.push(evidence::pdf::author(context, findings, &reports)?);
    }
    Ok(objects)
}

fn drawn(
    context: &Context<'_>,
    findings: &CheckedFindings,
    pictures: Vec<(ImageName, RgbPicture)>,
) -> Result<Vec<Object>, NotWritable> {
    let mut drawn = Vec::new();
    for (name, picture) in pictures {
        drawn.extend(evidence::picture::author(context, findings, &name, picture)?);
    }
    Ok(drawn)
}

/// Whether a service gave an object of this class itself.
pub(super) fn gives(given: &[Reference], class: &str) -> bool {
    given.iter().any(|reference| reference.class.as_str() == class)
}

fn is_report(class: &str) -> bool {
    ResultModality::of_class(class) == Some(ResultModality::Sr)
}
