//! [`TensorBuilder`]: pixels to the tensor of a request.

use medvan_profiles::descriptor::inference::{Datatype, InputTensor, Intensity, IntensitySource, Layout};

use super::{
    fit::Fitted,
    resample::{Taps, resized, taps},
};

/// Parts of red, green and blue in grey (ITU-R BT.601).
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// The pixels of one image: values of the modality, or shades from 0 to 1, as the descriptor's `intensity` asks.
#[derive(Clone, PartialEq)]
pub struct Pixels {
    /// Columns.
    pub columns: u32,
    /// Rows.
    pub rows: u32,
    /// 1 for grey, 3 for red, green and blue.
    pub channels: u32,
    /// Row after row, the channels of a pixel together; finite.
    pub values: Vec<f32>,
}

/// What a request gives to a model.
#[derive(Clone, PartialEq)]
pub struct Tensor {
    /// Its dimensions.
    pub shape: Vec<u64>,
    /// Type of its elements.
    pub datatype: Datatype,
    /// Its elements, the last dimension first; of `UINT8` whole numbers from 0 to 255.
    pub values: Vec<f32>,
}

/// Takes the images of one request, and makes the tensor.
#[derive(Debug)]
pub struct TensorBuilder {
    input: InputTensor,
    values: Vec<f32>,
    images: u64,
    /// Of a volume: the slices of which each of its layers is made.
    layers: Vec<Taps>,
}

impl std::fmt::Debug for Pixels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pixels({} × {}, {} channels)", self.columns, self.rows, self.channels)
    }
}

impl std::fmt::Debug for Tensor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tensor({:?} of {:?})", self.shape, self.datatype)
    }
}

impl Pixels {
    /// Whether there are as many values as its size says, and any.
    fn is_whole(&self) -> bool {
        let count = [self.columns, self.rows, self.channels].into_iter().map(u64::from).product::<u64>();
        count > 0 && matches!(self.channels, 1 | 3) && self.values.len() as u64 == count
    }
}

impl TensorBuilder {
    /// For a request with this number of images, or with a volume of so many slices.
    pub fn new(input: &InputTensor, images: usize) -> Self {
        let (layers, values) = match input.depth.filter(|_| input.is_volume()) {
            Some(depth) => {
                let layers = taps(input.resize, images.max(1), depth as usize);
                (layers, vec![0.0; input.elements() as usize])
            }
            None => (Vec::new(), Vec::with_capacity(input.elements() as usize * images)),
        };
        Self { input: input.clone(), values, images: 0, layers }
    }

    /// Adds the next image; says where it lies. Nothing for pixels that are not as many as their size says.
    pub fn push(&mut self, pixels: &Pixels) -> Option<Fitted> {
        if !pixels.is_whole() {
            return None;
        }
        let fitted = Fitted::new(&self.input, pixels.columns, pixels.rows);
        let plane = self.plane(pixels, &fitted);
        if self.input.is_volume() {
            self.lay(&plane);
        } else {
            self.values.extend_from_slice(&plane);
        }
        self.images += 1;
        Some(fitted)
    }

    /// The tensor.
    pub fn finish(mut self) -> Tensor {
        if self.input.datatype == Datatype::Uint8 {
            self.values.iter_mut().for_each(|value| *value = value.round().clamp(0.0, 255.0));
        }
        let [channels, height, width] = [self.input.channels, self.input.height, self.input.width].map(u64::from);
        let shape = match self.input.layout {
            Layout::Nchw => vec![self.images, channels, height, width],
            Layout::Nhwc => vec![self.images, height, width, channels],
            Layout::Ncdhw => vec![1, channels, u64::from(self.input.depth.unwrap_or(1)), height, width],
        };
        Tensor { shape, datatype: self.input.datatype, values: self.values }
    }

    /// One image as the tensor holds it.
    fn plane(&self, pixels: &Pixels, fitted: &Fitted) -> Vec<f32> {
        let channels = self.input.channels as usize;
        let size = |[a, b]: [u32; 2]| [a as usize, b as usize];
        let (image, content) = (size(fitted.image), size(fitted.content));
        let made = resized(&pixels.values, image, pixels.channels as usize, content, self.input.resize);
        let made = coloured(made, pixels.channels as usize, channels);
        let [width, height] = size(fitted.tensor);
        let [left, top] = size(fitted.offset);
        let norms: Vec<Norm> = (0..channels).map(|channel| Norm::new(&self.input.intensity, channel)).collect();
        let paddings: Vec<f32> = norms.iter().map(Norm::padding).collect();
        let mut plane = paddings.repeat(width * height);
        for (row, from) in made.chunks_exact(content[0] * channels).enumerate() {
            let begin = ((top + row) * width + left) * channels;
            for (at, value) in from.iter().enumerate() {
                plane[begin + at] = norms[at % channels].of(*value);
            }
        }
        if self.input.layout == Layout::Nhwc || channels == 1 { plane } else { by_channel(&plane, channels) }
    }

    /// Adds a slice to the layers that are made of it.
    fn lay(&mut self, plane: &[f32]) {
        let slice = self.images as usize;
        let (channels, depth) = (self.input.channels as usize, self.layers.len());
        let area = plane.len() / channels;
        for (layer, taps) in self.layers.iter().enumerate() {
            let weight = slice.checked_sub(taps.first).and_then(|at| taps.weights.get(at));
            let Some(weight) = weight else { continue };
            for channel in 0..channels {
                let out = &mut self.values[(channel * depth + layer) * area..][..area];
                let from = &plane[channel * area..][..area];
                out.iter_mut().zip(from).for_each(|(out, value)| *out += value * weight);
            }
        }
    }
}

/// Grey becomes three times the same, colour becomes grey.
fn coloured(values: Vec<f32>, from: usize, to: usize) -> Vec<f32> {
    match (from, to) {
        (1, 3) => values.into_iter().flat_map(|value| [value; 3]).collect(),
        (3, 1) => {
            values.chunks_exact(3).map(|pixel| pixel.iter().zip(LUMA).map(|(value, part)| value * part).sum()).collect()
        }
        _ => values,
    }
}

fn by_channel(plane: &[f32], channels: usize) -> Vec<f32> {
    (0..channels).flat_map(|channel| plane.iter().skip(channel).step_by(channels).copied()).collect()
}

/// What becomes of the values of one channel.
struct Norm {
    black: f64,
    white: f64,
    padding: f64,
    mean: f64,
    deviation: f64,
}

impl Norm {
    fn new(intensity: &Intensity, channel: usize) -> Self {
        let of_channel = |list: &[f64], none: f64| list.get(channel).or(list.first()).copied().unwrap_or(none);
        // Values of the modality are not spread.
        let spread = if intensity.from == IntensitySource::Modality { None } else { intensity.range };
        let [black, white] = spread.unwrap_or([0.0, 1.0]);
        Self {
            black,
            white,
            padding: intensity.padding.unwrap_or(black),
            mean: of_channel(&intensity.mean, 0.0),
            deviation: of_channel(&intensity.deviation, 1.0),
        }
    }

    fn normal(&self, value: f64) -> f32 {
        ((value - self.mean) / self.deviation) as f32
    }

    fn of(&self, value: f32) -> f32 {
        self.normal(self.black + f64::from(value) * (self.white - self.black))
    }

    fn padding(&self) -> f32 {
        self.normal(self.padding)
    }
}
