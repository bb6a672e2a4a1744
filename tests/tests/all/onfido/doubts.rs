//! A call that ended in doubt, or a worker that died, never makes a second applicant, file or check.

use jiff::SignedDuration;
use kyc_core::ports::provider::{Outcome, Progress, Step};
use kyc_tests::vendor::files::front_back_and_selfie;
use kyc_tests::vendor::onfido::doubts;

use super::support::{Bench, verification};

/// The steps of a verification with three files.
const STEPS: usize = 6;

#[test]
fn whatever_call_ends_in_doubt_there_is_one_of_each() {
    for fault in doubts() {
        for (method, path) in [
            ("GET", "/v3.6/applicants"),
            ("POST", "/v3.6/applicants"),
            ("GET", "/v3.6/documents"),
            ("POST", "/v3.6/documents"),
            ("POST", "/v3.6/live_photos"),
            ("GET", "/v3.6/checks"),
            ("POST", "/v3.6/checks"),
            ("GET", "/v3.6/reports"),
        ] {
            let bench = Bench::new();
            let submission = verification(1, front_back_and_selfie());
            bench
                .vendor
                .server()
                .fail_where(fault.clone(), move |request| request.method == method && request.path() == path);
            let mut progress: Option<Progress> = None;
            let mut failures = 0;
            let answer = loop {
                match bench.step(&submission, progress.as_ref()) {
                    Ok(Step::Save { progress: next, .. }) => progress = Some(next),
                    Ok(Step::Done(answer)) => break answer,
                    Ok(Step::Ask { .. }) => panic!("nobody is asked"),
                    Err(_) => {
                        failures += 1;
                        bench.vendor.server().heal();
                    }
                }
            };
            assert_eq!(failures, 1, "{method} {path} {fault:?}");
            assert_eq!(answer.outcome, Outcome::Clear);
            assert_eq!(bench.vendor.holds(), (1, 3, 1), "{method} {path} {fault:?}");
        }
    }
}

#[test]
fn a_worker_that_dies_after_any_step_leaves_one_of_each() {
    for dies_after in 0..STEPS {
        let bench = Bench::new();
        let submission = verification(1, front_back_and_selfie());
        let mut progress: Option<Progress> = None;
        let mut taken = 0;
        loop {
            let step = bench.step(&submission, progress.as_ref()).unwrap();
            taken += 1;
            if taken == dies_after + 1 {
                // What it learned is lost with it.
                continue;
            }
            match step {
                Step::Save { progress: next, .. } => progress = Some(next),
                Step::Done(answer) => {
                    assert_eq!(answer.outcome, Outcome::Clear);
                    break;
                }
                Step::Ask { .. } => panic!("nobody is asked"),
            }
        }
        assert_eq!(taken, STEPS + 1);
        assert_eq!(bench.vendor.holds(), (1, 3, 1), "after step {dies_after}");
    }
}

#[test]
fn an_applicant_is_found_again_among_many_newer_ones() {
    let bench = Bench::new();
    let lost = verification(1, front_back_and_selfie());
    bench.step(&lost, None).unwrap();
    // Another two hundred were made meanwhile, which is more than a page.
    for other in 2..202 {
        bench.step(&verification(other, front_back_and_selfie()), None).unwrap();
    }
    assert_eq!(bench.vendor.holds().0, 201);
    bench.step(&lost, None).unwrap();
    assert_eq!(bench.vendor.holds().0, 201);
}

#[test]
fn the_search_for_an_applicant_ends_where_all_are_older() {
    let bench = Bench::new();
    bench.clock.advance(SignedDuration::from_hours(-24));
    for other in 2..152 {
        bench.step(&verification(other, front_back_and_selfie()), None).unwrap();
    }
    bench.clock.advance(SignedDuration::from_hours(24));
    let pages = || bench.vendor.server().count("GET", "/v3.6/applicants");
    let before = pages();
    bench.step(&verification(1, front_back_and_selfie()), None).unwrap();
    assert_eq!(pages() - before, 1);
}

#[test]
fn a_check_that_somebody_made_by_hand_is_not_taken_for_ours() {
    let bench = Bench::new();
    bench.vendor.alter(|request, body| {
        if request.method == "GET" && request.path() == "/v3.6/checks" {
            let other = serde_json::json!({"id": "by-hand", "tags": ["sales"], "status": "complete"});
            body["checks"].as_array_mut().unwrap().push(other);
        }
    });
    let (answer, kept) = bench.run(&verification(1, front_back_and_selfie()));
    assert_eq!(answer.outcome, Outcome::Clear);
    assert_ne!(kept.last().unwrap().reference().unwrap().expose(), "by-hand");
}
