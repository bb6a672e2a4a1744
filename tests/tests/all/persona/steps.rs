//! The steps of an attempt: what is sent, what is kept, and what is never done twice.

use kyc_core::Secret;
use kyc_core::contract::provider::{Seen, all, submission};
use kyc_core::domain::field::Field;
use kyc_core::domain::ids::{ProviderName, VerificationId};
use kyc_core::ports::IdentityProvider;
use kyc_core::ports::provider::{
    Callback, CallbackError, CallbackNews, Forgotten, Progress, ProviderError, Step, Submission,
};
use kyc_tests::vendor::persona::{ADAS, passed};
use serde_json::json;

use super::*;

/// The adapter with its vendor, whose customers pass at once.
struct Watched {
    provider: PersonaProvider,
    persona: Persona,
}

#[async_trait::async_trait]
impl IdentityProvider for Watched {
    fn name(&self) -> ProviderName {
        self.provider.name()
    }

    fn discloses(&self) -> Vec<Field> {
        self.provider.discloses()
    }

    async fn advance<'a>(
        &self,
        submission: &'a Submission,
        progress: Option<&'a Progress>,
    ) -> Result<Step, ProviderError> {
        self.provider.advance(submission, progress).await
    }

    fn read_callback(&self, callback: &Callback) -> Result<CallbackNews, CallbackError> {
        self.provider.read_callback(callback)
    }

    async fn forget<'a>(
        &self,
        verification: VerificationId,
        progress: Option<&'a Progress>,
    ) -> Result<Forgotten, ProviderError> {
        self.provider.forget(verification, progress).await
    }
}

#[tokio::test]
async fn the_adapter_keeps_the_contract_of_a_provider() {
    let open = || {
        let Attempt { persona, provider, .. } = Attempt::start();
        persona.be_quick();
        Watched { provider, persona }
    };
    all(open, |watched: &Watched| Seen {
        submissions: watched.persona.server().count("POST", "/inquiries"),
        different: watched.persona.inquiries().len(),
    })
    .await;
}

#[tokio::test]
async fn exactly_what_is_disclosed_is_sent_and_the_callers_id_is_not() {
    let mut attempt = Attempt::start();
    attempt.step().await.unwrap();
    let [request] = &*attempt.persona.server().received() else { panic!("one request") };
    assert_eq!(request.header("Persona-Version"), "2025-12-08");
    assert_eq!(request.header("Key-Inflection"), "kebab");
    let submission = submission(1);
    let expected = json!({
        "data": {"attributes": {
            "inquiry-template-id": "itmpl_Test",
            "fields": {
                "name-first": "Ada",
                "name-last": "Lovelace",
                "birthdate": "1990-12-10",
                "email-address": "ada@example.com",
                "phone-number": "+442079460958",
                "address-street-1": "12 St James's Square",
                "address-city": "London",
                "address-postal-code": "SW1Y 4JH",
                "address-country-code": "GB",
            },
        }},
        "meta": {"auto-create-account-reference-id": submission.subject.to_string()},
    });
    assert_eq!(request.json(), expected);
    let disclosed = [Field::Name, Field::Email, Field::PhoneNumber, Field::DateOfBirth, Field::Address];
    assert_eq!(attempt.provider.discloses(), disclosed);
}

#[tokio::test]
async fn each_post_has_a_key_that_its_repeat_has_too() {
    let mut attempt = Attempt::start();
    for _ in 0..2 {
        attempt.progress = None;
        attempt.step().await.unwrap();
    }
    let made = attempt.progress.clone();
    for _ in 0..2 {
        attempt.progress = made.clone();
        attempt.step().await.unwrap();
    }
    let keys: Vec<_> = attempt
        .persona
        .server()
        .received()
        .iter()
        .map(|request| request.header("Idempotency-Key").to_owned())
        .collect();
    let id = submission(1).verification;
    let expected = ["inquiry", "inquiry", "link-1", "link-1"].map(|step| format!("{id}-{step}"));
    assert_eq!(keys, expected);
    assert_eq!(attempt.persona.inquiries().len(), 1);
}

#[tokio::test]
async fn the_inquiry_is_what_callbacks_know_the_verification_by() {
    let mut attempt = Attempt::start();
    let Ok(Step::Save { progress, again_in }) = attempt.step().await else { panic!("saved") };
    assert_eq!(progress.reference().map(|reference| reference.expose().to_owned()), Some(attempt.inquiry()));
    assert_eq!(again_in, Some(std::time::Duration::ZERO));
}

#[tokio::test]
async fn the_link_stays_while_the_inquiry_is_open_and_is_made_once() {
    let mut attempt = Attempt::start();
    attempt.step().await.unwrap();
    let Ok(Step::Ask { link: first, .. }) = attempt.step().await else { panic!("asked") };
    for status in ["created", "pending", "created"] {
        attempt.persona.set(&attempt.inquiry(), status, Vec::new());
        let Ok(Step::Ask { link, progress, again_in: None }) = attempt.step().await else { panic!("asked") };
        assert_eq!(link, first);
        assert!(progress.reference().is_some());
    }
    let path = format!("/inquiries/{}/generate-one-time-link", attempt.inquiry());
    assert_eq!(attempt.persona.server().count("POST", &path), 1);
}

#[tokio::test]
async fn a_link_that_is_about_to_end_is_made_anew_under_another_key() {
    let mut attempt = Attempt::with_link().await;
    let asked = |step| match step {
        Ok(Step::Ask { link, .. }) => link,
        other => panic!("{other:?}"),
    };
    attempt.clock.advance(jiff::SignedDuration::from_secs(23 * 3600 - 1));
    let first: Secret<String> = asked(attempt.step().await);
    attempt.clock.advance(jiff::SignedDuration::from_secs(1));
    let second = asked(attempt.step().await);
    assert_ne!(first, second);
    assert_eq!(asked(attempt.step().await), second);
    let last =
        attempt.persona.server().received().into_iter().rev().find(|one| one.method == "POST").unwrap();
    assert!(last.header("Idempotency-Key").ends_with("-link-2"), "{last:?}");
    assert_eq!(last.json(), json!({"meta": {"expires-in-seconds": 86400}}));
}

#[tokio::test]
async fn what_ended_before_it_had_a_link_is_an_answer() {
    let mut attempt = Attempt::start();
    attempt.step().await.unwrap();
    attempt.persona.set(&attempt.inquiry(), "approved", passed(ADAS));
    assert!(matches!(attempt.step().await, Ok(Step::Done(_))));
}

#[tokio::test]
async fn progress_that_cant_be_read_makes_no_second_inquiry() {
    let mut attempt = Attempt::start();
    for bytes in [&b""[..], b"{}", b"{\"format\":2,\"inquiry\":\"inq_1\"}", b"\xff"] {
        attempt.progress = Progress::new(bytes.to_vec());
        assert_eq!(attempt.step().await, Err(ProviderError::Malformed));
    }
    assert!(attempt.persona.server().received().is_empty());
}

#[tokio::test]
async fn the_vendor_forgets_the_inquiry_and_the_account_and_may_be_asked_again() {
    let attempt = Attempt::with_link().await;
    let id = submission(1).verification;
    for _ in 0..2 {
        let forgotten = attempt.provider.forget(id, attempt.progress.as_ref()).await;
        assert_eq!(forgotten, Ok(Forgotten::Done));
    }
    assert!(attempt.persona.is_redacted(&attempt.inquiry()));
    assert_eq!(attempt.persona.redacted_accounts(), 1);
    assert_eq!(attempt.provider.forget(id, None).await, Ok(Forgotten::Done));
}

#[tokio::test]
async fn nothing_of_the_person_the_key_or_the_link_is_shown() {
    let mut attempt = Attempt::start();
    let mut shown = vec![format!("{:?} {:?}", attempt.provider, config(&attempt.persona))];
    for _ in 0..3 {
        shown.push(format!("{:?}", attempt.step().await));
    }
    attempt.persona.set(&attempt.inquiry(), "approved", passed(ADAS));
    shown.push(format!("{:?} {:?}", attempt.step().await, attempt.progress));
    let shown = shown.concat();
    for secret in [KEY, SECRET, "code=", "inq_0", "Lovelace", "LOVELACE", "1990-12-10", "925076473"] {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
}
