//! The KYC service over HTTP.

use mimalloc::MiMalloc;

/// Requests and answers are many small allocations on several threads, which this does with a fifth less
/// CPU a registration than the C library's (`cargo run --release -p kyc-tests --bin bench`).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

pub mod api;
pub mod checkpoints;
pub mod cli;
pub mod config;
pub mod jobs;
pub mod operator;
pub mod progress;
pub mod retention;
pub mod run;
pub mod serve;
pub mod service;
pub mod shutdown;
pub mod telemetry;
pub mod wire;
pub mod worker;
