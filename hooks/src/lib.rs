//! MedVAN.
