//! List customers: "who is waiting, who was verified of late?"

use super::customer::CustomerView;
use super::{Kyc, PortFailure};
use crate::domain::actor::Actor;
use crate::domain::audit::{Action, AuditEvent};
use crate::domain::ids::SubjectId;
use crate::domain::permission::{Forbidden, Permission, Sight};
use crate::ports::store::{CustomerFilter, PageRequest};

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// What to ask the next page after; none on the last page.
    pub next: Option<SubjectId>,
}

/// Why the list could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// The actor may not do this. Nothing was looked up.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// A port failed.
    #[error(transparent)]
    Failed(#[from] PortFailure),
}

impl Kyc {
    /// A page of customers as far as the actor sees them, newest registration first. A read that shows
    /// personal data is audited before it is answered.
    ///
    /// # Errors
    /// [`ListError`].
    pub async fn customers(
        &self,
        actor: &Actor,
        filter: CustomerFilter,
        page: PageRequest,
    ) -> Result<Page<CustomerView>, ListError> {
        actor.require(Permission::ReadCustomers)?;
        // One more than asked for tells whether there is another page.
        let ask = PageRequest { limit: page.limit.saturating_add(1), ..page };
        let mut records = self.ports.store.customers(filter, ask).await.map_err(PortFailure::from)?;
        let asked = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let more = records.len() > asked;
        records.truncate(asked);
        let next = records.last().map(|record| record.row.subject).filter(|_| more);

        let now = self.now();
        // A decision that has run out reads as pending, so such a customer is not among the verified.
        records.retain(|record| filter.passes(record.row.status.at(now)));
        let items = self.views(actor, &records, now).await?;
        if !items.is_empty() && actor.sight() != Sight::Masked {
            self.witness(AuditEvent::new(actor, Action::CustomersListed, now)).await?;
        }
        Ok(Page { items, next })
    }
}
