//! [`along_the_normal`]: the order in which the slices of a volume lie.

use crate::inputs::Plane;

/// Cosine from which on two slices count as parallel.
const PARALLEL: f64 = 0.999;

/// The places of slices in the order in which they lie: along the normal of the first one, which of axial slices points to the
/// head. As they came where one of them does not say where it lies, or they are not parallel.
pub fn along_the_normal(planes: &[Option<&Plane>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..planes.len()).collect();
    if let Some(positions) = positions(planes) {
        order.sort_by(|one, other| positions[*one].total_cmp(&positions[*other]));
    }
    order
}

fn positions(planes: &[Option<&Plane>]) -> Option<Vec<f64>> {
    let normal = normal((*planes.first()?)?);
    let position = |plane: &Option<&Plane>| {
        let plane = (*plane)?;
        (dot(self::normal(plane), normal) > PARALLEL).then(|| dot(normal, plane.position))
    };
    planes.iter().map(position).collect()
}

fn normal(plane: &Plane) -> [f64; 3] {
    let [[a, b, c], [d, e, f]] = plane.orientation;
    [b * f - c * e, c * d - a * f, a * e - b * d]
}

fn dot(one: [f64; 3], other: [f64; 3]) -> f64 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use medvan_imaging::Uid;

    use super::*;

    fn plane(position: [f64; 3], orientation: [[f64; 3]; 2]) -> Plane {
        let frame_of_reference = Uid::parse("2.25.1").unwrap();
        Plane { frame_of_reference, position, orientation, spacing: [1.0, 1.0], thickness: None }
    }

    #[test]
    fn slices_are_put_in_order_where_they_say_where_they_lie() {
        let axial = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];
        let at = |z: f64| plane([0.0, 0.0, z], axial);
        let (head, middle, feet) = (at(30.0), at(0.0), at(-30.0));
        assert_eq!(along_the_normal(&[Some(&head), Some(&feet), Some(&middle)]), [1, 2, 0]);
        assert_eq!(along_the_normal(&[Some(&head), None, Some(&middle)]), [0, 1, 2]);
        let coronal = plane([0.0, 0.0, -90.0], [[1.0, 0.0, 0.0], [0.0, 0.0, -1.0]]);
        assert_eq!(along_the_normal(&[Some(&head), Some(&coronal)]), [0, 1]);
        assert_eq!(along_the_normal(&[]), [0_usize; 0]);
    }
}
