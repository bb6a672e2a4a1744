//! Keys are rotated while everything goes on.
//!
//! ASVS 5.0.0: 11.2.2 (keys are exchanged while the service serves, and nothing stays under the old one).

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use jiff::SignedDuration;
use kyc_adapters::cipher::{Keyring, RingCipher};
use kyc_core::domain::actor::Actor;
use kyc_core::domain::key_use::KeyUse;
use kyc_core::fakes::sample_customer;
use kyc_core::ports::Cipher;
use kyc_core::ports::cipher::{CipherError, WrappedKey};
use kyc_core::ports::store::{CustomerFilter, CustomerReads, CustomerRow, KeyCount, KeyReads, PageRequest};
use kyc_core::usecase::Register;
use kyc_server::operator::Operation;
use kyc_tests::app::TestApp;
use kyc_tests::app::customers::ada;
use serde_json::json;

/// How many register at once.
const LANES: u32 = 64;

const ROTATE: Operation = Operation::RotateKey { fingerprint: false };
const ROTATE_FINGERPRINT: Operation = Operation::RotateKey { fingerprint: true };

fn email(n: u32) -> String {
    format!("ada-{n}@example.com")
}

/// Registers customers `c-0`, `c-1`, … through the use case, as fast as may be.
fn register(app: &TestApp, count: u32) {
    app.block_on(async {
        let lanes: Vec<_> = (0..LANES)
            .map(|lane| {
                let kyc = app.kyc().clone();
                let step = usize::try_from(LANES).unwrap();
                tokio::spawn(async move {
                    for n in (lane..count).step_by(step) {
                        let mut form = sample_customer();
                        form.email = Some(email(n).into());
                        let customer_id = Some(format!("c-{n}"));
                        let request = Register { customer_id, form, ..Register::default() };
                        kyc.register(&Actor::operator(0), request).await.unwrap();
                    }
                })
            })
            .collect();
        for lane in lanes {
            lane.await.unwrap();
        }
    });
}

fn found(app: &TestApp, n: u32) -> String {
    let found = app.post("/customers/search", &json!({"email": email(n)})).expect(200).json;
    let ids = found["items"].as_array().unwrap().iter().map(|one| one["customer_id"].as_str().unwrap());
    ids.collect::<Vec<_>>().join(" ")
}

/// Tells others to end when it goes.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Does something over and over on several threads, each time with another number, while `work` is done.
fn under_load<T>(threads: u32, load: impl Fn(u32, u32) + Sync, work: impl FnOnce() -> T) -> (T, u32) {
    let (ended, times) = (AtomicBool::new(false), AtomicU32::new(0));
    let done = thread::scope(|scope| {
        for thread in 0..threads {
            let (ended, times, load) = (&ended, &times, &load);
            scope.spawn(move || {
                while !ended.load(Ordering::Relaxed) {
                    load(thread, times.fetch_add(1, Ordering::Relaxed));
                }
            });
        }
        // Those who load end with the work, also where it fails.
        let _ends = Ends(&ended);
        work()
    });
    (done, times.into_inner())
}

fn counts(app: &TestApp, of: KeyUse) -> Vec<(u32, u64)> {
    let counts = app.block_on(app.store().key_counts(of)).unwrap();
    counts.into_iter().map(|KeyCount { version, customers }| (version, customers)).collect()
}

fn rows(app: &TestApp) -> Vec<CustomerRow> {
    let mut rows: Vec<CustomerRow> = Vec::new();
    loop {
        let page = PageRequest { after: rows.last().map(|row| row.subject), limit: 1000 };
        let page = app.block_on(app.store().customers(CustomerFilter::default(), page)).unwrap();
        if page.is_empty() {
            return rows;
        }
        rows.extend(page.into_iter().map(|record| record.row));
    }
}

#[test]
fn asvs_11_2_2_ten_thousand_are_wrapped_again_under_load_and_no_request_fails() {
    const COUNT: u32 = 10_000;
    let app = TestApp::start();
    register(&app, COUNT);
    let keyring = app.folder().join("keyring.json");
    let old = Keyring::load(&keyring).unwrap();

    // Whatever is not answered as it should be fails the test.
    let load = |thread: u32, n: u32| {
        let id = format!("c-{}", (n * 7919) % COUNT);
        match thread {
            0 => drop(app.get(&format!("/customers/{id}?reveal=true")).expect(200)),
            1 => drop(app.put(&format!("/customers/{id}"), &json!({"email": email(n + COUNT)})).expect(200)),
            2 => drop(app.post("/customers", &ada(&format!("new-{n}"), "925076473")).expect(201)),
            // Those who are changed again and again are those whom a page meets.
            3 => drop(app.put("/customers/c-5000", &json!({"email": email(n)})).expect(200)),
            _ => drop(app.block_on(app.kyc().run_due_verifications(2)).unwrap()),
        }
    };
    let (said, requests) = under_load(5, load, || app.operate(ROTATE).unwrap());
    assert!(said.iter().any(|line| line.contains("none is under an older one")), "{said:?}");
    assert!(requests > 20, "{requests} requests are no load");

    let rows = rows(&app);
    assert_eq!(counts(&app, KeyUse::Master), [(2, u64::try_from(rows.len()).unwrap())]);
    assert!(rows.len() > usize::try_from(COUNT).unwrap());
    let thief = RingCipher::new(&old).unwrap();
    for row in rows {
        let wrapped = row.key.wrapped;
        assert_eq!(thief.rewrap(&wrapped, row.subject), Err(CipherError::UnknownKeyVersion(2)));
        let renamed = WrappedKey { master_version: 1, ..wrapped };
        assert_eq!(thief.rewrap(&renamed, row.subject), Err(CipherError::Unreadable), "it opens nothing");
    }

    let retire = |version| app.operate(Operation::RetireKey { version, fingerprint: false });
    assert!(retire(1).unwrap_err().contains("try again in 60 seconds"));
    app.advance(60);
    assert!(retire(1).unwrap()[0].contains("nothing needs it"));
    assert_eq!(Keyring::load(&keyring).unwrap().list().len(), 2);
    app.get("/customers/c-1?reveal=true").expect(200);
    let events = app.get("/audit-events?action=keys.retired").expect(200).json;
    assert_eq!(events["items"][0]["target"], "master_key:1");
    assert_eq!(events["items"][0]["actor"], "operator:uid-0");
}

#[test]
fn everybody_is_found_before_during_and_after_a_rotation_of_the_fingerprint_key() {
    const COUNT: u32 = 1000;
    let app = TestApp::start();
    register(&app, COUNT);
    let load = |_, n: u32| {
        let n = (n * 7919) % COUNT;
        assert_eq!(found(&app, n), format!("c-{n}"));
    };
    load(0, 1);
    let (said, searches) = under_load(3, load, || app.operate(ROTATE_FINGERPRINT).unwrap());
    assert!(
        said.iter().any(|line| line.contains("1000 customers were put under fingerprint key 2")),
        "{said:?}"
    );
    assert!(searches > 5, "{searches} searches are no load");
    assert_eq!(counts(&app, KeyUse::Fingerprint), [(2, u64::from(COUNT))]);
    load(0, 2);
    let retire = |version| app.operate(Operation::RetireKey { version, fingerprint: true });
    assert!(retire(1).unwrap_err().contains("fingerprint key 1 stays: "));
    app.advance(60);
    retire(1).unwrap();
    for n in 0..10 {
        load(0, n);
    }
    assert_eq!(counts(&app, KeyUse::Master), [(1, u64::from(COUNT))], "the master key is another matter");
}

#[test]
fn a_version_that_is_needed_or_in_use_or_unknown_stays() {
    let app = TestApp::start();
    register(&app, 3);
    let refused = |version| app.operate(Operation::RetireKey { version, fingerprint: false }).unwrap_err();
    assert_eq!(refused(9), "the keyring holds no master key of version 9");
    assert!(refused(1).contains("in use"));
    // A version that was added by hand, so that everybody is under the one before.
    let file = app.folder().join("keyring.json");
    let entropy = kyc_adapters::entropy::SystemEntropy::new();
    let now = app.now() - SignedDuration::from_hours(1);
    let next = Keyring::load(&file).unwrap().rotated(KeyUse::Master, &entropy, now).unwrap();
    next.prepare(&file).unwrap().put_in_place().unwrap();
    assert!(refused(1).contains("try again in 60 seconds"), "this process has only just taken it up");
    app.advance(60);
    assert!(refused(1).contains("3 customers still need it"));
    let said = app.operate(ROTATE).unwrap().join("\n");
    assert!(said.contains("An earlier rotation to master key 2 had not come to its end"), "{said}");
    assert_eq!(Keyring::load(&file).unwrap().current_master(), 2, "no version was added");
    app.operate(Operation::RetireKey { version: 1, fingerprint: false }).unwrap();
}

#[test]
fn a_keyring_that_was_exchanged_for_another_is_not_taken_up() {
    let app = TestApp::start();
    register(&app, 2);
    let file = app.folder().join("keyring.json");
    let entropy = kyc_adapters::entropy::SystemEntropy::new();
    fs::rename(&file, app.folder().join("own.json")).unwrap();
    Keyring::create(&file, &entropy, app.now()).unwrap();
    let words = app.operate(ROTATE).unwrap_err();
    assert!(words.contains("master key 1 is another key than the one in use"), "{words}");
    app.get("/customers/c-1?reveal=true").expect(200);

    // Nor is one that lacks what is needed.
    fs::rename(app.folder().join("own.json"), &file).unwrap();
    let own = Keyring::load(&file).unwrap();
    let without =
        own.rotated(KeyUse::Master, &entropy, app.now()).unwrap().retired(KeyUse::Master, 1).unwrap();
    without.prepare(&file).unwrap().put_in_place().unwrap();
    let words = app.operate(ROTATE).unwrap_err();
    assert!(words.contains("2 customers are under master key 1, which the keyring does not hold"), "{words}");
    app.get("/customers/c-1?reveal=true").expect(200);
}

#[test]
fn keys_are_listed_with_those_under_them() {
    let app = TestApp::start();
    register(&app, 2);
    app.operate(ROTATE).unwrap();
    let lines = app.operate(Operation::ListKeys).unwrap();
    let cells: Vec<Vec<&str>> = lines.iter().map(|line| line.split_whitespace().collect()).collect();
    let at = "2026-03-15T12:00:00Z";
    assert_eq!(
        cells,
        [
            vec!["KEY", "VERSION", "CREATED", "STATE", "CUSTOMERS"],
            vec!["master", "1", at, "older", "0"],
            vec!["master", "2", at, "current", "2"],
            vec!["fingerprint", "1", at, "current", "2"],
        ]
    );
}
