//! Record the end of a relationship: "from when on does the time run for which we keep this?"

use jiff::Timestamp;
use jiff::civil::Date;

use super::absence::Absence;
use super::change::Change;
use super::{Answer, Kyc, PortFailure, ROUNDS, Refused, day};
use crate::Secret;
use crate::domain::actor::Actor;
use crate::domain::audit::{Action, AuditEvent};
use crate::domain::customer::Patch;
use crate::domain::fault::Faults;
use crate::domain::ids::CustomerId;
use crate::domain::permission::{Forbidden, Permission};
use crate::domain::retention::{Beginnings, parse_end};
use crate::ports::store::{CustomerRow, Standing};

/// When a relationship ended, unparsed.
#[derive(Debug, Clone, Default)]
pub struct EndRelationship {
    /// The day, `YYYY-MM-DD`; cleared where the relationship goes on after all.
    pub ended_on: Patch<Secret<String>>,
    /// What reading the input already found to be wrong.
    pub faults: Faults,
}

/// How long a customer's data is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relationship {
    /// The caller's id.
    pub customer_id: CustomerId,
    /// When the relationship ended, where it has.
    pub ended_on: Option<Date>,
    /// From which day on the customer may be erased without overriding the retention.
    pub erasable_from: Date,
}

/// Why an end of a relationship was not recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RelationshipError {
    /// The actor may not do this. Nothing was looked up.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// There is no customer with this id, or no more.
    #[error(transparent)]
    Absent(#[from] Absence),
    /// The input has faults; all of them.
    #[error("the input is invalid: {0}")]
    Invalid(Faults),
    /// A port failed.
    #[error(transparent)]
    Failed(#[from] PortFailure),
}

impl Kyc {
    /// Records when the relationship with a customer ended, or takes it back. What is recorded already is not
    /// written again.
    ///
    /// # Errors
    /// [`RelationshipError`].
    pub async fn end_relationship(
        &self,
        actor: &Actor,
        id: &CustomerId,
        request: EndRelationship,
    ) -> Result<Relationship, RelationshipError> {
        actor.require(Permission::WriteCustomers)?;
        for _ in 0..ROUNDS {
            let now = self.now();
            let standing =
                self.found::<_, RelationshipError>(id, self.ports.store.standing(id).await).await?;
            let ended_on = read(&request, day(now)).map_err(RelationshipError::Invalid)?;
            match self.store_end(actor, &standing, ended_on, now).await {
                Ok(relationship) => return Ok(relationship),
                Err(Refused::Conflict(_)) => {}
                Err(Refused::Failed(failure)) => return Err(failure.into()),
            }
        }
        Err(PortFailure::Contended.into())
    }

    async fn store_end(
        &self,
        actor: &Actor,
        standing: &Standing,
        ended_on: Option<Date>,
        now: Timestamp,
    ) -> Result<Relationship, Refused> {
        let mut change = Change::of(&standing.row, &standing.latest, now);
        change.row.relationship_ended_on = ended_on;
        let erasable_from = self.erasable_from(&change.row).await.map_err(Refused::Failed)?;
        let customer_id = standing.row.customer_id.clone();
        let relationship = Relationship { customer_id, ended_on, erasable_from };
        let answer = Answer::RelationshipRecorded(&relationship);
        if standing.row.relationship_ended_on == ended_on {
            self.remember_alone(&standing.row, answer, now).await?;
            return Ok(relationship);
        }
        let word = if ended_on.is_some() { "ended" } else { "goes_on" };
        change.witness(AuditEvent::new(actor, Action::RelationshipRecorded, now).because([word]));
        change.answer(self, answer, Vec::new)?;
        change.commit(self).await?;
        Ok(relationship)
    }

    /// From which day on a customer may be erased without overriding the retention.
    pub(super) async fn erasable_from(&self, row: &CustomerRow) -> Result<Date, PortFailure> {
        let verifications = self.ports.store.verifications(row.subject).await?;
        Ok(Beginnings::of(row, &verifications).erasable_from(self.policy.retention_years))
    }
}

fn read(request: &EndRelationship, today: Date) -> Result<Option<Date>, Faults> {
    let mut faults = request.faults.clone();
    let ended_on = match &request.ended_on {
        Patch::Set(text) => faults.take("/ended_on", parse_end(text.expose(), today)),
        Patch::Clear => None,
        Patch::Keep => {
            faults.add("/ended_on", "field.required", "the day of the end, or null, is expected");
            None
        }
    };
    if faults.is_empty() { Ok(ended_on) } else { Err(faults) }
}
