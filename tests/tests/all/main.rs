//! End-to-end tests that speak the domain, and tests about the project itself.
#![expect(unreachable_pub, reason = "a test binary exports nothing")]

mod aggregated_call;
mod architecture;
mod durability;
mod feedback;
mod requirements;
mod standard_client;
mod standard_service;
mod withholding;
mod world;
