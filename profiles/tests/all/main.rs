//! The crate against data that others wrote.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod corpus;
