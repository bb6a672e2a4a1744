//! An identity provider: a vendor, or a system in house, that checks a person.

#![cfg_attr(feature = "mocks", expect(clippy::ref_option_ref, reason = "mockall refers to each argument"))]

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::Secret;
use crate::domain::customer::Customer;
use crate::domain::discrepancy::Discrepancy;
use crate::domain::document_file::DocumentFile;
use crate::domain::field::Field;
use crate::domain::ids::{DocumentId, ProviderName, SubjectId, VerificationId};
use crate::domain::words::words;

/// Checks a person, one step of a verification at a time.
///
/// Between two steps the core keeps the [`Progress`], so that another process can go on where a killed
/// one stopped.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait IdentityProvider: Send + Sync {
    /// The name by which settings, verifications and reports know the provider.
    fn name(&self) -> ProviderName;

    /// The fields of a customer that the adapter sends. They are audited for each submission.
    fn discloses(&self) -> Vec<Field>;

    /// Takes the verification one step further.
    ///
    /// * Without progress the adapter MUST submit; with progress it MUST NOT submit what the progress
    ///   says was submitted.
    /// * A submission MUST be idempotent by [`Submission::verification`]: the call is repeated after a
    ///   time-out, and after the death of the process that made it.
    /// * It MUST return within eight seconds, so that a shutdown need not wait for it.
    /// * [`ProviderError::Unreachable`] MUST mean that no byte of the submission has left this machine: another
    ///   provider may then be asked instead. Where that is in doubt it is [`ProviderError::Transient`].
    /// * What it can't understand MUST be [`Outcome::Unknown`] or [`ProviderError::Malformed`], never
    ///   [`Outcome::Clear`].
    ///
    /// # Errors
    /// [`ProviderError`] says whether to try again, and when. It MUST NOT hold personal data.
    async fn advance<'a>(
        &self,
        submission: &'a Submission,
        progress: Option<&'a Progress>,
    ) -> Result<Step, ProviderError>;

    /// Authenticates a callback of the provider and reads it. Nothing may be read from it before its
    /// signature was compared, in constant time, over the raw body.
    ///
    /// # Errors
    /// [`CallbackError`] where the signature, its age or the body is not right.
    fn read_callback(&self, callback: &Callback) -> Result<CallbackNews, CallbackError>;

    /// Asks the provider to forget what it holds of a verification. `progress` is the last that was kept of it;
    /// there is none where the verification ended at once, or before anything was kept. To be asked again MUST do
    /// no harm.
    ///
    /// # Errors
    /// [`ProviderError`], after which the call is repeated later.
    async fn forget<'a>(
        &self,
        verification: VerificationId,
        progress: Option<&'a Progress>,
    ) -> Result<Forgotten, ProviderError>;
}

/// What goes to a provider: one version of one person's data.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The verification; the idempotency key at the provider.
    pub verification: VerificationId,
    /// Our id of the person, which names nobody.
    pub subject: SubjectId,
    /// The data to check.
    pub customer: Customer,
    /// The pictures of documents, and of the person, that the customer has sent.
    pub documents: Documents,
}

/// The documents of a submission: what there is, and the bytes of each where an adapter asks for them, so that no
/// file lies in memory for a provider that wants none.
#[derive(Clone, Default)]
pub struct Documents {
    files: Vec<DocumentFile>,
    content: Option<Arc<dyn DocumentContent>>,
}

/// Reads the bytes of the documents of one submission.
#[async_trait]
pub trait DocumentContent: Send + Sync {
    /// The whole content of a document.
    ///
    /// # Errors
    /// [`ContentUnavailable`] where it can't be had now.
    async fn read(&self, document: DocumentId) -> Result<Secret<Vec<u8>>, ContentUnavailable>;
}

/// The content of a document can't be had: the store can't be read, or what it keeps does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the content of a document can't be had")]
pub struct ContentUnavailable;

impl From<ContentUnavailable> for ProviderError {
    fn from(_: ContentUnavailable) -> Self {
        Self::Transient
    }
}

impl Documents {
    /// No documents.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// These documents, oldest first, read through `content`.
    #[must_use]
    pub fn new(files: Vec<DocumentFile>, content: Arc<dyn DocumentContent>) -> Self {
        Self { files, content: Some(content) }
    }

    /// What there is, oldest first.
    #[must_use]
    pub fn files(&self) -> &[DocumentFile] {
        &self.files
    }

    /// The whole content of one of them.
    ///
    /// # Errors
    /// [`ContentUnavailable`] where it can't be had now, or is none of them.
    pub async fn read(&self, document: DocumentId) -> Result<Secret<Vec<u8>>, ContentUnavailable> {
        let known = self.files.iter().any(|file| file.id == document);
        match &self.content {
            Some(content) if known => content.read(document).await,
            Some(_) | None => Err(ContentUnavailable),
        }
    }
}

impl fmt::Debug for Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.files).finish()
    }
}

/// Where a verification stands at the provider: the adapter's own bytes (a vendor's ids), sealed by the
/// core before they are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    bytes: Secret<Vec<u8>>,
    reference: Option<Reference>,
}

impl Progress {
    /// The most bytes that progress may hold.
    pub const MAX_BYTES: usize = 4096;

    /// Wraps the adapter's bytes; none where there are more than [`Progress::MAX_BYTES`].
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() <= Self::MAX_BYTES).then(|| Self { bytes: Secret::new(bytes), reference: None })
    }

    /// The same, with the name by which callbacks of the provider speak of the verification. The core keeps a
    /// keyed digest of it, and nothing else.
    #[must_use]
    pub fn known_as(mut self, reference: Reference) -> Self {
        self.reference = Some(reference);
        self
    }

    /// The adapter's bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.bytes.expose()
    }

    /// The name by which callbacks speak of the verification, where they do not use our own id.
    #[must_use]
    pub const fn reference(&self) -> Option<&Reference> {
        self.reference.as_ref()
    }
}

/// A provider's own id of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference(Secret<String>);

impl Reference {
    /// The longest reference, in bytes.
    pub const MAX_BYTES: usize = 256;

    /// Wraps an id; none where it is empty or longer than [`Reference::MAX_BYTES`].
    #[must_use]
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = Secret::new(text.into());
        (1..=Self::MAX_BYTES).contains(&text.expose().len()).then_some(Self(text))
    }

    /// The id.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// What one step came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The provider has it, or a part of it; keep the progress and go on after `again_in`.
    Save {
        /// Where the verification stands.
        progress: Progress,
        /// When to go on, from now. None: when the policy says, less and less often the longer it takes.
        again_in: Option<Duration>,
    },
    /// The customer has to do something on a page of the provider.
    Ask {
        /// Where the verification stands.
        progress: Progress,
        /// The customer's link: a secret, since who has it can act as the customer.
        link: Secret<String>,
        /// When to look again, from now. None: when the policy says.
        again_in: Option<Duration>,
    },
    /// The provider has answered.
    Done(Answer),
}

words! {
    /// What a provider's answer amounts to.
    pub enum Outcome, "outcome" {
        /// Every check passed.
        Clear = "clear",
        /// Something did not fit; the discrepancies say what.
        Consider = "consider",
        /// The evidence could not be used.
        Unusable = "unusable",
        /// The provider said something that the adapter does not know. It verifies nobody.
        Unknown = "unknown",
    }
}

/// A provider's final answer about one verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What it amounts to.
    pub outcome: Outcome,
    /// What did not fit, in our taxonomy.
    pub discrepancies: Vec<Discrepancy>,
    /// The answer as received, at most [`Answer::MAX_RAW_BYTES`]; sealed before it is kept.
    pub raw: Secret<Vec<u8>>,
}

impl Answer {
    /// The most bytes of an answer that are kept; an adapter cuts the rest.
    pub const MAX_RAW_BYTES: usize = 256 * 1024;
    /// The most discrepancies of one answer; an adapter that reads more answers
    /// [`ProviderError::Malformed`].
    pub const MAX_DISCREPANCIES: usize = 64;
}

/// Why a step failed. The class decides what happens next; none holds personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// No connection to it could be made, so that nothing of this call has reached it: another provider may be
    /// asked instead. Where there is none, tried again as [`ProviderError::Transient`].
    #[error("the provider can't be reached")]
    Unreachable,
    /// It did not answer, or not now: a time-out, a broken connection, a 5xx, credentials that the
    /// operator has to mend. Whether it has taken the call is not known. Tried again with growing delays.
    #[error("the provider is unavailable")]
    Transient,
    /// It asks us to slow down. Tried again after its delay; this does not use up a try.
    #[error("the provider asks to slow down")]
    RateLimited {
        /// The delay that it names, where it names one.
        retry_after: Option<Duration>,
    },
    /// Our own cap on its calls is reached: nothing of this call has left this machine. Tried again after the delay;
    /// this does not use up a try, and is no call that counts.
    #[error("our own cap on calls of the provider is reached")]
    HeldBack {
        /// When there is a turn.
        retry_after: Duration,
    },
    /// It will not take this submission, however often it is sent.
    #[error("the provider refused the submission")]
    Refused,
    /// What it answered can't be read. Tried again, since a proxy in between may have answered.
    #[error("the provider's answer could not be read")]
    Malformed,
}

impl ProviderError {
    /// The error without its details.
    #[must_use]
    pub const fn error_class(self) -> ErrorClass {
        match self {
            Self::Unreachable => ErrorClass::Unreachable,
            Self::Transient => ErrorClass::Transient,
            Self::RateLimited { .. } | Self::HeldBack { .. } => ErrorClass::RateLimited,
            Self::Refused => ErrorClass::Refused,
            Self::Malformed => ErrorClass::Malformed,
        }
    }

    /// A stable word for logs, audit and metrics.
    #[must_use]
    pub const fn class(self) -> &'static str {
        self.error_class().as_str()
    }

    /// Whether something of the call may have reached the provider: for all but [`ProviderError::Unreachable`]
    /// and [`ProviderError::HeldBack`].
    #[must_use]
    pub const fn may_have_arrived(self) -> bool {
        match self {
            Self::Unreachable | Self::HeldBack { .. } => false,
            Self::Transient | Self::RateLimited { .. } | Self::Refused | Self::Malformed => true,
        }
    }

    /// Whether it says that the provider is down. One that refuses, or asks to slow down, is not.
    #[must_use]
    pub const fn is_outage(self) -> bool {
        match self {
            Self::Unreachable | Self::Transient | Self::Malformed => true,
            Self::RateLimited { .. } | Self::HeldBack { .. } | Self::Refused => false,
        }
    }
}

words! {
    /// A [`ProviderError`] without its details.
    pub enum ErrorClass, "error class" {
        /// See [`ProviderError::Unreachable`].
        Unreachable = "unreachable",
        /// See [`ProviderError::Transient`].
        Transient = "transient",
        /// See [`ProviderError::RateLimited`].
        RateLimited = "rate_limited",
        /// See [`ProviderError::Refused`].
        Refused = "refused",
        /// See [`ProviderError::Malformed`].
        Malformed = "malformed",
    }
}

/// A callback as it came in, before anybody knows whether it is genuine.
#[derive(Clone)]
pub struct Callback {
    /// Header names and values, in the order received.
    pub headers: Vec<(String, String)>,
    /// The raw body, which the signature covers.
    pub body: Secret<Vec<u8>>,
    /// When it came in.
    pub received_at: Timestamp,
}

impl Callback {
    /// The value of a header, whatever the case of its name. None where it is there twice: of two
    /// signatures nobody can say which one counts.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Some(value),
            (None | Some(_), _) => None,
        }
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Callback({} headers, {} bytes)", self.headers.len(), self.body.expose().len())
    }
}

/// What a genuine callback says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackNews {
    /// The verification that it speaks of.
    pub about: About,
    /// What tells this callback from others of the provider, and is the same when it is sent again.
    pub event: Secret<String>,
    /// The answer, where the callback bears it; none where it only says that there is one to fetch.
    pub answer: Option<Answer>,
}

/// How a callback names a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// By our own id.
    Verification(VerificationId),
    /// By the provider's id, which the progress bears ([`Progress::known_as`]).
    Reference(Reference),
}

/// Why a callback was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// The signature is missing or wrong.
    #[error("the callback's signature is missing or wrong")]
    BadSignature,
    /// The signature is right, and older or newer than the provider's window.
    #[error("the callback's time is outside the accepted window")]
    OutsideWindow,
    /// It is genuine and can't be read.
    #[error("the callback could not be read")]
    Malformed,
    /// The provider sends no callbacks.
    #[error("the provider sends no callbacks")]
    Unsupported,
}

/// What came of asking a provider to forget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgotten {
    /// It has forgotten, or never knew.
    Done,
    /// It can't be asked; the operator has to see to it by contract.
    Unsupported,
}
