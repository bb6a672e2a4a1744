//! What the tests that cross the crates share: a service in this process, and a service in a process of its
//! own that can be killed.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a harness fails by panicking"
)]

pub mod app;
#[cfg(feature = "prism")]
pub mod prism;
pub mod process;
pub mod vendor;
