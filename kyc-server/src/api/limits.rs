//! Rate limits: a key's requests, and an address's failed sign-ins.
//!
//! Keys and addresses are hashed into a fixed number of buckets, so that no number of them makes this grow;
//! two that share a bucket share its quota. The hash is keyed with a random key of the process, so that
//! nobody can choose whose bucket to fill.

use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, NotUntil, Quota, RateLimiter};
use kyc_core::domain::actor::Actor;

use super::problem::{Problem, ProblemKind, RateLimit};

/// How many buckets there are of a kind.
const BUCKETS: usize = 4096;
/// Failed sign-ins of an address in a minute, and at once.
const FAILED_SIGN_INS: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);
const TWO: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);

/// The limits of a service.
pub struct Limiter {
    hasher: RandomState,
    clock: DefaultClock,
    /// None: requests are not limited.
    keys: Option<(NonZeroU32, Vec<DefaultDirectRateLimiter>)>,
    sign_ins: Vec<DefaultDirectRateLimiter>,
}

impl Limiter {
    /// A limiter that lets a key make `per_second` requests a second, and twice that at once; 0 is no limit.
    #[must_use]
    pub fn new(per_second: u32) -> Self {
        let keys = NonZeroU32::new(per_second).map(|rate| {
            let quota = Quota::per_second(rate).allow_burst(rate.saturating_mul(TWO));
            (rate, buckets(quota))
        });
        let sign_ins = buckets(Quota::per_minute(FAILED_SIGN_INS));
        Self { hasher: RandomState::new(), clock: DefaultClock::default(), keys, sign_ins }
    }

    /// Whether an actor may make one more request.
    ///
    /// # Errors
    /// The 429 that says when.
    pub fn admit(&self, actor: &Actor) -> Result<(), Problem> {
        let Some((rate, buckets)) = &self.keys else { return Ok(()) };
        let Some(bucket) = self.bucket(buckets, actor.to_string()) else { return Ok(()) };
        bucket.check().map_err(|until| {
            let quota = RateLimit {
                policy: "requests",
                quota: rate.saturating_mul(TWO).get(),
                window_seconds: 2,
                remaining: 0,
                reset_seconds: self.seconds(&until),
            };
            Problem::limited(ProblemKind::RateLimited, quota)
        })
    }

    /// What a sign-in that was refused is answered with: a 401, and a 429 where the address has failed too
    /// often of late. A key that is valid is let in all the same, so that nobody is locked out by a neighbour
    /// who guesses (OWASP ASVS 5.0.0, 6.3.1); 256 random bits can't be guessed in the meantime.
    pub fn refused_sign_in(&self, address: Option<IpAddr>) -> Problem {
        let bucket = address.and_then(|address| self.bucket(&self.sign_ins, network(address)));
        match bucket.map(DefaultDirectRateLimiter::check) {
            None | Some(Ok(())) => Problem::new(ProblemKind::Unauthorized),
            Some(Err(until)) => {
                let quota = RateLimit {
                    policy: "failed-sign-ins",
                    quota: FAILED_SIGN_INS.get(),
                    window_seconds: 60,
                    remaining: 0,
                    reset_seconds: self.seconds(&until),
                };
                Problem::limited(ProblemKind::RateLimited, quota)
            }
        }
    }

    fn seconds(&self, until: &NotUntil<<DefaultClock as Clock>::Instant>) -> u64 {
        until.wait_time_from(self.clock.now()).as_secs() + 1
    }

    fn bucket<'a, B>(&self, buckets: &'a [B], of: impl Hash) -> Option<&'a B> {
        let hash = usize::try_from(self.hasher.hash_one(of) % BUCKETS as u64).ok()?;
        buckets.get(hash)
    }
}

fn buckets(quota: Quota) -> Vec<DefaultDirectRateLimiter> {
    (0..BUCKETS).map(|_| RateLimiter::direct(quota)).collect()
}

/// The part of an address that its holder can't change at will: of IPv6 the first 64 bits (RFC 6177).
fn network(address: IpAddr) -> IpAddr {
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
        let limiter = Limiter::new(3);
        let admitted = (0..20).filter(|_| limiter.admit(&actor("a")).is_ok()).count();
        assert!((6..=8).contains(&admitted), "{admitted}");
        let refused = limiter.admit(&actor("a")).unwrap_err();
        assert_eq!(refused.kind(), ProblemKind::RateLimited);
        assert!(limiter.admit(&actor("b")).is_ok());
    }

    #[test]
    fn no_limit_is_no_limit() {
        let limiter = Limiter::new(0);
        assert!((0..10_000).all(|_| limiter.admit(&actor("a")).is_ok()));
    }

    #[test]
    fn an_address_that_fails_too_often_is_told_to_wait() {
        let limiter = Limiter::new(50);
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
