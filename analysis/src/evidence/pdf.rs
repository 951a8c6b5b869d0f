//! The result for people to read and print: an Encapsulated PDF (PS3.3 section A.45.1) in Japanese and English.
//!
//! It says what the report says, as far as 20 pages hold it, and who it is about, so that printed pages are not mixed up: the
//! patient's ID, never the name. It has no clock and no chance in it: the same findings are the same bytes.

mod content;
mod file;
mod font;
mod page;
#[cfg(test)]
mod tests;

use dicom_dictionary_std::tags;
use medvan_imaging::{
    VR,
    attributes::{Attribute, Attributes, Content, NotWritable},
};

use super::{
    Context, DOCUMENT, Object, Reference,
    content::{ImageReference, coded, referenced},
    document::{self, Series},
    library::whole,
    terms,
};
use crate::finding::CheckedFindings;

const SERIES: Series = Series { modality: "DOC", number: 9005 };
/// Pages of a document. What is more stands in the report.
pub const PAGES: usize = 20;
/// The title, of the file and of the object (ST).
const TITLE: &str = "AI解析結果 / AI result";

/// How others refer to the document of this job.
pub fn reference(context: &Context<'_>) -> Reference {
    context.reference(DOCUMENT, "document")
}

/// The document. `sources` are what it was made of: the report, and what else was made beside it. Without any, they are the
/// images.
///
/// # Errors
/// As [`super::report::author`].
pub fn author(context: &Context<'_>, findings: &CheckedFindings, sources: &[Reference]) -> Result<Object, NotWritable> {
    let reference = reference(context);
    let mut said = document::begin(context, &reference, SERIES, 1);
    // SC Equipment and Encapsulated Document (PS3.3 sections C.8.6.1, C.24.2).
    said.put_text(tags::CONVERSION_TYPE, "WSD");
    said.put_empty(tags::ACQUISITION_DATE_TIME);
    said.put_text(tags::BURNED_IN_ANNOTATION, "YES");
    said.put_items(tags::SOURCE_INSTANCE_SEQUENCE, self::sources(context, sources));
    said.put_text(tags::DOCUMENT_TITLE, TITLE);
    said.put_items(tags::CONCEPT_NAME_CODE_SEQUENCE, vec![coded(terms::IMAGING_MEASUREMENT_REPORT)]);
    said.put_text(tags::VERIFICATION_FLAG, "UNVERIFIED");
    said.put_text(tags::MIME_TYPE_OF_ENCAPSULATED_DOCUMENT, "application/pdf");
    let bytes = written(context, findings);
    said.put_number(tags::ENCAPSULATED_DOCUMENT_LENGTH, bytes.len() as u64);
    said.put(tags::ENCAPSULATED_DOCUMENT, Attribute { vr: VR::OB, content: Content::Inline(bytes) });
    document::object(reference, &said, None)
}

/// The PDF alone.
fn written(context: &Context<'_>, findings: &CheckedFindings) -> Vec<u8> {
    let pages = content::pages(context, findings);
    file::written(context, &pages, &content::running(context))
}

fn sources(context: &Context<'_>, sources: &[Reference]) -> Vec<Attributes> {
    if sources.is_empty() {
        let images = context.inputs.series.iter().flat_map(|series| &series.images);
        return images.map(|image| referenced(&whole(image))).collect();
    }
    let source = |Reference { class, instance, .. }: &Reference| {
        referenced(&ImageReference { class, instance, frame: None, segment: None })
    };
    sources.iter().map(source).collect()
}
