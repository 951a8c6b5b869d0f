//! Every frame against what pydicom makes of it.
//!
//! `tests/reference/write_cases.py OUT FOLDER…` writes the cases; `MEDVAN_PYDICOM_DATA=OUT cargo test -p medvan-pixels` compares.
//! Without the variable there is nothing to compare.

use std::{
    fs,
    path::{Path, PathBuf},
};

use medvan_pixels::{
    DecodeError, EncodedFrame, FrameFormat, ImageDescription, Limits, NativeFrame, RenderParameters, SampleKind,
    decode, render,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Head {
    description: ImageDescription,
    frames: Vec<Frame>,
}

#[derive(Deserialize)]
struct Frame {
    first_bit: u8,
    fragments: Vec<usize>,
    /// Bytes that pydicom gives.
    expected: Option<usize>,
}

/// A file and how far off the worst sample of each frame is.
#[derive(Default)]
struct Report {
    exact: usize,
    near: usize,
    not_compared: usize,
    unsupported: Vec<String>,
    wrong: Vec<String>,
}

#[test]
fn frames_are_those_of_pydicom() {
    let Some(folder) = std::env::var_os("MEDVAN_PYDICOM_DATA") else { return };
    let mut report = Report::default();
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "there are no cases");
    for file in &files {
        compare(file, &mut report);
    }
    println!(
        "{} files; frames: {} exact, {} within tolerance, {} without reference",
        files.len(),
        report.exact,
        report.near,
        report.not_compared
    );
    println!("refused as unsupported:\n  {}", report.unsupported.join("\n  "));
    assert!(report.wrong.is_empty(), "{}", report.wrong.join("\n"));
}

fn compare(file: &Path, report: &mut Report) {
    let bytes = fs::read(file).unwrap();
    let length = u32::from_le_bytes(bytes[..4].try_into().unwrap()) as usize;
    let head: Head = serde_json::from_slice(&bytes[4..4 + length]).unwrap();
    let mut rest = &bytes[4 + length..];
    let name = file.file_name().unwrap().to_string_lossy();
    let (limits, image) = (Limits::default(), &head.description);
    for (number, frame) in head.frames.iter().enumerate() {
        let fragments = frame.fragments.iter().map(|length| rest.split_off(..*length).unwrap().to_vec()).collect();
        let expected = frame.expected.map(|length| rest.split_off(..length).unwrap());
        let decoded = decode(image, &EncodedFrame { fragments, first_bit: frame.first_bit }, &limits);
        let decoded = match decoded {
            Ok(decoded) => decoded,
            Err(DecodeError::Unsupported { what }) => {
                report.unsupported.push(format!("{name} {number}: {what}"));
                continue;
            }
            Err(_) if expected.is_none() => {
                report.not_compared += 1;
                continue;
            }
            Err(error) => {
                report.wrong.push(format!("{name} {number}: {error}"));
                continue;
            }
        };
        assert_eq!(decoded.samples.len() as u64, decoded.format.frame_bytes(), "{name}");
        if let Err(error) = render(image, &decoded, &RenderParameters::default(), &limits) {
            report.unsupported.push(format!("{name} {number}: {error}"));
        }
        let Some(expected) = expected else {
            report.not_compared += 1;
            continue;
        };
        let lossy_jpeg = image.transfer_syntax.ends_with(".4.50") || image.transfer_syntax.ends_with(".4.51");
        match distance(&decoded, expected) {
            0 => report.exact += 1,
            1..=2 if lossy_jpeg => report.near += 1,
            off => report.wrong.push(format!("{name} {number}: {} off by {off}", image.transfer_syntax)),
        }
    }
}

/// The largest difference of two samples. pydicom gives them by pixel, and changes the bits that are not stored.
fn distance(ours: &NativeFrame, theirs: &[u8]) -> u64 {
    let format = &ours.format;
    if ours.samples.len() != theirs.len() {
        return u64::MAX;
    }
    let (ours, theirs) = (numbers(&ours.samples, format), numbers(theirs, format));
    let (planes, pixels) = (usize::from(format.samples_per_pixel), ours.len() / usize::from(format.samples_per_pixel));
    let place = |number: usize| match format.planar_configuration {
        0 => number,
        _ => number % planes * pixels + number / planes,
    };
    theirs.iter().enumerate().map(|(number, theirs)| ours[place(number)].abs_diff(*theirs)).max().unwrap_or(0)
}

fn numbers(bytes: &[u8], format: &FrameFormat) -> Vec<u64> {
    let stored = if format.kind == SampleKind::Integer { format.bits_stored } else { format.bits_allocated };
    let mask = if format.bits_allocated == 1 { 0xFF } else { u64::MAX >> (64 - stored) };
    let size = usize::from(format.bits_allocated / 8).max(1);
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    bytes.chunks(size).map(|sample| number(sample) & mask).collect()
}
