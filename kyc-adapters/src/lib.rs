//! Implementations of `kyc-core`'s ports. One feature an adapter, so that an embedder pays for what it
//! uses: `sqlite`, `cipher`, `checkpoint`, `ledger`, `provider-http`, `sandbox`, `system`.

#[cfg(feature = "checkpoint")]
pub mod checkpoint;
#[cfg(feature = "cipher")]
pub mod cipher;
#[cfg(feature = "system")]
pub mod clock;
#[cfg(feature = "system")]
pub mod entropy;
#[cfg(any(feature = "checkpoint", feature = "cipher"))]
pub mod file;
#[cfg(feature = "ledger")]
pub mod ledger;
#[cfg(feature = "provider-http")]
pub mod provider;
#[cfg(feature = "sandbox")]
pub mod sandbox;
#[cfg(feature = "sqlite")]
pub mod sqlite;
