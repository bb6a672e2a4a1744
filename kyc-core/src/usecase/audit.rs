//! Read the audit events: "who did what, and who has seen whom?"

use std::collections::BTreeMap;

use super::sealing::id_fingerprints;
use super::{Kyc, PortFailure};
use crate::domain::actor::Actor;
use crate::domain::audit::ChainedEvent;
use crate::domain::ids::{CustomerId, SubjectId};
use crate::domain::permission::{Forbidden, Permission};
use crate::ports::store::AuditFilter;

/// Which audit events to read.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// Events on this customer.
    pub customer_id: Option<CustomerId>,
    /// The rest of the filter; its subject is found by the customer's id.
    pub filter: AuditFilter,
    /// The last event of the page before.
    pub before: Option<u64>,
    /// The most to return.
    pub limit: u32,
}

/// An event as a reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditView {
    /// The event.
    pub chained: ChainedEvent,
    /// The caller's id of the person, where the person is there.
    pub customer_id: Option<CustomerId>,
}

/// A page of events, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditPage {
    /// The events. With a filter a page may be short, or even empty, and not the last.
    pub items: Vec<AuditView>,
    /// What to ask the next page before; none on the last page.
    pub next: Option<u64>,
}

/// Why events could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {
    /// The actor may not do this. Nothing was looked up.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// A port failed.
    #[error(transparent)]
    Failed(#[from] PortFailure),
}

/// The most events that a page looks at, whatever the filter lets through, so that the cost of a page does
/// not grow with the log (I9).
const LOOKED_AT: u32 = 2000;

impl Kyc {
    /// A page of audit events, newest first. Events hold no personal data, so reading them costs no event.
    ///
    /// # Errors
    /// [`AuditError`].
    pub async fn audit_events(&self, actor: &Actor, query: AuditQuery) -> Result<AuditPage, AuditError> {
        actor.require(Permission::ReadAudit)?;
        let AuditQuery { customer_id, mut filter, before, limit } = query;
        if let Some(id) = &customer_id {
            let Some(subject) = self.subject_of(id).await? else {
                return Ok(AuditPage { items: Vec::new(), next: None });
            };
            filter.subject = Some(subject);
        }
        let store = &self.ports.store;
        let looked_at = store.audit_events_before(filter.subject, before, LOOKED_AT).await;
        let looked_at = looked_at.map_err(PortFailure::from)?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let is_whole = looked_at.len() < usize::try_from(LOOKED_AT).unwrap_or(usize::MAX);
        let last = looked_at.last().map(|event| event.sequence);
        let mut passing = looked_at.into_iter().filter(|event| filter.passes(&event.event));
        let page: Vec<ChainedEvent> = passing.by_ref().take(limit).collect();
        let next = if passing.next().is_some() {
            page.last().map(|event| event.sequence)
        } else {
            last.filter(|_| !is_whole)
        };

        let mut subjects: Vec<_> = page.iter().filter_map(|event| event.event.subject).collect();
        subjects.sort_unstable();
        subjects.dedup();
        let ids = store.customer_ids(&subjects).await.map_err(PortFailure::from)?;
        let ids: BTreeMap<_, _> = ids.into_iter().collect();
        let items = page.into_iter().map(|chained| {
            let customer_id = chained.event.subject.and_then(|subject| ids.get(&subject).cloned());
            AuditView { chained, customer_id }
        });
        Ok(AuditPage { items: items.collect(), next })
    }

    /// Whom events on this customer name, also where the customer was erased: who did it stays to be told.
    async fn subject_of(&self, id: &CustomerId) -> Result<Option<SubjectId>, PortFailure> {
        if let Some(standing) = self.ports.store.standing(id).await? {
            return Ok(Some(standing.row.subject));
        }
        let fingerprints = id_fingerprints(&*self.ports.cipher, id);
        Ok(self.ports.store.erasure(&fingerprints).await?.map(|erasure| erasure.subject))
    }
}
