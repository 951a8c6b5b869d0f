//! Places in the patient, in the pixels of each image of the study that shows them: a viewer draws them as it draws places in images.

use dicom_dictionary_std::tags;
use medvan_analysis::{finding::Findings, inputs::Inputs, projection::has_places};
use medvan_imaging::{
    Tag, Uid,
    attributes::Attributes,
    query::{Level, Query},
};

use crate::{App, catalog::HospitalId};

/// Images of a study that are looked at.
const MOST: usize = 5_000;
/// What says where an image lies, and how large it is.
const PLANE: &str =
    "FrameOfReferenceUID,ImagePositionPatient,ImageOrientationPatient,PixelSpacing,SliceThickness,Rows,Columns";

/// The study's images, where somebody found something in the patient; and whether there are more of them than were looked at, or some
/// that cannot be read now. That hides no findings.
pub(super) async fn images(app: &App, hospital: &HospitalId, study: &Uid, found: &[&Findings]) -> (Inputs, bool) {
    let mut inputs = Inputs::default();
    if !found.iter().any(|findings| has_places(findings)) {
        return (inputs, false);
    }
    let keys = [("StudyInstanceUID", study.as_str()), ("includefield", PLANE)];
    let Ok((query, _)) = Query::from_parameters(Level::Instance, keys) else { return (inputs, true) };
    let mut search = app.archive.search(hospital, query);
    for _ in 0..MOST {
        match search.next().await {
            Ok(Some(image)) => inputs.add(&geometry(&image)),
            Ok(None) => return (inputs, false),
            Err(fault) => {
                tracing::error!(error = &fault as &dyn std::error::Error, "the images of findings cannot be read");
                return (inputs, true);
            }
        }
    }
    (inputs, !matches!(search.next().await, Ok(None)))
}

/// What is looked at of an image, and nothing of the patient.
fn geometry(image: &Attributes) -> Attributes {
    const KEPT: &[Tag] = &[
        tags::SERIES_INSTANCE_UID,
        tags::SOP_INSTANCE_UID,
        tags::SOP_CLASS_UID,
        tags::ROWS,
        tags::COLUMNS,
        tags::NUMBER_OF_FRAMES,
        tags::FRAME_OF_REFERENCE_UID,
        tags::IMAGE_POSITION_PATIENT,
        tags::IMAGE_ORIENTATION_PATIENT,
        tags::PIXEL_SPACING,
        tags::SLICE_THICKNESS,
    ];
    KEPT.iter().filter_map(|tag| Some((*tag, image.get(*tag)?.clone()))).collect()
}
