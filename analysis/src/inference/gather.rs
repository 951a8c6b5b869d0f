//! [`Gatherer`]: the answers of all requests of a job, as findings.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use medvan_imaging::Uid;
use medvan_profiles::descriptor::inference::{
    ClassesOutput, Concept, InferenceWay, Label, MaskOutput, OutputTensors, ValueOutput,
};

use super::{
    answer::{Answer, Output},
    boxes::Boxes,
    classes::{likeliest, no_probability, probabilities},
    fit::Fitted,
    masks::{Masks, Runs},
};
use crate::finding::{
    Code, FINDINGS, Finding, Findings, ImageName, MaskFrame, Measurement, PIXELS, Place, Presence, Refused,
};

/// Runs of all masks: what an answer of the largest size could write.
const RUNS: usize = 8 << 20;
/// Characters of a finding's id, the number behind it included.
const NAME: usize = 52;

/// Numbers, and of which image they are; of none where they are of a volume.
type Placed = (Option<Place>, Vec<f64>);

/// An image that was part of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Its series.
    pub series: Uid,
    /// Which it is.
    pub image: ImageName,
    /// Where it lies in the tensor.
    pub fitted: Fitted,
}

/// Makes findings of answers, one request after the other.
#[derive(Debug)]
pub struct Gatherer {
    way: Arc<InferenceWay>,
    findings: Vec<Finding>,
    masks: BTreeMap<Layer, Vec<MaskFrame>>,
    /// The series that were seen, in their order.
    series: HashMap<Uid, usize>,
    runs: usize,
    pixels: u64,
}

/// Images that one mask may lie over: of one output and label, of one series and size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Layer {
    output: usize,
    label: usize,
    series: usize,
    size: [u32; 2],
}

impl Gatherer {
    /// For the answers of one job.
    pub fn new(way: Arc<InferenceWay>) -> Self {
        Self { way, findings: Vec::new(), masks: BTreeMap::new(), series: HashMap::new(), runs: 0, pixels: 0 }
    }

    /// Takes the answer about these images, or slices of a volume, in the order in which they were sent.
    ///
    /// # Errors
    /// What is wrong with it, as its vendor may read it.
    pub fn take(&mut self, asked: &[Asked], answer: &Answer) -> Result<(), Vec<Refused>> {
        let way = Arc::clone(&self.way);
        way.outputs
            .iter()
            .enumerate()
            .try_for_each(|(at, output)| self.output(at, output, asked, answer).map_err(|refused| vec![refused]))
    }

    /// All that was found.
    ///
    /// # Errors
    /// It is more than can be told.
    pub fn finish(mut self) -> Result<Findings, Vec<Refused>> {
        let way = Arc::clone(&self.way);
        for (layer, frames) in std::mem::take(&mut self.masks) {
            let label = &way.outputs[layer.output].labels()[layer.label];
            self.tell(label, None, Some(Place::Mask { frames })).map_err(|refused| vec![refused])?;
        }
        Ok(Findings {
            format: "1".to_owned(),
            summary: None,
            limitations: Vec::new(),
            findings: self.findings,
            heat_maps: Vec::new(),
        })
    }

    fn output(&mut self, at: usize, output: &OutputTensors, asked: &[Asked], answer: &Answer) -> Result<(), Refused> {
        match output {
            OutputTensors::Classes(ClassesOutput { tensor, activation, labels, threshold, top }) => {
                let tensor = answer.tensor(tensor)?;
                for (place, numbers) in self.each(tensor, labels.len(), asked)? {
                    let told = probabilities(*activation, &numbers).ok_or_else(|| no_probability(tensor))?;
                    for label in likeliest(&told, *threshold, *top) {
                        self.tell(&labels[label], Some(told[label]), place.clone())?;
                    }
                }
                Ok(())
            }
            OutputTensors::Value(output) => {
                let ValueOutput { tensor, label, measurement, unit } = &**output;
                for (place, numbers) in self.each(answer.tensor(tensor)?, 1, asked)? {
                    let measurement = Measurement { code: code(measurement), value: numbers[0], unit: unit.clone() };
                    self.tell(label, None, place)?;
                    if let Some(finding) = self.findings.last_mut() {
                        finding.measurements.push(measurement);
                    }
                }
                Ok(())
            }
            OutputTensors::Boxes(output) => self.boxes(&Boxes::new(output, answer, asked.len())?, asked),
            OutputTensors::PackedBoxes(output) => self.boxes(&Boxes::packed(output, answer, asked.len())?, asked),
            OutputTensors::Mask(output) => self.mask(at, output, asked, answer),
        }
    }

    /// The numbers of each image, or of the volume, with its place.
    fn each(&self, tensor: &Output, count: usize, asked: &[Asked]) -> Result<Vec<Placed>, Refused> {
        let parts = if self.way.input.is_volume() { 1 } else { asked.len() };
        if !tensor.is_like(&[parts, count]) {
            return Err(tensor.misshaped(&format!("[{parts}, {count}]")));
        }
        let numbers = tensor.data.chunks_exact(count).map(<[f64]>::to_vec);
        Ok(if self.way.input.is_volume() {
            // A volume is all images of the series.
            numbers.map(|numbers| (None, numbers)).collect()
        } else {
            let places = asked.iter().map(|asked| Some(Place::Image { image: asked.image.clone() }));
            places.zip(numbers).collect()
        })
    }

    fn boxes(&mut self, boxes: &Boxes<'_>, asked: &[Asked]) -> Result<(), Refused> {
        for (at, asked) in asked.iter().enumerate() {
            for found in boxes.of_image(at, &asked.fitted)? {
                let place = Place::Box { image: asked.image.clone(), from: found.from, to: found.to };
                self.tell(boxes.label(&found), Some(found.score), Some(place))?;
            }
        }
        Ok(())
    }

    fn mask(&mut self, at: usize, output: &MaskOutput, asked: &[Asked], answer: &Answer) -> Result<(), Refused> {
        let (masks, count) = (Masks::new(&self.way.input, output, answer, asked.len())?, asked.len());
        for (number, asked) in asked.iter().enumerate() {
            let [columns, rows] = asked.fitted.image;
            self.pixels += u64::from(columns) * u64::from(rows) * masks.layers() as u64;
            if self.pixels > PIXELS {
                let mend = "give fewer labels, or work on fewer images at once";
                return Err(Refused::new("/outputs", "its masks lie over too many pixels", mend));
            }
            let laid = if self.way.input.is_volume() {
                masks.of_slice(number, count, &asked.fitted)
            } else {
                masks.of_image(number, &asked.fitted)
            };
            self.lay(at, asked, laid)?;
        }
        Ok(())
    }

    fn lay(&mut self, output: usize, asked: &Asked, laid: Vec<(usize, Runs)>) -> Result<(), Refused> {
        let next = self.series.len();
        let series = *self.series.entry(asked.series.clone()).or_insert(next);
        for (label, runs) in laid {
            let runs = runs.lengths();
            self.runs += runs.len();
            if self.runs > RUNS {
                let mend = "give masks that are not made of single pixels";
                return Err(Refused::new("/outputs", "its masks are too ragged", mend));
            }
            let layer = Layer { output, label, series, size: asked.fitted.image };
            self.masks.entry(layer).or_default().push(MaskFrame { image: asked.image.clone(), runs });
        }
        Ok(())
    }

    fn tell(&mut self, label: &Label, confidence: Option<f64>, place: Option<Place>) -> Result<(), Refused> {
        if label.silent {
            return Ok(());
        }
        if self.findings.len() == FINDINGS {
            let mend = format!("declare a higher threshold or a lower top: at most {FINDINGS} findings are told");
            return Err(Refused::new("/outputs", "too much is found", mend));
        }
        let name: String = label.code.meaning.chars().take(NAME).collect();
        self.findings.push(Finding {
            id: format!("{} {}", name.trim_end(), self.findings.len() + 1),
            tracking_uid: None,
            code: code(&label.code),
            category: label.category.as_ref().map(code),
            presence: Presence::Present,
            site: label.site.as_ref().map(code),
            laterality: None,
            confidence,
            evaluations: Vec::new(),
            measurements: Vec::new(),
            place,
            text: None,
        });
        Ok(())
    }
}

fn code(concept: &Concept) -> Code {
    Code { scheme: concept.scheme.clone(), code: concept.code.clone(), meaning: concept.meaning.clone() }
}
