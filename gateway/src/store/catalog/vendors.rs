//! Vendors.

use time::OffsetDateTime;

use super::{Page, Written, document, text_of, written};
use crate::{
    catalog::{Vendor, VendorId},
    store::{Store, StoreError, instant::micros},
};

/// What came of ending a vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeleteVendor {
    /// It is gone.
    Deleted,
    /// It was not there.
    NoSuchVendor,
    /// It has registered versions and stays.
    HasVersions,
}

impl Store {
    /// Vendors in the order of their ids.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn vendors(&self, page: Page<'_>) -> Result<Vec<Vendor>, StoreError> {
        let rows = sqlx::query("SELECT document FROM vendors WHERE id > $1 ORDER BY id LIMIT $2")
            .bind(page.after)
            .bind(i64::from(page.limit))
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(document).collect()
    }

    /// One vendor.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn vendor(&self, id: &VendorId) -> Result<Option<Vendor>, StoreError> {
        let row = sqlx::query("SELECT document FROM vendors WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(self.readers())
            .await?;
        row.as_ref().map(document).transpose()
    }

    /// Makes or changes a vendor.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn put_vendor(&self, vendor: &Vendor) -> Result<Written, StoreError> {
        let text = text_of(vendor)?;
        let mut db = self.write().await?;
        let old = sqlx::query("SELECT document FROM vendors WHERE id = $1")
            .bind(vendor.id.as_str())
            .fetch_optional(&mut *db)
            .await?;
        let written = written(old.as_ref(), &text)?;
        sqlx::query(
            "INSERT INTO vendors (id, document) VALUES ($1, $2) \
             ON CONFLICT (id) DO UPDATE SET document = excluded.document",
        )
        .bind(vendor.id.as_str())
        .bind(&text)
        .execute(&mut *db)
        .await?;
        db.commit().await?;
        Ok(written)
    }

    /// Ends a vendor that has registered nothing; its credentials are revoked. What was registered once is history
    /// that others build on, and keeps its vendor.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn delete_vendor(&self, id: &VendorId, now: OffsetDateTime) -> Result<DeleteVendor, StoreError> {
        let mut db = self.write().await?;
        let versions = sqlx::query("SELECT 1 FROM versions WHERE vendor = $1").bind(id.as_str());
        if versions.fetch_optional(&mut *db).await?.is_some() {
            return Ok(DeleteVendor::HasVersions);
        }
        let deleted = sqlx::query("DELETE FROM vendors WHERE id = $1").bind(id.as_str()).execute(&mut *db).await?;
        sqlx::query(
            "UPDATE credentials SET revoked_at = $1 WHERE role = 'vendor' AND subject = $2 AND revoked_at IS NULL",
        )
        .bind(micros(now))
        .bind(id.as_str())
        .execute(&mut *db)
        .await?;
        db.commit().await?;
        Ok(if deleted.rows_affected() > 0 { DeleteVendor::Deleted } else { DeleteVendor::NoSuchVendor })
    }
}
