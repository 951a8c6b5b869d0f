//! The JSON Schema, compiled once, and its errors told as faults.
//!
//! Patterns run on the linear-time engine and use ASCII classes, so that neither a long text nor a full-width
//! character surprises. A schema node that has a pattern says in `x-mend` how to meet it; members are explained by
//! their `description`.

use std::sync::LazyLock;

use jsonschema::{PatternOptions, ValidationError, Validator, error::ValidationErrorKind as Kind};
use serde_json::{Value, json};

use super::fault::{Fault, below, ordered};

/// The published text.
pub(super) const TEXT: &str = include_str!("schema.json");

/// More faults than this are not told: they would not be read.
const MOST_FAULTS: usize = 100;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(TEXT).expect("the schema that ships is JSON"));

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    let options = jsonschema::options().with_pattern_options(PatternOptions::regex());
    options.build(&SCHEMA).expect("the schema that ships compiles")
});

/// Of the rules for series alone, which hospitals write too.
static SERIES_RULES: LazyLock<Validator> = LazyLock::new(|| {
    let options = jsonschema::options().with_pattern_options(PatternOptions::regex());
    let part = json!({ "$schema": SCHEMA["$schema"], "$defs": SCHEMA["$defs"], "$ref": "#/$defs/seriesRules" });
    options.build(&part).expect("a part of the schema that ships compiles")
});

/// Every place at which rules for series do not fit the schema.
pub(super) fn faults_of_series_rules(value: &Value) -> Vec<Fault> {
    ordered(SERIES_RULES.iter_errors(value).flat_map(|error| explain(&error)).take(MOST_FAULTS).collect())
}

/// Every place at which a value does not fit the schema.
pub(super) fn faults(value: &Value) -> Vec<Fault> {
    ordered(VALIDATOR.iter_errors(value).flat_map(|error| explain(&error)).take(MOST_FAULTS).collect())
}

type Words = (String, String);

fn explain(error: &ValidationError<'_>) -> Vec<Fault> {
    let place = error.instance_path().as_str();
    let node = node_of(error);
    match error.kind() {
        Kind::Required { property } => {
            vec![missing(place, property.as_str().unwrap_or_default(), node)]
        }
        Kind::AdditionalProperties { unexpected } => {
            unexpected.iter().map(|name| unknown(&below(place, name), node)).collect()
        }
        Kind::PropertyNames { error } => {
            let name = error.instance().as_str().unwrap_or_default();
            vec![Fault::new(
                below(place, name),
                reason(error.kind(), node_of(error)),
                mend(error.kind(), node_of(error)),
            )]
        }
        kind => vec![Fault::new(place, reason(kind, node), mend(kind, node))],
    }
}

/// The part of the schema that holds the keyword which failed.
fn node_of(error: &ValidationError<'_>) -> &'static Value {
    let path = error.schema_path().as_str();
    let around = path.rsplit_once('/').map_or("", |(around, _)| around);
    SCHEMA.pointer(around).unwrap_or(&Value::Null)
}

fn missing(place: &str, name: &str, node: &Value) -> Fault {
    let description = node["properties"][name]["description"].as_str().unwrap_or("see the schema");
    Fault::new(
        below(place, name),
        ("the member is missing", "必須の項目がありません"),
        (format!("add it: {description}"), format!("追加してください: {description}")),
    )
}

fn unknown(place: &str, node: &Value) -> Fault {
    let members = node["properties"].as_object();
    let known: Vec<&str> = members.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let known = known.join(", ");
    Fault::new(
        place,
        ("no such member is known here", "知らない項目です"),
        (
            format!("remove it, or correct its name; known are: {known}"),
            format!("削除するか、名前を直してください。使えるのは: {known}"),
        ),
    )
}

fn reason(kind: &Kind, node: &Value) -> Words {
    let (en, ja) = match kind {
        Kind::Type { .. } => return wrong_type(node),
        Kind::Enum { .. } | Kind::Constant { .. } => ("it is none of the allowed values", "使えない値です"),
        Kind::Pattern { .. } => ("it does not have the required form", "形式が正しくありません"),
        Kind::MinLength { .. } | Kind::MinItems { .. } => ("it is empty or too short", "空か、短すぎます"),
        Kind::MaxLength { .. } => ("the text is too long", "文字数が多すぎます"),
        Kind::MaxItems { .. } | Kind::MaxProperties { .. } => ("it holds too much", "数が多すぎます"),
        Kind::Minimum { .. } => ("the number is too small", "数値が小さすぎます"),
        Kind::Maximum { .. } => ("the number is too large", "数値が大きすぎます"),
        Kind::UniqueItems => ("something is listed twice", "重複があります"),
        _ => ("it does not fit the schema", "スキーマに合いません"),
    };
    (en.to_owned(), ja.to_owned())
}

fn wrong_type(node: &Value) -> Words {
    let (en, ja) = match node["type"].as_str() {
        Some("string") => ("a text", "文字列"),
        Some("integer") => ("a whole number", "整数"),
        Some("boolean") => ("true or false", "true か false"),
        Some("array") => ("a list", "配列"),
        _ => ("an object", "オブジェクト"),
    };
    (format!("it is not {en}"), format!("{ja}ではありません"))
}

fn mend(kind: &Kind, node: &Value) -> Words {
    let said = |words: &Value| words.as_str().map(str::to_owned);
    match kind {
        Kind::Enum { options } => one_of(options),
        Kind::Constant { expected_value } => {
            (format!("write {expected_value}"), format!("{expected_value} と書いてください"))
        }
        Kind::MaxLength { limit } | Kind::MaxItems { limit } | Kind::MaxProperties { limit } => at_most(limit),
        Kind::MinLength { limit } | Kind::MinItems { limit } => at_least(limit),
        Kind::Maximum { limit } => at_most(limit),
        Kind::Minimum { limit } => at_least(limit),
        Kind::UniqueItems => ("list each only once".to_owned(), "重複を除いてください".to_owned()),
        Kind::Pattern { pattern } => (
            said(&node["x-mend"]["en"]).unwrap_or_else(|| format!("match {pattern}")),
            said(&node["x-mend"]["ja"]).unwrap_or_else(|| format!("{pattern} に合わせてください")),
        ),
        _ => ("compare it with the schema and its example".to_owned(), "スキーマと例を見て直してください".to_owned()),
    }
}

fn one_of(options: &Value) -> Words {
    let codes: Vec<&str> = options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let codes = codes.join(", ");
    (format!("use one of: {codes}"), format!("次のいずれかにしてください: {codes}"))
}

fn at_most(limit: &dyn std::fmt::Display) -> Words {
    (format!("at most {limit}"), format!("{limit} 以下にしてください"))
}

fn at_least(limit: &dyn std::fmt::Display) -> Words {
    (format!("at least {limit}"), format!("{limit} 以上にしてください"))
}
