//! A bare model behind the Open Inference Protocol v2: which tensor is made of pixels, and what the tensors that come back mean.
//!
//! Everything that a model's own preprocessing and postprocessing would do is data here. Coordinates of a tensor begin at the
//! upper left corner of its first element, like those of an image: resizing maps corners onto corners.

use serde::{Deserialize, Serialize};

use super::images::PictureWindow;

/// Most elements of the tensor of one request: 64 MiB of FP32.
pub const MOST_ELEMENTS: u64 = 1 << 24;
/// The same where tensors travel as JSON, which takes about 12 bytes for each.
pub const MOST_JSON_ELEMENTS: u64 = 1 << 22;

/// The largest number of FP16 (IEEE 754 binary16).
pub const MOST_FP16: f64 = 65_504.0;

/// A bare model, and what the gateway has to know of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InferenceWay {
    /// Its name at the server: `{baseUrl}/v2/models/{model}/infer`.
    pub model: String,
    /// Its version at the server; the server chooses where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The tensor that it is given.
    pub input: InputTensor,
    /// Images of one request.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub batch: u32,
    /// How tensors travel.
    #[serde(default, skip_serializing_if = "Encoding::is_json")]
    pub encoding: Encoding,
    /// What comes back, and what it means.
    pub outputs: Vec<OutputTensors>,
}

/// The tensor that is made of pixels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InputTensor {
    /// Its name.
    pub name: String,
    /// Type of its elements.
    pub datatype: Datatype,
    /// Order of its dimensions, which also says whether it holds an image or a volume.
    pub layout: Layout,
    /// 1: grey. 3: red, green, blue; of a grey image three times the same.
    pub channels: u32,
    /// Slices of a volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<u32>,
    /// Rows.
    pub height: u32,
    /// Columns.
    pub width: u32,
    /// How pixels become elements.
    #[serde(default)]
    pub resize: Resize,
    /// Whether proportions are kept.
    #[serde(default)]
    pub fit: Fit,
    /// What the elements say.
    pub intensity: Intensity,
}

/// Types of elements (Open Inference Protocol, "Tensor Data Types").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Datatype {
    /// Floating point of 16 bits (IEEE 754 binary16): at most 65504. It has no JSON form.
    Fp16,
    /// The upper 16 bits of a floating point of 32. It has no JSON form.
    Bf16,
    /// Floating point of 32 bits.
    Fp32,
    /// Whole numbers from 0 to 255.
    Uint8,
}

/// Order of dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Layout {
    /// Images: batch, channels, rows, columns.
    Nchw,
    /// Images: batch, rows, columns, channels.
    Nhwc,
    /// One volume: 1, channels, slices, rows, columns.
    Ncdhw,
}

/// How an image is made larger or smaller.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resize {
    /// Between the four nearest pixels.
    #[default]
    Bilinear,
    /// The mean of the area that an element covers.
    Area,
}

/// How an image is fitted into a tensor of another proportion.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// Stretched over all of it.
    #[default]
    Stretch,
    /// In the middle, with padding around.
    PadCenter,
    /// In the upper left corner, with padding behind.
    PadEnd,
}

/// What an element says: a value, then `(value - mean) / deviation` of its channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Intensity {
    /// Where the value comes from.
    pub from: IntensitySource,
    /// The window; of `window` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<PictureWindow>,
    /// The values that black and white become, 0 and 1 where absent; not of `modality`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<[f64; 2]>,
    /// The value of padding; black where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub padding: Option<f64>,
    /// Taken away; one number, or one for each channel.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mean: Vec<f64>,
    /// Divided by; one number, or one for each channel.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deviation: Vec<f64>,
}

/// Where values come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IntensitySource {
    /// The Modality LUT (PS3.3 section C.11.1): Hounsfield units of CT. Of colour the samples, from 0 to 255.
    Modality,
    /// A window, cut off at its ends: LINEAR_EXACT (PS3.3 section C.11.2.1.3.2). Colour is as it is shown.
    Window,
    /// As the image is shown: its own window, colour.
    Shown,
}

/// How tensors travel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// In JSON, which every server reads.
    #[default]
    Json,
    /// Behind the JSON, by the protocol's binary tensor data extension.
    Binary,
}

/// Tensors that come back, and what they say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum OutputTensors {
    /// What the whole image or volume shows.
    Classes(ClassesOutput),
    /// Rectangles.
    Boxes(BoxesOutput),
    /// Pixels.
    Mask(MaskOutput),
    /// A number.
    Value(Box<ValueOutput>),
}

/// What the whole image or volume shows: a number for each label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClassesOutput {
    /// Its name.
    pub tensor: String,
    /// What makes probabilities of the numbers.
    #[serde(default)]
    pub activation: Activation,
    /// In the order of the tensor.
    pub labels: Vec<Label>,
    /// What is less likely is not told.
    pub threshold: f64,
    /// How many labels are told at most, the likeliest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top: Option<u32>,
}

/// Rectangles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BoxesOutput {
    /// Name of the tensor with four numbers for each box.
    pub tensor: String,
    /// What the four numbers are.
    pub format: BoxFormat,
    /// Parts of the tensor's width and height, not elements of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub relative: bool,
    /// Name of the tensor with one score for each box, or one for each box and label.
    pub scores: String,
    /// What makes probabilities of the scores.
    #[serde(default)]
    pub activation: Activation,
    /// Name of the tensor with the place of each box's label; none where scores tell, or where there is one label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<String>,
    /// In the order of the tensor.
    pub labels: Vec<Label>,
    /// What is less likely is not told.
    pub threshold: f64,
    /// Of two boxes of one label that overlap by more than this (area of both over area of either) the likelier is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<f64>,
    /// How many boxes of an image are told at most, the likeliest first.
    #[serde(default = "hundred")]
    pub top: u32,
}

/// Pixels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MaskOutput {
    /// Its name.
    pub tensor: String,
    /// How a pixel's label is chosen.
    pub pick: Pick,
    /// What makes probabilities of the numbers, where a threshold picks.
    #[serde(default)]
    pub activation: Activation,
    /// In the order of the tensor.
    pub labels: Vec<Label>,
    /// From which number on a pixel is inside, where a threshold picks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
}

/// A number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ValueOutput {
    /// Its name.
    pub tensor: String,
    /// What it is about.
    pub label: Label,
    /// What is measured.
    pub measurement: Concept,
    /// UCUM unit.
    pub unit: String,
}

/// What makes probabilities of a model's numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// They are probabilities.
    #[default]
    None,
    /// Of all labels together.
    Softmax,
    /// Of each label by itself.
    Sigmoid,
}

/// What the four numbers of a box are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BoxFormat {
    /// Left, top, right, bottom.
    Xyxy,
    /// Left, top, width, height.
    Xywh,
    /// Middle, middle, width, height.
    Cxcywh,
}

/// How a pixel's label is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pick {
    /// Each label whose number is high enough.
    Threshold,
    /// The label with the highest number.
    Argmax,
    /// The number is the place of the label.
    Index,
}

/// What one place of a tensor stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Label {
    /// What is found.
    pub code: Concept,
    /// What kind of thing that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Concept>,
    /// Where in the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Concept>,
    /// It is never told: background, nothing found.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub silent: bool,
}

/// A coded concept (PS3.3 section 8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Concept {
    /// Coding Scheme Designator: `SCT`, `RADLEX`, `LN`, `DCM`, `UCUM`, or an own one that begins with `99`.
    pub scheme: String,
    /// Code Value.
    pub code: String,
    /// Code Meaning, in English.
    pub meaning: String,
}

impl InputTensor {
    /// Elements of one image or volume.
    pub fn elements(&self) -> u64 {
        [self.channels, self.depth.unwrap_or(1), self.height, self.width].into_iter().map(u64::from).product()
    }

    /// Whether it holds a series, not an image.
    pub fn is_volume(&self) -> bool {
        self.layout == Layout::Ncdhw
    }
}

impl Datatype {
    /// Whether its elements can stand in JSON (Open Inference Protocol, "Tensor Data").
    pub fn has_json(self) -> bool {
        !matches!(self, Self::Fp16 | Self::Bf16)
    }
}

impl OutputTensors {
    /// The names of its tensors.
    pub fn tensors(&self) -> Vec<&str> {
        match self {
            Self::Classes(classes) => vec![&classes.tensor],
            Self::Mask(mask) => vec![&mask.tensor],
            Self::Value(value) => vec![&value.tensor],
            Self::Boxes(boxes) => {
                let names = [Some(&boxes.tensor), Some(&boxes.scores), boxes.classes.as_ref()];
                names.into_iter().flatten().map(String::as_str).collect()
            }
        }
    }

    /// What its tensors can name.
    pub fn labels(&self) -> &[Label] {
        match self {
            Self::Classes(classes) => &classes.labels,
            Self::Boxes(boxes) => &boxes.labels,
            Self::Mask(mask) => &mask.labels,
            Self::Value(value) => std::slice::from_ref(&value.label),
        }
    }
}

impl Encoding {
    /// Whether it is JSON.
    pub fn is_json(&self) -> bool {
        *self == Self::Json
    }
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_one(batch: &u32) -> bool {
    *batch == 1
}

fn hundred() -> u32 {
    100
}
