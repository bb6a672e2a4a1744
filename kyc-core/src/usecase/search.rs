//! Search: "is this person among our customers?"

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
        let (kind, values) = match key {
            Ok(key) if faults.is_empty() => key,
            Ok(_) => return Err(SearchError::Invalid(faults)),
            Err(more) => {
                faults.merge(more);
                return Err(SearchError::Invalid(faults));
            }
        };
        let found = self.find(kind, &values).await?;
        let now = self.now();
        let views = self.views(actor, &found, now).await?;
        let event = AuditEvent::new(actor, Action::CustomersSearched, now).about(match kind {
            FingerprintKind::Email => vec![Field::Email],
            FingerprintKind::PhoneNumber => vec![Field::PhoneNumber],
            FingerprintKind::Document => vec![Field::DocumentNumber],
            FingerprintKind::NameAndBirth => vec![Field::Name, Field::DateOfBirth],
            FingerprintKind::File | FingerprintKind::CustomerId => Vec::new(),
        });
        self.witness(event).await?;
        Ok(views)
    }

    /// Those who have one of these values, whichever version of the fingerprint key theirs was made with: newest
    /// first, at most [`Search::MAX_RESULTS`].
    async fn find(
        &self,
        kind: FingerprintKind,
        values: &[Secret<String>],
    ) -> Result<Vec<CustomerRecord>, PortFailure> {
        let cipher = &self.ports.cipher;
        for _ in 0..ROUNDS {
            let current = cipher.current_versions().fingerprint;
            let wanted: Vec<_> = values.iter().flat_map(|value| cipher.fingerprints(kind, value)).collect();
            let found = self.ports.store.customers_by_fingerprints(&wanted, Search::MAX_RESULTS).await?;
            // Customers may have been moved to a version that was not looked for.
            if cipher.current_versions().fingerprint == current {
                return Ok(found);
            }
        }
        Err(PortFailure::Contended)
    }
}
