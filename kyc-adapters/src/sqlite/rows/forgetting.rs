//! A row of what a provider is still to forget.

use kyc_core::domain::ids::{SubjectId, VerificationId};
use kyc_core::ports::cipher::WrappedKey;
use kyc_core::ports::store::Forgetting;

use super::{Columns, FromColumns, provider_name};
use crate::sqlite::fault::Fault;

impl FromColumns for Forgetting {
    fn take(columns: &mut Columns<'_>) -> Result<Self, Fault> {
        Ok(Self {
            verification: VerificationId::from_bytes(columns.array()?),
            subject: SubjectId::from_bytes(columns.array()?),
            provider: provider_name(columns.text()?)?,
            key: WrappedKey { master_version: columns.number()?, bytes: columns.bytes()?.to_vec() },
            progress: columns.optional_sealed()?,
            erased_at: columns.read()?,
            failures: columns.number()?,
            due_at: columns.read()?,
        })
    }
}
