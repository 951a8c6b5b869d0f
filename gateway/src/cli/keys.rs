//! `medvan keys`.

use std::process::ExitCode;

use clap::Subcommand;

use super::{Failure, Settings};
use crate::{app, trust::Keyring};

/// Show or change the gateway's signing keys.
#[derive(Debug, clap::Args)]
pub(super) struct Keys {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print the public keys as vendors see them at /.well-known/jwks.json.
    Show,
    /// One step: the published next key signs from now on, the current one stays published, the former previous one
    /// is deleted. A running gateway takes it up within half a minute.
    Rotate,
}

impl Keys {
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        let config = self.settings.read()?.check()?;
        let keys: Keyring = app::keyring(&config)?;
        if matches!(self.action, Action::Rotate) {
            keys.rotate()?;
        }
        println!("{}", String::from_utf8_lossy(&keys.jwks_json()));
        Ok(ExitCode::SUCCESS)
    }
}
