//! MedVAN.

pub mod api;
pub mod catalog;
pub mod clock;
pub mod standin;
pub mod store;
pub mod tasks;
