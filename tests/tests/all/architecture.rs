//! The shape of the dependency graph, as ARCHITECTURE.md promises it (design, section 3 and invariant 1).

use std::{collections::BTreeSet, path::Path, process::Command};

/// What each crate of ours may know of ours. A line added here is a decision; see ARCHITECTURE.md.
const FLOORS: &[(&str, &[&str])] = &[
    ("medvan-profiles", &[]),
    ("medvan-authoring", &[]),
    ("medvan-hooks", &["medvan-profiles"]),
    ("medvan-imaging", &[]),
    ("medvan-pixels", &[]),
    ("medvan-analysis", &["medvan-profiles", "medvan-authoring", "medvan-imaging"]),
    ("medvan-adapters", &["medvan-profiles", "medvan-hooks", "medvan-imaging", "medvan-analysis"]),
    ("medvan-fixtures", &["medvan-profiles", "medvan-hooks", "medvan-imaging", "medvan-analysis"]),
    (
        "medvan",
        &[
            "medvan-profiles",
            "medvan-authoring",
            "medvan-hooks",
            "medvan-imaging",
            "medvan-pixels",
            "medvan-analysis",
            "medvan-adapters",
            "medvan-fixtures",
        ],
    ),
];

/// Crates without socket, clock or disk.
const PURE: &[&str] =
    &["medvan-profiles", "medvan-hooks", "medvan-authoring", "medvan-imaging", "medvan-pixels", "medvan-analysis"];
const IMPURE: &[&str] = &["tokio", "axum", "reqwest", "hyper", "sqlx", "sqlx-core", "socket2", "mio"];

#[test]
fn nothing_points_up_or_sideways() {
    for (name, allowed) in FLOORS {
        for known in named_by(name).iter().filter(|known| known.starts_with("medvan")) {
            assert!(allowed.contains(&known.as_str()), "{name} knows {known}; allowed are {allowed:?}");
        }
    }
}

#[test]
fn pure_crates_reach_no_socket_and_no_database() {
    for name in PURE {
        let reached = reached_from(name);
        assert!(reached.contains(*name), "{name} is not in the graph");
        for impure in IMPURE {
            assert!(!reached.contains(*impure), "{name} reaches {impure}");
        }
    }
}

#[test]
fn only_authoring_names_fhir_sdk() {
    let users: Vec<&str> =
        FLOORS.iter().map(|(name, _)| *name).filter(|name| named_by(name).contains("fhir-sdk")).collect();
    assert_eq!(users, ["medvan-authoring"]);
}

/// With `arbitrary_precision` anywhere in the graph fhir-sdk drops quantities without a word.
#[test]
fn serde_json_keeps_numbers_the_way_fhir_sdk_needs() {
    let features = features_of("serde_json");
    assert!(features.contains("raw_value"), "{features:?}");
    assert!(!features.contains("arbitrary_precision"), "{features:?}");
}

/// Two providers in one process make rustls panic at run time.
#[test]
fn there_is_one_crypto_provider() {
    let reached = reached_from("medvan");
    assert!(reached.contains("aws-lc-rs"));
    for other in ["ring", "openssl-sys", "native-tls", "rsa"] {
        assert!(!reached.contains(other), "medvan reaches {other}");
    }
}

/// ARCHITECTURE.md names the test of each invariant; a renamed file must not leave it pointing nowhere.
#[test]
fn every_file_that_the_architecture_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let named: Vec<&str> =
        text.split('`').skip(1).step_by(2).filter(|span| span.contains("/") && span.ends_with(".rs")).collect();
    assert!(named.len() > 10, "{named:?}");
    for path in named {
        let found = root.join(path).exists() || root.join("gateway/src").join(path).exists();
        assert!(found, "ARCHITECTURE.md names {path}, which is not there");
    }
}

/// Every crate that `name` is built with. `cargo tree` is asked, because `cargo metadata` also lists optional
/// dependencies that no feature turns on.
fn reached_from(name: &str) -> BTreeSet<String> {
    let tree = cargo(&["tree", "-p", name, "-e", "normal", "--prefix", "none"]);
    tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// The dependencies that `name` itself names.
fn named_by(name: &str) -> BTreeSet<String> {
    let tree = cargo(&["tree", "-p", name, "-e", "normal", "--prefix", "none", "--depth", "1"]);
    tree.lines().skip(1).filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// The features with which `name` is built in this workspace.
fn features_of(name: &str) -> BTreeSet<String> {
    let metadata = cargo(&["metadata", "--format-version", "1"]);
    let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let of_crate = nodes.iter().filter(|node| node["id"].as_str().unwrap().contains(&format!("#{name}@")));
    of_crate
        .flat_map(|node| node["features"].as_array().unwrap())
        .map(|name| name.as_str().unwrap().to_owned())
        .collect()
}

fn cargo(arguments: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
