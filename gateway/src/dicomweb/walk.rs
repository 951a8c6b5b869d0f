//! [`Walk`]: the instances that a path names, one after the other in the order in which they were stored, page by page from
//! the index.

use std::collections::HashSet;

use medvan_imaging::{TransferSyntax, Uid};

use super::{outgoing::Ended, refusal::Refusal};
use crate::{
    App,
    catalog::HospitalId,
    store::{FoundInstance, Selection, StoreError},
};

/// Rows that are read at once.
const PAGE: u32 = 500;

/// Instances of one hospital; there is at least one.
pub(super) struct Walk {
    pub(super) app: App,
    pub(super) hospital: HospitalId,
    selection: Selection,
    /// Where only some of what the path names may be given: these.
    among: Option<HashSet<Uid>>,
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
        Self::begin_among(app, hospital, selection, None).await
    }

    /// The same where only some instances may be given: for whoever asks there are no others.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub(super) async fn begin_among(
        app: &App,
        hospital: &HospitalId,
        selection: Selection,
        among: Option<HashSet<Uid>>,
    ) -> Result<Self, Refusal> {
        let (app, hospital) = (app.clone(), hospital.clone());
        let mut walk = Self { app, hospital, selection, among, page: Vec::new().into_iter(), after: 0, is_last: false };
        walk.turn().await?;
        if walk.ahead().is_empty() { Err(Refusal::NotFound) } else { Ok(walk) }
    }

    /// Reads pages until there is something ahead.
    async fn turn(&mut self) -> Result<(), StoreError> {
        while self.page.as_slice().is_empty() && !self.is_last {
            let mut page = self.app.store.select_instances(&self.hospital, &self.selection, self.after, PAGE).await?;
            self.after = page.last().map_or(self.after, |last| last.id);
            self.is_last = page.len() < PAGE as usize;
            if let Some(among) = &self.among {
                page.retain(|found| among.contains(&found.uid));
            }
            self.page = page.into_iter();
        }
        Ok(())
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
        let mut syntaxes = Vec::new();
        if self.is_last {
            add_syntaxes(&mut syntaxes, self.ahead());
        } else if self.among.is_none() {
            syntaxes = self.app.store.syntaxes_of(&self.hospital, &self.selection).await?;
        } else {
            // The index does not know which of them may be given.
            let (hospital, selection) = (self.hospital.clone(), self.selection.clone());
            let mut rest = Self {
                app: self.app.clone(),
                hospital,
                selection,
                among: self.among.clone(),
                page: Vec::new().into_iter(),
                after: 0,
                is_last: false,
            };
            rest.turn().await?;
            while !rest.ahead().is_empty() {
                add_syntaxes(&mut syntaxes, rest.ahead());
                rest.page = Vec::new().into_iter();
                rest.turn().await?;
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
        self.turn().await.map_err(|error| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the index does not answer; the answer was cut off"
            );
            Ended
        })?;
        Ok(self.page.by_ref().take(most).collect())
    }
}

fn add_syntaxes(syntaxes: &mut Vec<TransferSyntax>, of: &[FoundInstance]) {
    for found in of {
        if !syntaxes.iter().any(|known| known.uid() == found.syntax.uid()) {
            syntaxes.push(found.syntax.clone());
        }
    }
}
