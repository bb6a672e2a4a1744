//! Where a customer may be sent.

use std::str::FromStr;

use ureq::http::Uri;

use super::base::is_loopback;

/// The longest link, in bytes; RFC 9110, section 4.1, asks for 8,000, and pages of vendors need less.
const MAX_LINK: usize = 2048;

/// Whether a customer may be sent there: https, or plain HTTP to loopback where `loopback_links` allows it for
/// development; never `javascript:`.
pub(super) fn is_link(text: &str, loopback_links: bool) -> bool {
    let written = text.len() <= MAX_LINK && text.bytes().all(|b| b.is_ascii_graphic());
    let Ok(link) = Uri::from_str(text) else { return false };
    let host = link.host().is_some_and(|host| !host.is_empty());
    let scheme = match link.scheme_str() {
        Some("https") => true,
        Some("http") => loopback_links && is_loopback(&link),
        Some(_) | None => false,
    };
    // `https://vendor@elsewhere` shows one host and goes to another.
    let plain = link.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    written && host && scheme && plain
}
