//! How each ending of a check is read, whatever its words are.

use kyc_core::domain::discrepancy::{Code, Severity};
use kyc_core::ports::provider::{Answer, Outcome, Progress, Step};
use kyc_tests::vendor::files::{front, front_back_and_selfie};
use serde_json::json;

use super::support::{Bench, of};

#[track_caller]
fn check(name: &str, outcome: Outcome, expected: &[(Code, &str)]) {
    let bench = Bench::new();
    let (answer, _) = bench.run(&of(name, front_back_and_selfie()));
    let found: Vec<_> = answer
        .discrepancies
        .iter()
        .map(|found| (found.code, found.provider_code.as_ref().map_or("", |code| code.as_str())))
        .collect();
    assert_eq!((answer.outcome, &found[..]), (outcome, expected), "{name}");
    assert!(
        answer.discrepancies.iter().all(|found| found.severity != Severity::Critical),
        "nothing is certain"
    );
    assert!((1..=Answer::MAX_RAW_BYTES).contains(&answer.raw.expose().len()));
}

#[test]
fn each_ending_is_what_it_means() {
    check("Ada Lovelace", Outcome::Clear, &[]);
    check("Ada Suspected", Outcome::Consider, &[(Code::Tampered, "document:visual_authenticity.fonts")]);
    check(
        "Ada Rejected",
        Outcome::Unusable,
        &[(Code::ImageUnreadable, "document:image_integrity.image_quality")],
    );
    check("Ada Caution", Outcome::Consider, &[(Code::MismatchName, "document:data_comparison.last_name")]);
    check("Ada Withdrawn", Outcome::Consider, &[(Code::NotAllChecksCompleted, "check:withdrawn")]);
    check("Ada Unheard", Outcome::Unknown, &[(Code::UnknownResult, "check:transcended")]);
    check("Ada Strange", Outcome::Unknown, &[(Code::UnknownResult, "document:result")]);
    check(
        "Ada Missing",
        Outcome::Consider,
        &[
            (Code::NotAllChecksCompleted, "check:facial_similarity_photo"),
            (Code::NotAllChecksCompleted, "check:reports"),
        ],
    );
}

#[test]
fn a_check_that_goes_on_is_looked_at_when_the_policy_says() {
    for name in ["Ada Paused", "Ada Reopened", "Ada Awaiting"] {
        let bench = Bench::new();
        let submission = of(name, front());
        let mut progress: Option<Progress> = None;
        for number in 0..8 {
            let Step::Save { progress: next, again_in } = bench.step(&submission, progress.as_ref()).unwrap()
            else {
                panic!("{name} has no end")
            };
            assert_eq!(again_in.is_none(), number >= 2, "{name} {number}");
            progress = Some(next);
        }
        assert_eq!(bench.vendor.holds(), (1, 1, 1));
    }
}

#[test]
fn the_answer_is_kept_as_it_came() {
    let bench = Bench::new();
    let (answer, _) = bench.run(&of("Ada Lovelace", front()));
    let raw: serde_json::Value = serde_json::from_slice(answer.raw.expose()).unwrap();
    assert_eq!(raw["reports"][0]["name"], "document");
}

#[test]
fn the_status_complete_alone_is_no_result() {
    for (result, outcome) in [(json!("clear"), Outcome::Clear), (json!(null), Outcome::Unknown)] {
        let bench = Bench::new();
        bench.vendor.alter(move |request, body| {
            if request.method == "GET" && body["status"] == "complete" {
                body["result"] = result.clone();
            }
        });
        assert_eq!(bench.run(&of("Ada Lovelace", front())).0.outcome, outcome);
    }
}
