//! `medvan keys`.

use std::process::ExitCode;

use clap::Subcommand;

use super::{Failure, Settings};
use crate::{app, clock::Clock, trust::Keyring};

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
    /// New keys for all: where the key folder may be in wrong hands. Tokens under way fail, and vendors have to fetch the
    /// published keys anew, which they do when they meet a key that they do not know.
    Replace,
}

impl Keys {
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        let config = self.settings.read()?.check()?;
        let keys: Keyring = app::keyring(&config)?;
        let now = Clock::system().now();
        match self.action {
            Action::Show => {}
            Action::Rotate => keys.rotate(now)?,
            Action::Replace => keys.replace(now)?,
        }
        println!("{}", String::from_utf8_lossy(&keys.jwks_json()));
        Ok(ExitCode::SUCCESS)
    }
}
