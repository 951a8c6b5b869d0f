//! Answers that hold, and ones that do not.

use super::*;

fn read(text: &str) -> Result<Answer, Vec<Refused>> {
    Answer::read(text.as_bytes(), None)
}

/// An answer with one output.
fn with(output: Value) -> Result<Answer, Vec<Refused>> {
    answer(&json!([output]))
}

#[test]
fn elements_may_stand_in_one_list_or_in_lists() {
    for data in [json!([1, 2.5, -3, 4]), json!([[1, 2.5], [-3, 4]]), json!([[[1], [2.5]], [[-3], [4]]])] {
        let answer = with(json!({ "name": "y", "datatype": "FP32", "shape": [2, 2], "data": data })).unwrap();
        assert_eq!(answer.tensor("y").unwrap().data, [1.0, 2.5, -3.0, 4.0]);
    }
    let truths = with(json!({ "name": "y", "datatype": "BOOL", "shape": [2], "data": [true, false] })).unwrap();
    assert_eq!(truths.tensor("y").unwrap().data, [1.0, 0.0]);
}

#[test]
fn elements_may_stand_behind_the_json() {
    let json = json!({ "outputs": [
        { "name": "scores", "datatype": "FP32", "shape": [1, 2], "parameters": { "binary_data_size": 8 } },
        { "name": "json", "datatype": "INT64", "shape": [1], "data": [7] },
        { "name": "labels", "datatype": "INT64", "shape": [1], "parameters": { "binary_data_size": 8 } },
    ]})
    .to_string();
    let mut body = json.clone().into_bytes();
    body.extend([0.5_f32.to_le_bytes(), 2.0_f32.to_le_bytes()].concat());
    body.extend((-3_i64).to_le_bytes());
    let answer = Answer::read(&body, Some(json.len() as u64)).unwrap();
    assert_eq!(answer.tensor("scores").unwrap().data, [0.5, 2.0]);
    assert_eq!(answer.tensor("labels").unwrap().data, [-3.0]);
    let short = Answer::read(&body[..body.len() - 1], Some(json.len() as u64));
    assert_eq!(refusal(short).1, "the answer ends before the tensor does");
    assert_eq!(
        refusal(Answer::read(&body, Some(1 << 40))).1,
        "its Inference-Header-Content-Length is longer than the answer"
    );
}

#[test]
fn what_does_not_hold_is_refused_with_its_place() {
    let base = json!({ "name": "y", "datatype": "FP32", "shape": [2], "data": [0, 1] });
    let changed = |member: &str, value: Value| {
        let mut output = base.clone();
        output[member] = value;
        refusal(with(output))
    };
    let table = [
        ("shape", json!([3]), "/outputs/0/data", "it has more or fewer elements than its shape"),
        ("shape", json!([u64::MAX, 2]), "/outputs/0/data", "it has more or fewer elements than its shape"),
        ("datatype", json!("BYTES"), "/outputs/0/datatype", "the tensor has another type than can be taken"),
        ("data", Value::Null, "/outputs/0/data", "it has no elements, or twice"),
    ];
    for (member, value, place, reason) in table {
        assert_eq!(changed(member, value), (place.to_owned(), reason.to_owned()), "{member}");
    }
    // Where a server writes null it had no number.
    for wrong in [json!([null, 1]), json!(["Yamada", 1]), json!({ "a": 1 })] {
        let (_, reason) = changed("data", wrong);
        assert!(reason.starts_with("it is no answer of the Open Inference Protocol"), "{reason}");
    }
    assert_eq!(refusal(with(base.clone()).unwrap().tensor("z").map(|_| ()).map_err(|one| vec![one])).0, "/outputs");
}

/// An answer with elements of two bytes behind its JSON.
fn of_two_bytes(datatype: &str, elements: &[u16], size: usize) -> Result<Answer, Vec<Refused>> {
    let parameters = json!({ "binary_data_size": size });
    let output = json!({ "name": "y", "datatype": datatype, "shape": [elements.len()], "parameters": parameters });
    let json = json!({ "outputs": [output] }).to_string();
    let behind = elements.iter().flat_map(|element| element.to_le_bytes());
    Answer::read(&json.bytes().chain(behind).collect::<Vec<u8>>(), Some(json.len() as u64))
}

#[test]
fn elements_of_two_bytes_are_read() {
    for (datatype, elements, values) in [
        ("FP16", [0x3c00, 0xc000, 0x7bff, 0x0001], [1.0, -2.0, 65_504.0, 2.0_f64.powi(-24)]),
        ("BF16", [0x3f80, 0xc000, 0x4780, 0x0080], [1.0, -2.0, 65_536.0, 2.0_f64.powi(-126)]),
    ] {
        assert_eq!(of_two_bytes(datatype, &elements, 8).unwrap().tensor("y").unwrap().data, values, "{datatype}");
        let odd = refusal(of_two_bytes(datatype, &elements, 7));
        assert_eq!(odd.1, "the tensor has another type than can be taken");
    }
}

#[test]
fn no_element_is_other_than_finite() {
    for (datatype, element) in
        [("FP16", 0x7c00), ("FP16", 0xfc00), ("FP16", 0x7e00), ("BF16", 0x7f80), ("BF16", 0xff80), ("BF16", 0x7fc0)]
    {
        let refused = refusal(of_two_bytes(datatype, &[0, element], 4));
        assert_eq!(refused.1, "an element is not a finite number", "{datatype} {element:x}");
    }
    for number in [f32::NAN, f32::NEG_INFINITY] {
        let output = json!({ "name": "y", "datatype": "FP32", "shape": [1], "parameters": { "binary_data_size": 4 } });
        let json = json!({ "outputs": [output] }).to_string();
        let body = [json.as_bytes(), &number.to_le_bytes()].concat();
        let refused = refusal(Answer::read(&body, Some(json.len() as u64)));
        assert_eq!(refused.1, "an element is not a finite number");
    }
}

#[test]
fn what_is_no_such_json_is_refused_without_repeating_it() {
    let deep = format!(r#"{{"outputs":[{{"name":"y","datatype":"FP32","shape":[1],"data":{}"#, "[".repeat(100_000));
    let many = format!(r#"{{"outputs":[{}null]}}"#, "0,".repeat(1000));
    for (text, reason) in [
        (r#"{"outputs":[{"name":"y","datatype":"FP32","shape":[1],"data":[NaN]}]}"#, "it cannot be read as JSON"),
        (r#"{"outputs":[{"name":"y","datatype":"FP32","shape":[1],"data":[1e999]}]}"#, "it cannot be read as JSON"),
        (r#"{"outputs":[{"name":"Yamada","shape":[1],"data":[1]}]}"#, "it is no answer"),
        (r#"{"outputs":[{"name":"y","datatype":"FP32","shape":[-1],"data":[1]}]}"#, "it is no answer"),
        (r#"{"outputs":[{"name":"y","datatype":"FP32","shape":[1,1,1,1,1,1,1,1,1],"data":[1]}]}"#, "it is no answer"),
        (r#"{"error":"Yamada has no model"}"#, "it is no answer"),
        ("{\"outputs\":[", "the answer ends too early"),
        (&deep, "it is no answer"),
        (&many, "it is no answer"),
    ] {
        let (_, told) = refusal(read(text));
        assert!(told.starts_with(reason) && !told.contains("Yamada"), "{told}");
    }
}

proptest! {
    /// No bytes make the reader panic.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), length in prop::option::of(0_u64..300)) {
        let _ = Answer::read(&bytes, length);
    }

    /// Nor do outputs of any shape make the gatherer panic.
    #[test]
    fn any_shapes_are_taken_or_refused(
        shapes in prop::collection::vec(prop::collection::vec(0_usize..5, 0..6), 3),
        images in 1_usize..3,
        layout in prop_oneof!["NCHW", "NHWC", "NCDHW"],
        number in -1.0..2.0_f64,
    ) {
        let labels = json!([label("A"), label("B"), silent("C")]);
        let mut outputs = vec![
            json!({ "kind": "classes", "tensor": "t0", "activation": "sigmoid", "labels": labels, "threshold": 0.1 }),
            json!({ "kind": "mask", "tensor": "t1", "pick": "argmax", "labels": labels }),
            json!({ "kind": "mask", "tensor": "t2", "pick": "threshold", "labels": labels, "threshold": 0.5 }),
        ];
        if layout != "NCDHW" {
            outputs.push(json!({ "kind": "boxes", "tensor": "t1", "format": "cxcywh", "scores": "t2", "labels": labels, "threshold": 0.1 }));
        }
        let tensors: Vec<Value> = shapes.iter().enumerate().map(|(at, shape)| {
            let count: usize = shape.iter().product();
            json!({ "name": format!("t{at}"), "datatype": "FP32", "shape": shape, "data": vec![number; count] })
        }).collect();
        for output in outputs {
            let way = way(json!({ "layout": layout, "depth": 3 }), json!([output]));
            let _ = found(&way, &vec![[5, 3]; images], &json!(tensors));
        }
    }
}
