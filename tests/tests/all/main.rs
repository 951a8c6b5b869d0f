//! End-to-end tests that speak the domain, and tests about the project itself.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics, in its helpers too")]
#![expect(unreachable_pub, reason = "a test binary exports nothing")]

mod aggregated_call;
mod analysis;
mod architecture;
mod bad_input;
mod dicom_ways;
mod disclosure;
mod discovery_and_cors;
mod durability;
mod feedback;
mod fetching;
mod governance;
mod inference;
mod merge_and_dialects;
mod misbehaving_services;
mod missed_hook;
mod nothing_leaks;
mod outgoing_hosts;
mod payloads_pass_untouched;
mod requirements;
mod shadow;
mod shutdown_and_overload;
mod standard_client;
mod standard_service;
mod trial;
mod trust;
mod usage;
mod withholding;
mod world;
