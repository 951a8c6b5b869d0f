//! MedVAN.
fn main() {}
