//! [`Request`]: the body of `POST …/infer` (Open Inference Protocol v2, "Inference Request JSON Object").

use std::collections::BTreeSet;

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

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Request({} bytes)", self.body.len())
    }
}

impl Request {
    /// Asks a model about a tensor; it says nothing of whose images they are.
    ///
    /// # Errors
    /// Never for a tensor that [`super::TensorBuilder`] made: its elements are finite.
    pub fn new(way: &InferenceWay, id: Uuid, tensor: &Tensor) -> Result<Self, serde_json::Error> {
        let is_json = way.encoding == Encoding::Json;
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

fn data(tensor: &Tensor) -> Data<'_> {
    match tensor.datatype {
        Datatype::Fp32 => Data::Floats(&tensor.values),
        Datatype::Uint8 => Data::Bytes(bytes(tensor)),
    }
}

/// Elements in little endian.
fn bytes(tensor: &Tensor) -> Vec<u8> {
    match tensor.datatype {
        Datatype::Fp32 => tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        // They are whole and within 0 to 255.
        Datatype::Uint8 => tensor.values.iter().map(|value| *value as u8).collect(),
    }
}
