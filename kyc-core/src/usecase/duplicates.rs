//! Duplicates: "has another customer what only one should have?"
//!
//! They are looked up when a verification is decided and not when somebody registers: of two customers the one
//! that is decided later sees the other, whatever came between the read and the commit.

use super::sealing::{open_customer, open_digests};
use super::{Kyc, PortFailure, ROUNDS};
use crate::Secret;
use crate::domain::customer::FingerprintKind;
use crate::domain::discrepancy::{Code, Discrepancy};
use crate::domain::ids::SubjectId;
use crate::ports::store::{CustomerRow, Sharing, VerificationRecord};

/// One other customer says as much as a thousand do.
const ENOUGH: u32 = 1;

impl Kyc {
    /// What other customers share with the one who is verified, among what only one should have.
    pub(super) async fn duplicates(
        &self,
        record: &VerificationRecord,
    ) -> Result<Vec<Discrepancy>, PortFailure> {
        let VerificationRecord { verification, row, data } = record;
        let customer = open_customer(&*self.ports.cipher, row, verification.version, data)?;
        let mut keys = customer.search_keys();
        keys.extend(self.file_keys(row).await?);
        keys.retain(|(kind, _)| duplicate(*kind).is_some());
        let mut codes: Vec<_> = self
            .shared(&keys, row.subject, ENOUGH)
            .await?
            .iter()
            .filter_map(|one| duplicate(one.kind))
            .collect();
        codes.sort_unstable();
        codes.dedup();
        Ok(codes.into_iter().map(Discrepancy::of).collect())
    }

    /// What is fingerprinted of a customer's files.
    pub(super) async fn file_keys(
        &self,
        row: &CustomerRow,
    ) -> Result<Vec<(FingerprintKind, Secret<String>)>, PortFailure> {
        let documents = self.documents_of(row).await?;
        let digests = open_digests(&*self.ports.cipher, row, &documents)?;
        Ok(digests.iter().map(|digest| (FingerprintKind::File, digest.to_hex())).collect())
    }

    /// Who else has one of these values, whichever version of the fingerprint key theirs was made with; at most
    /// `limit` for each value and version.
    pub(super) async fn shared(
        &self,
        keys: &[(FingerprintKind, Secret<String>)],
        subject: SubjectId,
        limit: u32,
    ) -> Result<Vec<Sharing>, PortFailure> {
        let cipher = &self.ports.cipher;
        for _ in 0..ROUNDS {
            let current = cipher.current_versions().fingerprint;
            let wanted: Vec<_> =
                keys.iter().flat_map(|(kind, value)| cipher.fingerprints(*kind, value)).collect();
            let sharing = self.ports.store.sharing(&wanted, subject, limit).await?;
            // Customers may have been moved to a version that was not looked for.
            if cipher.current_versions().fingerprint == current {
                return Ok(sharing);
            }
        }
        Err(PortFailure::Contended)
    }
}

/// What it is for two customers to share a value of this kind; none where many may share it.
const fn duplicate(kind: FingerprintKind) -> Option<Code> {
    match kind {
        // Nobody takes the same picture twice, bit for bit.
        FingerprintKind::Document | FingerprintKind::File => Some(Code::DuplicateDocument),
        FingerprintKind::NameAndBirth => Some(Code::DuplicatePerson),
        FingerprintKind::Email | FingerprintKind::PhoneNumber | FingerprintKind::CustomerId => None,
    }
}
