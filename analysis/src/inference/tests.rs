#![expect(clippy::needless_pass_by_value, reason = "tables write their JSON where they pass it")]

use std::sync::Arc;

use medvan_imaging::Uid;
use medvan_profiles::descriptor::inference::InferenceWay;
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Asked, Fitted, Gatherer, Pixels, Request, Tensor, TensorBuilder, Unwritable};
use crate::finding::{Finding, Findings, ImageName, MaskFrame, Place, Refused};

mod answers;
mod images;
mod outputs;

/// A way with this input and these outputs.
fn way(input: Value, outputs: Value) -> InferenceWay {
    let mut whole = json!({
        "name": "x", "datatype": "FP32", "layout": "NCHW", "channels": 1, "height": 4, "width": 4,
        "intensity": { "from": "shown" },
    });
    whole.as_object_mut().unwrap().extend(input.as_object().unwrap().clone());
    serde_json::from_value(json!({ "model": "m", "input": whole, "outputs": outputs })).unwrap()
}

fn label(meaning: &str) -> Value {
    json!({ "code": { "scheme": "99TEST", "code": meaning.to_lowercase(), "meaning": meaning } })
}

fn silent(meaning: &str) -> Value {
    let mut label = label(meaning);
    label["silent"] = json!(true);
    label
}

/// A grey image with these values.
fn grey(columns: u32, rows: u32, values: impl Into<Vec<f32>>) -> Pixels {
    Pixels { columns, rows, channels: 1, values: values.into() }
}

fn tensor_of(way: &InferenceWay, images: &[Pixels]) -> Tensor {
    let mut builder = TensorBuilder::new(&way.input, images.len());
    for image in images {
        builder.push(image).unwrap();
    }
    builder.finish()
}

/// The images of a request, each of so many columns and rows.
fn asked(way: &InferenceWay, sizes: &[[u32; 2]]) -> Vec<Asked> {
    let one = |(at, [columns, rows]): (usize, &[u32; 2])| Asked {
        series: Uid::parse("2.25.9").unwrap(),
        image: ImageName { instance: Uid::parse(&format!("2.25.10{at}")).unwrap(), frame: None },
        fitted: Fitted::new(&way.input, *columns, *rows),
    };
    sizes.iter().enumerate().map(one).collect()
}

fn answer(outputs: &Value) -> Result<Answer, Vec<Refused>> {
    Answer::read(json!({ "model_name": "m", "outputs": outputs }).to_string().as_bytes(), None)
}

/// What is found of one request's answer.
fn found(way: &InferenceWay, sizes: &[[u32; 2]], outputs: &Value) -> Result<Vec<Finding>, Vec<Refused>> {
    let mut gatherer = Gatherer::new(Arc::new(way.clone()));
    gatherer.take(&asked(way, sizes), &answer(outputs)?)?;
    Ok(gatherer.finish()?.findings)
}

/// The place and the reason of the one refusal.
fn refusal<T: std::fmt::Debug>(result: Result<T, Vec<Refused>>) -> (String, String) {
    let mut refused = result.unwrap_err();
    assert_eq!(refused.len(), 1, "{refused:?}");
    let refused = refused.remove(0);
    assert!(!refused.mend.is_empty());
    (refused.place, refused.reason)
}
