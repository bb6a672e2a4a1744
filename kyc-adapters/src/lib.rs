//! Implementations of `kyc-core`'s ports. One feature an adapter, so that an embedder pays for what it
//! uses: `sqlite`, `cipher`, `checkpoint`, `ledger`, `provider-http`, `provider-onfido`,
//! `provider-persona`, `sandbox`, `system`.

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
#[cfg(any(feature = "provider-http", feature = "provider-onfido", feature = "provider-persona"))]
pub mod provider;
#[cfg(feature = "sandbox")]
pub mod sandbox;
#[cfg(feature = "sqlite")]
pub mod sqlite;
