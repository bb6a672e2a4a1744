//! The suite that every implementation of a port must pass: a case for each sentence that says MUST.
//!
//! It is public, so that who writes a store of their own runs the same cases as ours. One line in a test
//! file makes a test of each case, with a fresh store:
//!
//! ```
//! mod my_store {
//!     use kyc_core::fakes::MemoryStore;
//!     kyc_core::store_contract!(MemoryStore::new());
//! }
//! # fn main() {}
//! ```
//!
//! A store that needs a runtime names its attribute, and one that needs a folder hands both over:
//! `store_contract!(tokio::test, { let folder = folder(); (open(&folder).await, folder) })`.
//!
//! What no suite can see from outside stays the adapter's to prove: that a commit survives the loss of
//! power, that a clock does not block, that a signature is compared in constant time.
#![expect(clippy::expect_used, clippy::panic, reason = "a contract suite fails by panicking")]
#![expect(clippy::missing_panics_doc, reason = "every case panics where the contract is broken")]

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};

pub mod cipher;
pub mod clock;
pub mod entropy;
pub mod provider;
pub mod store;

/// Runs a future to its end on this thread, for implementations that need no runtime.
pub fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
