//! KYC rules, ports and use cases: pure, without I/O, runtime, clock or randomness.

#[cfg(feature = "contract")]
pub mod contract;
pub mod domain;
#[cfg(feature = "fakes")]
pub mod fakes;
#[cfg(feature = "mocks")]
pub mod mocks;
pub mod ports;
mod secret;
pub mod usecase;

pub use secret::Secret;
pub use usecase::Kyc;
