//! Frames through the process that decodes them.

use std::{
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use medvan::decoder::{DecodedFrame, Decoder, DecoderError, DecoderLimits, Form, FrameSource, What};
use medvan_pixels::{DecodeError, Fault, ImageDescription, Limits, RenderError, RenderParameters, Scale};

fn kiku() -> medvan::catalog::HospitalId {
    "kiku".parse().unwrap()
}

fn program() -> PathBuf {
    env!("CARGO_BIN_EXE_medvan").into()
}

fn decoder() -> Decoder {
    Decoder::new(program(), DecoderLimits::default())
}

/// A grey image of 16 bits.
fn image(transfer_syntax: &str, rows: u16, columns: u16) -> ImageDescription {
    serde_json::from_value(serde_json::json!({
        "transfer_syntax": transfer_syntax, "rows": rows, "columns": columns, "samples_per_pixel": 1,
        "bits_allocated": 16, "bits_stored": 16, "high_bit": 15, "photometric_interpretation": "MONOCHROME2",
        "windows": [{"center": 128.0, "width": 256.0}],
    }))
    .unwrap()
}

fn native(rows: u16, columns: u16) -> ImageDescription {
    image("1.2.840.10008.1.2.1", rows, columns)
}

fn words(values: &[u16]) -> FrameSource {
    Bytes::from_iter(values.iter().flat_map(|value| value.to_le_bytes())).into()
}

fn png() -> What {
    What::Png(RenderParameters::default())
}

async fn all(
    decoder: &Decoder,
    image: ImageDescription,
    frames: Vec<FrameSource>,
) -> Vec<Result<DecodedFrame, DecoderError>> {
    let count = frames.len() as u32;
    let frames = stream::iter(frames.into_iter().map(Ok));
    decoder.frames(&kiku(), image, What::Native, count, frames).await.unwrap().into_stream().collect().await
}

#[tokio::test]
async fn a_frame_is_drawn() {
    for what in [png(), What::Jpeg(RenderParameters::default(), Some(80))] {
        let frame = decoder().frame(&kiku(), native(1, 3), what.clone(), words(&[0, 128, 255])).await.unwrap();
        assert_eq!(frame.form, Form::Picture { width: 3, height: 1 });
        let magic: &[u8] = if what == png() { b"\x89PNG" } else { b"\xFF\xD8\xFF" };
        assert!(frame.bytes.starts_with(magic));
    }
}

#[tokio::test]
async fn a_frame_comes_as_numbers_too() {
    let what = What::Values(Scale::Modality);
    let frame = decoder().frame(&kiku(), native(1, 3), what, words(&[0, 1000, 65535])).await.unwrap();
    assert_eq!(frame.form, Form::Values { columns: 3, rows: 1, channels: 1 });
    assert_eq!(frame.bytes, [0.0_f32, 1000.0, 65535.0].map(f32::to_le_bytes).concat());
}

#[tokio::test]
async fn frames_come_one_after_the_other_and_a_bad_one_stands_alone() {
    let frames = vec![words(&[1, 2]), words(&[3]), words(&[5, 6])];
    let mut found = all(&decoder(), native(1, 2), frames).await.into_iter();
    let first = found.next().unwrap().unwrap();
    assert_eq!((first.form, &first.bytes[..]), (Form::Native(native(1, 2).format()), &[1, 0, 2, 0][..]));
    let error = found.next().unwrap().unwrap_err();
    let DecoderError::Refused(RenderError::Pixels(truncated)) = error else { panic!("{error:?}") };
    assert_eq!(truncated, DecodeError::Truncated { needed: 4, found: 2 });
    assert_eq!(&found.next().unwrap().unwrap().bytes[..], [5, 0, 6, 0]);
    assert!(found.next().is_none());
}

/// Neither end may wait for the other: pipes hold 64 kB.
#[tokio::test]
async fn many_large_frames_stream_through() {
    let pixels = vec![7; 512 * 512];
    let frames = vec![words(&pixels); 20];
    let found = all(&decoder(), native(512, 512), frames).await;
    assert_eq!(found.len(), 20);
    assert!(found.iter().all(|frame| frame.as_ref().unwrap().bytes.len() == 512 * 512 * 2));
}

#[tokio::test]
async fn what_cannot_be_decoded_says_whose_fault_it_is() {
    for (image, fault) in [
        (image("1.2.840.10008.1.2.4.102", 2, 2), Fault::Ours),
        (image("1.2.840.10008.1.2.4.90", 2, 2), Fault::Object),
        (native(0, 2), Fault::Object),
    ] {
        let error = decoder().frame(&kiku(), image, png(), words(&[0; 4])).await.unwrap_err();
        assert_eq!((error.fault(), error.is_retryable()), (fault, false), "{error}");
    }
}

#[tokio::test]
async fn a_frame_that_is_too_large_is_not_taken() {
    let frame = Limits { encoded_bytes: 1000, ..Limits::default() };
    let decoder = Decoder::new(program(), DecoderLimits { frame, ..DecoderLimits::default() });
    let found = all(&decoder, native(1, 2), vec![words(&[0; 100_000]), words(&[1, 2])]).await;
    let Err(DecoderError::Refused(RenderError::Pixels(error))) = &found[0] else { panic!("{:?}", found[0]) };
    assert_eq!(*error, DecodeError::TooLarge { bytes: 200_000, limit: 1000 });
    assert!(found[1].is_ok());
}

/// Room for 200 megabytes of samples, asked for by a few bytes of RLE.
#[tokio::test]
async fn memory_has_an_end() {
    let frame = Limits { encoded_bytes: 1000, ..Limits::default() };
    let limits = DecoderLimits { memory: 128 << 20, frame, ..DecoderLimits::default() };
    let decoder = Decoder::new(program(), limits);
    let mut stream = vec![0_u8; 64];
    (stream[0], stream[4], stream[8]) = (2, 64, 64);
    let found = all(&decoder, image("1.2.840.10008.1.2.5", 10_000, 10_000), vec![Bytes::from(stream).into()]).await;
    assert!(matches!(found[..], [Err(DecoderError::OutOfMemory)]), "{found:?}");
}

#[tokio::test]
async fn an_unreadable_source_is_told_from_a_bad_frame() {
    let frames = stream::iter([Ok(words(&[1, 2])), Err(io::Error::other("the disk is gone"))]);
    let mut frames = decoder().frames(&kiku(), native(1, 2), What::Native, 2, frames).await.unwrap();
    let mut last = frames.next().await;
    while let Some(Ok(_)) = last {
        last = frames.next().await;
    }
    assert!(matches!(last, Some(Err(DecoderError::Source(_)))), "{last:?}");
    assert!(frames.next().await.is_none());
}

/// A worker that does something else. Another process writes it: a file that this one had open for writing could not be started
/// while another test's child still holds it.
fn instead(folder: &Path, script: &str) -> PathBuf {
    let path = folder.join("worker");
    let write = r#"printf '#!/bin/sh\n%s\n' "$1" > "$0" && chmod 700 "$0""#;
    let written = std::process::Command::new("/bin/sh").arg("-c").arg(write).arg(&path).arg(script).status();
    assert!(written.unwrap().success());
    path
}

async fn with(script: &str, limits: DecoderLimits) -> Result<DecodedFrame, DecoderError> {
    let folder = tempfile::tempdir().unwrap();
    let decoder = Decoder::new(instead(folder.path(), script), limits);
    decoder.frame(&kiku(), native(1, 2), png(), words(&[1, 2])).await
}

#[tokio::test]
async fn how_a_worker_ends_says_why() {
    let check = async |script: &str| with(script, DecoderLimits::default()).await.unwrap_err();
    for (script, expected) in [
        ("kill -ABRT $$", "decoding took too much memory"),
        ("kill -KILL $$", "decoding took too much memory"),
        ("kill -XCPU $$", "decoding took too long"),
        ("kill -SEGV $$", "the decoder crashed"),
        ("exit 101", "the decoder crashed"),
        ("exit 1", "the decoder cannot be used"),
        ("printf '\\377\\377\\377\\377'; sleep 9", "the decoder cannot be used"),
        ("printf 'abc'", "the decoder crashed"),
    ] {
        assert_eq!(check(script).await.to_string(), expected, "{script}");
    }
}

#[tokio::test]
async fn a_worker_that_never_answers_is_given_up() {
    let limits = DecoderLimits { answer: Duration::from_millis(200), ..DecoderLimits::default() };
    let start = Instant::now();
    let error = with("exec sleep 60", limits).await.unwrap_err();
    assert!(matches!(error, DecoderError::TimedOut), "{error:?}");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_program_that_is_not_there_is_our_fault() {
    let decoder = Decoder::new("/nowhere/medvan".into(), DecoderLimits::default());
    let error = decoder.frame(&kiku(), native(1, 2), png(), words(&[1, 2])).await.unwrap_err();
    assert!(matches!(error, DecoderError::Worker(_)), "{error:?}");
}

/// Who drops the frames leaves no process behind and makes place for the next request.
#[tokio::test]
async fn workers_are_counted_and_killed() {
    let folder = tempfile::tempdir().unwrap();
    let note = folder.path().join("pid");
    let limits = DecoderLimits { workers: 1, patience: Duration::from_millis(300), ..DecoderLimits::default() };
    let decoder = Decoder::new(instead(folder.path(), &format!("echo $$ > {}; exec sleep 60", note.display())), limits);
    let start = async || decoder.frames(&kiku(), native(1, 2), png(), 1, stream::iter([Ok(words(&[1, 2]))])).await;
    let first = start().await.unwrap();
    assert!(matches!(start().await, Err(DecoderError::Busy)));
    let pid = eventually(|| std::fs::read_to_string(&note).ok().filter(|pid| pid.ends_with('\n'))).await;
    let process = PathBuf::from("/proc").join(pid.trim()).join("cmdline");
    assert!(std::fs::read(&process).unwrap().starts_with(b"sleep") || process.exists());
    drop(first);
    assert!(start().await.is_ok());
    eventually(|| std::fs::read(&process).map_or(true, |line| line.is_empty()).then_some(())).await;
}

/// Whoever takes all that a hospital may have keeps the next hospital from nothing.
#[tokio::test]
async fn a_hospital_leaves_the_others_a_worker() {
    let folder = tempfile::tempdir().unwrap();
    let patience = Duration::from_millis(300);
    let limits = DecoderLimits { workers: 2, workers_of_hospital: 1, patience, ..DecoderLimits::default() };
    let decoder = Decoder::new(instead(folder.path(), "exec sleep 60"), limits);
    let start = async |hospital: &str| {
        let frames = stream::iter([Ok(words(&[1, 2]))]);
        decoder.frames(&hospital.parse().unwrap(), native(1, 2), png(), 1, frames).await
    };
    let _held = start("kiku").await.unwrap();
    assert!(matches!(start("kiku").await, Err(DecoderError::Busy)));
    assert!(start("ran").await.is_ok());
}

async fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..100 {
        if let Some(found) = look() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never came");
}

/// Nothing of an image is to be found where other processes can look.
#[tokio::test]
async fn arguments_and_environment_tell_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");
    let script = format!("/usr/bin/env > {0}; echo \"$@\" >> {0}", seen.display());
    let decoder = Decoder::new(instead(folder.path(), &script), DecoderLimits::default());
    let _ = decoder.frame(&kiku(), native(1, 2), png(), words(&[1, 2])).await;
    let seen = std::fs::read_to_string(seen).unwrap();
    let lines: Vec<&str> =
        seen.lines().filter(|line| !["PWD=", "SHLVL=", "_="].iter().any(|own| line.starts_with(own))).collect();
    assert_eq!(lines, ["MIMALLOC_ARENA_RESERVE=0", "decode-worker --memory 1342177280 --seconds 10"]);
}

#[test]
fn the_worker_is_no_command_for_people() {
    let help = std::process::Command::new(program()).arg("--help").output().unwrap();
    assert!(!String::from_utf8_lossy(&help.stdout).contains("decode-worker"));
}
