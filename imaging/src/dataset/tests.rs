//! Data sets as they are found: well formed, odd, broken and hostile.

use std::io::Cursor;

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use proptest::prelude::*;

use super::*;
use crate::{TransferSyntax, Uid, transfer_syntax::Encoding};

const UNDEFINED: [u8; 4] = [0xFF; 4];

/// Bytes of an element in explicit little endian, with the length that is given and not that of the value.
fn explicit(tag: Tag, vr: &str, length: u32, value: &[u8]) -> Vec<u8> {
    let mut bytes = [tag.group().to_le_bytes(), tag.element().to_le_bytes()].concat();
    bytes.extend_from_slice(vr.as_bytes());
    if VR::from_binary([vr.as_bytes()[0], vr.as_bytes()[1]]).is_none_or(super::vr::has_long_length) {
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&length.to_le_bytes());
    } else {
        bytes.extend_from_slice(&u16::try_from(length).unwrap().to_le_bytes());
    }
    bytes.extend_from_slice(value);
    bytes
}

fn element(tag: Tag, vr: &str, value: &[u8]) -> Vec<u8> {
    explicit(tag, vr, u32::try_from(value.len()).unwrap(), value)
}

fn implicit(tag: Tag, value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(value.len()).unwrap().to_le_bytes();
    [&tag.group().to_le_bytes()[..], &tag.element().to_le_bytes(), &length, value].concat()
}

fn marker(element: u16, length: [u8; 4]) -> Vec<u8> {
    [&[0xFE, 0xFF][..], &element.to_le_bytes(), &length].concat()
}

fn read_bytes(bytes: &[u8], encoding: Encoding) -> Result<Dataset, ReadError> {
    read(&mut Seekable::new(Cursor::new(bytes)).unwrap(), encoding, &Limits::default())
}

fn read_explicit(bytes: &[u8]) -> Result<Dataset, ReadError> {
    read_bytes(bytes, Encoding::ExplicitLittle)
}

/// What the pieces are when everything is copied from `source`.
fn joined(pieces: Vec<Piece>, source: &[u8]) -> Vec<u8> {
    pieces
        .into_iter()
        .flat_map(|piece| match piece {
            Piece::Bytes(bytes) => bytes,
            Piece::Copy { span, swapped } => {
                let from = usize::try_from(span.offset).unwrap();
                let mut bytes = source[from..from + usize::try_from(span.length).unwrap()].to_vec();
                super::vr::swap(&mut bytes, swapped);
                bytes
            }
        })
        .collect()
}

#[test]
fn the_same_patient_reads_the_same_in_every_encoding() {
    let name = b"Yamada^Tarou";
    let explicit = [element(tags::PATIENT_NAME, "PN", name), element(tags::ROWS, "US", &[0, 2])].concat();
    let implicit_bytes = [implicit(tags::PATIENT_NAME, name), implicit(tags::ROWS, &[0, 2])].concat();
    let big =
        [&[0x00, 0x10, 0x00, 0x10, b'P', b'N', 0, 12][..], name, &[0x00, 0x28, 0x00, 0x10, b'U', b'S', 0, 2, 2, 0]]
            .concat();
    let expected = read_explicit(&explicit).unwrap();
    assert_eq!(expected.unsigned_short(tags::ROWS), Some(512));
    assert_eq!(read_bytes(&implicit_bytes, Encoding::ImplicitLittle).unwrap(), expected);
    assert_eq!(read_bytes(&big, Encoding::ExplicitBig).unwrap(), expected);
    // Some writers promise VRs and write none.
    assert_eq!(read_explicit(&implicit_bytes).unwrap(), expected);
}

#[test]
fn a_sequence_reads_the_same_with_and_without_lengths() {
    let inner = element(tags::CODE_VALUE, "SH", b"T-32000 ");
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_le_bytes();
    let item = [marker(0xE000, length(&inner)), inner.clone()].concat();
    let open_item = [marker(0xE000, UNDEFINED), inner.clone(), marker(0xE00D, [0; 4])].concat();
    let open = |item: &[u8]| {
        explicit(tags::ANATOMIC_REGION_SEQUENCE, "SQ", u32::MAX, &[item, &marker(0xE0DD, [0; 4])].concat())
    };
    let closed = element(tags::ANATOMIC_REGION_SEQUENCE, "SQ", &item);
    let expected = read_explicit(&closed).unwrap();
    assert_eq!(expected.items(tags::ANATOMIC_REGION_SEQUENCE)[0].ascii(tags::CODE_VALUE), Some("T-32000"));
    for bytes in [open(&item), open(&open_item), element(tags::ANATOMIC_REGION_SEQUENCE, "SQ", &open_item)] {
        assert_eq!(read_explicit(&bytes).unwrap(), expected);
    }
}

#[test]
fn an_unknown_element_without_a_length_is_a_sequence_in_implicit_vr() {
    let item = implicit(tags::CODE_VALUE, b"T-32000 ");
    let content = [marker(0xE000, UNDEFINED), item, marker(0xE00D, [0; 4]), marker(0xE0DD, [0; 4])].concat();
    let data_set = read_explicit(&explicit(Tag(0x0009, 0x1001), "UN", u32::MAX, &content)).unwrap();
    assert_eq!(data_set.items(Tag(0x0009, 0x1001))[0].ascii(tags::CODE_VALUE), Some("T-32000"));
}

#[test]
fn long_values_stay_where_they_are() {
    let pixels = vec![7; 5000];
    let bytes = [element(tags::ROWS, "US", &[50, 0]), element(tags::PIXEL_DATA, "OW", &pixels)].concat();
    let data_set = read_explicit(&bytes).unwrap();
    let Some(Value::Left(left)) = data_set.get(tags::PIXEL_DATA).map(|element| &element.value) else { panic!() };
    assert_eq!(left.span, Span { offset: bytes.len() as u64 - 5000, length: 5000 });
    assert_eq!(joined(write(&data_set, true), &bytes), bytes);
}

#[test]
fn fragments_stay_where_they_are_whatever_they_contain() {
    // A codestream may hold what looks like a delimiter.
    let looks_like_the_end = marker(0xE0DD, [0; 4]);
    let content = [
        marker(0xE000, [0; 4]),
        marker(0xE000, 8_u32.to_le_bytes()),
        looks_like_the_end.clone(),
        marker(0xE0DD, [0; 4]),
    ]
    .concat();
    let bytes = explicit(tags::PIXEL_DATA, "OB", u32::MAX, &content);
    let data_set = read_explicit(&bytes).unwrap();
    let Some(Value::Fragments(fragments)) = data_set.get(tags::PIXEL_DATA).map(|element| &element.value) else {
        panic!()
    };
    assert_eq!(fragments.iter().map(|span| span.length).collect::<Vec<_>>(), [0, 8]);
    assert_eq!(joined(write(&data_set, true), &bytes), bytes);
}

#[test]
fn of_two_elements_with_one_tag_the_last_holds_and_order_is_restored() {
    let bytes = [
        element(tags::PATIENT_ID, "LO", b"B "),
        element(tags::MODALITY, "CS", b"CT"),
        element(tags::PATIENT_ID, "LO", b"A "),
    ]
    .concat();
    let data_set = read_explicit(&bytes).unwrap();
    assert_eq!(data_set.iter().map(|element| element.tag).collect::<Vec<_>>(), [tags::MODALITY, tags::PATIENT_ID]);
    assert_eq!(data_set.ascii(tags::PATIENT_ID), Some("A"));
}

#[test]
fn the_vr_of_what_depends_on_signed_pixels_follows_them() {
    let smallest = implicit(tags::SMALLEST_IMAGE_PIXEL_VALUE, &[0xFF, 0xFF]);
    let signed = [implicit(tags::PIXEL_REPRESENTATION, &[1, 0]), smallest.clone()].concat();
    let vr = |bytes: &[u8]| {
        let data_set = read_bytes(bytes, Encoding::ImplicitLittle).unwrap();
        data_set.get(tags::SMALLEST_IMAGE_PIXEL_VALUE).unwrap().vr
    };
    assert_eq!(vr(&signed), VR::SS);
    assert_eq!(vr(&smallest), VR::US);
}

/// Every kind of broken bytes and what is said about it.
#[test]
fn broken_data_sets_are_refused_by_what_is_wrong() {
    let deep = |levels: usize| {
        let begin = [explicit(tags::CONTENT_SEQUENCE, "SQ", u32::MAX, &[]), marker(0xE000, UNDEFINED)].concat();
        begin.repeat(levels)
    };
    type IsExpected = fn(&ReadError) -> bool;
    let table: Vec<(&str, Vec<u8>, IsExpected)> = vec![
        (
            "a value that is cut off",
            explicit(tags::PATIENT_ID, "LO", 10, b"123"),
            |error| matches!(error, ReadError::Truncated { tag, .. } if *tag == tags::PATIENT_ID),
        ),
        (
            "pixels of almost four gigabytes",
            explicit(tags::PIXEL_DATA, "OW", 0xFFFF_FFFE, &[0; 64]),
            |error| matches!(error, ReadError::Truncated { tag, .. } if *tag == tags::PIXEL_DATA),
        ),
        ("a text of almost four gigabytes", explicit(tags::TEXT_VALUE, "UT", 0xFFFF_FFFE, &[0; 64]), |error| {
            matches!(error, ReadError::Truncated { .. })
        }),
        ("half a header", vec![0x10, 0x00, 0x20], |error| matches!(error, ReadError::Truncated { .. })),
        ("a value without a length", explicit(tags::TEXT_VALUE, "UT", u32::MAX, b""), |error| {
            matches!(error, ReadError::NoLength { .. })
        }),
        (
            "an item that is longer than its sequence",
            { element(tags::CONTENT_SEQUENCE, "SQ", &marker(0xE000, 100_u32.to_le_bytes())) },
            |error| matches!(error, ReadError::Overlong { .. }),
        ),
        (
            "no item where one must be",
            { element(tags::CONTENT_SEQUENCE, "SQ", &element(tags::PATIENT_ID, "LO", b"AB")) },
            |error| matches!(error, ReadError::NotAnItem { .. }),
        ),
        ("ten thousand sequences in each other", deep(10_000), |error| matches!(error, ReadError::TooDeep(64))),
        (
            "a fragment without a length",
            { explicit(tags::PIXEL_DATA, "OB", u32::MAX, &marker(0xE000, UNDEFINED)) },
            |error| matches!(error, ReadError::NoLength { .. }),
        ),
    ];
    for (what, bytes, is_expected) in table {
        let error = read_explicit(&bytes).expect_err(what);
        assert!(is_expected(&error), "{what}: {error}");
    }
    assert!(read_explicit(&deep(60)).is_err_and(|error| matches!(error, ReadError::Truncated { .. })));
}

#[test]
fn a_million_empty_elements_are_too_many() {
    let bytes = element(tags::PATIENT_ID, "LO", b"").repeat(600_000);
    assert!(matches!(read_explicit(&bytes), Err(ReadError::TooMuch)));
}

#[test]
fn what_is_too_long_for_its_vr_is_written_as_unknown() {
    let long = vec![b'1'; 70_000];
    let data_set = read_bytes(&implicit(tags::IMAGE_TYPE, &long), Encoding::ImplicitLittle).unwrap();
    let bytes = joined(write(&data_set, true), &[]);
    let again = read_explicit(&bytes).unwrap();
    assert_eq!(again.get(tags::IMAGE_TYPE).map(|element| element.vr), Some(VR::UN));
}

fn any_vr() -> impl Strategy<Value = VR> {
    prop::sample::select(vec![VR::LO, VR::PN, VR::US, VR::FD, VR::OB, VR::UT, VR::UI, VR::AT, VR::UN])
}

fn any_data_set() -> impl Strategy<Value = Dataset> {
    let leaf =
        prop::collection::vec((1_u16..0x7F00, 1_u16.., any_vr(), prop::collection::vec(any::<u8>(), 0..20)), 0..8)
            .prop_map(|elements| {
                let mut data_set = Dataset::new();
                for (group, element, vr, bytes) in elements {
                    data_set.put_bytes(Tag(group.max(8), element), vr, bytes);
                }
                data_set
            });
    leaf.prop_recursive(4, 32, 4, |inner| {
        (inner.clone(), prop::collection::vec(inner, 0..4)).prop_map(|(mut outer, items)| {
            outer.put(Element { tag: tags::CONTENT_SEQUENCE, vr: VR::SQ, value: Value::Items(items) });
            outer
        })
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back_the_same(data_set in any_data_set()) {
        let bytes = joined(write(&data_set, true), &[]);
        prop_assert_eq!(read_explicit(&bytes).unwrap(), data_set);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for encoding in [Encoding::ExplicitLittle, Encoding::ImplicitLittle, Encoding::ExplicitBig] {
            let _ = read_bytes(&bytes, encoding);
        }
        let _ = read(&mut Inflated::new(&bytes[..], 1 << 16), Encoding::ExplicitLittle, &Limits::default());
    }

    #[test]
    fn a_data_set_with_a_changed_byte_is_read_or_refused(data_set in any_data_set(), at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = joined(write(&data_set, true), &[]);
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = read_explicit(&bytes);
        }
    }

    #[test]
    fn a_data_set_that_is_cut_is_shorter_or_refused(data_set in any_data_set(), at in any::<prop::sample::Index>()) {
        let bytes = joined(write(&data_set, true), &[]);
        if !bytes.is_empty() {
            let cut = read_explicit(&bytes[..at.index(bytes.len())]);
            prop_assert!(cut.map_or(true, |cut| cut.iter().count() <= data_set.iter().count()));
        }
    }
}

/// Their places would be in what it inflates to, where nobody can go.
#[test]
fn a_deflated_data_set_has_no_fragments() {
    use std::io::Write as _;
    let fragments = [0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0, 0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0];
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&explicit(tags::PIXEL_DATA, "OB", u32::MAX, &fragments)).unwrap();
    let (class, instance) = (Uid::known("1.2.840.10008.5.1.4.1.1.7"), Uid::known("1.2.3"));
    let syntax = TransferSyntax::of(Uid::known("1.2.840.10008.1.2.1.99"));
    let file = [crate::file::head(&class, &instance, &syntax), encoder.finish().unwrap()].concat();
    let read = crate::file::read_file(Seekable::new(std::io::Cursor::new(file)).unwrap(), &Limits::default());
    assert!(matches!(read, Err(ReadError::NoLength { tag: tags::PIXEL_DATA, .. })), "{read:?}");
}

#[test]
fn a_bomb_is_stopped_while_it_inflates() {
    use std::io::Write as _;
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&explicit(tags::PIXEL_DATA, "OW", 1 << 30, &[])).unwrap();
    for _ in 0..64 {
        encoder.write_all(&vec![0; 1 << 20]).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 1 << 17);
    let mut source = Inflated::new(&bomb[..], 1 << 20);
    assert!(matches!(read(&mut source, Encoding::ExplicitLittle, &Limits::default()), Err(ReadError::TooMuch)));
}
