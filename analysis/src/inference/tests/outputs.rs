//! Tensors that come back, as findings in the coordinates of the images.

use super::*;

fn output(name: &str, shape: Value, data: Value) -> Value {
    json!({ "name": name, "datatype": "FP32", "shape": shape, "data": data })
}

/// What was found, and how sure.
fn told(findings: &[Finding]) -> Vec<(&str, Option<f64>)> {
    let rounded = |number: f64| (number * 1e6).round() / 1e6;
    findings.iter().map(|finding| (finding.code.meaning.as_str(), finding.confidence.map(rounded))).collect()
}

fn classes(activation: &str, more: Value) -> InferenceWay {
    let labels = json!([silent("Normal"), label("Pneumonia"), label("Effusion")]);
    let mut output =
        json!({ "kind": "classes", "tensor": "y", "activation": activation, "labels": labels, "threshold": 0.3 });
    output.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    way(json!({}), json!([output]))
}

#[test]
fn classes_are_told_by_threshold_and_rank() {
    let softmax = classes("softmax", json!({}));
    let numbers = json!([0.0, 1.0_f64, 0.0, 9.0, 0.0, 0.0]);
    let both = found(&softmax, &[[8, 8], [8, 8]], &json!([output("y", json!([2, 3]), numbers)])).unwrap();
    // The second image is normal, which is not told.
    assert_eq!(told(&both), [("Pneumonia", Some(0.576117))]);
    assert_eq!(both[0].id, "Pneumonia 1");
    assert!(matches!(&both[0].place, Some(Place::Image { image }) if image.instance.as_str() == "2.25.100"));

    let sigmoid = classes("sigmoid", json!({}));
    let one = found(&sigmoid, &[[8, 8]], &json!([output("y", json!([3]), json!([-9, 0, 2]))])).unwrap();
    assert_eq!(told(&one), [("Effusion", Some(0.880797)), ("Pneumonia", Some(0.5))]);
    let top = classes("sigmoid", json!({ "top": 1 }));
    let one = found(&top, &[[8, 8]], &json!([output("y", json!([1, 3, 1, 1]), json!([-9, 0, 2]))])).unwrap();
    assert_eq!(told(&one), [("Effusion", Some(0.880797))]);
}

#[test]
fn numbers_that_claim_to_be_probabilities_must_be_some() {
    let plain = classes("none", json!({}));
    let refused = found(&plain, &[[8, 8]], &json!([output("y", json!([1, 3]), json!([4.5, 0, 1]))]));
    assert_eq!(refusal(refused), ("/outputs/0/data".to_owned(), "a score lies outside of 0 to 1".to_owned()));
    let rounded = found(&plain, &[[8, 8]], &json!([output("y", json!([1, 3]), json!([0, 1.00001, 0]))])).unwrap();
    assert_eq!(told(&rounded), [("Pneumonia", Some(1.0))]);
    for shape in [json!([3, 1, 2]), json!([1, 6]), json!([6])] {
        let refused = found(&plain, &[[8, 8]], &json!([output("y", shape, json!([0, 0, 0, 0, 0, 0]))]));
        assert_eq!(refusal(refused).0, "/outputs/0/shape");
    }
}

fn detector(input: Value, more: Value) -> InferenceWay {
    let mut boxes = json!({
        "kind": "boxes", "tensor": "boxes", "format": "xyxy", "scores": "scores",
        "labels": [label("Nodule"), label("Mass")], "threshold": 0.5,
    });
    boxes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    way(input, json!([boxes]))
}

fn places(findings: &[Finding]) -> Vec<[[f64; 2]; 2]> {
    let place = |finding: &Finding| match finding.place {
        Some(Place::Box { from, to, .. }) => [from, to],
        _ => panic!("{finding:?} is no box"),
    };
    findings.iter().map(place).collect()
}

#[test]
fn the_same_box_is_understood_in_every_format() {
    // 640 × 480 in 320 × 320 with padding above and below: columns 64 to 128, rows 80 to 240 of the image.
    let input = json!({ "width": 320, "height": 320, "fit": "pad-center" });
    let scores = output("scores", json!([1, 1, 2]), json!([0.1, 0.9]));
    for (format, relative, four) in [
        ("xyxy", false, [32.0, 80.0, 64.0, 160.0]),
        ("xywh", false, [32.0, 80.0, 32.0, 80.0]),
        ("cxcywh", false, [48.0, 120.0, 32.0, 80.0]),
        ("xyxy", true, [0.1, 0.25, 0.2, 0.5]),
        ("cxcywh", true, [0.15, 0.375, 0.1, 0.25]),
    ] {
        let way = detector(input.clone(), json!({ "format": format, "relative": relative }));
        let boxes = output("boxes", json!([1, 1, 4]), json!(four));
        let found = found(&way, &[[640, 480]], &json!([boxes, scores])).unwrap();
        assert_eq!(told(&found), [("Mass", Some(0.9))]);
        let [from, to] = places(&found)[0];
        for (found, expected) in [(from, [64.0, 80.0]), (to, [128.0, 240.0])] {
            assert!(
                (0..2).all(|axis| (found[axis] - expected[axis]).abs() < 1e-9),
                "{format} {relative}: {from:?} {to:?}"
            );
        }
    }
}

#[test]
fn boxes_are_cut_off_suppressed_and_counted() {
    let way =
        detector(json!({ "width": 100, "height": 100 }), json!({ "classes": "labels", "overlap": 0.5, "top": 3 }));
    let boxes = json!([
        [-5, 10, 20, 30], // over the edge
        [40, 40, 60, 60],
        [41, 41, 61, 61], // the same, less likely
        [41, 41, 61, 61], // the same place, another label
        [70, 70, 90, 90], // not likely
        [80, 10, 80, 30], // nothing
        [10, 80, 20, 90], // one too many
    ]);
    let outputs = json!([
        output("boxes", json!([7, 4]), boxes),
        output("scores", json!([7]), json!([0.9, 0.8, 0.7, 0.6, 0.4, 0.9, 0.55])),
        { "name": "labels", "datatype": "INT64", "shape": [7], "data": [0, 0, 0, 1, 0, 0, 0] },
    ]);
    let found = found(&way, &[[200, 100]], &outputs).unwrap();
    assert_eq!(told(&found), [("Nodule", Some(0.9)), ("Nodule", Some(0.8)), ("Mass", Some(0.6))]);
    assert_eq!(places(&found)[0], [[0.0, 10.0], [40.0, 30.0]]);
}

#[test]
fn no_box_is_an_answer() {
    let way = detector(json!({}), json!({ "classes": "labels" }));
    for (boxes, others) in [(json!([0, 4]), json!([0])), (json!([1, 0, 4]), json!([1, 0]))] {
        let outputs = ["scores", "labels"].map(|name| output(name, others.clone(), json!([])));
        let outputs = [&outputs[..], &[output("boxes", boxes, json!([]))]].concat();
        assert_eq!(found(&way, &[[8, 8]], &json!(outputs)).unwrap(), []);
    }
}

#[test]
fn boxes_that_another_format_explains_are_refused() {
    let way = detector(json!({ "width": 100, "height": 100 }), json!({ "classes": "labels" }));
    let told = |four: Value, score: f64, label: f64| {
        let outputs = json!([
            output("boxes", json!([1, 1, 4]), four),
            output("scores", json!([1, 1]), json!([score])),
            output("labels", json!([1, 1]), json!([label])),
        ]);
        refusal(found(&way, &[[50, 50]], &outputs)).1
    };
    let four = json!([10, 10, 20, 20]);
    assert_eq!(told(json!([50, 50, 20, 30]), 0.9, 0.0), "a box is turned round");
    assert_eq!(told(json!([500, 500, 600, 600]), 0.9, 0.0), "a box lies outside of the input");
    assert_eq!(told(four.clone(), 97.0, 0.0), "a score lies outside of 0 to 1");
    for label in [2.0, -1.0, 0.5] {
        assert_eq!(told(four.clone(), 0.9, label), "a box has a label that the descriptor does not have");
    }
}

#[test]
fn the_likeliest_boxes_are_compared_however_many_there_are() {
    let way = detector(json!({ "width": 100, "height": 100 }), json!({ "labels": [label("Nodule")], "top": 1000 }));
    let of = |scores: &[f64], images: usize| {
        let (count, scores) = (scores.len(), scores.repeat(images));
        let boxes = output("boxes", json!([images, count, 4]), json!(vec![[1, 1, 2, 2]; count * images]));
        let scores = output("scores", json!([images, count]), json!(scores));
        found(&way, &vec![[50, 50]; images], &json!([boxes, scores]))
    };
    // Rising: the likeliest come last, in the part that is looked at last.
    let rising: Vec<f64> = (0..5000).map(|at| 0.5 + f64::from(at) / 10_000.0).collect();
    for (scores, last) in [(&rising[..1000], 0.5), (&rising[..1001], 0.5001), (&rising[..], 0.9)] {
        let found = of(scores, 1).unwrap();
        let confidence = |at: usize| found[at].confidence.unwrap();
        assert_eq!((found.len(), confidence(0)), (1000, *scores.last().unwrap()));
        assert!((confidence(999) - last).abs() < 1e-9, "{}", confidence(999));
    }
    assert_eq!(refusal(of(&[0.9; 1000], 11)).1, "too much is found");
}

/// Packed boxes of nodules and masses in an input of 100 × 100.
fn yolo(order: &str, behind: &str, more: Value) -> InferenceWay {
    let mut boxes = json!({
        "kind": "packed-boxes", "tensor": "output0", "order": order, "behind": behind, "format": "cxcywh",
        "labels": [label("Nodule"), label("Mass")], "threshold": 0.4,
    });
    boxes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    way(json!({ "width": 100, "height": 100 }), json!([boxes]))
}

/// A tensor of these boxes of each image, in this order of dimensions.
fn packed_output(order: &str, images: &[Vec<Vec<f64>>]) -> Value {
    let (count, numbers) = (images[0].len(), images[0][0].len());
    let (shape, places): (_, Vec<[usize; 2]>) = match order {
        "boxes-first" => (
            json!([images.len(), count, numbers]),
            (0..count * numbers).map(|at| [at / numbers, at % numbers]).collect(),
        ),
        _ => (json!([images.len(), numbers, count]), (0..count * numbers).map(|at| [at % count, at / count]).collect()),
    };
    let data: Vec<f64> =
        images.iter().flat_map(|image| places.iter().map(|[number, at]| image[*number][*at])).collect();
    json!([output("output0", shape, json!(data))])
}

#[test]
fn packed_boxes_are_found_wherever_their_numbers_stand() {
    for order in ["boxes-first", "numbers-first"] {
        for (behind, [one, other, unlikely]) in [
            ("scores", [vec![0.9, 0.1], vec![0.2, 0.8], vec![0.3, 0.3]]),
            ("objectness-scores", [vec![1.0, 0.9, 0.1], vec![0.8, 0.1, 1.0], vec![0.5, 0.7, 0.7]]),
            ("score-label", [vec![0.9, 0.0], vec![0.8, 1.0], vec![0.0, -1.0]]),
        ] {
            let four = [vec![30.0, 40.0, 20.0, 10.0], vec![50.0, 60.0, 10.0, 20.0], vec![0.0; 4]];
            let boxes: Vec<Vec<f64>> =
                four.into_iter().zip([one, other, unlikely]).map(|(four, more)| [four, more].concat()).collect();
            let turned: Vec<Vec<f64>> = boxes.iter().rev().cloned().collect();
            let way = yolo(order, behind, json!({}));
            let found = found(&way, &[[200, 100], [100, 100]], &packed_output(order, &[boxes, turned])).unwrap();
            let expected = [("Nodule", Some(0.9)), ("Mass", Some(0.8)), ("Nodule", Some(0.9)), ("Mass", Some(0.8))];
            assert_eq!(told(&found), expected, "{order} {behind}");
            let [one, other] = [[[20.0, 35.0], [40.0, 45.0]], [[45.0, 50.0], [55.0, 70.0]]];
            let wide = |corners: [[f64; 2]; 2]| corners.map(|[x, y]| [x * 2.0, y]);
            assert_eq!(places(&found), [wide(one), wide(other), one, other], "{order} {behind}");
        }
    }
}

#[test]
fn packed_boxes_have_formats_activations_and_suppression_like_others() {
    let of = |more: Value, boxes: &[Vec<f64>]| {
        let way = yolo("boxes-first", "objectness-scores", more);
        found(&way, &[[100, 100]], &packed_output("boxes-first", &[boxes.to_vec()]))
    };
    let parts =
        of(json!({ "format": "xyxy", "relative": true }), &[vec![0.125, 0.25, 0.5, 0.75, 1.0, 0.75, 0.0]]).unwrap();
    assert_eq!(places(&parts), [[[12.5, 25.0], [50.0, 75.0]]]);
    let raw = of(json!({ "activation": "sigmoid" }), &[vec![50.0, 50.0, 10.0, 10.0, 0.0, 9.0, -9.0]]).unwrap();
    assert_eq!(told(&raw), [("Nodule", Some(0.499938))]);
    let same = |score: f64| vec![50.0, 50.0, 10.0, 10.0, 1.0, score, 0.0];
    let suppressed = of(json!({ "overlap": 0.5 }), &[same(0.5), same(0.75)]).unwrap();
    assert_eq!(told(&suppressed), [("Nodule", Some(0.75))]);
    let wrong = of(json!({}), &[vec![50.0, 50.0, 10.0, 10.0, 2.0, 0.5, 0.0]]);
    assert_eq!(refusal(wrong), ("/outputs/0/data".into(), "a score lies outside of 0 to 1".into()));
}

#[test]
fn packed_boxes_of_another_shape_are_refused_and_none_turned_round() {
    let shape = |order: &str, behind: &str, shape: Value, count: usize| {
        let outputs = json!([output("output0", shape, json!(vec![0.0; count]))]);
        found(&yolo(order, behind, json!({})), &[[100, 100]], &outputs).map_err(|refused| refused[0].mend.clone())
    };
    let expects = |expected: &str| Err(format!("answer with {expected}, or correct the descriptor"));
    for (order, behind, dimensions, expected) in [
        ("boxes-first", "scores", [1, 7, 6], Ok(vec![])),
        ("numbers-first", "scores", [1, 6, 7], Ok(vec![])),
        ("numbers-first", "scores", [1, 6, 0], Ok(vec![])),
        ("boxes-first", "scores", [1, 6, 7], expects("[1, boxes, 6]")),
        ("numbers-first", "scores", [1, 7, 6], expects("[1, 6, boxes]")),
        ("boxes-first", "objectness-scores", [1, 7, 6], expects("[1, boxes, 7]")),
        ("numbers-first", "objectness-scores", [1, 6, 7], expects("[1, 7, boxes]")),
        ("numbers-first", "scores", [2, 6, 7], expects("[1, 6, boxes]")),
        ("numbers-first", "scores", [6, 7, 1], expects("[1, 6, boxes]")),
    ] {
        let told = shape(order, behind, json!(dimensions), dimensions.iter().product());
        assert_eq!(told, expected, "{order} {behind} {dimensions:?}");
    }
    assert_eq!(shape("numbers-first", "scores", json!([6, 7]), 42), expects("[1, 6, boxes]"));
}

fn mask(pick: &str, labels: Value, input: Value, more: Value) -> InferenceWay {
    let mut mask = json!({ "kind": "mask", "tensor": "y", "pick": pick, "labels": labels });
    mask.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    way(input, json!([mask]))
}

fn frames(finding: &Finding) -> &[MaskFrame] {
    match &finding.place {
        Some(Place::Mask { frames }) => frames,
        _ => panic!("{finding:?} is no mask"),
    }
}

/// The pixels inside, as text.
fn picture(frame: &MaskFrame, columns: usize) -> Vec<String> {
    let pixels: usize = frame.runs.iter().map(|run| *run as usize).sum();
    let mut drawn = vec![b'.'; pixels];
    frame.inside().for_each(|(at, length)| drawn[at..at + length].fill(b'#'));
    drawn.chunks(columns).map(|row| String::from_utf8(row.to_vec()).unwrap()).collect()
}

#[test]
fn a_mask_is_laid_back_onto_the_image() {
    // 4 × 2 in 4 × 4 with padding above and below; the mask has half of the input's rows and columns.
    let labels = json!([silent("Background"), label("Lung")]);
    let way = mask("index", labels, json!({ "fit": "pad-center" }), json!({}));
    let outputs = json!([output("y", json!([1, 2, 2]), json!([[1, 0], [0, 1]]))]);
    let found = found(&way, &[[4, 2]], &outputs).unwrap();
    assert_eq!(picture(&frames(&found[0])[0], 4), ["##..", "..##"]);
    assert_eq!((told(&found), frames(&found[0])[0].runs.as_slice()), (vec![("Lung", None)], &[0, 2, 4, 2][..]));
}

#[test]
fn thresholds_and_highest_numbers_pick_labels() {
    let labels = json!([silent("Background"), label("Liver"), label("Spleen")]);
    let highest = mask("argmax", labels.clone(), json!({ "width": 2, "height": 1 }), json!({}));
    // By channel: background, liver, spleen.
    let outputs = json!([output("y", json!([1, 3, 1, 2]), json!([0.2, 0.1, 0.7, 0.2, 0.1, 0.7]))]);
    let all = found(&highest, &[[2, 1]], &outputs).unwrap();
    assert_eq!(told(&all), [("Liver", None), ("Spleen", None)]);
    assert_eq!(
        (picture(&frames(&all[0])[0], 2), picture(&frames(&all[1])[0], 2)),
        (vec!["#.".into()], vec![".#".into()])
    );

    let last = json!({ "width": 2, "height": 1, "layout": "NHWC" });
    let outputs = json!([output("y", json!([1, 1, 2, 3]), json!([0.2, 0.7, 0.1, 0.1, 0.2, 0.7]))]);
    assert_eq!(found(&mask("argmax", labels, last, json!({})), &[[2, 1]], &outputs).unwrap(), all);

    let threshold = json!({ "activation": "sigmoid", "threshold": 0.5 });
    let one = mask("threshold", json!([label("Lung")]), json!({ "width": 2, "height": 2 }), threshold);
    let outputs = json!([output("y", json!([1, 1, 2, 2]), json!([9, -9, -9, -9]))]);
    let found = found(&one, &[[4, 4]], &outputs).unwrap();
    // Between the middles of the mask's pixels numbers go over into each other.
    assert_eq!(picture(&frames(&found[0])[0], 4), ["##..", "##..", "....", "...."]);
}

#[test]
fn the_images_of_a_series_share_a_mask_and_other_sizes_have_their_own() {
    let labels = json!([label("Lung")]);
    let way = mask("threshold", labels, json!({ "width": 1, "height": 1 }), json!({ "threshold": 0.5 }));
    let outputs = json!([output("y", json!([3, 1, 1, 1]), json!([1, 1, 1]))]);
    let found = found(&way, &[[2, 2], [2, 2], [3, 1]], &outputs).unwrap();
    assert_eq!(found.iter().map(|finding| frames(finding).len()).collect::<Vec<_>>(), [2, 1]);
}

#[test]
fn a_volume_is_laid_back_onto_its_slices() {
    let labels = json!([silent("Background"), label("Lung")]);
    let input = json!({ "layout": "NCDHW", "depth": 2, "width": 1, "height": 1 });
    let way = mask("argmax", labels, input, json!({}));
    // Labels before layers: the second layer is lung.
    let outputs = json!([output("y", json!([1, 2, 2, 1, 1]), json!([1, 0, 0, 1]))]);
    let found = found(&way, &[[1, 1]; 4], &outputs).unwrap();
    let images: Vec<&str> = frames(&found[0]).iter().map(|frame| frame.image.instance.as_str()).collect();
    assert_eq!(images, ["2.25.102", "2.25.103"]);
}

#[test]
fn masks_that_do_not_fit_are_refused() {
    let labels = json!([silent("Background"), label("Lung")]);
    let way = mask("index", labels, json!({}), json!({}));
    let of = |shape: Value, data: Value| refusal(found(&way, &[[4, 4]], &json!([output("y", shape, data)]))).1;
    let shape = "the tensor has another shape than the descriptor says";
    assert_eq!(of(json!([2, 2, 2]), json!([0, 0, 0, 0, 0, 0, 0, 0])), shape);
    assert_eq!(of(json!([4]), json!([0, 0, 0, 0])), shape);
    assert_eq!(of(json!([1, 0, 4]), json!([])), shape);
    assert_eq!(of(json!([1, 2, 2]), json!([0, 1, 2, 0])), "a pixel has a label that the descriptor does not have");
}

#[test]
fn a_value_is_a_measurement() {
    let value = json!([{ "kind": "value", "tensor": "y", "label": label("Bone age"),
        "measurement": { "scheme": "99TEST", "code": "age", "meaning": "Age" }, "unit": "mo" }]);
    let way = way(json!({}), value.clone());
    let findings = found(&way, &[[8, 8], [8, 8]], &json!([output("y", json!([2, 1]), json!([130.5, 12]))])).unwrap();
    let values: Vec<f64> = findings.iter().map(|finding| finding.measurements[0].value).collect();
    assert_eq!((values, findings[0].measurements[0].unit.as_str()), (vec![130.5, 12.0], "mo"));
    let volume = super::way(json!({ "layout": "NCDHW", "depth": 2 }), value);
    let findings = found(&volume, &[[8, 8]; 5], &json!([output("y", json!([1]), json!([7]))])).unwrap();
    assert_eq!((findings.len(), &findings[0].place), (1, &None));
}

#[test]
fn what_is_gathered_is_an_answer_that_the_gateway_takes() {
    let way = detector(json!({ "width": 10, "height": 10 }), json!({}));
    let outputs =
        json!([output("boxes", json!([1, 4]), json!([1, 2, 3, 4])), output("scores", json!([1, 2]), json!([0.75, 0]))]);
    let mut gatherer = Gatherer::new(Arc::new(way.clone()));
    gatherer.take(&asked(&way, &[[10, 10]]), &answer(&outputs).unwrap()).unwrap();
    let text = serde_json::to_string(&gatherer.finish().unwrap()).unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&text).unwrap(),
        json!({ "format": "1", "findings": [{
            "id": "Nodule 1",
            "code": { "scheme": "99TEST", "code": "nodule", "meaning": "Nodule" },
            "confidence": 0.75,
            "place": { "type": "box", "image": { "instance": "2.25.100" }, "from": [1.0, 2.0], "to": [3.0, 4.0] },
        }]})
    );
    assert!(serde_json::from_str::<Findings>(&text).is_ok());
}

proptest! {
    /// A box of the image is found at its place, whatever the model's input looks like.
    #[test]
    fn a_box_comes_back_to_its_place(
        fit in prop_oneof!["stretch", "pad-center", "pad-end"],
        tensor in prop::array::uniform2(16_u32..1500),
        image in prop::array::uniform2(16_u32..4000),
        [a, b, c, d] in prop::array::uniform4(0.0..1.0_f64),
        relative in any::<bool>(),
    ) {
        let way = detector(
            json!({ "width": tensor[0], "height": tensor[1], "fit": fit }),
            json!({ "labels": [label("Nodule")], "relative": relative }),
        );
        let size = image.map(f64::from);
        let from = [a.min(c) * size[0], b.min(d) * size[1]];
        let to = [a.max(c) * size[0], b.max(d) * size[1]];
        prop_assume!(to[0] - from[0] > 1e-3 && to[1] - from[1] > 1e-3);
        let fitted = Fitted::new(&way.input, image[0], image[1]);
        let part = |[x, y]: [f64; 2]| if relative { [x / f64::from(tensor[0]), y / f64::from(tensor[1])] } else { [x, y] };
        let ([x1, y1], [x2, y2]) = (part(fitted.to_tensor(from)), part(fitted.to_tensor(to)));
        let outputs = json!([output("boxes", json!([1, 4]), json!([x1, y1, x2, y2])), output("scores", json!([1]), json!([0.9]))]);
        let found = found(&way, &[image], &outputs).unwrap();
        let [first, last] = places(&found)[0];
        for axis in 0..2 {
            prop_assert!((first[axis] - from[axis]).abs() < 1e-6 && (last[axis] - to[axis]).abs() < 1e-6);
        }
    }

    /// A mask of the image's own size comes back pixel for pixel, and its runs cover the image.
    #[test]
    fn a_mask_of_the_same_size_comes_back_pixel_for_pixel(
        (columns, rows, pixels) in (1_u32..12, 1_u32..12).prop_flat_map(|(columns, rows)| {
            (Just(columns), Just(rows), prop::collection::vec(any::<bool>(), (columns * rows) as usize))
        }),
        pick in prop_oneof!["index", "threshold"],
    ) {
        prop_assume!(pixels.contains(&true));
        let (labels, more) = match pick.as_str() {
            "index" => (json!([silent("Background"), label("Lung")]), json!({})),
            _ => (json!([label("Lung")]), json!({ "threshold": 0.5 })),
        };
        let way = mask(&pick, labels, json!({ "width": columns, "height": rows }), more);
        let numbers: Vec<u8> = pixels.iter().map(|inside| u8::from(*inside)).collect();
        let found = found(&way, &[[columns, rows]], &json!([output("y", json!([1, rows, columns]), json!(numbers))])).unwrap();
        let drawn = picture(&frames(&found[0])[0], columns as usize).concat();
        let expected: String = pixels.iter().map(|inside| if *inside { '#' } else { '.' }).collect();
        prop_assert_eq!(drawn, expected);
    }
}
