//! The code system, code by code, in HL7's order. Generated once from the ballot's CodeSystem and ValueSet (HL7/cds-hooks, Apache-2.0);
//! the Japanese words are ours.

use super::Reason;

/// All categories, each followed by its codes.
#[rustfmt::skip]
pub const CODES: &[Reason] = &[
    category("cds-not-applicable", "PC CDS does not apply to patient", "この患者には当てはまらない", true),
    reason("patient-ineligible", "Patient does not meet eligibility for recommended action", "患者が推奨の適応条件を満たさない", "cds-not-applicable", false),
    reason("indication-order-exists", "Patient has indication/order for intended action", "予定した処置の適応または指示がすでにある", "cds-not-applicable", false),
    reason("action-completed", "Recommended action was already completed", "推奨された処置は実施済み", "cds-not-applicable", true),
    reason("action-unsuccessful", "Recommended action was previously unsuccessful", "推奨された処置は以前に効果がなかった", "cds-not-applicable", false),
    reason("action-performed-no-adverse-effect", "Intended action was performed previously without adverse effect", "予定した処置は以前に問題なく実施できた", "cds-not-applicable", false),
    reason("action-not-priority", "Recommended action is not relevant or a priority in current state of health", "現在の状態では推奨の優先度が低い", "cds-not-applicable", false),
    category("cds-suboptimal-context", "PC CDS delivered in suboptimal context", "提示の時機または相手が適切でない", true),
    reason("limited-time", "Could not address recommended action due to limited time", "時間が足りず対応できない", "cds-suboptimal-context", false),
    reason("wrong-time-workflow", "PC CDS delivered at wrong time in workflow or patient lifecycle", "業務の流れに合わない時機に提示された", "cds-suboptimal-context", false),
    reason("inappropriate-recipient", "PC CDS delivered to inappropriate recipient/role", "提示された相手の職種・役割が適切でない", "cds-suboptimal-context", false),
    reason("need-more-info", "Could not address recommended action due to need for more information/pending results/pending consult", "情報・検査結果・他科の意見を待っている", "cds-suboptimal-context", false),
    category("recipient-disagrees-evidence", "Recipient disagrees with recommendation because of issues with the evidence", "根拠に同意できない", true),
    reason("does-not-align-latest-evidence", "Recommended action does not align with the latest evidence", "最新の知見と合わない", "recipient-disagrees-evidence", false),
    reason("expert-contradicts", "Advice from expert contradicts the recommended action", "専門家の助言と異なる", "recipient-disagrees-evidence", false),
    reason("policy-contradicts", "Institutional policy/guideline contradicts the recommended action", "施設の方針・ガイドラインと異なる", "recipient-disagrees-evidence", false),
    reason("recipient-does-not-trust", "Recipient does not agree with or trust the recommended action", "推奨に同意できない・信頼できない", "recipient-disagrees-evidence", false),
    category("recipient-concerns-outcomes", "Recipient has concerns regarding potential health outcomes", "転帰への懸念がある", true),
    reason("risk-benefit-ratio", "Recipient assessment of risk/benefit ratio", "リスクと利益を比べて判断した", "recipient-concerns-outcomes", false),
    reason("mitigate-risk-negative-outcome", "Action taken to mitigate risk of negative outcome", "不利益を避けるため別の対応をとった", "recipient-concerns-outcomes", false),
    reason("likely-negative-health-outcomes", "Recommended action likely to have negative health outcomes", "推奨に従うと悪い転帰が見込まれる", "recipient-concerns-outcomes", false),
    reason("patient-contraindication", "Patient has contraindication to recommended action", "患者に禁忌がある", "recipient-concerns-outcomes", true),
    category("does-not-align-preferences", "Recommendation does not align with patient preferences or values", "患者の希望・価値観と合わない", true),
    reason("patient-fears-discomfort", "Patient fears discomfort from complying with recommended action", "患者が苦痛を心配している", "does-not-align-preferences", false),
    reason("patient-does-not-want-change", "Patient does not want to change behavior or believes the change is unnecessary", "患者が変更を望まない・必要と考えない", "does-not-align-preferences", false),
    reason("cultural-religious-reason", "Patient has a cultural or religious reason for not following recommended action", "文化的・宗教的な理由がある", "does-not-align-preferences", false),
    reason("prefers-alternative", "Patient prefers an alternative approach or treatment", "患者が別の方法を希望している", "does-not-align-preferences", false),
    reason("patient-refuses", "Patient refuses/declines (no context given)*", "患者が拒否した(理由は不明)", "does-not-align-preferences", true),
    category("not-convenient-feasible", "Recommendation is not convenient or feasible", "実施が難しい", true),
    reason("inadequate-support", "Patient has inadequate caregiver/social support", "介護者・社会的支援が足りない", "not-convenient-feasible", false),
    reason("service-not-available", "Treatment or service is not practically available", "治療・サービスが利用できない", "not-convenient-feasible", true),
    reason("implementation-challenges", "Recommended action cannot be implemented due to technology/challenges", "技術上の問題で実施できない", "not-convenient-feasible", false),
    reason("too-costly-uncovered", "Recommended action is too costly or not covered by insurance", "費用が高い・保険の対象外である", "not-convenient-feasible", true),
    reason("recipient-does-not-understand", "Recipient does not understand the recommended action or know how to perform the recommended action", "推奨の内容または実施方法がわからない", "not-convenient-feasible", true),
    reason("comorbidity-disability", "Patient has co-morbidity or disability that hinders them from completing recommended action", "併存疾患・障害により完了できない", "not-convenient-feasible", false),
];

const fn category(code: &'static str, display: &'static str, display_ja: &'static str, clinical: bool) -> Reason {
    Reason { code, display, display_ja, category: None, clinical }
}

const fn reason(
    code: &'static str,
    display: &'static str,
    display_ja: &'static str,
    category: &'static str,
    clinical: bool,
) -> Reason {
    Reason { code, display, display_ja, category: Some(category), clinical }
}
