//! Identity providers: one module a way of speaking with them.
//!
//! [`http`] speaks the vendor-neutral contract of `openapi/provider.json`. Whoever puts a small service with
//! these three endpoints before a vendor, or before a system in house, needs no code here.

mod base;
mod exchange;
pub mod http;
mod retry_after;

pub use http::{ConfigError, HttpProvider, HttpProviderConfig, SecretsError, SigningKeys};
