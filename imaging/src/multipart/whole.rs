//! [`instances`]: a whole body that holds instances, in memory, taken apart.

use bytes::Bytes;

use super::{ContentType, Event, Limits, MultipartError, Reader};

/// Why a body holds no instances. The sender's fault, always.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotInstances {
    /// It says to be something else.
    #[error(
        "the Content-Type must be multipart/related with type=\"application/dicom\" and a boundary, or application/dicom"
    )]
    MediaType,
    /// It cannot be taken apart.
    #[error("{0}")]
    Multipart(#[from] MultipartError),
    /// A part is no instance.
    #[error("part {0} is not application/dicom")]
    Part(usize),
}

/// The instances of a body: the parts of `multipart/related; type="application/dicom"`, or the one that the body is (PS3.18
/// section 8.6.1). Whoever received the body bounds its bytes; `most` bounds the parts.
///
/// # Errors
/// It is something else, or broken.
pub fn instances(content_type: &str, body: Bytes, most: usize) -> Result<Vec<Bytes>, NotInstances> {
    let content = ContentType::parse(content_type).map_err(|_| NotInstances::MediaType)?;
    if content.media() == "application/dicom" {
        return Ok(vec![body]);
    }
    // Some senders leave the type out; the parts say it then.
    let is_dicom = content.root_type().is_none_or(|root| root == "application/dicom");
    if !content.is_related() || !is_dicom {
        return Err(NotInstances::MediaType);
    }
    let boundary = content.boundary().map_err(|_| NotInstances::MediaType)?;
    let mut reader = Reader::new(&boundary, Limits { parts: most, ..Limits::default() });
    reader.push(body);
    let (mut instances, mut pieces) = (Vec::new(), Vec::new());
    loop {
        match reader.next()? {
            Event::Part(head) => {
                let is_instance = head.content_type.as_ref().is_none_or(|part| part.media() == "application/dicom");
                if !is_instance || head.flaw.is_some() {
                    return Err(NotInstances::Part(instances.len()));
                }
            }
            Event::Data(piece) => pieces.push(piece),
            Event::PartEnd => instances.push(joined(std::mem::take(&mut pieces))),
            Event::More => {
                reader.finish()?;
                return Ok(instances);
            }
            Event::End => return Ok(instances),
        }
    }
}

/// One piece is passed on without a copy.
fn joined(mut pieces: Vec<Bytes>) -> Bytes {
    match pieces.pop() {
        Some(only) if pieces.is_empty() => only,
        None => Bytes::new(),
        Some(last) => {
            pieces.push(last);
            pieces.concat().into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RELATED: &str = "multipart/related; type=\"application/dicom\"; boundary=b";

    fn of(content_type: &str, body: &'static str) -> Result<Vec<Bytes>, NotInstances> {
        instances(content_type, Bytes::from_static(body.as_bytes()), 2)
    }

    #[test]
    fn instances_are_parts_or_the_whole_body() {
        let two = "--b\r\nContent-Type: application/dicom\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n";
        assert_eq!(of(RELATED, two).unwrap(), ["one", "two"]);
        assert_eq!(of("multipart/related; boundary=b", two).unwrap(), ["one", "two"]);
        assert_eq!(of("application/dicom; transfer-syntax=1.2.840.10008.1.2.1", "one").unwrap(), ["one"]);
    }

    #[test]
    fn anything_else_is_none() {
        let html = "--b\r\nContent-Type: text/html\r\n\r\n<html>\r\n--b--\r\n";
        let three = "--b\r\n\r\n1\r\n--b\r\n\r\n2\r\n--b\r\n\r\n3\r\n--b--\r\n";
        for (content_type, body, refused) in [
            ("text/html", "<html>", NotInstances::MediaType),
            ("multipart/related; type=\"application/dicom\"", "--b", NotInstances::MediaType),
            ("multipart/related; type=\"application/dicom+json\"; boundary=b", html, NotInstances::MediaType),
            (RELATED, html, NotInstances::Part(0)),
            (RELATED, three, NotInstances::Multipart(MultipartError::TooManyParts { limit: 2 })),
        ] {
            assert_eq!(of(content_type, body), Err(refused), "{content_type} {body}");
        }
        assert!(matches!(of(RELATED, "--b\r\n\r\ncut o"), Err(NotInstances::Multipart(_))));
        assert!(matches!(of(RELATED, "nothing"), Err(NotInstances::Multipart(_))));
    }
}
