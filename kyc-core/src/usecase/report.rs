//! The report: "how many, how fast, and what did not fit?"

use jiff::civil::Date;

use super::{Kyc, PortFailure};
use crate::domain::actor::Actor;
use crate::domain::fault::Faults;
use crate::domain::permission::{Forbidden, Permission};
use crate::domain::report::{Range, Report};

/// Why there is no report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// The actor may not do this. Nothing was looked up.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The range is none.
    #[error("the range is invalid: {0}")]
    Invalid(Faults),
    /// A port failed.
    #[error(transparent)]
    Failed(#[from] PortFailure),
}

impl Kyc {
    /// The report over the customers registered from `start` to `end`, both days included, UTC.
    ///
    /// # Errors
    /// [`ReportError`].
    pub async fn report(&self, actor: &Actor, start: Date, end: Date) -> Result<Report, ReportError> {
        actor.require(Permission::ReadReport)?;
        let range = Range::new(start, end).map_err(ReportError::Invalid)?;
        let counts = self.ports.store.counts(range).await.map_err(PortFailure::from)?;
        Ok(Report::assemble(range, &counts))
    }
}
