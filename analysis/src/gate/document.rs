//! Encapsulated PDF (PS3.3 section A.45.1).

use dicom_dictionary_std::tags;
use medvan_imaging::dataset::Value;

use super::{
    object::Object,
    reading::{Faults, text},
};

pub(super) fn check(object: &Object, faults: &mut Faults) {
    if text(&object.said, tags::MIME_TYPE_OF_ENCAPSULATED_DOCUMENT).is_some_and(|kind| kind != "application/pdf") {
        faults.add("/MIMETypeOfEncapsulatedDocument", "it is no PDF", "write application/pdf");
    }
    let begin: &[u8] = match object.data_set.get(tags::ENCAPSULATED_DOCUMENT).map(|element| &element.value) {
        Some(Value::Bytes(bytes)) => bytes,
        Some(Value::Left(left)) => {
            let from = usize::try_from(left.span.offset).unwrap_or(usize::MAX);
            object.bytes.get(from..).unwrap_or_default()
        }
        _ => &[],
    };
    if !begin.starts_with(b"%PDF-") {
        faults.add("/EncapsulatedDocument", "it does not begin like a PDF", "send the PDF from its first byte on");
    }
}
