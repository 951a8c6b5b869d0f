//! Enrolments of a hospital.

use super::{Page, Written, document, text_of, written};
use crate::{
    catalog::{Enrollment, HospitalId, ServiceName},
    store::{Store, StoreError},
};

/// What came of writing an enrolment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutEnrollment {
    /// It was written.
    Written(Written),
    /// There is no such hospital.
    NoSuchHospital,
    /// No version of the service, or not the pinned one, is registered.
    NoSuchVersion,
}

impl Store {
    /// Enrolments of this hospital in the order of the services' names; a page goes on after `vendor.service`.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn enrollments(&self, hospital: &HospitalId, page: Page<'_>) -> Result<Vec<Enrollment>, StoreError> {
        let rows = sqlx::query(
            "SELECT document FROM enrollments WHERE hospital = $1 AND vendor || '.' || service > $2 \
             ORDER BY vendor || '.' || service LIMIT $3",
        )
        .bind(hospital.as_str())
        .bind(page.after)
        .bind(i64::from(page.limit))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(document).collect()
    }

    /// This hospital's enrolment in one service.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn enrollment(
        &self,
        hospital: &HospitalId,
        service: &ServiceName,
    ) -> Result<Option<Enrollment>, StoreError> {
        let row = sqlx::query("SELECT document FROM enrollments WHERE hospital = $1 AND vendor = $2 AND service = $3")
            .bind(hospital.as_str())
            .bind(service.vendor.as_str())
            .bind(service.service.as_str())
            .fetch_optional(self.readers())
            .await?;
        row.as_ref().map(document).transpose()
    }

    /// Makes or changes an enrolment of the hospital that it names.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn put_enrollment(&self, enrollment: &Enrollment) -> Result<PutEnrollment, StoreError> {
        let text = text_of(enrollment)?;
        let (hospital, service) = (&enrollment.hospital, &enrollment.service);
        let mut db = self.write().await?;
        let known = sqlx::query("SELECT 1 FROM hospitals WHERE id = $1").bind(hospital.as_str());
        if known.fetch_optional(&mut *db).await?.is_none() {
            return Ok(PutEnrollment::NoSuchHospital);
        }
        let known = sqlx::query(
            "SELECT 1 FROM versions WHERE vendor = $1 AND service = $2 AND ($3 = '' OR number = $3) LIMIT 1",
        )
        .bind(service.vendor.as_str())
        .bind(service.service.as_str())
        .bind(enrollment.version.as_ref().map(ToString::to_string).unwrap_or_default());
        if known.fetch_optional(&mut *db).await?.is_none() {
            return Ok(PutEnrollment::NoSuchVersion);
        }
        let old = sqlx::query("SELECT document FROM enrollments WHERE hospital = $1 AND vendor = $2 AND service = $3")
            .bind(hospital.as_str())
            .bind(service.vendor.as_str())
            .bind(service.service.as_str())
            .fetch_optional(&mut *db)
            .await?;
        let written = written(old.as_ref(), &text)?;
        sqlx::query(
            "INSERT INTO enrollments (hospital, vendor, service, document) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (hospital, vendor, service) DO UPDATE SET document = excluded.document",
        )
        .bind(hospital.as_str())
        .bind(service.vendor.as_str())
        .bind(service.service.as_str())
        .bind(&text)
        .execute(&mut *db)
        .await?;
        db.commit().await?;
        Ok(PutEnrollment::Written(written))
    }

    /// Ends an enrolment: the hospital's next call does not reach the service.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn delete_enrollment(&self, hospital: &HospitalId, service: &ServiceName) -> Result<bool, StoreError> {
        let mut db = self.write().await?;
        let deleted = sqlx::query("DELETE FROM enrollments WHERE hospital = $1 AND vendor = $2 AND service = $3")
            .bind(hospital.as_str())
            .bind(service.vendor.as_str())
            .bind(service.service.as_str())
            .execute(&mut *db)
            .await?;
        db.commit().await?;
        Ok(deleted.rows_affected() > 0)
    }
}
