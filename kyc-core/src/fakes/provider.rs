//! An identity provider that answers from a script.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::lock;
use crate::Secret;
use crate::domain::customer::Customer;
use crate::domain::discrepancy::Discrepancy;
use crate::domain::document_file::Side;
use crate::domain::field::Field;
use crate::domain::ids::{ProviderName, SubjectId, VerificationId};
use crate::ports::IdentityProvider;
use crate::ports::provider::{
    Answer, Callback, CallbackError, CallbackNews, Forgotten, Outcome, Progress, ProviderError, Step,
    Submission,
};

const SIGNATURE: &str = "x-fake-signature";
const SIGNED_AT: &str = "x-fake-signed-at";

/// What the provider was sent.
#[derive(Debug, Clone)]
pub struct Submitted {
    /// The verification; the idempotency key.
    pub verification: VerificationId,
    /// Of whom.
    pub subject: SubjectId,
    /// The data, as last sent.
    pub customer: Customer,
    /// How often it was sent: more than once after a failure.
    pub times: usize,
}

/// A provider that takes its answers from a script, in order, and answers clear where there is none.
///
/// A call without progress counts as a submission, also where the script has it fail: after a time-out
/// nobody knows whether the provider has it. Only one that is [`ProviderError::Unreachable`] has not arrived.
///
/// ```
/// use kyc_core::fakes::FakeProvider;
/// use kyc_core::ports::provider::{Outcome, ProviderError};
///
/// let provider = FakeProvider::new();
/// provider.answer_with(Err(ProviderError::Transient));
/// provider.answer_with(Ok(FakeProvider::done(Outcome::Consider, vec![])));
/// assert_eq!(provider.left_in_script(), 2);
/// assert!(provider.submissions().is_empty());
/// ```
#[derive(Debug, Clone)]
pub struct FakeProvider {
    name: ProviderName,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    script: VecDeque<Result<Step, ProviderError>>,
    /// What every call comes to that the script has no answer for, in place of a clear one.
    down: Option<ProviderError>,
    submissions: Vec<Submitted>,
    steps: usize,
    forgets_with: Option<Result<Forgotten, ProviderError>>,
    forgotten: Vec<(VerificationId, Option<Vec<u8>>)>,
    reads: Vec<Side>,
    files: Vec<(Side, Vec<u8>)>,
    /// By the body of the callback that bears it.
    news: HashMap<Vec<u8>, CallbackNews>,
}

impl FakeProvider {
    /// How far the time of a callback's signature may lie from its receipt, either way: five minutes.
    pub const CALLBACK_WINDOW: SignedDuration = SignedDuration::from_mins(5);

    /// A provider named `fake`.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "the name has the right form")]
    #[expect(clippy::expect_used, reason = "the name has the right form")]
    pub fn new() -> Self {
        Self::named(ProviderName::parse("fake").expect("a name of the right form"))
    }

    /// A provider of another name.
    #[must_use]
    pub fn named(name: ProviderName) -> Self {
        Self { name, state: Arc::default() }
    }

    /// Puts what the next unscripted call of [`IdentityProvider::advance`] comes to at the script's end.
    pub fn answer_with(&self, answer: Result<Step, ProviderError>) {
        lock(&self.state).script.push_back(answer);
    }

    /// Has every call fail that the script has no answer for, until there is no error any more.
    pub fn fail_with(&self, error: Option<ProviderError>) {
        lock(&self.state).down = error;
    }

    /// A step that ends the verification.
    #[must_use]
    pub fn done(outcome: Outcome, discrepancies: Vec<Discrepancy>) -> Step {
        Step::Done(answer(outcome, discrepancies))
    }

    /// A step that asks to look again.
    #[must_use]
    pub fn save(again_in: Duration) -> Step {
        Step::Save { progress: progress(), again_in: Some(again_in) }
    }

    /// A step that asks the customer to visit a page.
    #[must_use]
    pub fn ask(link: &str, again_in: Duration) -> Step {
        Step::Ask { progress: progress(), link: Secret::new(link.to_owned()), again_in: Some(again_in) }
    }

    /// How many scripted answers have not been used. A test that ends with some has not run what it says.
    #[must_use]
    pub fn left_in_script(&self) -> usize {
        lock(&self.state).script.len()
    }

    /// What it was sent, a verification once, in the order of the first time.
    #[must_use]
    pub fn submissions(&self) -> Vec<Submitted> {
        lock(&self.state).submissions.clone()
    }

    /// How many verifications it was sent, each counted once.
    #[must_use]
    pub fn distinct_submissions(&self) -> usize {
        lock(&self.state).submissions.len()
    }

    /// How often [`IdentityProvider::advance`] was called.
    #[must_use]
    pub fn steps(&self) -> usize {
        lock(&self.state).steps
    }

    /// What [`IdentityProvider::forget`] comes to from now on, in place of [`Forgotten::Done`].
    pub fn forget_with(&self, answer: Result<Forgotten, ProviderError>) {
        lock(&self.state).forgets_with = Some(answer);
    }

    /// The verifications that it has forgotten, in order.
    #[must_use]
    pub fn forgotten(&self) -> Vec<VerificationId> {
        lock(&self.state).forgotten.iter().map(|(verification, _)| *verification).collect()
    }

    /// The progress that it was given with each of them.
    #[must_use]
    pub fn forgotten_with(&self) -> Vec<Option<Vec<u8>>> {
        lock(&self.state).forgotten.iter().map(|(_, progress)| progress.clone()).collect()
    }

    /// Has it ask for the content of each file of these sides, whenever it is called. By default it asks for none.
    pub fn read_files(&self, sides: &[Side]) {
        lock(&self.state).reads = sides.to_vec();
    }

    /// The files that it was given, in the order in which it asked for them.
    #[must_use]
    pub fn files(&self) -> Vec<(Side, Vec<u8>)> {
        lock(&self.state).files.clone()
    }

    /// A genuine callback, signed and received at `at`, that bears `news`.
    #[must_use]
    pub fn callback(&self, news: CallbackNews, at: Timestamp) -> Callback {
        let mut state = lock(&self.state);
        let body = format!("callback {}", state.news.len() + 1).into_bytes();
        state.news.insert(body.clone(), news);
        let headers = vec![
            (SIGNED_AT.to_owned(), at.to_string()),
            (SIGNATURE.to_owned(), self.signature(&at.to_string(), &body)),
        ];
        Callback { headers, body: Secret::new(body), received_at: at }
    }

    fn signature(&self, signed_at: &str, body: &[u8]) -> String {
        let mut hash = Sha256::new();
        for part in [self.name.as_str().as_bytes(), b"\n", signed_at.as_bytes(), b"\n", body] {
            hash.update(part);
        }
        data_encoding::HEXLOWER.encode(&hash.finalize())
    }
}

impl Default for FakeProvider {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl IdentityProvider for FakeProvider {
    fn name(&self) -> ProviderName {
        self.name.clone()
    }

    fn discloses(&self) -> Vec<Field> {
        vec![Field::Name, Field::DateOfBirth, Field::IdentityDocument]
    }

    async fn advance<'a>(
        &self,
        submission: &'a Submission,
        progress: Option<&'a Progress>,
    ) -> Result<Step, ProviderError> {
        let reads = lock(&self.state).reads.clone();
        for file in submission.documents.files().iter().filter(|file| reads.contains(&file.side)) {
            let content = submission.documents.read(file.id).await?;
            lock(&self.state).files.push((file.side, content.expose().clone()));
        }
        let mut state = lock(&self.state);
        state.steps += 1;
        let otherwise = state.down.map_or_else(|| Ok(Self::done(Outcome::Clear, Vec::new())), Err);
        let result = state.script.pop_front().unwrap_or(otherwise);
        if progress.is_none() && result.as_ref().err() != Some(&ProviderError::Unreachable) {
            let Submission { verification, subject, customer, documents: _ } = submission.clone();
            match state.submissions.iter_mut().find(|sent| sent.verification == verification) {
                Some(sent) => {
                    sent.customer = customer;
                    sent.times += 1;
                }
                None => state.submissions.push(Submitted { verification, subject, customer, times: 1 }),
            }
        }
        result
    }

    fn read_callback(&self, callback: &Callback) -> Result<CallbackNews, CallbackError> {
        let body = callback.body.expose();
        let signed_at = callback.header(SIGNED_AT).ok_or(CallbackError::BadSignature)?;
        if callback.header(SIGNATURE) != Some(&self.signature(signed_at, body)) {
            return Err(CallbackError::BadSignature);
        }
        let signed_at: Timestamp = signed_at.parse().map_err(|_| CallbackError::Malformed)?;
        if callback.received_at.duration_since(signed_at).abs() > Self::CALLBACK_WINDOW {
            return Err(CallbackError::OutsideWindow);
        }
        lock(&self.state).news.get(body).cloned().ok_or(CallbackError::Malformed)
    }

    async fn forget<'a>(
        &self,
        verification: VerificationId,
        progress: Option<&'a Progress>,
    ) -> Result<Forgotten, ProviderError> {
        let mut state = lock(&self.state);
        let answer = state.forgets_with.unwrap_or(Ok(Forgotten::Done))?;
        if answer == Forgotten::Done {
            state.forgotten.push((verification, progress.map(|progress| progress.expose().to_vec())));
        }
        Ok(answer)
    }
}

fn answer(outcome: Outcome, discrepancies: Vec<Discrepancy>) -> Answer {
    let raw = format!("{{\"outcome\":\"{outcome}\"}}").into_bytes();
    Answer { outcome, discrepancies, raw: Secret::new(raw) }
}

#[expect(clippy::expect_used, reason = "the bytes are few enough")]
fn progress() -> Progress {
    Progress::new(b"fake".to_vec()).expect("few enough bytes")
}
