//! Know your customer, for applications that embed it: register a person with an identity document, have
//! the person verified, keep the data current, verify again when identity changes, and report.
//!
//! This crate is pure: no I/O, no runtime, no clock, no randomness. All of that comes through five ports, and a
//! sixth one for who needs it: the ledger of erasures.
//!
//! ```text
//!   your application, or kyc-server
//!            |
//!            v
//!   Kyc      one handle, a method a use case           usecase
//!            read -> decide -> one Changeset
//!            |                    |
//!            |                    +-- pure rules        domain
//!            v
//!   Store  IdentityProvider  Clock  Cipher  Entropy     ports
//!            ^
//!            |
//!   kyc-adapters, or implementations of your own; fakes and mocks for tests
//! ```
//!
//! # Begin
//!
//! ```
//! # #[cfg(feature = "fakes")] {
//! use std::sync::Arc;
//!
//! use kyc_core::Kyc;
//! use kyc_core::domain::policy::Policy;
//! use kyc_core::fakes::{FakeCipher, FakeClock, FakeEntropy, FakeProvider, MemoryStore};
//! use kyc_core::usecase::{Ports, Providers};
//!
//! let ports = Ports {
//!     store: Arc::new(MemoryStore::new()),
//!     providers: Providers::one(Arc::new(FakeProvider::new())),
//!     clock: Arc::new(FakeClock::new()),
//!     cipher: Arc::new(FakeCipher::new()),
//!     entropy: Arc::new(FakeEntropy::new()),
//! };
//! let kyc = Kyc::new(ports, Policy::default());
//! # let _ = kyc;
//! # }
//! ```
//!
//! `examples/embed.rs` goes on from here. Somebody has to call [`Kyc::run_due_verifications`] now and then,
//! or claim and run by itself with [`Kyc::claim_due`] and [`Kyc::run`]; [`Kyc::on_queued`] says when there
//! is work.
//!
//! # What is where
//!
//! * [`domain`]: the vocabulary and the rules. A value is parsed once and valid ever after.
//! * [`ports`]: what an adapter must do, sentence by sentence.
//! * [`usecase`]: the handle and its methods.
//! * `fakes`, `mocks`, `contract` (features): in-memory ports, `mockall` mocks, and the suite that tests the
//!   sentences of the ports against any implementation.
//!
//! # To add
//!
//! * **A use case**: a file in `usecase/` with its request, its error (an enum of situations that a caller
//!   can act on) and a method of [`Kyc`]. It reads, decides with functions of [`domain`], and commits one
//!   [`Changeset`](ports::store::Changeset) that has the audit event in it. One that may be asked twice also has
//!   a variant of [`Answer`](usecase::Answer), and commits the record of its answer: `usecase/once.rs`.
//! * **An aggregate**: a variant of [`Write`](ports::store::Write) and, where it is guarded, of
//!   [`Guard`](ports::store::Guard); a small read trait; cases in the contract suite. Stores match on both
//!   enums, so the compiler names what is left to do.
//! * **A port**: a trait in `ports/` whose doc says what an adapter MUST do, a fake, and contract cases.
//! * **An adapter**: an implementation anywhere; it runs the contract suite.
//!
//! # Personal data
//!
//! What a caller sends and what is held in memory is a [`Secret`]: it prints nothing and is zeroed on drop.
//! What reaches a store is sealed: the types of a changeset have no field for anything else. Errors, audit
//! events and `Debug` never show a value.

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
