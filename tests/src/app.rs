//! A service in this process: real HTTP on a loopback port, real `SQLite`, a real cipher and the sandbox as a
//! provider over real HTTP. Only the time is the test's own.
//!
//! Every test checks more than it says. Each answer is held against the API's document, and each one of 400 and
//! more must be a problem ([`Reply`]). When the service goes, its audit chain must hold, every change of status
//! must have its event, and the counters must equal a recount ([`ledger`]).
//!
//! By default no worker runs and nothing waits: a test calls [`TestApp::run_due`] and [`TestApp::advance`].

mod client;
pub mod customers;
pub mod deadly;
pub mod document;
pub mod files;
pub mod fleet;
pub mod ledger;
pub mod outage;
pub mod reply;

use std::collections::BTreeSet;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kyc_adapters::cipher::{Keyring, RingCipher};
use kyc_adapters::entropy::SystemEntropy;
use kyc_adapters::provider::{HttpProvider, HttpProviderConfig, SigningKeys};
use kyc_adapters::sandbox::Sandbox;
use kyc_adapters::sqlite::{SqliteConfig, SqliteStore};
use kyc_core::domain::actor::Actor;
use kyc_core::domain::ids::ProviderName;
use kyc_core::domain::policy::Policy;
use kyc_core::domain::schedule::RetryPolicy;
use kyc_core::fakes::{FakeClock, FakeEntropy, MemoryLedger};
use kyc_core::ports::Clock;
use kyc_core::usecase::{Ports, Providers, Ran};
use kyc_core::{Kyc, Secret};
use kyc_server::api::auth::BootstrapKey;
use kyc_server::api::limits::Rates;
use kyc_server::config::KeyringSource;
use kyc_server::operator::keyring::HeldKeyring;
use kyc_server::operator::{Operation, Tools, execute};
use kyc_server::serve::{Front, Limits, serve};
use kyc_server::service::{Parts, Service};
use kyc_server::worker::{Pulse, WorkerSettings};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;

pub use self::client::Call;
use self::outage::Relay;
pub use self::reply::Reply;

/// The API key of every test service.
pub const KEY: &str = "test-key-0123456789-0123456789-01";

/// The tries of a call of the provider before a person decides, in every test service: those of the sandbox.
const TRIES: u32 = 4;

/// What a test service is made with.
#[derive(Debug, Clone)]
pub struct Builder {
    policy: Policy,
    workers: u32,
    workers_are_dead: bool,
    rates: Rates,
    front: Front,
    starting_at: Timestamp,
    providers: Option<MakeProviders>,
}

/// Makes the providers of a service, which go by its clock.
#[derive(Clone)]
struct MakeProviders(Arc<dyn Fn(Arc<dyn Clock>) -> Providers + Send + Sync>);

impl fmt::Debug for MakeProviders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MakeProviders")
    }
}

impl Default for Builder {
    fn default() -> Self {
        let retry = RetryPolicy { tries: TRIES, ..RetryPolicy::default() };
        Self {
            policy: Policy { retry, ..Policy::default() },
            workers: 0,
            workers_are_dead: false,
            rates: Rates::default(),
            front: Front::default(),
            starting_at: FakeClock::START,
            providers: None,
        }
    }
}

impl Builder {
    /// Changes the policy.
    #[must_use]
    pub fn policy(mut self, change: impl FnOnce(&mut Policy)) -> Self {
        change(&mut self.policy);
        self
    }

    /// Runs workers, with so many verifications in flight at once.
    #[must_use]
    pub const fn workers(mut self, in_flight: u32) -> Self {
        self.workers = in_flight;
        self
    }

    /// Has workers in the wiring that never ran, as after a panic of theirs.
    #[must_use]
    pub const fn dead_workers(mut self) -> Self {
        self.workers = 1;
        self.workers_are_dead = true;
        self
    }

    /// Lets a key make so many requests a second; by default there is no limit.
    #[must_use]
    pub const fn rate_limit(mut self, per_second: u32) -> Self {
        self.rates.key = per_second;
        self
    }

    /// Lets an address make so many requests without a valid key in a second; by default there is no limit.
    #[must_use]
    pub const fn address_rate_limit(mut self, per_second: u32) -> Self {
        self.rates.address = per_second;
        self
    }

    /// Changes what stands between the clients and the service.
    #[must_use]
    pub fn front(mut self, change: impl FnOnce(&mut Front)) -> Self {
        change(&mut self.front);
        self
    }

    /// Changes the bounds of connections.
    #[must_use]
    pub fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.front.limits);
        self
    }

    /// Has the clock stand at another time.
    #[must_use]
    pub const fn starting_at(mut self, time: Timestamp) -> Self {
        self.starting_at = time;
        self
    }

    /// Has other providers in the sandbox's place.
    #[must_use]
    pub fn providers(mut self, make: impl Fn(Arc<dyn Clock>) -> Providers + Send + Sync + 'static) -> Self {
        self.providers = Some(MakeProviders(Arc::new(make)));
        self
    }

    /// Starts the service.
    #[must_use]
    pub fn start(self) -> TestApp {
        TestApp::started(self)
    }
}

/// A service in this process, for one test.
pub struct TestApp {
    address: SocketAddr,
    agent: ureq::Agent,
    clock: FakeClock,
    entropy: FakeEntropy,
    kyc: Kyc,
    pulse: Pulse,
    store: Arc<SqliteStore>,
    ledger: MemoryLedger,
    operator: Tools,
    sandbox: Arc<Sandbox>,
    provider: Relay,
    stop: Option<watch::Sender<()>>,
    served: Option<JoinHandle<()>>,
    runtime: Arc<Runtime>,
    folder: TempDir,
    seen: Mutex<BTreeSet<(String, String, u16)>>,
}

impl TestApp {
    /// A service with the default policy and without workers.
    #[must_use]
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// What a service is made with, to be changed.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn started(builder: Builder) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = Arc::new(runtime.unwrap());
        let folder = tempfile::tempdir().unwrap();
        let clock = FakeClock::starting_at(builder.starting_at);
        let entropy = FakeEntropy::new();

        let keyring_file = folder.path().join("keyring.json");
        let keyring = Keyring::create(&keyring_file, &SystemEntropy::new(), clock.now()).unwrap();
        let cipher = Arc::new(RingCipher::new(&keyring).unwrap());
        let _within = runtime.enter();
        let store = Arc::new(SqliteStore::open(SqliteConfig::new(folder.path().join("data"))).unwrap());

        let keys = SigningKeys::new(&[Secret::new(vec![7; 32])]).unwrap();
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let bind = Sandbox::bind((Ipv4Addr::LOCALHOST, 0), keys.clone(), Arc::clone(&shared));
        let sandbox = Arc::new(runtime.block_on(bind).unwrap());
        let relay = Relay::start(sandbox.local_addr());
        let name = ProviderName::parse("sandbox").unwrap();
        let config = HttpProviderConfig::new(name, format!("http://{}", relay.address()), keys);
        let sandboxed = HttpProvider::new(&config, Arc::clone(&shared)).unwrap();
        let providers = match &builder.providers {
            Some(MakeProviders(make)) => make(Arc::clone(&shared)),
            None => Providers::one(Arc::new(sandboxed)),
        };

        let ledger = MemoryLedger::new();
        let key = Secret::new(KEY.to_owned());
        let parts = Parts {
            ports: Ports {
                store: Arc::clone(&store) as _,
                providers,
                clock: shared,
                cipher: Arc::clone(&cipher) as _,
                entropy: Arc::new(entropy.clone()),
            },
            policy: builder.policy,
            bootstrap: BootstrapKey::new(&key, "bootstrap").unwrap(),
            rates: builder.rates,
            workers: (builder.workers > 0).then(|| WorkerSettings::new(builder.workers)),
            // A test that is about checkpoints has a process of its own.
            checkpoints: None,
            front: builder.front.clone(),
            ledger: Some(Arc::new(ledger.clone())),
        };
        let service = Service::of(parts);
        let (kyc, pulse) = (service.kyc.clone(), service.pulse.clone());

        let keyring = HeldKeyring::new(
            KeyringSource::File(keyring_file),
            keyring,
            cipher,
            Arc::new(SystemEntropy::new()),
            Arc::new(clock.clone()),
        );
        let operator = Tools { kyc: kyc.clone(), store: Arc::clone(&store) as _, keyring: Arc::new(keyring) };

        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopping) = watch::channel(());
        let served = {
            let (runtime, sandbox) = (Arc::clone(&runtime), Arc::clone(&sandbox));
            let (front, dead) = (builder.front, builder.workers_are_dead);
            std::thread::spawn(move || {
                runtime.block_on(async {
                    let checks = tokio::spawn({
                        let stopping = stopping.clone();
                        async move { sandbox.serve(stopped(stopping)).await }
                    });
                    if dead {
                        serve(listener, service.endpoint(), front, stopped(stopping)).await.unwrap();
                    } else {
                        service.run(listener, stopped(stopping)).await.unwrap();
                    }
                    checks.await.unwrap();
                });
            })
        };
        Self {
            address,
            agent: client::agent(),
            clock,
            entropy,
            kyc,
            pulse,
            store,
            ledger,
            operator,
            sandbox,
            provider: relay,
            stop: Some(stop),
            served: Some(served),
            runtime,
            folder,
            seen: Mutex::default(),
        }
    }

    /// Where the service listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The folder of the database.
    #[must_use]
    pub fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    /// The folder of everything that the service keeps.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The store behind the service.
    #[must_use]
    pub fn store(&self) -> &SqliteStore {
        &self.store
    }

    /// The ledger of erasures beside the store.
    #[must_use]
    pub const fn erasure_ledger(&self) -> &MemoryLedger {
        &self.ledger
    }

    /// The use cases behind the service.
    #[must_use]
    pub const fn kyc(&self) -> &Kyc {
        &self.kyc
    }

    /// What commands of the operator work with.
    #[must_use]
    pub const fn operator(&self) -> &Tools {
        &self.operator
    }

    /// Does what the operator asks for, as the socket's other end would: the lines that are printed, or the
    /// words of a refusal.
    ///
    /// # Errors
    /// The words of a refusal.
    pub fn operate(&self, operation: Operation) -> Result<Vec<String>, String> {
        let actor = Actor::operator(0);
        self.block_on(execute(operation, &self.operator, &actor, &|_| {}))
            .map_err(|not_done| not_done.to_string())
    }

    /// The sandbox, which counts submissions.
    #[must_use]
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// The source of ids and jitter.
    #[must_use]
    pub const fn entropy(&self) -> &FakeEntropy {
        &self.entropy
    }

    /// Waits for something of the service's own.
    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// The time by the service's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Today by the service's clock, UTC.
    #[must_use]
    pub fn today(&self) -> jiff::civil::Date {
        jiff::tz::Offset::UTC.to_datetime(self.now()).date()
    }

    /// Moves the clock, and has workers look at once.
    pub fn advance(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
        self.pulse.wake();
    }

    /// Moves the clock to a time, and has workers look at once.
    pub fn set_time(&self, time: Timestamp) {
        self.clock.set(time);
        self.pulse.wake();
    }

    /// Whether the provider can be reached from now on.
    pub fn set_provider_down(&self, down: bool) {
        self.provider.set_open(!down);
    }

    /// Runs what is due until nothing is, and tells what became of each.
    ///
    /// # Panics
    /// Where a port fails, or the queue does not run empty.
    pub fn run_due(&self) -> Vec<Ran> {
        let mut all = Vec::new();
        for _ in 0..1000 {
            let ran = self.block_on(self.kyc.run_due_verifications(100)).unwrap();
            if ran.is_empty() {
                return all;
            }
            all.extend(ran);
        }
        panic!("verifications stay due at a time that stands still: {all:?}");
    }

    /// Goes on in time to when the customer's verification is taken up next, and runs it, until it has ended.
    ///
    /// # Panics
    /// Where it does not end.
    #[track_caller]
    pub fn run_to_the_end(&self, id: &str) {
        for _ in 0..100 {
            self.run_due();
            match self.status(id).json["next_attempt_at"].as_str() {
                None => return,
                // It is told to the millisecond, and kept more finely.
                Some(next) => {
                    self.set_time(next.parse::<Timestamp>().unwrap() + SignedDuration::from_millis(1));
                }
            }
        }
        panic!("the verification does not end");
    }

    /// Starts the next verification of those whose decision has run out, and tells of how many.
    pub fn renew(&self) -> u32 {
        self.block_on(self.kyc.renew_expired(1000)).unwrap()
    }

    /// Erases those whose retention has ended, as the job does, and tells whom.
    ///
    /// # Panics
    /// Where a port fails.
    #[must_use]
    pub fn erase_due(&self) -> Vec<String> {
        let job = Actor::system("retention");
        let erased = self.block_on(self.kyc.erase_due(&job, |_, _| {})).unwrap();
        erased.iter().map(|one| one.customer_id.to_string()).collect()
    }

    /// Closes the store under the service, so that writes fail and reads go on.
    pub fn close_store(&self) {
        self.block_on(self.store.close());
    }
}

async fn stopped(mut stopping: watch::Receiver<()>) {
    // An error says that the sender is gone, which is the signal.
    while stopping.changed().await.is_ok() {}
}

impl Drop for TestApp {
    fn drop(&mut self) {
        // Idle connections of ours would have the service wait for us to close them.
        self.agent = client::agent();
        drop(self.stop.take());
        let ended = self.served.take().is_none_or(|served| served.join().is_ok());
        // A test that fails has said why; a second panic would only hide it.
        if std::thread::panicking() {
            return;
        }
        assert!(ended, "the service ended in a panic");
        let audited = self.runtime.block_on(ledger::read(&*self.store));
        ledger::check(&audited);
        self.runtime.block_on(async {
            let closed = tokio::time::timeout(Duration::from_secs(20), self.store.close()).await;
            assert!(closed.is_ok(), "the store did not close");
        });
    }
}
