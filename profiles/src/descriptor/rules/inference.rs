//! Bare models: a tensor that can be made of pixels, and outputs that can be told apart.

use std::collections::HashSet;

use crate::descriptor::{
    Descriptor, Fault,
    images::ImageWay,
    inference::{
        Activation, BoxesOutput, Datatype, Fit, InferenceWay, InputTensor, Intensity, IntensitySource, MOST_ELEMENTS,
        MOST_FP16, MOST_JSON_ELEMENTS, MaskOutput, OutputTensors, Pick,
    },
};

/// The input is one that pixels can become.
pub(super) fn inputs_can_be_made(descriptor: &Descriptor) -> Vec<Fault> {
    each(descriptor, |place, way| {
        let input = format!("{place}/input");
        let intensity = format!("{input}/intensity");
        let parts = [
            volume(&place, way),
            size(&input, way),
            no_json(&place, way),
            whole_numbers(&intensity, &way.input),
            half(&intensity, &way.input),
            padding(&intensity, &way.input),
        ];
        let mut faults: Vec<Fault> = parts.into_iter().flatten().collect();
        faults.extend(source(&intensity, &way.input.intensity));
        faults.extend(channels(&intensity, &way.input));
        faults
    })
}

/// Each output says something that can be told.
pub(super) fn outputs_can_be_told(descriptor: &Descriptor) -> Vec<Fault> {
    each(descriptor, |place, way| {
        let outputs = way.outputs.iter().enumerate();
        let mut faults: Vec<Fault> =
            outputs.flat_map(|(at, output)| told(&format!("{place}/outputs/{at}"), way, output)).collect();
        let mut known = HashSet::new();
        for (at, output) in way.outputs.iter().enumerate() {
            if !known.insert(output.tensors()) {
                let reason = ("these tensors are described twice", "同じテンソルが2回書かれています");
                let mend = ("keep one of the two", "どちらかを消してください");
                faults.push(Fault::new(format!("{place}/outputs/{at}/tensor"), reason, mend));
            }
        }
        faults
    })
}

fn each(descriptor: &Descriptor, look: impl Fn(String, &InferenceWay) -> Vec<Fault>) -> Vec<Fault> {
    let entries = descriptor.images.iter().enumerate();
    let ways = entries.filter_map(|(at, entry)| match &entry.way {
        ImageWay::Inference(way) => Some((format!("/images/{at}/way"), way)),
        ImageWay::ImageJson { .. } | ImageWay::Dicomweb(_) | ImageWay::Worklist(_) | ImageWay::Dimse(_) => None,
    });
    ways.flat_map(|(place, way)| look(place, way)).collect()
}

/// A volume has a depth and comes alone; an image has none.
fn volume(place: &str, way: &InferenceWay) -> Option<Fault> {
    let (reason, mend) = match (way.input.is_volume(), way.input.depth, way.batch) {
        (true, None, _) => {
            let reason = ("a volume needs a depth", "体積には depth が必要です");
            (reason, ("write how many slices the tensor has", "テンソルのスライス数を書いてください"))
        }
        (false, Some(_), _) => {
            let reason = ("an image has no depth", "画像に depth はありません");
            (reason, ("leave it out, or use the layout NCDHW", "消すか、layout を NCDHW にしてください"))
        }
        (true, Some(_), 2..) => {
            let reason = ("volumes are sent one by one", "体積は1つずつ送られます");
            return Some(Fault::new(format!("{place}/batch"), reason, ("leave it out", "消してください")));
        }
        _ => return None,
    };
    Some(Fault::new(format!("{place}/input/depth"), reason, mend))
}

fn size(input: &str, way: &InferenceWay) -> Option<Fault> {
    let most = if way.encoding.is_json() { MOST_JSON_ELEMENTS } else { MOST_ELEMENTS };
    let images = if way.input.is_volume() { 1 } else { u64::from(way.batch) };
    (way.input.elements() * images > most).then(|| {
        let mend =
            format!("at most {most} elements in one request, batch included; with encoding binary {MOST_ELEMENTS}");
        let mend_ja =
            format!("batch を含めて {most} 要素以下にしてください（encoding が binary なら {MOST_ELEMENTS}）");
        Fault::new(input, ("the tensor is too large", "テンソルが大きすぎます"), (mend, mend_ja))
    })
}

/// Whole numbers hold neither Hounsfield units nor means.
fn whole_numbers(intensity: &str, input: &InputTensor) -> Option<Fault> {
    let values = &input.intensity;
    let is_byte = |value: f64| (0.0..=255.0).contains(&value);
    let fits = values.from != IntensitySource::Modality
        && values.mean.is_empty()
        && values.deviation.is_empty()
        && values.range.is_some_and(|range| range.into_iter().all(is_byte))
        && values.padding.is_none_or(is_byte);
    (input.datatype == Datatype::Uint8 && !fits).then(|| {
        Fault::new(
            intensity,
            ("UINT8 cannot hold these values", "UINT8 では表せない値です"),
            (
                "with UINT8 use window or shown, a range within 0 to 255, and neither mean nor deviation",
                "UINT8 では window か shown を使い、range を 0〜255 にし、mean と deviation を消してください",
            ),
        )
    })
}

/// Two bytes are a number only behind the JSON.
fn no_json(place: &str, way: &InferenceWay) -> Option<Fault> {
    (way.encoding.is_json() && !way.input.datatype.has_json()).then(|| {
        Fault::new(
            format!("{place}/encoding"),
            ("FP16 and BF16 cannot be sent in JSON", "FP16 と BF16 は JSON では送れません"),
            ("use the encoding binary", "encoding を binary にしてください"),
        )
    })
}

/// What is declared fits into FP16. How far values of the modality reach is known with the image only; that is looked at when
/// a request is written.
fn half(intensity: &str, input: &InputTensor) -> Option<Fault> {
    let values = &input.intensity;
    let spread = (values.from != IntensitySource::Modality).then(|| values.range.unwrap_or([0.0, 1.0]));
    let ends: Vec<f64> = spread.into_iter().flatten().chain(values.padding).collect();
    let of_channel = |list: &[f64], at: usize, none: f64| list.get(at).or(list.first()).copied().unwrap_or(none);
    let is_within = |channel: usize| {
        let (mean, deviation) = (of_channel(&values.mean, channel, 0.0), of_channel(&values.deviation, channel, 1.0));
        ends.iter().all(|end| ((end - mean) / deviation).abs() <= MOST_FP16)
    };
    let fits = (0..input.channels as usize).all(is_within);
    (input.datatype == Datatype::Fp16 && !fits).then(|| {
        Fault::new(
            intensity,
            ("FP16 cannot hold these values", "FP16 では表せない値です"),
            (
                "let range and padding, after mean and deviation, stay within -65504 to 65504, or use BF16 or FP32",
                "mean と deviation を適用した range と padding を -65504〜65504 に収めるか、BF16 か FP32 を使ってください",
            ),
        )
    })
}

/// Values of the modality have no black.
fn padding(intensity: &str, input: &InputTensor) -> Option<Fault> {
    let values = &input.intensity;
    let is_missing = values.from == IntensitySource::Modality && values.padding.is_none();
    (is_missing && input.fit != Fit::Stretch).then(|| {
        Fault::new(
            format!("{intensity}/padding"),
            ("nothing says what padding is", "余白の値がありません"),
            ("write its value: -1024 for air in CT", "値を書いてください（CTの空気なら -1024）"),
        )
    })
}

/// The window and the range belong to their source.
fn source(place: &str, intensity: &Intensity) -> Vec<Fault> {
    let mut faults = Vec::new();
    let has_window = intensity.window.is_some();
    if has_window != (intensity.from == IntensitySource::Window) {
        let (reason, mend) = if has_window {
            (("values do not come from a window", "値は window から来ません"), ("leave it out", "消してください"))
        } else {
            (
                ("the window is missing", "window がありません"),
                ("write center and width", "center と width を書いてください"),
            )
        };
        faults.push(Fault::new(format!("{place}/window"), reason, mend));
    }
    if intensity.from == IntensitySource::Modality && intensity.range.is_some() {
        faults.push(Fault::new(
            format!("{place}/range"),
            ("values of the modality are not spread over a range", "modality の値は range に伸縮されません"),
            ("leave it out, or use a window", "消すか、window を使ってください"),
        ));
    }
    if intensity.range.is_some_and(|[black, white]| black >= white) {
        faults.push(Fault::new(
            format!("{place}/range"),
            ("the range does not rise", "range が大きくなっていません"),
            ("write the value of black first", "黒の値を先に書いてください"),
        ));
    }
    faults
}

fn channels(place: &str, input: &InputTensor) -> Vec<Fault> {
    let lists = [("mean", &input.intensity.mean), ("deviation", &input.intensity.deviation)];
    let wrong =
        lists.into_iter().filter(|(_, list)| !matches!(list.len(), 0 | 1) && list.len() != input.channels as usize);
    wrong
        .map(|(name, _)| {
            Fault::new(
                format!("{place}/{name}"),
                ("there are not as many numbers as channels", "channels と数が合いません"),
                ("write one number, or one for each channel", "1つ、またはチャンネルごとに1つ書いてください"),
            )
        })
        .collect()
}

fn told(place: &str, way: &InferenceWay, output: &OutputTensors) -> Vec<Fault> {
    let mut faults = Vec::new();
    if output.labels().iter().all(|label| label.silent) {
        faults.push(Fault::new(
            format!("{place}/labels"),
            ("nothing is ever told", "何も知らせない出力です"),
            ("let one label at least not be silent", "silent でないラベルを1つ以上書いてください"),
        ));
    }
    faults.extend(match output {
        OutputTensors::Boxes(output) => boxes(place, way, output),
        OutputTensors::Mask(output) => mask(place, output),
        OutputTensors::Classes(_) | OutputTensors::Value(_) => Vec::new(),
    });
    faults
}

fn boxes(place: &str, way: &InferenceWay, output: &BoxesOutput) -> Vec<Fault> {
    let mut faults = Vec::new();
    if way.input.is_volume() {
        faults.push(Fault::new(
            format!("{place}/kind"),
            ("a volume has no rectangles", "体積に矩形はありません"),
            ("use a mask, or a layout of images", "mask を使うか、画像の layout にしてください"),
        ));
    }
    if output.activation == Activation::Softmax && (output.classes.is_some() || output.labels.len() == 1) {
        faults.push(Fault::new(
            format!("{place}/activation"),
            ("softmax needs a score for each box and label", "softmax には矩形とラベルごとのスコアが必要です"),
            ("use sigmoid or none", "sigmoid か none を使ってください"),
        ));
    }
    faults
}

fn mask(place: &str, output: &MaskOutput) -> Vec<Fault> {
    let MaskOutput { pick, activation, threshold, .. } = output;
    let mut faults = Vec::new();
    let by_threshold = *pick == Pick::Threshold;
    if threshold.is_some() != by_threshold {
        let (reason, mend) = if by_threshold {
            (
                ("the threshold is missing", "threshold がありません"),
                ("write from which number on", "境になる数を書いてください"),
            )
        } else {
            (("no threshold picks here", "ここでは threshold を使いません"), ("leave it out", "消してください"))
        };
        faults.push(Fault::new(format!("{place}/threshold"), reason, mend));
    }
    let is_probability = threshold.is_none_or(|threshold| (0.0..=1.0).contains(&threshold));
    if *activation != Activation::None && !(by_threshold && is_probability) {
        faults.push(Fault::new(
            format!("{place}/activation"),
            ("probabilities are made for a threshold from 0 to 1", "確率にするのは 0〜1 の threshold のためです"),
            ("leave it out, or write such a threshold", "消すか、そのような threshold を書いてください"),
        ));
    }
    faults
}
