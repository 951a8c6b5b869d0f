//! [`Known`]: everything that a result may name: the job's images, the other results, and what was delivered before.

use std::collections::{HashMap, HashSet};

use dicom_dictionary_std::tags;
use medvan_imaging::Uid;

use super::{
    Job,
    object::{Kind, Object},
};
use crate::inputs::{InputImage, whole};

/// What may be named.
#[derive(Debug)]
pub(super) struct Known<'a> {
    pub(super) study: Option<Uid>,
    instances: HashMap<Uid, Instance<'a>>,
    series: HashSet<Uid>,
    pub(super) frames_of_reference: HashSet<&'a Uid>,
    /// Series of the job's images, in their order.
    pub(super) inputs: &'a crate::inputs::Inputs,
}

/// An instance that may be named.
#[derive(Debug)]
pub(super) struct Instance<'a> {
    pub(super) class: Uid,
    pub(super) series: Uid,
    pub(super) frames: u32,
    /// Numbers of its segments, where it is a segmentation of this job.
    pub(super) segments: HashSet<u32>,
    /// The image of the job that it is.
    pub(super) image: Option<&'a InputImage>,
    /// Which of the results it is.
    pub(super) result: Option<usize>,
}

impl<'a> Known<'a> {
    pub(super) fn of<'o>(job: &Job<'a>, results: impl Iterator<Item = (usize, &'o Object)>) -> Self {
        let inputs = job.inputs;
        let mut known = Self {
            study: inputs.study_uid(),
            instances: HashMap::new(),
            series: HashSet::new(),
            frames_of_reference: HashSet::new(),
            inputs,
        };
        for earlier in job.earlier {
            known.put(&earlier.series, earlier.instance.clone(), Instance::of(earlier.class.clone(), &earlier.series));
        }
        for (at, object) in results {
            let mut instance = Instance::of(object.reference.class.clone(), &object.reference.series);
            instance.result = Some(at);
            instance.frames = whole(&object.said, tags::NUMBER_OF_FRAMES).unwrap_or(1);
            if object.kind == Kind::Segmentation {
                let segments = object.said.items(tags::SEGMENT_SEQUENCE).iter();
                instance.segments = segments.filter_map(|segment| whole(segment, tags::SEGMENT_NUMBER)).collect();
            }
            known.put(&object.reference.series, object.reference.instance.clone(), instance);
        }
        for series in &inputs.series {
            for image in &series.images {
                let mut instance = Instance::of(image.class.clone(), &series.uid);
                (instance.frames, instance.image) = (image.frames, Some(image));
                known.put(&series.uid, image.instance.clone(), instance);
                known.frames_of_reference.extend(image.plane.as_ref().map(|plane| &plane.frame_of_reference));
            }
        }
        known
    }

    fn put(&mut self, series: &Uid, uid: Uid, instance: Instance<'a>) {
        self.series.insert(series.clone());
        self.instances.insert(uid, instance);
    }

    pub(super) fn instance(&self, uid: &Uid) -> Option<&Instance<'a>> {
        self.instances.get(uid)
    }

    pub(super) fn has_series(&self, uid: &Uid) -> bool {
        self.series.contains(uid)
    }
}

impl Instance<'_> {
    fn of(class: Uid, series: &Uid) -> Self {
        Self { class, series: series.clone(), frames: 1, segments: HashSet::new(), image: None, result: None }
    }
}
