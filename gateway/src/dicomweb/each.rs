//! Something of each of many instances, in one body: their pictures, their pixels, their bulk data.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use medvan_imaging::multipart::{ContentType, Writer};

use super::{
    negotiation,
    outgoing::{Ended, Outgoing},
    refusal::Refusal,
    walk::Walk,
};
use crate::store::FoundInstance;

/// What is given of an instance.
pub(super) trait Giving: Send + Sync + 'static {
    /// What is ready of one instance.
    type Ready: Send + 'static;

    /// Makes ready what there is of an instance; nothing for an instance that can have none.
    ///
    /// # Errors
    /// It cannot be given.
    fn prepare(&self, found: FoundInstance) -> impl Future<Output = Result<Option<Self::Ready>, Refusal>> + Send;

    /// Writes it as parts.
    fn write(
        &self,
        ready: Self::Ready,
        writer: &mut Writer,
        out: &Outgoing,
    ) -> impl Future<Output = Result<(), Ended>> + Send;
}

/// The parts of all instances. The first that can be given decides whether there is an answer at all; those before it that cannot
/// make it a partial one (PS3.18 §10.4.3.2), and so do instances of which nothing is asked for. One after it that cannot be given
/// is left out.
pub(super) async fn parts<G: Giving>(giving: G, mut walk: Walk, media: &'static str) -> Result<Response, Refusal> {
    let mut refused = None;
    let first = loop {
        let Some(found) = walk.next().await? else { return Err(refused.unwrap_or(Refusal::NotFound)) };
        match giving.prepare(found).await {
            Ok(Some(ready)) => break ready,
            Ok(None) => {}
            Err(refusal) if refusal.is_of_one_instance() => drop(refused.get_or_insert(refusal)),
            Err(refusal) => return Err(refusal),
        }
    };
    let status = if refused.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let mut writer = Writer::new(negotiation::boundary(), &ContentType::of(media));
    let content_type = writer.content_type();
    let tasks = walk.app.tasks.clone();
    let body = Outgoing::body(&tasks, |out| async move {
        giving.write(first, &mut writer, &out).await?;
        while let Some(found) = walk.next().await? {
            match giving.prepare(found).await {
                Ok(Some(ready)) => giving.write(ready, &mut writer, &out).await?,
                Ok(None) => {}
                Err(refusal) if refusal.is_of_one_instance() => {
                    tracing::info!(reason = %refusal, "an instance cannot be given in this form and is left out");
                }
                Err(refusal) => {
                    tracing::warn!(reason = %refusal, "an instance cannot be given now; the answer was cut off");
                    return Err(Ended);
                }
            }
        }
        out.send(writer.end()).await
    });
    Ok((status, [(header::CONTENT_TYPE, content_type)], body).into_response())
}
