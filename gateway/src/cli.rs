//! The command line. Each command is a few lines that call the part which does the work.

mod apply;
mod decode_worker;
mod demo;
mod keys;
mod serve;
mod simulate;
mod viewer;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

/// Any error that ends the program; its chain is printed.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// MedVAN (医療VAN): the gateway between hospitals and the makers of medical AI.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway. With no configuration: loopback, SQLite and keys in ./medvan-data.
    Serve(serve::Serve),
    /// Bring hospitals, clients, vendors, services, approvals and enrolments to what the files say.
    Apply(apply::Apply),
    /// Watch an EHR, three AI services and the gateway work together, with synthetic patients.
    Demo(demo::Demo),
    /// Run a simulator on its own: an EHR, its FHIR server, or a reference AI service.
    Simulate(simulate::Simulate),
    /// Show or change the gateway's signing keys.
    Keys(keys::Keys),
    /// Put the OHIF viewer into the data folder.
    Viewer(viewer::Viewer),
    /// Decode the frames on standard input. The gateway starts it for each request that needs pixels.
    #[command(hide = true)]
    DecodeWorker(decode_worker::DecodeWorker),
}

/// Where a command finds its settings.
#[derive(Debug, Clone, clap::Args)]
struct Settings {
    /// The configuration file; without it every setting has its default.
    #[arg(long, env = "MEDVAN_CONFIG")]
    config: Option<PathBuf>,
    /// The folder of the database, the keys and the first credentials.
    #[arg(long, env = "MEDVAN_DATA")]
    data: Option<PathBuf>,
}

impl Settings {
    /// Reads the file and lays the command line over it.
    fn read(&self) -> Result<crate::config::Config, Failure> {
        let mut config = crate::config::Config::read(self.config.as_deref())?;
        if let Some(data) = &self.data {
            config.data.clone_from(data);
        }
        Ok(config)
    }
}

impl Cli {
    /// Runs a command that has no use for the runtime, whose threads would only take the decode worker's time and memory.
    pub fn run_alone(&self) -> Option<ExitCode> {
        match &self.command {
            Command::DecodeWorker(worker) => Some(worker.run()),
            _ => None,
        }
    }

    /// Runs the command.
    ///
    /// # Errors
    /// Whatever stopped the command, for the person at the terminal.
    pub async fn run(self) -> Result<ExitCode, Failure> {
        match self.command {
            Command::Serve(serve) => serve.run().await,
            Command::Apply(apply) => apply.run().await,
            Command::Demo(demo) => demo.run().await,
            Command::Simulate(simulate) => simulate.run().await,
            Command::Keys(keys) => keys.run().await,
            Command::Viewer(viewer) => viewer.run().await,
            Command::DecodeWorker(worker) => Ok(worker.run()),
        }
    }
}
