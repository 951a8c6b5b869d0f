//! The management API, by HTTP.

mod catalog;
mod credentials;
mod document;
mod office;
mod records;
mod rights;
mod wrong;
