//! What an instance says about its pixels, gathered for the decoder.

use std::io;

use dicom_dictionary_std::tags;
use medvan_imaging::{
    Tag,
    dataset::{Dataset, Left, Span, Value},
    transfer_syntax::EXPLICIT_LITTLE,
};
use medvan_pixels::{
    ImageDescription, LookupTable, Palette, Photometric, PixelAspectRatio, Rescale, SampleKind, Window, WindowFunction,
};

use super::frames::Image;
use crate::archive::Open;

/// The description that holds for one frame, counted from 1. An attribute that is missing is 0 and refused by the decoder.
pub(super) async fn describe(image: &Image, frame: u32) -> io::Result<ImageDescription> {
    let (whole, open) = (&image.file.data_set, &image.open);
    let number = |tag| whole.unsigned_short(tag).unwrap_or(0);
    let groups = Groups::of(whole, frame);
    let transformation = groups.first(tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE).unwrap_or(whole);
    let voi = groups.first(tags::FRAME_VOILUT_SEQUENCE).unwrap_or(whole);
    Ok(ImageDescription {
        // What is not in fragments was turned into little endian when it was read.
        transfer_syntax: if image.syntax().is_encapsulated() {
            image.syntax().uid().to_string()
        } else {
            EXPLICIT_LITTLE.to_owned()
        },
        rows: number(tags::ROWS),
        columns: number(tags::COLUMNS),
        samples_per_pixel: whole.unsigned_short(tags::SAMPLES_PER_PIXEL).unwrap_or(1),
        kind: kind(whole),
        bits_allocated: number(tags::BITS_ALLOCATED),
        bits_stored: whole.unsigned_short(tags::BITS_STORED).unwrap_or_else(|| number(tags::BITS_ALLOCATED)),
        high_bit: whole
            .unsigned_short(tags::HIGH_BIT)
            .unwrap_or_else(|| number(tags::BITS_ALLOCATED).saturating_sub(1)),
        signed: number(tags::PIXEL_REPRESENTATION) == 1,
        photometric_interpretation: photometric(whole),
        planar_configuration: number(tags::PLANAR_CONFIGURATION),
        // Numbers of the source were turned round when its bytes were read.
        words: false,
        palette: palette(whole, open).await?,
        rescale: rescale(transformation),
        modality_lut: table_of(whole, tags::MODALITY_LUT_SEQUENCE, open).await?,
        windows: windows(voi),
        voi_lut: table_of(whole, tags::VOILUT_SEQUENCE, open).await?,
        inverse: whole.ascii(tags::PRESENTATION_LUT_SHAPE) == Some("INVERSE"),
        pixel_padding_value: padding(whole, tags::PIXEL_PADDING_VALUE),
        pixel_padding_range_limit: padding(whole, tags::PIXEL_PADDING_RANGE_LIMIT),
        pixel_aspect_ratio: aspect(whole),
    })
}

/// The functional groups that hold for a frame of an enhanced object (PS3.3 §C.7.6.16).
struct Groups<'a> {
    own: Option<&'a Dataset>,
    shared: Option<&'a Dataset>,
}

impl<'a> Groups<'a> {
    fn of(whole: &'a Dataset, frame: u32) -> Self {
        let index = usize::try_from(frame.saturating_sub(1)).unwrap_or(usize::MAX);
        Self {
            own: whole.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).get(index),
            shared: whole.items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).first(),
        }
    }

    fn first(&self, macro_sequence: Tag) -> Option<&'a Dataset> {
        [self.own, self.shared].into_iter().flatten().find_map(|group| group.items(macro_sequence).first())
    }
}

fn kind(whole: &Dataset) -> SampleKind {
    if whole.get(tags::FLOAT_PIXEL_DATA).is_some() {
        SampleKind::Float32
    } else if whole.get(tags::DOUBLE_FLOAT_PIXEL_DATA).is_some() {
        SampleKind::Float64
    } else {
        SampleKind::Integer
    }
}

fn photometric(whole: &Dataset) -> Photometric {
    Photometric::from(whole.ascii(tags::PHOTOMETRIC_INTERPRETATION).unwrap_or_default().to_owned())
}

fn rescale(from: &Dataset) -> Option<Rescale> {
    let slope = decimals(from, tags::RESCALE_SLOPE).first().copied()?;
    let intercept = decimals(from, tags::RESCALE_INTERCEPT).first().copied()?;
    Some(Rescale { slope, intercept })
}

fn windows(from: &Dataset) -> Vec<Window> {
    let function = match from.ascii(tags::VOILUT_FUNCTION) {
        Some("LINEAR_EXACT") => WindowFunction::LinearExact,
        Some("SIGMOID") => WindowFunction::Sigmoid,
        _ => WindowFunction::Linear,
    };
    let (centers, widths) = (decimals(from, tags::WINDOW_CENTER), decimals(from, tags::WINDOW_WIDTH));
    let pairs = centers.into_iter().zip(widths).filter(|(_, width)| *width > 0.0);
    pairs.map(|(center, width)| Window { center, width, function, explanation: None }).collect()
}

fn decimals(from: &Dataset, tag: Tag) -> Vec<f64> {
    let text = from.bytes(tag).map(String::from_utf8_lossy).unwrap_or_default();
    let numbers = text.split('\\').map(|number| number.trim_matches([' ', '\0']).parse::<f64>());
    numbers.map_while(Result::ok).filter(|number| number.is_finite()).collect()
}

/// A padding value is signed as the samples are; its two bytes are read as such.
fn padding(whole: &Dataset, tag: Tag) -> Option<i64> {
    let word = whole.unsigned_short(tag)?;
    let is_signed = whole.unsigned_short(tags::PIXEL_REPRESENTATION) == Some(1);
    Some(if is_signed { i64::from(word as i16) } else { i64::from(word) })
}

fn aspect(whole: &Dataset) -> Option<PixelAspectRatio> {
    match decimals(whole, tags::PIXEL_ASPECT_RATIO).as_slice() {
        [vertical, horizontal] if *vertical >= 1.0 && *horizontal >= 1.0 => {
            Some(PixelAspectRatio { vertical: *vertical as u32, horizontal: *horizontal as u32 })
        }
        _ => None,
    }
}

async fn palette(whole: &Dataset, open: &Open) -> io::Result<Option<Palette>> {
    const COLOURS: [[Tag; 3]; 3] = [
        [
            tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            tags::SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        ],
        [
            tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            tags::SEGMENTED_GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        ],
        [
            tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            tags::SEGMENTED_BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        ],
    ];
    let mut tables = Vec::new();
    for [descriptor, data, segments] in COLOURS {
        tables.extend(table(whole, descriptor, data, segments, open).await?);
    }
    Ok(<[LookupTable; 3]>::try_from(tables).ok().map(|[red, green, blue]| Palette { red, green, blue }))
}

async fn table_of(whole: &Dataset, sequence: Tag, open: &Open) -> io::Result<Option<LookupTable>> {
    match whole.items(sequence).first() {
        Some(item) => table(item, tags::LUT_DESCRIPTOR, tags::LUT_DATA, tags::LUT_DATA, open).await,
        None => Ok(None),
    }
}

async fn table(
    from: &Dataset,
    descriptor: Tag,
    data: Tag,
    segments: Tag,
    open: &Open,
) -> io::Result<Option<LookupTable>> {
    let words = from.bytes(descriptor).and_then(|bytes| bytes.first_chunk::<6>());
    let Some([a, b, c, d, e, f]) = words.copied() else { return Ok(None) };
    let descriptor = [u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]), u16::from_le_bytes([e, f])];
    let plain = value(from, data, open).await?;
    let (data, segmented) = match plain {
        Some(plain) => (plain, false),
        None => match value(from, segments, open).await? {
            Some(segments) => (segments, true),
            None => return Ok(None),
        },
    };
    Ok(Some(LookupTable { descriptor, data, segmented }))
}

/// The bytes of a value, fetched where it was left in the source. A table has at most 65536 words, a segmented one not more.
async fn value(from: &Dataset, tag: Tag, open: &Open) -> io::Result<Option<Vec<u8>>> {
    const LONGEST: u64 = 1 << 18;
    match from.get(tag).map(|element| &element.value) {
        Some(Value::Bytes(bytes)) => Ok(Some(bytes.clone())),
        Some(Value::Left(Left { span: Span { offset, length }, swapped })) => {
            let bytes = open.bytes(*offset, (*length).min(LONGEST)).await?;
            Ok(Some(super::instance::turned(bytes, *swapped).into()))
        }
        _ => Ok(None),
    }
}
