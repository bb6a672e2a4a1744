//! Who shares a fingerprint with another.

use kyc_core::ports::store::Sharing;

use super::{Columns, FromColumns};
use crate::sqlite::fault::Fault;

impl FromColumns for Sharing {
    fn take(columns: &mut Columns<'_>) -> Result<Self, Fault> {
        Ok(Self {
            kind: columns.word()?,
            subject: columns.read()?,
            customer_id: columns.read()?,
            status: columns.status()?,
        })
    }
}
