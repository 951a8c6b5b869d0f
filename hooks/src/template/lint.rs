//! What is legal in a template and yet will not work everywhere.
//!
//! The standard recommends a subset of search ("Prefetch query restrictions", item 28): only what every server does. The
//! gateway publishes subset-clean templates to an EHR and makes the other queries itself.

use super::{
    Form, Parameter, Part, Template,
    expression::{Expression, Root, Step, Term},
};
use crate::Hook;

/// A text: (English, Japanese).
type Words = (&'static str, &'static str);

/// One remark, for the vendor at registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    /// The parameter or token.
    pub place: String,
    /// Why it is remarked.
    pub reason: Words,
    /// What to write instead.
    pub mend: Words,
    /// Whether a client that keeps to the recommended subset cannot do it.
    pub outside_subset: bool,
}

pub(super) fn lint(template: &Template, hook: Option<&Hook>) -> Vec<Lint> {
    let mut lints: Vec<Lint> = template.tokens().filter_map(|token| token_lint(token, hook)).collect();
    if let Form::Search { parameters, .. } = &template.form {
        lints.extend(parameters.iter().filter_map(parameter_lint));
        if template.tokens().next().is_none() {
            lints.push(about_nobody());
        }
    }
    lints
}

fn token_lint(token: &Expression, hook: Option<&Hook>) -> Option<Lint> {
    if !token.is_plain() {
        let place = first_name(token).to_owned();
        return Some(outside(
            place,
            ("FHIRPath, dates and %key are of 3.0", "FHIRPath・日付・%key は 3.0 の書き方です"),
            ("nothing, if the gateway may resolve it itself", "ゲートウェイが解決してよければ、そのままで構いません"),
        ));
    }
    let [Term::Path(Root::Context, steps)] = token.0.as_slice() else {
        return None;
    };
    let [Step::Member(name)] = steps.as_slice() else {
        return None;
    };
    let field = hook?.field(name);
    if field.is_some_and(|field| field.token) {
        return None;
    }
    let reason = if field.is_some() {
        ("the hook does not offer this field as a token", "このフックではトークンとして使えない項目です")
    } else {
        ("the hook's table has no such field", "フックの表にない項目です")
    };
    Some(outside(
        format!("context.{name}"),
        reason,
        (
            "a field that the hook's table marks as a prefetch token",
            "フックの表でプリフェッチトークンとされている項目を使ってください",
        ),
    ))
}

fn first_name(token: &Expression) -> &str {
    match token.0.first() {
        Some(Term::Path(Root::Key(key), _)) => key,
        Some(Term::Path(Root::Context, _)) => "context",
        Some(Term::Day(_)) => "today()",
        Some(Term::User(name)) => name,
        None => "",
    }
}

fn parameter_lint(parameter: &Parameter) -> Option<Lint> {
    let (name, modifier) = match parameter.name.split_once(':') {
        Some((name, modifier)) => (name, Some(modifier)),
        None => (parameter.name.as_str(), None),
    };
    let place = parameter.name.clone();
    match (name, modifier) {
        ("sort" | "_sort", Some(_)) | ("sort", None) => Some(outside(
            place,
            ("was the spelling of sorting before R4", "R4 より前の並べ替えの書き方です"),
            ("_sort=-date", "_sort=-date"),
        )),
        ("_count" | "_sort" | "_maxresults" | "_id" | "_lastUpdated", None) => date_lint(parameter),
        (name, _) if name.starts_with('_') => Some(outside(
            place,
            ("is not in the recommended subset of search", "推奨される検索の範囲にありません"),
            ("a template of its own for what it would add", "追加分は別のテンプレートにしてください"),
        )),
        (name, _) if name.contains('.') => Some(outside(
            place,
            ("chained parameters are not in the recommended subset", "連鎖パラメーターは推奨される範囲にありません"),
            ("a reference or token parameter of the resource itself", "そのリソース自身のパラメーターを使ってください"),
        )),
        (_, Some(modifier)) if modifier != "in" => Some(outside(
            place,
            ("of the modifiers only :in is in the recommended subset", "修飾子で推奨されるのは :in だけです"),
            ("an equality", "等号で書いてください"),
        )),
        _ => date_lint(parameter),
    }
}

/// Of the date prefixes, the subset has `eq lt gt ge le`.
fn date_lint(parameter: &Parameter) -> Option<Lint> {
    let Some(Part::Literal(start)) = parameter.value.first() else {
        return None;
    };
    let rest = ["ne", "sa", "eb", "ap"].iter().find_map(|prefix| start.strip_prefix(prefix))?;
    let is_date =
        rest.starts_with(|first: char| first.is_ascii_digit()) || (rest.is_empty() && parameter.value.len() > 1);
    is_date.then(|| {
        outside(
            parameter.name.clone(),
            (
                "of the date prefixes only eq, lt, gt, ge and le are in the recommended subset",
                "日付の接頭辞で推奨されるのは eq・lt・gt・ge・le だけです",
            ),
            ("one of those", "そのいずれかを使ってください"),
        )
    })
}

fn about_nobody() -> Lint {
    Lint {
        place: "?".to_owned(),
        reason: (
            "nothing binds the search to the call: it could answer with any patient's data",
            "検索が呼び出しに結び付いておらず、他の患者のデータが返るおそれがあります",
        ),
        mend: ("patient={{context.patientId}}", "patient={{context.patientId}} を加えてください"),
        outside_subset: false,
    }
}

fn outside(place: String, reason: Words, mend: Words) -> Lint {
    Lint { place, reason, mend, outside_subset: true }
}
