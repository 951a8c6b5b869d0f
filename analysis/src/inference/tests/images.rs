//! Pixels to tensors, and places there and back.

use medvan_profiles::descriptor::inference::Encoding;

use super::*;

fn fits(fit: &str, size: [u32; 2], image: [u32; 2]) -> Fitted {
    let way = way(json!({ "width": size[0], "height": size[1], "fit": fit }), json!([]));
    Fitted::new(&way.input, image[0], image[1])
}

#[test]
fn an_image_lies_where_the_descriptor_says() {
    for (fit, image, content, offset) in [
        ("stretch", [640, 480], [320, 320], [0, 0]),
        ("pad-center", [640, 480], [320, 240], [0, 40]),
        ("pad-center", [480, 640], [240, 320], [40, 0]),
        ("pad-end", [640, 480], [320, 240], [0, 0]),
        ("pad-center", [100, 100], [320, 320], [0, 0]),
        // A line stays visible.
        ("pad-center", [10_000, 1], [320, 1], [0, 159]),
    ] {
        let fitted = fits(fit, [320, 320], image);
        assert_eq!((fitted.content, fitted.offset), (content, offset), "{fit} {image:?}");
    }
    let fitted = fits("pad-center", [320, 320], [640, 480]);
    assert_eq!(fitted.to_image([160.0, 160.0]), [320.0, 240.0]);
    assert_eq!(fitted.to_image([0.0, 40.0]), [0.0, 0.0]);
    assert_eq!(fitted.to_image([320.0, 280.0]), [640.0, 480.0]);
    assert!(fitted.to_image([0.0, 39.0])[1] < 0.0, "padding lies outside of the image");
}

#[test]
fn values_are_spread_normalised_and_padded() {
    let intensity =
        json!({ "from": "shown", "range": [0, 255], "padding": 114, "mean": [100, 0, 0], "deviation": [10, 1, 1] });
    let input = json!({ "channels": 3, "width": 2, "height": 2, "fit": "pad-end", "intensity": intensity });
    let way = way(input, json!([]));
    let tensor = tensor_of(&way, &[grey(2, 1, [0.0, 1.0])]);
    assert_eq!(tensor.shape, [1, 3, 2, 2]);
    let red = [-10.0, 15.5, 1.4, 1.4];
    assert_eq!(tensor.values, [red, [0.0, 255.0, 114.0, 114.0], [0.0, 255.0, 114.0, 114.0]].concat());
}

#[test]
fn channels_stand_where_the_layout_has_them() {
    let colour = Pixels { columns: 2, rows: 1, channels: 3, values: vec![0.1, 0.2, 0.3, 0.4, 0.5, 0.6] };
    let of = |layout: &str| {
        let way = way(json!({ "layout": layout, "channels": 3, "width": 2, "height": 1 }), json!([]));
        let tensor = tensor_of(&way, &[colour.clone(), colour.clone()]);
        (tensor.shape, tensor.values[..6].to_vec())
    };
    assert_eq!(of("NHWC"), (vec![2, 1, 2, 3], vec![0.1, 0.2, 0.3, 0.4, 0.5, 0.6]));
    assert_eq!(of("NCHW"), (vec![2, 3, 1, 2], vec![0.1, 0.4, 0.2, 0.5, 0.3, 0.6]));
    let single = way(json!({ "width": 2, "height": 1 }), json!([]));
    let made = tensor_of(&single, &[colour]).values;
    assert!((made[0] - (0.0299 + 0.1174 + 0.0342)).abs() < 1e-6, "{made:?}");
}

#[test]
fn whole_numbers_are_rounded_and_stay_within_their_type() {
    let input = json!({ "datatype": "UINT8", "intensity": { "from": "shown", "range": [0, 255] } });
    let way = way(input, json!([]));
    let values: Vec<f32> = (0..16).map(|at| at as f32 / 15.0).collect();
    let made = tensor_of(&way, &[grey(4, 4, values)]).values;
    assert_eq!((made[0], made[1], made[15]), (0.0, 17.0, 255.0));
}

#[test]
fn sizes_change_without_changing_what_is_there() {
    let of = |resize: &str, size: u32, image: &Pixels| {
        let way = way(json!({ "resize": resize, "width": size, "height": size }), json!([]));
        tensor_of(&way, std::slice::from_ref(image)).values
    };
    let chess: Vec<f32> = (0..16).map(|at| f32::from((at % 4 + at / 4) % 2 == 0)).collect();
    let chess = grey(4, 4, chess);
    assert_eq!(of("area", 4, &chess), chess.values);
    assert_eq!(of("bilinear", 4, &chess), chess.values);
    assert_eq!(of("area", 2, &chess), [0.5; 4]);
    assert_eq!(of("area", 1, &grey(3, 1, [0.0, 0.5, 1.0])), [0.5]);
    let steps = of("bilinear", 4, &grey(2, 1, [0.0, 1.0]));
    assert_eq!(steps[..4], [0.0, 0.25, 0.75, 1.0]);
}

#[test]
fn slices_become_the_layers_of_a_volume() {
    let of = |depth: u32, slices: &[f32]| {
        let way =
            way(json!({ "layout": "NCDHW", "depth": depth, "width": 1, "height": 1, "resize": "area" }), json!([]));
        let slices: Vec<Pixels> = slices.iter().map(|value| grey(1, 1, [*value])).collect();
        tensor_of(&way, &slices)
    };
    assert_eq!(of(3, &[0.1, 0.2, 0.3]).values, [0.1, 0.2, 0.3]);
    assert_eq!(of(2, &[0.0, 0.2, 0.4, 0.8]).values, [0.1, 0.6]);
    assert_eq!(of(2, &[0.5]).values, [0.5, 0.5]);
    assert_eq!(of(2, &[0.5]).shape, [1, 1, 2, 1, 1]);
}

#[test]
fn pixels_of_another_number_than_their_size_are_no_image() {
    let way = way(json!({}), json!([]));
    let mut builder = TensorBuilder::new(&way.input, 1);
    for pixels in [grey(2, 2, [0.0; 3]), grey(0, 4, []), Pixels { channels: 2, ..grey(1, 1, [0.0; 2]) }] {
        assert!(builder.push(&pixels).is_none(), "{pixels:?}");
    }
}

#[test]
fn a_request_is_what_the_protocol_says() {
    let mut way = way(
        json!({ "name": "image", "width": 2, "height": 1 }),
        json!([
            { "kind": "classes", "tensor": "b", "labels": [label("A")], "threshold": 0.5 },
            { "kind": "boxes", "tensor": "a", "format": "xyxy", "scores": "b", "labels": [label("A")], "threshold": 0.5 },
        ]),
    );
    let tensor = tensor_of(&way, &[grey(2, 1, [0.25, 1.0])]);
    let id = Uuid::from_u128(7);
    let json = Request::new(&way, id, &tensor).unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&json.body).unwrap(),
        json!({
            "id": id,
            "inputs": [{ "name": "image", "shape": [1, 1, 1, 2], "datatype": "FP32", "data": [0.25, 1.0] }],
            "outputs": [{ "name": "a" }, { "name": "b" }],
        })
    );
    assert_eq!(json.json_length, None);
    way.encoding = Encoding::Binary;
    let binary = Request::new(&way, id, &tensor).unwrap();
    let (head, behind) = binary.body.split_at(binary.json_length.unwrap());
    let head: Value = serde_json::from_slice(head).unwrap();
    assert_eq!(head["inputs"][0]["parameters"], json!({ "binary_data_size": 8 }));
    assert_eq!(head["outputs"][0], json!({ "name": "a", "parameters": { "binary_data": true } }));
    assert!(head["inputs"][0].get("data").is_none());
    assert_eq!(behind, [0.25_f32.to_le_bytes(), 1.0_f32.to_le_bytes()].concat());
}

#[test]
fn numbers_of_two_bytes_stand_behind_the_json_and_never_become_infinite() {
    // The bits that numpy and ml_dtypes give.
    for (datatype, values, elements) in [
        ("FP16", [0.1, -1024.0], Some([0x2e66_u16, 0xe400])),
        ("FP16", [65_504.0, 65_519.0], Some([0x7bff, 0x7bff])),
        ("FP16", [0.0, 65_520.0], None),
        ("FP16", [-65_520.0, 0.0], None),
        ("BF16", [0.1, -1024.0], Some([0x3dcd, 0xc480])),
        ("BF16", [65_520.0, 1e30], Some([0x4780, 0x714a])),
        ("BF16", [0.0, f32::MAX], None),
        ("FP32", [0.0, f32::INFINITY], None),
    ] {
        let input = json!({ "datatype": datatype, "width": 2, "height": 1, "intensity": { "from": "modality" } });
        let mut way = way(input, json!([]));
        let tensor = tensor_of(&way, &[grey(2, 1, values)]);
        way.encoding = Encoding::Binary;
        let made = Request::new(&way, Uuid::nil(), &tensor);
        let Some(elements) = elements else {
            assert!(matches!(made, Err(Unwritable::Beyond)), "{datatype} {values:?}: {made:?}");
            continue;
        };
        let made = made.unwrap();
        let (head, behind) = made.body.split_at(made.json_length.unwrap());
        assert_eq!(behind, elements.map(u16::to_le_bytes).concat(), "{datatype} {values:?}");
        let head: Value = serde_json::from_slice(head).unwrap();
        assert_eq!(
            (&head["inputs"][0]["datatype"], &head["inputs"][0]["parameters"]["binary_data_size"]),
            (&json!(datatype), &json!(4))
        );
        way.encoding = Encoding::Json;
        assert!(matches!(Request::new(&way, Uuid::nil(), &tensor), Err(Unwritable::NoJson)));
    }
}

proptest! {
    /// A place of an image lies at the same place again after it was in the tensor, and never in the padding.
    #[test]
    fn places_come_back(
        fit in prop_oneof!["stretch", "pad-center", "pad-end"],
        tensor in prop::array::uniform2(1_u32..2000),
        image in prop::array::uniform2(1_u32..6000),
        part in prop::array::uniform2(0.0..=1.0),
    ) {
        let fitted = fits(&fit, tensor, image);
        let at = [part[0] * f64::from(image[0]), part[1] * f64::from(image[1])];
        let there = fitted.to_tensor(at);
        for (axis, there) in there.iter().enumerate() {
            let [begin, size] = [fitted.offset[axis], fitted.content[axis]].map(f64::from);
            prop_assert!((begin - 1e-6..=begin + size + 1e-6).contains(there));
            prop_assert!(fitted.offset[axis] + fitted.content[axis] <= fitted.tensor[axis]);
        }
        let back = fitted.to_image(there);
        prop_assert!((back[0] - at[0]).abs() < 1e-6 && (back[1] - at[1]).abs() < 1e-6, "{at:?} {there:?} {back:?}");
    }

    /// However it is resized, an even image stays even, and no value leaves the range of the image's.
    #[test]
    fn resizing_invents_no_values(
        resize in prop_oneof!["bilinear", "area"],
        size in prop::array::uniform2(1_u32..40),
        (columns, rows, values) in (1_u32..40, 1_u32..40).prop_flat_map(|(columns, rows)| {
            (Just(columns), Just(rows), prop::collection::vec(0.0_f32..=1.0, (columns * rows) as usize))
        }),
    ) {
        let way = way(json!({ "resize": resize, "width": size[0], "height": size[1] }), json!([]));
        let even = tensor_of(&way, &[grey(columns, rows, vec![0.5; values.len()])]);
        prop_assert!(even.values.iter().all(|value| (value - 0.5).abs() < 1e-5));
        let least = values.iter().copied().fold(1.0, f32::min);
        let most = values.iter().copied().fold(0.0, f32::max);
        let made = tensor_of(&way, &[grey(columns, rows, values)]);
        prop_assert_eq!(made.values.len() as u64, u64::from(size[0]) * u64::from(size[1]));
        prop_assert!(made.values.iter().all(|value| (least - 1e-5..=most + 1e-5).contains(value)));
    }
}
