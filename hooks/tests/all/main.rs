//! The rules of CDS Hooks, tested through the public API. One binary: one link.

mod answers;
mod discovery;
mod hooks;
mod plan;
mod request;
mod standard;
mod template;
