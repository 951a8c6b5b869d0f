//! [`Walk`]: the instances that a path names, one after the other in the order in which they were stored, page by page from
//! the index.

use medvan_imaging::TransferSyntax;

use super::{outgoing::Ended, refusal::Refusal};
use crate::{
    App,
    catalog::HospitalId,
    store::{FoundInstance, Selection},
};

/// Rows that are read at once.
const PAGE: u32 = 500;

/// Instances of one hospital; there is at least one.
pub(super) struct Walk {
    pub(super) app: App,
    pub(super) hospital: HospitalId,
    selection: Selection,
    page: std::vec::IntoIter<FoundInstance>,
    after: i64,
    is_last: bool,
}

impl Walk {
    /// Reads the first page.
    ///
    /// # Errors
    /// There is no such instance (404).
    pub(super) async fn begin(app: &App, hospital: &HospitalId, selection: Selection) -> Result<Self, Refusal> {
        let first = app.store.select_instances(hospital, &selection, 0, PAGE).await?;
        let after = first.last().ok_or(Refusal::NotFound)?.id;
        let (app, hospital, is_last) = (app.clone(), hospital.clone(), first.len() < PAGE as usize);
        Ok(Self { app, hospital, selection, page: first.into_iter(), after, is_last })
    }

    /// What is known before the first step: the first page.
    pub(super) fn ahead(&self) -> &[FoundInstance] {
        self.page.as_slice()
    }

    /// The only instance that is ahead, where there is one only.
    pub(super) fn only(&self) -> Option<&FoundInstance> {
        match self.ahead() {
            [found] if self.is_last => Some(found),
            _ => None,
        }
    }

    /// The transfer syntaxes in which all of them are stored.
    pub(super) async fn syntaxes(&self) -> Result<Vec<TransferSyntax>, Refusal> {
        if !self.is_last {
            return Ok(self.app.store.syntaxes_of(&self.hospital, &self.selection).await?);
        }
        let mut syntaxes: Vec<TransferSyntax> = Vec::new();
        for found in self.ahead() {
            if !syntaxes.iter().any(|known| known.uid() == found.syntax.uid()) {
                syntaxes.push(found.syntax.clone());
            }
        }
        Ok(syntaxes)
    }

    /// The next instance.
    pub(super) async fn next(&mut self) -> Result<Option<FoundInstance>, Ended> {
        Ok(self.some(1).await?.pop())
    }

    /// The next instances, at most so many; none at the end.
    pub(super) async fn some(&mut self, most: usize) -> Result<Vec<FoundInstance>, Ended> {
        if self.page.as_slice().is_empty() && !self.is_last {
            let page = self.app.store.select_instances(&self.hospital, &self.selection, self.after, PAGE).await;
            let page = page.map_err(|error| {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the index does not answer; the answer was cut off"
                );
                Ended
            })?;
            self.after = page.last().map_or(self.after, |last| last.id);
            self.is_last = page.len() < PAGE as usize;
            self.page = page.into_iter();
        }
        Ok(self.page.by_ref().take(most).collect())
    }
}
