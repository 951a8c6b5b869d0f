//! A service that talks CDS Hooks (2.0.1 and the 3.0 ballot): hooks, feedback, discovery.

mod discovery;
mod request;
mod service;

pub use discovery::{Discovered, Validators, discover};
pub use request::{call, feedback};
pub use service::{Endpoint, Service};

#[cfg(test)]
mod tests;
