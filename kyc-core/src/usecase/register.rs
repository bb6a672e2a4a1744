//! Register a customer: "who is this, and please verify them".

use super::change::differences;
use super::customer::{CustomerView, shown_fields};
use super::sealing::{Place, fingerprints, id_fingerprints, seal};
use super::{Answer, Kyc, PortFailure, Refused};
use crate::domain::actor::Actor;
use crate::domain::audit::{Action, AuditEvent};
use crate::domain::customer::{Customer, CustomerForm};
use crate::domain::fault::{Faults, Invalid};
use crate::domain::ids::{CustomerId, VerificationId};
use crate::domain::permission::{Forbidden, Permission};
use crate::domain::status::{Stage, Status};
use crate::domain::verification::{Cause, Verification};
use crate::ports::cipher::DataKey;
use crate::ports::store::{Conflict, CustomerRow, Guard, Write};

/// A customer to register, unparsed.
#[derive(Debug, Clone, Default)]
pub struct Register {
    /// The caller's id.
    pub customer_id: Option<String>,
    /// The data.
    pub form: CustomerForm,
    /// What reading the input already found to be wrong. It comes back together with what parsing finds.
    pub faults: Faults,
}

/// Why a customer was not registered. Nothing was stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// The actor may not do this. Nothing was looked up.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The input has faults; all of them.
    #[error("the input is invalid: {0}")]
    Invalid(Faults),
    /// Another customer has the id.
    #[error("the customer id is taken")]
    IdTaken,
    /// The customer who had the id was erased, and it is not given again.
    #[error("the customer who had the id was erased")]
    Erased,
    /// A port failed.
    #[error(transparent)]
    Failed(#[from] PortFailure),
}

impl Kyc {
    /// Registers a customer and queues the first verification. Returns when both are durable.
    ///
    /// # Errors
    /// [`RegisterError`] says what to mend.
    pub async fn register(&self, actor: &Actor, request: Register) -> Result<CustomerView, RegisterError> {
        actor.require(Permission::WriteCustomers)?;
        let now = self.now();
        let (customer_id, customer) = self.read_registration(request).map_err(RegisterError::Invalid)?;

        // Looked at by the store within the commit, so that no erasure can come in between.
        let guard = Guard::NotErased(id_fingerprints(&*self.ports.cipher, &customer_id));
        let subject = self.new_subject(now).map_err(PortFailure::from)?;
        let verification = Verification::queued(
            VerificationId::new(now, self.random().map_err(PortFailure::from)?),
            subject,
            1,
            self.ports.providers.first().name(),
            Cause::Registration,
            now,
            now,
        );
        let key = self.ports.cipher.new_data_key(subject).map_err(PortFailure::from)?;
        let mut row = CustomerRow {
            subject,
            customer_id,
            status: Status::Pending(Stage::Queued),
            version: 1,
            revision: 1,
            key: DataKey { wrapped: key, messages: 0 },
            latest: verification.id,
            registered_at: now,
            updated_at: now,
            decided_at: None,
            relationship_ended_on: None,
            legal_hold: None,
        };
        let data = seal(&*self.ports.cipher, &mut row, Place::Data(1), &customer.encode())
            .map_err(PortFailure::from)?;
        let event = AuditEvent::new(actor, Action::CustomerRegistered, now)
            .on(subject)
            .of(verification.id, &verification.provider)
            .because([Cause::Registration.as_str()])
            .moving(None, row.status)
            .about(customer.present_fields());

        let view = CustomerView::of(&row, &customer, actor.sight(), now);
        let shown = || shown_fields(&customer, actor.sight());
        let record = self.remember(&mut row, Answer::Registered(&view), shown, now)?;
        let fingerprints = fingerprints(&*self.ports.cipher, &customer, &[]);
        let day = row.registered_on();
        let counts = differences(None, (row.status, &[]));
        let mut writes = vec![
            Write::InsertCustomer(row),
            Write::InsertVersion { subject, version: 1, data, at: now },
            Write::ReplaceFingerprints { subject, fingerprints },
            Write::PutVerification(verification),
        ];
        writes.extend(counts.into_iter().map(|(counter, count)| Write::count(day, counter, count)));
        match self.commit_recorded(now, vec![guard], writes, vec![event], record).await {
            Ok(()) => {
                self.wake();
                Ok(view)
            }
            Err(Refused::Conflict(Conflict::CustomerIdTaken)) => Err(RegisterError::IdTaken),
            Err(Refused::Conflict(Conflict::Erased)) => Err(RegisterError::Erased),
            Err(Refused::Conflict(
                Conflict::Revision | Conflict::LeaseLost | Conflict::IdempotencyKeyTaken,
            )) => Err(RegisterError::Failed(PortFailure::Contended)),
            Err(Refused::Failed(failure)) => Err(RegisterError::Failed(failure)),
        }
    }

    fn read_registration(&self, request: Register) -> Result<(CustomerId, Customer), Faults> {
        const ID_REQUIRED: Invalid =
            Invalid::new("field.required", "an id of your own for the customer is expected");
        let Register { customer_id, form, mut faults } = request;
        let id = customer_id.ok_or(ID_REQUIRED).and_then(|text| CustomerId::parse(&text));
        let id = faults.take("/customer_id", id);
        let customer = match Customer::parse(form, self.now()) {
            Ok(customer) => {
                faults.merge(self.policy.missing_fields(&customer));
                Some(customer)
            }
            Err(more) => {
                faults.merge(more);
                None
            }
        };
        match (id, customer) {
            (Some(id), Some(customer)) if faults.is_empty() => Ok((id, customer)),
            (Some(_) | None, Some(_) | None) => Err(faults),
        }
    }
}
