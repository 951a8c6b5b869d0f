//! Where slices lie: their plane, the distance between them, and whether some are missing.

use medvan_profiles::descriptor::images::Orientation;

/// Millimetres by which two positions may differ and be the same.
const SAME: f64 = 0.01;
/// A neighbour that is farther away than this times the usual distance leaves a gap.
const GAP: f64 = 1.5;
/// Cosine from which on a direction counts as an axis of the body: about 25 degrees, a gantry's tilt.
const ALONG: f64 = 0.9;
/// Slices that are looked at.
const MOST: usize = 20_000;

/// The slices of a series.
#[derive(Debug, Clone, Default)]
pub(super) struct Planes {
    normal: Option<[f64; 3]>,
    /// Along the normal.
    positions: Vec<f64>,
}

impl Planes {
    /// One slice more. Slices of another plane than the first one's are passed over.
    pub(super) fn push(&mut self, orientation: [f64; 6], position: [f64; 3]) {
        let Some(normal) = normal(orientation) else { return };
        let own = *self.normal.get_or_insert(normal);
        if self.positions.len() < MOST && dot(own, normal) > 0.999 {
            self.positions.push(dot(own, position));
        }
    }

    pub(super) fn orientation(&self) -> Option<Orientation> {
        let [x, y, z] = self.normal?.map(f64::abs);
        Some(match () {
            () if z > ALONG => Orientation::Axial,
            () if y > ALONG => Orientation::Coronal,
            () if x > ALONG => Orientation::Sagittal,
            () => Orientation::Oblique,
        })
    }

    /// The usual distance between neighbours in millimetres, and whether there is a gap.
    pub(super) fn spacing(&self) -> Option<(f64, bool)> {
        let mut positions = self.positions.clone();
        positions.sort_by(f64::total_cmp);
        positions.dedup_by(|a, b| (*a - *b).abs() < SAME);
        let mut distances: Vec<f64> = positions.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let farthest = distances.iter().copied().fold(0.0, f64::max);
        distances.sort_by(f64::total_cmp);
        let usual = *distances.get(distances.len().checked_sub(1)? / 2)?;
        Some((usual, farthest > usual * GAP))
    }
}

fn normal([a, b, c, d, e, f]: [f64; 6]) -> Option<[f64; 3]> {
    let cross = [b * f - c * e, c * d - a * f, a * e - b * d];
    let length = dot(cross, cross).sqrt();
    (length.is_finite() && length > 0.5).then(|| cross.map(|part| part / length))
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
