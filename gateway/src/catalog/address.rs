//! Where a service is called.

use medvan_profiles::descriptor::{Descriptor, ImageEntry, images::ImageWay};
use url::Url;

/// `{baseUrl}/cds-services/{id}` (CDS Hooks 2.0.1, "Calling a CDS Service").
///
/// # Errors
/// The registered base URL is none; the text is for people.
pub fn service_url(descriptor: &Descriptor, cds_id: &str) -> Result<Url, String> {
    let base = Url::parse(&descriptor.transport.base_url).map_err(|error| format!("base URL: {error}"))?;
    below(&below(&base, "cds-services")?, cds_id)
}

/// `{baseUrl}/cds-services/{id}/feedback`, where the vendor has such an endpoint.
///
/// # Errors
/// As of [`service_url`].
pub fn feedback_url(descriptor: &Descriptor, cds_id: &str) -> Result<Option<Url>, String> {
    let wanted = descriptor.transport.overrides.feedback;
    wanted.then(|| below(&service_url(descriptor, cds_id)?, "feedback")).transpose()
}

/// `{baseUrl}{path}` of an entry that is called with images.
///
/// # Errors
/// As of [`service_url`].
pub fn images_url(descriptor: &Descriptor, entry: &ImageEntry) -> Result<Url, String> {
    let ImageWay::ImageJson { path, .. } = &entry.way;
    let base = Url::parse(&descriptor.transport.base_url).map_err(|error| format!("base URL: {error}"))?;
    path.split('/').filter(|segment| !segment.is_empty()).try_fold(base, |url, segment| below(&url, segment))
}

fn below(url: &Url, segment: &str) -> Result<Url, String> {
    let mut url = url.clone();
    url.path_segments_mut().map_err(|()| "base URL: it has no path".to_owned())?.pop_if_empty().push(segment);
    Ok(url)
}
