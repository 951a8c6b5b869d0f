//! `medvan decode-worker`: the process in which strangers' pixels are decoded. [`crate::decoder`] starts it and talks to it.

use std::{
    io::{self, BufReader, BufWriter, Read, Write},
    process::ExitCode,
};

use medvan_pixels::{DecodeError, EncodedFrame, NativeFrame, RenderError, RenderParameters, decode, render, values};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::decoder::protocol::{Answer, Head, Incoming, What, read_frame, read_head, write_answer};

/// Decode the frames on standard input, one after the other, until it ends.
#[derive(Debug, clap::Args)]
pub(super) struct DecodeWorker {
    /// Most bytes of address space.
    #[arg(long)]
    memory: u64,
    /// Most seconds of processor time.
    #[arg(long)]
    seconds: u64,
}

impl DecodeWorker {
    /// Decodes until the input ends. Whatever goes wrong is told by the exit code alone: nobody reads what would be printed.
    pub(super) fn run(&self) -> ExitCode {
        let done = self.limit_myself().and_then(|()| answer_all(io::stdin().lock(), io::stdout().lock()));
        if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// Before the first byte is read: no more memory and time than allowed, no file but the three open ones, no byte written
    /// into a file, no core dump with a patient in it.
    fn limit_myself(&self) -> io::Result<()> {
        for (resource, most, beyond) in [
            (Resource::As, self.memory, 0),
            // At the first one comes a signal that says so, at the second one that does not.
            (Resource::Cpu, self.seconds, 1),
            (Resource::Core, 0, 0),
            (Resource::Fsize, 0, 0),
            (Resource::Nofile, 0, 0),
        ] {
            let least = |limit: u64| getrlimit(resource).maximum.map_or(limit, |maximum| maximum.min(limit));
            let limit = Rlimit { current: Some(least(most)), maximum: Some(least(most.saturating_add(beyond))) };
            setrlimit(resource, limit)?;
        }
        Ok(())
    }
}

fn answer_all(input: impl Read, output: impl Write) -> io::Result<()> {
    let (mut input, mut output) = (BufReader::new(input), BufWriter::new(output));
    let head = read_head(&mut input)?;
    while let Some(incoming) = read_frame(&mut input, head.limits.encoded_bytes)? {
        let (answer, bytes) = match incoming {
            Incoming::Frame(frame) => answer(&head, &frame),
            Incoming::TooLarge(bytes) => {
                let error = DecodeError::TooLarge { bytes, limit: head.limits.encoded_bytes };
                (Answer::Refused(error.into()), Vec::new())
            }
        };
        write_answer(&mut output, &answer, &bytes)?;
        output.flush()?;
    }
    Ok(())
}

fn answer(head: &Head, frame: &EncodedFrame) -> (Answer, Vec<u8>) {
    let done = decode(&head.image, frame, &head.limits).map_err(RenderError::from).and_then(|frame| match &head.what {
        What::Native => Ok((Answer::Native(frame.format), frame.samples)),
        What::Png(parameters) => picture(head, &frame, parameters, None),
        What::Jpeg(parameters, quality) => picture(head, &frame, parameters, Some(*quality)),
        What::Values(scale) => {
            let made = values(&head.image, &frame, scale, &head.limits)?;
            let answer = Answer::Values { columns: made.columns, rows: made.rows, channels: made.channels };
            Ok((answer, made.values.into_iter().flat_map(f32::to_le_bytes).collect()))
        }
    });
    done.unwrap_or_else(|error| (Answer::Refused(error), Vec::new()))
}

/// Draws a frame as PNG, or with a quality as JPEG.
fn picture(
    head: &Head,
    frame: &NativeFrame,
    parameters: &RenderParameters,
    quality: Option<Option<u8>>,
) -> Result<(Answer, Vec<u8>), RenderError> {
    let picture = render(&head.image, frame, parameters, &head.limits)?;
    let bytes = match quality {
        None => picture.write_png()?,
        Some(quality) => picture.write_jpeg(quality)?,
    };
    Ok((Answer::Picture { width: picture.width, height: picture.height }, bytes))
}
