//! `hooks/requirements.tsv`: every requirement of CDS Hooks 2.0 and its hook library has a test that proves it, or says
//! why it does not concern a gateway.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
};

const COLUMNS: &[&str] = &["set", "id", "conformance", "actor", "url", "requirement", "role", "proof", "reason"];

/// The sets of requirements and how many each has, numbered from 1.
const SETS: &[(&str, usize)] = &[("cds-hooks-library_1.0.1", 93), ("cds-hooks_2.0", 220)];

type Row = HashMap<&'static str, String>;

#[test]
fn every_requirement_is_listed_once() {
    let listed: Vec<(String, String)> = rows().iter().map(|row| (row["set"].clone(), row["id"].clone())).collect();
    let known: Vec<(String, String)> =
        SETS.iter().flat_map(|(set, count)| (1..=*count).map(|id| ((*set).to_owned(), id.to_string()))).collect();
    assert_eq!(listed, known);
}

#[test]
fn every_requirement_has_a_proof_or_a_reason() {
    for row in rows() {
        let name = name(&row);
        assert!(row["requirement"].len() > 10 && row["url"].starts_with("https://"), "{name} says too little");
        match row["role"].as_str() {
            "service" | "client" | "both" => assert!(!row["proof"].is_empty(), "{name} has no proof"),
            "none" => assert!(row["proof"].is_empty() && row["reason"].len() > 20, "{name} does not say why"),
            other => panic!("{name} has the role \"{other}\""),
        }
    }
}

#[test]
fn every_proof_is_a_test_that_exists() {
    let mut known: HashMap<String, BTreeSet<String>> = HashMap::new();
    for row in rows() {
        for proof in row["proof"].split(' ').filter(|proof| !proof.is_empty()) {
            let (file, test) =
                proof.split_once("::").unwrap_or_else(|| panic!("{}: {proof} is no path::test", name(&row)));
            let tests = known.entry(file.to_owned()).or_insert_with(|| tests_in(&root().join(file)));
            assert!(tests.contains(test), "{}: {file} has no test {test}", name(&row));
        }
    }
}

#[test]
fn only_what_is_marked_as_a_test_counts_as_one() {
    let source = "fn helper() {}\n\n#[test]\nfn first() {}\n\n/// Words.\n#[tokio::test]\n#[ignore]\nasync fn second() {}\n\
                  proptest! {\n    #[test]\n    fn third(a in 0..1) {}\n}\n// #[test]\nfn not_one() {}\n";
    assert_eq!(tests_of(source).into_iter().collect::<Vec<_>>(), ["first", "second", "third"]);
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(root().join("hooks/requirements.tsv")).unwrap();
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(lines.next().unwrap().split('\t').collect::<Vec<_>>(), COLUMNS);
    lines.map(row).collect()
}

fn row(line: &str) -> Row {
    let cells: Vec<String> = line.split('\t').map(str::to_owned).collect();
    assert_eq!(cells.len(), COLUMNS.len(), "{line}");
    COLUMNS.iter().copied().zip(cells).collect()
}

fn name(row: &Row) -> String {
    format!("{} {}", row["set"], row["id"])
}

fn tests_in(file: &Path) -> BTreeSet<String> {
    let source = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    tests_of(&source)
}

/// The functions under a test attribute.
fn tests_of(source: &str) -> BTreeSet<String> {
    let mut tests = BTreeSet::new();
    let mut is_marked = false;
    for line in source.lines().map(str::trim_start) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_marked = true;
        } else if let Some(function) = function(line) {
            if is_marked {
                tests.insert(function.to_owned());
            }
            is_marked = false;
        }
    }
    tests
}

/// The name of the function that a line begins.
fn function(line: &str) -> Option<&str> {
    let line = line.strip_prefix("async ").unwrap_or(line);
    line.strip_prefix("fn ")?.split(['(', '<']).next()
}
