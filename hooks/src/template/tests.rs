//! Parts that the public API shows only through queries.

use super::query::{encode, normalize};

#[test]
fn literals_are_encoded_in_one_way() {
    for (literal, normal) in [
        ("4548-4", "4548-4"),
        ("http://loinc.org|4548-4", "http://loinc.org%7C4548-4"),
        ("http://loinc.org%7c4548-4", "http://loinc.org%7C4548-4"),
        ("%41%2d", "A-"),
        ("a b%zz", "a%20b%25zz"),
        ("検査", "%E6%A4%9C%E6%9F%BB"),
        ("-date,_id", "-date,_id"),
    ] {
        assert_eq!(normalize(literal), normal);
        assert_eq!(normalize(normal), normal, "the normal form is stable");
    }
}

#[test]
fn values_cannot_leave_their_place() {
    for (value, encoded) in [
        ("abc.1-2", "abc.1-2"),
        ("a&b=c#d?e", "a%26b%3Dc%23d%3Fe"),
        ("a,b|c$d\\e", "a%5C%2Cb%5C%7Cc%5C%24d%5C%5Ce"),
        ("ServiceRequest/1", "ServiceRequest/1"),
        ("+09:00", "%2B09:00"),
        ("太郎", "%E5%A4%AA%E9%83%8E"),
    ] {
        assert_eq!(encode(value), encoded);
    }
}
