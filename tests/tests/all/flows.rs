//! What the service is for, told as stories over real HTTP: one story a test.

mod access;
mod audit;
mod documents;
mod duplicates;
mod erasure;
mod failover;
mod health;
mod idempotency;
mod keys;
mod lists;
mod outage;
mod report;
mod roles;
mod rules;
mod sandbox;
mod search;
mod updates;
mod verifications;
mod workers;

pub(super) use self::access::OPEN;
