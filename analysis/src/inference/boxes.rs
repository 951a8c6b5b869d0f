//! Rectangles of a tensor: those that are told, in the coordinates of their image.

use medvan_profiles::descriptor::inference::{BoxFormat, BoxesOutput};

use super::{
    answer::{Answer, Output},
    classes::{no_probability, probabilities},
    fit::Fitted,
};
use crate::finding::Refused;

/// Boxes of an image that may be likely enough before those that overlap are taken away.
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

/// The tensors of boxes, whose shapes fit each other.
pub(super) struct Boxes<'a> {
    declared: &'a BoxesOutput,
    places: &'a Output,
    scores: &'a Output,
    classes: Option<&'a Output>,
    /// Boxes of an image.
    count: usize,
    /// Scores of a box.
    width: usize,
}

impl<'a> Boxes<'a> {
    pub(super) fn new(declared: &'a BoxesOutput, answer: &'a Answer, images: usize) -> Result<Self, Refused> {
        let (places, scores) = (answer.tensor(&declared.tensor)?, answer.tensor(&declared.scores)?);
        let classes = declared.classes.as_ref().map(|name| answer.tensor(name)).transpose()?;
        let count = places.data.len() / (4 * images);
        if places.shape.last() != Some(&4) || !places.is_like(&[images, count, 4]) {
            return Err(places.misshaped(&format!("[{images}, boxes, 4]")));
        }
        let labels = declared.labels.len();
        let width = match classes {
            Some(classes) if !classes.is_like(&[images, count]) => {
                return Err(classes.misshaped(&format!("[{images}, {count}]: a place for each box")));
            }
            Some(_) => 1,
            None => labels,
        };
        let is_empty = count == 0 && scores.data.is_empty();
        if !is_empty && !scores.is_like(&[images, count, width]) {
            let each = if width == 1 { String::new() } else { format!(", {width}") };
            return Err(scores.misshaped(&format!("[{images}, {count}{each}]: scores of each box")));
        }
        Ok(Self { declared, places, scores, classes, count, width })
    }

    /// What was found in one image of the batch.
    pub(super) fn of_image(&self, at: usize, fitted: &Fitted) -> Result<Vec<Found>, Refused> {
        let mut found = Vec::new();
        for number in at * self.count..(at + 1) * self.count {
            let judged = self.judged(number)?.filter(|(label, _)| !self.declared.labels[*label].silent);
            let Some((label, score)) = judged else { continue };
            if found.len() == CANDIDATES {
                let mend = format!("declare a higher threshold: at most {CANDIDATES} boxes of an image are compared");
                return Err(self.scores.wrong("too many boxes are likely enough", mend));
            }
            let [from, to] = self.corners(number, fitted)?;
            if from[0] < to[0] && from[1] < to[1] {
                found.push(Found { label, score, from, to });
            }
        }
        found.sort_by(|one, other| other.score.total_cmp(&one.score));
        if let Some(overlap) = self.declared.overlap {
            found = suppressed(found, overlap);
        }
        found.truncate(self.declared.top as usize);
        Ok(found)
    }

    /// The label and the score of a box that is likely enough.
    fn judged(&self, number: usize) -> Result<Option<(usize, f64)>, Refused> {
        let scores = &self.scores.data[number * self.width..(number + 1) * self.width];
        let scores = probabilities(self.declared.activation, scores).ok_or_else(|| no_probability(self.scores))?;
        let best = (0..scores.len()).max_by(|one, other| scores[*one].total_cmp(&scores[*other]).then(other.cmp(one)));
        let Some(best) = best.filter(|best| scores[*best] >= self.declared.threshold) else { return Ok(None) };
        let Some(classes) = self.classes else { return Ok(Some((best, scores[best]))) };
        let label = place_of(classes.data[number], self.declared.labels.len());
        let label = label.ok_or_else(|| {
            let mend = format!("give whole numbers from 0 to {}, or add labels", self.declared.labels.len() - 1);
            classes.wrong("a box has a label that the descriptor does not have", mend)
        })?;
        Ok(Some((label, scores[best])))
    }

    /// The corners of a box in the image, cut off at its edges.
    fn corners(&self, number: usize, fitted: &Fitted) -> Result<[[f64; 2]; 2], Refused> {
        let mut four = [0.0; 4];
        four.copy_from_slice(&self.places.data[number * 4..number * 4 + 4]);
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
            return Err(self.places.wrong("a box is turned round", mend));
        }
        let middle = [0, 1].map(|axis| (from[axis] + to[axis]) / 2.0 / size[axis]);
        if middle.iter().any(|part| !(-BEYOND..=1.0 + BEYOND).contains(part)) {
            let mend = "check relative and format: places are counted in elements of the input, or in parts of it";
            return Err(self.places.wrong("a box lies outside of the input", mend));
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
