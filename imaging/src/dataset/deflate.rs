//! [`Inflated`]: the inside of a deflated data set (PS3.5 §A.5).

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use flate2::bufread::DeflateDecoder;

use super::source::{Source, skip_by_reading};

/// The inflated stream of a deflated data set, bounded in length: a kilobyte can inflate to a megabyte.
pub struct Inflated<R> {
    stream: BufReader<DeflateDecoder<R>>,
    position: u64,
    limit: u64,
}

impl<R: BufRead> Inflated<R> {
    /// Inflates from where the reader stands. Beyond `limit` bytes reading fails.
    pub fn new(reader: R, limit: u64) -> Self {
        Self { stream: BufReader::new(DeflateDecoder::new(reader)), position: 0, limit }
    }

    fn count(&mut self, bytes: u64) -> io::Result<()> {
        self.position += bytes;
        if self.position > self.limit { Err(ErrorKind::FileTooLarge.into()) } else { Ok(()) }
    }
}

impl<R> std::fmt::Debug for Inflated<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inflated").field("position", &self.position).finish_non_exhaustive()
    }
}

impl<R: BufRead> Read for Inflated<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer)?;
        self.count(read as u64)?;
        Ok(read)
    }
}

impl<R: BufRead> Source for Inflated<R> {
    fn position(&self) -> u64 {
        self.position
    }

    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        self.count(buffer.len() as u64)?;
        self.stream.read_exact(buffer)
    }

    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        self.count(bytes)?;
        skip_by_reading(&mut self.stream, bytes)
    }

    fn at_end(&mut self) -> io::Result<bool> {
        Ok(self.stream.fill_buf()?.is_empty())
    }
}
