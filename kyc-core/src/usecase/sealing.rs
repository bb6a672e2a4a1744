//! What is sealed, and where it belongs.

use crate::Secret;
use crate::domain::customer::{Customer, FingerprintKind};
use crate::domain::ids::{CustomerId, SubjectId, VerificationId};
use crate::ports::cipher::{CipherError, Context, DataKey, Sealed};
use crate::ports::store::CustomerRow;
use crate::ports::{Cipher, cipher::Fingerprint};

/// A kind of sealed value, and the row that it stands in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// The data of a version.
    Data(u32),
    /// A verification's progress at the provider.
    Progress(VerificationId),
    /// A verification's link for the customer.
    Link(VerificationId),
    /// A verification's answer.
    Answer(VerificationId),
    /// The answer to a request under an idempotency key, by the digest of its body.
    Recorded([u8; 32]),
    /// A verification's progress, kept until the provider has forgotten.
    Forgetting(VerificationId),
    /// Why the customer must not be erased.
    LegalHold,
}

impl Place {
    /// The context of a value of a person. Data is also bound to the caller's id of the person, which it needs, so
    /// that no edit of the id shows one person under another's.
    pub(super) fn within<T>(
        self,
        subject: SubjectId,
        customer_id: Option<&CustomerId>,
        use_context: impl FnOnce(&Context<'_>) -> T,
    ) -> T {
        let (table, field, row) = match self {
            Self::Data(version) => {
                let id = customer_id.map_or("", CustomerId::as_str);
                ("customer_version", "data", [&version.to_be_bytes()[..], id.as_bytes()].concat())
            }
            Self::Progress(id) => ("verification", "progress", id.to_bytes().to_vec()),
            Self::Link(id) => ("verification", "link", id.to_bytes().to_vec()),
            Self::Answer(id) => ("verification", "answer", id.to_bytes().to_vec()),
            Self::Recorded(body) => ("idempotency", "answer", body.to_vec()),
            Self::Forgetting(id) => ("forgetting", "progress", id.to_bytes().to_vec()),
            Self::LegalHold => ("customer", "legal_hold", Vec::new()),
        };
        use_context(&Context { subject, table, field, row: &row })
    }
}

/// Seals with a customer's data key, and counts the messages of the key in the row, so that the count is
/// written with what was sealed.
pub(super) fn seal(
    cipher: &dyn Cipher,
    row: &mut CustomerRow,
    place: Place,
    plaintext: &Secret<Vec<u8>>,
) -> Result<Sealed, CipherError> {
    if row.key.messages >= DataKey::MAX_MESSAGES {
        return Err(CipherError::Exhausted);
    }
    row.key.messages += 1;
    let seal = |context: &Context<'_>| cipher.seal(&row.key.wrapped, context, plaintext.expose());
    place.within(row.subject, Some(&row.customer_id), seal)
}

/// Opens what [`seal`] sealed in the same place.
pub(super) fn open(
    cipher: &dyn Cipher,
    row: &CustomerRow,
    place: Place,
    sealed: &Sealed,
) -> Result<Secret<Vec<u8>>, CipherError> {
    let open = |context: &Context<'_>| cipher.open(&row.key.wrapped, context, sealed);
    place.within(row.subject, Some(&row.customer_id), open)
}

/// Opens and reads the data of a version.
pub(super) fn open_customer(
    cipher: &dyn Cipher,
    row: &CustomerRow,
    version: u32,
    data: &Sealed,
) -> Result<Customer, CipherError> {
    let bytes = open(cipher, row, Place::Data(version), data)?;
    Customer::decode(bytes.expose()).map_err(|_| CipherError::Unreadable)
}

/// The fingerprints by which a customer can be found.
pub(super) fn fingerprints(cipher: &dyn Cipher, customer: &Customer) -> Vec<Fingerprint> {
    customer.search_keys().iter().map(|(kind, value)| cipher.fingerprint(*kind, value)).collect()
}

/// The fingerprints of a caller's id by each key, by which an erased customer is known again: that of the
/// current key first.
pub(super) fn id_fingerprints(cipher: &dyn Cipher, id: &CustomerId) -> Vec<Fingerprint> {
    let value = Secret::new(id.as_str().to_owned());
    cipher.fingerprints(FingerprintKind::CustomerId, &value)
}
