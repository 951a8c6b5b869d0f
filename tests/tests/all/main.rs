//! End-to-end tests that speak the domain, and tests about the project itself.

mod architecture;
