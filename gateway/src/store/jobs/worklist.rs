//! What stands on the worklist of a vendor, for whoever searches it.

use medvan_imaging::ups::State;
use sqlx::{QueryBuilder, Sqlite};
use uuid::Uuid;

use super::{AT_VENDOR, COLUMNS, Job, job};
use crate::{
    catalog::VendorId,
    store::{Store, StoreError, WorkitemNarrow},
};

impl Store {
    /// As [`Store::worklist`], of what a search may match: a job is offered as long as its workitem is SCHEDULED, and taken as long as
    /// that is IN PROGRESS; either where it has just ended.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn narrowed_worklist(
        &self,
        vendor: &VendorId,
        narrow: &WorkitemNarrow,
        after: (u8, Uuid),
        most: u32,
    ) -> Result<Vec<Job>, StoreError> {
        let mut query = at_vendor(vendor, after);
        query.push(match narrow.state() {
            Some(State::Scheduled) => " AND state = 'offered'",
            Some(State::InProgress) => " AND state = 'taken'",
            Some(State::Completed | State::Canceled) | None => " AND state IN ('offered', 'taken')",
        });
        if let Some(uids) = narrow.uids() {
            query.push(" AND run IN (");
            let mut runs = query.separated(", ");
            for run in uids.iter().filter_map(|uid| uid.to_uuid()) {
                runs.push_bind(Uuid::from_u128(run).to_string());
            }
            query.push(")");
        }
        self.first_jobs(query, most).await
    }

    /// The same of what is about to stand there, too: a process is at it.
    ///
    /// # Errors
    /// The database does not answer.
    pub(in crate::store) async fn worklist_to_be(
        &self,
        vendor: &VendorId,
        after: (u8, Uuid),
        most: u32,
    ) -> Result<Vec<Job>, StoreError> {
        self.first_jobs(at_vendor(vendor, after), most).await
    }

    async fn first_jobs(&self, mut query: QueryBuilder<Sqlite>, most: u32) -> Result<Vec<Job>, StoreError> {
        query.push(" ORDER BY priority, id LIMIT ").push_bind(i64::from(most));
        let rows = query.build().fetch_all(self.readers()).await?;
        rows.iter().map(job).collect()
    }
}

/// What somebody at a vendor may do behind a place in its order, or may soon; without what they are given.
fn at_vendor(vendor: &VendorId, after: (u8, Uuid)) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT ");
    query.push(COLUMNS.replace("inputs, prior", "'[]' AS inputs, NULL AS prior"));
    query.push(" FROM jobs WHERE ").push(AT_VENDOR);
    query.push(" AND vendor = ").push_bind(vendor.as_str().to_owned());
    query.push(" AND (priority, id) > (").push_bind(i64::from(after.0));
    query.push(", ").push_bind(after.1.to_string()).push(")");
    query
}
