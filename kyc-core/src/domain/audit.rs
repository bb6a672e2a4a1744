//! Audit events, and the chain that shows whether one was edited, removed or moved.

use std::fmt;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::actor::Actor;
use super::document_file::DocumentFile;
use super::field::Field;
use super::ids::{ApiKeyId, ChangesetId, ProviderName, SubjectId, VerificationId};
use super::key_use::KeyUse;
use super::status::{Status, StatusWord};
use super::words::words;

words! {
    /// What was done.
    pub enum Action, "action" {
        /// A customer was registered and the first verification queued.
        CustomerRegistered = "customer.registered",
        /// A customer's data changed.
        CustomerUpdated = "customer.updated",
        /// Personal data of one customer was shown.
        CustomerRead = "customer.read",
        /// Personal data of a page of customers was shown.
        CustomersListed = "customers.listed",
        /// Customers were searched for by personal data.
        CustomersSearched = "customers.searched",
        /// Who has something in common with a customer was shown.
        LinksRead = "customer.links_read",
        /// The end of the relationship was recorded, or taken back.
        RelationshipRecorded = "customer.relationship_recorded",
        /// A customer was put under a legal hold.
        LegalHoldSet = "customer.legal_hold_set",
        /// The legal hold on a customer was lifted.
        LegalHoldLifted = "customer.legal_hold_lifted",
        /// Everything that is held on a customer was shown.
        CustomerExported = "customer.exported",
        /// A customer's data, keys and fingerprints were destroyed.
        CustomerErased = "customer.erased",
        /// The erasure of somebody whom the database does not hold was taken over from the ledger.
        ErasureRemembered = "customer.erasure_remembered",
        /// A provider has forgotten what it held of somebody who was erased.
        ProviderForgot = "provider.forgot",
        /// A provider can't be asked to forget: the operator has to see to it by contract.
        ProviderCantForget = "provider.cant_forget",
        /// A provider has not forgotten yet, and is asked until it has.
        ProviderForgetsLater = "provider.forgets_later",
        /// A file of a customer was stored.
        DocumentAdded = "document.added",
        /// The content of a file was shown.
        DocumentRead = "document.read",
        /// A file of a customer was removed.
        DocumentRemoved = "document.removed",
        /// What is sealed of a customer did not open: it, its key or its place was altered. Nothing was shown.
        DataUnreadable = "data.unreadable",
        /// Another verification was queued.
        VerificationQueued = "verification.queued",
        /// The provider took the submission, or goes on with it.
        VerificationSubmitted = "verification.submitted",
        /// The provider asks the customer to visit a page.
        VerificationCustomerAsked = "verification.customer_asked",
        /// A call of the provider failed and is tried again.
        VerificationDeferred = "verification.deferred",
        /// Nothing had left this machine, so another provider is asked: the event's. Its target is the one before.
        VerificationMoved = "verification.moved",
        /// A provider answered, and a second one is asked before anything is decided.
        VerificationCompleted = "verification.completed",
        /// A verification ended with a decision.
        VerificationDecided = "verification.decided",
        /// A provider's answer came for a verification that had ended, and changed nothing.
        AnswerIgnored = "verification.answer_ignored",
        /// The provider called back, and the verification is looked at now.
        CallbackReceived = "callback.received",
        /// An API key was made.
        ApiKeyCreated = "api_key.created",
        /// An API key was revoked.
        ApiKeyRevoked = "api_key.revoked",
        /// A version was added to the keyring and is the current one from now on.
        KeysRotated = "keys.rotated",
        /// What was under an older version was put under the current one, for some customers.
        KeysRewrapped = "keys.rewrapped",
        /// A version that nothing needs was removed from the keyring.
        KeysRetired = "keys.retired",
    }
}

/// One event, before the store has given it a place in the chain. It holds names of fields and codes,
/// never personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// When, by the core's clock.
    pub at: Timestamp,
    /// Who, as `role:name`.
    pub actor: String,
    /// What.
    pub action: Action,
    /// On whom; none where it is no single person.
    pub subject: Option<SubjectId>,
    /// The verification that it concerns.
    pub verification: Option<VerificationId>,
    /// The provider that it concerns.
    pub provider: Option<ProviderName>,
    /// What else it concerns, as `kind:id`, such as `api_key:` and its id.
    pub target: Option<String>,
    /// Why, as codes with spaces between: the cause, the discrepancies, or the class of a failure.
    pub reason: Option<String>,
    /// The status before, in one word.
    pub from: Option<StatusWord>,
    /// The status after, in one word.
    pub to: Option<StatusWord>,
    /// The fields that changed, were shown, or went to the provider.
    pub fields: Vec<Field>,
    /// The request within which it happened.
    pub request_id: Option<String>,
}

impl AuditEvent {
    /// An event with nothing but who, what and when.
    #[must_use]
    pub fn new(actor: &Actor, action: Action, at: Timestamp) -> Self {
        Self {
            at,
            actor: actor.to_string(),
            action,
            subject: None,
            verification: None,
            provider: None,
            target: None,
            reason: None,
            from: None,
            to: None,
            fields: Vec::new(),
            request_id: actor.request().map(ToString::to_string),
        }
    }

    /// On whom.
    #[must_use]
    pub const fn on(mut self, subject: SubjectId) -> Self {
        self.subject = Some(subject);
        self
    }

    /// The verification and its provider.
    #[must_use]
    pub fn of(mut self, verification: VerificationId, provider: &ProviderName) -> Self {
        self.verification = Some(verification);
        self.provider = Some(provider.clone());
        self
    }

    /// The provider that was to be asked before, as `provider:name`.
    #[must_use]
    pub fn away_from(mut self, provider: &ProviderName) -> Self {
        self.target = Some(format!("provider:{provider}"));
        self
    }

    /// The API key that it concerns.
    #[must_use]
    pub fn on_key(mut self, key: ApiKeyId) -> Self {
        self.target = Some(format!("api_key:{key}"));
        self
    }

    /// The file that it concerns.
    #[must_use]
    pub fn on_document(mut self, file: &DocumentFile) -> Self {
        self.target = Some(format!("document:{}", file.id));
        self.about(vec![file.side.field()])
    }

    /// The version of a key of the keyring that it concerns, as `master_key:2`.
    #[must_use]
    pub fn on_version(mut self, of: KeyUse, version: u32) -> Self {
        self.target = Some(format!("{of}_key:{version}"));
        self
    }

    /// Why, in stable words: by their type none can hold what somebody typed.
    #[must_use]
    pub fn because(mut self, words: impl IntoIterator<Item = &'static str>) -> Self {
        let words: Vec<_> = words.into_iter().collect();
        self.reason = (!words.is_empty()).then(|| words.join(" "));
        self
    }

    /// The change of status.
    #[must_use]
    pub const fn moving(mut self, from: Option<Status>, to: Status) -> Self {
        self.from = match from {
            Some(status) => Some(status.word()),
            None => None,
        };
        self.to = Some(to.word());
        self
    }

    /// The fields that it is about.
    #[must_use]
    pub fn about(mut self, fields: Vec<Field>) -> Self {
        self.fields = fields;
        self
    }

    /// The fields as one text, as a store keeps them: words with spaces between.
    #[must_use]
    pub fn fields_text(&self) -> String {
        self.fields.iter().map(|field| field.as_str()).collect::<Vec<_>>().join(" ")
    }
}

/// The hash of an event: 32 bytes of SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AuditHash([u8; 32]);

impl AuditHash {
    /// What stands before the first event.
    pub const ORIGIN: Self = Self([0; 32]);

    /// The hash of the event at `sequence`, after the event whose hash is `self`.
    ///
    /// SHA-256 over: the text `kyc-audit-1`, the hash before, and then every column in the order
    /// sequence, changeset, at, actor, action, subject, verification, provider, target, reason, from, to,
    /// fields, `request_id`. Each column is one byte (0 absent, 1 present), its length in four bytes, and its bytes;
    /// the label and the hash before are columns as well. The sequence is eight bytes; the time is RFC
    /// 3339 text as `jiff` prints it; ids are their sixteen bytes; numbers are big-endian.
    #[must_use]
    pub fn next(self, sequence: u64, changeset: ChangesetId, event: &AuditEvent) -> Self {
        let mut hash = Sha256::new();
        let mut column = |bytes: Option<&[u8]>| match bytes {
            None => hash.update([0]),
            Some(bytes) => {
                hash.update([1]);
                hash.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
                hash.update(bytes);
            }
        };
        column(Some(b"kyc-audit-1"));
        column(Some(&self.0));
        column(Some(&sequence.to_be_bytes()));
        column(Some(&changeset.to_bytes()));
        column(Some(event.at.to_string().as_bytes()));
        column(Some(event.actor.as_bytes()));
        column(Some(event.action.as_str().as_bytes()));
        column(event.subject.map(SubjectId::to_bytes).as_ref().map(<[u8; 16]>::as_slice));
        column(event.verification.map(VerificationId::to_bytes).as_ref().map(<[u8; 16]>::as_slice));
        column(event.provider.as_ref().map(|provider| provider.as_str().as_bytes()));
        column(event.target.as_ref().map(String::as_bytes));
        column(event.reason.as_ref().map(String::as_bytes));
        column(event.from.map(|word| word.as_str().as_bytes()));
        column(event.to.map(|word| word.as_str().as_bytes()));
        column(Some(event.fields_text().as_bytes()));
        column(event.request_id.as_ref().map(String::as_bytes));
        Self(hash.finalize().into())
    }

    /// The bytes, for a store to keep.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }

    /// A hash from the bytes that a store kept.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for AuditHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

/// An event with its place in the chain, as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainedEvent {
    /// 1 for the first event, and then without a gap.
    pub sequence: u64,
    /// The changeset with which it was committed.
    pub changeset: ChangesetId,
    /// The event.
    pub event: AuditEvent,
    /// Its hash, which covers the one before.
    pub hash: AuditHash,
}

/// The first fault of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    /// An event is missing, or out of place.
    #[error("event {expected} is missing or out of place: {found} stands there")]
    OutOfPlace {
        /// The sequence that should stand there.
        expected: u64,
        /// The sequence that does.
        found: u64,
    },
    /// An event, or one before it, was edited.
    #[error("event {sequence} was edited: its hash does not fit")]
    Edited {
        /// The first event that does not fit.
        sequence: u64,
    },
    /// What stands in a column is nothing that was ever committed.
    #[error("event {sequence} can't be read: a column of it holds what was never written there")]
    Unreadable {
        /// The sequence of the event that should stand there.
        sequence: u64,
    },
    /// The hashes fit each other, and not what was signed.
    #[error(
        "the log was written anew: event {size} is not the one that a checkpoint was signed for, so one of \
         the events {} to {size} was changed",
        after + 1
    )]
    Rewritten {
        /// The last event that is known to be as it was signed; 0 where none is.
        after: u64,
        /// The size of the checkpoint.
        size: u64,
    },
    /// More was signed than there is.
    #[error(
        "event {} and those after it are missing: the log ends at event {last}, and a checkpoint was signed \
         for {size}; its end was cut off, or the database is an older copy",
        last + 1
    )]
    Cut {
        /// The last event that is there.
        last: u64,
        /// The size of the newest checkpoint.
        size: u64,
    },
}

/// Walks a chain, a page at a time.
#[derive(Debug, Clone, Copy)]
pub struct ChainWalk {
    sequence: u64,
    head: AuditHash,
}

impl Default for ChainWalk {
    fn default() -> Self {
        Self { sequence: 0, head: AuditHash::ORIGIN }
    }
}

impl ChainWalk {
    /// A walk that goes on after the event at `sequence`, which has the hash `head`.
    #[must_use]
    pub const fn after(sequence: u64, head: AuditHash) -> Self {
        Self { sequence, head }
    }

    /// Checks that `event` is the next one.
    ///
    /// # Errors
    /// [`ChainFault`] names the first event that is not as it was committed.
    pub fn step(&mut self, event: &ChainedEvent) -> Result<(), ChainFault> {
        let expected = self.sequence + 1;
        if event.sequence != expected {
            return Err(ChainFault::OutOfPlace { expected, found: event.sequence });
        }
        let hash = self.head.next(expected, event.changeset, &event.event);
        if hash != event.hash {
            return Err(ChainFault::Edited { sequence: expected });
        }
        self.sequence = expected;
        self.head = hash;
        Ok(())
    }

    /// The sequence of the last event that was checked; 0 before the first.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The hash of the last event that was checked.
    #[must_use]
    pub const fn head(&self) -> AuditHash {
        self.head
    }
}

#[cfg(test)]
mod tests;
