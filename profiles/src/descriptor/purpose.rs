//! The ten purposes of use, the catalog's first way to look for a service.
//!
//! The Japanese labels are the founding document's own, byte for byte; the list is closed, a service may have several.

use serde::{Deserialize, Serialize};

/// What a service is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// 状態の可視化
    StateVisualization,
    /// 予防改善手段の提供 (行動変容を促す)
    BehaviorChange,
    /// リスク予測・受診勧奨
    RiskPrediction,
    /// 診断支援 (早期発見)
    EarlyDetection,
    /// 診断支援 (精度向上)
    DiagnosticAccuracy,
    /// 治療の動的最適化
    TreatmentOptimization,
    /// 症状悪化予防
    DeteriorationPrevention,
    /// 予後悪化・発症予測
    PrognosisPrediction,
    /// 医療業務の効率化・過労の防止等
    WorkEfficiency,
    /// その他
    Other,
}

impl Purpose {
    /// All of them, in the founding document's order.
    pub const ALL: [Self; 10] = [
        Self::StateVisualization,
        Self::BehaviorChange,
        Self::RiskPrediction,
        Self::EarlyDetection,
        Self::DiagnosticAccuracy,
        Self::TreatmentOptimization,
        Self::DeteriorationPrevention,
        Self::PrognosisPrediction,
        Self::WorkEfficiency,
        Self::Other,
    ];

    /// The code in a descriptor.
    pub fn code(self) -> &'static str {
        self.words().0
    }

    /// The label in Japanese.
    pub fn ja(self) -> &'static str {
        self.words().1
    }

    /// The label in English.
    pub fn en(self) -> &'static str {
        self.words().2
    }

    /// The purpose with this code.
    pub fn find(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.code() == code)
    }

    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::StateVisualization => ("state-visualization", "状態の可視化", "Visualising a state"),
            Self::BehaviorChange => (
                "behavior-change",
                "予防改善手段の提供 (行動変容を促す)",
                "Offering means of prevention (prompting a change of behaviour)",
            ),
            Self::RiskPrediction => {
                ("risk-prediction", "リスク予測・受診勧奨", "Risk prediction and advice to see a doctor")
            }
            Self::EarlyDetection => ("early-detection", "診断支援 (早期発見)", "Diagnostic support (early detection)"),
            Self::DiagnosticAccuracy => {
                ("diagnostic-accuracy", "診断支援 (精度向上)", "Diagnostic support (better accuracy)")
            }
            Self::TreatmentOptimization => {
                ("treatment-optimization", "治療の動的最適化", "Dynamic optimisation of treatment")
            }
            Self::DeteriorationPrevention => {
                ("deterioration-prevention", "症状悪化予防", "Prevention of deterioration")
            }
            Self::PrognosisPrediction => {
                ("prognosis-prediction", "予後悪化・発症予測", "Prediction of worsening prognosis or of onset")
            }
            Self::WorkEfficiency => (
                "work-efficiency",
                "医療業務の効率化・過労の防止等",
                "Efficient medical work, prevention of overwork and the like",
            ),
            Self::Other => ("other", "その他", "Other"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the founding document lists them.
    const SEED: &str = "「状態の可視化」「予防改善手段の提供 (行動変容を促す)」「リスク予測・受診勧奨」「診断支援 (早期発見)」「診断支援 (精度向上)」「治療の動的最適化」「症状悪化予防」「予後悪化・発症予測」「医療業務の効率化・過労の防止等」「その他」";

    #[test]
    fn the_labels_equal_the_founding_documents_byte_for_byte() {
        let labels: String = Purpose::ALL.iter().map(|purpose| format!("「{}」", purpose.ja())).collect();
        assert_eq!(labels.as_bytes(), SEED.as_bytes());
    }

    #[test]
    fn a_purpose_is_written_as_its_code() {
        for purpose in Purpose::ALL {
            assert_eq!(serde_json::to_value(purpose).unwrap(), purpose.code());
            assert_eq!(Purpose::find(purpose.code()), Some(purpose));
            assert!(!purpose.en().is_empty());
        }
        assert_eq!(Purpose::find("pricing"), None);
    }
}
