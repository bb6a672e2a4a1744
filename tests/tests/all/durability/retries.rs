//! `kill -9` in the middle of requests that have an idempotency key: sent again, each is done exactly once, since
//! the record of an answer is in the commit of its effect. Each start makes another admin key; its holder is the
//! same.

use std::collections::BTreeMap;
use std::sync::mpsc::channel;
use std::thread;

use kyc_tests::process::{Client, ServerProcess};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::{options, registration};

const CYCLES: usize = 3;
const CLIENTS: usize = 6;
/// How many answers a process lives for.
const ANSWERS: usize = 30;

/// A request that is sent until it is answered: a customer, whose id could be taken, or an API key, whose id the
/// service makes.
#[derive(Clone)]
struct Wanted {
    name: String,
    path: &'static str,
    body: Value,
}

impl Wanted {
    fn new(cycle: usize, client: usize, number: u32) -> Self {
        let name = format!("{cycle}-{client}-{number}");
        if number.is_multiple_of(2) {
            let body = registration(&name, &format!("{cycle}-{client}-{number}"));
            return Self { name, path: "/customers", body };
        }
        let body = json!({"name": name, "role": "client"});
        Self { name, path: "/api-keys", body }
    }

    /// Whether it was answered.
    fn send(&self, client: &Client) -> bool {
        let answer = client.under_key(&self.name).send("POST", self.path, Some(&self.body));
        answer.is_ok_and(|answer| {
            answer.expecting(201);
            true
        })
    }
}

/// How many rows there are of each value of a column.
fn tally(database: &Connection, sql: &str) -> BTreeMap<String, u32> {
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn what_is_sent_again_after_a_kill_is_done_exactly_once() {
    let (options, _home) = options();
    let mut wanted = Vec::new();
    for cycle in 0..CYCLES {
        let server = ServerProcess::start(&options);
        let (answered, answers) = channel();
        let clients: Vec<_> = (0..CLIENTS)
            .map(|one| {
                let (client, answered) = (server.client(), answered.clone());
                thread::spawn(move || {
                    let mut sent = Vec::new();
                    for number in 0.. {
                        let request = Wanted::new(cycle, one, number);
                        let is_answered = request.send(&client);
                        sent.push(request);
                        if !is_answered {
                            break;
                        }
                        let _ = answered.send(());
                    }
                    sent
                })
            })
            .collect();
        answers.iter().take(ANSWERS).for_each(drop);
        server.kill9();
        for client in clients {
            wanted.extend(client.join().unwrap());
        }
    }

    // Each again, those that were answered too: nobody who retries knows.
    let server = ServerProcess::start(&options);
    let client = server.client();
    for request in &wanted {
        assert!(request.send(&client), "{}", request.name);
    }
    assert_eq!(server.terminate().code(), Some(0));
    let database = Connection::open(options.data().join("kyc.db")).unwrap();
    let done = [
        tally(&database, "SELECT customer_id, count(*) FROM customers GROUP BY 1"),
        tally(&database, "SELECT name, count(*) FROM api_keys GROUP BY 1"),
    ];
    let expected = |path| wanted.iter().filter(move |one| one.path == path).map(|one| (one.name.clone(), 1));
    assert_eq!(done, ["/customers", "/api-keys"].map(|path| expected(path).collect::<BTreeMap<_, _>>()));
    let events = "SELECT action, count(*) FROM audit_events WHERE action LIKE '%.registered' GROUP BY 1";
    let registered = tally(&database, events)["customer.registered"];
    assert_eq!(usize::try_from(registered).unwrap(), done[0].len());
    assert!(wanted.len() >= CYCLES * ANSWERS);
}
