//! [`Link`]: a connection as a sequence of PDUs (PS3.8 §9.3), read and written within bounds of size and time.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Buf as _, Bytes, BytesMut};
use dicom_ul::pdu::{AbortRQServiceProviderReason as AbortReason, AbortRQSource, Pdu, read_pdu, write_pdu};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsStream;

use super::association::Ended;

/// Before every PDU: its type, a reserved byte and its length.
const HEADER: usize = 6;
const ASSOCIATE_RQ: u8 = 0x01;
const ASSOCIATE_AC: u8 = 0x02;
const P_DATA: u8 = 0x04;
const ABORT: u8 = 0x07;
/// A request for 128 presentation contexts with every transfer syntax there is has less.
const LARGEST_ASSOCIATE: usize = 512 << 10;
/// Rejection, release and abort have four bytes.
const LARGEST_OTHER: usize = 256;
/// Bytes asked of the system at once.
const AT_ONCE: usize = 64 << 10;
/// Before the data of a PDV: its length, its presentation context and its control header.
pub(super) const PDV_HEADER: usize = 6;

/// A connection, encrypted or not.
#[derive(Debug)]
pub(super) enum Wire {
    /// As it is.
    Plain(TcpStream),
    /// In TLS.
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection as a sequence of PDUs.
#[derive(Debug)]
pub(super) struct Link {
    wire: Wire,
    inbox: BytesMut,
    fragments: VecDeque<Fragment>,
    /// The largest PDU with data that is taken.
    largest: usize,
    /// How long the peer may be silent, and how long it may take to take what we send.
    patience: Duration,
}

/// A piece of a command or of a data set (PS3.8 §9.3.5.1, annex E).
#[derive(Debug)]
pub(super) struct Fragment {
    /// Its presentation context.
    pub(super) context: u8,
    /// Of a command, or of a data set.
    pub(super) is_command: bool,
    /// Nothing more comes of it.
    pub(super) is_last: bool,
    /// Its bytes.
    pub(super) bytes: Bytes,
}

/// What comes next.
#[derive(Debug)]
pub(super) enum Unit {
    /// A piece of a message.
    Fragment(Fragment),
    /// Anything else.
    Pdu(Box<Pdu>),
}

impl Link {
    pub(super) fn new(wire: Wire, largest: u32, patience: Duration) -> Self {
        if let Err(error) = wire.socket().set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        Self {
            wire,
            inbox: BytesMut::with_capacity(AT_ONCE),
            fragments: VecDeque::new(),
            largest: usize::try_from(largest).unwrap_or(AT_ONCE),
            patience,
        }
    }

    /// What comes next. A call that is given up loses nothing.
    pub(super) async fn next(&mut self) -> Result<Unit, Ended> {
        loop {
            if let Some(unit) = self.at_hand()? {
                return Ok(unit);
            }
            match timeout(self.patience, self.fill()).await {
                Ok(Ok(0)) => return Err(Ended::Closed),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(Ended::Io(error)),
                Err(_) => return Err(Ended::Silent),
            }
        }
    }

    /// What came already.
    fn at_hand(&mut self) -> Result<Option<Unit>, Ended> {
        if let Some(fragment) = self.fragments.pop_front() {
            return Ok(Some(Unit::Fragment(fragment)));
        }
        let Some((kind, length)) = self.head()? else {
            return Ok(None);
        };
        if self.inbox.len() < HEADER + length {
            return Ok(None);
        }
        let mut pdu = self.inbox.split_to(HEADER + length).freeze();
        if kind != P_DATA {
            return other(kind, pdu).map(Some);
        }
        pdu.advance(HEADER);
        self.fragments = fragments(pdu)?;
        Ok(self.fragments.pop_front().map(Unit::Fragment))
    }

    /// Type and length of the next PDU. A length that is not allowed is found before anything is kept for it.
    fn head(&self) -> Result<Option<(u8, usize)>, Ended> {
        let Some([kind, _, l0, l1, l2, l3]) = self.inbox.first_chunk::<HEADER>().copied() else {
            return Ok(None);
        };
        let length = usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
        let largest = match kind {
            P_DATA => self.largest,
            ASSOCIATE_RQ | ASSOCIATE_AC => LARGEST_ASSOCIATE,
            0x01..=ABORT => LARGEST_OTHER,
            _ => return Err(Ended::violation(AbortReason::UnrecognizedPdu, "a PDU of a kind that there is not")),
        };
        if length > largest {
            return Err(Ended::violation(AbortReason::InvalidPduParameter, "a PDU longer than was agreed"));
        }
        Ok(Some((kind, length)))
    }

    async fn fill(&mut self) -> io::Result<usize> {
        let wanted = match self.head() {
            Ok(Some((_, length))) => (HEADER + length).saturating_sub(self.inbox.len()),
            _ => HEADER,
        };
        self.inbox.reserve(wanted.max(AT_ONCE));
        self.wire.acknowledge_at_once();
        self.wire.read_buf(&mut self.inbox).await
    }

    /// Sends bytes that are whole PDUs.
    pub(super) async fn send(&mut self, pdus: &[u8]) -> Result<(), Ended> {
        let sent = timeout(self.patience, async {
            self.wire.write_all(pdus).await?;
            self.wire.flush().await
        });
        sent.await.map_err(|_| Ended::Silent)?.map_err(Ended::Io)
    }

    /// Sends a PDU without data.
    pub(super) async fn send_pdu(&mut self, pdu: &Pdu) -> Result<(), Ended> {
        let mut bytes = Vec::new();
        write_pdu(&mut bytes, pdu).map_err(|error| Ended::Io(io::Error::other(error)))?;
        self.send(&bytes).await
    }

    /// Tells the peer that it is over, and hangs up when the peer did or after some time (PS3.8 §9.2.2, Sta13).
    pub(super) async fn abort(mut self, source: AbortRQSource, artim: Duration) {
        if self.send_pdu(&Pdu::AbortRQ { source }).await.is_ok() {
            self.hang_up(artim).await;
        }
    }

    /// Waits for the peer to hang up, so that it reads our last word before the connection is gone.
    pub(super) async fn hang_up(mut self, artim: Duration) {
        let _ = timeout(artim, async {
            self.wire.shutdown().await?;
            let mut scrap = [0; 1024];
            while self.wire.read(&mut scrap).await? > 0 {}
            io::Result::Ok(())
        })
        .await;
    }
}

/// PDVs, back to back (PS3.8 §9.3.5).
fn fragments(mut pdu: Bytes) -> Result<VecDeque<Fragment>, Ended> {
    let broken = |what| Ended::violation(AbortReason::InvalidPduParameter, what);
    let mut fragments = VecDeque::with_capacity(1);
    while !pdu.is_empty() {
        let head = pdu.first_chunk::<PDV_HEADER>().copied().ok_or_else(|| broken("a PDV without its head"))?;
        let [l0, l1, l2, l3, context, control] = head;
        let length = usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
        let length = length.checked_sub(2).ok_or_else(|| broken("a PDV shorter than its head"))?;
        pdu.advance(PDV_HEADER);
        if length > pdu.len() {
            return Err(broken("a PDV longer than its PDU"));
        }
        let bytes = pdu.split_to(length);
        fragments.push_back(Fragment { context, is_command: control & 1 != 0, is_last: control & 2 != 0, bytes });
    }
    if fragments.is_empty() { Err(broken("a PDU without data")) } else { Ok(fragments) }
}

fn other(kind: u8, pdu: Bytes) -> Result<Unit, Ended> {
    // Its reserved byte and any reason of an abort that is not in the table mean nothing: an abort is an abort.
    if kind == ABORT {
        return Ok(Unit::Pdu(Box::new(Pdu::AbortRQ { source: AbortRQSource::ServiceUser })));
    }
    let largest = u32::try_from(LARGEST_ASSOCIATE).unwrap_or(u32::MAX);
    match read_pdu(pdu, largest, true) {
        Ok(Some(pdu)) => Ok(Unit::Pdu(Box::new(pdu))),
        Ok(None) | Err(_) => Err(Ended::violation(AbortReason::InvalidPduParameter, "a PDU that cannot be read")),
    }
}

/// Appends a P-DATA-TF PDU with one PDV.
pub(super) fn put_data(pdus: &mut Vec<u8>, context: u8, is_command: bool, is_last: bool, data: &[u8]) {
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    pdus.extend_from_slice(&[P_DATA, 0]);
    pdus.extend_from_slice(&(length + 6).to_be_bytes());
    pdus.extend_from_slice(&(length + 2).to_be_bytes());
    pdus.extend_from_slice(&[context, u8::from(is_command) | u8::from(is_last) << 1]);
    pdus.extend_from_slice(data);
}

impl Wire {
    fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }

    /// Senders that leave Nagle's algorithm on wait for an acknowledgement in the middle of each message, and the system delays it by 40 ms
    /// unless it is told not to. It forgets that soon, so it is told before every reading: measured with storescu, 23 instances a
    /// second become more than two thousand.
    fn acknowledge_at_once(&self) {
        #[cfg(target_os = "linux")]
        let _ = self.socket().set_quickack(true);
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests;
