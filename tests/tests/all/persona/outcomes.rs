//! What an inquiry amounts to. Only what is known to be good verifies anybody (I3).

use kyc_core::domain::discrepancy::Code;
use kyc_core::ports::provider::Outcome;
use kyc_tests::vendor::persona::{ADAS, Shown, government_id, passed, verification};
use serde_json::{Value, json};

use super::*;

async fn answer(status: &str, verifications: Vec<Value>) -> Answer {
    let mut attempt = Attempt::with_link().await;
    attempt.persona.set(&attempt.inquiry(), status, verifications);
    attempt.answer().await
}

#[track_caller]
fn assert_says(answer: &Answer, outcome: Outcome, codes: &[Code], what: &str) {
    let found: Vec<_> = answer.discrepancies.iter().map(|found| found.code).collect();
    assert_eq!((answer.outcome, &*found), (outcome, codes), "{what}");
    assert!(answer.discrepancies.iter().all(|found| found.provider.is_some()), "{what}");
    assert!(!answer.raw.expose().is_empty());
}

#[tokio::test]
async fn each_status_of_an_inquiry_has_its_meaning() {
    use Code::{SessionAbandoned, UnknownResult};
    for (status, outcome, codes) in [
        ("approved", Outcome::Clear, &[][..]),
        ("completed", Outcome::Clear, &[]),
        ("declined", Outcome::Consider, &[UnknownResult]),
        ("failed", Outcome::Consider, &[UnknownResult]),
        ("needs_review", Outcome::Consider, &[UnknownResult]),
        ("expired", Outcome::Consider, &[SessionAbandoned]),
        ("ascended", Outcome::Unknown, &[UnknownResult]),
        ("Approved", Outcome::Unknown, &[UnknownResult]),
        ("", Outcome::Unknown, &[UnknownResult]),
    ] {
        assert_says(&answer(status, passed(ADAS)).await, outcome, codes, status);
    }
}

#[tokio::test]
async fn a_completed_inquiry_is_looked_at_twice_since_a_workflow_may_still_decline_it() {
    let mut attempt = Attempt::with_link().await;
    attempt.persona.set(&attempt.inquiry(), "completed", passed(ADAS));
    let Ok(Step::Save { again_in, .. }) = attempt.step().await else { panic!("saved") };
    assert_eq!(again_in, Some(std::time::Duration::from_secs(30)));
    attempt.persona.set(&attempt.inquiry(), "declined", passed(ADAS));
    let Ok(Step::Done(answer)) = attempt.step().await else { panic!("done") };
    assert_eq!(answer.outcome, Outcome::Consider);
}

#[tokio::test]
async fn each_status_of_a_verification_has_its_meaning() {
    use Code::{NotAllChecksCompleted, UnknownResult};
    for (status, outcome, codes) in [
        ("passed", Outcome::Clear, &[][..]),
        ("failed", Outcome::Consider, &[UnknownResult]),
        ("requires_retry", Outcome::Consider, &[NotAllChecksCompleted]),
        ("initiated", Outcome::Consider, &[NotAllChecksCompleted]),
        ("submitted", Outcome::Consider, &[NotAllChecksCompleted]),
        ("skipped", Outcome::Consider, &[NotAllChecksCompleted]),
        ("canceled", Outcome::Consider, &[NotAllChecksCompleted]),
        ("confirmed", Outcome::Consider, &[NotAllChecksCompleted]),
        ("tentatively_passed", Outcome::Consider, &[NotAllChecksCompleted]),
        ("blessed", Outcome::Unknown, &[UnknownResult]),
    ] {
        for approved in ["approved", "completed"] {
            let all =
                vec![government_id("passed", ADAS, &[]), verification("verification/selfie", status, &[])];
            assert_says(&answer(approved, all).await, outcome, codes, status);
        }
    }
    let code = verification("verification/phone-number", "confirmed", &[]);
    let all = vec![government_id("passed", ADAS, &[]), code];
    assert_says(&answer("approved", all).await, Outcome::Clear, &[], "a confirmed phone number");
}

#[tokio::test]
async fn each_status_of_a_check_has_its_meaning_whatever_the_vendor_concluded() {
    for (check, status, outcome, codes) in [
        ("id_tamper_detection", "passed", Outcome::Clear, &[][..]),
        ("id_tamper_detection", "not_applicable", Outcome::Clear, &[]),
        ("id_tamper_detection", "failed", Outcome::Consider, &[Code::Tampered]),
        ("id_blur_detection", "failed", Outcome::Unusable, &[Code::ImageUnreadable]),
        ("id_expired_detection", "failed", Outcome::Consider, &[Code::PolicyDocumentExpired]),
        ("id_aura_detection", "failed", Outcome::Consider, &[Code::UnknownResult]),
        ("id_tamper_detection", "shrugged", Outcome::Unknown, &[Code::UnknownResult]),
    ] {
        for verified in ["passed", "failed"] {
            let id = government_id(verified, ADAS, &[(check, status)]);
            let answer = answer("approved", vec![id]).await;
            if verified == "passed" || !codes.is_empty() {
                assert_says(&answer, outcome, codes, check);
            } else {
                assert_says(&answer, Outcome::Consider, &[Code::UnknownResult], check);
            }
        }
    }
}

#[tokio::test]
async fn what_was_not_seen_to_pass_is_not_clear() {
    let none = answer("approved", Vec::new()).await;
    assert_says(&none, Outcome::Consider, &[Code::NotAllChecksCompleted], "no verification at all");
    let mut nameless = verification("verification/selfie", "passed", &[]);
    nameless["attributes"]["status"] = Value::Null;
    let without_status = answer("approved", vec![government_id("passed", ADAS, &[]), nameless]).await;
    assert_eq!(without_status.outcome, Outcome::Unknown);
}

#[tokio::test]
async fn reports_without_a_decision_go_before_a_person() {
    for (status, outcome, codes) in [
        ("completed", Outcome::Consider, &[Code::NotAllChecksCompleted][..]),
        ("approved", Outcome::Clear, &[]),
    ] {
        let mut attempt = Attempt::with_link().await;
        attempt.persona.set(&attempt.inquiry(), status, passed(ADAS));
        attempt.persona.set_reports(&attempt.inquiry(), 1);
        assert_says(&attempt.answer().await, outcome, codes, status);
    }
}

#[tokio::test]
async fn a_try_that_was_repeated_counts_for_its_fraud_and_not_for_its_blur() {
    let attempt = |checks: &[(&str, &str)], at: &str| {
        let mut first = government_id("requires_retry", ADAS, checks);
        first["id"] = json!("ver_first");
        first["attributes"]["created-at"] = json!(at);
        [vec![first], passed(ADAS)].concat()
    };
    let (before, after) = ("2026-03-15T11:59:00.000Z", "2026-03-15T12:01:00.000Z");
    let blurred = [("id_blur_detection", "failed")];
    let forged = [("id_blur_detection", "failed"), ("id_tamper_detection", "failed")];
    let answered = answer("approved", attempt(&blurred, before)).await;
    assert_says(&answered, Outcome::Clear, &[], "blurred, then passed");
    let answered = answer("approved", attempt(&forged, before)).await;
    assert_says(&answered, Outcome::Consider, &[Code::Tampered], "forged, then passed");
    let answered = answer("approved", attempt(&blurred, after)).await;
    assert_says(&answered, Outcome::Unusable, &[Code::ImageUnreadable], "passed, then blurred");
}

#[tokio::test]
async fn a_genuine_document_of_somebody_else_is_not_the_customers() {
    for (shown, codes) in [
        (ADAS, &[][..]),
        (Shown { first: "Ada King", number: "925-076-473", ..ADAS }, &[]),
        (Shown { last: "BYRON", ..ADAS }, &[Code::MismatchName]),
        (Shown { birthdate: "1990-12-11", ..ADAS }, &[Code::MismatchDateOfBirth]),
        (Shown { number: "925076474", ..ADAS }, &[Code::MismatchDocumentNumber]),
    ] {
        let outcome = if codes.is_empty() { Outcome::Clear } else { Outcome::Consider };
        assert_says(&answer("approved", passed(shown)).await, outcome, codes, shown.number);
    }
}
