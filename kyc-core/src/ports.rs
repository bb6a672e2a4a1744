//! What the core asks of the outside. Each port says what an adapter MUST do; the contract suite
//! (feature `contract`) tests those sentences against any implementation.

pub mod cipher;
pub mod clock;
pub mod entropy;
pub mod ledger;
pub mod provider;
pub mod store;

pub use cipher::Cipher;
pub use clock::Clock;
pub use entropy::Entropy;
pub use ledger::ErasureLedger;
pub use provider::IdentityProvider;
pub use store::Store;
