//! Fakes of vendors: what an adapter meets where its vendor would be, over real TCP and with state.
//!
//! [`server`] is the wire of all of them: it reads requests, keeps them, and answers what a vendor's fake says, or
//! what a [`Fault`] makes of it.

pub mod files;
pub mod onfido;
pub mod persona;
pub mod server;

pub use server::{Fault, Reply, Request, Server};
