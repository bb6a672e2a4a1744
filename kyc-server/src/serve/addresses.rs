//! Whose request it is: behind proxies that are trusted the address that they name, else the one that the
//! connection comes from (OWASP ASVS 5.0.0, 4.1.3).

use std::net::{IpAddr, SocketAddr};

use kyc_core::domain::api_key::AddressRange;
use poem::http::{HeaderMap, HeaderName};
use poem::{Addr, Endpoint, Request, Response, Result};

use crate::api::client::ClientAddress;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The addresses of proxies whose `X-Forwarded-For` is believed; none by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies(Vec<AddressRange>);

impl Proxies {
    /// Reads ranges with commas between them. None where one is no range, or holds every address: whoever can
    /// reach the service could then choose an address.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let range = |text: &str| {
            let range = AddressRange::parse(text.trim()).ok()?;
            (!range.to_string().ends_with("/0")).then_some(range)
        };
        text.split(',').map(range).collect::<Option<_>>().map(Self)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an address is that of a trusted proxy.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(address))
    }

    /// The client behind a connection from `peer`: `peer` itself, or, as long as that is a trusted proxy, the
    /// address that it has written at the end of `X-Forwarded-For`, from right to left. What stands further
    /// left was there before a proxy of ours saw the request, so that anybody may have written it. At what is
    /// no address the walk stops: the client is then the last proxy that is known.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        // A proxy may add a line of its own, which goes on where the one before ended (RFC 9110, section 5.3).
        for line in headers.get_all(X_FORWARDED_FOR).iter().rev() {
            for entry in line.as_bytes().rsplit(|byte| *byte == b',') {
                if !self.contains(client) {
                    return client;
                }
                let Some(address) = address(entry) else { return client };
                client = address;
            }
        }
        client
    }
}

/// An address with or without a port, which some proxies add.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))?;
    Some(address.to_canonical())
}

/// An endpoint within whose requests a [`ClientAddress`] is in the data.
pub(super) struct ClientAddresses<E> {
    inner: E,
    proxies: Proxies,
}

impl<E> ClientAddresses<E> {
    /// Wraps an endpoint.
    pub(super) const fn new(inner: E, proxies: Proxies) -> Self {
        Self { inner, proxies }
    }
}

impl<E: Endpoint<Output = Response>> Endpoint for ClientAddresses<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let peer = match &request.remote_addr().0 {
            Addr::SocketAddr(address) => Some(address.ip()),
            Addr::Unix(_) | Addr::Custom(..) => None,
        };
        let client = peer.map(|peer| self.proxies.client(peer, request.headers()));
        request.set_data(ClientAddress(client));
        self.inner.call(request).await
    }
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;

    use super::*;

    fn client(peer: &str, lines: &[&str]) -> String {
        let proxies = Proxies::parse("10.0.0.0/8, 2001:db8:1::/48").unwrap();
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        for (peer, lines, expected) in [
            ("192.0.2.1", &["203.0.113.9"][..], "192.0.2.1"),
            ("192.0.2.1", &[], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("::ffff:10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("2001:db8:1::7", &["2001:db8:2::7"], "2001:db8:2::7"),
        ] {
            assert_eq!(client(peer, lines), expected, "{peer} {lines:?}");
        }
    }

    #[test]
    fn the_client_is_the_rightmost_address_that_is_no_proxy_of_ours() {
        for (lines, expected) in [
            (&["127.0.0.1, 203.0.113.9"][..], "203.0.113.9"),
            (&["198.51.100.1,203.0.113.9 ,\t10.1.1.1"], "203.0.113.9"),
            (&["198.51.100.1", "203.0.113.9", "10.1.1.1, 10.1.1.2"], "203.0.113.9"),
            (&["10.3.3.3, 10.2.2.2"], "10.3.3.3"),
            (&["::ffff:203.0.113.9"], "203.0.113.9"),
            (&["203.0.113.9:4711"], "203.0.113.9"),
            (&["[2001:db8:2::7]:4711"], "2001:db8:2::7"),
            (&["[2001:db8:2::7]"], "2001:db8:2::7"),
        ] {
            assert_eq!(client("10.0.0.1", lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn at_what_is_no_address_the_walk_stops() {
        for lines in [
            &["203.0.113.9, unknown"][..],
            &["203.0.113.9,"],
            &["203.0.113.9", ""],
            &["203.0.113.9, 10.1.1.1.1"],
            &["203.0.113.9, 0x0a000001"],
            &["203.0.113.9, \u{e9}"],
            &["203.0.113.9, 10.0.0.2 10.0.0.3"],
        ] {
            assert_eq!(client("10.0.0.1", lines), "10.0.0.1", "{lines:?}");
        }
        assert_eq!(client("10.0.0.1", &["203.0.113.9, _hidden, 10.1.1.1"]), "10.1.1.1");
    }

    #[test]
    fn a_list_of_proxies_is_one_of_ranges_none_of_which_holds_everybody() {
        assert!(Proxies::parse("10.0.0.1").unwrap().contains("10.0.0.1".parse().unwrap()));
        for bad in ["", "10.0.0.0/8,", "proxy.example.com", "10.0.0.1/8", "0.0.0.0/0", "10.0.0.1, ::/0"] {
            assert_eq!(Proxies::parse(bad), None, "{bad}");
        }
    }
}
