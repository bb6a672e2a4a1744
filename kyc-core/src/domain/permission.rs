//! Who may do what: one table, looked at before anything is looked up (I7).

use super::field::Field;
use super::told::Telling;
use super::words::words;

words! {
    /// What an API key is for.
    pub enum Role, "role" {
        /// The bank's own application: registers customers and follows them.
        Client = "client",
        /// A compliance officer.
        Reviewer = "reviewer",
        /// Someone who checks how it was done, and changes nothing.
        Auditor = "auditor",
        /// The operator.
        Admin = "admin",
    }
}

words! {
    /// Something that may be permitted.
    pub enum Permission, "permission" {
        /// Register and change customers, add and remove their files, and record the end of a relationship.
        WriteCustomers = "customers.write",
        /// Read, list and search customers, as far as the role sees personal data.
        ReadCustomers = "customers.read",
        /// Read the content of the files that a customer sent.
        ReadDocuments = "documents.read",
        /// Read the status and the verifications of a customer.
        ReadStatus = "status.read",
        /// Ask for another verification.
        RequestVerification = "verifications.request",
        /// Read reports.
        ReadReport = "report.read",
        /// Read audit events.
        ReadAudit = "audit.read",
        /// Make, list and revoke API keys.
        ManageKeys = "keys.manage",
        /// See which customers have something in common.
        ReadLinks = "links.read",
        /// Put customers under a legal hold, and lift it.
        HoldCustomers = "customers.hold",
        /// Erase customers.
        EraseCustomers = "customers.erase",
        /// See everything that is held on a customer.
        ExportCustomers = "customers.export",
        /// See how the identity providers fare.
        ReadProviders = "providers.read",
        /// Rotate and retire the keys that personal data is sealed and found with: the operator's alone, at the
        /// command line of the machine that has the keyring.
        RotateKeys = "keys.rotate",
    }
}

/// How much of a person's data a reader sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Everything.
    Full,
    /// Everything but the document number, the machine-readable zone and tax ids.
    NumbersMasked,
    /// Only that there is something.
    Masked,
}

impl Sight {
    /// Whether who sees this much sees this field of a customer.
    #[must_use]
    pub const fn shows(self, field: Field) -> bool {
        match self {
            Self::Full => true,
            Self::NumbersMasked => !matches!(field, Field::IdentityDocument | Field::TaxIds),
            Self::Masked => false,
        }
    }
}

/// The actor may not do this. Whether what was asked for exists was not looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the role does not permit this")]
pub struct Forbidden;

impl Role {
    /// The table of permissions.
    ///
    /// | | client | reviewer | auditor | admin |
    /// | --- | --- | --- | --- | --- |
    /// | write customers | yes | - | - | yes |
    /// | read customers | masked | yes | masked | yes |
    /// | read the content of files | - | yes | - | yes |
    /// | read status, verifications | yes | yes | yes | yes |
    /// | request a verification | yes | yes | - | yes |
    /// | read reports | - | yes | yes | yes |
    /// | read audit events | - | - | yes | yes |
    /// | read links | - | yes | - | yes |
    /// | manage keys | - | - | - | yes |
    /// | legal hold, erasure, export | - | - | - | yes |
    /// | read how providers fare | - | - | - | yes |
    /// | rotate master and fingerprint keys | - | - | - | - |
    #[must_use]
    pub const fn may(self, permission: Permission) -> bool {
        match permission {
            Permission::ReadCustomers | Permission::ReadStatus => true,
            Permission::WriteCustomers => matches!(self, Self::Client | Self::Admin),
            Permission::RequestVerification => matches!(self, Self::Client | Self::Reviewer | Self::Admin),
            Permission::ReadDocuments => matches!(self, Self::Reviewer | Self::Admin),
            Permission::ReadReport => matches!(self, Self::Reviewer | Self::Auditor | Self::Admin),
            Permission::ReadLinks => matches!(self, Self::Reviewer | Self::Admin),
            Permission::ReadAudit => matches!(self, Self::Auditor | Self::Admin),
            Permission::ManageKeys
            | Permission::HoldCustomers
            | Permission::EraseCustomers
            | Permission::ExportCustomers
            | Permission::ReadProviders => matches!(self, Self::Admin),
            Permission::RotateKeys => false,
        }
    }

    /// How much the role is told of what was found: a client application may pass on what it knows.
    #[must_use]
    pub const fn telling(self) -> Telling {
        match self {
            Self::Client => Telling::WithoutTippingOff,
            Self::Reviewer | Self::Auditor | Self::Admin => Telling::Everything,
        }
    }

    /// How much of a person's data the role sees.
    #[must_use]
    pub const fn sight(self) -> Sight {
        match self {
            Self::Client | Self::Auditor => Sight::Masked,
            Self::Reviewer => Sight::NumbersMasked,
            Self::Admin => Sight::Full,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of the contract, in the order client, reviewer, auditor, admin.
    #[test]
    fn the_table_is_that_of_the_contract() {
        let rows = [
            (Permission::WriteCustomers, [true, false, false, true]),
            (Permission::ReadCustomers, [true, true, true, true]),
            (Permission::ReadDocuments, [false, true, false, true]),
            (Permission::ReadStatus, [true, true, true, true]),
            (Permission::RequestVerification, [true, true, false, true]),
            (Permission::ReadReport, [false, true, true, true]),
            (Permission::ReadAudit, [false, false, true, true]),
            (Permission::ManageKeys, [false, false, false, true]),
            (Permission::ReadLinks, [false, true, false, true]),
            (Permission::HoldCustomers, [false, false, false, true]),
            (Permission::EraseCustomers, [false, false, false, true]),
            (Permission::ExportCustomers, [false, false, false, true]),
            (Permission::ReadProviders, [false, false, false, true]),
            (Permission::RotateKeys, [false; 4]),
        ];
        assert_eq!(rows.len(), Permission::ALL.len());
        for (permission, expected) in rows {
            for (role, expected) in Role::ALL.iter().zip(expected) {
                assert_eq!(role.may(permission), expected, "{role} {permission}");
            }
        }
    }

    #[test]
    fn only_reviewers_and_admins_see_unmasked_data() {
        assert_eq!(Role::Client.sight(), Sight::Masked);
        assert_eq!(Role::Auditor.sight(), Sight::Masked);
        assert_eq!(Role::Reviewer.sight(), Sight::NumbersMasked);
        assert_eq!(Role::Admin.sight(), Sight::Full);
        let tipped = Role::ALL.iter().filter(|role| role.telling() == Telling::WithoutTippingOff);
        assert!(tipped.eq(&[Role::Client]));
    }
}
