//! Findings drawn on a rendered image, for viewers that know neither reports nor segmentations.

use std::convert::Infallible;

use embedded_graphics::{
    mono_font::{
        MonoTextStyle, MonoTextStyleBuilder,
        ascii::{FONT_6X10, FONT_10X20},
    },
    pixelcolor::Rgb888,
    prelude::*,
    primitives::{Circle, Line, PrimitiveStyle, StyledDrawable as _},
    text::{Baseline, Text},
};

use crate::finding::{Finding, HeatMap, ImageName, MaskFrame, Place};

/// Pixels of a side: what draws lines squares them in 32 bits.
const LONGEST: u32 = 16_384;

/// A picture of red, green and blue, row after row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RgbPicture {
    width: u32,
    height: u32,
    bytes: Vec<u8>,
}

/// The bytes are not three for each pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a picture has three bytes for each pixel, and sides of 1 to 16384 pixels")]
pub struct WrongSize;

/// Which image is shown in a picture.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The image, and the frame where it has several.
    pub image: &'a ImageName,
    /// Its rows. The picture may have others: coordinates are scaled.
    pub rows: u32,
    /// Its columns.
    pub columns: u32,
}

/// What stands in the corner of every drawn picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Legend {
    /// Service and version.
    pub service: String,
}

/// Said in every drawn picture.
pub const WARNING: &str = "AI RESULT - NOT FOR DIAGNOSIS";

/// Bright on grey, and told apart by those who see no red or green.
const COLOURS: [Rgb888; 6] = [
    Rgb888::new(255, 176, 0),
    Rgb888::new(86, 180, 255),
    Rgb888::new(0, 220, 150),
    Rgb888::new(255, 120, 200),
    Rgb888::new(240, 228, 66),
    Rgb888::new(255, 97, 30),
];
/// Findings that are drawn in one picture, and points of one line: more would take long, and nobody could see them.
const DRAWN: usize = 100;
const LINE_POINTS: usize = 1000;
/// Characters of a label.
const LABEL: usize = 40;

impl RgbPicture {
    /// A picture of these bytes.
    ///
    /// # Errors
    /// They are not three for each pixel, or a side is longer than 16,384 pixels.
    pub fn new(width: u32, height: u32, bytes: Vec<u8>) -> Result<Self, WrongSize> {
        let expected = u64::from(width) * u64::from(height) * 3;
        let fits = expected > 0 && bytes.len() as u64 == expected && width <= LONGEST && height <= LONGEST;
        if fits { Ok(Self { width, height, bytes }) } else { Err(WrongSize) }
    }

    /// Pixels of a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Three bytes for each pixel.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Gives the bytes up.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn blend(&mut self, x: u32, y: u32, colour: Rgb888, part: f32) {
        let at = (y as usize * self.width as usize + x as usize) * 3;
        for (byte, new) in self.bytes[at..at + 3].iter_mut().zip([colour.r(), colour.g(), colour.b()]) {
            *byte = (f32::from(*byte) * (1.0 - part) + f32::from(new) * part) as u8;
        }
    }
}

impl OriginDimensions for RgbPicture {
    fn size(&self) -> Size {
        Size::new(self.width, self.height)
    }
}

impl DrawTarget for RgbPicture {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        let bounds = self.bounding_box();
        for Pixel(point, colour) in pixels.into_iter().filter(|Pixel(point, _)| bounds.contains(*point)) {
            self.blend(point.x.unsigned_abs(), point.y.unsigned_abs(), colour, 1.0);
        }
        Ok(())
    }
}

/// Draws what was found in an image on a picture of it: boxes, lines, points and the outlines of masks with their ids, heat
/// maps as a veil, and the legend. Numbers count the findings of the answer, as the report lists them.
pub fn draw(picture: &mut RgbPicture, shown: &Shown<'_>, findings: &[Finding], heat_maps: &[HeatMap], legend: &Legend) {
    let scale = [
        f64::from(picture.width) / f64::from(shown.columns.max(1)),
        f64::from(picture.height) / f64::from(shown.rows.max(1)),
    ];
    let mut brush = Brush { picture, shown, scale };
    let is_here =
        |(_, finding): &(usize, &Finding)| finding.presence.is_present() && is_drawn(finding, shown.image, heat_maps);
    let here: Vec<(usize, &Finding)> = findings.iter().enumerate().filter(is_here).collect();
    for (at, finding) in here.iter().take(DRAWN) {
        brush.finding(*at, finding, heat_maps);
    }
    let Ok(()) = brush.legend(legend, here.len().saturating_sub(DRAWN));
}

/// Whether something of a finding is drawn on this image.
pub(super) fn is_drawn(finding: &Finding, image: &ImageName, heat_maps: &[HeatMap]) -> bool {
    match &finding.place {
        Some(Place::Mask { frames }) => frames.iter().any(|frame| is_same(&frame.image, image)),
        Some(Place::HeatMap { heat_map }) => {
            let map = heat_maps.iter().find(|map| map.id == *heat_map);
            map.is_some_and(|map| map.frames.iter().any(|frame| is_same(&frame.image, image)))
        }
        Some(place) => place.image().is_some_and(|other| is_same(other, image)),
        None => false,
    }
}

/// Whether both name the same frame; the only one need not be named.
pub(super) fn is_same(one: &ImageName, other: &ImageName) -> bool {
    one.instance == other.instance && one.frame.unwrap_or(1) == other.frame.unwrap_or(1)
}

struct Brush<'a> {
    picture: &'a mut RgbPicture,
    shown: &'a Shown<'a>,
    /// Pixels of the picture for one of the image: to the right, down.
    scale: [f64; 2],
}

impl Brush<'_> {
    fn finding(&mut self, at: usize, finding: &Finding, heat_maps: &[HeatMap]) {
        let colour = COLOURS[at % COLOURS.len()];
        let label = label(at, finding);
        match &finding.place {
            Some(Place::Point { at, .. }) => {
                let centre = self.scaled(*at);
                let Ok(()) = Circle::with_center(centre, 11).draw_styled(&stroke(colour), self.picture);
                self.label(&label, centre + Point::new(8, 0), colour);
            }
            Some(Place::Polyline { points, .. }) => self.line(points, &label, colour),
            Some(Place::Box { from: [left, top], to: [right, bottom], .. }) => {
                let corners = [[*left, *top], [*right, *top], [*right, *bottom], [*left, *bottom], [*left, *top]];
                self.line(&corners, &label, colour);
            }
            Some(Place::Mask { frames }) => {
                let mut here = frames.iter().filter(|frame| is_same(&frame.image, self.shown.image));
                if let Some(frame) = here.next() {
                    self.outline(frame, &label, colour);
                }
            }
            Some(Place::HeatMap { heat_map }) => {
                let maps = heat_maps.iter().filter(|map| map.id == *heat_map).flat_map(|map| &map.frames);
                let mut here = maps.filter(|frame| is_same(&frame.image, self.shown.image));
                if let Some(frame) = here.next() {
                    self.veil(&frame.runs);
                }
            }
            _ => {}
        }
    }

    fn line(&mut self, points: &[[f64; 2]], label: &str, colour: Rgb888) {
        let step = points.len().div_ceil(LINE_POINTS).max(1);
        let thinned = points.iter().step_by(step).chain(points.last());
        let points: Vec<Point> = thinned.map(|point| self.scaled(*point)).collect();
        // Two pixels wide by thin lines beside each other: the joints of thick ones overflow where lines are long.
        for (from, to) in points.iter().zip(points.iter().skip(1)) {
            for beside in [Point::zero(), Point::new(1, 0), Point::new(0, 1)] {
                let thin = PrimitiveStyle::with_stroke(colour, 1);
                let Ok(()) = Line::new(*from + beside, *to + beside).draw_styled(&thin, self.picture);
            }
        }
        let first = points.iter().min_by_key(|point| (point.y, point.x));
        if let Some(first) = first {
            self.label(label, *first - Point::new(0, 11), colour);
        }
    }

    /// The pixels inside that have a neighbour outside.
    fn outline(&mut self, frame: &MaskFrame, label: &str, colour: Rgb888) {
        let width = self.shown.columns as usize;
        let mut inside = vec![false; width * self.shown.rows as usize];
        for (begin, length) in frame.inside() {
            if let Some(run) = inside.get_mut(begin..begin + length) {
                run.fill(true);
            }
        }
        self.each_pixel(|picture, [x, y], [column, row]| {
            let at = |column: usize, row: usize| inside.get(row * width + column).copied().unwrap_or(false);
            let is_edge = || {
                column == 0
                    || column + 1 == width
                    || !at(column - 1, row)
                    || !at(column + 1, row)
                    || row == 0
                    || !at(column, row - 1)
                    || !at(column, row + 1)
            };
            if at(column, row) && is_edge() {
                picture.blend(x, y, colour, 1.0);
            }
        });
        if let Some((begin, _)) = frame.inside().next() {
            let top = self.scaled([(begin % width) as f64, (begin / width) as f64]);
            self.label(label, top - Point::new(0, 11), colour);
        }
    }

    /// The higher the number, the more of red.
    fn veil(&mut self, runs: &[u32]) {
        let width = self.shown.columns as usize;
        let mut numbers: Vec<u8> = Vec::with_capacity(width * self.shown.rows as usize);
        for run in runs.chunks_exact(2) {
            let number = u8::try_from(run[0]).unwrap_or(u8::MAX);
            let left = numbers.capacity().saturating_sub(numbers.len());
            numbers.resize(numbers.len() + left.min(run[1] as usize), number);
        }
        self.each_pixel(|picture, [x, y], [column, row]| {
            let number = numbers.get(row * width + column).copied().unwrap_or(0);
            if number > 0 {
                picture.blend(x, y, Rgb888::new(255, 40, 0), f32::from(number) / 255.0 * 0.6);
            }
        });
    }

    /// Every pixel of the picture with the image's column and row that it shows.
    fn each_pixel(&mut self, mut paint: impl FnMut(&mut RgbPicture, [u32; 2], [usize; 2])) {
        let last = [self.shown.columns.saturating_sub(1) as usize, self.shown.rows.saturating_sub(1) as usize];
        for y in 0..self.picture.height {
            let row = (((f64::from(y) + 0.5) / self.scale[1]) as usize).min(last[1]);
            for x in 0..self.picture.width {
                let column = (((f64::from(x) + 0.5) / self.scale[0]) as usize).min(last[0]);
                paint(self.picture, [x, y], [column, row]);
            }
        }
    }

    fn scaled(&self, [x, y]: [f64; 2]) -> Point {
        Point::new((x * self.scale[0]).round() as i32, (y * self.scale[1]).round() as i32)
    }

    /// A label on black, moved into the picture where it would begin outside.
    fn label(&mut self, label: &str, at: Point, colour: Rgb888) {
        let style =
            MonoTextStyleBuilder::new().font(&FONT_6X10).text_color(colour).background_color(Rgb888::BLACK).build();
        let Ok(()) = self.text(label, at, style);
    }

    fn legend(&mut self, legend: &Legend, left_out: usize) -> Result<(), Infallible> {
        let large = self.picture.width >= 400;
        let font = if large { &FONT_10X20 } else { &FONT_6X10 };
        let style =
            MonoTextStyleBuilder::new().font(font).text_color(Rgb888::YELLOW).background_color(Rgb888::BLACK).build();
        let height = if large { 20 } else { 10 };
        let bottom = self.picture.height.cast_signed();
        self.text(WARNING, Point::new(2, bottom - 2 * height), style)?;
        let left_out = if left_out > 0 { format!(" ({left_out} more are not drawn)") } else { String::new() };
        self.text(&(ascii(&legend.service, 80) + &left_out), Point::new(2, bottom - height), style)
    }

    fn text(&mut self, text: &str, at: Point, style: MonoTextStyle<'_, Rgb888>) -> Result<(), Infallible> {
        let width = (text.len() as u32).saturating_mul(style.font.character_size.width).cast_signed();
        let [right, bottom] = [self.picture.width, self.picture.height].map(u32::cast_signed);
        let x = at.x.min(right - width).max(0);
        let y = at.y.min(bottom - style.font.character_size.height.cast_signed()).max(0);
        Text::with_baseline(text, Point::new(x, y), style, Baseline::Top).draw(self.picture).map(|_| ())
    }
}

fn stroke(colour: Rgb888) -> PrimitiveStyle<Rgb888> {
    PrimitiveStyle::with_stroke(colour, 2)
}

/// Its number, what it is, and how sure that is.
fn label(at: usize, finding: &Finding) -> String {
    let name = ascii(&finding.code.meaning, LABEL);
    let confidence = finding.confidence.map(|part| format!(" {:.0}%", part * 100.0)).unwrap_or_default();
    format!("{} {name}{confidence}", at + 1)
}

/// What the fonts have; of the rest a question mark.
fn ascii(text: &str, most: usize) -> String {
    text.chars()
        .take(most)
        .map(|letter| if letter.is_ascii_graphic() || letter == ' ' { letter } else { '?' })
        .collect()
}
