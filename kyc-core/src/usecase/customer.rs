//! Read a customer: "what do we hold on this person?"

use jiff::Timestamp;

use super::absence::Absence;
use super::sealing::open_customer;
use super::{Kyc, PortFailure};
use crate::domain::actor::Actor;
use crate::domain::audit::{Action, AuditEvent};
use crate::domain::customer::Customer;
use crate::domain::field::Field;
use crate::domain::ids::{CustomerId, SubjectId};
use crate::domain::permission::{Forbidden, Permission, Sight};
use crate::domain::shown::ShownCustomer;
use crate::domain::status::Status;
use crate::ports::cipher::CipherError;
use crate::ports::store::{CustomerRecord, CustomerRow};

/// A customer as a reader sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerView {
    /// The caller's id.
    pub customer_id: CustomerId,
    /// The data, as far as the reader sees it.
    pub shown: ShownCustomer,
    /// Where the customer stands, at the time of the read.
    pub status: Status,
    /// Counts the changes of the data, from 1.
    pub version: u32,
    /// When the customer was registered.
    pub created_at: Timestamp,
    /// When anything last changed.
    pub updated_at: Timestamp,
}

impl CustomerView {
    pub(super) fn of(row: &CustomerRow, customer: &Customer, sight: Sight, now: Timestamp) -> Self {
        Self {
            customer_id: row.customer_id.clone(),
            shown: ShownCustomer::of(customer, sight),
            status: row.status.at(now),
            version: row.version,
            created_at: row.registered_at,
            updated_at: row.updated_at,
        }
    }
}

/// Why a customer could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CustomerError {
    /// The actor may not do this. Nothing was looked up.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// There is no customer with this id, or no more.
    #[error(transparent)]
    Absent(#[from] Absence),
    /// A port failed.
    #[error(transparent)]
    Failed(#[from] PortFailure),
}

/// How much of a customer is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reveal {
    /// What the role sees.
    AsUsual,
    /// The numbers too, for a role that sees the rest of a person.
    Numbers,
}

impl Kyc {
    /// A customer, as far as the actor sees it. A read that shows personal data is audited before it is
    /// answered.
    ///
    /// # Errors
    /// [`CustomerError`]; [`CustomerError::Forbidden`] also where a role that sees everything masked asks
    /// for the numbers.
    pub async fn customer(
        &self,
        actor: &Actor,
        id: &CustomerId,
        reveal: Reveal,
    ) -> Result<CustomerView, CustomerError> {
        actor.require(Permission::ReadCustomers)?;
        let sight = match (reveal, actor.sight()) {
            (Reveal::AsUsual, sight) => sight,
            (Reveal::Numbers, Sight::Masked) => return Err(Forbidden.into()),
            (Reveal::Numbers, Sight::Full | Sight::NumbersMasked) => Sight::Full,
        };
        let record = self.found::<_, CustomerError>(id, self.ports.store.customer(id).await).await?;
        let now = self.now();
        let customer = match self.open_latest(&record) {
            Ok(customer) => customer,
            Err(error) => return Err(self.alarm(actor, record.row.subject, error).await.into()),
        };
        self.witness_shown(actor, &record.row, &customer, sight, now).await?;
        Ok(CustomerView::of(&record.row, &customer, sight, now))
    }

    /// Opens the data of a customer's present version.
    pub(super) fn open_latest(&self, record: &CustomerRecord) -> Result<Customer, CipherError> {
        open_customer(&*self.ports.cipher, &record.row, record.row.version, &record.data)
    }

    /// Customers as the actor sees them: all, or none where one of them does not open.
    pub(super) async fn views(
        &self,
        actor: &Actor,
        records: &[CustomerRecord],
        now: Timestamp,
    ) -> Result<Vec<CustomerView>, PortFailure> {
        let mut views = Vec::with_capacity(records.len());
        for record in records {
            match self.open_latest(record) {
                Ok(customer) => views.push(CustomerView::of(&record.row, &customer, actor.sight(), now)),
                Err(error) => return Err(self.alarm(actor, record.row.subject, error).await),
            }
        }
        Ok(views)
    }

    /// Audits that something sealed of a person does not open, and makes the error of it. Where the event can't
    /// be written there is the error all the same: nothing is shown.
    pub(super) async fn alarm(&self, actor: &Actor, subject: SubjectId, error: CipherError) -> PortFailure {
        if matches!(error, CipherError::Unreadable | CipherError::UnknownKeyVersion(_)) {
            let event = AuditEvent::new(actor, Action::DataUnreadable, self.now());
            _ = self.witness(event.on(subject)).await;
        }
        error.into()
    }

    /// Audits that a customer's data is shown; a masked read costs no write.
    pub(super) async fn witness_shown(
        &self,
        actor: &Actor,
        row: &CustomerRow,
        customer: &Customer,
        sight: Sight,
        now: Timestamp,
    ) -> Result<(), PortFailure> {
        match shown_event(actor, row, customer, sight, now) {
            Some(event) => self.witness(event).await,
            None => Ok(()),
        }
    }
}

/// The fields of a customer that a reader of this sight sees.
pub(super) fn shown_fields(customer: &Customer, sight: Sight) -> Vec<Field> {
    if sight == Sight::Masked {
        return Vec::new();
    }
    let mut fields = customer.present_fields();
    fields.retain(|field| sight.shows(*field));
    fields
}

/// The event that a customer's data is shown; none of a masked read.
pub(super) fn shown_event(
    actor: &Actor,
    row: &CustomerRow,
    customer: &Customer,
    sight: Sight,
    now: Timestamp,
) -> Option<AuditEvent> {
    let fields = shown_fields(customer, sight);
    let event = || AuditEvent::new(actor, Action::CustomerRead, now).on(row.subject);
    (!fields.is_empty()).then(|| event().about(fields))
}
