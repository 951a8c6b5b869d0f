//! [`Source`]: bytes that can be read and skipped.

use std::io::{self, BufRead, ErrorKind, Read, Seek, SeekFrom};

/// Where a data set is read from.
pub trait Source {
    /// Bytes before the next one.
    fn position(&self) -> u64;

    /// Fills the buffer.
    ///
    /// # Errors
    /// `UnexpectedEof` where there are fewer bytes.
    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<()>;

    /// Goes past so many bytes.
    ///
    /// # Errors
    /// `UnexpectedEof` where there are fewer.
    fn skip(&mut self, bytes: u64) -> io::Result<()>;

    /// Whether nothing comes any more.
    ///
    /// # Errors
    /// The source cannot be read.
    fn at_end(&mut self) -> io::Result<bool>;
}

/// A file or a buffer. Skipping costs nothing, however long.
#[derive(Debug)]
pub struct Seekable<R> {
    reader: R,
    position: u64,
    length: u64,
}

impl<R: BufRead + Seek> Seekable<R> {
    /// All of a file or buffer.
    ///
    /// # Errors
    /// It cannot be sought in.
    pub fn new(mut reader: R) -> io::Result<Self> {
        let length = reader.seek(SeekFrom::End(0))?;
        reader.rewind()?;
        Ok(Self { reader, position: 0, length })
    }

    /// A stretch of a file, such as one instance among others. Positions count from its beginning.
    ///
    /// # Errors
    /// It cannot be sought in.
    pub fn stretch(mut reader: R, offset: u64, length: u64) -> io::Result<Self> {
        reader.seek(SeekFrom::Start(offset))?;
        Ok(Self { reader, position: 0, length })
    }

    /// Goes back so many bytes.
    ///
    /// # Errors
    /// It cannot be sought in.
    pub fn back(&mut self, bytes: u64) -> io::Result<()> {
        let bytes = bytes.min(self.position);
        self.reader.seek_relative(-i64::try_from(bytes).map_err(|_| ErrorKind::InvalidInput)?)?;
        self.position -= bytes;
        Ok(())
    }

    /// What was read from, standing at the next byte, and how many bytes are left of the stretch.
    pub fn into_rest(self) -> (R, u64) {
        (self.reader, self.length - self.position)
    }
}

impl<R: BufRead + Seek> Source for Seekable<R> {
    fn position(&self) -> u64 {
        self.position
    }

    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        if buffer.len() as u64 > self.length - self.position {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.reader.read_exact(buffer)?;
        self.position += buffer.len() as u64;
        Ok(())
    }

    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        if bytes > self.length - self.position {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.reader.seek_relative(i64::try_from(bytes).map_err(|_| ErrorKind::InvalidInput)?)?;
        self.position += bytes;
        Ok(())
    }

    fn at_end(&mut self) -> io::Result<bool> {
        Ok(self.position >= self.length)
    }
}

/// Reads a stream that cannot be sought in; skipping reads.
pub(super) fn skip_by_reading(reader: &mut impl Read, bytes: u64) -> io::Result<()> {
    let gone = io::copy(&mut reader.take(bytes), &mut io::sink())?;
    if gone == bytes { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
}
