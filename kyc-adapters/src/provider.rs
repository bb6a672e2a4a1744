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
#[cfg(any(feature = "provider-http", feature = "provider-persona"))]
mod link;
#[cfg(feature = "provider-onfido")]
pub mod onfido;
#[cfg(feature = "provider-persona")]
pub mod persona;
mod retry_after;
#[cfg(any(feature = "provider-onfido", feature = "provider-persona"))]
mod vendor;

pub use base::ConfigError;
pub use capped::{Capped, Caps};
#[cfg(feature = "provider-http")]
pub use http::{HttpProvider, HttpProviderConfig, SecretsError, SigningKeys};
#[cfg(feature = "provider-onfido")]
pub use onfido::{OnfidoConfig, OnfidoProvider, Region};
#[cfg(feature = "provider-persona")]
pub use persona::{PersonaConfig, PersonaProvider};
