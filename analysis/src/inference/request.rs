//! [`Request`]: the body of `POST …/infer` (Open Inference Protocol v2, "Inference Request JSON Object").

use std::collections::BTreeSet;

use half::{bf16, f16};
use medvan_profiles::descriptor::inference::{Datatype, Encoding, InferenceWay};
use serde::Serialize;
use uuid::Uuid;

use super::Tensor;

/// A body, and how much of it is JSON.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The bytes to send.
    pub body: Vec<u8>,
    /// Bytes of its JSON, where tensors stand behind it: the value of [`super::JSON_LENGTH_HEADER`].
    pub json_length: Option<usize>,
}

#[derive(Serialize)]
struct Json<'a> {
    id: Uuid,
    inputs: [Input<'a>; 1],
    outputs: Vec<Output<'a>>,
}

#[derive(Serialize)]
struct Input<'a> {
    name: &'a str,
    shape: &'a [u64],
    datatype: Datatype,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Sized>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Data<'a>>,
}

#[derive(Serialize)]
struct Output<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Asked>,
}

#[derive(Serialize)]
struct Sized {
    binary_data_size: usize,
}

#[derive(Serialize)]
struct Asked {
    binary_data: bool,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Data<'a> {
    Floats(&'a [f32]),
    Bytes(Vec<u8>),
}

/// Why no request can be written.
#[derive(Debug, thiserror::Error)]
pub enum Unwritable {
    /// A value is infinite in the type of the tensor's elements.
    #[error("a value is beyond the range of the tensor's datatype; take values from a window, or declare FP32")]
    Beyond,
    /// The descriptor's rules refuse that.
    #[error("FP16 and BF16 cannot be sent in JSON")]
    NoJson,
    /// It is no JSON.
    #[error("the request cannot be written: {0}")]
    Json(#[from] serde_json::Error),
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Request({} bytes)", self.body.len())
    }
}

impl Request {
    /// Asks a model about a tensor; it says nothing of whose images they are.
    ///
    /// # Errors
    /// A value of the tensor is beyond the range of its datatype: nothing infinite is sent.
    pub fn new(way: &InferenceWay, id: Uuid, tensor: &Tensor) -> Result<Self, Unwritable> {
        let is_json = way.encoding == Encoding::Json;
        if is_json && !tensor.datatype.has_json() {
            return Err(Unwritable::NoJson);
        }
        if !tensor.values.iter().all(|value| is_within(tensor.datatype, *value)) {
            return Err(Unwritable::Beyond);
        }
        let behind = if is_json { Vec::new() } else { bytes(tensor) };
        // Two outputs may say different things of one tensor.
        let names: BTreeSet<&str> = way.outputs.iter().flat_map(|output| output.tensors()).collect();
        let parameters = || (!is_json).then_some(Asked { binary_data: true });
        let json = Json {
            id,
            inputs: [Input {
                name: &way.input.name,
                shape: &tensor.shape,
                datatype: tensor.datatype,
                parameters: (!is_json).then_some(Sized { binary_data_size: behind.len() }),
                data: is_json.then(|| data(tensor)),
            }],
            outputs: names.into_iter().map(|name| Output { name, parameters: parameters() }).collect(),
        };
        let mut body = serde_json::to_vec(&json)?;
        let json_length = (!is_json).then_some(body.len());
        body.extend_from_slice(&behind);
        Ok(Self { body, json_length })
    }
}

/// Whether a value is finite as an element of this type.
fn is_within(datatype: Datatype, value: f32) -> bool {
    match datatype {
        Datatype::Fp16 => f16::from_f32(value).is_finite(),
        Datatype::Bf16 => bf16::from_f32(value).is_finite(),
        Datatype::Fp32 => value.is_finite(),
        Datatype::Uint8 => (0.0..=255.0).contains(&value),
    }
}

fn data(tensor: &Tensor) -> Data<'_> {
    match tensor.datatype {
        Datatype::Uint8 => Data::Bytes(bytes(tensor)),
        Datatype::Fp32 | Datatype::Fp16 | Datatype::Bf16 => Data::Floats(&tensor.values),
    }
}

/// Elements in little endian, rounded to the nearest that their type has.
fn bytes(tensor: &Tensor) -> Vec<u8> {
    let values = tensor.values.iter();
    match tensor.datatype {
        Datatype::Fp16 => values.flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect(),
        Datatype::Bf16 => values.flat_map(|value| bf16::from_f32(*value).to_le_bytes()).collect(),
        Datatype::Fp32 => values.flat_map(|value| value.to_le_bytes()).collect(),
        // They are whole and within 0 to 255.
        Datatype::Uint8 => values.map(|value| *value as u8).collect(),
    }
}
