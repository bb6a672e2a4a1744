//! The provider is down for everyone, and comes back: nothing is lost, and nobody is verified meanwhile.

use kyc_core::usecase::Ran;
use kyc_tests::app::TestApp;
use kyc_tests::app::reply::str;

const IDS: [&str; 5] = ["cus-1", "cus-2", "cus-3", "cus-4", "cus-5"];

fn registered(tries: u32) -> TestApp {
    let app = TestApp::builder().policy(|policy| policy.retry.tries = tries).start();
    app.set_provider_down(true);
    for id in IDS {
        app.register(id, "925076473");
    }
    assert_eq!(app.run_due(), [Ran::Deferred; IDS.len()]);
    app
}

#[test]
fn when_the_provider_comes_back_everybody_is_verified() {
    let app = registered(10);
    for failures in 2..5 {
        app.advance(600);
        assert_eq!(app.run_due(), [Ran::Deferred; IDS.len()]);
        for id in IDS {
            assert_eq!(app.standing(id), "pending queued");
            assert_eq!(app.verifications(id)[0]["failures"], failures);
        }
    }
    app.set_provider_down(false);
    app.advance(600);
    app.run_due();
    for id in IDS {
        assert_eq!(app.standing(id), "verified");
    }
    let submissions = app.sandbox().submissions();
    assert_eq!(submissions.len(), IDS.len());
    assert!(submissions.values().all(|count| count.distinct == 1 && count.conflicts == 0));
}

#[test]
fn a_provider_that_stays_down_leaves_everybody_to_a_reviewer() {
    let app = registered(3);
    for id in IDS {
        app.run_to_the_end(id);
        assert_eq!(app.standing(id), "pending in_review");
        assert_eq!(app.status(id).discrepancies(), ["technical.provider_unavailable"]);
        assert_eq!(str(&app.verifications(id)[0]["state"]), "failed");
    }
    app.set_provider_down(false);
    app.advance(86_400);
    assert_eq!(app.run_due(), [], "what was given up is a reviewer's");
    app.call("POST", "/customers/cus-1/verifications").send().expect(202);
    app.run_due();
    assert_eq!(app.standing("cus-1"), "verified");
}

#[test]
fn an_outage_between_two_looks_submits_nothing_twice() {
    let app = TestApp::start();
    app.register_and_run("cus-1", "925-SLOW");
    assert_eq!(app.standing("cus-1"), "pending with_provider");
    app.set_provider_down(true);
    app.advance(2);
    assert_eq!(app.run_due(), [Ran::Deferred]);
    assert_eq!(app.standing("cus-1"), "pending with_provider");
    app.set_provider_down(false);
    app.run_to_the_end("cus-1");
    assert_eq!(app.standing("cus-1"), "verified");
    assert!(app.sandbox().submissions().values().all(|count| count.posts == 1));
}
