//! What was answered is kept (I1), and what was accepted ends (I4): under `kill -9`, by the order of system
//! calls, and at an orderly stop.
//!
//! A kill proves nothing about syncs, since what a process has written outlives it in the page cache; so the
//! kills look for answers that came before the write, and the traces for answers that came before the sync.
#![cfg(test)]

mod kills;
mod order;
mod outages;
mod retries;
mod stop;
mod trace;

use kyc_tests::process::Options;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The options of a server in a folder of its own, which goes with the second value.
fn options() -> (Options, TempDir) {
    let home = tempfile::tempdir().unwrap();
    (Options::new(env!("CARGO_BIN_EXE_server-under-test"), home.path()), home)
}

/// A text without digits, unlike that of every other id.
fn in_letters(id: &str) -> String {
    let letter =
        |c: char| c.to_digit(10).and_then(|digit| "bcdfghklmn".chars().nth(digit as usize)).unwrap_or(c);
    id.chars().map(letter).collect()
}

/// A customer whose personal data is unlike that of every other.
fn registration(customer_id: &str, document_number: &str) -> Value {
    json!({
        "customer_id": customer_id,
        "name": format!("Ada Lovelace {}", in_letters(customer_id)),
        "email": format!("{customer_id}@example.com"),
        "phone_number": "+442079460958",
        "date_of_birth": "1990-12-10",
        "address": {"line1": "12 St James's Square", "city": "London", "country": "GB"},
        "identity_document": {"type": "passport", "number": document_number, "issuing_country": "GB"},
    })
}
