//! Descriptors of bare models.

use serde_json::{Value, json};

use super::super::{Descriptor, images::ImageWay, inference::Layout, inference_example_text};

/// The faults after the example was changed at some places; `null` takes a member away.
fn faults(changes: &[(&str, Value)]) -> Vec<(String, String)> {
    let mut descriptor: Value = serde_json::from_str(inference_example_text()).unwrap();
    for (place, value) in changes {
        let (around, name) = place.rsplit_once('/').unwrap();
        match descriptor.pointer_mut(around).unwrap() {
            Value::Array(items) => items[name.parse::<usize>().unwrap()] = value.clone(),
            around if value.is_null() => drop(around.as_object_mut().unwrap().remove(name).unwrap()),
            around => around[name] = value.clone(),
        }
    }
    let faults = Descriptor::check(&descriptor).err().unwrap_or_default();
    for fault in &faults {
        assert!(!fault.mend.is_empty() && !fault.mend_ja.is_empty() && !fault.reason_ja.is_empty(), "{fault:?}");
    }
    faults.into_iter().map(|fault| (fault.place, fault.reason)).collect()
}

#[track_caller]
fn refused(changes: &[(&str, Value)], place: &str, reason: &str) {
    assert_eq!(faults(changes), [(place.to_owned(), reason.to_owned())], "{changes:?}");
}

#[test]
fn the_example_passes_and_comes_back_as_it_was() {
    let value: Value = serde_json::from_str(inference_example_text()).unwrap();
    let descriptor = Descriptor::check(&value).unwrap();
    let ImageWay::Inference(way) = &descriptor.images[0].way else { panic!("another way") };
    assert_eq!((way.input.layout, way.input.elements(), way.batch), (Layout::Nchw, 3 * 512 * 512, 8));
    let written = serde_json::to_value(&descriptor.images[0].way).unwrap();
    assert_eq!(written["outputs"][0], value["images"][0]["way"]["outputs"][0]);
    assert_eq!(written["kind"], "inference");
}

const WAY: &str = "/images/0/way";

#[test]
fn each_form_has_its_own_members() {
    let at = |rest: &str| format!("{WAY}{rest}");
    for (rest, value, reason) in [
        ("/model", json!("a/b"), "it does not have the required form"),
        ("/model", json!(".."), "it does not have the required form"),
        ("/version", json!(3), "it is not a text"),
        ("/path", json!("/x"), "no such member is known here"),
        ("/input", Value::Null, "the member is missing"),
        ("/input/datatype", json!("FP64"), "it is none of the allowed values"),
        ("/input/channels", json!(2), "it is none of the allowed values"),
        ("/input/width", json!(0), "the number is too small"),
        ("/input/intensity/deviation", json!([0, 1, 1]), "the number is too small"),
        ("/outputs", json!([]), "it is empty or too short"),
        ("/outputs/0/kind", json!("answers"), "it is none of the allowed values"),
        ("/outputs/0/labels/1/code/scheme", json!("ICD10"), "it does not have the required form"),
        ("/outputs/0/labels/1/code/code", json!("a\\b"), "it does not have the required form"),
        ("/outputs/0/labels/1/code/meaning", json!("<b>"), "it does not have the required form"),
        ("/outputs/0/labels/1/code/meaning", json!(" "), "it does not have the required form"),
        ("/outputs/0/scores", json!("x"), "no such member is known here"),
        ("/outputs/1/threshold", json!(1.5), "the number is too large"),
        ("/outputs/1/scores", Value::Null, "the member is missing"),
    ] {
        let found = faults(&[(&at(rest), value)]);
        assert_eq!(found.len(), 1, "{rest}: {found:?}");
        assert!(found[0].0.starts_with(&at(rest)) && found[0].1 == reason, "{rest}: {found:?}");
    }
}

#[test]
fn a_tensor_that_cannot_be_made_is_refused() {
    let input = |rest: &str| format!("{WAY}/input/{rest}");
    let intensity = |rest: &str| format!("{WAY}/input/intensity/{rest}");
    refused(&[(&input("depth"), json!(2))], &input("depth"), "an image has no depth");
    refused(&[("/images/1/way/input/depth", Value::Null)], "/images/1/way/input/depth", "a volume needs a depth");
    refused(&[("/images/1/way/batch", json!(2))], "/images/1/way/batch", "volumes are sent one by one");
    for (member, value) in [("batch", json!(64)), ("encoding", json!("json"))] {
        refused(&[(&format!("{WAY}/{member}"), value)], &format!("{WAY}/input"), "the tensor is too large");
    }
    refused(&[(&input("datatype"), json!("UINT8"))], &input("intensity"), "UINT8 cannot hold these values");
    for datatype in ["FP16", "BF16"] {
        let datatype = (&*input("datatype"), json!(datatype));
        assert_eq!(faults(std::slice::from_ref(&datatype)), []);
        let encoding = format!("{WAY}/encoding");
        for value in [json!("json"), Value::Null] {
            let changes = [datatype.clone(), (&*encoding, value), ("/images/0/way/batch", json!(1))];
            refused(&changes, &encoding, "FP16 and BF16 cannot be sent in JSON");
        }
    }
    for (datatype, member, value, holds) in [
        ("FP16", "range", json!([0, 65504]), false), // divided by less than 1
        ("FP16", "range", json!([0, 14000]), true),
        ("FP16", "padding", json!(-65505), false),
        ("FP16", "deviation", json!([1, 1, 0.000001]), false),
        ("FP16", "mean", json!([0, 0, -20000]), false),
        ("BF16", "deviation", json!([1, 1, 0.000001]), true),
        ("FP32", "padding", json!(-65505), true),
    ] {
        let changes = [(&*input("datatype"), json!(datatype)), (&*intensity(member), value)];
        if holds {
            assert_eq!(faults(&changes), [], "{changes:?}");
        } else {
            refused(&changes, &input("intensity"), "FP16 cannot hold these values");
        }
    }
    let bytes = json!({ "from": "shown", "range": [0, 255], "padding": 114 });
    assert_eq!(faults(&[(&input("datatype"), json!("UINT8")), (&input("intensity"), bytes)]), []);
    refused(&[(&intensity("window"), Value::Null)], &intensity("window"), "the window is missing");
    refused(&[(&intensity("from"), json!("shown"))], &intensity("window"), "values do not come from a window");
    refused(&[(&intensity("range"), json!([1, 0]))], &intensity("range"), "the range does not rise");
    let modality = json!({ "from": "modality", "padding": -1024, "range": [0, 1] });
    refused(
        &[(&input("intensity"), modality)],
        &intensity("range"),
        "values of the modality are not spread over a range",
    );
    refused(
        &[("/images/1/way/input/fit", json!("pad-end"))],
        "/images/1/way/input/intensity/padding",
        "nothing says what padding is",
    );
    refused(&[(&intensity("mean"), json!([0, 0]))], &intensity("mean"), "there are not as many numbers as channels");
}

#[test]
fn an_output_that_cannot_be_told_is_refused() {
    let output = |rest: &str| format!("{WAY}/outputs/{rest}");
    refused(&[(&output("0/labels/1/silent"), json!(true))], &output("0/labels"), "nothing is ever told");
    let twice = json!({ "kind": "mask", "tensor": "logits", "pick": "index", "labels": [{ "code": { "scheme": "SCT", "code": "1", "meaning": "m" } }] });
    refused(&[(&output("2"), twice)], &output("2/tensor"), "these tensors are described twice");
    refused(
        &[(&output("1/activation"), json!("softmax"))],
        &output("1/activation"),
        "softmax needs a score for each box and label",
    );
    refused(&[(&output("2/threshold"), Value::Null)], &output("2/threshold"), "the threshold is missing");
    refused(
        &[(&output("2/threshold"), json!(2))],
        &output("2/activation"),
        "probabilities are made for a threshold from 0 to 1",
    );
    refused(
        &[(&output("2/pick"), json!("argmax")), (&output("2/activation"), json!("none"))],
        &output("2/threshold"),
        "no threshold picks here",
    );
    let boxes =
        serde_json::from_str::<Value>(inference_example_text()).unwrap()["images"][0]["way"]["outputs"][1].clone();
    refused(&[("/images/1/way/outputs/0", boxes)], "/images/1/way/outputs/0/kind", "a volume has no rectangles");
}
