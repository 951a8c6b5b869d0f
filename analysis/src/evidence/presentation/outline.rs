//! Outlines of masks: closed lines along the edges of pixels, made from the runs without a raster.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::MaskFrame;

/// A corner: between which columns and rows it lies, counted from the upper left corner of the image.
pub(super) type Corner = [u32; 2];

/// Loops with fewer corners stay as they are: a small thing is not to vanish.
const SMALL: usize = 9;

/// The closed lines around everything inside, the first corner again at the end of each; nothing where they have more than
/// `most` corners in all.
pub(super) fn outlines(mask: &MaskFrame, columns: u32, most: usize) -> Option<Vec<Vec<Corner>>> {
    let corners = corners(mask, columns as usize, most)?;
    let below = vertical_neighbours(&corners);
    let mut seen = vec![false; corners.len()];
    let mut loops = Vec::new();
    for start in 0..corners.len() {
        let mut line = Vec::new();
        let mut at = start;
        while !seen[at] {
            // Corners of one row are pairs: between each is an edge.
            let beside = at ^ 1;
            (seen[at], seen[beside]) = (true, true);
            line.extend([corners[at], corners[beside]]);
            at = below[beside];
        }
        if let Some(first) = line.first().copied() {
            line.push(first);
            loops.push(line);
        }
    }
    Some(loops)
}

/// Where lines along the rows begin and end: row after row, from left to right, an even number in each. Between two rows of pixels
/// there is an edge wherever exactly one of them is inside.
fn corners(mask: &MaskFrame, columns: usize, most: usize) -> Option<Vec<Corner>> {
    let mut rows: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (begin, length) in mask.inside() {
        for (row, [left, right]) in pieces(begin, length, columns) {
            rows.entry(row).or_default().extend([left, right]);
        }
    }
    let mut corners = Vec::new();
    let none = Vec::new();
    let edges = rows.keys().flat_map(|row| [*row, *row + 1]).collect::<BTreeSet<usize>>();
    for edge in edges {
        let above = edge.checked_sub(1).and_then(|row| rows.get(&row)).unwrap_or(&none);
        let below = rows.get(&edge).unwrap_or(&none);
        let mut ends: Vec<usize> = above.iter().filter(|end| below.binary_search(end).is_err()).copied().collect();
        ends.extend(below.iter().filter(|end| above.binary_search(end).is_err()));
        ends.sort_unstable();
        corners.extend(ends.into_iter().map(|column| [column as u32, edge as u32]));
        if corners.len() > most {
            return None;
        }
    }
    Some(corners)
}

/// A run row by row: where it begins in each, and behind its end.
fn pieces(begin: usize, length: usize, columns: usize) -> impl Iterator<Item = (usize, [usize; 2])> {
    let columns = columns.max(1);
    let end = begin + length;
    (begin / columns..end.div_ceil(columns)).map(move |row| {
        let first = row * columns;
        (row, [begin.max(first) - first, end.min(first + columns) - first])
    })
}

/// For each corner the one at the other end of its edge along the column: in a column too they are pairs.
fn vertical_neighbours(corners: &[Corner]) -> Vec<usize> {
    let mut by_column: Vec<usize> = (0..corners.len()).collect();
    by_column.sort_unstable_by_key(|at| corners[*at]);
    let mut neighbours = vec![0; corners.len()];
    for pair in by_column.chunks_exact(2) {
        (neighbours[pair[0]], neighbours[pair[1]]) = (pair[1], pair[0]);
    }
    neighbours
}

/// The line without corners that lie nearer than so many pixels to the one before.
pub(super) fn thinned(line: &[Corner], pixels: u32) -> Vec<Corner> {
    let [first, inner @ .., last] = line else { return line.to_vec() };
    if pixels == 0 || line.len() <= SMALL {
        return line.to_vec();
    }
    let mut kept = vec![*first];
    let mut before = *first;
    for corner in inner {
        let distance = corner[0].abs_diff(before[0]).max(corner[1].abs_diff(before[1]));
        if distance > pixels {
            kept.push(*corner);
            before = *corner;
        }
    }
    kept.push(*last);
    kept
}
