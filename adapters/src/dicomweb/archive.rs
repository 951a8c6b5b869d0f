//! A hospital's own archive by DICOMweb: what it has of a patient (QIDO-RS), and its instances one by one (WADO-RS).

use bytes::Bytes;
use dicom_dictionary_std::tags;
use medvan_imaging::{Uid, attributes::Attributes};
use url::form_urlencoded::Serializer;

use super::{Listed, Root, uid};
use crate::advisor::AdviseError;

/// Studies of one patient that one search may tell of.
const STUDIES: usize = 1_000;

impl Root {
    /// Studies of a patient from the first day to the second, `YYYYMMDD`, and whether these are all (PS3.18 §10.6).
    ///
    /// # Errors
    /// The archive does not answer, or not with a list.
    pub async fn studies_of(
        &self,
        patient_id: &str,
        (first, last): (&str, &str),
    ) -> Result<(Vec<Attributes>, bool), AdviseError> {
        let query = Serializer::new(String::new())
            .append_pair("PatientID", patient_id)
            .append_pair("StudyDate", &format!("{first}-{last}"))
            .append_pair("includefield", "IssuerOfPatientID")
            .append_pair("includefield", "ModalitiesInStudy")
            .append_pair("limit", &STUDIES.to_string())
            .finish();
        let mut told = self.search(&format!("/studies?{query}")).await?;
        let is_all = told.len() < STUDIES;
        told.truncate(STUDIES);
        Ok((told, is_all))
    }

    /// The series of a study.
    ///
    /// # Errors
    /// As [`Self::studies_of`].
    pub async fn series_of(&self, study: &Uid) -> Result<Vec<Attributes>, AdviseError> {
        let query =
            "includefield=BodyPartExamined&includefield=SeriesDescription&includefield=NumberOfSeriesRelatedInstances";
        self.search(&format!("/studies/{study}/series?{query}")).await
    }

    /// The instances of a series.
    ///
    /// # Errors
    /// As [`Self::studies_of`].
    pub async fn instances_of(&self, study: &Uid, series: &Uid) -> Result<Vec<Attributes>, AdviseError> {
        self.search(&format!("/studies/{study}/series/{series}/instances")).await
    }

    /// An instance as the archive keeps it, of at most so many bytes.
    ///
    /// # Errors
    /// The archive does not answer, or not with one instance.
    pub async fn instance(
        &self,
        study: &Uid,
        series: &Uid,
        told: &Attributes,
        most: usize,
    ) -> Result<Bytes, AdviseError> {
        let (class, instance) = (uid(told, tags::SOP_CLASS_UID)?, uid(told, tags::SOP_INSTANCE_UID)?);
        self.fetch(study, &Listed { series: series.clone(), instance, class }, most).await
    }
}
