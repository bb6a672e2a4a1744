//! API keys: a secret that names somebody, of which only a digest is kept.

use core::net::IpAddr;
use std::fmt;

use data_encoding::HEXLOWER;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::fault::{Faults, Invalid};
use super::ids::ApiKeyId;
use super::permission::Role;
use crate::Secret;

/// The secret of a key: `kyc_`, 64 hexadecimal digits of 256 random bits, and 8 of a checksum.
///
/// The prefix lets a scanner find one that leaked; the checksum tells a slip of the pen from a key that is
/// not there, without a look-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeySecret(Secret<String>);

impl ApiKeySecret {
    const PREFIX: &'static str = "kyc_";
    const RANDOM: usize = 64;
    const CHECKSUM: usize = 8;

    /// A secret of 32 random bytes.
    #[must_use]
    pub fn new(random: &Secret<[u8; 32]>) -> Self {
        let digits = Secret::new(HEXLOWER.encode(random.expose()));
        let checksum = checksum(digits.expose());
        Self(Secret::new(format!("{}{}{checksum}", Self::PREFIX, digits.expose())))
    }

    /// Reads what a caller presents; none where it can't be a key.
    #[must_use]
    pub fn parse(text: &Secret<String>) -> Option<Self> {
        let rest = text.expose().strip_prefix(Self::PREFIX)?;
        let (digits, sum) = rest.split_at_checked(Self::RANDOM)?;
        let well_formed = sum.len() == Self::CHECKSUM && checksum(digits) == sum;
        well_formed.then(|| Self(text.clone()))
    }

    /// The secret, to be shown to its owner once.
    #[must_use]
    pub const fn expose(&self) -> &Secret<String> {
        &self.0
    }

    /// What is kept in its place. There are 256 random bits to guess, so a slow hash would add nothing
    /// (OWASP ASVS 5.0.0, 11.4.2 asks for one where people choose the secret).
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.0.expose().as_bytes()).into()
    }
}

/// The first eight hexadecimal digits of a SHA-256 over the label and the digits.
fn checksum(digits: &str) -> String {
    let sum = Sha256::new().chain_update(b"kyc api key checksum").chain_update(digits).finalize();
    HEXLOWER.encode(&sum[..ApiKeySecret::CHECKSUM / 2])
}

/// A key as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// What it is called.
    pub name: KeyName,
    /// The person or system behind it. Where two have to agree, subjects count and not keys.
    pub subject: KeyName,
    /// What it may do.
    pub role: Role,
    /// SHA-256 of the secret.
    pub digest: [u8; 32],
    /// The addresses from which it is valid; from all where there is none.
    pub allowed_addresses: Vec<AddressRange>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to the minute or so.
    pub last_used_at: Option<Timestamp>,
}

impl ApiKey {
    /// Whether it is valid at `now` for a caller from `address`. Where the address is not known, a key that
    /// is bound to addresses is not.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp, address: Option<IpAddr>) -> bool {
        let allowed = &self.allowed_addresses;
        self.revoked_at.is_none()
            && self.expires_at.is_none_or(|end| now < end)
            && (allowed.is_empty()
                || address.is_some_and(|address| allowed.iter().any(|range| range.contains(address))))
    }
}

/// The name of a key or of who is behind it: 1 to 64 of `A-Za-z0-9._@-`, since it stands in audit events and
/// logs. It should be a name of an account or a system.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(String);

impl KeyName {
    /// Reads a name.
    ///
    /// # Errors
    /// `key_name.invalid` where the form is another.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let well_formed = (1..=64).contains(&text.len())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '@' | '-'));
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new("key_name.invalid", "1 to 64 of A-Z a-z 0-9 . _ @ - are expected"))
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A range of addresses: an address, or a prefix such as `10.0.0.0/8` (RFC 4632) or `2001:db8::/32` (RFC 4291).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressRange {
    network: IpAddr,
    prefix: u8,
}

impl AddressRange {
    /// Reads a range.
    ///
    /// # Errors
    /// `address_range.invalid` where it is none, or where bits behind the prefix are set.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        const INVALID: Invalid = Invalid::new(
            "address_range.invalid",
            "an IP address, or a range such as 10.0.0.0/8 or 2001:db8::/32, is expected",
        );
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let network: IpAddr = address.parse().map_err(|_| INVALID)?;
        let longest = if network.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => longest,
            Some(digits) => digits.parse().ok().filter(|prefix| *prefix <= longest).ok_or(INVALID)?,
        };
        let range = Self { network, prefix };
        if masked(network, prefix) == bits(network) { Ok(range) } else { Err(INVALID) }
    }

    /// Whether an address is in the range. An IPv4 address in its IPv6 form counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.network.is_ipv4() && masked(address, self.prefix) == bits(self.network)
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

/// The bits of an address, the first one highest.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn masked(address: IpAddr, prefix: u8) -> u128 {
    let behind = u128::MAX.checked_shr(u32::from(prefix)).unwrap_or(0);
    bits(address) & !behind
}

/// A key to make, unparsed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiKeyForm {
    /// What it is called.
    pub name: Option<String>,
    /// What it may do.
    pub role: Option<String>,
    /// The person or system behind it; the name where it is absent.
    pub subject: Option<String>,
    /// When it ends by itself, RFC 3339.
    pub expires_at: Option<String>,
    /// The addresses from which it is valid.
    pub allowed_addresses: Option<Vec<String>>,
}

/// A key to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApiKey {
    /// What it is called.
    pub name: KeyName,
    /// What it may do.
    pub role: Role,
    /// The person or system behind it.
    pub subject: KeyName,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// The addresses from which it is valid.
    pub allowed_addresses: Vec<AddressRange>,
}

impl NewApiKey {
    /// The longest life of a key that ends by itself: a hundred years, which every store can keep.
    pub const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 36_525);

    /// The most addresses of a key.
    pub const MAX_ADDRESSES: usize = 32;

    /// Reads a form.
    ///
    /// # Errors
    /// Every fault, with its pointer.
    pub fn parse(form: &ApiKeyForm, now: Timestamp) -> Result<Self, Faults> {
        const REQUIRED: Invalid = Invalid::new("field.required", "this field is required");
        const ROLE: Invalid = Invalid::new("role.unknown", "client, reviewer, auditor or admin is expected");
        const EXPIRED: Invalid =
            Invalid::new("expires_at.invalid", "a time to come, such as 2031-01-31T00:00:00Z, is expected");
        let mut faults = Faults::new();
        let name = form.name.as_deref().ok_or(REQUIRED).and_then(KeyName::parse);
        let name = faults.take("/name", name);
        let role = form.role.as_deref().ok_or(REQUIRED).and_then(|word| word.parse().map_err(|_| ROLE));
        let role = faults.take("/role", role);
        let subject = match form.subject.as_deref() {
            None => name.clone(),
            Some(text) => faults.take("/subject", KeyName::parse(text)),
        };
        let expires_at = form.expires_at.as_deref().and_then(|text| {
            let end = text
                .parse()
                .ok()
                .filter(|end: &Timestamp| *end > now && end.duration_since(now) <= Self::LONGEST)
                .ok_or(EXPIRED);
            faults.take("/expires_at", end)
        });
        let addresses = form.allowed_addresses.as_deref().unwrap_or_default();
        if addresses.len() > Self::MAX_ADDRESSES {
            faults.add("/allowed_addresses", "allowed_addresses.too_many", "at most 32 ranges are expected");
        }
        let mut allowed_addresses = Vec::new();
        for (index, text) in addresses.iter().enumerate().take(Self::MAX_ADDRESSES) {
            let range = faults.take(&format!("/allowed_addresses/{index}"), AddressRange::parse(text));
            allowed_addresses.extend(range);
        }
        match (name, role, subject) {
            (Some(name), Some(role), Some(subject)) if faults.is_empty() => {
                Ok(Self { name, role, subject, expires_at, allowed_addresses })
            }
            (_, _, _) => Err(faults),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> ApiKeySecret {
        ApiKeySecret::new(&Secret::new([7; 32]))
    }

    #[test]
    fn a_secret_is_read_back_and_a_slip_of_the_pen_is_noticed() {
        let text = secret().expose().expose().clone();
        assert_eq!(text.len(), 76);
        assert_eq!(ApiKeySecret::parse(&Secret::new(text.clone())), Some(secret()));
        for position in 0..text.len() {
            let mut slip = text.clone().into_bytes();
            slip[position] = if slip[position] == b'0' { b'1' } else { b'0' };
            let slip = Secret::new(String::from_utf8(slip).unwrap());
            assert_eq!(ApiKeySecret::parse(&slip), None, "{position}");
        }
        for other in ["", "kyc_", "kyc_ä", &text[1..], &format!("{text}0"), &text.to_uppercase()] {
            assert_eq!(ApiKeySecret::parse(&other.into()), None, "{other}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        assert_eq!(format!("{:?}", secret()), "ApiKeySecret(Secret(redacted))");
    }

    #[test]
    fn a_range_holds_its_addresses() {
        let holds = |range: &str, address: &str| {
            AddressRange::parse(range).unwrap().contains(address.parse().unwrap())
        };
        assert!(holds("10.0.0.0/8", "10.255.0.1"));
        assert!(!holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("192.0.2.7", "192.0.2.7") && !holds("192.0.2.7", "192.0.2.8"));
        assert!(holds("0.0.0.0/0", "203.0.113.9") && !holds("0.0.0.0/0", "2001:db8::1"));
        assert!(holds("2001:db8::/32", "2001:db8:ffff::1") && !holds("2001:db8::/32", "2001:db9::1"));
        assert!(holds("::/0", "2001:db8::1"));
        assert!(holds("10.0.0.0/8", "::ffff:10.1.2.3"), "IPv4 in its IPv6 form");
        for bad in
            ["", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "::/129", "host", "10.0.0.0/+8 "]
        {
            assert_eq!(AddressRange::parse(bad).unwrap_err().code, "address_range.invalid", "{bad}");
        }
    }

    #[test]
    fn a_key_is_valid_until_it_ends_and_from_where_it_may() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let name = KeyName::parse("app").unwrap();
        let key = ApiKey {
            id: ApiKeyId::from_bytes([1; 16]),
            name: name.clone(),
            subject: name,
            role: Role::Client,
            digest: secret().digest(),
            allowed_addresses: Vec::new(),
            created_at: at(0),
            expires_at: Some(at(100)),
            revoked_at: None,
            last_used_at: None,
        };
        assert!(key.is_valid(at(99), None) && !key.is_valid(at(100), None));
        let revoked = ApiKey { revoked_at: Some(at(1)), ..key.clone() };
        assert!(!revoked.is_valid(at(2), None));
        let bound = ApiKey { allowed_addresses: vec![AddressRange::parse("10.0.0.0/8").unwrap()], ..key };
        assert!(bound.is_valid(at(1), Some("10.1.1.1".parse().unwrap())));
        assert!(!bound.is_valid(at(1), Some("192.0.2.1".parse().unwrap())) && !bound.is_valid(at(1), None));
    }

    #[test]
    fn every_fault_of_a_form_is_named() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let form = ApiKeyForm {
            name: Some("ä".into()),
            role: Some("root".into()),
            subject: Some(String::new()),
            expires_at: Some("2001-01-01T00:00:00Z".into()),
            allowed_addresses: Some(vec!["10.0.0.0/8".into(), "x".into()]),
        };
        let faults = NewApiKey::parse(&form, now).unwrap_err();
        let pointers: Vec<_> = faults.as_slice().iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, ["/name", "/role", "/subject", "/expires_at", "/allowed_addresses/1"]);
        let faults = NewApiKey::parse(&ApiKeyForm::default(), now).unwrap_err();
        assert_eq!(faults.as_slice().len(), 2);
        let good =
            ApiKeyForm { name: Some("app".into()), role: Some("client".into()), ..ApiKeyForm::default() };
        assert_eq!(NewApiKey::parse(&good, now).unwrap().subject.as_str(), "app");
    }
}
