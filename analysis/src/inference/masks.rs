//! Pixels of a tensor: those inside of each label, laid back onto the images.

use std::collections::BTreeMap;

use medvan_profiles::descriptor::inference::{Activation, InputTensor, Layout, MaskOutput, Pick};

use super::{
    answer::{Answer, Output},
    boxes::place_of,
    classes::{no_probability, probabilities},
    fit::Fitted,
    resample::{Taps, between},
};
use crate::finding::Refused;

/// A tensor of masks: of some images, or of the layers of one volume.
pub(super) struct Masks<'a> {
    declared: &'a MaskOutput,
    /// Images, or layers.
    planes: usize,
    height: usize,
    width: usize,
    /// By image or layer, then by label (one where a number is the label's place), then by row and column.
    data: Vec<f64>,
    channels: usize,
}

/// Lengths of runs in reading order, by turns outside and inside, as a finding has them.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Runs {
    runs: Vec<u32>,
    end: usize,
}

impl<'a> Masks<'a> {
    /// The masks that an answer has for so many images, or for a volume.
    pub(super) fn new(
        input: &InputTensor,
        declared: &'a MaskOutput,
        answer: &Answer,
        images: usize,
    ) -> Result<Self, Refused> {
        let tensor = answer.tensor(&declared.tensor)?;
        let channels = if declared.pick == Pick::Index { 1 } else { declared.labels.len() };
        let is_volume = input.is_volume();
        let batch = if is_volume { 1 } else { images };
        let space = if is_volume { 3 } else { 2 };
        let misshaped = || tensor.misshaped(&expected(input.layout, batch, channels));
        let dims = whole_shape(&tensor.shape, batch, channels, space, input.layout).ok_or_else(misshaped)?;
        let (depth, height, width) = (if is_volume { dims[0] } else { 1 }, dims[space - 2], dims[space - 1]);
        if depth * height * width == 0 {
            return Err(misshaped());
        }
        let planes = batch * depth;
        let data = by_plane(tensor, input.layout, batch, channels, depth, height * width);
        let mut masks = Self { declared, planes, height, width, data, channels };
        masks.judge(tensor)?;
        Ok(masks)
    }

    /// The runs of each label that has pixels inside, in one image of the batch.
    pub(super) fn of_image(&self, at: usize, fitted: &Fitted) -> Vec<(usize, Runs)> {
        self.laid(&Taps { first: at, weights: vec![1.0] }, fitted)
    }

    /// The same of one of the slices of which a volume was made.
    pub(super) fn of_slice(&self, slice: usize, slices: usize, fitted: &Fitted) -> Vec<(usize, Runs)> {
        let at = (slice as f64 + 0.5) * self.planes as f64 / slices as f64 - 0.5;
        self.laid(&between(at, self.planes), fitted)
    }

    /// How many labels may have pixels inside: each is looked for in all pixels of an image.
    pub(super) fn layers(&self) -> usize {
        if self.declared.pick == Pick::Threshold { self.channels } else { 1 }
    }

    /// Makes probabilities where a threshold picks, and places of labels where not.
    fn judge(&mut self, tensor: &Output) -> Result<(), Refused> {
        let (area, channels, labels) = (self.height * self.width, self.channels, &self.declared.labels);
        match self.declared.pick {
            Pick::Threshold if self.declared.activation == Activation::None => {}
            Pick::Threshold => {
                for plane in self.data.chunks_exact_mut(area * channels) {
                    for pixel in 0..area {
                        let numbers: Vec<f64> = (0..channels).map(|label| plane[label * area + pixel]).collect();
                        let made = probabilities(self.declared.activation, &numbers);
                        let made = made.ok_or_else(|| no_probability(tensor))?;
                        made.into_iter().enumerate().for_each(|(label, number)| plane[label * area + pixel] = number);
                    }
                }
            }
            Pick::Argmax => {
                let planes = self.data.chunks_exact(area * channels);
                self.data = planes.flat_map(|plane| (0..area).map(|pixel| highest(plane, area, pixel))).collect();
                self.channels = 1;
            }
            Pick::Index => {
                if self.data.iter().any(|number| place_of(*number, labels.len()).is_none()) {
                    let mend = format!("give whole numbers from 0 to {}, or add labels", labels.len() - 1);
                    return Err(tensor.wrong("a pixel has a label that the descriptor does not have", mend));
                }
            }
        }
        Ok(())
    }

    /// From which number on a pixel is inside; a descriptor has one where it is asked for.
    fn threshold(&self) -> f64 {
        self.declared.threshold.unwrap_or_default()
    }

    fn laid(&self, planes: &Taps, fitted: &Fitted) -> Vec<(usize, Runs)> {
        let columns = self.places(fitted, 0, self.width);
        let rows = self.places(fitted, 1, self.height);
        let mut found: BTreeMap<usize, Runs> = BTreeMap::new();
        match self.declared.pick {
            Pick::Threshold => self.above(planes, &columns, &rows, &mut found),
            Pick::Argmax | Pick::Index => self.nearest(planes, &columns, &rows, &mut found),
        }
        let pixels = columns.len() * rows.len();
        let told = found.into_iter().filter(|(label, _)| !self.declared.labels[*label].silent);
        told.map(|(label, runs)| (label, runs.closed(pixels))).collect()
    }

    /// For each column or row of the image, where its middle lies between those of the mask.
    fn places(&self, fitted: &Fitted, axis: usize, size: usize) -> Vec<Taps> {
        let part = size as f64 / f64::from(fitted.tensor[axis]);
        let place = |pixel: u32| {
            let mut at = [0.0; 2];
            at[axis] = f64::from(pixel) + 0.5;
            between(fitted.to_tensor(at)[axis] * part - 0.5, size)
        };
        (0..fitted.image[axis]).map(place).collect()
    }

    /// Labels whose number, between the nearest ones of the mask, reaches the threshold.
    fn above(&self, planes: &Taps, columns: &[Taps], rows: &[Taps], found: &mut BTreeMap<usize, Runs>) {
        let labels = (0..self.channels).filter(|label| !self.declared.labels[*label].silent);
        for label in labels {
            let plane = self.of_label(planes, label);
            // Between numbers there is none above them.
            if plane.iter().all(|number| *number < self.threshold()) {
                continue;
            }
            let mut runs = Runs::default();
            for (row, down) in rows.iter().enumerate() {
                let line = mixed(&plane, self.width, self.width, down);
                for (column, across) in columns.iter().enumerate() {
                    if number_at(&line, across) >= self.threshold() {
                        runs.add(row * columns.len() + column);
                    }
                }
            }
            if !runs.runs.is_empty() {
                found.insert(label, runs);
            }
        }
    }

    /// Labels that the nearest pixel of the mask has.
    fn nearest(&self, planes: &Taps, columns: &[Taps], rows: &[Taps], found: &mut BTreeMap<usize, Runs>) {
        let plane = nearer(planes) * self.height * self.width;
        let columns: Vec<usize> = columns.iter().map(nearer).collect();
        for (row, down) in rows.iter().enumerate() {
            let line = plane + nearer(down) * self.width;
            for (column, across) in columns.iter().enumerate() {
                let label = self.data[line + across] as usize;
                found.entry(label).or_default().add(row * columns.len() + column);
            }
        }
    }

    /// The numbers of one label, between images or layers.
    fn of_label(&self, planes: &Taps, label: usize) -> Vec<f64> {
        let area = self.height * self.width;
        mixed(&self.data[label * area..], area * self.channels, area, planes)
    }
}

/// What lies between two stretches that begin `stride` apart; between equal numbers the same number.
fn mixed(values: &[f64], stride: usize, length: usize, taps: &Taps) -> Vec<f64> {
    let first = &values[taps.first * stride..][..length];
    let Some(weight) = taps.weights.get(1) else { return first.to_vec() };
    let second = &values[(taps.first + 1) * stride..][..length];
    first.iter().zip(second).map(|(one, other)| one + (other - one) * f64::from(*weight)).collect()
}

/// The same of one number.
fn number_at(line: &[f64], taps: &Taps) -> f64 {
    let first = line[taps.first];
    taps.weights.get(1).map_or(first, |weight| first + (line[taps.first + 1] - first) * f64::from(*weight))
}

fn nearer(taps: &Taps) -> usize {
    taps.first + usize::from(taps.weights.get(1).is_some_and(|weight| *weight > 0.5))
}

/// The label with the highest number, the first of equal ones.
fn highest(plane: &[f64], area: usize, pixel: usize) -> f64 {
    let numbers = plane.iter().skip(pixel).step_by(area).enumerate();
    numbers
        .fold((0, f64::NEG_INFINITY), |best, (label, number)| if *number > best.1 { (label, *number) } else { best })
        .0 as f64
}

/// Rows and columns, and layers before them: of a shape with all dimensions, or without a batch of 1, or without labels where
/// there is one.
fn whole_shape(shape: &[usize], batch: usize, channels: usize, space: usize, layout: Layout) -> Option<Vec<usize>> {
    let mut left = shape.to_vec();
    let is_whole = left.len() == space + 2;
    if (is_whole || left.len() == space + 1 && (batch > 1 || channels == 1)) && left.first() == Some(&batch) {
        left.remove(0);
    } else if batch != 1 {
        return None;
    }
    if left.len() == space + 1 {
        let at = if layout == Layout::Nhwc { left.len() - 1 } else { 0 };
        if left.remove(at) != channels {
            return None;
        }
    } else if channels != 1 {
        return None;
    }
    (left.len() == space).then_some(left)
}

/// The numbers of each image or layer together, of each label within them.
fn by_plane(tensor: &Output, layout: Layout, batch: usize, channels: usize, depth: usize, area: usize) -> Vec<f64> {
    if channels == 1 || (depth == 1 && layout != Layout::Nhwc) {
        return tensor.data.clone();
    }
    let mut data = Vec::with_capacity(tensor.data.len());
    for image in 0..batch {
        for layer in 0..depth {
            for label in 0..channels {
                if layout == Layout::Nhwc {
                    let pixels = &tensor.data[image * area * channels..][..area * channels];
                    data.extend(pixels.iter().skip(label).step_by(channels));
                } else {
                    data.extend_from_slice(&tensor.data[((image * channels + label) * depth + layer) * area..][..area]);
                }
            }
        }
    }
    data
}

fn expected(layout: Layout, batch: usize, channels: usize) -> String {
    match layout {
        Layout::Nchw => format!("[{batch}, {channels}, rows, columns]"),
        Layout::Nhwc => format!("[{batch}, rows, columns, {channels}]"),
        Layout::Ncdhw => format!("[{batch}, {channels}, slices, rows, columns]"),
    }
}

impl Runs {
    /// The next pixel inside; they come in reading order.
    fn add(&mut self, pixel: usize) {
        if self.runs.is_empty() || self.end < pixel {
            self.runs.push(length(pixel - self.end));
            self.runs.push(0);
        }
        if let Some(last) = self.runs.last_mut() {
            *last += 1;
        }
        self.end = pixel + 1;
    }

    /// With what is outside behind the last pixel inside.
    fn closed(mut self, pixels: usize) -> Self {
        if self.end < pixels {
            self.runs.push(length(pixels - self.end));
            self.end = pixels;
        }
        self
    }

    /// As a finding has them.
    pub(super) fn lengths(self) -> Vec<u32> {
        self.runs
    }
}

fn length(pixels: usize) -> u32 {
    u32::try_from(pixels).unwrap_or(u32::MAX)
}
