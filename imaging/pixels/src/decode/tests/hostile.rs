//! What strangers may send.

use super::*;

/// One whole frame of every codec, with the description that fits.
fn whole_frames() -> Vec<(ImageDescription, Vec<u8>)> {
    let pixels: Vec<u8> = (0..64 * 3).map(|place| (place * 37 % 251) as u8).collect();
    let wide: Vec<i16> = (0..64).map(|place| place * 60).collect();
    let jpeg = Encoder::new(&pixels, 8, 8, PixelFormat::Rgb).quality(80);
    let lossless = precision::compress_lossless_arbitrary(&[7; 64], 8, 8, 1, 12, 1, 0).unwrap();
    vec![
        (encoded_in(RLE, rgb(7, 9)), rle(&segments(&sample_rgb(), 3, 1))),
        (encoded_in(JPEG_BASELINE, image(Photometric::YbrFull422, 8, 8, 8)), jpeg.encode().unwrap()),
        (encoded_in(JPEG_BASELINE, image(Photometric::YbrFull422, 8, 8, 8)), jpeg.progressive(true).encode().unwrap()),
        (
            encoded_in(JPEG_EXTENDED, grey(8, 8, 16)),
            precision::compress_12bit(&wide, 8, 8, 1, 90, Subsampling::S444).unwrap(),
        ),
        (encoded_in(JPEG_LOSSLESS, grey(8, 8, 16)), lossless),
        (encoded_in(JPEG_LS, rgb(7, 9)), hex(codestreams::JPEG_LS_BY_COMPONENT)),
        (encoded_in(JPEG_LS, rgb(7, 9)), hex(codestreams::JPEG_LS_BY_LINE)),
        (encoded_in(JPEG_LS, rgb(7, 9)), hex(codestreams::JPEG_LS_NEAR_BY_SAMPLE)),
        (encoded_in(JPEG_2000, rgb(7, 9)), hex(codestreams::JPEG_2000_RGB)),
        (encoded_in(HTJ2K, rgb(7, 9)), hex(codestreams::HTJ2K_RGB)),
    ]
}

#[test]
fn a_stream_cut_anywhere_is_never_half_an_image() {
    for (image, stream) in whole_frames() {
        let whole = decoded(&image, stream.clone());
        for length in 0..stream.len() {
            let cut = EncodedFrame::whole(stream[..length].to_vec());
            match decode(&image, &cut, &Limits::default()) {
                // Nothing but the end marker or padding is missing.
                Ok(frame) => assert_eq!(frame, whole, "{} cut to {length} of {}", image.transfer_syntax, stream.len()),
                Err(error) => assert_ne!(error.fault(), Fault::Request),
            }
        }
    }
}

#[test]
fn a_codestream_of_another_image_is_refused_before_it_is_decoded() {
    for (image, stream) in whole_frames() {
        if image.transfer_syntax.ends_with(".5") {
            continue;
        }
        for (attribute, other) in [
            ("Rows", ImageDescription { rows: 60_000, ..image.clone() }),
            ("Columns", ImageDescription { columns: 1, ..image.clone() }),
        ] {
            let error = decode(&other, &EncodedFrame::whole(stream.clone()), &limits_of_one_row()).unwrap_err();
            let DecodeError::Mismatch { attribute: found, .. } = error else { panic!("{error}") };
            assert_eq!(found, attribute);
        }
        let samples = if image.samples_per_pixel == 1 { rgb(8, 8) } else { grey(7, 9, 8) };
        let other = ImageDescription {
            rows: image.rows,
            transfer_syntax: image.transfer_syntax.clone(),
            columns: image.columns,
            ..samples
        };
        let error = decode(&other, &EncodedFrame::whole(stream), &Limits::default()).unwrap_err();
        assert!(matches!(error, DecodeError::Mismatch { .. }), "{error}");
    }
}

/// Enough for 60,000 rows of nine pixels: the mismatch, not the size, has to be found.
fn limits_of_one_row() -> Limits {
    Limits { native_bytes: 60_000 * 9 * 3, ..Limits::default() }
}

#[test]
fn what_would_be_too_large_is_refused_without_a_byte_of_it() {
    for syntax in CODECS.iter().map(|(syntax, _)| *syntax) {
        let image =
            ImageDescription { transfer_syntax: syntax.to_owned(), ..image(Photometric::Rgb, 65535, 65535, 32) };
        let error = decode(&image, &EncodedFrame::default(), &Limits::default()).unwrap_err();
        assert_eq!(error, DecodeError::TooLarge { bytes: 51_538_034_700, limit: 256 << 20 });
    }
    let limits = Limits { encoded_bytes: 3, ..Limits::default() };
    let error = decode(&grey(1, 4, 8), &EncodedFrame::whole(vec![0; 4]), &limits).unwrap_err();
    assert_eq!(error, DecodeError::TooLarge { bytes: 4, limit: 3 });
}

#[test]
fn a_bomb_inflates_to_one_frame_at_most() {
    use std::io::Write;
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![0; 1 << 24]).unwrap();
    let frame = decoded(&encoded_in(DEFLATED, grey(2, 2, 8)), encoder.finish().unwrap());
    assert_eq!(frame.samples.len(), 4);
}

#[test]
fn attributes_that_contradict_each_other_are_refused() {
    let ok = grey(2, 2, 16);
    for (attribute, image) in [
        ("Columns", ImageDescription { columns: 0, ..ok.clone() }),
        ("BitsStored", ImageDescription { bits_stored: 17, ..ok.clone() }),
        ("BitsStored", ImageDescription { bits_stored: 0, ..ok.clone() }),
        ("HighBit", ImageDescription { high_bit: 16, ..ok.clone() }),
        ("HighBit", ImageDescription { high_bit: 10, ..ok.clone() }),
        ("SamplesPerPixel", ImageDescription { samples_per_pixel: 3, ..ok.clone() }),
        ("SamplesPerPixel", ImageDescription { samples_per_pixel: 65535, ..rgb(2, 2) }),
        ("PlanarConfiguration", ImageDescription { planar_configuration: 2, ..ok.clone() }),
        ("BitsAllocated", ImageDescription { kind: SampleKind::Float32, ..ok.clone() }),
        ("BitsAllocated", ImageDescription { bits_allocated: 0, ..ok }),
    ] {
        let error = decode(&image, &EncodedFrame::whole(vec![0; 64]), &Limits::default()).unwrap_err();
        let DecodeError::Description { attribute: found, .. } = error else { panic!("{error}") };
        assert_eq!(found, attribute);
    }
}

fn one_codec() -> impl Strategy<Value = &'static str> {
    prop::sample::select(CODECS.iter().map(|(syntax, _)| *syntax).collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn noise_is_an_answer_for_every_codec(
        syntax in one_codec(),
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        first_bit in any::<u8>(),
        bits in prop::sample::select(vec![1_u16, 8, 16, 32]),
        colour in any::<bool>(),
    ) {
        let photometric = if colour { Photometric::YbrFull422 } else { Photometric::Monochrome1 };
        let image = ImageDescription { transfer_syntax: syntax.to_owned(), ..image(photometric, 5, 7, bits) };
        let frame = EncodedFrame { fragments: vec![bytes], first_bit };
        if let Ok(frame) = decode(&image, &frame, &Limits::default()) {
            prop_assert_eq!(frame.samples.len() as u64, frame.format.frame_bytes());
        }
    }

    /// The codecs of others are shielded here and end in a process of their own at most; those written here may not even panic.
    #[test]
    fn a_stream_with_some_bytes_changed_is_an_answer(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
    ) {
        let frames = whole_frames();
        let (image, mut stream) = frames[which.index(frames.len())].clone();
        for (place, byte) in changes {
            let length = stream.len();
            stream[place.index(length)] = byte;
        }
        if let Ok(frame) = decode(&image, &EncodedFrame::whole(stream), &Limits::default()) {
            prop_assert_eq!(frame.samples.len() as u64, frame.format.frame_bytes());
        }
    }
}

#[test]
fn every_codec_has_a_frame_in_these_tests() {
    let ours = [Codec::Rle, Codec::Jpeg, Codec::JpegLs, Codec::Jpeg2000];
    let frames = whole_frames();
    for codec in ours {
        assert!(frames.iter().any(|(image, _)| Codec::of(&image.transfer_syntax) == Some(codec)), "{codec:?}");
    }
}
