//! How one instance leaves: as it is stored, or written in another transfer syntax.

use bytes::Bytes;
use medvan_imaging::{
    TransferSyntax,
    dataset::{Left, Piece, Span, write},
    file,
    transfer_syntax::{EXPLICIT_LITTLE, Pixels},
};

use super::{
    decoded::Decoded,
    frames::Image,
    outgoing::{Ended, Outgoing},
    refusal::Refusal,
};
use crate::{App, archive::Open, catalog::HospitalId, store::FoundInstance};

/// An instance that is ready to leave.
pub(super) enum Leaving {
    /// The stored bytes.
    Stored(Open),
    /// All of it decoded.
    Decoded(Box<Decoded>),
    /// A new head, then pieces of what is stored.
    Written { open: Open, pieces: Vec<Piece> },
}

/// The transfer syntaxes, besides its own, in which an instance can be written.
pub(super) fn others(stored: &TransferSyntax) -> Vec<TransferSyntax> {
    let is_explicit = stored.uid().as_str() == EXPLICIT_LITTLE;
    match stored.pixels {
        Pixels::Native if !is_explicit => vec![TransferSyntax::explicit_little()],
        Pixels::Native | Pixels::Video(_) | Pixels::Elsewhere | Pixels::Unknown => Vec::new(),
        _ if medvan_pixels::can_decode(stored.uid().as_str()) => vec![TransferSyntax::explicit_little()],
        _ => Vec::new(),
    }
}

impl Leaving {
    /// Opens an instance, to be written in `syntax`: its own, or one of [`others`].
    pub(super) async fn open(
        app: &App,
        hospital: &HospitalId,
        found: &FoundInstance,
        syntax: &TransferSyntax,
    ) -> Result<Self, Refusal> {
        let open = app.archive.open_place(hospital, found.place).await?;
        if syntax.uid() == found.syntax.uid() {
            return Ok(Self::Stored(open));
        }
        if found.syntax.is_encapsulated() && !syntax.is_encapsulated() {
            let image = Image::of(app, hospital, found.clone()).await?;
            return Ok(Self::Decoded(Box::new(Decoded::begin(app, image).await?)));
        }
        let file = app.archive.data_set(hospital, found.place).await?;
        let head = file::head(&found.class, &found.uid, syntax);
        let mut pieces = vec![Piece::Bytes(head)];
        pieces.extend(write(&file.data_set, true));
        Ok(Self::Written { open, pieces })
    }

    /// Bytes that will be written.
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Stored(open) => open.length(),
            Self::Decoded(decoded) => decoded.length(),
            Self::Written { pieces, .. } => pieces.iter().map(Piece::length).sum(),
        }
    }

    /// Writes it.
    pub(super) async fn write(self, out: &Outgoing) -> Result<(), Ended> {
        match self {
            Self::Stored(open) => copy(&open, Left { span: whole(&open), swapped: 1 }, out).await,
            Self::Decoded(decoded) => decoded.write(out).await,
            Self::Written { open, pieces } => write_pieces(&open, pieces, out).await,
        }
    }
}

fn whole(open: &Open) -> Span {
    Span { offset: 0, length: open.length() }
}

/// Writes pieces one after the other.
pub(super) async fn write_pieces(open: &Open, pieces: Vec<Piece>, out: &Outgoing) -> Result<(), Ended> {
    for piece in pieces {
        match piece {
            Piece::Bytes(bytes) => out.send(bytes).await?,
            Piece::Copy { span, swapped } => copy(open, Left { span, swapped }, out).await?,
        }
    }
    Ok(())
}

/// Copies a stretch of the stored instance; of a big-endian one every number is turned round.
pub(super) async fn copy(open: &Open, left: Left, out: &Outgoing) -> Result<(), Ended> {
    /// A multiple of every number's size.
    const CHUNK: u64 = 512 * 1024;
    let end = left.span.offset + left.span.length;
    let mut at = left.span.offset;
    while at < end {
        let bytes = open.bytes(at, CHUNK.min(end - at)).await?;
        at += bytes.len() as u64;
        out.send(turned(bytes, left.swapped)).await?;
    }
    Ok(())
}

/// Bytes with every number of so many bytes turned round.
pub(super) fn turned(bytes: Bytes, size: u8) -> Bytes {
    if size < 2 {
        return bytes;
    }
    let mut bytes = Vec::from(bytes);
    bytes.chunks_exact_mut(usize::from(size)).for_each(<[u8]>::reverse);
    bytes.into()
}
