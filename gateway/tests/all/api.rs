//! The management API, by HTTP.

mod catalog;
mod credentials;
mod discovery;
mod document;
pub(crate) mod office;
mod records;
mod rights;
mod wrong;
