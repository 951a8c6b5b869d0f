//! `medvan demo`: the whole way, watched: an EHR fires hooks, three AI services in processes of their own answer, one
//! merged answer comes back, feedback travels home, and each exchange leaves its record.
//!
//! The demo plays the hospital and runs the gateway in this process, on a data folder that goes away with it. Every
//! step states what must be seen ([`steps`]); `--once` exits 0 only if all of it was.

mod stage;
mod steps;

use std::{net::SocketAddr, process::ExitCode};

use super::Failure;
use crate::telemetry;
use stage::Stage;
use steps::Seen;

/// Watch an EHR, three AI services and the gateway work together, with synthetic patients.
#[derive(Debug, clap::Args)]
pub(super) struct Demo {
    /// Run the steps once, print a table of what was seen, and end; exit code 0 only if everything was.
    #[arg(long)]
    once: bool,
    /// Where the gateway listens; any free port if this one is taken.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

impl Demo {
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        let quiet = crate::config::Log { filter: "warn,medvan::app=error".to_owned(), ..crate::config::Log::default() };
        telemetry::start_logging(&quiet)?;
        println!(
            "MedVAN 医療VAN — demonstration with synthetic patients. Not for diagnosis. 合成患者によるデモ(診断には使えません)\n"
        );
        let stage = Stage::set(self.listen).await?;
        let mut seen = Vec::new();
        for step in steps::all() {
            println!("── {}", step.title);
            let result = (step.play)(&stage).await;
            for line in &result.told {
                println!("   {line}");
            }
            println!("   {}\n", if result.holds { "✓" } else { "✗ this is not what should have been seen" });
            seen.push((step.title, result));
        }
        print_table(&seen);
        let all_hold = seen.iter().all(|(_, result)| result.holds);
        if !self.once && all_hold {
            stage.print_addresses();
            super::serve::asked_to_stop().await;
        }
        stage.strike().await;
        Ok(if all_hold { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn print_table(seen: &[(&str, Seen)]) {
    println!("step                                                              seen");
    println!("────────────────────────────────────────────────────────────────  ────");
    for (title, result) in seen {
        println!("{title:<64}  {}", if result.holds { "✓" } else { "✗" });
    }
    println!();
}
