//! Reading a body with a limit: on the bytes that came, and on the bytes they unpack to.
//!
//! The two limits are two layers (check 24): a megabyte of gzip can hold a gigabyte, and a gigabyte of empty gzip
//! members can hold nothing at all. One chunk, the usual case, is passed on without a copy.

use std::io::Read;

use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use reqwest::header::CONTENT_ENCODING;

use super::FetchError;

pub(super) async fn read(mut response: reqwest::Response, limit: usize) -> Result<Bytes, FetchError> {
    let gzip = is_gzip(&response)?;
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(FetchError::TooLarge { limit });
    }
    let first = next(&mut response, limit).await?.unwrap_or_default();
    let body = match next(&mut response, limit - first.len()).await.map_err(|error| restate(error, limit))? {
        None => first,
        Some(second) => read_rest(response, first, second, limit).await?,
    };
    if gzip { unpack(&body, limit) } else { Ok(body) }
}

async fn read_rest(
    mut response: reqwest::Response,
    first: Bytes,
    second: Bytes,
    limit: usize,
) -> Result<Bytes, FetchError> {
    let mut all = BytesMut::with_capacity((first.len() + second.len()) * 2);
    all.extend_from_slice(&first);
    all.extend_from_slice(&second);
    while let Some(chunk) = next(&mut response, limit - all.len()).await.map_err(|error| restate(error, limit))? {
        all.extend_from_slice(&chunk);
    }
    Ok(all.freeze())
}

/// The next chunk that is not empty, if it fits.
async fn next(response: &mut reqwest::Response, room: usize) -> Result<Option<Bytes>, FetchError> {
    loop {
        match response.chunk().await.map_err(|error| FetchError::from_reqwest(&error))? {
            Some(chunk) if chunk.is_empty() => {}
            Some(chunk) if chunk.len() > room => return Err(FetchError::TooLarge { limit: room }),
            chunk => return Ok(chunk),
        }
    }
}

/// An error about the room that was left is an error about the whole limit.
fn restate(error: FetchError, limit: usize) -> FetchError {
    if matches!(error, FetchError::TooLarge { .. }) { FetchError::TooLarge { limit } } else { error }
}

fn is_gzip(response: &reqwest::Response) -> Result<bool, FetchError> {
    let encoding = response.headers().get(CONTENT_ENCODING).map(|value| value.as_bytes().trim_ascii());
    match encoding {
        None | Some(b"" | b"identity") => Ok(false),
        Some(name) if name.eq_ignore_ascii_case(b"gzip") || name.eq_ignore_ascii_case(b"x-gzip") => Ok(true),
        Some(_) => Err(FetchError::Encoding),
    }
}

fn unpack(packed: &[u8], limit: usize) -> Result<Bytes, FetchError> {
    let mut plain = Vec::with_capacity(packed.len().saturating_mul(4).min(limit));
    let mut reader = MultiGzDecoder::new(packed).take(limit as u64 + 1);
    reader.read_to_end(&mut plain).map_err(|_| FetchError::Encoding)?;
    if plain.len() > limit { Err(FetchError::TooLarge { limit }) } else { Ok(plain.into()) }
}
