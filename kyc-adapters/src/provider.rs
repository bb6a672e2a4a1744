//! Identity providers: one module a way of speaking with them.
//!
//! [`http`] speaks the vendor-neutral contract of `openapi/provider.json`. Whoever puts a small service with
//! these three endpoints before a vendor, or before a system in house, needs no code here. [`onfido`] is an adapter of
//! one vendor's own interface. [`Capped`] bounds the calls of any of them.

mod base;
mod capped;
mod exchange;
#[cfg(feature = "provider-http")]
pub mod http;
#[cfg(feature = "provider-onfido")]
pub mod onfido;
mod retry_after;
#[cfg(feature = "provider-onfido")]
mod vendor;

pub use base::ConfigError;
pub use capped::{Capped, Caps};
#[cfg(feature = "provider-http")]
pub use http::{HttpProvider, HttpProviderConfig, SecretsError, SigningKeys};
#[cfg(feature = "provider-onfido")]
pub use onfido::{OnfidoConfig, OnfidoProvider, Region};
