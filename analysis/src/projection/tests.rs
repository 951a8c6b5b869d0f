//! Places in the patient, and the pixels in which images show them.

use medvan_imaging::Uid;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::inputs::{InputImage, InputSeries, Plane};

const FRAME: &str = "1.2.840.9";

/// An image of 100 columns and 50 rows; pixels are 2 mm wide and 4 mm high.
#[derive(Clone, Copy)]
struct Image {
    name: &'static str,
    position: [f64; 3],
    orientation: [[f64; 3]; 2],
    thickness: Option<f64>,
}

const AXIAL: [[f64; 3]; 2] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];
const CORONAL: [[f64; 3]; 2] = [[1.0, 0.0, 0.0], [0.0, 0.0, -1.0]];

fn axial(name: &'static str, height: f64, thickness: impl Into<Option<f64>>) -> Image {
    Image { name, position: [-100.0, -100.0, height], orientation: AXIAL, thickness: thickness.into() }
}

impl Image {
    fn input(&self) -> InputImage {
        let plane = Plane {
            frame_of_reference: Uid::known(FRAME),
            position: self.position,
            orientation: self.orientation,
            spacing: [4.0, 2.0],
            thickness: self.thickness,
        };
        InputImage {
            instance: Uid::known(self.name),
            class: Uid::known("1.2.840.10008.5.1.4.1.1.2"),
            number: None,
            rows: 50,
            columns: 100,
            frames: 1,
            plane: Some(plane),
            grey: None,
        }
    }
}

fn series(images: &[Image]) -> Inputs {
    of(images.iter().map(Image::input).collect())
}

fn of(images: Vec<InputImage>) -> Inputs {
    let series = InputSeries { uid: Uid::known("1.3"), modality: "CT".to_owned(), images };
    Inputs { series: vec![series], ..Inputs::default() }
}

fn findings(places: &[serde_json::Value]) -> Findings {
    let code = json!({"scheme": "SCT", "code": "27925004", "meaning": "Nodule"});
    let finding =
        |(at, place): (usize, &serde_json::Value)| json!({"id": at.to_string(), "code": code, "place": place});
    let findings: Vec<_> = places.iter().enumerate().map(finding).collect();
    serde_json::from_value(json!({"format": "1", "findings": findings})).unwrap()
}

fn point(at: [f64; 3]) -> serde_json::Value {
    json!({"type": "patient-point", "frameOfReference": FRAME, "at": at})
}

fn line(points: &[[f64; 3]]) -> serde_json::Value {
    json!({"type": "patient-polyline", "frameOfReference": FRAME, "points": points})
}

/// What an image shows: its name, its lines, and how far off they are.
type Drawn = (String, Vec<Vec<[f64; 2]>>, Option<f64>);

fn shown(images: &Inputs, place: serde_json::Value) -> Vec<Drawn> {
    let told = Projector::new(images).project(&findings(&[place]));
    let traces = told.into_iter().flat_map(|projection| projection.images);
    traces.map(|trace| (trace.instance.to_string(), trace.lines, trace.distance)).collect()
}

#[test]
fn a_point_is_in_the_images_within_half_a_slice() {
    let stack = [axial("1", 0.0, 5.0), axial("2", 5.0, 5.0), axial("3", 10.0, 5.0)];
    for (at, expected) in [
        // The centre of the first pixel is half a pixel from its corner.
        ([-100.0, -100.0, 5.0], vec![("2", [0.5, 0.5], None)]),
        ([-101.0, -102.0, 5.0], vec![("2", [0.0, 0.0], None)]),
        ([0.0, 0.0, 7.0], vec![("2", [50.5, 25.5], Some(2.0))]),
        ([0.0, 0.0, 7.5], vec![("2", [50.5, 25.5], Some(2.5)), ("3", [50.5, 25.5], Some(2.5))]),
        ([0.0, 0.0, -2.0], vec![("1", [50.5, 25.5], Some(2.0))]),
        ([0.0, 0.0, 5.04], vec![("2", [50.5, 25.5], None)]),
        ([0.0, 0.0, -2.6], vec![]),
        ([0.0, 0.0, 12.6], vec![]),
        // Beside the image on each side.
        ([-101.1, 0.0, 5.0], vec![]),
        ([99.1, 0.0, 5.0], vec![]),
        ([0.0, -102.1, 5.0], vec![]),
        ([0.0, 98.1, 5.0], vec![]),
        ([1e5, 1e5, 1e5], vec![]),
    ] {
        let expected: Vec<_> =
            expected.into_iter().map(|(name, at, distance)| (name.to_owned(), vec![vec![at]], distance)).collect();
        assert_eq!(shown(&series(&stack), point(at)), expected, "{at:?}");
    }
}

/// How thick a slice is: what it says or what lies between it and its neighbours, and never much.
#[test]
fn a_slice_reaches_as_far_as_it_is_thick_or_its_neighbours_are_away() {
    for (images, reach) in [
        (vec![axial("1", 0.0, 3.0)], 1.5),
        (vec![axial("1", 0.0, 1.0), axial("2", 4.0, 1.0)], 2.0),
        (vec![axial("1", 0.0, 6.0), axial("2", 2.0, 6.0)], 3.0),
        (vec![axial("1", 0.0, None), axial("2", 4.0, None)], 2.0),
        (vec![axial("1", 0.0, None)], 0.5),
        (vec![axial("1", 0.0, 0.0)], 0.5),
        // The same place twice, as at two times.
        (vec![axial("1", 0.0, 1.0), axial("2", 0.0, 1.0), axial("3", 4.0, 1.0)], 2.0),
        // A gap does not make the other slices thicker.
        (vec![axial("1", 0.0, 1.0), axial("2", 2.0, 1.0), axial("3", 4.0, 1.0), axial("4", 40.0, 1.0)], 1.0),
        // A survey, and a projection through the whole body.
        (vec![axial("1", 0.0, 5.0), axial("2", 60.0, 5.0)], 5.0),
        (vec![axial("1", 0.0, 400.0)], 5.0),
        // One that lies across is no neighbour.
        (vec![axial("1", 0.0, 1.0), Image { orientation: CORONAL, ..axial("2", 8.0, 1.0) }], 0.5),
    ] {
        let images = series(&images);
        let is_in_first = |depth: f64| shown(&images, point([0.0, 50.0, -depth])).iter().any(|(name, ..)| name == "1");
        assert!(is_in_first(reach - 0.01) && !is_in_first(reach + 0.01), "{reach}");
    }
}

#[test]
fn of_a_line_an_image_shows_what_is_in_its_slice() {
    let stack = [axial("1", 0.0, 2.0), axial("2", 2.0, 2.0)];
    let both = |first: Vec<Vec<[f64; 2]>>, second: Vec<Vec<[f64; 2]>>| {
        vec![("1".to_owned(), first, Some(1.0)), ("2".to_owned(), second, Some(1.0))]
    };
    for (points, expected) in [
        // Within the plane: as it is.
        (
            vec![[0.0, 0.0, 0.0], [20.0, 0.0, 0.0], [20.0, 40.0, 0.0]],
            vec![("1".to_owned(), vec![vec![[50.5, 25.5], [60.5, 25.5], [60.5, 35.5]]], None)],
        ),
        // Straight through: a point in each.
        (vec![[0.0, 0.0, -50.0], [0.0, 0.0, 50.0]], both(vec![vec![[50.5, 25.5]]], vec![vec![[50.5, 25.5]]])),
        // Through them aslant: 4 mm to the right for each millimetre up.
        (
            vec![[-4.0, 0.0, -1.0], [8.0, 0.0, 2.0]],
            vec![
                ("1".to_owned(), vec![vec![[48.5, 25.5], [52.5, 25.5]]], Some(1.0)),
                ("2".to_owned(), vec![vec![[52.5, 25.5], [54.5, 25.5]]], Some(1.0)),
            ],
        ),
        // Out of the slice and into it again at another place: two lines.
        (
            vec![[0.0, 0.0, 0.0], [4.0, 0.0, 0.0], [4.0, 0.0, -9.0], [20.0, 0.0, -9.0], [20.0, 0.0, 0.0]],
            vec![("1".to_owned(), vec![vec![[50.5, 25.5], [52.5, 25.5]], vec![[60.5, 25.5]]], Some(1.0))],
        ),
        // As far as the image goes.
        (
            vec![[-500.0, 0.0, 0.0], [500.0, 0.0, 0.0]],
            vec![("1".to_owned(), vec![vec![[0.0, 25.5], [100.0, 25.5]]], None)],
        ),
        (vec![[-500.0, 0.0, 0.0], [-400.0, 0.0, 0.0]], vec![]),
        (vec![[0.0, 0.0, 40.0], [9.0, 0.0, 50.0]], vec![]),
    ] {
        assert_eq!(shown(&series(&stack), line(&points)), expected, "{points:?}");
    }
}

#[test]
fn every_orientation_has_its_own_columns_and_rows() {
    let half = 0.5_f64.sqrt();
    for (orientation, position, at, expected) in [
        (CORONAL, [-100.0, 7.0, 100.0], [0.0, 7.0, 60.0], [50.5, 10.5]),
        ([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0]], [7.0, -100.0, 100.0], [7.0, 0.0, 60.0], [50.5, 10.5]),
        // Turned by 45 degrees around the axis of the body.
        ([[half, half, 0.0], [0.0, 0.0, -1.0]], [0.0, 0.0, 0.0], [20.0 * half, 20.0 * half, -8.0], [10.5, 2.5]),
        // Seen from the other side.
        ([[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [100.0, -100.0, 0.0], [60.0, 0.0, 0.0], [20.5, 25.5]),
    ] {
        let image = Image { name: "1", position, orientation, thickness: Some(1.0) };
        assert_eq!(shown(&series(&[image]), point(at)), [("1".to_owned(), vec![vec![expected]], None)]);
    }
}

#[test]
fn what_does_not_say_where_it_lies_shows_nothing() {
    let good = axial("1", 0.0, 5.0);
    let plane = |change: fn(&mut Plane)| {
        let mut image = good.input();
        change(image.plane.as_mut().unwrap());
        image
    };
    for image in [
        InputImage { plane: None, ..good.input() },
        InputImage { frames: 2, ..good.input() },
        plane(|plane| plane.frame_of_reference = Uid::known("1.2.840.10")),
        plane(|plane| plane.orientation = [[0.0; 3]; 2]),
        plane(|plane| plane.orientation = [[1.0, 0.0, 0.0]; 2]),
        plane(|plane| plane.orientation = [[9.0, 0.0, 0.0], [0.0, 9.0, 0.0]]),
        plane(|plane| plane.orientation = [[f64::NAN; 3]; 2]),
        plane(|plane| plane.spacing = [0.0, 1.0]),
        plane(|plane| plane.spacing = [1.0, -1.0]),
        plane(|plane| plane.spacing = [1e-320, 1e-320]),
        plane(|plane| plane.position = [f64::INFINITY; 3]),
    ] {
        assert_eq!(shown(&of(vec![image.clone()]), point([0.0, 0.0, 0.0])), [], "{image:?}");
    }
    assert_eq!(shown(&of(vec![good.input()]), point([0.0, 0.0, 0.0])).len(), 1);
}

#[test]
fn only_what_is_there_is_placed_and_the_others_are_drawn_where_they_are() {
    let images = series(&[axial("1", 0.0, 5.0)]);
    let on_image = json!({"type": "point", "image": {"instance": "1"}, "at": [1, 1]});
    let mut told = findings(&[point([0.0; 3]), on_image, point([0.0; 3]), point([0.0, 0.0, 900.0])]);
    assert!(has_places(&told));
    told.findings[0].presence = crate::finding::Presence::Absent;
    let placed = Projector::new(&images).project(&told);
    let images_of: Vec<(usize, usize)> = placed.iter().map(|one| (one.finding, one.images.len())).collect();
    assert_eq!(images_of, [(2, 1), (3, 0)], "of the last it is said that no image shows it");
    told.findings.truncate(2);
    assert!(!has_places(&told));
}

/// A line of many points through many images, again and again: what is too much is left out whole, and counted.
#[test]
fn what_is_too_much_is_left_out_and_counted() {
    let heights = (0..500).map(|slice| axial("1", f64::from(slice), 1.0));
    let images = series(&heights.collect::<Vec<_>>());
    let through = line(&[[0.0, 0.0, 0.0], [0.0, 0.0, 499.0]]);
    let mut projector = Projector::new(&images);
    let placed = projector.project(&findings(&vec![through; 60]));
    assert_eq!((placed.len(), projector.omitted()), (TRACES / 500, 60 - TRACES / 500));
    assert!(placed.iter().all(|one| one.images.len() == 500));

    let far: Vec<[f64; 3]> = (0..1_000).map(|step| [f64::from(step), 0.0, -900.0]).collect();
    let mut projector = Projector { looked_at: LOOKED_AT - 1_000_000, ..Projector::new(&images) };
    let placed = projector.project(&findings(&vec![line(&far); 3]));
    assert_eq!((placed.len(), projector.omitted()), (2, 1));
}

proptest! {
    /// Nothing is drawn outside of an image, nor told nearer than it is.
    #[test]
    fn a_trace_lies_in_its_image(points in prop::collection::vec(prop::array::uniform3(-150.0..150.0), 2..20)) {
        let images = series(&[axial("1", 0.0, 5.0), axial("2", 5.0, 5.0), Image { orientation: CORONAL, ..axial("3", 50.0, 3.0) }]);
        for (_, lines, distance) in shown(&images, line(&points)) {
            for [column, row] in lines.into_iter().flatten() {
                prop_assert!((0.0..=100.0).contains(&column) && (0.0..=50.0).contains(&row));
            }
            prop_assert!(distance.unwrap_or(0.0) <= 2.5);
        }
    }

    /// A point between two neighbours is always in the image that is nearer.
    #[test]
    fn a_point_is_in_the_nearest_image(height in 0.0..20.0_f64) {
        let stack = [("1", 0.0), ("2", 5.0), ("3", 10.0), ("4", 15.0), ("5", 20.0)];
        let nearest = stack.iter().min_by(|a, b| (a.1 - height).abs().total_cmp(&(b.1 - height).abs())).unwrap().0;
        let images = series(&stack.map(|(name, at)| axial(name, at, 1.0)));
        let shown = shown(&images, point([0.0, 0.0, height]));
        prop_assert!(shown.iter().any(|(name, ..)| name == nearest));
    }
}
