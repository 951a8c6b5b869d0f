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
use crate::{
    App,
    archive::{Open, Room},
    catalog::HospitalId,
    store::FoundInstance,
};

/// An instance that is ready to leave.
pub(super) enum Leaving {
    /// The stored bytes.
    Stored(Open),
    /// All of it decoded.
    Decoded(Box<Decoded>),
    /// A new head, then pieces of what is stored.
    Written { open: Open, pieces: Vec<Piece>, room: Room },
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
        Ok(Self::Written { open, pieces, room: file.into_room() })
    }

    /// The stored bytes, where they are read in one step.
    pub(super) fn if_small(&self) -> Option<&Open> {
        match self {
            Self::Stored(open) if open.length() <= AT_ONCE => Some(open),
            _ => None,
        }
    }

    /// Bytes that will be written.
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Stored(open) => open.length(),
            Self::Decoded(decoded) => decoded.length(),
            Self::Written { pieces, .. } => pieces.iter().map(Piece::length).sum(),
        }
    }

    /// Writes it behind some bytes.
    pub(super) async fn write(self, before: Bytes, out: &Outgoing) -> Result<(), Ended> {
        match self {
            Self::Stored(open) => copy_behind(&open, before, Left { span: open.whole(), swapped: 1 }, out).await,
            Self::Decoded(decoded) => {
                out.send(before).await?;
                decoded.write(out).await
            }
            Self::Written { open, pieces, room: _room } => {
                out.send(before).await?;
                write_pieces(&open, pieces, out).await
            }
        }
    }
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
    copy_behind(open, Bytes::new(), left, out).await
}

/// The same behind some bytes, in one piece with the first of it: a picture of common size leaves as one.
pub(super) async fn copy_behind(open: &Open, before: Bytes, left: Left, out: &Outgoing) -> Result<(), Ended> {
    let Left { span: Span { offset, length }, swapped } = left;
    let end = offset + length;
    if swapped > 1 {
        out.send(before).await?;
        return copy_turned(open, offset, end, swapped, out).await;
    }
    let (mut at, mut before) = (offset, Vec::from(before));
    loop {
        let rest = end - at;
        let length = if rest <= AT_ONCE { rest } else { CHUNK };
        out.send(open.bytes_behind(std::mem::take(&mut before), Span { offset: at, length }).await?).await?;
        at += length;
        if at >= end {
            return Ok(());
        }
    }
}

/// Bytes that are read at once; a multiple of every number's size.
const CHUNK: u64 = 512 * 1024;
/// What is a little longer is not worth two steps.
const AT_ONCE: u64 = 640 * 1024;

async fn copy_turned(open: &Open, offset: u64, end: u64, swapped: u8, out: &Outgoing) -> Result<(), Ended> {
    let mut at = offset;
    while at < end {
        let bytes = open.bytes(at, CHUNK.min(end - at)).await?;
        at += bytes.len() as u64;
        out.send(turned(bytes, swapped)).await?;
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
