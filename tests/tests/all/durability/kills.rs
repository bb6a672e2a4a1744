//! `kill -9` under load, again and again on the same folder.

mod kept;
mod load;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

use kyc_adapters::clock::SystemClock;
use kyc_adapters::provider::SigningKeys;
use kyc_adapters::sandbox::Sandbox;
use kyc_core::Secret;
use kyc_tests::process::{Options, ServerProcess};
use rusqlite::Connection;
use tokio::runtime::Runtime;

use self::kept::Kept;
use self::load::Load;
use super::options;

const CYCLES: usize = 5;
/// How many answers a process lives for.
const ANSWERS: usize = 40;
const SECRET: &str = "a secret that two sides share for a test";

/// A provider that outlives the server.
struct Provider {
    // Dropped last, since the sandbox is served by it.
    sandbox: Arc<Sandbox>,
    _runtime: Runtime,
}

impl Provider {
    fn start() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let keys = SigningKeys::new(&[Secret::new(SECRET.as_bytes().to_vec())]).unwrap();
        let bound = Sandbox::bind((Ipv4Addr::LOCALHOST, 0), keys, Arc::new(SystemClock));
        let sandbox = Arc::new(runtime.block_on(bound).unwrap());
        let serving = Arc::clone(&sandbox);
        runtime.spawn(async move { serving.serve(std::future::pending()).await });
        Self { sandbox, _runtime: runtime }
    }

    fn of(&self, options: Options) -> Options {
        options
            .with("KYC_PROVIDER", "vendor")
            .with("KYC_PROVIDER_URL", format!("http://{}", self.sandbox.local_addr()))
            .with("KYC_PROVIDER_SECRET", SECRET)
            .with("KYC_PROVIDER_TRIES", "3")
            .with("KYC_PROVIDER_BACKOFF_MS", "20")
    }
}

/// Lets the leases of workers that were killed run out, without half a minute of waiting for each.
fn let_leases_run_out(options: &Options) {
    let database = Connection::open(options.data().join("kyc.db")).unwrap();
    database.execute("UPDATE verifications SET lease_until = 0 WHERE lease_until IS NOT NULL", []).unwrap();
}

#[test]
fn what_was_answered_is_kept_whole_and_what_was_accepted_ends_whenever_the_process_is_killed() {
    let provider = Provider::start();
    let (options, _home) = options();
    let options = provider.of(options);
    let mut answered = BTreeSet::<String>::new();
    for cycle in 0..CYCLES {
        let server = ServerProcess::start(&options);
        let client = server.client();
        for customer_id in &answered {
            let path = format!("/customers/{customer_id}");
            assert_eq!(client.get(&path).expecting(200)["customer_id"], **customer_id);
        }
        let load = Load::start(&server, cycle);
        answered.extend(load.answers(ANSWERS));
        server.kill9();
        answered.extend(load.rest());

        let kept = Kept::read(&options.data());
        kept.assert_whole();
        assert_eq!(answered.difference(&kept.customer_ids()).collect::<Vec<_>>(), [""; 0], "cycle {cycle}");
    }
    assert!(answered.len() >= CYCLES * ANSWERS);

    let customer_ids = Kept::read(&options.data()).customer_ids();
    let_leases_run_out(&options);
    let server = ServerProcess::start(&options);
    server.client().settle(&customer_ids);
    assert_eq!(server.terminate().code(), Some(0));
    let kept = Kept::read(&options.data());
    kept.assert_whole();
    kept.assert_ended();
    kept.assert_submitted_once(&provider.sandbox.submissions());
}
