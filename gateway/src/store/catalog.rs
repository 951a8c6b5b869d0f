//! The catalog's tables.

use std::{collections::HashMap, sync::Arc};

use serde::de::DeserializeOwned;
use sqlx::Row as _;

use super::{
    Store, StoreError,
    exchange::{parsed, service_name},
};
use crate::catalog::{Contents, State, Version};

impl Store {
    /// Everything that calls depend on, read in one transaction: a snapshot is never half a change.
    pub async fn contents(&self) -> Result<Contents, StoreError> {
        let mut reading = self.readers().begin().await?;
        let contents = Contents {
            hospitals: documents(&mut reading, "SELECT document FROM hospitals ORDER BY id")
                .await?,
            clients: documents(
                &mut reading,
                "SELECT document FROM clients ORDER BY hospital, id",
            )
            .await?,
            enrollments: documents(
                &mut reading,
                "SELECT document FROM enrollments ORDER BY hospital, vendor, service",
            )
            .await?,
            approved: approved(&mut reading).await?,
            acceptance: HashMap::new(),
        };
        reading.commit().await?;
        Ok(contents)
    }
}

async fn documents<T: DeserializeOwned>(
    db: &mut sqlx::SqliteConnection,
    query: &'static str,
) -> Result<Vec<T>, StoreError> {
    let rows = sqlx::query(query).fetch_all(db).await?;
    rows.iter()
        .map(|row| {
            let text: &str = row.try_get(0)?;
            serde_json::from_str(text).map_err(|_| StoreError::Unreadable("document"))
        })
        .collect()
}

async fn approved(db: &mut sqlx::SqliteConnection) -> Result<Vec<Version>, StoreError> {
    let rows =
        sqlx::query("SELECT vendor, service, number, descriptor FROM versions WHERE state = $1")
            .bind(State::Approved.word())
            .fetch_all(db)
            .await?;
    rows.iter()
        .map(|row| {
            let descriptor: &str = row.try_get("descriptor")?;
            Ok(Version {
                name: service_name(row)?,
                number: parsed(row, "number", "version")?,
                state: State::Approved,
                descriptor: Arc::new(
                    serde_json::from_str(descriptor)
                        .map_err(|_| StoreError::Unreadable("descriptor"))?,
                ),
            })
        })
        .collect()
}
