//! In-memory ports for tests: fast, reproducible, and as strict as the contract suite demands.
//!
//! Each fake is a cheap clone that shares its state: hand one clone to the code under test, and keep the
//! other to move the time, script an answer or count what happened.
//!
//! ```
//! use std::sync::Arc;
//! use jiff::SignedDuration;
//! use kyc_core::fakes::{FakeCipher, FakeClock, FakeEntropy, FakeProvider, MemoryStore};
//! use kyc_core::ports::{Cipher, Clock, Entropy, IdentityProvider, Store};
//!
//! let clock = FakeClock::new();
//! let ports: (Arc<dyn Clock>, Arc<dyn Entropy>, Arc<dyn Cipher>, Arc<dyn IdentityProvider>, Arc<dyn Store>) = (
//!     Arc::new(clock.clone()),
//!     Arc::new(FakeEntropy::new()),
//!     Arc::new(FakeCipher::new()),
//!     Arc::new(FakeProvider::new()),
//!     Arc::new(MemoryStore::new()),
//! );
//! clock.advance(SignedDuration::from_hours(24));
//! assert_eq!(ports.0.now(), FakeClock::START + SignedDuration::from_hours(24));
//! ```

use std::sync::{Mutex, MutexGuard, PoisonError};

mod cipher;
mod clock;
mod entropy;
mod ledger;
mod provider;
mod sample;
mod store;

pub use cipher::FakeCipher;
pub use clock::FakeClock;
pub use entropy::FakeEntropy;
pub use ledger::MemoryLedger;
pub use provider::{FakeProvider, Submitted};
pub use sample::{sample_customer, sample_person};
pub use store::MemoryStore;

/// A test that failed while it held the lock has nothing to say about the state of a fake.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
