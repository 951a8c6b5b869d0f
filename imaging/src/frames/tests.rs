use std::io;

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use proptest::prelude::*;

use super::{Frame, FrameList, FrameListError, FramesError, Place, locate, stream};
use crate::{
    TransferSyntax, Uid,
    dataset::{Dataset, Element, Left, Span, Value},
};

fn image(rows: u16, columns: u16, samples: u16, bits: u16, frames: &str) -> Dataset {
    let mut image = Dataset::new();
    let mut short = |tag, number: u16| image.put_bytes(tag, VR::US, number.to_le_bytes());
    short(tags::ROWS, rows);
    short(tags::COLUMNS, columns);
    short(tags::SAMPLES_PER_PIXEL, samples);
    short(tags::BITS_ALLOCATED, bits);
    image.put_bytes(tags::NUMBER_OF_FRAMES, VR::IS, frames);
    image
}

fn left(mut image: Dataset, offset: u64, length: u64, swapped: u8) -> Dataset {
    let left = Left { span: Span { offset, length }, swapped };
    image.put(Element { tag: tags::PIXEL_DATA, vr: VR::OW, value: Value::Left(left) });
    image
}

fn nothing(_: Span) -> io::Result<Vec<u8>> {
    Err(io::ErrorKind::Unsupported.into())
}

fn plain() -> TransferSyntax {
    TransferSyntax::explicit_little()
}

fn native(image: &Dataset, number: u32) -> Result<Frame, FramesError> {
    locate(image, &plain(), nothing)?.frame(number)
}

#[test]
fn lists_keep_their_order_and_are_numbers_from_one() {
    assert_eq!(FrameList::parse("1,3,2").unwrap().numbers(), [1, 3, 2]);
    assert_eq!(FrameList::parse("007, 7").unwrap().numbers(), [7, 7]);
    assert_eq!(FrameList::parse("99999999999").unwrap().numbers(), [u32::MAX]);
    for wrong in ["", ",", "1,", "0", "1,0", "-1", "+1", "1.5", "one", "1;2", "１"] {
        assert_eq!(FrameList::parse(wrong), Err(FrameListError::Form), "{wrong}");
    }
    assert_eq!(FrameList::parse(&"1,".repeat(20_000)), Err(FrameListError::TooMany));
}

#[test]
fn native_frames_lie_one_after_the_other() {
    for (image, number, offset, length) in [
        (left(image(2, 3, 1, 16, "4"), 1000, 48, 1), 1, 1000, 12),
        (left(image(2, 3, 1, 16, "4"), 1000, 48, 1), 4, 1036, 12),
        (left(image(2, 3, 3, 8, "2"), 1000, 36, 1), 2, 1018, 18),
        (left(image(2, 3, 1, 8, ""), 1000, 6, 1), 1, 1000, 6),
        // Four gigabytes.
        (left(image(65535, 65535, 1, 8, "1"), 0, 65535 * 65535, 1), 1, 0, 65535 * 65535),
    ] {
        let frame = native(&image, number).unwrap();
        assert_eq!((frame.spans.as_slice(), frame.place), ([Span { offset, length }].as_slice(), Place::Source));
        assert!(frame.is_as_stored());
    }
    let mut subsampled = left(image(2, 4, 3, 8, "2"), 0, 32, 1);
    subsampled.put_bytes(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "YBR_FULL_422");
    assert_eq!(native(&subsampled, 2).unwrap().spans, [Span { offset: 16, length: 16 }]);
    let mut spelled_out = left(image(2, 4, 3, 8, "2"), 0, 48, 1);
    spelled_out.put_bytes(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "YBR_FULL_422");
    assert_eq!(native(&spelled_out, 2).unwrap().spans, [Span { offset: 24, length: 24 }]);
    let mut float = image(2, 2, 1, 8, "2");
    float.put_bytes(tags::FLOAT_PIXEL_DATA, VR::OF, vec![0; 32]);
    let frame = native(&float, 2).unwrap();
    assert_eq!((frame.spans[0], frame.place), (Span { offset: 16, length: 16 }, Place::Value(tags::FLOAT_PIXEL_DATA)));
}

#[test]
fn what_is_not_there_is_not_found() {
    let good = || left(image(2, 3, 1, 16, "4"), 0, 48, 1);
    assert!(matches!(native(&good(), 5), Err(FramesError::NoSuchFrame { number: 5, count: 4 })));
    assert!(matches!(native(&good(), 0), Err(FramesError::NoSuchFrame { .. })));
    let short = left(image(2, 3, 1, 16, "4"), 0, 47, 1);
    assert!(native(&short, 3).is_ok());
    assert!(matches!(native(&short, 4), Err(FramesError::Short(4))));
    assert!(matches!(native(&image(2, 3, 1, 16, "4"), 1), Err(FramesError::NoPixelData)));
    for (rows, columns, samples, bits, frames, tag) in [
        (0, 3, 1, 16, "1", tags::ROWS),
        (2, 0, 1, 16, "1", tags::COLUMNS),
        (2, 3, 0, 16, "1", tags::SAMPLES_PER_PIXEL),
        (2, 3, 1, 0, "1", tags::BITS_ALLOCATED),
        (2, 3, 1, 16, "0", tags::NUMBER_OF_FRAMES),
        (2, 3, 1, 16, "-1", tags::NUMBER_OF_FRAMES),
        (2, 3, 1, 16, "1A", tags::NUMBER_OF_FRAMES),
        (2, 3, 1, 16, "4294967296", tags::NUMBER_OF_FRAMES),
    ] {
        let image = left(image(rows, columns, samples, bits, frames), 0, 48, 1);
        assert!(matches!(native(&image, 1), Err(FramesError::Attribute(at)) if at == tag), "{tag}");
    }
    let huge = left(image(65535, 65535, 65535, 65535, "2147483647"), u64::MAX - 9, 9, 1);
    assert!(matches!(native(&huge, 2_147_483_647), Err(FramesError::Short(_))));
}

#[test]
fn frames_of_single_bits_share_their_bytes() {
    // Three frames of 3 x 1 pixels: 101, 110, 011, from the lowest bit on.
    let mut segments = image(3, 1, 1, 1, "3");
    segments.put_bytes(tags::PIXEL_DATA, VR::OB, [0b1101_1101, 0b0000_0000]);
    for (number, skipped, length, bits) in [(1, 0, 1, 0b101), (2, 3, 1, 0b011), (3, 6, 2, 0b011)] {
        let frame = native(&segments, number).unwrap();
        assert_eq!((frame.skipped_bits, frame.spans[0].length, frame.bits), (skipped, length, 3));
        let from = usize::try_from(frame.spans[0].offset).unwrap();
        let bytes = segments.bytes(tags::PIXEL_DATA).unwrap()[from..from + usize::try_from(length).unwrap()].to_vec();
        assert_eq!(frame.take_from(bytes), [bits], "{number}");
    }
}

proptest! {
    #[test]
    fn a_frame_has_its_pixels_whatever_its_size_and_byte_order(
        rows in 1u16..5,
        columns in 1u16..5,
        bits in prop::sample::select(vec![1u16, 8, 12, 16, 32]),
        count in 1u32..5,
        swapped in prop::sample::select(vec![1u8, 2, 4]),
        seed in prop::collection::vec(any::<u8>(), 512),
    ) {
        let size = usize::from(rows) * usize::from(columns) * usize::from(bits);
        let length = (size * count as usize).div_ceil(8).next_multiple_of(4);
        let little = &seed[..length];
        let mut stored = little.to_vec();
        stored.chunks_exact_mut(usize::from(swapped)).for_each(<[u8]>::reverse);
        let image = left(image(rows, columns, 1, bits, &count.to_string()), 7, length as u64, swapped);
        let frames = locate(&image, &plain(), nothing).unwrap();
        for number in 1..=count {
            let frame = frames.frame(number).unwrap();
            let span = frame.spans[0];
            let from = usize::try_from(span.offset - 7).unwrap();
            let taken = frame.take_from(stored[from..from + usize::try_from(span.length).unwrap()].to_vec());
            let bit = |bytes: &[u8], at: usize| bytes[at / 8] >> (at % 8) & 1;
            let first = size * (number as usize - 1);
            prop_assert_eq!(taken.len(), size.div_ceil(8));
            prop_assert!((0..size).all(|at| bit(&taken, at) == bit(little, first + at)));
        }
    }
}

/// A source with fragments, and the spans of their values; the first is the offset table.
fn encapsulated(frames: &str, table: &[u8], fragments: &[&[u8]]) -> (Dataset, Vec<u8>, Vec<Span>) {
    let mut source = vec![0xEE; 100];
    let mut spans = Vec::new();
    for value in std::iter::once(&table).chain(fragments) {
        source.extend_from_slice(&[0xFE, 0xFF, 0x00, 0xE0]);
        source.extend_from_slice(&u32::try_from(value.len()).unwrap().to_le_bytes());
        spans.push(Span { offset: source.len() as u64, length: value.len() as u64 });
        source.extend_from_slice(value);
    }
    let mut image = image(2, 2, 1, 8, frames);
    let value = Value::Fragments(spans.clone());
    image.put(Element { tag: tags::PIXEL_DATA, vr: VR::OB, value });
    (image, source, spans[1..].to_vec())
}

fn jpeg() -> TransferSyntax {
    TransferSyntax::of(Uid::known("1.2.840.10008.1.2.4.50"))
}

/// The fragments of each frame, by their index.
fn grouped((image, source, fragments): &(Dataset, Vec<u8>, Vec<Span>)) -> Result<Vec<Vec<usize>>, FramesError> {
    let read = |span: Span| {
        let from = usize::try_from(span.offset).unwrap();
        Ok(source[from..from + usize::try_from(span.length).unwrap()].to_vec())
    };
    let frames = locate(image, &jpeg(), read)?;
    let index = |span: &Span| fragments.iter().position(|fragment| fragment.offset == span.offset).unwrap();
    (1..=frames.count()).map(|number| Ok(frames.frame(number)?.spans.iter().map(index).collect())).collect()
}

fn table(offsets: &[u32]) -> Vec<u8> {
    offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect()
}

const SOI: &[u8] = b"\xFF\xD8\xFF\xE0";
const MORE: &[u8] = b"\x12\x34\x56\x78";

#[test]
fn fragments_are_grouped_by_the_table_by_their_number_or_by_their_codec() {
    let two = vec![vec![0, 1], vec![2]];
    for (what, frames, offsets, fragments, expected) in [
        ("one frame", "1", table(&[]), vec![SOI, MORE, MORE], vec![vec![0, 1, 2]]),
        ("no Number of Frames", "", table(&[0]), vec![SOI, MORE], vec![vec![0, 1]]),
        ("a table", "2", table(&[0, 24]), vec![SOI, MORE, MORE], two.clone()),
        ("a table that no codec marker confirms", "2", table(&[0, 24]), vec![MORE, MORE, MORE], two.clone()),
        ("no table, one each", "3", table(&[]), vec![SOI, MORE, MORE], vec![vec![0], vec![1], vec![2]]),
        ("no table, several each", "2", table(&[]), vec![SOI, MORE, SOI], two.clone()),
        ("offsets beside the items", "2", table(&[0, 26]), vec![SOI, MORE, SOI], two.clone()),
        ("offsets that begin late", "2", table(&[12, 24]), vec![SOI, MORE, SOI], two.clone()),
        ("offsets that go back", "2", table(&[24, 0]), vec![SOI, MORE, SOI], two.clone()),
        ("a table of another length", "2", table(&[0, 12, 24]), vec![SOI, MORE, SOI], two.clone()),
        ("an odd table, one each", "2", vec![0; 6], vec![SOI, SOI], vec![vec![0], vec![1]]),
        ("wrong offsets, one each", "2", table(&[0, 4096]), vec![SOI, SOI], vec![vec![0], vec![1]]),
    ] {
        assert_eq!(grouped(&encapsulated(frames, &offsets, &fragments)).unwrap(), expected, "{what}");
    }
}

#[test]
fn each_codec_is_known_by_its_beginning() {
    let rle = [&[3, 0, 0, 0, 64, 0, 0, 0][..], &[0; 56]].concat();
    let beginnings: [&[u8]; 6] =
        [SOI, b"\xFF\xD8\xFF\xF7", b"\xFF\x4F\xFF\x51\0\0", b"\0\0\0\x0CjP  \r\n\x87\n", b"\xFF\x0A\0\0", &rle];
    for beginning in beginnings {
        let image = encapsulated("2", &[], &[beginning, MORE, beginning, MORE]);
        assert_eq!(grouped(&image).unwrap(), [[0, 1], [2, 3]], "{beginning:?}");
    }
}

#[test]
fn what_nothing_tells_apart_is_not_guessed() {
    for (what, frames, fragments) in [
        ("fewer fragments than frames", "3", vec![SOI, SOI]),
        ("no fragment", "1", vec![]),
        ("no beginnings", "2", vec![MORE, MORE, MORE]),
        ("too many beginnings", "2", vec![SOI, SOI, SOI]),
        ("not at the beginning", "2", vec![MORE, SOI, SOI]),
        ("as many frames as there can be", "2147483647", vec![SOI]),
    ] {
        let image = encapsulated(frames, &[], &fragments);
        assert!(matches!(grouped(&image), Err(FramesError::Unclear)), "{what}");
    }
}

#[test]
fn an_extended_table_also_tells_the_length_without_padding() {
    let long = |numbers: &[u64]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<_>>();
    let put = |image: &mut Dataset, tag: Tag, numbers: &[u64]| image.put_bytes(tag, VR::OV, long(numbers));
    let (mut image, source, fragments) = encapsulated("2", &[], &[SOI, MORE]);
    put(&mut image, tags::EXTENDED_OFFSET_TABLE, &[0, 12]);
    put(&mut image, tags::EXTENDED_OFFSET_TABLE_LENGTHS, &[3, 9]);
    let frames = locate(&image, &jpeg(), nothing).unwrap();
    assert_eq!(frames.frame(1).unwrap().spans, [Span { length: 3, ..fragments[0] }]);
    assert_eq!(frames.frame(2).unwrap().spans, [fragments[1]]);

    put(&mut image, tags::EXTENDED_OFFSET_TABLE, &[0, u64::MAX]);
    assert_eq!(grouped(&(image, source, fragments)).unwrap(), [[0], [1]]);
}

#[test]
fn a_video_is_one_stream() {
    let (image, _, fragments) = encapsulated("2", &[], &[MORE, MORE]);
    let video = TransferSyntax::of(Uid::known("1.2.840.10008.1.2.4.102"));
    assert!(matches!(locate(&image, &video, nothing), Err(FramesError::Video)));
    assert_eq!(stream(&image), Some(fragments.as_slice()));
}

#[test]
fn a_disk_that_fails_is_told_as_such() {
    let (image, ..) = encapsulated("2", &table(&[0, 12]), &[SOI, SOI]);
    assert!(matches!(locate(&image, &jpeg(), nothing), Err(FramesError::Io(_))));
}

proptest! {
    #[test]
    fn any_table_gives_each_frame_its_own_fragments_in_order_or_none_at_all(
        frames in 1usize..6,
        bytes in prop::collection::vec(prop::sample::select(vec![0u8, 12, 24, 36, 255]), 0..24),
        starts in prop::collection::vec(any::<bool>(), 0..8),
    ) {
        let fragments: Vec<&[u8]> = starts.iter().map(|start| if *start { SOI } else { MORE }).collect();
        let image = encapsulated(&frames.to_string(), &bytes, &fragments);
        if let Ok(groups) = grouped(&image) {
            prop_assert_eq!(groups.len(), frames);
            prop_assert!(groups.iter().all(|group| !group.is_empty()));
            let all: Vec<usize> = groups.concat();
            prop_assert_eq!(all, (0..fragments.len()).collect::<Vec<_>>());
        }
    }
}
