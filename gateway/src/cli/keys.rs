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
    Rotate {
        /// Also within a quarter of an hour after the last step: for keys that may be in wrong hands. Twice, to be rid
        /// of the key that signed until now.
        #[arg(long)]
        at_once: bool,
    },
}

impl Keys {
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        let config = self.settings.read()?.check()?;
        let keys: Keyring = app::keyring(&config)?;
        let now = Clock::system().now();
        match self.action {
            Action::Show => {}
            Action::Rotate { at_once: false } => keys.rotate(now)?,
            Action::Rotate { at_once: true } => keys.rotate_at_once(now)?,
        }
        println!("{}", String::from_utf8_lossy(&keys.jwks_json()));
        Ok(ExitCode::SUCCESS)
    }
}
