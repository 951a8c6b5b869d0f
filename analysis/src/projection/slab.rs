//! The part of the patient that one image shows.

use super::Trace;
use crate::inputs::{InputImage, InputSeries, Inputs, Plane};
use medvan_imaging::Uid;

/// Millimetres to either side of a plane that an image shows at most: one that says more, a projection or a survey with wide gaps,
/// would claim places that are not in it.
const REACH: f64 = 5.0;
/// Millimetres to either side where nothing says how thick a slice is.
const THIN: f64 = 0.5;
/// Millimetres by which two positions may differ and be the same.
const SAME: f64 = 0.01;
/// Cosine from which on planes are parallel.
const PARALLEL: f64 = 0.9999;
/// How far directions may be from length 1 and from a right angle.
const SQUARE: f64 = 0.01;
/// Directions of planes in one series among which neighbours are looked for.
const DIRECTIONS: usize = 64;

#[derive(Debug, Clone)]
pub(super) struct Slab {
    pub(super) plane: Plane,
    series: Uid,
    instance: Uid,
    normal: [f64; 3],
    /// Columns and rows.
    size: [f64; 2],
    /// Millimetres to either side of the plane.
    half: f64,
}

/// Of every single image whose plane is known.
pub(super) fn all(images: &Inputs) -> Vec<Slab> {
    images.series.iter().flat_map(of_series).collect()
}

fn of_series(series: &InputSeries) -> Vec<Slab> {
    let mut slabs: Vec<Slab> = series.images.iter().filter_map(|image| Slab::of(series, image)).collect();
    let mut stacks: Vec<([f64; 3], Vec<usize>)> = Vec::new();
    for (at, slab) in slabs.iter().enumerate() {
        let is_full = stacks.len() >= DIRECTIONS;
        match stacks.iter_mut().find(|(normal, _)| dot(*normal, slab.normal).abs() > PARALLEL) {
            Some((_, stack)) => stack.push(at),
            None if is_full => {}
            None => stacks.push((slab.normal, vec![at])),
        }
    }
    for (normal, stack) in stacks {
        let positions = stack.iter().filter_map(|at| slabs.get(*at)).map(|slab| dot(normal, slab.plane.position));
        let spacing = usual_distance(positions.collect());
        for at in stack {
            if let Some(slab) = slabs.get_mut(at) {
                slab.half = slab.half.max(spacing.unwrap_or(0.0) / 2.0).min(REACH);
            }
        }
    }
    for slab in slabs.iter_mut().filter(|slab| slab.half == 0.0) {
        slab.half = THIN;
    }
    slabs
}

/// The median of the distances between neighbours.
fn usual_distance(mut positions: Vec<f64>) -> Option<f64> {
    positions.sort_by(f64::total_cmp);
    positions.dedup_by(|a, b| (*a - *b).abs() < SAME);
    let pairs = positions.iter().zip(positions.iter().skip(1));
    let mut distances: Vec<f64> = pairs.map(|(below, above)| above - below).collect();
    distances.sort_by(f64::total_cmp);
    distances.get(distances.len().checked_sub(1)? / 2).copied()
}

impl Slab {
    fn of(series: &InputSeries, image: &InputImage) -> Option<Self> {
        // The frames of one object lie in planes of their own, which it says elsewhere.
        let plane = image.plane.clone().filter(|_| image.frames == 1)?;
        let [row, column] = plane.orientation;
        let is_square = [dot(row, row) - 1.0, dot(column, column) - 1.0, dot(row, column)];
        let holds = is_square.iter().all(|fault| fault.abs() < SQUARE) && plane.spacing.iter().all(|side| *side > 0.0);
        let thickness = plane.thickness.filter(|thickness| *thickness > 0.0).unwrap_or(0.0);
        holds.then(|| Self {
            series: series.uid.clone(),
            instance: image.instance.clone(),
            normal: cross(row, column),
            size: [f64::from(image.columns), f64::from(image.rows)],
            half: (thickness / 2.0).min(REACH),
            plane,
        })
    }

    /// What the image shows of a line through points, or of a point.
    pub(super) fn trace(&self, points: &[[f64; 3]]) -> Option<Trace> {
        let here: Vec<[f64; 3]> = points.iter().map(|point| self.seen(*point)).collect();
        let mut drawn = Drawn::default();
        // A point is a step that stays where it is.
        let nexts = here.get(1..).filter(|nexts| !nexts.is_empty()).unwrap_or(&here);
        for (from, to) in here.iter().zip(nexts) {
            drawn.take(*from, *to, self.bounds());
        }
        let farthest = (drawn.farthest * 10.0).round() / 10.0;
        let trace = Trace {
            series: self.series.clone(),
            instance: self.instance.clone(),
            lines: drawn.lines,
            distance: (farthest > 0.0).then_some(farthest),
        };
        (!trace.lines.is_empty()).then_some(trace)
    }

    /// Column, row, and millimetres off the plane. Image Position is the centre of a pixel whose corner is column 0, row 0.
    fn seen(&self, point: [f64; 3]) -> [f64; 3] {
        let [x, y, z] = self.plane.position;
        let from = [point[0] - x, point[1] - y, point[2] - z];
        let [row, column] = self.plane.orientation;
        let [between_rows, between_columns] = self.plane.spacing;
        [dot(from, row) / between_columns + 0.5, dot(from, column) / between_rows + 0.5, dot(from, self.normal)]
    }

    /// Least and most of each.
    fn bounds(&self) -> [[f64; 2]; 3] {
        let [columns, rows] = self.size;
        // Ten nanometres more: a point half-way between two slices is in both, however it is rounded.
        let half = self.half + 1e-5;
        [[0.0, columns], [0.0, rows], [-half, half]]
    }
}

/// What is within an image so far.
#[derive(Default)]
struct Drawn {
    lines: Vec<Vec<[f64; 2]>>,
    farthest: f64,
}

impl Drawn {
    /// A step of a line; it goes on from the last one where it begins where that ended.
    fn take(&mut self, from: [f64; 3], to: [f64; 3], bounds: [[f64; 2]; 3]) {
        let Some(ends) = within(from, to, bounds) else { return };
        self.farthest = ends.iter().map(|end| end[2].abs()).fold(self.farthest, f64::max);
        let [begin, end] = ends.map(|[column, row, _]| [column, row].map(|number| (number * 100.0).round() / 100.0));
        match self.lines.last_mut() {
            Some(line) if line.last() == Some(&begin) => {
                if begin != end {
                    line.push(end);
                }
            }
            _ if begin == end => self.lines.push(vec![begin]),
            _ => self.lines.push(vec![begin, end]),
        }
    }
}

/// The part of a step that is within bounds (Liang and Barsky, 1984).
fn within(from: [f64; 3], to: [f64; 3], bounds: [[f64; 2]; 3]) -> Option<[[f64; 3]; 2]> {
    if !from.iter().chain(&to).all(|number| number.is_finite()) {
        return None;
    }
    let (mut first, mut last) = (0.0_f64, 1.0_f64);
    for ((from, to), [least, most]) in from.into_iter().zip(to).zip(bounds) {
        let way = to - from;
        if way == 0.0 {
            if from < least || from > most {
                return None;
            }
            continue;
        }
        let ends = [(least - from) / way, (most - from) / way];
        first = first.max(ends[0].min(ends[1]));
        last = last.min(ends[0].max(ends[1]));
    }
    let at = |part: f64| [0, 1, 2].map(|axis| from[axis] + (to[axis] - from[axis]) * part);
    (first <= last).then(|| [at(first), at(last)])
}

fn cross([a, b, c]: [f64; 3], [d, e, f]: [f64; 3]) -> [f64; 3] {
    [b * f - c * e, c * d - a * f, a * e - b * d]
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
