//! [`Answer`]: the tensors that a server gave back (Open Inference Protocol v2, "Inference Response JSON Object").

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeSeed, SeqAccess, Visitor},
};
use serde_json::error::Category;

use crate::finding::Refused;

/// Outputs that are read; a model may give more than it was asked for.
const OUTPUTS: usize = 64;
/// Elements of a tensor.
const ELEMENTS: usize = 1 << 24;
/// Dimensions of a tensor.
const RANK: usize = 8;

/// The tensors of one answer: as many elements as their shapes say, all of them finite.
#[derive(Default)]
pub struct Answer {
    outputs: Vec<Output>,
}

/// One of them.
pub(super) struct Output {
    name: String,
    /// Where it stands in the answer.
    pub(super) place: String,
    pub(super) shape: Vec<usize>,
    pub(super) data: Vec<f64>,
}

#[derive(Deserialize)]
struct Json {
    outputs: Outputs,
}

#[derive(Deserialize)]
struct JsonOutput {
    name: String,
    datatype: String,
    shape: Shape,
    #[serde(default)]
    data: Option<Numbers>,
    #[serde(default)]
    parameters: Parameters,
}

#[derive(Default, Deserialize)]
struct Parameters {
    #[serde(default)]
    binary_data_size: Option<u64>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({} tensors)", self.outputs.len())
    }
}

impl Answer {
    /// Reads the body of an answer; `json_length` is what [`super::JSON_LENGTH_HEADER`] says, where the answer has it.
    ///
    /// # Errors
    /// What is wrong with it, by place. Nothing of what the server wrote is repeated.
    pub fn read(body: &[u8], json_length: Option<u64>) -> Result<Self, Vec<Refused>> {
        let length = json_length.map_or(Some(body.len()), |length| usize::try_from(length).ok());
        let split = length.and_then(|length| body.split_at_checked(length)).ok_or_else(|| {
            let mend = "write the number of bytes of the JSON before the tensors";
            vec![Refused::new("", "its Inference-Header-Content-Length is longer than the answer", mend)]
        })?;
        let (json, mut behind) = split;
        let parsed: Json = serde_json::from_slice(json).map_err(|error| vec![unreadable(&error)])?;
        let outputs = parsed.outputs.0.into_iter().enumerate();
        let outputs = outputs.map(|(at, output)| Output::new(at, output, &mut behind));
        outputs.collect::<Result<_, _>>().map(|outputs| Self { outputs }).map_err(|refused| vec![refused])
    }

    /// The tensor of this name, which the descriptor gave it.
    pub(super) fn tensor(&self, name: &str) -> Result<&Output, Refused> {
        let found = self.outputs.iter().find(|output| output.name == name);
        found.ok_or_else(|| {
            Refused::new("/outputs", "a tensor is missing", format!("answer with {name}, as the descriptor says"))
        })
    }
}

impl Output {
    fn new(at: usize, json: JsonOutput, behind: &mut &[u8]) -> Result<Self, Refused> {
        let place = format!("/outputs/{at}");
        let data = match (json.data, json.parameters.binary_data_size) {
            (Some(numbers), None) if is_number(&json.datatype) => numbers.0,
            (None, Some(size)) => {
                let taken = usize::try_from(size).ok().and_then(|size| behind.split_at_checked(size));
                let (taken, rest) = taken.ok_or_else(|| {
                    let mend = "send as many bytes behind the JSON as binary_data_size says";
                    Refused::new(format!("{place}/parameters"), "the answer ends before the tensor does", mend)
                })?;
                *behind = rest;
                of_bytes(&json.datatype, taken).ok_or_else(|| other_type(&place))?
            }
            (Some(_), None) => return Err(other_type(&place)),
            _ => {
                let mend = "write data, or parameters with binary_data_size";
                return Err(Refused::new(format!("{place}/data"), "it has no elements, or twice", mend));
            }
        };
        let shape = json.shape.0;
        let count = shape.iter().try_fold(1_usize, |count, size| count.checked_mul(*size));
        if count != Some(data.len()) {
            let mend = "give as many elements as the product of shape";
            return Err(Refused::new(format!("{place}/data"), "it has more or fewer elements than its shape", mend));
        }
        if data.iter().any(|value| !value.is_finite()) {
            let mend = "give finite numbers; a model that divides by zero must not be told of";
            return Err(Refused::new(format!("{place}/data"), "an element is not a finite number", mend));
        }
        Ok(Self { name: json.name, place, shape, data })
    }

    /// A refusal of its shape.
    pub(super) fn misshaped(&self, expected: &str) -> Refused {
        let mend = format!("answer with {expected}, or correct the descriptor");
        Refused::new(format!("{}/shape", self.place), "the tensor has another shape than the descriptor says", mend)
    }

    /// A refusal of its elements.
    pub(super) fn wrong(&self, reason: &str, mend: impl Into<String>) -> Refused {
        Refused::new(format!("{}/data", self.place), reason, mend)
    }

    /// The shape without dimensions of 1, which change nothing of the order of elements.
    pub(super) fn is_like(&self, shape: &[usize]) -> bool {
        let long = |shape: &[usize]| shape.iter().copied().filter(|size| *size != 1).collect::<Vec<_>>();
        long(&self.shape) == long(shape)
    }
}

fn other_type(place: &str) -> Refused {
    let mend = "answer with FP16, BF16, FP32, FP64, BOOL or whole numbers";
    Refused::new(format!("{place}/datatype"), "the tensor has another type than can be taken", mend)
}

fn is_number(datatype: &str) -> bool {
    of_bytes(datatype, &[]).is_some()
}

/// Elements in little endian; nothing where the type is not taken or a part of an element is left.
fn of_bytes(datatype: &str, bytes: &[u8]) -> Option<Vec<f64>> {
    fn all<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f64) -> Option<Vec<f64>> {
        let (elements, rest) = bytes.as_chunks::<N>();
        rest.is_empty().then(|| elements.iter().map(|element| number(*element)).collect())
    }
    match datatype {
        "BOOL" | "UINT8" => all(bytes, |element| f64::from(u8::from_le_bytes(element))),
        "INT8" => all(bytes, |element| f64::from(i8::from_le_bytes(element))),
        "UINT16" => all(bytes, |element| f64::from(u16::from_le_bytes(element))),
        "INT16" => all(bytes, |element| f64::from(i16::from_le_bytes(element))),
        "UINT32" => all(bytes, |element| f64::from(u32::from_le_bytes(element))),
        "INT32" => all(bytes, |element| f64::from(i32::from_le_bytes(element))),
        "UINT64" => all(bytes, |element| u64::from_le_bytes(element) as f64),
        "INT64" => all(bytes, |element| i64::from_le_bytes(element) as f64),
        "FP16" => all(bytes, |element| f64::from(half::f16::from_le_bytes(element))),
        "BF16" => all(bytes, |element| f64::from(half::bf16::from_le_bytes(element))),
        "FP32" => all(bytes, |element| f64::from(f32::from_le_bytes(element))),
        "FP64" => all(bytes, f64::from_le_bytes),
        _ => None,
    }
}

/// Of serde's message only where it is and what is wrong by kind: the rest may repeat the answer.
fn unreadable(error: &serde_json::Error) -> Refused {
    let place = format!("line {}, column {}", error.line(), error.column());
    match error.classify() {
        Category::Eof => Refused::new("", "the answer ends too early", "send the whole object"),
        Category::Data => Refused::new(
            "",
            format!("it is no answer of the Open Inference Protocol at {place}"),
            "write outputs, each with name, shape, datatype and data; numbers only, null stands for none of them",
        ),
        Category::Syntax | Category::Io => Refused::new(
            "",
            format!("it cannot be read as JSON from {place}"),
            "write JSON (RFC 8259) with finite numbers; there is no NaN and no Infinity",
        ),
    }
}

/// Outputs, not more than are read.
struct Outputs(Vec<JsonOutput>);

impl<'de> Deserialize<'de> for Outputs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bounded(deserializer, OUTPUTS).map(Self)
    }
}

/// Dimensions.
struct Shape(Vec<usize>);

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bounded(deserializer, RANK).map(Self)
    }
}

fn bounded<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D, most: usize) -> Result<Vec<T>, D::Error> {
    struct Bounded<T>(usize, std::marker::PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Bounded<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a list of at most {}", self.0)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
            let mut read = Vec::new();
            while let Some(item) = list.next_element()? {
                if read.len() == self.0 {
                    return Err(de::Error::invalid_length(read.len() + 1, &self));
                }
                read.push(item);
            }
            Ok(read)
        }
    }

    deserializer.deserialize_seq(Bounded(most, std::marker::PhantomData))
}

/// Elements, in one list or in lists within lists ("Tensor Data": both are allowed).
struct Numbers(Vec<f64>);

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut numbers = Vec::new();
        deserializer.deserialize_seq(Level { numbers: &mut numbers, depth: 0 })?;
        Ok(Self(numbers))
    }
}

/// A list, or what stands in one.
struct Level<'a> {
    numbers: &'a mut Vec<f64>,
    depth: usize,
}

impl Level<'_> {
    fn push<E: de::Error>(self, number: f64) -> Result<(), E> {
        if self.numbers.len() >= ELEMENTS {
            return Err(E::custom("too many elements"));
        }
        self.numbers.push(number);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Level<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("numbers, or lists of them")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if self.depth == RANK {
            return Err(de::Error::custom("too many levels"));
        }
        let Self { numbers, depth } = self;
        while list.next_element_seed(Level { numbers, depth: depth + 1 })?.is_some() {}
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<(), E> {
        self.push(number)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<(), E> {
        self.push(number as f64)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<(), E> {
        self.push(number as f64)
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<(), E> {
        self.push(f64::from(u8::from(truth)))
    }
}
