//! Every reason for which a result is kept back, with the place that the vendor is told.

use dicom_dictionary_std::tags::{self, *};
use medvan_imaging::{
    Tag, VR,
    attributes::{Attribute, Attributes, Content, Number},
};

use super::{
    at_concept, gate,
    made::{FIRST, Made, inputs},
    within,
};
use crate::evidence::Object;

type Change = Box<dyn Fn(&mut Attributes)>;

/// Where a reason is told, and the reason.
type Told = (&'static str, &'static str);

fn assert_refused(name: &str, files: Vec<Vec<u8>>, (place, reason): Told) {
    let gated = gate(files, &inputs());
    let told: Vec<(String, String)> = gated
        .quarantined
        .iter()
        .flat_map(|kept| &kept.reasons)
        .map(|refused| (refused.place.clone(), refused.reason.clone()))
        .collect();
    assert!(told.contains(&(place.to_owned(), reason.to_owned())), "{name}: {told:?}");
    let words = format!("{:?}", gated.quarantined);
    for secret in ["SYN-1", "Yamada", "山田", "OTHER", "ACC-5"] {
        assert!(!words.contains(secret), "{name} repeats {secret}: {words}");
    }
}

fn text(tag: Tag, text: &'static str) -> Change {
    Box::new(move |said| said.put_text(tag, text))
}

fn number(tag: Tag, number: u64) -> Change {
    Box::new(move |said| said.put_number(tag, number))
}

fn gone(tag: Tag) -> Change {
    Box::new(move |said| drop(said.remove(tag)))
}

/// The same inside an item.
fn inside(way: &'static [(Tag, usize)], change: Change) -> Change {
    Box::new(move |said| within(said, way, &mut |item| change(item)))
}

/// The same in the first content item with this concept.
fn concept(name: &'static str, change: Change) -> Change {
    Box::new(move |said| assert!(at_concept(said, name, &mut |item| change(item)), "{name}"))
}

fn singles(numbers: &'static [f32]) -> Change {
    let numbers = numbers.iter().map(|number| Some(Number::Single(*number))).collect();
    let attribute = Attribute { vr: VR::FL, content: Content::Numbers(numbers) };
    Box::new(move |said| said.put(GRAPHIC_DATA, attribute.clone()))
}

fn each(object: impl Fn(&Made) -> Object, beside: bool, table: Vec<(&str, Change, Told)>) {
    let made = Made::all(&inputs());
    for (name, change, told) in table {
        let mut files = vec![object(&made).changed(|said| change(said))];
        if beside {
            files.extend([made.segmentation().bytes, made.picture().bytes]);
        }
        assert_refused(name, files, told);
    }
}

#[test]
fn results_of_others_are_refused() {
    const IMAGE: &str = "it is the UID of an image, series or study of the job";
    each(
        Made::picture,
        false,
        vec![
            (
                "study",
                text(STUDY_INSTANCE_UID, "2.25.99"),
                ("/StudyInstanceUID", "it is of another study than the job"),
            ),
            ("patient", text(PATIENT_ID, "OTHER"), ("/PatientID", "it is of another patient than the job")),
            (
                "issuer",
                text(ISSUER_OF_PATIENT_ID, "OTHER"),
                ("/IssuerOfPatientID", "the patient's ID is another hospital's"),
            ),
            (
                "name",
                text(PATIENT_NAME, "OTHER^Jiro"),
                ("/PatientName", "the patient has another name than in the job"),
            ),
            (
                "kanji",
                text(PATIENT_NAME, "Yamada^Hanako=山本^花子"),
                ("/PatientName", "the patient has another name than in the job"),
            ),
            ("instance of an image", text(SOP_INSTANCE_UID, FIRST), ("/SOPInstanceUID", IMAGE)),
            ("series of the images", text(SERIES_INSTANCE_UID, "2.25.41"), ("/SeriesInstanceUID", IMAGE)),
            ("series is the study", text(SERIES_INSTANCE_UID, "2.25.40"), ("/SeriesInstanceUID", IMAGE)),
            (
                "loose UID",
                text(SERIES_INSTANCE_UID, "2.025.7"),
                ("/SeriesInstanceUID", "it is no UID that may be written"),
            ),
            ("no UID", gone(SERIES_INSTANCE_UID), ("", "it has no UID of its own or of its series")),
            (
                "head",
                text(SOP_INSTANCE_UID, "2.25.77"),
                ("/MediaStorageSOPInstanceUID", "the head of the file names another object"),
            ),
            (
                "class",
                text(SOP_CLASS_UID, "1.2.840.10008.5.1.4.1.1.2"),
                ("/SOPClassUID", "results of this SOP class are not taken"),
            ),
            (
                "source",
                inside(&[(SOURCE_IMAGE_SEQUENCE, 0)], text(REFERENCED_SOP_INSTANCE_UID, "2.25.98")),
                ("/SourceImageSequence/0/ReferencedSOPInstanceUID", "it is none of this job's instances"),
            ),
            (
                "class of the source",
                inside(&[(SOURCE_IMAGE_SEQUENCE, 0)], text(REFERENCED_SOP_CLASS_UID, "1.2.840.10008.5.1.4.1.1.4")),
                ("/SourceImageSequence/0/ReferencedSOPClassUID", "it is not the class of the instance"),
            ),
            (
                "frame of the source",
                inside(&[(SOURCE_IMAGE_SEQUENCE, 0)], text(REFERENCED_FRAME_NUMBER, "2")),
                ("/SourceImageSequence/0/ReferencedFrameNumber", "the instance has no such frame"),
            ),
        ],
    );
}

#[test]
fn pictures_with_other_pixels_than_they_say_are_refused() {
    each(
        Made::picture,
        false,
        vec![
            ("rows", number(ROWS, 65), ("/PixelData", "it has another length than its frames")),
            ("no rows", number(ROWS, 0), ("/Rows", "its size cannot be read or is not of its class")),
            (
                "grey of three samples",
                text(PHOTOMETRIC_INTERPRETATION, "MONOCHROME2"),
                ("/Rows", "its size cannot be read or is not of its class"),
            ),
            ("frames", text(NUMBER_OF_FRAMES, "2"), ("/Rows", "its size cannot be read or is not of its class")),
            ("conversion", gone(CONVERSION_TYPE), ("/ConversionType", "it is missing or empty")),
        ],
    );
    let made = Made::all(&inputs());
    assert_refused("none", vec![made.picture().with_pixels(None)], ("/PixelData", "it is missing"));
}

#[test]
fn segmentations_that_do_not_hold_are_refused() {
    each(
        Made::segmentation,
        false,
        vec![
            ("modality", text(MODALITY, "OT"), ("/Modality", "the class has another modality")),
            ("label", gone(CONTENT_LABEL), ("/ContentLabel", "it is missing or empty")),
            ("serial number", text(DEVICE_SERIAL_NUMBER, ""), ("/DeviceSerialNumber", "it is missing or empty")),
            ("type", text(SEGMENTATION_TYPE, "SOLID"), ("/SegmentationType", "it is none of the allowed values")),
            (
                "fractional",
                text(SEGMENTATION_TYPE, "FRACTIONAL"),
                ("/BitsAllocated", "it is another number than this type has"),
            ),
            (
                "colours",
                text(PHOTOMETRIC_INTERPRETATION, "MONOCHROME1"),
                ("/PhotometricInterpretation", "it is another one than segmentations have"),
            ),
            ("rows", number(ROWS, 16), ("/PixelData", "it has another length than its frames")),
            (
                "huge",
                Box::new(|said| {
                    said.put_number(ROWS, 65_535);
                    said.put_number(COLUMNS, 65_535);
                    said.put_text(NUMBER_OF_FRAMES, "2147483647");
                }),
                ("/PixelData", "it has another length than its frames"),
            ),
            ("columns", number(COLUMNS, 0), ("/Rows", "its size cannot be read")),
            (
                "frames",
                text(NUMBER_OF_FRAMES, "3"),
                ("/NumberOfFrames", "it is not the number of items for the frames"),
            ),
        ],
    );
    let made = Made::all(&inputs());
    for length in [14, 18, 1024] {
        let file = made.segmentation().with_pixels(Some(vec![0; length]));
        assert_refused("length", vec![file], ("/PixelData", "it has another length than its frames"));
    }
}

#[test]
fn segments_that_are_not_described_are_refused() {
    each(
        Made::segmentation,
        false,
        vec![
            (
                "segment number",
                inside(&[(SEGMENT_SEQUENCE, 0)], number(SEGMENT_NUMBER, 2)),
                ("/SegmentSequence/0/SegmentNumber", "segments are not numbered in order"),
            ),
            (
                "segment label",
                inside(&[(SEGMENT_SEQUENCE, 0)], gone(SEGMENT_LABEL)),
                ("/SegmentSequence/0/SegmentLabel", "it is missing or empty"),
            ),
            (
                "algorithm",
                inside(&[(SEGMENT_SEQUENCE, 0)], text(SEGMENT_ALGORITHM_TYPE, "AI")),
                ("/SegmentSequence/0/SegmentAlgorithmType", "it is none of the allowed values"),
            ),
            (
                "unnamed algorithm",
                inside(&[(SEGMENT_SEQUENCE, 0)], gone(SEGMENT_ALGORITHM_NAME)),
                ("/SegmentSequence/0/SegmentAlgorithmName", "it is missing or empty"),
            ),
            (
                "no type",
                inside(&[(SEGMENT_SEQUENCE, 0)], gone(SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE)),
                ("/SegmentSequence/0/SegmentedPropertyTypeCodeSequence", "there is not exactly one code"),
            ),
            (
                "half a code",
                inside(&[(SEGMENT_SEQUENCE, 0), (SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE, 0)], gone(CODE_MEANING)),
                ("/SegmentSequence/0/SegmentedPropertyTypeCodeSequence", "the code is not whole"),
            ),
        ],
    );
}

#[test]
fn frames_that_lie_elsewhere_are_refused() {
    const FRAMES: Tag = PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE;
    const FRAME: &str = "/PerFrameFunctionalGroupsSequence/1";
    let source: &'static [(Tag, usize)] = &[(FRAMES, 1), (DERIVATION_IMAGE_SEQUENCE, 0), (SOURCE_IMAGE_SEQUENCE, 0)];
    each(
        Made::segmentation,
        false,
        vec![
            (
                "no such segment",
                inside(&[(FRAMES, 1), (SEGMENT_IDENTIFICATION_SEQUENCE, 0)], number(REFERENCED_SEGMENT_NUMBER, 2)),
                (FRAME, "the frame is of no segment"),
            ),
            (
                "dimensions",
                inside(&[(FRAMES, 1), (FRAME_CONTENT_SEQUENCE, 0)], gone(DIMENSION_INDEX_VALUES)),
                (FRAME, "its dimension index values do not fit the dimensions"),
            ),
            (
                "foreign image",
                inside(source, text(REFERENCED_SOP_INSTANCE_UID, "2.25.98")),
                (
                    "/PerFrameFunctionalGroupsSequence/1/DerivationImageSequence/0/SourceImageSequence/0/ReferencedSOPInstanceUID",
                    "it is none of this job's instances",
                ),
            ),
            ("space", text(FRAME_OF_REFERENCE_UID, "2.25.97"), ("/FrameOfReferenceUID", "no image of this job has it")),
            (
                "elsewhere",
                inside(
                    &[(FRAMES, 1), (PLANE_POSITION_SEQUENCE, 0)],
                    Box::new(|said| said.put_texts(IMAGE_POSITION_PATIENT, ["0", "0", "2"].map(str::to_owned))),
                ),
                (
                    "/PerFrameFunctionalGroupsSequence/1/PlanePositionSequence",
                    "it lies elsewhere than its source image",
                ),
            ),
            (
                "other spacing",
                inside(
                    &[(SHARED_FUNCTIONAL_GROUPS_SEQUENCE, 0), (PIXEL_MEASURES_SEQUENCE, 0)],
                    Box::new(|said| said.put_texts(PIXEL_SPACING, ["1", "1"].map(str::to_owned))),
                ),
                (
                    "/PerFrameFunctionalGroupsSequence/1/PlanePositionSequence",
                    "it lies elsewhere than its source image",
                ),
            ),
            (
                "no number",
                inside(
                    &[(FRAMES, 1), (PLANE_POSITION_SEQUENCE, 0)],
                    Box::new(|said| said.put_texts(IMAGE_POSITION_PATIENT, ["0", "0", "NaN"].map(str::to_owned))),
                ),
                (FRAME, "its place in the patient cannot be read"),
            ),
            (
                "foreign series",
                inside(&[(REFERENCED_SERIES_SEQUENCE, 0)], text(SERIES_INSTANCE_UID, "2.25.96")),
                ("/ReferencedSeriesSequence/0/SeriesInstanceUID", "it is none of this job's series"),
            ),
        ],
    );
}

#[test]
fn reports_that_are_not_well_formed_are_refused() {
    let table: Vec<(&str, Change, Told)> = vec![
        (
            "verified",
            text(VERIFICATION_FLAG, "VERIFIED"),
            ("/VerificationFlag", "a service cannot verify its own report"),
        ),
        ("completion", gone(COMPLETION_FLAG), ("/CompletionFlag", "it is missing or empty")),
        ("root", text(VALUE_TYPE, "TEXT"), ("/ValueType", "the root of the content is no container")),
        (
            "title",
            inside(&[(CONCEPT_NAME_CODE_SEQUENCE, 0)], text(CODE_VALUE, "126001")),
            ("/ConceptNameCodeSequence", "the title is not that of template 1500"),
        ),
        (
            "relation",
            inside(&[(CONTENT_SEQUENCE, 0)], text(RELATIONSHIP_TYPE, "IS")),
            ("/ContentSequence/0/RelationshipType", "it is none of the allowed values"),
        ),
        (
            "value type",
            inside(&[(CONTENT_SEQUENCE, 0)], text(VALUE_TYPE, "TABLE")),
            ("/ContentSequence/0/ValueType", "the class has no such value type"),
        ),
        (
            "concept",
            inside(&[(CONTENT_SEQUENCE, 0)], gone(CONCEPT_NAME_CODE_SEQUENCE)),
            ("/ContentSequence/0/ConceptNameCodeSequence", "there is not exactly one code"),
        ),
        (
            "code",
            inside(&[(CONTENT_SEQUENCE, 0)], gone(CONCEPT_CODE_SEQUENCE)),
            ("/ContentSequence/0/ConceptCodeSequence", "there is not exactly one code"),
        ),
    ];
    each(Made::report, true, table);
}

#[test]
fn reports_about_something_else_are_refused() {
    const FOREIGN: &str = "it is none of this job's instances";
    let evidence: &'static [(Tag, usize)] =
        &[(CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE, 0), (REFERENCED_SERIES_SEQUENCE, 0)];
    let table: Vec<(&str, Change, Told)> = vec![
        (
            "study of the evidence",
            inside(&[(CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE, 0)], text(STUDY_INSTANCE_UID, "2.25.95")),
            ("/CurrentRequestedProcedureEvidenceSequence/0/StudyInstanceUID", "it is another study than the job's"),
        ),
        (
            "series of the evidence",
            inside(evidence, text(SERIES_INSTANCE_UID, "2.25.95")),
            (
                "/CurrentRequestedProcedureEvidenceSequence/0/ReferencedSeriesSequence/0/SeriesInstanceUID",
                "it is none of this job's series",
            ),
        ),
        (
            "predecessor",
            Box::new(|said| {
                let evidence = said.items(CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE).to_vec();
                said.put_items(PREDECESSOR_DOCUMENTS_SEQUENCE, evidence);
                within(
                    said,
                    &[
                        (PREDECESSOR_DOCUMENTS_SEQUENCE, 0),
                        (REFERENCED_SERIES_SEQUENCE, 0),
                        (REFERENCED_SOP_SEQUENCE, 0),
                    ],
                    &mut |item| {
                        item.put_text(REFERENCED_SOP_INSTANCE_UID, "2.25.94");
                    },
                );
            }),
            (
                "/PredecessorDocumentsSequence/0/ReferencedSeriesSequence/0/ReferencedSOPSequence/0/ReferencedSOPInstanceUID",
                FOREIGN,
            ),
        ),
        (
            "reported",
            concept("121058", inside(&[(CONCEPT_NAME_CODE_SEQUENCE, 0)], text(CODE_VALUE, "121059"))),
            ("/ContentSequence", "it does not say which procedure is reported"),
        ),
        (
            "by reference",
            inside(
                &[(CONTENT_SEQUENCE, 0)],
                Box::new(|said| {
                    said.put(
                        REFERENCED_CONTENT_ITEM_IDENTIFIER,
                        Attribute {
                            vr: VR::UL,
                            content: Content::Numbers(vec![Some(Number::Unsigned(1)), Some(Number::Unsigned(99))]),
                        },
                    );
                }),
            ),
            ("/ContentSequence/0/ReferencedContentItemIdentifier", "there is no such item"),
        ),
    ];
    each(Made::report, true, table);
}

/// The item's place does not matter here: it is somewhere in the tree.
fn anywhere(table: Vec<(&str, Change, &str)>) {
    let made = Made::all(&inputs());
    for (name, change, reason) in table {
        let files = vec![made.report().changed(|said| change(said)), made.segmentation().bytes, made.picture().bytes];
        let gated = gate(files, &inputs());
        let told: Vec<_> = gated.quarantined.iter().flat_map(|kept| &kept.reasons).collect();
        assert!(told.iter().any(|refused| refused.reason == reason), "{name}: {told:?}");
    }
}

#[test]
fn values_of_content_items_are_refused() {
    let nan = Attribute { vr: VR::FD, content: Content::Numbers(vec![Some(Number::Double(f64::NAN))]) };
    let table: Vec<(&str, Change, &str)> = vec![
        (
            "NaN",
            concept("111012", inside(&[(MEASURED_VALUE_SEQUENCE, 0)], text(NUMERIC_VALUE, "NaN"))),
            "it is no finite number",
        ),
        (
            "inf",
            concept("111012", inside(&[(MEASURED_VALUE_SEQUENCE, 0)], text(NUMERIC_VALUE, "1e999"))),
            "it is no finite number",
        ),
        (
            "binary NaN",
            concept(
                "111012",
                inside(
                    &[(MEASURED_VALUE_SEQUENCE, 0)],
                    Box::new(move |said| said.put(FLOATING_POINT_VALUE, nan.clone())),
                ),
            ),
            "it is no finite number",
        ),
        ("no value", concept("111012", gone(MEASURED_VALUE_SEQUENCE)), "there is not exactly one value"),
        (
            "no unit",
            concept("111012", inside(&[(MEASURED_VALUE_SEQUENCE, 0)], gone(MEASUREMENT_UNITS_CODE_SEQUENCE))),
            "there is not exactly one code",
        ),
        ("no words", concept("112039", text(TEXT_VALUE, "")), "it is missing or empty"),
        ("tracking", concept("112040", text(tags::UID, "patient-7")), "it is no UID"),
        ("source series", concept("121232", text(tags::UID, "2.25.93")), "it is none of this job's series"),
        ("space of the library", concept("112227", text(tags::UID, "2.25.93")), "no image of this job has it"),
        (
            "segment",
            concept("121191", inside(&[(REFERENCED_SOP_SEQUENCE, 0)], number(REFERENCED_SEGMENT_NUMBER, 9))),
            "the instance has no such segment",
        ),
        (
            "image",
            concept(
                "111030",
                inside(
                    &[(CONTENT_SEQUENCE, 0), (REFERENCED_SOP_SEQUENCE, 0)],
                    text(REFERENCED_SOP_INSTANCE_UID, "2.25.93"),
                ),
            ),
            "it is none of this job's instances",
        ),
    ];
    anywhere(table);
}

#[test]
fn coordinates_outside_of_their_images_are_refused() {
    let table: Vec<(&str, Change, &str)> = vec![
        ("no image", concept("111030", gone(CONTENT_SEQUENCE)), "the region is of no image"),
        ("graphic", concept("111030", text(GRAPHIC_TYPE, "SQUARE")), "it is none of the allowed values"),
        ("outside", concept("111030", singles(&[1.0, 1.0, 8.5, 1.0])), "it is outside of the image"),
        ("negative", concept("111030", singles(&[1.0, 1.0, -0.5, 1.0])), "it is outside of the image"),
        ("odd", concept("111030", singles(&[1.0, 1.0, 2.0])), "the coordinates do not fit the graphic type"),
        (
            "NaN in the image",
            concept("111030", singles(&[1.0, f32::NAN, 2.0, 2.0])),
            "the coordinates do not fit the graphic type",
        ),
        (
            "one point of a circle",
            concept(
                "111030",
                Box::new(|said| {
                    said.put_text(GRAPHIC_TYPE, "CIRCLE");
                    singles(&[1.0, 1.0])(said);
                }),
            ),
            "the coordinates do not fit the graphic type",
        ),
        (
            "patient's space",
            Box::new(|said| {
                assert!(at_graphic(said, &mut |item| item.put_text(REFERENCED_FRAME_OF_REFERENCE_UID, "2.25.93")))
            }),
            "no image of this job has it",
        ),
        (
            "far",
            Box::new(|said| {
                assert!(at_graphic(said, &mut |item| {
                    item.put_text(GRAPHIC_TYPE, "POINT");
                    singles(&[0.0, 0.0, 1e6])(item);
                }))
            }),
            "it is outside of any scanner",
        ),
    ];
    anywhere(table);
}

#[test]
fn trees_that_are_too_large_or_say_nothing_are_refused() {
    let mut deep = Attributes::new();
    deep.put_text(RELATIONSHIP_TYPE, "CONTAINS");
    deep.put_text(VALUE_TYPE, "CONTAINER");
    deep.put_text(CONTINUITY_OF_CONTENT, "SEPARATE");
    let nested = (0..33).fold(deep.clone(), |inner, _| {
        let mut outer = deep.clone();
        outer.put_items(CONTENT_SEQUENCE, vec![inner]);
        outer
    });
    let many = vec![deep; 50_001];
    let table: Vec<(&str, Change, &str)> = vec![
        (
            "deep",
            Box::new(move |said| said.put_items(CONTENT_SEQUENCE, vec![nested.clone()])),
            "content items are nested too deep",
        ),
        (
            "many",
            Box::new(move |said| said.put_items(CONTENT_SEQUENCE, many.clone())),
            "there are too many content items",
        ),
        (
            "group",
            concept("125007", inside(&[(CONCEPT_NAME_CODE_SEQUENCE, 0)], text(CODE_VALUE, "125008"))),
            "it is no measurement group",
        ),
        (
            "nothing",
            Box::new(|said| {
                let items = said
                    .items(CONTENT_SEQUENCE)
                    .iter()
                    .filter(|item| item.text(RELATIONSHIP_TYPE).as_deref() != Some("CONTAINS"));
                let items = items.cloned().collect();
                said.put_items(CONTENT_SEQUENCE, items);
            }),
            "it reports nothing",
        ),
    ];
    anywhere(table);
}

/// Changes the first item with coordinates in the patient.
fn at_graphic(item: &mut Attributes, change: &mut dyn FnMut(&mut Attributes)) -> bool {
    let mut items = item.items(CONTENT_SEQUENCE).to_vec();
    let found = items.iter_mut().any(|child| {
        let is_it = child.text(VALUE_TYPE).as_deref() == Some("SCOORD3D");
        if is_it {
            change(child);
        }
        is_it || at_graphic(child, change)
    });
    item.put_items(CONTENT_SEQUENCE, items);
    found
}

#[test]
fn what_a_class_cannot_say_is_refused() {
    let made = Made::all(&inputs());
    let basic = Object {
        reference: crate::evidence::Reference {
            class: medvan_imaging::Uid::known("1.2.840.10008.5.1.4.1.1.88.22"),
            ..made.report().reference
        },
        ..made.report()
    };
    let file = basic.changed(|said| said.put_text(SOP_CLASS_UID, "1.2.840.10008.5.1.4.1.1.88.22"));
    let gated = gate(vec![file, made.segmentation().bytes, made.picture().bytes], &inputs());
    let reasons = &gated.quarantined[0].reasons;
    assert!(reasons.iter().all(|refused| refused.reason == "the class has no such value type"), "{reasons:?}");
    assert_eq!(reasons.len(), 2, "two items have coordinates in the patient: {reasons:?}");
}

fn presentation() -> Attributes {
    let mut said = super::said(&Made::all(&inputs()).report().bytes);
    for tag in [CONTENT_SEQUENCE, CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE, VALUE_TYPE, CONCEPT_NAME_CODE_SEQUENCE]
    {
        said.remove(tag);
    }
    said.put_text(SOP_CLASS_UID, "1.2.840.10008.5.1.4.1.1.11.1");
    said.put_text(MODALITY, "PR");
    said.put_text(CONTENT_LABEL, "AI");
    said.put_text(PRESENTATION_CREATION_DATE, "20261123");
    said.put_text(PRESENTATION_CREATION_TIME, "180000");
    let mut image = Attributes::new();
    image.put_text(REFERENCED_SOP_CLASS_UID, "1.2.840.10008.5.1.4.1.1.2");
    image.put_text(REFERENCED_SOP_INSTANCE_UID, FIRST);
    let mut series = Attributes::new();
    series.put_items(REFERENCED_IMAGE_SEQUENCE, vec![image.clone()]);
    series.put_text(SERIES_INSTANCE_UID, "2.25.41");
    said.put_items(REFERENCED_SERIES_SEQUENCE, vec![series]);
    let mut area = Attributes::new();
    area.put_text(PRESENTATION_SIZE_MODE, "SCALE TO FIT");
    said.put_items(DISPLAYED_AREA_SELECTION_SEQUENCE, vec![area]);
    let mut graphic = Attributes::new();
    graphic.put_text(GRAPHIC_ANNOTATION_UNITS, "PIXEL");
    graphic.put_number(NUMBER_OF_GRAPHIC_POINTS, 2);
    singles(&[1.0, 1.0, 8.0, 8.0])(&mut graphic);
    let mut annotation = Attributes::new();
    annotation.put_items(REFERENCED_IMAGE_SEQUENCE, vec![image]);
    annotation.put_items(GRAPHIC_OBJECT_SEQUENCE, vec![graphic]);
    said.put_items(GRAPHIC_ANNOTATION_SEQUENCE, vec![annotation]);
    said
}

fn authored(said: &Attributes) -> Vec<u8> {
    let uid = |tag| crate::inputs::uid(said, tag).unwrap();
    let reference = crate::evidence::Reference {
        series: uid(SERIES_INSTANCE_UID),
        instance: uid(SOP_INSTANCE_UID),
        class: uid(SOP_CLASS_UID),
    };
    crate::evidence::document::object(reference, said, None).unwrap().bytes
}

#[test]
fn presentation_states_draw_inside_their_images() {
    let gated = gate(vec![authored(&presentation())], &inputs());
    assert_eq!((gated.accepted.len(), gated.quarantined), (1, vec![]));
    let graphic: &'static [(Tag, usize)] = &[(GRAPHIC_ANNOTATION_SEQUENCE, 0), (GRAPHIC_OBJECT_SEQUENCE, 0)];
    const AT: &str = "/GraphicAnnotationSequence/0/GraphicObjectSequence/0/GraphicData";
    let table: Vec<(&str, Change, Told)> = vec![
        ("outside", inside(graphic, singles(&[1.0, 1.0, 9.0, 8.0])), (AT, "it is outside of the image")),
        (
            "points",
            inside(graphic, number(NUMBER_OF_GRAPHIC_POINTS, 3)),
            (AT, "the coordinates are not as many as the points"),
        ),
        (
            "NaN",
            inside(graphic, singles(&[1.0, 1.0, f32::NAN, 8.0])),
            (AT, "the coordinates are not as many as the points"),
        ),
        ("display", inside(graphic, text(GRAPHIC_ANNOTATION_UNITS, "DISPLAY")), (AT, "it is outside of the image")),
        ("series", gone(REFERENCED_SERIES_SEQUENCE), ("/ReferencedSeriesSequence", "it is missing or empty")),
        ("modality", text(MODALITY, "SR"), ("/Modality", "the class has another modality")),
    ];
    for (name, change, told) in table {
        let mut said = presentation();
        change(&mut said);
        assert_refused(name, vec![authored(&said)], told);
    }
}

#[test]
fn documents_are_pdf() {
    let document = |mime: &str, bytes: &[u8]| {
        let mut said = presentation();
        for tag in [REFERENCED_SERIES_SEQUENCE, GRAPHIC_ANNOTATION_SEQUENCE, DISPLAYED_AREA_SELECTION_SEQUENCE] {
            said.remove(tag);
        }
        said.put_text(SOP_CLASS_UID, "1.2.840.10008.5.1.4.1.1.104.1");
        said.put_text(MODALITY, "DOC");
        said.put_text(BURNED_IN_ANNOTATION, "YES");
        said.put_text(MIME_TYPE_OF_ENCAPSULATED_DOCUMENT, mime);
        said.put(ENCAPSULATED_DOCUMENT, Attribute { vr: VR::OB, content: Content::Inline(bytes.to_vec()) });
        authored(&said)
    };
    assert_eq!(gate(vec![document("application/pdf", b"%PDF-1.7 ")], &inputs()).accepted.len(), 1);
    let html = document("application/pdf", b"<html>");
    assert_refused("html", vec![html], ("/EncapsulatedDocument", "it does not begin like a PDF"));
    let mime = document("text/html", b"%PDF-1.7 ");
    assert_refused("mime", vec![mime], ("/MIMETypeOfEncapsulatedDocument", "it is no PDF"));
}
