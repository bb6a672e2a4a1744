//! Rate limits: a key's requests, an address's requests without one, and its failed sign-ins.
//!
//! Keys and addresses are hashed into a fixed number of buckets, so that no number of them makes this grow;
//! two that share a bucket share its quota. The hash is keyed with a random key of the process, so that
//! nobody can choose whose bucket to fill.

use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use kyc_core::domain::actor::Actor;

use super::problem::{Problem, ProblemKind, RateLimit};

/// How many buckets there are of a kind.
const BUCKETS: usize = 4096;
/// Failed sign-ins of an address in a minute, and at once.
const FAILED_SIGN_INS: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);
const TWO: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);

/// Requests a second, and twice that at once; 0 is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rates {
    /// Of an API key.
    pub key: u32,
    /// Of an address without a valid key.
    pub address: u32,
}

/// The limits of a service.
pub struct Limiter {
    hasher: RandomState,
    clock: DefaultClock,
    /// None: requests are not limited.
    keys: Option<Buckets>,
    strangers: Option<Buckets>,
    sign_ins: Buckets,
}

/// The buckets of one limit.
struct Buckets {
    policy: &'static str,
    quota: NonZeroU32,
    window_seconds: u64,
    all: Vec<DefaultDirectRateLimiter>,
}

impl Buckets {
    fn per_second(policy: &'static str, rate: u32) -> Option<Self> {
        let rate = NonZeroU32::new(rate)?;
        let quota = rate.saturating_mul(TWO);
        Some(Self::new(policy, quota, 2, Quota::per_second(rate).allow_burst(quota)))
    }

    fn per_minute(policy: &'static str, quota: NonZeroU32) -> Self {
        Self::new(policy, quota, 60, Quota::per_minute(quota))
    }

    fn new(policy: &'static str, quota: NonZeroU32, window_seconds: u64, limit: Quota) -> Self {
        let all = (0..BUCKETS).map(|_| RateLimiter::direct(limit)).collect();
        Self { policy, quota, window_seconds, all }
    }
}

impl Limiter {
    /// A limiter of requests at these rates.
    #[must_use]
    pub fn new(rates: Rates) -> Self {
        Self {
            hasher: RandomState::new(),
            clock: DefaultClock::default(),
            keys: Buckets::per_second("requests", rates.key),
            strangers: Buckets::per_second("requests-without-key", rates.address),
            sign_ins: Buckets::per_minute("failed-sign-ins", FAILED_SIGN_INS),
        }
    }

    /// Whether an actor may make one more request.
    ///
    /// # Errors
    /// The 429 that says when.
    pub fn admit(&self, actor: &Actor) -> Result<(), Problem> {
        self.keys.as_ref().map_or(Ok(()), |buckets| self.take(buckets, actor.to_string()))
    }

    /// Whether an address may make one more request without a valid key. Where there is no address, there is
    /// no limit.
    ///
    /// # Errors
    /// The 429 that says when.
    pub fn admit_stranger(&self, address: Option<IpAddr>) -> Result<(), Problem> {
        match (&self.strangers, address) {
            (Some(buckets), Some(address)) => self.take(buckets, network(address)),
            (None, _) | (_, None) => Ok(()),
        }
    }

    /// What a sign-in that was refused is answered with: a 401, and a 429 where the address has failed too
    /// often of late. A key that is valid is let in all the same, so that nobody is locked out by a neighbour
    /// who guesses (OWASP ASVS 5.0.0, 6.3.1); 256 random bits can't be guessed in the meantime.
    #[must_use]
    pub fn refused_sign_in(&self, address: Option<IpAddr>) -> Problem {
        let admitted = address.map_or(Ok(()), |address| self.take(&self.sign_ins, network(address)));
        admitted.err().unwrap_or_else(|| Problem::new(ProblemKind::Unauthorized))
    }

    fn take(&self, of: &Buckets, who: impl Hash) -> Result<(), Problem> {
        let at = usize::try_from(self.hasher.hash_one(who) % BUCKETS as u64).ok();
        let Some(bucket) = at.and_then(|at| of.all.get(at)) else { return Ok(()) };
        bucket.check().map_err(|until| {
            let limit = RateLimit {
                policy: of.policy,
                quota: of.quota.get(),
                window_seconds: of.window_seconds,
                remaining: 0,
                reset_seconds: until.wait_time_from(self.clock.now()).as_secs() + 1,
            };
            Problem::limited(ProblemKind::RateLimited, limit)
        })
    }
}

/// The part of an address that its holder can't change at will: of IPv6 the first 64 bits (RFC 6177).
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
    }
}

#[cfg(test)]
mod tests {
    use kyc_core::domain::permission::Role;

    use super::*;

    fn actor(name: &str) -> Actor {
        Actor::account(name, Role::Client).unwrap()
    }

    #[test]
    fn a_key_has_its_burst_and_others_have_theirs() {
        let limiter = Limiter::new(Rates { key: 3, address: 0 });
        let admitted = (0..20).filter(|_| limiter.admit(&actor("a")).is_ok()).count();
        assert!((6..=8).contains(&admitted), "{admitted}");
        let refused = limiter.admit(&actor("a")).unwrap_err();
        assert_eq!(refused.kind(), ProblemKind::RateLimited);
        assert!(limiter.admit(&actor("b")).is_ok());
    }

    #[test]
    fn no_limit_is_no_limit() {
        let limiter = Limiter::new(Rates::default());
        assert!((0..10_000).all(|_| limiter.admit(&actor("a")).is_ok()));
        let address = Some("192.0.2.1".parse().unwrap());
        assert!((0..10_000).all(|_| limiter.admit_stranger(address).is_ok()));
    }

    #[test]
    fn an_address_without_a_key_has_its_burst_and_others_have_theirs() {
        let limiter = Limiter::new(Rates { key: 0, address: 3 });
        let admit = |address: &str| limiter.admit_stranger(Some(address.parse().unwrap()));
        let admitted = (0..20).filter(|n| admit(&format!("2001:db8::{n:x}")).is_ok()).count();
        assert!((6..=8).contains(&admitted), "{admitted}");
        assert_eq!(admit("2001:db8::ffff").unwrap_err().kind(), ProblemKind::RateLimited, "the same /64");
        assert!(admit("192.0.2.1").is_ok());
        assert!((0..20).all(|_| limiter.admit_stranger(None).is_ok()));
        assert!((0..20).all(|_| limiter.admit(&actor("a")).is_ok()), "keys are counted apart");
    }

    #[test]
    fn an_address_that_fails_too_often_is_told_to_wait() {
        let limiter = Limiter::new(Rates::default());
        let refuse = |address: &str| limiter.refused_sign_in(Some(address.parse().unwrap())).kind();
        for _ in 0..FAILED_SIGN_INS.get() {
            assert_eq!(refuse("2001:db8::1"), ProblemKind::Unauthorized);
        }
        assert_eq!(refuse("2001:db8::2"), ProblemKind::RateLimited, "the same /64");
        assert_eq!(refuse("192.0.2.1"), ProblemKind::Unauthorized);
        assert_eq!(limiter.refused_sign_in(None).kind(), ProblemKind::Unauthorized);
    }

    #[test]
    fn an_ipv4_address_in_its_ipv6_form_is_the_ipv4_address() {
        let network_of = |address: &str| network(address.parse().unwrap());
        assert_eq!(network_of("::ffff:192.0.2.1"), network_of("192.0.2.1"));
        assert_ne!(network_of("2001:db8:0:1::1"), network_of("2001:db8:0:2::1"));
    }
}
