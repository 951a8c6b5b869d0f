//! Tests of the crate as its users see it.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]

mod corpus;
mod requirements;
