//! [`Fitted`]: where an image lies in a tensor.

use medvan_profiles::descriptor::inference::{Fit, InputTensor};

/// Where an image lies in a tensor, and how coordinates of the one become those of the other. Both are counted from the upper
/// left corner of the first pixel or element: columns, then rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fitted {
    /// Columns and rows of the image.
    pub(super) image: [u32; 2],
    /// Columns and rows of the tensor.
    pub(super) tensor: [u32; 2],
    /// Columns and rows that the image takes in the tensor.
    pub(super) content: [u32; 2],
    /// The column and the row at which it begins.
    pub(super) offset: [u32; 2],
}

impl Fitted {
    /// An image of so many columns and rows, neither of them 0, in a tensor.
    pub fn new(input: &InputTensor, columns: u32, rows: u32) -> Self {
        let (image, tensor) = ([columns.max(1), rows.max(1)], [input.width, input.height]);
        let content = match input.fit {
            Fit::Stretch => tensor,
            Fit::PadCenter | Fit::PadEnd => kept(image, tensor),
        };
        let offset = match input.fit {
            Fit::PadCenter => [(tensor[0] - content[0]) / 2, (tensor[1] - content[1]) / 2],
            Fit::Stretch | Fit::PadEnd => [0, 0],
        };
        Self { image, tensor, content, offset }
    }

    /// A place of the tensor, in the image; places in the padding are outside of it.
    pub fn to_image(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [self.back(0, x), self.back(1, y)]
    }

    /// A place of the image, in the tensor.
    pub fn to_tensor(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [self.forth(0, x), self.forth(1, y)]
    }

    fn back(&self, axis: usize, at: f64) -> f64 {
        (at - f64::from(self.offset[axis])) * f64::from(self.image[axis]) / f64::from(self.content[axis])
    }

    fn forth(&self, axis: usize, at: f64) -> f64 {
        at * f64::from(self.content[axis]) / f64::from(self.image[axis]) + f64::from(self.offset[axis])
    }
}

/// The largest size of the image's proportions that the tensor holds, in whole elements.
fn kept(image: [u32; 2], tensor: [u32; 2]) -> [u32; 2] {
    let scale = |axis: usize| f64::from(tensor[axis]) / f64::from(image[axis]);
    let least = scale(0).min(scale(1));
    [0, 1].map(|axis| {
        let size = (f64::from(image[axis]) * least).round() as u32;
        size.clamp(1, tensor[axis])
    })
}
