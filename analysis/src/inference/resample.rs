//! Resizing along one axis after the other.

use medvan_profiles::descriptor::inference::Resize;

/// The pixels of which one element is made, and how much of each.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Taps {
    /// The first of them.
    pub(super) first: usize,
    /// Of it and those behind it; together 1.
    pub(super) weights: Vec<f32>,
}

/// For each of `to` elements the pixels of `from` that it is made of. Neither is 0.
pub(super) fn taps(resize: Resize, from: usize, to: usize) -> Vec<Taps> {
    let step = from as f64 / to as f64;
    let one = |at: usize| match resize {
        Resize::Bilinear => between((at as f64 + 0.5) * step - 0.5, from),
        Resize::Area => covered(at as f64 * step, (at + 1) as f64 * step, from),
    };
    (0..to).map(one).collect()
}

/// The two pixels whose centres are nearest to a place; beyond the last centre only the last one.
pub(super) fn between(at: f64, count: usize) -> Taps {
    let at = at.clamp(0.0, (count - 1) as f64);
    let first = at.floor() as usize;
    let rest = (at - first as f64) as f32;
    let weights = if rest > 0.0 && first + 1 < count { vec![1.0 - rest, rest] } else { vec![1.0] };
    Taps { first, weights }
}

/// The pixels of a stretch, by how much of it they cover.
fn covered(begin: f64, end: f64, count: usize) -> Taps {
    let first = (begin.floor() as usize).min(count - 1);
    let last = (end.ceil() as usize).clamp(first + 1, count);
    let part = |pixel: usize| ((pixel + 1) as f64).min(end) - (pixel as f64).max(begin);
    let parts: Vec<f64> = (first..last).map(|pixel| part(pixel).max(0.0)).collect();
    let sum: f64 = parts.iter().sum();
    let weights = parts.iter().map(|part| if sum > 0.0 { (part / sum) as f32 } else { 0.0 }).collect();
    Taps { first, weights }
}

/// Resizes an image whose channels stand together.
pub(super) fn resized(
    values: &[f32],
    [columns, rows]: [usize; 2],
    channels: usize,
    to: [usize; 2],
    resize: Resize,
) -> Vec<f32> {
    if [columns, rows] == to {
        return values.to_vec();
    }
    let (across, down) = (taps(resize, columns, to[0]), taps(resize, rows, to[1]));
    let width = to[0] * channels;
    let mut narrow = vec![0.0; width * rows];
    for (row, out) in values.chunks_exact(columns * channels).zip(narrow.chunks_exact_mut(width)) {
        for (taps, out) in across.iter().zip(out.chunks_exact_mut(channels)) {
            let pixels = row[taps.first * channels..].chunks_exact(channels);
            for (pixel, weight) in pixels.zip(&taps.weights) {
                out.iter_mut().zip(pixel).for_each(|(out, value)| *out += value * weight);
            }
        }
    }
    let mut made = vec![0.0; width * to[1]];
    for (taps, out) in down.iter().zip(made.chunks_exact_mut(width)) {
        for (row, weight) in narrow[taps.first * width..].chunks_exact(width).zip(&taps.weights) {
            out.iter_mut().zip(row).for_each(|(out, value)| *out += value * weight);
        }
    }
    made
}
