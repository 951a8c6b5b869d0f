//! Where a service is called.

use medvan_profiles::descriptor::{
    Descriptor, ImageEntry,
    images::{DicomwebWay, ImageWay},
};
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

/// Where an entry is called with images: `{baseUrl}{path}`, or `{baseUrl}/v2/models/{model}[/versions/{version}]/infer`; the base
/// URL of one that is not called.
///
/// # Errors
/// As of [`service_url`].
pub fn images_url(descriptor: &Descriptor, entry: &ImageEntry) -> Result<Url, String> {
    let base = Url::parse(&descriptor.transport.base_url).map_err(|error| format!("base URL: {error}"))?;
    let segments: Vec<&str> = match &entry.way {
        ImageWay::ImageJson { path, .. } | ImageWay::Dicomweb(DicomwebWay { path, .. }) => {
            path.split('/').filter(|segment| !segment.is_empty()).collect()
        }
        ImageWay::Worklist(_) | ImageWay::Dimse(_) => Vec::new(),
        ImageWay::Inference(way) => {
            let version = way.version.as_deref().map(|version| ["versions", version]);
            ["v2", "models", &way.model].into_iter().chain(version.into_iter().flatten()).chain(["infer"]).collect()
        }
    };
    segments.into_iter().try_fold(base, |url, segment| below(&url, segment))
}

fn below(url: &Url, segment: &str) -> Result<Url, String> {
    let mut url = url.clone();
    url.path_segments_mut().map_err(|()| "base URL: it has no path".to_owned())?.pop_if_empty().push(segment);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use medvan_profiles::descriptor::{Descriptor, inference_example_text};

    use super::images_url;

    #[test]
    fn a_model_is_called_at_its_name_and_version() {
        let value = serde_json::from_str(inference_example_text()).unwrap();
        let descriptor = Descriptor::check(&value).unwrap();
        let urls = descriptor.images.iter().map(|entry| images_url(&descriptor, entry).unwrap().to_string());
        assert_eq!(
            urls.collect::<Vec<_>>(),
            [
                "https://models.suzuran.example/v2/models/chest-slices/versions/3/infer",
                "https://models.suzuran.example/v2/models/lung-volume/infer",
            ]
        );
    }
}
