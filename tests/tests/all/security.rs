//! Checks of a security engineer, by their ids of OWASP ASVS 5.0.0, and that SECURITY.md tells the truth.
#![cfg(test)]

mod access;
mod crypto;
mod document;
mod logs;
