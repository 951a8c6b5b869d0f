//! `requirements.md`: every item has a row, and every test that a row names exists.

use std::{fs, path::Path};

/// The kinds of items and how many each has, numbered from 1.
const ITEMS: &[(char, usize)] = &[('G', 10), ('S', 13), ('Q', 16), ('W', 10), ('U', 6), ('P', 11), ('J', 8)];

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The cells of each row: item, what is asked, what is here, proof.
fn rows() -> Vec<[String; 4]> {
    let text = fs::read_to_string(root().join("imaging/requirements.md")).unwrap();
    let cells = |line: &str| -> [String; 4] {
        let cells: Vec<String> = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
        cells.try_into().unwrap()
    };
    text.lines().filter(|line| line.starts_with("| ")).skip(1).map(cells).collect()
}

#[test]
fn every_item_is_listed_once() {
    let listed: Vec<String> = rows().into_iter().map(|[item, ..]| item).collect();
    let known: Vec<String> =
        ITEMS.iter().flat_map(|(kind, count)| (1..=*count).map(move |number| format!("{kind}{number}"))).collect();
    assert_eq!(listed, known);
}

#[test]
fn whatever_is_claimed_has_a_proof() {
    for [item, asked, here, proof] in rows() {
        assert!(asked.len() > 5, "{item} says too little");
        assert!(["yes", "partly: ", "no: "].iter().any(|word| here.starts_with(word)), "{item}: {here}");
        assert!(here.starts_with("no: ") || !proof.is_empty(), "{item} has no proof");
    }
}

#[test]
fn every_proof_is_a_test_that_exists() {
    for [item, _, _, proof] in rows() {
        for proof in proof.split("<br>").map(|proof| proof.trim_matches('`')).filter(|proof| !proof.is_empty()) {
            let (file, test) = proof.split_once("::").unwrap();
            let source = fs::read_to_string(root().join(file)).unwrap();
            assert!(is_test(&source, test), "{item}: {file} has no test {test}");
        }
    }
}

/// Whether a function of this name stands under a test attribute.
fn is_test(source: &str, name: &str) -> bool {
    let mut is_marked = false;
    for line in source.lines().map(str::trim_start) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_marked = true;
        } else if let Some(function) = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ") {
            if is_marked && function.split(['(', '<']).next() == Some(name) {
                return true;
            }
            is_marked = false;
        }
    }
    false
}
