//! What a service found, as it is stored.

use medvan_analysis::finding::Findings;

use super::Refusal;
use crate::store::StoredAnalysis;

/// Texts up to here are read where they are; what is larger, large masks, must not keep others waiting.
const SMALL: usize = 64 << 10;

/// The findings of an analysis.
///
/// # Errors
/// They cannot be read.
pub(super) async fn findings(analysis: &StoredAnalysis) -> Result<Findings, Refusal> {
    let read = if analysis.findings.len() <= SMALL {
        serde_json::from_str(&analysis.findings).ok()
    } else {
        let text = analysis.findings.clone();
        let read = tokio::task::spawn_blocking(move || serde_json::from_str(&text).ok()).await;
        read.ok().flatten()
    };
    read.ok_or_else(|| {
        tracing::error!(job = %analysis.job, "stored findings cannot be read");
        Refusal::Internal
    })
}
