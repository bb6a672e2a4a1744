//! The KYC service over HTTP.

pub mod api;
pub mod cli;
pub mod config;
pub mod run;
pub mod serve;
pub mod shutdown;
pub mod telemetry;
pub mod wire;
pub mod worker;
