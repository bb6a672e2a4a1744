//! The contract of [`IdentityProvider`], as far as it is the same for all.
//!
//! What a vendor's answers mean is each adapter's to test; here stands what the core counts on. An adapter
//! is run against a stand-in for its vendor, which counts the submissions that it was sent.

use jiff::Timestamp;

use super::store::rows::{subject, verification_id};
use crate::Secret;
use crate::domain::customer::{AddressForm, Customer, CustomerForm, DocumentForm};
use crate::ports::IdentityProvider;
use crate::ports::provider::{
    Answer, Callback, CallbackError, Documents, Forgotten, Outcome, Progress, ProviderError, Step, Submission,
};

/// The most steps to an answer before the suite gives up.
const MAX_STEPS: usize = 100;

/// A submission of a made-up customer, verification `n`.
#[must_use]
pub fn submission(n: u32) -> Submission {
    let address = AddressForm {
        line1: Some(text("12 St James's Square")),
        city: Some(text("London")),
        postal_code: Some(text("SW1Y 4JH")),
        country: Some(text("GB")),
        ..AddressForm::default()
    };
    let document = DocumentForm {
        document_type: Some(text("passport")),
        number: Some(text("925076473")),
        issuing_country: Some(text("GB")),
        ..DocumentForm::default()
    };
    let form = CustomerForm {
        name: Some(text("Ada Lovelace")),
        email: Some(text("ada@example.com")),
        phone_number: Some(text("+442079460958")),
        date_of_birth: Some(text("1990-12-10")),
        address: Some(address),
        identity_document: Some(document),
        ..CustomerForm::default()
    };
    let customer = Customer::parse(form, super::store::rows::at(0)).expect("a customer without faults");
    Submission {
        verification: verification_id(n),
        subject: subject(n),
        customer,
        documents: Documents::none(),
    }
}

/// What a vendor has been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// How many submissions, each time that one came.
    pub submissions: usize,
    /// How many that it took for different ones, by the idempotency key or what it has in its place.
    pub different: usize,
}

/// Runs every case. `open` makes an adapter whose vendor answers as usual and has seen nothing yet, and
/// `seen` tells what the vendor of that adapter has been sent.
pub async fn all<P: IdentityProvider>(open: impl Fn() -> P, seen: impl Fn(&P) -> Seen) {
    it_says_who_it_is_and_what_it_discloses(&open());
    a_step_without_progress_submits_once_however_often_it_is_repeated(&open(), &seen).await;
    a_step_with_progress_submits_nothing(&open(), &seen).await;
    an_answer_keeps_its_bounds(&open()).await;
    a_callback_without_a_right_signature_is_refused(&open());
    it_forgets_more_than_once(&open()).await;
}

/// The name stays the same, and what is disclosed is told, each field once.
pub fn it_says_who_it_is_and_what_it_discloses(provider: &dyn IdentityProvider) {
    assert_eq!(provider.name(), provider.name());
    let fields = provider.discloses();
    assert!(!fields.is_empty(), "a provider that is told nothing can confirm nothing");
    let mut once = fields.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), fields.len(), "a field is told twice");
}

/// Without progress the adapter submits, idempotently by the verification: the call is repeated after a
/// time-out, and after the death of the process that made it.
pub async fn a_step_without_progress_submits_once_however_often_it_is_repeated<P: IdentityProvider>(
    provider: &P,
    seen: impl Fn(&P) -> Seen,
) {
    assert_eq!(seen(provider), Seen { submissions: 0, different: 0 }, "the vendor has seen nothing yet");
    for (n, expected) in [(1, 1), (1, 1), (1, 1), (2, 2), (1, 2)] {
        step(provider, &submission(n), None).await;
        assert_eq!(seen(provider).different, expected, "after verification {n}");
    }
}

/// With progress the adapter does not submit what the progress says was submitted, up to the answer.
pub async fn a_step_with_progress_submits_nothing<P: IdentityProvider>(
    provider: &P,
    seen: impl Fn(&P) -> Seen,
) {
    let submission = submission(1);
    let mut progress = progress(step(provider, &submission, None).await);
    for _ in 0..MAX_STEPS {
        let Some(so_far) = progress else { break };
        progress = self::progress(step(provider, &submission, Some(&so_far)).await);
        assert_eq!(seen(provider).submissions, 1, "it was submitted before");
    }
    assert_eq!(seen(provider).submissions, 1);
}

/// An answer has at most so many discrepancies and raw bytes, and is clear only where nothing did not fit.
pub async fn an_answer_keeps_its_bounds(provider: &dyn IdentityProvider) {
    let answer = answer(provider, &submission(1)).await;
    assert!(answer.discrepancies.len() <= Answer::MAX_DISCREPANCIES, "too many discrepancies");
    assert!(answer.raw.expose().len() <= Answer::MAX_RAW_BYTES, "the raw answer is cut");
    assert!(!answer.raw.expose().is_empty(), "the answer is kept as received");
    assert!(
        answer.outcome != Outcome::Clear || answer.discrepancies.is_empty(),
        "clear, and something did not fit"
    );
}

/// Nothing is read from a callback whose signature is missing or wrong.
pub fn a_callback_without_a_right_signature_is_refused(provider: &dyn IdentityProvider) {
    let wrong = "00".repeat(32);
    let headers = ["signature", "x-signature", "x-sha2-signature", "x-signature-sha256", "x-fake-signature"];
    let signed = headers.map(|name| (name.to_owned(), wrong.clone()));
    for headers in [vec![], signed.to_vec()] {
        for body in [&b""[..], b"{}", b"{\"status\":\"approved\",\"outcome\":\"clear\"}", b"\xff\x00"] {
            let body = Secret::new(body.to_vec());
            let callback = Callback { headers: headers.clone(), body, received_at: Timestamp::UNIX_EPOCH };
            let refusal = provider.read_callback(&callback).expect_err("nobody signed it");
            assert!(
                matches!(refusal, CallbackError::BadSignature | CallbackError::Unsupported),
                "its signature is wrong, whatever else is: {refusal}"
            );
        }
    }
}

/// Genuine news is read from a callback, and from the same one with any bit of the body, or any
/// header, altered or gone it is not. For an adapter whose provider sends callbacks.
pub fn a_callback_is_read_as_it_was_signed_or_not_at_all(
    provider: &dyn IdentityProvider,
    genuine: &Callback,
) {
    assert!(provider.read_callback(genuine).is_ok(), "a genuine callback is read");
    let body = genuine.body.expose();
    for bit in 0..8 * body.len() {
        let mut flipped = body.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let altered = Callback { body: Secret::new(flipped), ..genuine.clone() };
        assert_eq!(
            provider.read_callback(&altered),
            Err(CallbackError::BadSignature),
            "bit {bit} of the body"
        );
    }
    for (name, value) in &genuine.headers {
        let doubled = [&genuine.headers[..], &[(name.clone(), value.clone())]].concat();
        let doubled = Callback { headers: doubled, ..genuine.clone() };
        let without = genuine.headers.iter().filter(|(other, _)| other != name).cloned().collect();
        let without = Callback { headers: without, ..genuine.clone() };
        // A header that bears no signature, such as the content type, may come and go.
        if provider.read_callback(&without).is_err() {
            assert_eq!(provider.read_callback(&without), Err(CallbackError::BadSignature), "without {name}");
            assert_eq!(
                provider.read_callback(&doubled),
                Err(CallbackError::BadSignature),
                "with {name} twice"
            );
        }
    }
    let unsigned = Callback { headers: Vec::new(), ..genuine.clone() };
    assert_eq!(provider.read_callback(&unsigned), Err(CallbackError::BadSignature));
}

/// A request to forget may be repeated, and may name what the provider never knew.
pub async fn it_forgets_more_than_once(provider: &dyn IdentityProvider) {
    step(provider, &submission(1), None).await;
    for n in [1, 1, 2] {
        let outcome = provider.forget(verification_id(n), None).await;
        assert!(matches!(outcome, Ok(Forgotten::Done | Forgotten::Unsupported)), "{outcome:?}");
    }
}

fn text<T: From<String>>(text: &str) -> T {
    text.to_owned().into()
}

/// One step; a provider that asks to slow down is asked again at once, since the suite has no clock.
async fn step(provider: &dyn IdentityProvider, submission: &Submission, progress: Option<&Progress>) -> Step {
    for _ in 0..MAX_STEPS {
        match provider.advance(submission, progress).await {
            Ok(step) => return step,
            Err(ProviderError::RateLimited { .. } | ProviderError::HeldBack { .. }) => {}
            Err(error) => panic!("a step of a vendor that answers as usual failed: {error}"),
        }
    }
    panic!("the vendor asks to slow down without end")
}

async fn answer(provider: &dyn IdentityProvider, submission: &Submission) -> Answer {
    let mut progress: Option<Progress> = None;
    for _ in 0..MAX_STEPS {
        match step(provider, submission, progress.as_ref()).await {
            Step::Done(answer) => return answer,
            Step::Save { progress: so_far, .. } | Step::Ask { progress: so_far, .. } => {
                progress = Some(so_far);
            }
        }
    }
    panic!("no answer after {MAX_STEPS} steps")
}

fn progress(step: Step) -> Option<Progress> {
    match step {
        Step::Save { progress, .. } | Step::Ask { progress, .. } => Some(progress),
        Step::Done(_) => None,
    }
}
