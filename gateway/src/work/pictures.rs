//! Images of a job as pictures, for findings to be drawn on.

use medvan_analysis::{
    evidence::{RgbPicture, picture::worth_drawing},
    finding::{CheckedFindings, ImageName},
    inputs::Inputs,
};
use medvan_pixels::{Region, RenderParameters, Viewport};

use crate::{
    App,
    catalog::HospitalId,
    dicomweb,
    store::{FoundInstance, Job},
};

/// Pictures of one job. The report, segmentations and FHIR tell of everything; pictures show where to look.
const MOST: usize = 8;
/// Longer sides are drawn smaller: a picture is for a glance.
const LONGEST: u32 = 1_024;
/// Shorter ones are drawn larger, so that the legend can be read.
const SHORTEST: u32 = 512;

/// The images in which something was found, in the order of the findings. One that cannot be drawn is left out: what was found in
/// it is in the report all the same.
pub(super) async fn of(
    app: &App,
    job: &Job,
    inputs: &Inputs,
    images: &[FoundInstance],
    findings: &CheckedFindings,
) -> Vec<(ImageName, RgbPicture)> {
    let known = inputs.images();
    let mut pictures = Vec::new();
    for name in worth_drawing(findings, MOST) {
        let found = images.iter().find(|found| found.uid == name.instance);
        let Some((found, (_, image))) = found.zip(known.get(&name.instance)) else { continue };
        match draw(app, &job.hospital, found, name.frame.unwrap_or(1), fitting(image.columns, image.rows)).await {
            Ok(picture) => pictures.push((name, picture)),
            Err(reason) => tracing::warn!(job = %job.id, reason, "an image of a job cannot be drawn"),
        }
    }
    pictures
}

async fn draw(
    app: &App,
    hospital: &HospitalId,
    found: &FoundInstance,
    frame: u32,
    viewport: Option<Viewport>,
) -> Result<RgbPicture, String> {
    let parameters = RenderParameters { window: None, viewport };
    let file = dicomweb::picture(app, hospital, found.clone(), frame, "image/png", parameters).await;
    let file = file.map_err(|refusal| refusal.to_string())?;
    let decoded = tokio::task::spawn_blocking(move || decode(&file)).await;
    decoded.map_err(|error| error.to_string())?.ok_or_else(|| "the picture has no known form".to_owned())
}

/// The whole of a large image in fewer pixels, of a small one in more.
fn fitting(columns: u32, rows: u32) -> Option<Viewport> {
    let longest = columns.max(rows);
    let wanted = longest.clamp(SHORTEST, LONGEST);
    (longest != wanted).then(|| {
        let scaled = |side: u32| (u64::from(side) * u64::from(wanted) / u64::from(longest.max(1))).max(1) as u32;
        let region = Region { left: 0.0, top: 0.0, width: None, height: None };
        Viewport { width: scaled(columns), height: scaled(rows), region }
    })
}

/// The pixels of a PNG that our own decoder wrote: grey or colours, 8 bits each.
fn decode(file: &[u8]) -> Option<RgbPicture> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().ok()?;
    let mut pixels = vec![0; reader.output_buffer_size()?];
    let info = reader.next_frame(&mut pixels).ok()?;
    pixels.truncate(info.buffer_size());
    let rgb = match (info.color_type, info.bit_depth) {
        (png::ColorType::Rgb, png::BitDepth::Eight) => pixels,
        (png::ColorType::Grayscale, png::BitDepth::Eight) => pixels.iter().flat_map(|grey| [*grey; 3]).collect(),
        _ => return None,
    };
    RgbPicture::new(info.width, info.height, rgb).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_images_are_drawn_smaller_and_small_ones_larger() {
        let size = |columns, rows| fitting(columns, rows).map(|viewport| (viewport.width, viewport.height));
        let table = [
            ((512, 512), None),
            ((1_024, 10), None),
            ((2_048, 1_024), Some((1_024, 512))),
            ((10, 100_000), Some((1, 1_024))),
            ((64, 128), Some((256, 512))),
        ];
        for ((columns, rows), wanted) in table {
            assert_eq!(size(columns, rows), wanted, "{columns} x {rows}");
        }
    }

    #[test]
    fn grey_and_coloured_pictures_are_read_and_nothing_else() {
        let write = |color, pixels: &[u8]| {
            let mut file = Vec::new();
            let mut encoder = png::Encoder::new(&mut file, 2, 1);
            encoder.set_color(color);
            encoder.write_header().unwrap().write_image_data(pixels).unwrap();
            decode(&file)
        };
        assert_eq!(write(png::ColorType::Grayscale, &[1, 2]), RgbPicture::new(2, 1, vec![1, 1, 1, 2, 2, 2]).ok());
        assert_eq!(write(png::ColorType::Rgb, &[1, 2, 3, 4, 5, 6]), RgbPicture::new(2, 1, vec![1, 2, 3, 4, 5, 6]).ok());
        assert_eq!(write(png::ColorType::GrayscaleAlpha, &[1, 2, 3, 4]), None);
        assert_eq!(decode(b"\x89PNG"), None);
    }
}
