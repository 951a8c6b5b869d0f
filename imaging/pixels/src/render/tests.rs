use super::{Picture, Window, WindowFunction, render};
use crate::{
    DecodeError, Fault, ImageDescription, Limits, LookupTable, Palette, Photometric, RenderError, RenderParameters,
    Rescale, SampleKind,
    testing::{decoded, image, words},
};

mod shades;
mod values;
mod viewports;

/// Draws a native frame that fits its description.
fn drawn(image: &ImageDescription, bytes: Vec<u8>) -> Vec<u8> {
    draw(image, bytes, &RenderParameters::default()).pixels
}

fn draw(image: &ImageDescription, bytes: Vec<u8>, parameters: &RenderParameters) -> Picture {
    render(image, &decoded(image, bytes), parameters, &Limits::default()).unwrap()
}

fn row(photometric: Photometric, columns: u16, bits: u16) -> ImageDescription {
    image(photometric, 1, columns, bits)
}

fn window(center: f64, width: f64, function: WindowFunction) -> Window {
    Window { center, width, function, explanation: None }
}

#[test]
fn colours_are_drawn() {
    let pixels = vec![255, 0, 0, 0, 255, 0, 9, 9, 9];
    assert_eq!(drawn(&row(Photometric::Rgb, 3, 8), pixels.clone()), pixels);
    let planes = ImageDescription { planar_configuration: 1, ..row(Photometric::Rgb, 3, 8) };
    assert_eq!(drawn(&planes, vec![255, 0, 9, 0, 255, 9, 0, 0, 9]), pixels);
    let ybr = row(Photometric::YbrFull, 3, 8);
    assert_eq!(drawn(&ybr, vec![76, 85, 255, 150, 44, 21, 9, 128, 128]), [254, 0, 0, 0, 255, 1, 9, 9, 9]);
    let deep = ImageDescription { bits_stored: 12, high_bit: 11, ..row(Photometric::Rgb, 1, 16) };
    assert_eq!(drawn(&deep, words(&[4095, 2048, 0])), [255, 128, 0]);
}

#[test]
fn a_palette_is_looked_up() {
    let table = |values: &[u16]| LookupTable { descriptor: [3, 5, 16], data: words(values), segmented: false };
    let palette = Palette { red: table(&[0, 65535, 0]), green: table(&[0, 32896, 0]), blue: table(&[0, 0, 65535]) };
    let image = ImageDescription { palette: Some(palette), ..row(Photometric::PaletteColor, 4, 8) };
    assert_eq!(drawn(&image, vec![5, 6, 7, 200]), [0, 0, 0, 255, 128, 0, 0, 0, 255, 0, 0, 255]);
    let without = ImageDescription { palette: None, ..image };
    let error = render(&without, &decoded(&without, vec![0; 4]), &RenderParameters::default(), &Limits::default());
    assert_eq!(error.unwrap_err().fault(), Fault::Object);
}

#[test]
fn what_has_no_colours_that_we_know_is_refused() {
    let image = row(Photometric::Other("HSV".into()), 1, 8);
    let error = render(&image, &decoded(&image, vec![0; 3]), &RenderParameters::default(), &Limits::default());
    let expected = DecodeError::unsupported("rendering of an unknown photometric interpretation");
    assert_eq!(error, Err(RenderError::Pixels(expected)));
}

#[test]
fn pictures_are_written_as_png_and_jpeg() {
    let pixels: Vec<u8> = (0..16 * 16 * 3).map(|place| (place * place / 7 % 251) as u8).collect();
    for (image, pixels) in
        [(image(Photometric::Rgb, 16, 16, 8), pixels.clone()), (image(Photometric::Monochrome2, 16, 48, 8), pixels)]
    {
        let picture = draw(&image, pixels, &RenderParameters::default());
        let png = picture.write_png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&png)).read_info().unwrap();
        let mut out = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut out).unwrap();
        assert_eq!((info.width, info.height, &out), (picture.width, picture.height, &picture.pixels));
        let jpeg = picture.write_jpeg(Some(100)).unwrap();
        let read = libjpeg_turbo_rs::decompress(&jpeg).unwrap();
        assert_eq!((read.width as u32, read.height as u32), (picture.width, picture.height));
        assert!(read.data.iter().zip(&picture.pixels).all(|(one, other)| one.abs_diff(*other) <= 6));
        assert!(picture.write_jpeg(Some(10)).unwrap().len() < jpeg.len());
    }
}

#[test]
fn a_picture_shows_nothing_of_itself_when_it_is_logged() {
    let picture = draw(&row(Photometric::Monochrome2, 2, 8), vec![1, 2], &RenderParameters::default());
    assert_eq!(format!("{picture:?}"), "Picture(2×1, 1 channels)");
}
