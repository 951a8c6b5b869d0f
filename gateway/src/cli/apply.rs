//! `medvan apply`.

use std::{path::PathBuf, process::ExitCode};

use super::{Failure, Settings};
use crate::apply::{self, Change, Credentials, Management};

/// Bring the gateway to what the files say. The objects are those of the management API.
#[derive(Debug, clap::Args)]
pub(super) struct Apply {
    /// YAML or JSON files with objects of the kinds Hospital, Client, Vendor, Service, Approval and Enrollment.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Show what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Hospitals that were ended are the same hospitals again: their records are their own again.
    #[arg(long)]
    again: bool,
    /// The gateway's base URL; by default as in the configuration.
    #[arg(long)]
    server: Option<String>,
    /// The file of the operator's credential; by default the one in the data folder.
    #[arg(long)]
    operator: Option<PathBuf>,
    /// The file of the governor's credential, for approvals; by default the one in the data folder.
    #[arg(long)]
    governor: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

impl Apply {
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        let objects = apply::read_files(&self.files)?;
        let config = self.settings.read()?.check()?;
        let mut credentials = Credentials::in_folder(&config.data);
        if let Some(operator) = self.operator {
            credentials.operator = operator;
        }
        credentials.governor = self.governor.or(credentials.governor);
        let server = self.server.unwrap_or_else(|| config.external_base().to_owned());
        let management = Management::new(&server, &credentials)?.again(self.again);
        let outcomes = apply::apply(&management, objects, self.dry_run).await?;
        outcomes.iter().for_each(|outcome| println!("{outcome}"));
        let changed = outcomes.iter().filter(|outcome| outcome.change != Change::Unchanged).count();
        let done = if self.dry_run { "would change" } else { "changed" };
        println!("{changed} of {} objects {done}", outcomes.len());
        Ok(ExitCode::SUCCESS)
    }
}
