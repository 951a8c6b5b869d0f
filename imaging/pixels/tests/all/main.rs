//! What needs more than one module, or files from outside.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics, in its helpers too")]

mod reference;
