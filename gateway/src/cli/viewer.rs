//! `medvan viewer`.

use std::{path::PathBuf, process::ExitCode};

use clap::Subcommand;

use super::{Failure, Settings};
use crate::{
    app,
    viewer::install::{self, Installed, OHIF},
};

/// The viewers for people at a browser.
#[derive(Debug, clap::Args)]
pub(super) struct Viewer {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Put the OHIF viewer into the data folder; it is served at /ohif/ at once, also by a gateway that runs already.
    Install(Install),
}

#[derive(Debug, clap::Args)]
struct Install {
    /// The archive of the npm package @ohif/app; without it `npm pack` fetches it.
    archive: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

impl Viewer {
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        let Action::Install(install) = self.action;
        install.run().await
    }
}

impl Install {
    async fn run(self) -> Result<ExitCode, Failure> {
        let data = self.settings.read()?.check()?.data.clone();
        app::make_folder(&data)?;
        // Kept until the end: the archive that npm brings lies in it.
        let folder = tempfile::tempdir()?;
        let archive = match self.archive {
            Some(archive) => archive,
            None => {
                println!("fetching {} {} with npm (50 MB)", OHIF.name, OHIF.version);
                install::fetch(&OHIF, folder.path()).await?
            }
        };
        let installing = tokio::task::spawn_blocking(move || install::install(&archive, &OHIF, &data));
        let Installed { folder, files, bytes } = installing.await??;
        println!(
            "OHIF {} (MIT, see {}): {files} files, {} MB, served at /ohif/",
            OHIF.version,
            folder.join("LICENSE").display(),
            bytes.div_ceil(1_000_000),
        );
        Ok(ExitCode::SUCCESS)
    }
}
