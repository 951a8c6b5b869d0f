//! The gateway from outside, part by part. Whole calls between real processes are tested in the crate `tests`.

mod api;
