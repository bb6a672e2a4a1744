//! API keys from the command line: for the first ones of an installation, and where no admin key is at hand.

use kyc_core::Kyc;
use kyc_core::domain::actor::Actor;
use kyc_core::domain::api_key::{ApiKey, ApiKeyForm};
use kyc_core::domain::fault::Faults;
use kyc_core::domain::ids::ApiKeyId;
use kyc_core::usecase::{ApiKeyError, CreateApiKey};
use serde::{Deserialize, Serialize};

use super::{NotDone, table};

/// An API key to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, clap::Args)]
pub struct NewKey {
    /// What it is called: 1 to 64 of A-Z a-z 0-9 . _ @ -
    #[arg(long)]
    pub name: String,
    /// What it may do: client, reviewer, auditor or admin
    #[arg(long)]
    pub role: String,
    /// The person or system behind it [default: the name]
    #[arg(long)]
    pub subject: Option<String>,
    /// When it ends by itself, such as 2031-01-31T00:00:00Z [default: never]
    #[arg(long, value_name = "TIME")]
    pub expires_at: Option<String>,
    /// An address or range from which it is valid, such as 10.0.0.0/8; may be repeated [default: all]
    #[arg(long = "allowed-address", value_name = "RANGE")]
    pub allowed_addresses: Vec<String>,
}

pub(super) async fn create(kyc: &Kyc, actor: &Actor, new: NewKey) -> Result<Vec<String>, NotDone> {
    let NewKey { name, role, subject, expires_at, allowed_addresses } = new;
    let form = ApiKeyForm {
        name: Some(name),
        role: Some(role),
        subject,
        expires_at,
        allowed_addresses: Some(allowed_addresses),
    };
    let created =
        kyc.create_api_key(actor, CreateApiKey { form, faults: Faults::new() }).await.map_err(words)?;
    let rows = [
        ["Id".to_owned(), created.key.id.to_string()],
        ["Name".to_owned(), created.key.name.to_string()],
        ["Role".to_owned(), created.key.role.to_string()],
        ["Key".to_owned(), created.secret.expose().expose().clone()],
    ];
    let mut lines = table(&rows);
    lines.push("The key is shown this once: only its SHA-256 is kept.".to_owned());
    Ok(lines)
}

pub(super) async fn list(kyc: &Kyc, actor: &Actor) -> Result<Vec<String>, NotDone> {
    let keys = kyc.api_keys(actor).await.map_err(words)?;
    let mut rows =
        vec![["ID", "NAME", "SUBJECT", "ROLE", "CREATED", "LAST USED", "STATE"].map(str::to_owned)];
    rows.extend(keys.iter().map(row));
    Ok(table(&rows))
}

fn row(key: &ApiKey) -> [String; 7] {
    let second = |at: jiff::Timestamp| format!("{at:.0}");
    let state = match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("revoked {}", second(at)),
        (None, Some(end)) => format!("until {}", second(end)),
        (None, None) => "valid".to_owned(),
    };
    [
        key.id.to_string(),
        key.name.to_string(),
        key.subject.to_string(),
        key.role.to_string(),
        second(key.created_at),
        key.last_used_at.map_or_else(|| "-".to_owned(), second),
        state,
    ]
}

pub(super) async fn revoke(kyc: &Kyc, actor: &Actor, id: &str) -> Result<Vec<String>, NotDone> {
    let id = ApiKeyId::parse(id).map_err(|_| words(ApiKeyError::NotFound))?;
    kyc.revoke_api_key(actor, id).await.map_err(words)?;
    Ok(vec![format!("Revoked {id}: it is dead from the next request on.")])
}

/// Every fault of the input, by the name of its option; or what else stands in the way.
fn words(error: ApiKeyError) -> NotDone {
    let ApiKeyError::Invalid(faults) = error else { return NotDone::because(error) };
    let faults = faults.as_slice().iter().map(|fault| {
        let option = fault.pointer.trim_start_matches('/').replace('_', "-");
        // An element of a list is given by the option in the singular.
        let option = option.split_once('/').map_or(option.as_str(), |_| "allowed-address").to_owned();
        format!("--{option}: {}", fault.detail)
    });
    NotDone::because(faults.collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_a_key_is_told_by_its_option() {
        let mut faults = Faults::new();
        faults.add("/role", "role.unknown", "a role is expected");
        faults.add("/allowed_addresses/1", "address_range.invalid", "a range is expected");
        faults.add("/expires_at", "expires_at.invalid", "a time is expected");
        assert_eq!(
            words(ApiKeyError::Invalid(faults)).to_string(),
            "--role: a role is expected; --allowed-address: a range is expected; --expires-at: a time is expected"
        );
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["a", "bc", "d"], ["ef", "", "g"], ["h", "i", ""]].map(|row| row.map(str::to_owned));
        assert_eq!(table(&rows), ["a   bc  d", "ef      g", "h   i"]);
    }
}
