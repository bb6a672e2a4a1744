//! Change a customer's data: stored always, and verified again where identity is concerned.

use jiff::Timestamp;

use super::absence::Absence;
use super::change::Change;
use super::customer::{CustomerView, shown_event, shown_fields};
use super::sealing::{Place, seal};
use super::{Answer, Kyc, PortFailure, ROUNDS, Refused};
use crate::domain::actor::Actor;
use crate::domain::audit::{Action, AuditEvent};
use crate::domain::customer::{Customer, CustomerUpdate};
use crate::domain::decision::reverifies;
use crate::domain::fault::Faults;
use crate::domain::field::Field;
use crate::domain::ids::CustomerId;
use crate::domain::permission::{Forbidden, Permission};
use crate::domain::status::Event;
use crate::domain::verification::Cause;
use crate::ports::store::{CustomerRecord, CustomerRow, Guard, Write};

/// A change, unparsed.
#[derive(Debug, Clone, Default)]
pub struct Update {
    /// The id in the input, which must be the customer's own where it is given.
    pub customer_id: Option<String>,
    /// What changes.
    pub update: CustomerUpdate,
    /// The versions to which the change applies; none: to any.
    pub only_versions: Option<Vec<u32>>,
    /// What reading the input already found to be wrong.
    pub faults: Faults,
}

/// A change that was stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Updated {
    /// The customer now.
    pub customer: CustomerView,
    /// Whether a verification was queued, and why.
    pub reverification: Reverification,
}

/// Whether a change has the customer verified again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reverification {
    /// Whether a verification was queued.
    pub required: bool,
    /// Why, or why not.
    pub because: Vec<Because>,
}

/// A reason to verify again, or not to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// This field changed.
    Field(Field),
    /// The customer is rejected for good.
    Final,
}

impl Because {
    /// The reason in one word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Field(field) => field.as_str(),
            Self::Final => "final",
        }
    }
}

/// Why a change was not stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpdateError {
    /// The actor may not do this. Nothing was looked up.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The input has faults; all of them.
    #[error("the input is invalid: {0}")]
    Invalid(Faults),
    /// There is no customer with this id, or no more.
    #[error(transparent)]
    Absent(#[from] Absence),
    /// The customer has another version than those named.
    #[error("the customer has another version by now")]
    VersionMoved,
    /// A port failed.
    #[error(transparent)]
    Failed(#[from] PortFailure),
}

impl Kyc {
    /// Changes a customer's data. A change of name, date of birth, address or document queues a
    /// verification, at the time that the daily limit allows; after a final rejection it queues none.
    ///
    /// # Errors
    /// [`UpdateError`].
    pub async fn update(
        &self,
        actor: &Actor,
        id: &CustomerId,
        request: Update,
    ) -> Result<Updated, UpdateError> {
        actor.require(Permission::WriteCustomers)?;
        for _ in 0..ROUNDS {
            let now = self.now();
            let record = self.found::<_, UpdateError>(id, self.ports.store.customer(id).await).await?;
            if request.only_versions.as_ref().is_some_and(|only| !only.contains(&record.row.version)) {
                return Err(UpdateError::VersionMoved);
            }
            let current = match self.open_latest(&record) {
                Ok(current) => current,
                Err(error) => return Err(self.alarm(actor, record.row.subject, error).await.into()),
            };
            let next = self.read_update(&request, id, &current, now).map_err(UpdateError::Invalid)?;
            match self.store_update(actor, &record, &current, next, now).await {
                Ok(updated) => return Ok(updated),
                Err(Refused::Conflict(_)) => {}
                Err(Refused::Failed(failure)) => return Err(failure.into()),
            }
        }
        Err(PortFailure::Contended.into())
    }

    fn read_update(
        &self,
        request: &Update,
        id: &CustomerId,
        current: &Customer,
        now: Timestamp,
    ) -> Result<Customer, Faults> {
        let mut faults = request.faults.clone();
        if request.customer_id.as_ref().is_some_and(|given| given != id.as_str()) {
            faults.add(
                "/customer_id",
                "customer_id.mismatch",
                "an id can't change; leave it out, or repeat it",
            );
        }
        match CustomerUpdate::apply(request.update.clone(), current, now) {
            Ok(next) => {
                faults.merge(self.policy.missing_fields(&next));
                if faults.is_empty() { Ok(next) } else { Err(faults) }
            }
            Err(more) => {
                faults.merge(more);
                Err(faults)
            }
        }
    }

    async fn store_update(
        &self,
        actor: &Actor,
        record: &CustomerRecord,
        current: &Customer,
        next: Customer,
        now: Timestamp,
    ) -> Result<Updated, Refused> {
        let changed = current.changed_fields(&next);
        if changed.is_empty() {
            return self.store_nothing(actor, &record.row, &next, now).await;
        }

        let mut change = Change::of(&record.row, &record.latest, now);
        let version = record.row.version + 1;
        change.row.version = version;
        let data = seal(&*self.ports.cipher, &mut change.row, Place::Data(version), &next.encode())
            .map_err(|error| Refused::Failed(error.into()))?;
        let subject = change.row.subject;
        change.write(Write::InsertVersion { subject, version, data, at: now });
        if current.search_keys() != next.search_keys() {
            let documents = self.documents_of(&record.row).await.map_err(Refused::Failed)?;
            let fingerprints =
                self.fingerprints(actor, &record.row, &next, &documents).await.map_err(Refused::Failed)?;
            change.write(Write::ReplaceFingerprints { subject, fingerprints });
        }

        let mut event = AuditEvent::new(actor, Action::CustomerUpdated, now);
        let identity = reverifies(&changed);
        let reverification = if identity.is_empty() {
            Reverification { required: false, because: Vec::new() }
        } else if let Ok(status) = record.row.status.after(Event::Queued) {
            let verification =
                self.next_verification(&change.row, Cause::Update, now).await.map_err(Refused::Failed)?;
            change.row.status = status;
            event = event
                .of(verification.id, &verification.provider)
                .because([Cause::Update.as_str()])
                .moving(Some(record.row.status), status);
            change.queue(verification);
            Reverification { required: true, because: identity.into_iter().map(Because::Field).collect() }
        } else {
            Reverification { required: false, because: vec![Because::Final] }
        };
        change.witness(event.about(changed));
        let sight = actor.sight();
        let updated = Updated { customer: CustomerView::of(&change.row, &next, sight, now), reverification };
        change.answer(self, Answer::Updated(&updated), || shown_fields(&next, sight))?;
        change.commit(self).await?;
        if updated.reverification.required {
            self.wake();
        }
        Ok(updated)
    }

    /// Nothing changes, but the answer shows the data, and is kept where the request has an idempotency key.
    async fn store_nothing(
        &self,
        actor: &Actor,
        row: &CustomerRow,
        customer: &Customer,
        now: Timestamp,
    ) -> Result<Updated, Refused> {
        let sight = actor.sight();
        let updated = Updated {
            customer: CustomerView::of(row, customer, sight, now),
            reverification: Reverification { required: false, because: Vec::new() },
        };
        let shown = shown_event(actor, row, customer, sight, now);
        let mut next = row.clone();
        let record =
            self.remember(&mut next, Answer::Updated(&updated), || shown_fields(customer, sight), now);
        if let Some(record) = record.map_err(Refused::Failed)? {
            // Only the use of the data key is counted, which is no change of the customer.
            next.revision += 1;
            let guards = vec![Guard::Revision { subject: row.subject, revision: row.revision }];
            let audit = shown.into_iter().collect();
            let writes = vec![Write::UpdateCustomer(next)];
            self.commit_recorded(now, guards, writes, audit, Some(record)).await?;
        } else if let Some(event) = shown {
            self.witness(event).await.map_err(Refused::Failed)?;
        }
        Ok(updated)
    }
}
