//! The part of the connections that one address may have at once, so that it can't keep all others out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::Proxies;
use crate::api::limits::network;

/// How many connections each address has open. There are never more entries than connections.
#[derive(Debug)]
pub(super) struct Shares {
    most: usize,
    /// Those who speak for many others.
    exempt: Proxies,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection of an address, until it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    of: Option<(Arc<Shares>, IpAddr)>,
}

impl Shares {
    pub(super) fn new(most: usize, exempt: Proxies) -> Arc<Self> {
        Arc::new(Self { most, exempt, open: Mutex::default() })
    }

    /// One more connection of an address; none where it has as many as it may.
    pub(super) fn take(self: &Arc<Self>, address: IpAddr) -> Option<Share> {
        if self.exempt.contains(address) {
            return Some(Share { of: None });
        }
        let network = network(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(network).or_insert(0);
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Share { of: Some((Arc::clone(self), network)) })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let Some((shares, network)) = &self.of else { return };
        let mut open = shares.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(network) {
            *count -= 1;
            if *count == 0 {
                open.remove(network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_share_and_others_have_theirs() {
        let shares = Shares::new(2, Proxies::parse("10.0.0.0/8").unwrap());
        let take = |address: &str| shares.take(address.parse().unwrap());
        let held = [take("2001:db8::1"), take("2001:db8::2")];
        assert!(held.iter().all(Option::is_some));
        assert!(take("2001:db8::3").is_none(), "the same /64");
        assert!(take("192.0.2.1").is_some());
        drop(held);
        assert!(take("2001:db8::3").is_some());
        let proxy: Vec<_> = (0..9).map(|_| take("10.0.0.1")).collect();
        assert!(proxy.iter().all(Option::is_some));
        assert!(shares.open.lock().unwrap().is_empty(), "nothing is kept of those that are gone");
    }
}
