//! Clients that register customers as fast as they can, until their server is gone.

use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};

use kyc_tests::process::ServerProcess;

use super::super::registration;

const CLIENTS: usize = 6;

/// What the sandbox does with a document number that ends so, and where its customer ends: status, stage.
pub(super) const OUTCOMES: [(&str, &str, Option<&str>); 9] = [
    ("", "verified", None),
    ("-SLOW", "verified", None),
    ("-REJECT", "rejected", None),
    ("-TIMEOUT", "verified", None),
    ("-CONSIDER", "pending", Some("in_review")),
    ("-RETRY", "pending", Some("awaiting_customer")),
    ("-DOWN", "pending", Some("in_review")),
    ("-UNKNOWN", "pending", Some("in_review")),
    ("-MISMATCH", "pending", Some("in_review")),
];

/// Clients at work.
pub(super) struct Load {
    answered: Receiver<String>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts clients, each with a connection of its own.
    pub(super) fn start(server: &ServerProcess, cycle: usize) -> Self {
        let (sender, answered) = channel();
        let clients = (0..CLIENTS).map(|one| {
            let (sender, client) = (sender.clone(), server.client());
            thread::spawn(move || {
                for number in 0.. {
                    let (end, ..) = OUTCOMES[number % OUTCOMES.len()];
                    let customer_id = format!("{cycle}-{one}-{number}");
                    let body = registration(&customer_id, &format!("{cycle}-{one}-{number}{end}"));
                    match client.send("POST", "/customers", Some(&body)) {
                        Ok(answer) => {
                            answer.expecting(201);
                            sender.send(customer_id).unwrap();
                        }
                        // Nobody was told anything, so nothing is owed.
                        Err(_) => break,
                    }
                }
            })
        });
        Self { clients: clients.collect(), answered }
    }

    /// The next customers whose registration was answered.
    pub(super) fn answers(&self, count: usize) -> Vec<String> {
        self.answered.iter().take(count).collect()
    }

    /// Those that were answered since, now that the server is gone.
    pub(super) fn rest(self) -> Vec<String> {
        for client in self.clients {
            client.join().unwrap();
        }
        self.answered.try_iter().collect()
    }
}
