//! What is sealed, and where it belongs.

use jiff::Timestamp;

use crate::Secret;
use crate::domain::customer::{Customer, FingerprintKind};
use crate::domain::document_file::{DocumentFile, FileDigest, MediaType, Side};
use crate::domain::ids::{CustomerId, DocumentId, SubjectId, VerificationId};
use crate::ports::cipher::{CipherError, Context, DataKey, Sealed};
use crate::ports::store::{CustomerRow, DocumentRow};
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
    /// A part of a file: which file, the how manyeth part, and whether it is the last, so that none can be moved,
    /// dropped, doubled or taken from elsewhere.
    Chunk { document: DocumentId, index: u32, is_last: bool },
    /// The digest of a file, bound to all that is said of the file in the clear.
    FileDigest { document: DocumentId, side: Side, media_type: MediaType, size: u64, created_at: Timestamp },
}

impl Place {
    /// Where a file's digest belongs.
    pub(super) const fn digest_of(file: &DocumentFile) -> Self {
        let DocumentFile { id: document, side, media_type, size, created_at } = *file;
        Self::FileDigest { document, side, media_type, size, created_at }
    }

    /// The context of a value of a person. Data and files are also bound to the caller's id of the person, which they
    /// need, so that no edit of the id shows one person under another's.
    pub(super) fn within<T>(
        self,
        subject: SubjectId,
        customer_id: Option<&CustomerId>,
        use_context: impl FnOnce(&Context<'_>) -> T,
    ) -> T {
        let id = customer_id.map_or("", CustomerId::as_str);
        let (table, field, row) = match self {
            Self::Data(version) => {
                ("customer_version", "data", [&version.to_be_bytes()[..], id.as_bytes()].concat())
            }
            Self::Progress(id) => ("verification", "progress", id.to_bytes().to_vec()),
            Self::Link(id) => ("verification", "link", id.to_bytes().to_vec()),
            Self::Answer(id) => ("verification", "answer", id.to_bytes().to_vec()),
            Self::Recorded(body) => ("idempotency", "answer", body.to_vec()),
            Self::Forgetting(id) => ("forgetting", "progress", id.to_bytes().to_vec()),
            Self::LegalHold => ("customer", "legal_hold", Vec::new()),
            Self::Chunk { document, index, is_last } => {
                let part = [&document.to_bytes()[..], &index.to_be_bytes(), &[u8::from(is_last)]].concat();
                ("document", "chunk", [&part[..], id.as_bytes()].concat())
            }
            Self::FileDigest { document, side, media_type, size, created_at } => {
                // What has one length comes first, and no word holds a zero.
                let fixed = [
                    &document.to_bytes()[..],
                    &size.to_be_bytes(),
                    &created_at.as_nanosecond().to_be_bytes(),
                ];
                let words = [side.as_str(), media_type.as_str(), id].join("\0");
                ("document", "digest", [&fixed.concat()[..], words.as_bytes()].concat())
            }
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
    seal_bytes(cipher, row, place, plaintext.expose())
}

/// The same for bytes that others hold.
pub(super) fn seal_bytes(
    cipher: &dyn Cipher,
    row: &mut CustomerRow,
    place: Place,
    plaintext: &[u8],
) -> Result<Sealed, CipherError> {
    if row.key.messages >= DataKey::MAX_MESSAGES {
        return Err(CipherError::Exhausted);
    }
    row.key.messages += 1;
    let seal = |context: &Context<'_>| cipher.seal(&row.key.wrapped, context, plaintext);
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

/// The digests of a customer's files, in their order.
pub(super) fn open_digests(
    cipher: &dyn Cipher,
    row: &CustomerRow,
    documents: &[DocumentRow],
) -> Result<Vec<FileDigest>, CipherError> {
    let digest = |document: &DocumentRow| {
        let opened = open(cipher, row, Place::digest_of(&document.file), &document.digest)?;
        let bytes = opened.expose().as_slice().try_into().map_err(|_| CipherError::Unreadable)?;
        Ok(FileDigest::from_bytes(bytes))
    };
    documents.iter().map(digest).collect()
}

/// All fingerprints by which a customer can be found, each once: those of the data, and those of the files. A store
/// keeps them as a whole, so whoever writes some writes all.
pub(super) fn fingerprints(
    cipher: &dyn Cipher,
    customer: &Customer,
    files: &[FileDigest],
) -> Vec<Fingerprint> {
    let of_data = customer.search_keys();
    let of_files = files.iter().map(|digest| (FingerprintKind::File, digest.to_hex()));
    let all = of_data.into_iter().chain(of_files);
    let mut all: Vec<_> = all.map(|(kind, value)| cipher.fingerprint(kind, &value)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The fingerprints of a caller's id by each key, by which an erased customer is known again: that of the
/// current key first.
pub(super) fn id_fingerprints(cipher: &dyn Cipher, id: &CustomerId) -> Vec<Fingerprint> {
    let value = Secret::new(id.as_str().to_owned());
    cipher.fingerprints(FingerprintKind::CustomerId, &value)
}
