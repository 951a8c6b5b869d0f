//! [`FrameList`]: the frames that a request names (PS3.18 table 10.1-1).

/// Numbers of frames, from 1, in the order of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameList(Vec<u32>);

/// What is wrong with a list of frames: 400 for a web client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameListError {
    /// It is no list of numbers.
    #[error("frames are numbers from 1, with commas between them")]
    Form,
    /// It has more of them than one request may have.
    #[error("one request may name {} frames at most", FrameList::LONGEST)]
    TooMany,
}

impl FrameList {
    /// Frames that one request may name.
    pub const LONGEST: usize = 10_000;

    /// Reads `1,3,2`. A number may stand twice. One that is greater than any frame's is left to [`super::Frames::frame`]
    /// to refuse.
    ///
    /// # Errors
    /// It is no list of numbers from 1, or too long a one.
    pub fn parse(text: &str) -> Result<Self, FrameListError> {
        let mut numbers = Vec::new();
        for part in text.split(',') {
            if numbers.len() >= Self::LONGEST {
                return Err(FrameListError::TooMany);
            }
            numbers.push(number(part.trim_matches(' ')).ok_or(FrameListError::Form)?);
        }
        Ok(Self(numbers))
    }

    /// The numbers, at least one.
    pub fn numbers(&self) -> &[u32] {
        &self.0
    }
}

fn number(digits: &str) -> Option<u32> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u32::MAX)).filter(|number| *number > 0)
}
