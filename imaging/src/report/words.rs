//! The words that a report is shown with.

use super::Language;

/// One of them.
#[derive(Debug, Clone, Copy)]
pub(super) enum Word {
    Report,
    PatientName,
    PatientId,
    BirthDate,
    Sex,
    Male,
    Female,
    Other,
    StudyDate,
    Accession,
    Created,
    Completion,
    Complete,
    Partial,
    Preliminary,
    Final,
    Verification,
    Verified,
    Unverified,
    Verifier,
    ObservationContext,
    AcquisitionContext,
    Modifier,
    Property,
    InferredFrom,
    SelectedFrom,
    Observed,
    NotMeasured,
    Frames,
    Segments,
    Channels,
    Points,
    Values,
    FrameOfReference,
    Presentation,
    TooLong,
    NoContent,
    Cut,
}

impl Word {
    /// The word in a language.
    pub(super) fn of(self, language: Language) -> &'static str {
        let (english, japanese) = match self {
            Self::Report => ("Structured report", "構造化レポート"),
            Self::PatientName => ("Patient", "患者氏名"),
            Self::PatientId => ("Patient ID", "患者ID"),
            Self::BirthDate => ("Date of birth", "生年月日"),
            Self::Sex => ("Sex", "性別"),
            Self::Male => ("male", "男性"),
            Self::Female => ("female", "女性"),
            Self::Other => ("other", "その他"),
            Self::StudyDate => ("Study", "検査日時"),
            Self::Accession => ("Accession number", "受付番号"),
            Self::Created => ("Report of", "作成日時"),
            Self::Completion => ("Content", "記載状態"),
            Self::Complete => ("complete", "完了"),
            Self::Partial => ("partial", "未完了"),
            Self::Preliminary => ("preliminary", "暫定"),
            Self::Final => ("final", "確定"),
            Self::Verification => ("Verification", "検証"),
            Self::Verified => ("verified", "検証済み"),
            Self::Unverified => ("unverified", "未検証"),
            Self::Verifier => ("Verified by", "検証者"),
            Self::ObservationContext => ("observation context", "観察の背景"),
            Self::AcquisitionContext => ("acquisition context", "取得の背景"),
            Self::Modifier => ("modifier", "修飾"),
            Self::Property => ("property", "性質"),
            Self::InferredFrom => ("inferred from", "根拠"),
            Self::SelectedFrom => ("selected from", "選択元"),
            Self::Observed => ("observed", "観察日時"),
            Self::NotMeasured => ("no value", "値なし"),
            Self::Frames => ("frames", "フレーム"),
            Self::Segments => ("segments", "セグメント"),
            Self::Channels => ("channels", "チャネル"),
            Self::Points => ("points", "点"),
            Self::Values => ("values", "個"),
            Self::FrameOfReference => ("frame of reference", "座標系"),
            Self::Presentation => ("presentation", "表示状態"),
            Self::TooLong => ("too long to be shown here", "長いため、ここには表示されません"),
            Self::NoContent => ("The report has no content.", "レポートに内容がありません。"),
            Self::Cut => (
                "The report is longer than what is shown here. Parts of it were left out.",
                "レポートが長いため、一部が表示されていません。",
            ),
        };
        match language {
            Language::English => english,
            Language::Japanese => japanese,
        }
    }
}
