//! [`Worker`]: one child process and the pipes to it.

use std::{
    fmt, io,
    os::unix::process::ExitStatusExt as _,
    path::Path,
    pin::Pin,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream::BoxStream};
use rustix::process::Signal;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use super::{
    DecoderError, DecoderLimits, FrameSource,
    protocol::{Answer, Head, json, most_json, parsed, within},
};

/// How long a worker that has closed its output may take to end.
const LAST_BREATH: Duration = Duration::from_secs(1);

/// Writes everything to the worker; an error is the source's, not the pipe's.
type Feeding = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

/// A running worker. It is killed when this is dropped.
pub(super) struct Worker {
    child: Child,
    output: BufReader<ChildStdout>,
    /// None when all is written.
    feeding: Option<Feeding>,
    /// Most bytes of an answer.
    most: u64,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Worker({:?})", self.child.id())
    }
}

impl Worker {
    /// Starts a worker. It is fed while its answers are waited for.
    pub(super) fn start(
        program: &Path,
        limits: &DecoderLimits,
        head: &Head,
        count: u32,
        frames: BoxStream<'static, io::Result<FrameSource>>,
    ) -> io::Result<Self> {
        let head = json(head)?;
        let memory = limits.memory.saturating_add(limits.frame.encoded_bytes);
        let seconds = limits.processor.saturating_mul(count.max(1)).as_secs().max(1);
        let mut child = Command::new(program)
            .arg("decode-worker")
            .args(["--memory", &memory.to_string(), "--seconds", &seconds.to_string()])
            .env_clear()
            // The allocator would reserve a gigabyte before the limit is set, and the limit would not count it.
            .env("MIMALLOC_ARENA_RESERVE", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let pictures = limits.frame.picture_pixels.saturating_mul(4);
        Ok(Self {
            child,
            output: BufReader::new(output),
            feeding: Some(Box::pin(feed(input, head, frames))),
            most: limits.frame.native_bytes.max(pictures),
        })
    }

    /// The next answer with its bytes; none when the worker has answered all it was asked.
    pub(super) async fn answer(&mut self) -> Result<Option<(Answer, Bytes)>, DecoderError> {
        let Self { child, output, feeding, most } = self;
        let mut reading = std::pin::pin!(read_answer(output, *most));
        let read = loop {
            let Some(feeder) = feeding else { break reading.await };
            let fed = tokio::select! {
                biased;
                read = &mut reading => break read,
                fed = feeder => fed,
            };
            *feeding = None;
            fed.map_err(DecoderError::Source)?;
        };
        match read {
            Ok(Some(answer)) => Ok(Some(answer)),
            Ok(None) => end_of(child).await,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => end_of(child).await,
            Err(error) => Err(DecoderError::Worker(error)),
        }
    }
}

/// Writes all to the worker. Where it takes no more it has ended, and how it ended says why.
async fn feed(
    mut input: ChildStdin,
    head: Vec<u8>,
    mut frames: BoxStream<'static, io::Result<FrameSource>>,
) -> io::Result<()> {
    let mut written = input.write_all(&head).await;
    while written.is_ok() {
        let Some(frame) = frames.next().await else { break };
        written = write_frame(&mut input, &frame?).await;
    }
    Ok(())
}

async fn write_frame(input: &mut ChildStdin, frame: &FrameSource) -> io::Result<()> {
    let mut start = vec![frame.first_bit];
    start.extend_from_slice(&(frame.fragments.len() as u32).to_le_bytes());
    input.write_all(&start).await?;
    for fragment in &frame.fragments {
        input.write_all(&(fragment.len() as u64).to_le_bytes()).await?;
        input.write_all(fragment).await?;
    }
    Ok(())
}

/// Reads an answer; none where the worker has closed its output before one.
async fn read_answer(output: &mut BufReader<ChildStdout>, most: u64) -> io::Result<Option<(Answer, Bytes)>> {
    let mut length = [0; 4];
    if output.read(&mut length[..1]).await? == 0 {
        return Ok(None);
    }
    output.read_exact(&mut length[1..]).await?;
    let mut json = vec![0; within(u32::from_le_bytes(length).into(), most_json())?];
    output.read_exact(&mut json).await?;
    let answer = parsed(&json)?;
    let length = within(output.read_u64_le().await?, most)?;
    let mut bytes = vec![0; length];
    output.read_exact(&mut bytes).await?;
    Ok(Some((answer, bytes.into())))
}

/// How a worker ended that says no more.
async fn end_of(child: &mut Child) -> Result<Option<(Answer, Bytes)>, DecoderError> {
    let status = tokio::time::timeout(LAST_BREATH, child.wait()).await.map_err(|_| DecoderError::TimedOut)?;
    let status = status.map_err(DecoderError::Worker)?;
    if status.success() { Ok(None) } else { Err(reason(status)) }
}

fn reason(status: ExitStatus) -> DecoderError {
    let is = |signals: &[Signal]| signals.iter().any(|signal| status.signal() == Some(signal.as_raw()));
    match status.code() {
        // An allocation that fails ends a Rust program with this signal; the system ends one that takes too much with the other.
        None if is(&[Signal::ABORT, Signal::KILL]) => DecoderError::OutOfMemory,
        None if is(&[Signal::XCPU]) => DecoderError::TimedOut,
        // A panic has this code.
        None | Some(101) => DecoderError::Crashed,
        Some(code) => DecoderError::Worker(io::Error::other(format!("it ended with code {code}"))),
    }
}
