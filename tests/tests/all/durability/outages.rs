//! A provider that goes away in the middle of a thousand verifications: each of them ends decided or before a
//! person, and none is submitted twice, to one provider or to two.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kyc_core::domain::status::{Stage, Status};
use kyc_tests::app::TestApp;
use kyc_tests::app::fleet::Fleet;
use kyc_tests::app::outage::Wire;

const CUSTOMERS: usize = 1000;
const CLIENTS: usize = 4;
/// What becomes of connections to the first provider while customers register: from so many of them on.
const OUTAGE: [(usize, Wire); 8] = [
    (0, Wire::Open),
    (150, Wire::Deaf),
    (300, Wire::Cut),
    (400, Wire::Open),
    (500, Wire::Refused),
    (650, Wire::Open),
    (700, Wire::Deaf),
    (800, Wire::Refused),
];

/// A thousand customers register, with workers at it, while the first provider comes and goes. It is away at the
/// end.
fn outage(providers: &'static [&'static str]) -> (TestApp, Fleet) {
    let fleet = Fleet::new(providers);
    let app = TestApp::builder()
        .fleet(&fleet)
        .workers(32)
        .policy(|policy| {
            policy.retry.tries = 10;
            policy.retry.give_up_after = Duration::from_mins(30);
        })
        .start();
    let registered = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (app, registered) = (&app, &registered);
            scope.spawn(move || {
                for number in (client..CUSTOMERS).step_by(CLIENTS) {
                    // Every fifth has progress that is kept while the provider goes away.
                    let end = if number % 5 == 0 { "-SLOW" } else { "" };
                    app.register(&format!("cus-{number}"), &format!("{number}{end}"));
                    registered.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for (from, wire) in OUTAGE {
            while registered.load(Ordering::SeqCst) < from {
                std::thread::yield_now();
            }
            fleet.set(providers[0], wire);
            // Else the first failures would have it asked no more, and the rest of the outage would meet
            // nobody. Leases run out under their workers, too.
            app.advance(60);
        }
    });
    (app, fleet)
}

/// Goes on in time until nothing is open any more. The time stands still while a worker is at it.
fn run_to_the_end(app: &TestApp) {
    for _ in 0..1_000_000 {
        let Some(due) = app.block_on(app.kyc().next_due()).unwrap() else { return };
        if due > app.now() {
            app.set_time(due.saturating_add(Duration::from_mins(2)).unwrap());
        }
        app.block_on(app.kyc().run_due_verifications(100)).unwrap();
    }
    panic!("verifications stay open");
}

/// How many customers ended how, by status and provider.
fn ends(app: &TestApp) -> BTreeMap<(&'static str, String), usize> {
    let ledger = app.ledger();
    assert_eq!(ledger.customers.len(), CUSTOMERS);
    let mut ends = BTreeMap::new();
    for record in ledger.customers {
        let end = match record.row.status {
            Status::Verified { .. } => "verified",
            Status::Pending(Stage::InReview) => "in review",
            other @ (Status::Pending(_) | Status::Rejected { .. }) => panic!("{other:?}"),
        };
        *ends.entry((end, record.latest.provider.to_string())).or_default() += 1;
    }
    ends
}

fn count(ends: &BTreeMap<(&'static str, String), usize>, end: &str, provider: &str) -> usize {
    let found = ends.iter().find(|((other, by), _)| *other == end && by == provider);
    found.map_or(0, |(_, count)| *count)
}

#[test]
fn a_provider_that_comes_back_has_everybody_verified_and_submitted_once() {
    let (app, fleet) = outage(&["first"]);
    fleet.set("first", Wire::Open);
    run_to_the_end(&app);
    assert_eq!(count(&ends(&app), "verified", "first"), CUSTOMERS);
    fleet.check_submissions();
    let submissions = fleet.submissions("first");
    assert_eq!(submissions.values().filter(|count| count.distinct == 1).count(), CUSTOMERS);
    assert!(submissions.values().any(|count| count.posts > 1), "an answer was lost, and asked for again");
}

#[test]
fn a_provider_that_never_comes_back_leaves_the_rest_to_people() {
    let (app, fleet) = outage(&["first"]);
    run_to_the_end(&app);
    let ends = ends(&app);
    let (verified, in_review) = (count(&ends, "verified", "first"), count(&ends, "in review", "first"));
    assert_eq!(verified + in_review, CUSTOMERS, "{ends:?}");
    assert!(verified > 0 && in_review > 0, "{ends:?}");
    fleet.check_submissions();
}

#[test]
fn a_second_provider_takes_over_whom_the_first_was_never_told_of() {
    let (app, fleet) = outage(&["first", "second"]);
    run_to_the_end(&app);
    let ends = ends(&app);
    assert_eq!(ends.values().sum::<usize>(), CUSTOMERS);
    // Whom the second was given is verified; before a person is only whom the first may have taken.
    assert_eq!(count(&ends, "in review", "second"), 0, "{ends:?}");
    assert!(count(&ends, "verified", "second") > 0 && count(&ends, "in review", "first") > 0, "{ends:?}");
    fleet.check_submissions();
    let moved = app.get("/audit-events?action=verification.moved&limit=1").expect(200).json;
    assert_eq!(moved["items"][0]["provider"], "second");
    assert_eq!(moved["items"][0]["target"], "provider:first");
    let providers = app.get("/providers").expect(200).json;
    assert_eq!(providers["items"][1]["state"], "available");
    assert_eq!(providers["items"][1]["failures"], 0);
    assert!(providers["items"][0]["failures"].as_u64().unwrap() > 0);
}
