//! `HttpProvider` against the sandbox over a real socket, against servers that misbehave, and both against
//! the contract's document.
#![cfg(feature = "sandbox")]

// `cfg(test)` holds for all of this file; it is written out for clippy, whose rules for tests go by it.
#[path = "provider/callbacks.rs"]
#[cfg(test)]
mod callbacks;
#[path = "provider/document.rs"]
#[cfg(test)]
mod document;
#[path = "provider/hostile.rs"]
#[cfg(test)]
mod hostile;
#[path = "provider/sandbox.rs"]
#[cfg(test)]
mod sandbox;
#[path = "provider/support.rs"]
#[cfg(test)]
mod support;
#[path = "provider/tls.rs"]
#[cfg(test)]
mod tls;
