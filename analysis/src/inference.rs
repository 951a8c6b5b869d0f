//! A bare model behind the Open Inference Protocol v2: pixels become its tensor, its tensors become findings.
//!
//! Pure: [`TensorBuilder`] takes the pixels of one image after the other as the descriptor's `input` says, [`Request`] writes the
//! body of `POST …/infer`, [`Answer`] reads what came back, and [`Gatherer`] makes findings of it in the coordinates of the
//! images. A model knows nothing of resizing and padding: what it says of its tensor is turned back exactly, corner onto corner.
//!
//! What a model answers is not believed: shapes, types, finite numbers and sizes are checked here, and what was made of them once
//! more by [`crate::finding::Findings::read`].

mod answer;
mod boxes;
mod classes;
mod fit;
mod gather;
mod masks;
mod order;
mod request;
mod resample;
mod tensor;
#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use fit::Fitted;
pub use gather::{Asked, Gatherer};
pub use order::along_the_normal;
pub use request::{Request, Unwritable};
pub use tensor::{Pixels, Tensor, TensorBuilder};

/// The header that says how many bytes of a body are JSON, where tensors stand behind them (binary tensor data extension).
pub const JSON_LENGTH_HEADER: &str = "inference-header-content-length";
