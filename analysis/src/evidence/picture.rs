//! Pictures with findings drawn in: Secondary Capture (PS3.3 section A.8), one for each image in which something can be drawn.

use dicom_dictionary_std::tags;
use medvan_imaging::attributes::{Attributes, NotWritable};

use super::{
    Context, Object, PICTURE, Reference,
    content::{ImageReference, coded, referenced},
    document::{self, Series},
    draw::{Legend, RgbPicture, Shown, WARNING, draw, is_drawn, is_same},
    terms,
};
use crate::{
    finding::{CheckedFindings, Finding, HeatMap, ImageName, Place},
    inputs::InputImage,
};

const SERIES: Series = Series { modality: "OT", number: 9003 };

/// The images in which something can be drawn, in the order of the findings, at most so many.
pub fn worth_drawing(findings: &CheckedFindings, most: usize) -> Vec<ImageName> {
    let mut images: Vec<ImageName> = Vec::new();
    let present = findings.findings.iter().filter(|finding| finding.presence.is_present());
    for image in present.flat_map(|finding| images_of(finding, &findings.heat_maps)) {
        if images.len() >= most {
            break;
        }
        if !images.iter().any(|other| is_same(other, image)) {
            images.push(image.clone());
        }
    }
    images
}

/// Draws on a rendered image and writes the object. None where the image is not of the job or nothing is drawn in it.
///
/// # Errors
/// As [`super::report::author`].
pub fn author(
    context: &Context<'_>,
    findings: &CheckedFindings,
    name: &ImageName,
    mut picture: RgbPicture,
) -> Result<Option<Object>, NotWritable> {
    let images = context.inputs.images();
    let Some((_, image)) = images.get(&name.instance) else { return Ok(None) };
    if !findings.findings.iter().any(|finding| is_drawn(finding, name, &findings.heat_maps)) {
        return Ok(None);
    }
    let service = format!("{} {}", context.algorithm.name, context.algorithm.version);
    let shown = Shown { image: name, rows: image.rows, columns: image.columns };
    draw(&mut picture, &shown, &findings.findings, &findings.heat_maps, &Legend { service });
    let number = number(context, name);
    let reference = reference(context, name);
    let mut said = document::begin(context, &reference, SERIES, number);
    describe(&mut said, &picture);
    said.put_items(tags::SOURCE_IMAGE_SEQUENCE, vec![source(image, name)]);
    document::object(reference, &said, Some(picture.into_bytes())).map(Some)
}

/// How others refer to the picture of an image.
fn reference(context: &Context<'_>, name: &ImageName) -> Reference {
    context.reference(PICTURE, &format!("{} {}", name.instance, name.frame.unwrap_or(1)))
}

/// In the order of images and frames.
fn number(context: &Context<'_>, name: &ImageName) -> u64 {
    let images = context.inputs.series.iter().flat_map(|series| &series.images);
    let before = images.take_while(|image| image.instance != name.instance);
    before.map(|image| u64::from(image.frames)).sum::<u64>() + u64::from(name.frame.unwrap_or(1))
}

fn images_of<'a>(finding: &'a Finding, heat_maps: &'a [HeatMap]) -> Vec<&'a ImageName> {
    match &finding.place {
        Some(Place::Mask { frames }) => frames.iter().map(|frame| &frame.image).collect(),
        Some(Place::HeatMap { heat_map }) => {
            let maps = heat_maps.iter().filter(|map| map.id == *heat_map);
            maps.flat_map(|map| &map.frames).map(|frame| &frame.image).collect()
        }
        Some(Place::Image { .. }) | None => Vec::new(),
        Some(place) => place.image().into_iter().collect(),
    }
}

/// SC Equipment, General Image, Image Pixel (PS3.3 sections C.8.6.1, C.7.6.1, C.7.6.3).
fn describe(said: &mut Attributes, picture: &RgbPicture) {
    said.put_text(tags::CONVERSION_TYPE, "WSD");
    said.put_texts(tags::IMAGE_TYPE, ["DERIVED".to_owned(), "SECONDARY".to_owned()]);
    said.put_empty(tags::PATIENT_ORIENTATION);
    // Nobody said of which side of the body it is.
    said.put_empty(tags::LATERALITY);
    said.put_text(tags::BURNED_IN_ANNOTATION, "YES");
    said.put_text(tags::LOSSY_IMAGE_COMPRESSION, "00");
    said.put_text(tags::DERIVATION_DESCRIPTION, format!("Findings drawn on a rendered image. {WARNING}"));
    said.put_text(tags::PHOTOMETRIC_INTERPRETATION, "RGB");
    for (tag, number) in [
        (tags::SAMPLES_PER_PIXEL, 3),
        (tags::PLANAR_CONFIGURATION, 0),
        (tags::ROWS, picture.height()),
        (tags::COLUMNS, picture.width()),
        (tags::BITS_ALLOCATED, 8),
        (tags::BITS_STORED, 8),
        (tags::HIGH_BIT, 7),
        (tags::PIXEL_REPRESENTATION, 0),
    ] {
        said.put_number(tag, u64::from(number));
    }
}

fn source(image: &InputImage, name: &ImageName) -> Attributes {
    let frame = name.frame.filter(|_| image.frames > 1);
    let mut item = referenced(&ImageReference { class: &image.class, instance: &image.instance, frame, segment: None });
    item.put_items(tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE, vec![coded(terms::PROCESSED_IMAGE)]);
    item
}
