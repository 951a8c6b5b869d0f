//! Region, scaling and flipping.

use proptest::prelude::*;

use super::*;
use crate::{PixelAspectRatio, Region, Viewport};

/// A grey image of 4 by 2 in which every pixel has its own shade.
fn shades() -> (ImageDescription, Vec<u8>) {
    let own = vec![window(128.0, 256.0, WindowFunction::Linear)];
    let image = ImageDescription { windows: own, ..image(Photometric::Monochrome2, 2, 4, 8) };
    (image, vec![0, 10, 20, 30, 100, 110, 120, 130])
}

fn through(viewport: &str) -> (u32, u32, Vec<u8>) {
    let (image, bytes) = shades();
    let viewport = Some(viewport.parse().unwrap());
    let picture = draw(&image, bytes, &RenderParameters { window: None, viewport });
    (picture.width, picture.height, picture.pixels)
}

#[test]
fn an_image_becomes_as_large_as_the_viewport_lets_it() {
    for (viewport, width, height, pixels) in [
        ("4,2", 4, 2, vec![0, 10, 20, 30, 100, 110, 120, 130]),
        ("4,100", 4, 2, vec![0, 10, 20, 30, 100, 110, 120, 130]),
        ("2,2", 2, 1, vec![55, 75]),
        ("1,1", 1, 1, vec![65]),
        ("100,1", 2, 1, vec![55, 75]),
        ("4,2,1,0,2,1", 4, 2, vec![10, 13, 18, 20, 10, 13, 18, 20]),
        // Flipped.
        ("4,2,0,0,-4,2", 4, 2, vec![30, 20, 10, 0, 130, 120, 110, 100]),
        ("4,2,0,0,4,-2", 4, 2, vec![100, 110, 120, 130, 0, 10, 20, 30]),
        ("4,2,0,0,-4,-2", 4, 2, vec![130, 120, 110, 100, 30, 20, 10, 0]),
        ("2,1,,,-4,", 2, 1, vec![75, 55]),
        // Parts of the image.
        ("2,1,2,1", 2, 1, vec![120, 130]),
        ("2,1,2,1,100,100", 2, 1, vec![120, 130]),
        ("1,1,1,0,1,1", 1, 1, vec![10]),
        ("1,1,0.5,0,1,1", 1, 1, vec![5]),
        ("1,1,-2,-1,-1,-1", 1, 1, vec![120]),
    ] {
        assert_eq!(through(viewport), (width, height, pixels), "{viewport}");
    }
}

#[test]
fn a_region_outside_of_the_image_is_the_fault_of_the_request() {
    let (image, bytes) = shades();
    for viewport in ["4,2,4,0", "4,2,0,2,1,1", "4,2,1e300,0,1,1"] {
        let parameters = RenderParameters { window: None, viewport: Some(viewport.parse().unwrap()) };
        let error = render(&image, &decoded(&image, bytes.clone()), &parameters, &Limits::default()).unwrap_err();
        assert_eq!((&error, error.fault()), (&RenderError::EmptyRegion, Fault::Request));
    }
}

#[test]
fn a_picture_is_never_larger_than_allowed() {
    let (image, bytes) = shades();
    let limits = Limits { picture_pixels: 200, ..Limits::default() };
    let parameters = |text: &str| RenderParameters { window: None, viewport: Some(text.parse().unwrap()) };
    assert!(render(&image, &decoded(&image, bytes.clone()), &parameters("20,10"), &limits).is_ok());
    let error = render(&image, &decoded(&image, bytes.clone()), &parameters("22,11"), &limits).unwrap_err();
    assert_eq!(error, RenderError::TooLarge { pixels: 242, limit: 200 });
    let widest = parameters("4294967295,4294967295");
    let error = render(&image, &decoded(&image, bytes), &widest, &limits).unwrap_err();
    assert_eq!(error.fault(), Fault::Request);
}

#[test]
fn pixels_that_are_not_square_become_it() {
    let (image, bytes) = shades();
    let size = |vertical, horizontal, viewport: Option<&str>| {
        let image =
            ImageDescription { pixel_aspect_ratio: Some(PixelAspectRatio { vertical, horizontal }), ..image.clone() };
        let viewport = viewport.map(|text| text.parse().unwrap());
        let picture = draw(&image, bytes.clone(), &RenderParameters { window: None, viewport });
        (picture.width, picture.height)
    };
    assert_eq!(size(1, 1, None), (4, 2));
    assert_eq!(size(2, 1, None), (4, 4));
    assert_eq!(size(1, 3, None), (12, 2));
    assert_eq!(size(0, 3, None), (4, 2));
    assert_eq!(size(2, 1, Some("8,8")), (8, 8));
}

#[test]
fn a_viewport_is_written_with_or_without_a_region() {
    let region = |left, top, width, height| Region { left, top, width, height };
    for (text, expected) in [
        ("512,256", Ok(Region::default())),
        ("512,256,10,20,30,-40.5", Ok(region(10.0, 20.0, Some(30.0), Some(-40.5)))),
        ("512,256,,,30,", Ok(region(0.0, 0.0, Some(30.0), None))),
        ("512,256,-10", Ok(region(10.0, 0.0, None, None))),
        ("512", Err("viewport is vw,vh or vw,vh,sx,sy,sw,sh")),
        ("1,2,3,4,5,6,7", Err("viewport is vw,vh or vw,vh,sx,sy,sw,sh")),
        ("0,256", Err("the width and the height of a viewport are positive whole numbers")),
        ("512,2.5", Err("the width and the height of a viewport are positive whole numbers")),
        ("512,-1", Err("the width and the height of a viewport are positive whole numbers")),
        ("512,256,0,0,0,5", Err("the region of a viewport is made of decimal numbers, its width and height not 0")),
        ("512,256,x", Err("the region of a viewport is made of decimal numbers, its width and height not 0")),
    ] {
        let found = text.parse::<Viewport>().map(|viewport| viewport.region).map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{text}");
    }
}

proptest! {
    /// A picture of one shade has it everywhere, whatever is cut out of it, and lies within its viewport.
    #[test]
    fn scaling_invents_no_shade(
        rows in 1_u16..40, columns in 1_u16..40, width in 1_u32..60, height in 1_u32..60,
        left in 0.0..39.0, top in 0.0..39.0, across in -50.0..50.0, down in -50.0..50.0,
    ) {
        let own = vec![window(128.0, 256.0, WindowFunction::Linear)];
        let image = ImageDescription { windows: own, ..image(Photometric::Monochrome2, rows, columns, 8) };
        let region = Region { left, top, width: Some(across), height: Some(down) };
        let parameters = RenderParameters { window: None, viewport: Some(Viewport { width, height, region }) };
        let frame = decoded(&image, vec![77; usize::from(rows) * usize::from(columns)]);
        match render(&image, &frame, &parameters, &Limits::default()) {
            Ok(picture) => {
                prop_assert!(picture.width <= width && picture.height <= height);
                prop_assert_eq!(picture.pixels.len() as u32, picture.width * picture.height);
                prop_assert!(picture.pixels.iter().all(|shade| *shade == 77));
            }
            Err(error) => prop_assert_eq!(error, RenderError::EmptyRegion),
        }
    }
}
