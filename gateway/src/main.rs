//! `medvan`: one program for the gateway, its administration, and its simulators.

use std::process::ExitCode;

use clap::Parser;
use medvan::cli::Cli;

/// Measured on the whole server under load: less processor time for each call and less memory than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Some(code) = cli.run_alone() {
        return code;
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("medvan: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(cli.run()) {
        Ok(code) => code,
        Err(error) => {
            // The chain of causes, outermost first: people read the first line, scripts the exit code.
            eprintln!("medvan: {error}");
            let mut cause = std::error::Error::source(error.as_ref());
            while let Some(inner) = cause {
                eprintln!("  because: {inner}");
                cause = inner.source();
            }
            ExitCode::FAILURE
        }
    }
}
