//! `medvan serve`.

use std::{net::SocketAddr, process::ExitCode};

use super::{Failure, Settings};
use crate::{App, dimse::DimseListener, server::Listener, telemetry};

/// Run the gateway.
#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    #[command(flatten)]
    settings: Settings,
    /// Address and port to listen on.
    #[arg(long)]
    listen: Option<SocketAddr>,
}

impl Serve {
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        let mut config = self.settings.read()?;
        if let Some(listen) = self.listen {
            config.listen = listen;
        }
        let config = config.check()?;
        telemetry::start_logging(&config.log)?;
        let listener = Listener::bind(&config).await?;
        let associations = DimseListener::bind(&config).await?;
        let app = App::start(config.listening_on(listener.address())).await?;
        println!("MedVAN answers at {}", app.config.external_base());
        if let Some(associations) = associations {
            println!("DICOM nodes associate at {}", associations.address());
            app.associate(associations);
        }
        let serving = app.serve(listener);
        tokio::pin!(serving);
        tokio::select! {
            () = &mut serving => {}
            () = asked_to_stop() => {
                tracing::info!("stopping: running calls finish, new ones are refused");
                app.tasks.stop();
                serving.await;
            }
        }
        app.finish().await;
        Ok(ExitCode::SUCCESS)
    }
}

/// Completes on Ctrl-C or SIGTERM.
pub(super) async fn asked_to_stop() {
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}
