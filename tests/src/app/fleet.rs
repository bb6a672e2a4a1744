//! Several sandboxes as the providers of one service, each behind a relay that can fail.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::{Arc, OnceLock};

use kyc_adapters::provider::{HttpProvider, HttpProviderConfig, SigningKeys};
use kyc_adapters::sandbox::{Sandbox, SubmissionCount};
use kyc_core::Secret;
use kyc_core::domain::ids::{ProviderName, VerificationId};
use kyc_core::ports::{Clock, IdentityProvider};
use kyc_core::usecase::Providers;
use tokio::runtime::Handle;

use super::Builder;
use super::outage::{Relay, Wire};

/// Sandboxes of different names, in order of preference. A clone is the same fleet.
#[derive(Clone)]
pub struct Fleet {
    names: &'static [&'static str],
    started: Arc<OnceLock<Vec<Member>>>,
}

struct Member {
    sandbox: Arc<Sandbox>,
    relay: Relay,
}

impl Fleet {
    /// A fleet that starts with the service that it is given to: [`Builder::fleet`].
    #[must_use]
    pub fn new(names: &'static [&'static str]) -> Self {
        Self { names, started: Arc::default() }
    }

    /// Has something else become of connections to a provider from now on; those that are open are cut.
    pub fn set(&self, name: &str, wire: Wire) {
        self.member(name).relay.set(wire);
    }

    /// How often each verification was submitted to a provider.
    #[must_use]
    pub fn submissions(&self, name: &str) -> BTreeMap<VerificationId, SubmissionCount> {
        self.member(name).sandbox.submissions()
    }

    /// Checks that each verification was taken once at most by each provider, and told to one provider only.
    ///
    /// # Panics
    /// Where one was not.
    #[track_caller]
    pub fn check_submissions(&self) {
        let mut told = BTreeSet::new();
        for name in self.names {
            for (verification, count) in self.submissions(name) {
                assert!(count.distinct <= 1 && count.conflicts == 0, "{name}: {count:?}");
                assert!(told.insert(verification), "{verification} was told to two providers");
            }
        }
    }

    fn member(&self, name: &str) -> &Member {
        let index = self.names.iter().position(|other| *other == name).unwrap();
        &self.started.get().expect("the service has started")[index]
    }

    fn start(&self, clock: &Arc<dyn Clock>) -> Providers {
        let runtime = Handle::current();
        let (mut members, mut adapters) = (Vec::new(), Vec::new());
        for name in self.names {
            let keys = SigningKeys::new(&[Secret::new(name.as_bytes().repeat(32))]).unwrap();
            let bind = Sandbox::bind((Ipv4Addr::LOCALHOST, 0), keys.clone(), Arc::clone(clock));
            let sandbox = Arc::new(runtime.block_on(bind).unwrap());
            let relay = Relay::start(sandbox.local_addr());
            let url = format!("http://{}", relay.address());
            let config = HttpProviderConfig::new(ProviderName::parse(name).unwrap(), url, keys);
            let adapter = HttpProvider::new(&config, Arc::clone(clock)).unwrap();
            let adapter: Arc<dyn IdentityProvider> = Arc::new(adapter);
            adapters.push(adapter);
            let serving = Arc::clone(&sandbox);
            runtime.spawn(async move { serving.serve(std::future::pending()).await });
            members.push(Member { sandbox, relay });
        }
        assert!(self.started.set(members).is_ok(), "a fleet is for one service");
        let others = adapters.split_off(1);
        Providers::in_order(adapters.remove(0), others)
    }
}

impl Builder {
    /// Has these sandboxes as providers.
    #[must_use]
    pub fn fleet(self, fleet: &Fleet) -> Self {
        let fleet = fleet.clone();
        self.providers(move |clock| fleet.start(&clock))
    }
}
