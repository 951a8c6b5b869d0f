//! `application/zip`: instances as files of an archive (PS3.18 §8.7.5), written while they are read.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{StatusCode, header};
use tokio::sync::mpsc;
use zip::{
    CompressionMethod, ZipWriter,
    result::ZipError,
    write::{SimpleFileOptions, StreamWriter},
};

use super::{
    instance::Leaving,
    outgoing::{Ended, Outgoing},
    retrieve::Syntaxes,
    walk::Walk,
};
use crate::store::FoundInstance;

pub(super) const ZIP: &str = "application/zip";

/// All instances as files `<series>/<instance>.dcm`. Pixels that are compressed do not shrink further, so the files are kept as
/// they are and the archive costs next to nothing to write.
pub(super) fn archive(name: &str, walk: Walk, syntaxes: Syntaxes) -> Response {
    let status = if syntaxes.is_partial() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let tasks = walk.app.tasks.clone();
    let body = Outgoing::body(&tasks, |out| Archive::new(out).write(walk, syntaxes));
    let head = [
        (header::CONTENT_TYPE, ZIP.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.zip\"")),
    ];
    (status, head, body).into_response()
}

struct Archive {
    zip: ZipWriter<StreamWriter<Written>>,
    written: Written,
    out: Outgoing,
}

impl Archive {
    fn new(out: Outgoing) -> Self {
        let written = Written::default();
        Self { zip: ZipWriter::new_stream(written.clone()), written, out }
    }

    async fn write(mut self, mut walk: Walk, syntaxes: Syntaxes) -> Result<(), Ended> {
        while let Some(found) = walk.next().await? {
            self.file(&walk, &found, &syntaxes).await?;
        }
        self.zip.finish()?;
        self.out.send(self.written.take()).await
    }

    async fn file(&mut self, walk: &Walk, found: &FoundInstance, syntaxes: &Syntaxes) -> Result<(), Ended> {
        let Some(syntax) = syntaxes.of(found) else { return Ok(()) };
        let leaving = Leaving::open(&walk.app, &walk.hospital, found, syntax).await.map_err(|error| {
            tracing::warn!(reason = %error, "an instance cannot be given in this form; the answer was cut off");
            Ended
        })?;
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            // What comes out of a decoder is known to be this long, but the head of a file is written before it.
            .large_file(leaving.length() >= u64::from(u32::MAX));
        self.zip.start_file(format!("{}/{}.dcm", found.series_uid, found.uid), options)?;
        let (sender, mut chunks) = mpsc::channel::<Bytes>(1);
        // The first to fail ends the other, who would wait for it.
        tokio::try_join!(leave(leaving, Outgoing::to(sender)), async {
            while let Some(chunk) = chunks.recv().await {
                self.zip.write_all(&chunk)?;
                self.out.send(self.written.take()).await?;
            }
            Ok(())
        })?;
        Ok(())
    }
}

/// Ends with the channel that it writes to.
async fn leave(leaving: Leaving, out: Outgoing) -> Result<(), Ended> {
    leaving.write(Bytes::new(), &out).await
}

impl From<ZipError> for Ended {
    fn from(error: ZipError) -> Self {
        tracing::error!(%error, "an archive cannot be written; the answer was cut off");
        Self
    }
}

/// What the archive's writer has written and nobody has sent yet.
#[derive(Debug, Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
