//! Bare models behind the Open Inference Protocol: what they say of tensors lies at the right place of the images.

use medvan_fixtures::{
    models::{self, RunningModels, compute::MISBEHAVING},
    studies::{DensitySpheres, Sphere},
};
use serde_json::{Value, json};

use crate::{
    analysis::{PICTURE, REPORT, SEGMENTATION, finds, made, stage, stores, text, waits_for},
    world::World,
};

async fn runs(world: &World, models: &RunningModels, names: &[&str]) {
    for name in names {
        world.enrolls(&models.descriptor(name), json!("live")).await;
    }
}

/// The data sets of all instances of a class that services made of a study.
async fn evidence(world: &World, study: &DensitySpheres, class: &str) -> Vec<Value> {
    let found = finds(world, &format!("studies/{}/instances", study.study_uid())).await;
    let mut whole = Vec::new();
    for instance in found.iter().filter(|instance| text(instance, "00080016") == class) {
        let [series, uid] = ["0020000E", "00080018"].map(|tag| text(instance, tag).to_owned());
        let path = format!("studies/{}/series/{series}/instances/{uid}/metadata", study.study_uid());
        whole.extend(finds(world, &path).await);
    }
    whole
}

/// Calls `look` on every data set within a data set.
fn each(data_set: &Value, look: &mut impl FnMut(&Value)) {
    look(data_set);
    for attribute in data_set.as_object().into_iter().flat_map(|members| members.values()) {
        for item in attribute["Value"].as_array().into_iter().flatten().filter(|item| item.is_object()) {
            each(item, look);
        }
    }
}

/// Regions of a report: the instance in which each is, and its left, top, right and bottom.
fn regions(report: &Value) -> Vec<(String, [f64; 4])> {
    let mut regions = Vec::new();
    each(report, &mut |item| {
        let Some(points) = item["00700022"]["Value"].as_array() else { return };
        let points: Vec<f64> = points.iter().filter_map(Value::as_f64).collect();
        let edge =
            |axis: usize, pick: fn(f64, f64) -> f64| points.iter().skip(axis).step_by(2).copied().reduce(pick).unwrap();
        let edges = [edge(0, f64::min), edge(1, f64::min), edge(0, f64::max), edge(1, f64::max)];
        each(item, &mut |reference| {
            let uid = text(reference, "00081155");
            if !uid.is_empty() {
                regions.push((uid.to_owned(), edges));
            }
        });
    });
    regions
}

/// Left, top, right and bottom of a sphere in the slice through its middle.
fn seen(study: &DensitySpheres, sphere: &Sphere) -> (String, [f64; 4]) {
    let slice = (sphere.center[2] / study.step).round() as u32 + 1;
    // Coordinates begin at the corner of the pixel in whose middle the phantom's do.
    let [x, y] = [sphere.center[0], sphere.center[1]].map(|at| at / study.spacing + 0.5);
    let radius = sphere.radius / study.spacing;
    (study.instance_uid(slice).to_string(), [x - radius, y - radius, x + radius, y + radius])
}

#[tokio::test]
async fn what_a_model_finds_in_its_tensor_lies_at_the_right_place_of_the_image() {
    let world = stage().await;
    let models = models::start().await.unwrap();
    runs(&world, &models, &["spots"]).await;
    let study = DensitySpheres::default();
    stores(&world, study.files()).await;
    waits_for(&world, "done", 1).await;
    // 40 slices, 8 in a request.
    assert_eq!(models.calls(), 5);
    let mut made = made(&world, &study.study_uid()).await;
    made.dedup();
    assert_eq!(made, [SEGMENTATION, PICTURE, REPORT]);

    let reports = evidence(&world, &study, REPORT).await;
    let regions = regions(&reports[0]);
    for sphere in &study.spheres {
        let (instance, edges) = seen(&study, sphere);
        let found: Vec<_> = regions.iter().filter(|(uid, _)| *uid == instance).collect();
        // An element of the tensor has two rows and columns of the image.
        let is_near = |found: &[f64; 4]| found.iter().zip(edges).all(|(one, other)| (one - other).abs() <= 2.5);
        assert!(found.iter().any(|(_, found)| is_near(found)), "{instance}: {edges:?}, {found:?}");
    }
    let empty = study.instance_uid(1).to_string();
    assert!(regions.iter().all(|(uid, _)| *uid != empty), "{regions:?}");

    let heard: String = models.received().iter().map(|received| received.text.clone()).collect();
    for word in
        [study.patient_id.as_str(), "模型", study.study_uid().as_str(), study.series_uid().as_str(), empty.as_str()]
    {
        assert!(!heard.contains(word), "the model heard {word}");
    }
}

#[tokio::test]
async fn the_same_is_found_however_tensors_travel() {
    let world = stage().await;
    let models = models::start().await.unwrap();
    let mut binary = models.descriptor("spots");
    binary["id"] = json!("spots-in-binary");
    binary["images"][0]["way"]["encoding"] = json!("binary");
    runs(&world, &models, &["spots"]).await;
    world.enrolls(&binary, json!("live")).await;
    let study = DensitySpheres::default();
    stores(&world, study.files()).await;
    waits_for(&world, "done", 2).await;
    let lengths =
        models.received().into_iter().filter(|got| got.headers.contains_key("inference-header-content-length"));
    assert_eq!((models.calls(), lengths.count()), (10, 5));
    let reports = evidence(&world, &study, REPORT).await;
    let [one, other] = reports.as_slice() else { panic!("{} reports", reports.len()) };
    assert!(!regions(one).is_empty());
    assert_eq!(regions(one), regions(other));
}

#[tokio::test]
async fn a_classifier_tells_of_the_images_that_show_something() {
    let world = stage().await;
    let models = models::start().await.unwrap();
    runs(&world, &models, &["brightness"]).await;
    let study = DensitySpheres::default();
    stores(&world, study.files()).await;
    waits_for(&world, "done", 1).await;
    let mut told = Vec::new();
    let report = evidence(&world, &study, REPORT).await.remove(0);
    each(&report, &mut |item| {
        // Source of Measurement (121112, DCM); the report lists all images elsewhere.
        if text(&item["0040A043"]["Value"][0], "00080100") == "121112" {
            each(item, &mut |reference| told.push(text(reference, "00081155").to_owned()));
        }
    });
    for (slice, is_told) in [(1, false), (15, true), (24, false), (29, true), (40, false)] {
        assert_eq!(told.contains(&study.instance_uid(slice).to_string()), is_told, "slice {slice}");
    }
}

#[tokio::test]
async fn a_volume_is_one_request_and_its_mask_lies_in_the_slices() {
    let world = stage().await;
    let models = models::start().await.unwrap();
    runs(&world, &models, &["volume"]).await;
    let study = DensitySpheres::default();
    stores(&world, study.files()).await;
    waits_for(&world, "done", 1).await;
    assert_eq!(models.calls(), 1);
    let segmentation = evidence(&world, &study, SEGMENTATION).await.remove(0);
    let mut masked = Vec::new();
    each(&json!({ "52009230": segmentation["52009230"] }), &mut |item| masked.push(text(item, "00081155").to_owned()));
    for (slice, is_masked) in [(1, false), (15, true), (29, true), (40, false)] {
        assert_eq!(masked.contains(&study.instance_uid(slice).to_string()), is_masked, "slice {slice}");
    }
    let mut values = Vec::new();
    let report = evidence(&world, &study, REPORT).await.remove(0);
    each(&report, &mut |item| {
        values.extend(text(item, "0040A30A").parse::<f64>().ok().or(item["0040A30A"]["Value"][0].as_f64()))
    });
    let bright: f64 = study.spheres.iter().map(Sphere::volume).sum();
    // The tensor's padding makes it larger than the phantom.
    let whole = f64::from(study.size) * study.spacing * 96.0 / 64.0
        * f64::from(study.size)
        * study.spacing
        * f64::from(study.slices)
        * study.step;
    assert!(values.iter().any(|value| (value / (bright / whole) - 1.0).abs() < 0.15), "{values:?} {}", bright / whole);
}

#[tokio::test]
async fn a_model_that_answers_nonsense_is_told_why_and_costs_nobody_else_anything() {
    let world = stage().await;
    let models = models::start().await.unwrap();
    runs(&world, &models, &["spots"]).await;
    for (name, _) in MISBEHAVING {
        let mut descriptor = models.descriptor(name);
        descriptor["images"][0]["limits"]["deadlineSeconds"] = json!(if *name == "never" { 2 } else { 60 });
        world.enrolls(&descriptor, json!("live")).await;
    }
    let study = DensitySpheres::default();
    stores(&world, study.files()).await;
    waits_for(&world, "done", 1).await;
    let jobs = waits_for(&world, "dead", MISBEHAVING.len()).await;
    assert_eq!(evidence(&world, &study, REPORT).await.len(), 1, "nothing of the others is delivered");
    let fault = |name: &str| {
        let job = jobs.iter().find(|job| job["service"] == format!("rindo.{name}")).unwrap();
        job["fault"].as_str().unwrap().to_owned()
    };
    for (name, reason) in [
        ("refusing", "the model server refuses the request with status 400"),
        ("failing", "status 500"),
        ("not-a-number", "there is no NaN"),
        ("infinite", "/outputs/1/data: an element is not a finite number"),
        (
            "misshaped",
            "/outputs/2/shape: the tensor has another shape than the descriptor says; answer with [8, 1, rows, columns]",
        ),
        ("nameless", "a tensor is missing; answer with boxes"),
        ("texts", "it is no answer of the Open Inference Protocol"),
        ("far-away", "a box lies outside of the input; check relative and format"),
        ("everywhere", "too much is found; declare a higher threshold or a lower top"),
        ("html", "not JSON"),
        ("never", "no complete answer in time"),
    ] {
        assert!(fault(name).contains(reason), "{name}: {}", fault(name));
        assert!(!fault(name).contains("CUDA") && !fault(name).contains("bright\""), "{name}: {}", fault(name));
    }
}
