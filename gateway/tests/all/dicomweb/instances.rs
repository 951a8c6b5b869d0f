//! Instances made for these tests, and what is inside of those that come back.

use std::io::Cursor;

use dicom_dictionary_std::{tags, uids};
use medvan_fixtures::studies::ChestCt;
use medvan_imaging::{
    TransferSyntax, Uid, VR,
    dataset::{Dataset, Limits, Piece, Seekable, write},
    file::{self, File},
};

pub(crate) const EXPLICIT: &str = "1.2.840.10008.1.2.1";
pub(crate) const RLE: &str = "1.2.840.10008.1.2.5";
/// A compressed form of which no decoder is there.
pub(crate) const VIDEO: &str = "1.2.840.10008.1.2.4.102";

/// A small study of three slices.
pub(crate) fn chest() -> ChestCt {
    ChestCt { slices: 3, size: 32, ..ChestCt::default() }
}

/// The path of a slice.
pub(crate) fn path(study: &ChestCt, slice: u32) -> String {
    format!("{}/instances/{}", series(study), study.instance_uid(slice))
}

pub(crate) fn series(study: &ChestCt) -> String {
    format!("/studies/{}/series/{}", study.study_uid(), study.series_uid())
}

/// An instance as it came back.
pub(crate) fn read(bytes: &[u8]) -> File {
    file::read_file(Seekable::new(Cursor::new(bytes)).unwrap(), &Limits::default()).unwrap()
}

/// A data set as a file in this transfer syntax, with the bytes of its pixel data behind it.
pub(crate) fn file_of(data_set: &Dataset, syntax: &str, pixels: &[u8]) -> Vec<u8> {
    let class = data_set.uid(tags::SOP_CLASS_UID).unwrap();
    let instance = data_set.uid(tags::SOP_INSTANCE_UID).unwrap();
    let mut bytes = file::head(&class, &instance, &TransferSyntax::of(Uid::parse(syntax).unwrap()));
    for piece in write(data_set, true) {
        let Piece::Bytes(piece) = piece else { panic!("all of it is here") };
        bytes.extend_from_slice(&piece);
    }
    bytes.extend_from_slice(pixels);
    bytes
}

/// A secondary capture without pixels of study, series and instance `1.2.3`, `1.2.3.1` and `1.2.3.1.{number}`.
pub(crate) fn capture(number: u32) -> Dataset {
    let mut data_set = Dataset::new();
    data_set.put_bytes(tags::SOP_CLASS_UID, VR::UI, uids::MULTI_FRAME_GRAYSCALE_BYTE_SECONDARY_CAPTURE_IMAGE_STORAGE);
    data_set.put_bytes(tags::SOP_INSTANCE_UID, VR::UI, format!("1.2.3.1.{number}"));
    data_set.put_bytes(tags::STUDY_INSTANCE_UID, VR::UI, "1.2.3");
    data_set.put_bytes(tags::SERIES_INSTANCE_UID, VR::UI, "1.2.3.1");
    data_set.put_bytes(tags::STUDY_DATE, VR::DA, "20260102");
    data_set.put_bytes(tags::PATIENT_ID, VR::LO, "C-1");
    data_set.put_bytes(tags::PATIENT_NAME, VR::PN, "Capture^Test");
    data_set.put_bytes(tags::MODALITY, VR::CS, "OT");
    data_set.put_bytes(tags::INSTANCE_NUMBER, VR::IS, number.to_string());
    data_set
}

/// The PDF that is in [`document`].
pub(crate) fn pdf() -> Vec<u8> {
    [b"%PDF-1.7\n".to_vec(), vec![b' '; 8_191]].concat()
}

/// An encapsulated PDF.
pub(crate) fn document(number: u32) -> Vec<u8> {
    let mut data_set = capture(number);
    data_set.put_bytes(tags::SOP_CLASS_UID, VR::UI, uids::ENCAPSULATED_PDF_STORAGE);
    data_set.put_bytes(tags::ENCAPSULATED_DOCUMENT, VR::OB, pdf());
    data_set.put_bytes(tags::MIME_TYPE_OF_ENCAPSULATED_DOCUMENT, VR::LO, "application/pdf");
    file_of(&data_set, EXPLICIT, &[])
}

/// The path of a capture.
pub(crate) fn capture_path(number: u32) -> String {
    format!("/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.{number}")
}

/// The pixels of each of the two frames of [`compressed`].
pub(crate) const FRAMES: [[u8; 16]; 2] = [[7; 16], [9; 16]];

/// A capture of two frames of 4 × 4 pixels, each a fragment: in RLE Lossless, or said to be in another form.
pub(crate) fn compressed(number: u32, syntax: &str) -> Vec<u8> {
    let mut data_set = capture(number);
    data_set.put_bytes(tags::SAMPLES_PER_PIXEL, VR::US, 1_u16.to_le_bytes());
    data_set.put_bytes(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2");
    data_set.put_bytes(tags::NUMBER_OF_FRAMES, VR::IS, "2");
    for (tag, value) in [
        (tags::ROWS, 4_u16),
        (tags::COLUMNS, 4),
        (tags::BITS_ALLOCATED, 8),
        (tags::BITS_STORED, 8),
        (tags::HIGH_BIT, 7),
        (tags::PIXEL_REPRESENTATION, 0),
    ] {
        data_set.put_bytes(tag, VR::US, value.to_le_bytes());
    }
    let mut pixels = b"\xE0\x7F\x10\x00OB\0\0\xFF\xFF\xFF\xFF\xFE\xFF\x00\xE0\0\0\0\0".to_vec();
    for frame in FRAMES {
        let fragment = run_length(frame[0]);
        pixels.extend_from_slice(b"\xFE\xFF\x00\xE0");
        pixels.extend_from_slice(&(fragment.len() as u32).to_le_bytes());
        pixels.extend_from_slice(&fragment);
    }
    pixels.extend_from_slice(b"\xFE\xFF\xDD\xE0\0\0\0\0");
    file_of(&data_set, syntax, &pixels)
}

/// Sixteen equal bytes as an RLE segment (PS3.5 annex G): the head of 64 bytes, then one run.
pub(crate) fn run_length(value: u8) -> Vec<u8> {
    let mut fragment = vec![0; 64];
    (fragment[0], fragment[4]) = (1, 64);
    fragment.extend_from_slice(&[(1_i16 - 16) as u8, value]);
    fragment
}
