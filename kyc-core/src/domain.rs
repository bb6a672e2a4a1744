//! The vocabulary: values, states and rules, all pure. In reading order: customer, document,
//! verification, discrepancy, decision, status, policy, breaker, report, audit, checkpoint.

pub mod actor;
pub mod address;
pub mod api_key;
pub mod audit;
pub mod birth;
pub mod breaker;
pub mod checkpoint;
pub mod consent;
pub mod contact;
pub mod country;
pub mod customer;
pub mod decision;
pub mod discrepancy;
pub mod document;
pub mod document_file;
pub mod erasure;
pub mod fault;
pub mod field;
pub mod idempotency;
pub mod ids;
pub mod key_use;
pub mod mrz;
pub mod name;
pub mod permission;
pub mod policy;
pub mod report;
pub mod retention;
pub mod schedule;
pub mod shown;
pub mod status;
pub mod text;
pub mod told;
pub mod verification;
pub mod words;
