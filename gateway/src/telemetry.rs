//! Logs and metrics. What is never logged: bodies, tokens, query strings, patients' or users' ids, card texts.

use std::io::IsTerminal as _;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Starts logging to standard error. A second start in one process (tests) changes nothing.
///
/// # Errors
/// The filter is not one of tracing-subscriber's.
pub fn start_logging(log: &Log) -> Result<(), FilterError> {
    let filter = EnvFilter::try_new(&log.filter).map_err(|error| FilterError(error.to_string()))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Colours are for people at a terminal (and NO_COLOR is respected there), not for files.
    let builder = if std::io::stderr().is_terminal() { builder } else { builder.with_ansi(false) };
    // `try_init` fails only where a subscriber is already set: then that one is kept.
    let _ = match log.format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder.try_init(),
    };
    Ok(())
}

/// The log filter cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("log.filter: {0}")]
pub struct FilterError(String);

/// The handle that `/metrics` renders from; one per process.
pub fn metrics() -> &'static PrometheusHandle {
    static HANDLE: std::sync::OnceLock<PrometheusHandle> = std::sync::OnceLock::new();
    HANDLE.get_or_init(|| {
        let builder = PrometheusBuilder::new().set_buckets(&SECONDS).unwrap_or_else(|_| PrometheusBuilder::new());
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        // Fails only where another recorder is installed already; then ours stays empty.
        let _ = metrics::set_global_recorder(recorder);
        handle
    })
}

/// Bucket bounds of every duration, in seconds.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
