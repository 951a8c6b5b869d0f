//! (see the crate's head)
