//! Where a provider is: a base address, checked once.

use std::net::IpAddr;

use ureq::http::Uri;

/// Why settings were not taken. The text does not repeat them, since an address may hold a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The address is not one.
    #[error("the provider's base URL must be an https address without user, query and fragment")]
    BaseUrl,
    /// The address is plain HTTP to another host than loopback, which was not allowed.
    #[error("the provider's base URL is plain HTTP; use https, or allow it explicitly")]
    InsecureBaseUrl,
    /// The time-out is out of bounds.
    #[error("the provider's time-out must be 1 ms to 8 s")]
    Timeout,
    /// The largest answer is out of bounds.
    #[error("the largest answer of the provider must be 1 byte to 256 KiB")]
    MaxBody,
    /// The token can't stand in a header.
    #[error("the provider's token must be of 1 to 512 visible characters of ASCII")]
    Token,
    /// The template is none of the vendor's.
    #[error("a template of Persona is expected: an id that begins with itmpl_, itmplv_ or tmpl_")]
    Template,
    /// There is no secret for callbacks, or one is too short, or there are too many.
    #[error(
        "one secret for the provider's callbacks is expected, or two while it is rotated, each of 16 to 512 bytes"
    )]
    CallbackSecrets,
}

/// A base address that was checked.
#[derive(Debug, Clone)]
pub(super) struct Base {
    /// Scheme and authority, such as `https://kyc.example.com`.
    pub(super) origin: String,
    /// The path before `/v1`, without the slash at its end; often empty.
    pub(super) path: String,
    /// Whether it is plain HTTP.
    pub(super) insecure: bool,
    /// Whether it is this machine, where a link may lead in the clear.
    #[cfg(any(feature = "provider-http", feature = "provider-persona"))]
    pub(super) loopback: bool,
}

impl Base {
    pub(super) fn parse(text: &str, allow_insecure_http: bool) -> Result<Self, ConfigError> {
        // The parser drops a fragment without a word, and ureq turns a user into a credential.
        let uri: Uri = text.parse().map_err(|_| ConfigError::BaseUrl)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(ConfigError::BaseUrl);
        };
        let strange = text.contains('#') || uri.query().is_some() || authority.as_str().contains('@');
        if strange || authority.host().is_empty() {
            return Err(ConfigError::BaseUrl);
        }
        let loopback = is_loopback(&uri);
        let insecure = match scheme {
            "https" => false,
            "http" if loopback || allow_insecure_http => true,
            "http" => return Err(ConfigError::InsecureBaseUrl),
            _ => return Err(ConfigError::BaseUrl),
        };
        let path = uri.path().trim_end_matches('/').to_owned();
        Ok(Self {
            origin: format!("{scheme}://{authority}"),
            path,
            insecure,
            #[cfg(any(feature = "provider-http", feature = "provider-persona"))]
            loopback,
        })
    }
}

/// Whether an address is this machine: `localhost` (RFC 6761, section 6.3) or a loopback address.
pub(super) fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_or_where_it_is_allowed() {
        for (url, allow, expected) in [
            ("https://kyc.example.com", false, Ok(false)),
            ("https://kyc.example.com:8443/a/", false, Ok(false)),
            ("http://127.0.0.1:4010", false, Ok(true)),
            ("http://LocalHost:4010", false, Ok(true)),
            ("http://[::1]:4010", false, Ok(true)),
            ("http://kyc.example.com", false, Err(ConfigError::InsecureBaseUrl)),
            ("http://127.0.0.1.example.com", false, Err(ConfigError::InsecureBaseUrl)),
            ("http://10.0.0.1", false, Err(ConfigError::InsecureBaseUrl)),
            ("http://10.0.0.1", true, Ok(true)),
            ("ftp://10.0.0.1", true, Err(ConfigError::BaseUrl)),
            ("https://user:word@kyc.example.com", true, Err(ConfigError::BaseUrl)),
            ("https://kyc.example.com?a=b", true, Err(ConfigError::BaseUrl)),
            ("https://kyc.example.com/#a", true, Err(ConfigError::BaseUrl)),
            ("kyc.example.com", true, Err(ConfigError::BaseUrl)),
            ("/v1", true, Err(ConfigError::BaseUrl)),
            ("", true, Err(ConfigError::BaseUrl)),
        ] {
            assert_eq!(Base::parse(url, allow).map(|base| base.insecure), expected, "{url}");
        }
    }

    #[test]
    fn a_path_before_the_contract_is_kept_without_its_slash() {
        let base = Base::parse("https://kyc.example.com/a/b/", false).unwrap();
        assert_eq!((base.origin.as_str(), base.path.as_str()), ("https://kyc.example.com", "/a/b"));
        assert_eq!(Base::parse("https://kyc.example.com", false).unwrap().path, "");
    }
}
