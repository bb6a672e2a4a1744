//! Links: "who else has what this customer has?"

use std::collections::BTreeMap;

use super::absence::Absence;
use super::{Kyc, PortFailure};
use crate::domain::actor::Actor;
use crate::domain::audit::{Action, AuditEvent};
use crate::domain::customer::FingerprintKind;
use crate::domain::ids::CustomerId;
use crate::domain::permission::{Forbidden, Permission};
use crate::domain::status::Status;
use crate::domain::words::words;

words! {
    /// What two customers have in common.
    pub enum Shared, "shared value" {
        /// The number of the identity document, with the country that issued it.
        Document = "document",
        /// The name, in whatever case and script, with the date of birth.
        Person = "person",
        /// The e-mail address.
        Email = "email",
        /// The phone number.
        PhoneNumber = "phone_number",
        /// A file, bit for bit.
        File = "file",
    }
}

/// Another customer, and what it has in common with the one who was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The caller's id of the other one.
    pub customer_id: CustomerId,
    /// Where the other one stands, at the time of the read.
    pub status: Status,
    /// What both have, in the order of the vocabulary; never empty.
    pub shares: Vec<Shared>,
}

impl Link {
    /// The most customers that are told; of more the newest are.
    pub const MAX: u32 = 100;
}

/// Why links could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinksError {
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

impl Kyc {
    /// The other customers who have something in common with this one: newest first, at most [`Link::MAX`]. That the
    /// relation was shown is audited before it is answered.
    ///
    /// # Errors
    /// [`LinksError`].
    pub async fn links(&self, actor: &Actor, id: &CustomerId) -> Result<Vec<Link>, LinksError> {
        actor.require(Permission::ReadLinks)?;
        let record = self.found::<_, LinksError>(id, self.ports.store.customer(id).await).await?;
        let subject = record.row.subject;
        let customer = match self.open_latest(&record) {
            Ok(customer) => customer,
            Err(error) => return Err(self.alarm(actor, subject, error).await.into()),
        };
        let now = self.now();
        let mut keys = customer.search_keys();
        keys.extend(match self.file_keys(&record.row).await {
            Ok(files) => files,
            Err(PortFailure::Cipher(error)) => return Err(self.alarm(actor, subject, error).await.into()),
            Err(failure) => return Err(failure.into()),
        });
        let mut links = BTreeMap::new();
        for other in self.shared(&keys, subject, Link::MAX).await? {
            let Some(shared) = shared(other.kind) else { continue };
            let link = links.entry(other.subject).or_insert_with(|| Link {
                customer_id: other.customer_id,
                status: other.status.at(now),
                shares: Vec::new(),
            });
            link.shares.push(shared);
        }
        let most = usize::try_from(Link::MAX).unwrap_or(usize::MAX);
        let mut links: Vec<Link> = links.into_values().rev().take(most).collect();
        for link in &mut links {
            link.shares.sort_unstable();
            link.shares.dedup();
        }
        self.witness(AuditEvent::new(actor, Action::LinksRead, now).on(subject)).await?;
        Ok(links)
    }
}

const fn shared(kind: FingerprintKind) -> Option<Shared> {
    match kind {
        FingerprintKind::Document => Some(Shared::Document),
        FingerprintKind::File => Some(Shared::File),
        FingerprintKind::NameAndBirth => Some(Shared::Person),
        FingerprintKind::Email => Some(Shared::Email),
        FingerprintKind::PhoneNumber => Some(Shared::PhoneNumber),
        FingerprintKind::CustomerId => None,
    }
}
