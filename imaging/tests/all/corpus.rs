//! `tests/corpus`: what once broke a reader, here or elsewhere, and what must come of it.

mod assembly;
mod readers;

use std::{collections::BTreeSet, fs, path::Path};

use proptest::prelude::*;

use self::readers::{OTHERS, READERS};

/// A file of the corpus: its name with its folder, and its bytes.
struct Sample {
    name: String,
    bytes: Vec<u8>,
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    for (reader, _) in READERS {
        for entry in fs::read_dir(folder().join(reader)).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{reader}/{}", path.file_name().unwrap().to_str().unwrap());
            let bytes = fs::read(&path).unwrap();
            let bytes = match path.extension().and_then(|extension| extension.to_str()) {
                Some("hex") => assembly::bytes(std::str::from_utf8(&bytes).unwrap()),
                // The line's end is the editor's.
                _ => bytes.strip_suffix(b"\n").unwrap_or(&bytes).to_vec(),
            };
            samples.push(Sample { name, bytes });
        }
    }
    samples.sort_by(|a, b| a.name.cmp(&b.name));
    samples
}

/// The rows of the table: file, what broke, what must happen.
fn rows() -> Vec<[String; 3]> {
    let text = fs::read_to_string(folder().join("README.md")).unwrap();
    let cells = |line: &str| -> [String; 3] {
        let cells: Vec<String> = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
        cells.try_into().unwrap_or_else(|_| panic!("{line}"))
    };
    text.lines().filter(|line| line.starts_with("| ")).skip(1).map(cells).collect()
}

#[test]
fn each_reader_says_what_the_table_says() {
    let samples = samples();
    let rows = rows();
    let listed: BTreeSet<&str> = rows.iter().map(|[file, ..]| file.as_str()).collect();
    let found: BTreeSet<&str> = samples.iter().map(|sample| sample.name.as_str()).collect();
    assert_eq!(found, listed, "every file has one row");
    assert_eq!(rows.len(), listed.len(), "and only one");
    let mut wrong = Vec::new();
    for sample in &samples {
        let (_, reader) = READERS.iter().find(|(folder, _)| sample.name.starts_with(&format!("{folder}/"))).unwrap();
        let [_, _, expected] = rows.iter().find(|[file, ..]| *file == sample.name).unwrap();
        let outcome = reader(&sample.bytes);
        if outcome != expected.trim_matches('`').trim() {
            wrong.push(format!("{}: {outcome}", sample.name));
        }
    }
    assert!(wrong.is_empty(), "what really happens:\n{}", wrong.join("\n"));
}

#[test]
fn every_reader_ends_with_every_file() {
    for sample in samples() {
        feed(&sample.bytes);
    }
}

/// Gives bytes to every reader. What each says is bounded by what it was given: only holes of XML and what was deflated say
/// more, up to their limits.
fn feed(bytes: &[u8]) {
    for reader in READERS.iter().map(|(_, reader)| reader).chain(OTHERS) {
        let said = reader(bytes).len();
        assert!(said <= 64 * bytes.len() + (8 << 20), "{said} bytes are said of {}", bytes.len());
    }
}

/// What happens to bytes on their way.
#[derive(Debug, Clone)]
enum Harm {
    Flip(u8),
    Put(u8),
    Cut(usize),
    Double(usize),
    Insert(Vec<u8>),
}

fn harms() -> impl Strategy<Value = Vec<(prop::sample::Index, Harm)>> {
    let harm = prop_oneof![
        (0..8_u8).prop_map(|bit| Harm::Flip(1 << bit)),
        prop_oneof![Just(0), Just(0xFF), any::<u8>()].prop_map(Harm::Put),
        (1..64_usize).prop_map(Harm::Cut),
        (1..64_usize).prop_map(Harm::Double),
        prop::collection::vec(any::<u8>(), 1..9).prop_map(Harm::Insert),
    ];
    prop::collection::vec((any::<prop::sample::Index>(), harm), 1..4)
}

fn harmed(mut bytes: Vec<u8>, harms: &[(prop::sample::Index, Harm)]) -> Vec<u8> {
    for (at, harm) in harms {
        if bytes.is_empty() {
            break;
        }
        let at = at.index(bytes.len());
        let end = |length: usize| bytes.len().min(at + length);
        match harm {
            Harm::Flip(bit) => bytes[at] ^= bit,
            Harm::Put(byte) => bytes[at] = *byte,
            Harm::Cut(length) => drop(bytes.drain(at..end(*length))),
            Harm::Double(length) => {
                let piece = bytes[at..end(*length)].to_vec();
                bytes.splice(at..at, piece);
            }
            Harm::Insert(piece) => drop(bytes.splice(at..at, piece.iter().copied())),
        }
    }
    bytes
}

/// The samples that are small enough to be read some hundred times.
fn small() -> Vec<Sample> {
    samples().into_iter().filter(|sample| sample.bytes.len() <= 8 << 10).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn harmed_files_are_read_or_refused(sample in prop::sample::select(small_bytes()), harms in harms()) {
        feed(&harmed(sample, &harms));
    }
}

fn small_bytes() -> Vec<Vec<u8>> {
    small().into_iter().map(|sample| sample.bytes).collect()
}
