use medvan_authoring::{Issue, IssueCode, IssueSeverity, Issues, NotAnOperationOutcome, operation_outcome};
use proptest::prelude::*;
use serde_json::{Value, json};

fn written(issues: &[Issue]) -> Value {
    serde_json::from_slice(&operation_outcome(issues)).unwrap()
}

#[test]
fn an_error_is_written_with_its_place() {
    let issue =
        Issue::error(IssueCode::Required, "context.patientId is missing".to_owned(), Some("context".to_owned()));
    assert_eq!(
        written(&[issue.with_details("患者　IDがありません".to_owned())]),
        json!({
            "resourceType": "OperationOutcome",
            "issue": [{
                "severity": "error",
                "code": "required",
                "details": {"text": "患者　IDがありません"},
                "diagnostics": "context.patientId is missing",
                "expression": ["context"],
            }],
        })
    );
}

#[test]
fn the_resource_type_comes_first_and_nothing_is_null_or_empty() {
    let bytes = operation_outcome(&[Issue::warning(IssueCode::Invalid, String::new(), Some(String::new()))]);
    let expect = r#"{"resourceType":"OperationOutcome","issue":[{"severity":"warning","code":"invalid"}]}"#;
    assert_eq!(String::from_utf8(bytes).unwrap(), expect);
}

#[test]
fn an_outcome_without_issues_says_so() {
    assert_eq!(written(&[])["issue"][0]["code"], "informational");
    assert_eq!(written(&[])["issue"][0]["severity"], "information");
}

#[test]
fn a_foreign_outcome_is_read_as_far_as_it_can_be() {
    let text = r#"{"resourceType":"OperationOutcome","id":"x","issue":[
        {"severity":"fatal","code":"not-found","details":{"coding":[{"code":"a"}],"text":"なし"},"expression":["a","b"]},
        {"severity":"error","code":"no-such-code"},
        {"code":"invalid"},
        "issue"]}"#;
    let issues = Issues::read(text.as_bytes()).unwrap();
    assert_eq!(issues.unreadable, 3);
    let expect = Issue {
        severity: IssueSeverity::Fatal,
        code: IssueCode::NotFound,
        diagnostics: String::new(),
        expression: Some("a".to_owned()),
        details: Some("なし".to_owned()),
    };
    assert_eq!(issues.readable, [expect]);
}

#[test]
fn what_is_no_outcome_is_refused() {
    for text in
        ["", "null", "[]", "{}", r#"{"resourceType":"Patient"}"#, r#"{"resourceType":"OperationOutcome","issue":1}"#]
    {
        assert_eq!(Issues::read(text.as_bytes()), Err(NotAnOperationOutcome), "{text}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(diagnostics in "\\PC*[a-z　あ]\\PC*", expression in proptest::option::of("[a-z.\\[\\]0-9]{1,20}")) {
        let issue = Issue::error(IssueCode::Processing, diagnostics, expression);
        let again = Issues::read(&operation_outcome(&[issue.clone(), issue.clone()])).unwrap();
        if !issue.diagnostics.trim().is_empty() {
            prop_assert_eq!(again, Issues { readable: vec![issue.clone(), issue], unreadable: 0 });
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Issues::read(&bytes);
    }
}
