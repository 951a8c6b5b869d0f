//! The members of a [`Place`], read directly. Serde would hold a tagged object as a tree before it knows its type: a mask of
//! millions of runs takes a twentieth of that this way.

use std::fmt;

use medvan_imaging::Uid;
use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess, Visitor},
};

use super::{FRAMES, ImageName, MaskFrame, POINTS, Place, bounded};

/// Every member that some kind of place has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Fields {
    r#type: Kind,
    image: Option<ImageName>,
    at: Option<Coordinates>,
    from: Option<Coordinates>,
    to: Option<Coordinates>,
    points: Option<Points>,
    frame_of_reference: Option<Uid>,
    frames: Option<Frames>,
    heat_map: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Image,
    Point,
    Polyline,
    Box,
    PatientPoint,
    PatientPolyline,
    Mask,
    HeatMap,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Points(#[serde(deserialize_with = "bounded::at_most::<_, _, POINTS>")] Vec<Coordinates>);

#[derive(Deserialize)]
#[serde(transparent)]
struct Frames(#[serde(deserialize_with = "bounded::at_most::<_, _, FRAMES>")] Vec<MaskFrame>);

/// Two or three numbers.
#[derive(Clone, Copy)]
enum Coordinates {
    Image([f64; 2]),
    Patient([f64; 3]),
}

/// The members that each kind has, in the words of a refusal.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("other members than its type has, expected {0}")]
pub(super) struct OtherMembers(&'static str);

impl TryFrom<Fields> for Place {
    type Error = OtherMembers;

    fn try_from(fields: Fields) -> Result<Self, OtherMembers> {
        let (kind, members) = (fields.r#type, fields.r#type.members());
        fields.place(kind).ok_or(OtherMembers(members))
    }
}

impl Fields {
    fn place(self, kind: Kind) -> Option<Place> {
        let Self { r#type: _, image, at, from, to, points, frame_of_reference: frame, frames, heat_map } = self;
        match (kind, image, at, from, to, points, frame, frames, heat_map) {
            (Kind::Image, Some(image), None, None, None, None, None, None, None) => Some(Place::Image { image }),
            (Kind::Point, Some(image), Some(Coordinates::Image(at)), None, None, None, None, None, None) => {
                Some(Place::Point { image, at })
            }
            (Kind::Polyline, Some(image), None, None, None, Some(points), None, None, None) => {
                Some(Place::Polyline { image, points: points.in_image()? })
            }
            (
                Kind::Box,
                Some(image),
                None,
                Some(Coordinates::Image(from)),
                Some(Coordinates::Image(to)),
                None,
                None,
                None,
                None,
            ) => Some(Place::Box { image, from, to }),
            (Kind::PatientPoint, None, Some(Coordinates::Patient(at)), None, None, None, Some(frame), None, None) => {
                Some(Place::PatientPoint { frame_of_reference: frame, at })
            }
            (Kind::PatientPolyline, None, None, None, None, Some(points), Some(frame), None, None) => {
                Some(Place::PatientPolyline { frame_of_reference: frame, points: points.in_patient()? })
            }
            (Kind::Mask, None, None, None, None, None, None, Some(frames), None) => {
                Some(Place::Mask { frames: frames.0 })
            }
            (Kind::HeatMap, None, None, None, None, None, None, None, Some(heat_map)) => {
                Some(Place::HeatMap { heat_map })
            }
            _ => None,
        }
    }
}

impl Kind {
    fn members(self) -> &'static str {
        match self {
            Self::Image => "`image` only",
            Self::Point => "`image` and `at` (column and row) only",
            Self::Polyline => "`image` and `points` (columns and rows) only",
            Self::Box => "`image`, `from` and `to` (column and row) only",
            Self::PatientPoint => "`frameOfReference` and `at` (three numbers) only",
            Self::PatientPolyline => "`frameOfReference` and `points` (of three numbers) only",
            Self::Mask => "`frames` only",
            Self::HeatMap => "`heatMap` only",
        }
    }
}

impl Points {
    fn in_image(self) -> Option<Vec<[f64; 2]>> {
        let point = |point| match point {
            Coordinates::Image(point) => Some(point),
            Coordinates::Patient(_) => None,
        };
        self.0.into_iter().map(point).collect()
    }

    fn in_patient(self) -> Option<Vec<[f64; 3]>> {
        let point = |point| match point {
            Coordinates::Patient(point) => Some(point),
            Coordinates::Image(_) => None,
        };
        self.0.into_iter().map(point).collect()
    }
}

impl<'de> Deserialize<'de> for Coordinates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(TwoOrThree)
    }
}

struct TwoOrThree;

impl<'de> Visitor<'de> for TwoOrThree {
    type Value = Coordinates;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("two numbers in an image or three in the patient")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Coordinates, A::Error> {
        let mut numbers = [0.0; 3];
        let mut count = 0;
        while let Some(number) = list.next_element::<f64>()? {
            *numbers.get_mut(count).ok_or_else(|| de::Error::invalid_length(count + 1, &self))? = number;
            count += 1;
        }
        let [a, b, c] = numbers;
        match count {
            2 => Ok(Coordinates::Image([a, b])),
            3 => Ok(Coordinates::Patient([a, b, c])),
            _ => Err(de::Error::invalid_length(count, &self)),
        }
    }
}
