//! [`Reader`]: takes a body apart while it streams in.

use std::{collections::VecDeque, fmt, mem};

use bytes::{Buf, Bytes, BytesMut};
use memchr::{memmem, memrchr};

use super::{Boundary, PartHead};

/// Blanks that a gateway may have put after a boundary (RFC 2046 §5.1.1: transport padding). More are payload.
const MAX_PADDING: usize = 64;
const CRLF: &[u8] = b"\r\n";

/// How much a sender may send besides payloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most parts.
    pub parts: usize,
    /// Longest head of a part, in bytes.
    pub head_bytes: usize,
    /// Most headers of a part.
    pub headers_per_part: usize,
    /// Longest text before the first delimiter, in bytes.
    pub preamble_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { parts: 100_000, head_bytes: 16 * 1024, headers_per_part: 32, preamble_bytes: 16 * 1024 }
    }
}

/// What comes next in the body. Shows payloads by their length only.
#[derive(Clone, PartialEq, Eq)]
pub enum Event {
    /// A part begins.
    Part(PartHead),
    /// A piece of the part's payload, never empty; a slice of what was pushed, except around chunk ends.
    Data(Bytes),
    /// The part is complete: the delimiter after it was seen.
    PartEnd,
    /// Everything pushed so far is used up.
    More,
    /// The closing delimiter was seen; whatever follows is ignored.
    End,
}

/// Why a body cannot be read (further). The sender's fault, always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MultipartError {
    /// No delimiter came, to the end or within the limit.
    #[error("the body has no line that is `--` and the boundary of the Content-Type")]
    NoDelimiter,
    /// The delimiter's line ends in LF alone.
    #[error("lines in a multipart body end in CRLF, not in LF alone")]
    LineFeed,
    /// There are too many parts.
    #[error("the body has more than {limit} parts")]
    TooManyParts {
        /// Most parts.
        limit: usize,
    },
    /// A head is too long, or has no end.
    #[error("the head of a part has more than {limit} bytes")]
    HeadTooLong {
        /// Longest head in bytes.
        limit: usize,
    },
    /// A head has too many headers.
    #[error("the head of a part has more than {limit} headers")]
    TooManyHeaders {
        /// Most headers.
        limit: usize,
    },
    /// A delimiter stands inside a head.
    #[error("the head of a part does not end in an empty line")]
    HeadUnended,
    /// The body ended without the closing delimiter: the connection broke, or the sender forgot it.
    #[error("the body ends before its closing delimiter, after {complete} complete parts")]
    Unclosed {
        /// Parts that were complete: their delimiter was seen.
        complete: usize,
        /// Whether a further part had begun. Its payload is not to be trusted.
        cut: bool,
    },
}

/// Takes a body apart: push what came in, then ask for what is next until it says [`Event::More`].
///
/// It holds at most one head or the beginning of one delimiter; everything else is handed on in slices. Time is linear in
/// the length of the body, however it is cut.
pub struct Reader {
    delimiter: Delimiter,
    limits: Limits,
    state: State,
    /// Pushed and not yet looked at.
    queue: VecDeque<Bytes>,
    chunk: Bytes,
    /// The beginning of what may be a delimiter. It comes before `chunk`.
    held: Bytes,
    /// How many bytes at the front of `held` were never in the body: at the start of the body and of a payload a delimiter
    /// needs no CRLF of its own, so one is put before it.
    phantom: usize,
    /// The beginning of a head, after a CRLF of ours.
    head: BytesMut,
    preamble: usize,
    begun: usize,
    complete: usize,
    failed: Option<MultipartError>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Preamble,
    Head,
    Payload,
    Ended,
}

/// What lies before the next delimiter, or the delimiter itself.
enum Piece {
    Data(Bytes),
    Part,
    Close,
    LineFeed,
    More,
}

impl Reader {
    /// A reader of a body with this boundary.
    pub fn new(boundary: &Boundary, limits: Limits) -> Self {
        let mut reader = Self {
            delimiter: Delimiter::new(boundary),
            limits,
            state: State::Preamble,
            queue: VecDeque::new(),
            chunk: Bytes::new(),
            held: Bytes::new(),
            phantom: 0,
            head: BytesMut::new(),
            preamble: 0,
            begun: 0,
            complete: 0,
            failed: None,
        };
        reader.expect_delimiter();
        reader
    }

    /// Takes the next piece of the body. Pieces pushed before [`Self::next`] said [`Event::More`] wait in a queue.
    pub fn push(&mut self, chunk: Bytes) {
        if self.state != State::Ended && self.failed.is_none() {
            self.queue.push_back(chunk);
        }
    }

    /// What comes next.
    ///
    /// # Errors
    /// The body cannot be read further; the same error comes again when asked again.
    #[expect(clippy::should_implement_trait, reason = "an iterator would end where this only needs more")]
    pub fn next(&mut self) -> Result<Event, MultipartError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let event = self.event();
        if let Err(error) = event {
            self.failed = Some(error);
            self.queue.clear();
        }
        event
    }

    /// To be called when the body has ended and [`Self::next`] has said [`Event::More`] or [`Event::End`].
    ///
    /// # Errors
    /// The closing delimiter is missing, or the body could not be read.
    pub fn finish(&self) -> Result<(), MultipartError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let cut = match self.state {
            State::Ended => return Ok(()),
            State::Preamble => return Err(MultipartError::NoDelimiter),
            State::Head => !self.head.is_empty(),
            State::Payload => true,
        };
        Err(MultipartError::Unclosed { complete: self.complete, cut })
    }

    fn event(&mut self) -> Result<Event, MultipartError> {
        loop {
            match self.state {
                State::Preamble => match self.piece() {
                    Piece::Data(text) => self.pass_preamble(text.len())?,
                    Piece::Part => self.state = State::Head,
                    Piece::Close => self.state = State::Ended,
                    Piece::LineFeed => return Err(MultipartError::LineFeed),
                    Piece::More => return Ok(Event::More),
                },
                State::Head => return Ok(self.read_head()?.map_or(Event::More, Event::Part)),
                State::Payload => match self.piece() {
                    Piece::Data(payload) => return Ok(Event::Data(payload)),
                    Piece::Part => return Ok(self.end_part(State::Head)),
                    Piece::Close => return Ok(self.end_part(State::Ended)),
                    Piece::LineFeed | Piece::More => return Ok(Event::More),
                },
                State::Ended => {
                    self.queue.clear();
                    self.chunk = Bytes::new();
                    return Ok(Event::End);
                }
            }
        }
    }

    fn pass_preamble(&mut self, bytes: usize) -> Result<(), MultipartError> {
        self.preamble += bytes;
        if self.preamble > self.limits.preamble_bytes { Err(MultipartError::NoDelimiter) } else { Ok(()) }
    }

    fn end_part(&mut self, then: State) -> Event {
        self.complete += 1;
        self.state = then;
        Event::PartEnd
    }

    /// A delimiter may come at once: the CRLF before it has been used up.
    fn expect_delimiter(&mut self) {
        self.held = Bytes::from_static(CRLF);
        self.phantom = CRLF.len();
    }

    /// Makes `chunk` the next piece that is not empty, if there is one.
    fn refill(&mut self) -> bool {
        while self.chunk.is_empty() {
            let Some(next) = self.queue.pop_front() else { return false };
            self.chunk = next;
        }
        true
    }
}

// Heads.
impl Reader {
    fn read_head(&mut self) -> Result<Option<PartHead>, MultipartError> {
        while self.refill() {
            if let Some(block) = self.cut_head() {
                return self.begin_part(&block).map(Some);
            }
            if self.head.len() >= self.head_room() {
                return Err(MultipartError::HeadTooLong { limit: self.limits.head_bytes });
            }
        }
        Ok(None)
    }

    fn begin_part(&mut self, block: &[u8]) -> Result<PartHead, MultipartError> {
        self.begun += 1;
        if self.begun > self.limits.parts {
            return Err(MultipartError::TooManyParts { limit: self.limits.parts });
        }
        let head = PartHead::parse(block, self.delimiter.dash_boundary(), self.limits.headers_per_part)?;
        self.state = State::Payload;
        self.expect_delimiter();
        Ok(head)
    }

    /// The head up to its empty line, when that is there; else everything there is goes to `head`, within the limit.
    fn cut_head(&mut self) -> Option<Bytes> {
        if self.head.is_empty() {
            if let Some(block) = self.cut_whole_head() {
                return Some(block);
            }
            self.head.extend_from_slice(CRLF);
        }
        let before = self.head.len();
        let room = self.head_room().saturating_sub(before);
        let taken = self.chunk.split_to(room.min(self.chunk.len()));
        self.head.extend_from_slice(&taken);
        let from = before.saturating_sub(3);
        let end = from + memmem::find(&self.head[from..], b"\r\n\r\n")?;
        let head = mem::take(&mut self.head).freeze();
        // What was taken after the empty line goes back: it is the end of what this chunk brought.
        let over = head.len() - (end + 4);
        self.give_back(taken, over);
        Some(head.slice(end.min(2)..end))
    }

    /// The longest `head`: a head with its empty line, and the CRLF of ours.
    fn head_room(&self) -> usize {
        self.limits.head_bytes + CRLF.len()
    }

    /// The usual case: the whole head lies in one chunk.
    fn cut_whole_head(&mut self) -> Option<Bytes> {
        if self.chunk.starts_with(CRLF) {
            self.chunk.advance(2);
            return Some(Bytes::new());
        }
        let searched = &self.chunk[..self.chunk.len().min(self.limits.head_bytes)];
        let end = memmem::find(searched, b"\r\n\r\n")?;
        let block = self.chunk.split_to(end);
        self.chunk.advance(4);
        Some(block)
    }

    /// Puts the last `over` bytes of a piece just taken off `chunk` back.
    fn give_back(&mut self, mut taken: Bytes, over: usize) {
        if over == 0 {
            return;
        }
        taken.advance(taken.len() - over);
        let rest = mem::replace(&mut self.chunk, taken);
        self.queue.push_front(rest);
    }
}

// Payloads and the preamble.
impl Reader {
    fn piece(&mut self) -> Piece {
        loop {
            let piece = if !self.held.is_empty() {
                self.settle_held()
            } else if self.refill() {
                self.cut_chunk()
            } else {
                Some(Piece::More)
            };
            if let Some(piece) = piece {
                return piece;
            }
        }
    }

    /// Nothing is held: everything before the next delimiter is data.
    fn cut_chunk(&mut self) -> Option<Piece> {
        let (at, verdict) = self.delimiter.find(&self.chunk, self.state == State::Preamble);
        if at > 0 && verdict != Verdict::Open {
            return Some(Piece::Data(self.chunk.split_to(at)));
        }
        match verdict {
            Verdict::Part(length) => Some(self.pass(length, Piece::Part)),
            Verdict::Close(length) => Some(self.pass(length, Piece::Close)),
            Verdict::LineFeed => Some(Piece::LineFeed),
            Verdict::Open | Verdict::Data => {
                let data = self.chunk.split_to(at);
                // A copy: a few bytes must not keep a whole chunk in memory.
                self.held = Bytes::copy_from_slice(&self.chunk);
                self.chunk = Bytes::new();
                (!data.is_empty()).then_some(Piece::Data(data))
            }
        }
    }

    fn pass(&mut self, length: usize, piece: Piece) -> Piece {
        self.chunk.advance(length);
        piece
    }

    /// Something is held that began like a delimiter: looks at what follows.
    fn settle_held(&mut self) -> Option<Piece> {
        self.refill();
        let before = self.held.len();
        let room = self.delimiter.longest().saturating_sub(before);
        let mut joined = Vec::with_capacity(self.delimiter.longest());
        joined.extend_from_slice(&self.held);
        joined.extend_from_slice(&self.chunk[..room.min(self.chunk.len())]);
        match self.delimiter.judge(&joined) {
            Verdict::Part(length) => Some(self.pass_held(length - before, Piece::Part)),
            Verdict::Close(length) => Some(self.pass_held(length - before, Piece::Close)),
            Verdict::LineFeed if self.state == State::Preamble => Some(Piece::LineFeed),
            Verdict::LineFeed | Verdict::Data => self.release(),
            Verdict::Open if joined.len() == before => Some(Piece::More),
            Verdict::Open => {
                self.chunk.advance(joined.len() - before);
                self.held = joined.into();
                None
            }
        }
    }

    fn pass_held(&mut self, length: usize, piece: Piece) -> Piece {
        self.held = Bytes::new();
        self.phantom = 0;
        self.pass(length, piece)
    }

    /// What is held is no delimiter, and none begins later in it: a CR at its end would be followed by LF.
    fn release(&mut self) -> Option<Piece> {
        let mut data = mem::take(&mut self.held);
        data.advance(mem::take(&mut self.phantom));
        (!data.is_empty()).then_some(Piece::Data(data))
    }

    /// Bytes that are kept between two calls.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.held.len() + self.head.len() + self.chunk.len() + self.queue.iter().map(Bytes::len).sum::<usize>()
    }
}

/// CRLF, `--` and the boundary, and what makes a delimiter of them.
struct Delimiter(memmem::Finder<'static>);

/// What the bytes at a place are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// A delimiter before a part, this long with the CRLF after it.
    Part(usize),
    /// The closing delimiter, this long.
    Close(usize),
    /// A delimiter if LF were enough.
    LineFeed,
    /// Not known yet: more bytes are needed.
    Open,
    /// No delimiter.
    Data,
}

impl Delimiter {
    fn new(boundary: &Boundary) -> Self {
        let text = format!("\r\n--{boundary}");
        Self(memmem::Finder::new(text.as_bytes()).into_owned())
    }

    fn dash_boundary(&self) -> &[u8] {
        &self.0.needle()[2..]
    }

    /// So many bytes are always enough to judge.
    fn longest(&self) -> usize {
        self.0.needle().len() + MAX_PADDING + 2
    }

    fn judge(&self, bytes: &[u8]) -> Verdict {
        let needle = self.0.needle();
        let Some(rest) = bytes.strip_prefix(needle) else {
            return if needle.starts_with(bytes) { Verdict::Open } else { Verdict::Data };
        };
        match rest {
            [b'-', b'-', ..] => return Verdict::Close(needle.len() + 2),
            [b'-'] => return Verdict::Open,
            _ => {}
        }
        let padding = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).take(MAX_PADDING + 1).count();
        match &rest[padding..] {
            _ if padding > MAX_PADDING => Verdict::Data,
            [] | [b'\r'] => Verdict::Open,
            [b'\r', b'\n', ..] => Verdict::Part(needle.len() + padding + 2),
            [b'\n', ..] => Verdict::LineFeed,
            _ => Verdict::Data,
        }
    }

    /// Where the first delimiter begins, or what may become one. Without any the place is the end.
    fn find(&self, bytes: &[u8], line_feeds: bool) -> (usize, Verdict) {
        let mut from = 0;
        while let Some(found) = self.0.find(&bytes[from..]) {
            let at = from + found;
            match self.judge(&bytes[at..]) {
                Verdict::LineFeed if !line_feeds => {}
                Verdict::Data => {}
                verdict => return (at, verdict),
            }
            from = at + self.0.needle().len();
        }
        (bytes.len() - self.begun_at_end(&bytes[from..]), Verdict::Open)
    }

    /// How many bytes at the end begin a delimiter. A boundary has no CR, so the last CR is the only place.
    fn begun_at_end(&self, bytes: &[u8]) -> usize {
        let tail = &bytes[bytes.len().saturating_sub(self.0.needle().len() - 1)..];
        let Some(at) = memrchr(b'\r', tail) else { return 0 };
        if self.0.needle().starts_with(&tail[at..]) { tail.len() - at } else { 0 }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("state", &self.state)
            .field("begun", &self.begun)
            .field("complete", &self.complete)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Part(head) => f.debug_tuple("Part").field(head).finish(),
            Self::Data(payload) => write!(f, "Data({} bytes)", payload.len()),
            Self::PartEnd => f.write_str("PartEnd"),
            Self::More => f.write_str("More"),
            Self::End => f.write_str("End"),
        }
    }
}
