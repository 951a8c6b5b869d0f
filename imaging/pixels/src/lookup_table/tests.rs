use proptest::prelude::*;

use super::{LookupTable, Palette};
use crate::testing::words;

fn table(descriptor: [u16; 3], data: Vec<u8>) -> LookupTable {
    LookupTable { descriptor, data, segmented: false }
}

fn segmented(descriptor: [u16; 3], data: &[u16]) -> LookupTable {
    LookupTable { descriptor, data: words(data), segmented: true }
}

fn values(table: &LookupTable) -> Vec<u16> {
    table.entries("Table", false).unwrap().values
}

#[test]
fn values_outside_of_a_table_take_its_ends() {
    let table = table([3, 10, 16], words(&[100, 200, 300]));
    let entries = table.entries("Table", false).unwrap();
    let found: Vec<u16> = [i64::MIN, 9, 10, 11, 12, 13, i64::MAX].into_iter().map(|value| entries.of(value)).collect();
    assert_eq!(found, [100, 100, 100, 200, 300, 300, 300]);
}

#[test]
fn the_first_value_mapped_has_the_sign_of_the_samples() {
    let table = table([2, 0xFFFE, 16], words(&[1, 2]));
    assert_eq!(table.entries("Table", true).unwrap().of(-1), 2);
    assert_eq!(table.entries("Table", false).unwrap().of(0xFFFF), 2);
}

#[test]
fn entries_of_eight_bits_come_in_bytes_or_in_words() {
    assert_eq!(values(&table([3, 0, 8], vec![1, 2, 3, 0])), [1, 2, 3]);
    assert_eq!(values(&table([3, 0, 8], words(&[1, 2, 3]))), [1, 2, 3]);
    assert_eq!(values(&table([0, 0, 8], vec![7; 65536])).len(), 65536);
}

/// The scale is that of the entries, also where the descriptor promises more.
#[test]
fn a_table_that_promises_too_much_is_not_drawn_black() {
    let most = |bits, entries: &[u16]| table([2, 0, bits], words(entries)).entries("Table", false).unwrap().most;
    assert_eq!(most(16, &[0, 255]), 255);
    assert_eq!(most(16, &[0, 256]), 65535);
    assert_eq!(most(12, &[0, 4095]), 4095);
    assert_eq!(most(8, &[0, 12]), 255);
}

#[test]
fn segments_are_discrete_linear_or_those_before() {
    // 0 1 2, then in three steps to 8, then both again.
    let table = segmented([11, 0, 16], &[0, 2, 0, 2, 1, 3, 8, 2, 2, 0, 0, 0, 1, 9]);
    assert_eq!(values(&table), [0, 2, 4, 6, 8, 0, 2, 4, 6, 8, 9]);
    let bytes =
        LookupTable { descriptor: [5, 0, 8], data: vec![0, 1, 4, 1, 2, 2, 2, 1, 0, 0, 0, 0, 0, 1, 9], segmented: true };
    assert_eq!(values(&bytes), [4, 3, 2, 4, 9]);
}

#[test]
fn broken_segments_are_refused() {
    for (what, data) in [
        ("a line from nowhere", &[1, 3, 8][..]),
        ("too long", &[0, 5, 1, 2]),
        ("no such segment", &[3, 1, 1]),
        ("back to itself", &[0, 1, 1, 2, 1, 6, 0]),
        ("out of the data", &[0, 1, 1, 2, 1, 600, 0]),
        ("more than the table", &[0, 1, 1, 1, 60000, 8]),
    ] {
        let error = segmented([8, 0, 16], data).entries("Table", false).unwrap_err();
        assert_eq!(error.to_string(), "Table has broken segments", "{what}");
    }
}

/// Each of them repeats 65535 empty ones.
#[test]
fn segments_of_nothing_come_to_an_end() {
    let mut data = vec![0, 0];
    (0..10_000).for_each(|_| data.extend([2, 65535, 0, 0]));
    assert!(segmented([8, 0, 16], &data).entries("Table", false).is_err());
}

proptest! {
    #[test]
    fn any_segments_are_an_answer(data in prop::collection::vec(0_u16..9, 0..60), bits in 0_u16..20, count in 0_u16..40) {
        if let Ok(entries) = segmented([count, 0, bits], &data).entries("Table", false) {
            prop_assert!(count == 0 || entries.values.len() <= usize::from(count));
        }
    }
}

#[test]
fn tables_travel_as_json() {
    let one = table([3, 10, 16], words(&[100, 200, 300]));
    let palette = Palette { red: one.clone(), green: one.clone(), blue: one };
    let json = serde_json::to_string(&palette).unwrap();
    assert_eq!(serde_json::from_str::<Palette>(&json).unwrap(), palette);
    assert!(json.contains(r#""data":"ZADIACwB""#), "{json}");
}
