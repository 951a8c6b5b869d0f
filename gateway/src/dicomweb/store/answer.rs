//! What the sender of instances is told (PS3.18 §10.5.3, annex I.2).

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use medvan_imaging::{
    Uid,
    accept::{Acceptable, Offer},
    stow::{Outcome, StoreResponse},
    xml,
};

use super::{Refusal, negotiation};

const HAVE: &str = "application/dicom+json, application/dicom+xml";

/// The form of the answer, and the URLs in it.
pub(in crate::dicomweb) struct Answer {
    is_xml: bool,
    root: String,
    study: Option<Uid>,
}

impl Answer {
    /// Decides the form before anything is stored: a client that accepts none is told so at once.
    pub(in crate::dicomweb) fn choose(
        acceptable: &Acceptable,
        root: String,
        study: Option<Uid>,
    ) -> Result<Self, Refusal> {
        let offers = [
            Offer::single("application/dicom+json"),
            Offer::single("application/dicom+xml"),
            Offer::single("application/json"),
        ];
        let choice = negotiation::choose(acceptable, &offers, HAVE)?;
        Ok(Self { is_xml: choice.offer == 1, root, study })
    }

    /// The answer for what became of each instance.
    pub(in crate::dicomweb) fn of(&self, outcomes: impl IntoIterator<Item = Outcome>) -> Response {
        let response = StoreResponse::new(&self.root, self.study.as_ref(), outcomes);
        let status = StatusCode::from_u16(response.status()).unwrap_or(StatusCode::OK);
        let attributes = response.to_attributes();
        let (media, body) = if self.is_xml {
            ("application/dicom+xml", xml::write(&attributes))
        } else {
            ("application/dicom+json", serde_json::to_vec(&attributes).unwrap_or_default())
        };
        let mut answer = (status, [(header::CONTENT_TYPE, media)], body).into_response();
        // The codes alone help nobody who has to mend something: the words go beside them.
        for warning in response.warnings(&self.root) {
            if let Ok(value) = HeaderValue::try_from(warning) {
                answer.headers_mut().append(header::WARNING, value);
            }
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        answer
    }
}
