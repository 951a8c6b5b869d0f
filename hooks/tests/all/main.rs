//! The rules of CDS Hooks, tested through the public API. One binary: one link.

mod answer;
mod answers;
mod discovery;
mod hooks;
mod library;
mod plan;
mod request;
mod standard;
mod standard_pages;
mod template;
