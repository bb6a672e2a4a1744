//! Search: "is this person among our customers?"

use std::collections::BTreeMap;

use super::customer::CustomerView;
use super::{Kyc, PortFailure, ROUNDS};
use crate::Secret;
use crate::domain::actor::Actor;
use crate::domain::audit::{Action, AuditEvent};
use crate::domain::customer::{FingerprintKind, SearchForm, SearchKey};
use crate::domain::fault::Faults;
use crate::domain::field::Field;
use crate::domain::permission::{Forbidden, Permission};
use crate::ports::store::CustomerRecord;

/// An exact search by personal data, unparsed.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// What to search for.
    pub form: SearchForm,
    /// What reading the input already found to be wrong.
    pub faults: Faults,
}

impl Search {
    /// The most customers that one search answers.
    pub const MAX_RESULTS: u32 = 100;
}

/// Why nothing was searched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// The actor may not do this. Nothing was looked up.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The input has faults; all of them.
    #[error("the input is invalid: {0}")]
    Invalid(Faults),
    /// A port failed.
    #[error(transparent)]
    Failed(#[from] PortFailure),
}

impl Kyc {
    /// The customers who have exactly this e-mail address, phone number, document number, or name with date
    /// of birth: newest first, at most [`Search::MAX_RESULTS`]. The search is audited before it is answered.
    ///
    /// # Errors
    /// [`SearchError`].
    pub async fn search(&self, actor: &Actor, search: Search) -> Result<Vec<CustomerView>, SearchError> {
        actor.require(Permission::ReadCustomers)?;
        let Search { form, mut faults } = search;
        let key = SearchKey::parse(form);
        let (kind, value) = match key {
            Ok(key) if faults.is_empty() => key,
            Ok(_) => return Err(SearchError::Invalid(faults)),
            Err(more) => {
                faults.merge(more);
                return Err(SearchError::Invalid(faults));
            }
        };
        let found = self.find(kind, &value).await?;
        let now = self.now();
        let views = self.views(actor, &found, now).await?;
        let event = AuditEvent::new(actor, Action::CustomersSearched, now).about(match kind {
            FingerprintKind::Email => vec![Field::Email],
            FingerprintKind::PhoneNumber => vec![Field::PhoneNumber],
            FingerprintKind::DocumentNumber => vec![Field::DocumentNumber],
            FingerprintKind::NameAndBirth => vec![Field::Name, Field::DateOfBirth],
            FingerprintKind::CustomerId => Vec::new(),
        });
        self.witness(event).await?;
        Ok(views)
    }
    /// Those who have this value, whichever version of the fingerprint key theirs was made with: newest
    /// first, at most [`Search::MAX_RESULTS`].
    async fn find(
        &self,
        kind: FingerprintKind,
        value: &Secret<String>,
    ) -> Result<Vec<CustomerRecord>, PortFailure> {
        let cipher = &self.ports.cipher;
        for _ in 0..ROUNDS {
            let current = cipher.current_versions().fingerprint;
            let mut found = BTreeMap::new();
            // The current one comes last: a rotation moves customers to it, so that whoever is not found under
            // an older one any more is found under it.
            for fingerprint in cipher.fingerprints(kind, value).into_iter().rev() {
                let records = self.ports.store.customers_by_fingerprint(fingerprint, Search::MAX_RESULTS);
                found.extend(records.await?.into_iter().map(|record| (record.row.subject, record)));
            }
            // Customers may have been moved to a version that was not looked for.
            if cipher.current_versions().fingerprint == current {
                let limit = usize::try_from(Search::MAX_RESULTS).unwrap_or(usize::MAX);
                return Ok(found.into_values().rev().take(limit).collect());
            }
        }
        Err(PortFailure::Contended)
    }
}
