//! Read a customer: "what do we hold on this person?"

use jiff::Timestamp;

use super::sealing::open_customer;
use super::{Kyc, PortFailure};
use crate::domain::actor::Actor;
use crate::domain::audit::{Action, AuditEvent};
use crate::domain::customer::Customer;
use crate::domain::ids::CustomerId;
use crate::domain::status::Status;
use crate::ports::cipher::{CipherError, Sealed};
use crate::ports::store::CustomerRow;

/// A customer as a reader sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerView {
    /// The caller's id.
    pub customer_id: CustomerId,
    /// The data.
    pub customer: Customer,
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
    pub(super) fn of(row: &CustomerRow, customer: Customer, now: Timestamp) -> Self {
        Self {
            customer_id: row.customer_id.clone(),
            customer,
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
    /// There is no customer with this id.
    #[error("there is no customer with this id")]
    NotFound,
    /// A port failed.
    #[error(transparent)]
    Failed(#[from] PortFailure),
}

impl Kyc {
    /// The customer's data, unmasked. The read is audited before it is answered.
    ///
    /// # Errors
    /// [`CustomerError`].
    pub async fn customer(&self, actor: &Actor, id: &CustomerId) -> Result<CustomerView, CustomerError> {
        let record = self.ports.store.customer(id).await.map_err(PortFailure::from)?;
        let record = record.ok_or(CustomerError::NotFound)?;
        let now = self.now();
        let view = self.view(&record.row, &record.data, now).map_err(PortFailure::from)?;
        self.witness(shown(actor, &view, now).on(record.row.subject)).await?;
        Ok(view)
    }

    /// Opens the data of a row's version.
    pub(super) fn view(
        &self,
        row: &CustomerRow,
        data: &Sealed,
        now: Timestamp,
    ) -> Result<CustomerView, CipherError> {
        let customer = open_customer(&*self.ports.cipher, row, row.version, data)?;
        Ok(CustomerView::of(row, customer, now))
    }
}

/// The event of showing one customer's data.
pub(super) fn shown(actor: &Actor, view: &CustomerView, now: Timestamp) -> AuditEvent {
    AuditEvent::new(actor, Action::CustomerRead, now).about(view.customer.present_fields())
}
