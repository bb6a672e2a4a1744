//! The service: its parts put together, the endpoint before them, and what runs beside it.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use kyc_core::Kyc;
use kyc_core::domain::policy::Policy;
use kyc_core::ports::ErasureLedger;
use kyc_core::ports::store::AuditReads;
use kyc_core::usecase::Ports;
use poem::{Endpoint, EndpointExt, Response, Route};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::api::auth::{Authenticate, BootstrapKey, Keys};
use crate::api::limits::{Limiter, Rates};
use crate::api::routes::Routes;
use crate::api::service::Document;
use crate::api::{self, Apis};
use crate::checkpoints::Checkpoints;
use crate::jobs;
use crate::operator::Tools;
use crate::operator::keyring::HeldKeyring;
use crate::operator::socket::Operators;
use crate::retention::keep;
use crate::serve::{Around, Front, REQUEST_TIME, layered, serve};
use crate::worker::{Pulse, WorkerSettings, work};

/// How often it is written down when keys were used.
const KEY_USES: Duration = Duration::from_mins(1);

/// What a service is made of.
pub struct Parts {
    /// The ports.
    pub ports: Ports,
    /// The policy.
    pub policy: Policy,
    /// The operator's own key; the others are in the store.
    pub bootstrap: BootstrapKey,
    /// The limits of requests.
    pub rates: Rates,
    /// The workers; none where this process runs none.
    pub workers: Option<WorkerSettings>,
    /// What signs checkpoints of the audit log; none where nobody does.
    pub checkpoints: Option<Checkpoints>,
    /// What stands between the clients and the service.
    pub front: Front,
    /// Where erasures are noted outside the store; nowhere where there is none.
    pub ledger: Option<Arc<dyn ErasureLedger>>,
}

/// A service: the use cases, the workers over them, and the endpoint before them.
pub struct Service {
    /// The use cases.
    pub kyc: Kyc,
    /// Wakes the workers.
    pub pulse: Pulse,
    /// Who holds which API key.
    pub keys: Arc<Keys>,
    ports: Ports,
    workers: Option<WorkerSettings>,
    front: Front,
    limiter: Arc<Limiter>,
    operators: Option<(Operators, Arc<HeldKeyring>)>,
    checkpoints: Option<Checkpoints>,
}

impl Service {
    /// Puts the parts together.
    #[must_use]
    pub fn of(parts: Parts) -> Self {
        let Parts { ports, policy, bootstrap, rates, workers, front, checkpoints, ledger } = parts;
        let pulse = Pulse::default();
        let wake = pulse.clone();
        let mut kyc = Kyc::new(ports.clone(), policy).on_queued(move || wake.wake());
        if let Some(ledger) = ledger {
            kyc = kyc.with_erasure_ledger(ledger);
        }
        let keys = Arc::new(Keys::new(bootstrap, kyc.clone(), Arc::clone(&ports.clock)));
        let limiter = Arc::new(Limiter::new(rates));
        Self { kyc, pulse, keys, ports, workers, front, limiter, operators: None, checkpoints }
    }

    /// Has commands of the operator done as well, also those on this keyring.
    #[must_use]
    pub fn with_operators(mut self, operators: Operators, keyring: Arc<HeldKeyring>) -> Self {
        self.operators = Some((operators, keyring));
        self
    }

    /// Everything that HTTP can ask, with its document at `/openapi.json` and Swagger UI at `/docs`.
    #[must_use]
    pub fn endpoint(&self) -> impl Endpoint<Output = Response> + 'static {
        let document = Document { json: api::document(), page: api::swagger_ui() };
        let pulse = self.workers.map(|_| self.pulse.clone());
        let keys: Arc<dyn Authenticate> = Arc::clone(&self.keys) as _;
        let routes = Route::new()
            .nest("/", api::service())
            .data(self.kyc.clone())
            .data(pulse)
            .data(keys)
            .data(Arc::clone(&self.limiter))
            .data(Arc::clone(&self.ports.clock))
            .data(Arc::new(document));
        let around = Around {
            entropy: Arc::clone(&self.ports.entropy),
            deadline: REQUEST_TIME,
            limiter: Arc::clone(&self.limiter),
            front: self.front.clone(),
        };
        layered(routes, Routes::of::<Apis>(), around)
    }

    /// Serves and works until `shutdown`, then finishes what is in flight.
    ///
    /// # Errors
    /// Where the listener fails.
    pub async fn run(mut self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let (stop, stopping) = watch::channel(());
        let uses = tokio::spawn(record_key_uses(Arc::clone(&self.keys), stopped(stopping.clone())));
        let forgetting =
            tokio::spawn(jobs::forget_expired_records(self.kyc.clone(), stopped(stopping.clone())));
        let others_forget =
            tokio::spawn(jobs::have_providers_forget(self.kyc.clone(), stopped(stopping.clone())));
        let sweeping = tokio::spawn(jobs::forget_uploads(self.kyc.clone(), stopped(stopping.clone())));
        let workers = self.workers.map(|settings| {
            let (kyc, pulse) = (self.kyc.clone(), self.pulse.clone());
            let clock = Arc::clone(&self.ports.clock);
            tokio::spawn(work(kyc, clock, pulse, settings, stopped(stopping.clone())))
        });
        let keeping = tokio::spawn(keep(self.kyc.clone(), stopped(stopping.clone())));
        let operators = self.operators.take().map(|(operators, keyring)| {
            let tools = Tools { kyc: self.kyc.clone(), store: Arc::clone(&self.ports.store), keyring };
            tokio::spawn(operators.serve(tools, stopped(stopping.clone())))
        });
        let (reads, clock) = (Arc::clone(&self.ports.store), Arc::clone(&self.ports.clock));
        let checkpoints = self.checkpoints.take().map(|checkpoints| {
            let reads: Arc<dyn AuditReads> = Arc::clone(&reads) as _;
            tokio::spawn(checkpoints.run(reads, Arc::clone(&clock), stopped(stopping.clone())))
        });
        let served = async {
            shutdown.await;
            drop(stop);
        };
        let serving = serve(listener, self.endpoint(), self.front.clone(), stopped(stopping));
        let ((), result) = tokio::join!(served, serving);
        if let Some(workers) = workers
            && workers.await.is_err()
        {
            tracing::error!("the workers ended in a panic");
        }
        drop(uses.await);
        drop(forgetting.await);
        drop(others_forget.await);
        drop(sweeping.await);
        drop(keeping.await);
        if let Some(operators) = operators {
            drop(operators.await);
        }
        self.keys.record_uses().await;
        // Nothing is written any more, so the last checkpoint is of the last event.
        if let Some(checkpoints) = checkpoints
            && let Ok(checkpoints) = checkpoints.await
        {
            checkpoints.finish(&*reads, &*clock).await;
        }
        result
    }
}

/// Writes down once a minute when keys were used.
async fn record_key_uses(keys: Arc<Keys>, shutdown: impl Future<Output = ()>) {
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => return,
            () = tokio::time::sleep(KEY_USES) => keys.record_uses().await,
        }
    }
}

async fn stopped(mut stopping: watch::Receiver<()>) {
    // An error says that the sender is gone, which is the signal.
    while stopping.changed().await.is_ok() {}
}
