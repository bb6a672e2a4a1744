//! What is known of a request's client before its key is looked at. Both stand in the data of the request.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The address of the client: of the other end of the connection, or, where that is a trusted proxy, the one
/// that the proxy names. None where the connection has no address. An IPv4 address in its IPv6 form is the
/// IPv4 address (RFC 4291, section 2.5.5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub Option<IpAddr>);

/// Whether a request is let off the limit of its address, which it is once its key was found to be valid. Clones
/// are one.
#[derive(Debug, Clone, Default)]
pub struct Excused(Arc<AtomicBool>);

impl Excused {
    /// Lets the request off.
    pub fn excuse(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was let off.
    #[must_use]
    pub fn is_excused(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
