//! Rectangles of a tensor: those that are told, in the coordinates of their image.

use medvan_profiles::descriptor::inference::{
    Activation, BoxFormat, BoxesOutput, Label, PackedBoxesOutput, PackedOrder, PackedScores,
};

use super::{
    answer::{Answer, Output},
    classes::{no_probability, probabilities},
    fit::Fitted,
};
use crate::finding::Refused;

/// Boxes of an image, the likeliest ones, that are compared where those that overlap are taken away.
pub(super) const CANDIDATES: usize = 1_000;
/// By how much of the tensor's size the middle of a box may lie outside of it: detectors are not exact at the edge.
const BEYOND: f64 = 0.25;

/// A rectangle in an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    pub(super) label: usize,
    pub(super) score: f64,
    pub(super) from: [f64; 2],
    pub(super) to: [f64; 2],
}

/// Which boxes are told, and what their numbers are.
struct Declared<'a> {
    format: BoxFormat,
    relative: bool,
    activation: Activation,
    labels: &'a [Label],
    threshold: f64,
    overlap: Option<f64>,
    top: u32,
}

/// Where the numbers of a box stand in a tensor: how many elements lie before the first one, and between two.
#[derive(Clone, Copy)]
struct View<'a> {
    tensor: &'a Output,
    first: usize,
    between_images: usize,
    between_boxes: usize,
    between_numbers: usize,
}

/// The tensors of boxes, whose shapes fit each other.
pub(super) struct Boxes<'a> {
    declared: Declared<'a>,
    places: View<'a>,
    objectness: Option<View<'a>>,
    scores: View<'a>,
    classes: Option<View<'a>>,
    /// Boxes of an image.
    count: usize,
    /// Scores of a box.
    width: usize,
}

impl<'a> View<'a> {
    /// A tensor in which the numbers of a box stand together, `width` of them, and nothing else.
    fn whole(tensor: &'a Output, count: usize, width: usize) -> Self {
        Self { tensor, first: 0, between_images: count * width, between_boxes: width, between_numbers: 1 }
    }

    fn from(self, first: usize) -> Self {
        Self { first: first * self.between_numbers, ..self }
    }

    fn of(&self, [image, number]: [usize; 2], at: usize) -> f64 {
        let place = image * self.between_images + number * self.between_boxes + at * self.between_numbers;
        self.tensor.data[self.first + place]
    }
}

impl<'a> Boxes<'a> {
    pub(super) fn new(output: &'a BoxesOutput, answer: &'a Answer, images: usize) -> Result<Self, Refused> {
        let (places, scores) = (answer.tensor(&output.tensor)?, answer.tensor(&output.scores)?);
        let classes = output.classes.as_ref().map(|name| answer.tensor(name)).transpose()?;
        let count = places.data.len() / (4 * images);
        if places.shape.last() != Some(&4) || !places.is_like(&[images, count, 4]) {
            return Err(places.misshaped(&format!("[{images}, boxes, 4]")));
        }
        let width = match classes {
            Some(classes) if !classes.is_like(&[images, count]) => {
                return Err(classes.misshaped(&format!("[{images}, {count}]: a place for each box")));
            }
            Some(_) => 1,
            None => output.labels.len(),
        };
        let is_empty = count == 0 && scores.data.is_empty();
        if !is_empty && !scores.is_like(&[images, count, width]) {
            let each = if width == 1 { String::new() } else { format!(", {width}") };
            return Err(scores.misshaped(&format!("[{images}, {count}{each}]: scores of each box")));
        }
        let BoxesOutput { format, relative, activation, labels, threshold, overlap, top, .. } = output;
        let declared = Declared {
            format: *format,
            relative: *relative,
            activation: *activation,
            labels,
            threshold: *threshold,
            overlap: *overlap,
            top: *top,
        };
        Ok(Self {
            declared,
            places: View::whole(places, count, 4),
            objectness: None,
            scores: View::whole(scores, count, width),
            classes: classes.map(|classes| View::whole(classes, count, 1)),
            count,
            width,
        })
    }

    /// Boxes with their scores in one tensor. Its whole shape counts: nothing is guessed from which dimension is the longer.
    pub(super) fn packed(output: &'a PackedBoxesOutput, answer: &'a Answer, images: usize) -> Result<Self, Refused> {
        let PackedBoxesOutput { format, relative, activation, labels, threshold, overlap, top, .. } = output;
        let tensor = answer.tensor(&output.tensor)?;
        let (width, numbers) = match output.behind {
            PackedScores::Scores => (labels.len(), 4 + labels.len()),
            PackedScores::ObjectnessScores => (labels.len(), 5 + labels.len()),
            PackedScores::ScoreLabel => (1, 6),
        };
        let (count, numbers_first) = match (output.order, tensor.shape.as_slice()) {
            (PackedOrder::BoxesFirst, &[batch, count, of_box]) if [batch, of_box] == [images, numbers] => {
                (count, false)
            }
            (PackedOrder::NumbersFirst, &[batch, of_box, count]) if [batch, of_box] == [images, numbers] => {
                (count, true)
            }
            (PackedOrder::BoxesFirst, _) => return Err(tensor.misshaped(&format!("[{images}, boxes, {numbers}]"))),
            (PackedOrder::NumbersFirst, _) => return Err(tensor.misshaped(&format!("[{images}, {numbers}, boxes]"))),
        };
        let mut whole = View::whole(tensor, count, numbers);
        if numbers_first {
            whole = View { between_boxes: 1, between_numbers: count, ..whole };
        }
        let declared = Declared {
            format: *format,
            relative: *relative,
            activation: *activation,
            labels,
            threshold: *threshold,
            overlap: *overlap,
            top: *top,
        };
        let is = |behind: PackedScores| output.behind == behind;
        let objectness = is(PackedScores::ObjectnessScores).then(|| whole.from(4));
        let scores = whole.from(4 + usize::from(objectness.is_some()));
        let classes = is(PackedScores::ScoreLabel).then(|| whole.from(5));
        Ok(Self { declared, places: whole, objectness, scores, classes, count, width })
    }

    /// What a box shows.
    pub(super) fn label(&self, found: &Found) -> &'a Label {
        &self.declared.labels[found.label]
    }

    /// What was found in one image of the batch.
    pub(super) fn of_image(&self, at: usize, fitted: &Fitted) -> Result<Vec<Found>, Refused> {
        let mut found = Vec::new();
        for number in 0..self.count {
            let number = [at, number];
            let judged = self.judged(number)?.filter(|(label, _)| !self.declared.labels[*label].silent);
            let Some((label, score)) = judged else { continue };
            let [from, to] = self.corners(number, fitted)?;
            if from[0] < to[0] && from[1] < to[1] {
                found.push(Found { label, score, from, to });
            }
            // Now and then, so that neither time nor memory grows with what a model thinks likely.
            if found.len() == 2 * CANDIDATES {
                keep_likeliest(&mut found);
            }
        }
        keep_likeliest(&mut found);
        if let Some(overlap) = self.declared.overlap {
            found = suppressed(found, overlap);
        }
        found.truncate(self.declared.top as usize);
        Ok(found)
    }

    /// The label and the score of a box that is likely enough.
    fn judged(&self, number: [usize; 2]) -> Result<Option<(usize, f64)>, Refused> {
        let Declared { activation, labels, threshold, .. } = self.declared;
        let wrong = || no_probability(self.scores.tensor);
        let scores: Vec<f64> = (0..self.width).map(|at| self.scores.of(number, at)).collect();
        let scores = probabilities(activation, &scores).ok_or_else(wrong)?;
        let objectness = self.objectness.map(|objectness| [objectness.of(number, 0)]);
        let objectness = objectness.map(|number| probabilities(activation, &number).ok_or_else(wrong)).transpose()?;
        let whole = objectness.map_or(1.0, |objectness| objectness.iter().product());
        let best = (0..scores.len()).max_by(|one, other| scores[*one].total_cmp(&scores[*other]).then(other.cmp(one)));
        let best = best.map(|best| (best, scores[best] * whole));
        let Some((best, score)) = best.filter(|(_, score)| *score >= threshold) else { return Ok(None) };
        let Some(classes) = self.classes else { return Ok(Some((best, score))) };
        let label = place_of(classes.of(number, 0), labels.len()).ok_or_else(|| {
            let mend = format!("give whole numbers from 0 to {}, or add labels", labels.len() - 1);
            classes.tensor.wrong("a box has a label that the descriptor does not have", mend)
        })?;
        Ok(Some((label, score)))
    }

    /// The corners of a box in the image, cut off at its edges.
    fn corners(&self, number: [usize; 2], fitted: &Fitted) -> Result<[[f64; 2]; 2], Refused> {
        let mut four = [0, 1, 2, 3].map(|at| self.places.of(number, at));
        let size = fitted.tensor.map(f64::from);
        if self.declared.relative {
            four = [four[0] * size[0], four[1] * size[1], four[2] * size[0], four[3] * size[1]];
        }
        let [a, b, c, d] = four;
        let [from, to] = match self.declared.format {
            BoxFormat::Xyxy => [[a, b], [c, d]],
            BoxFormat::Xywh => [[a, b], [a + c, b + d]],
            BoxFormat::Cxcywh => [[a - c / 2.0, b - d / 2.0], [a + c / 2.0, b + d / 2.0]],
        };
        if from[0] > to[0] || from[1] > to[1] {
            let mend = "check format: its right or lower edge lies before the other";
            return Err(self.places.tensor.wrong("a box is turned round", mend));
        }
        let middle = [0, 1].map(|axis| (from[axis] + to[axis]) / 2.0 / size[axis]);
        if middle.iter().any(|part| !(-BEYOND..=1.0 + BEYOND).contains(part)) {
            let mend = "check relative and format: places are counted in elements of the input, or in parts of it";
            return Err(self.places.tensor.wrong("a box lies outside of the input", mend));
        }
        let image = fitted.image.map(f64::from);
        let within = |[x, y]: [f64; 2]| [x.clamp(0.0, image[0]), y.clamp(0.0, image[1])];
        Ok([within(fitted.to_image(from)), within(fitted.to_image(to))])
    }
}

/// The place that a number names, if there are so many.
pub(super) fn place_of(number: f64, count: usize) -> Option<usize> {
    let is_place = number >= 0.0 && number.fract() == 0.0 && number < count as f64;
    is_place.then_some(number as usize)
}

/// Keeps the likeliest, which then stand first; of equal ones those that came first.
fn keep_likeliest(found: &mut Vec<Found>) {
    found.sort_by(|one, other| other.score.total_cmp(&one.score));
    found.truncate(CANDIDATES);
}

/// Takes away what overlaps a likelier one of the same label; `found` begins with the likeliest.
fn suppressed(found: Vec<Found>, most: f64) -> Vec<Found> {
    let mut kept: Vec<Found> = Vec::new();
    for one in found {
        if !kept.iter().any(|other| other.label == one.label && overlap(other, &one) > most) {
            kept.push(one);
        }
    }
    kept
}

/// The area of both over the area of either.
fn overlap(one: &Found, other: &Found) -> f64 {
    let both: f64 = [0, 1]
        .map(|axis| (one.to[axis].min(other.to[axis]) - one.from[axis].max(other.from[axis])).max(0.0))
        .iter()
        .product();
    let area = |found: &Found| (found.to[0] - found.from[0]) * (found.to[1] - found.from[1]);
    both / (area(one) + area(other) - both)
}
