//! The use case without HTTP, over the same store and cipher, and the customer whom all arms register.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kyc_core::domain::actor::{Actor, RequestId};
use kyc_core::domain::customer::{AddressForm, CustomerForm, DocumentForm};
use kyc_core::usecase::Register;
use kyc_core::{Kyc, Secret};
use kyc_server::service::Service;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::Result;
use crate::arms::{FILL, data_folder, rate};
use crate::server::wired;

/// What every customer id begins with.
pub(crate) const ID_PREFIX: &str = "bench-";
/// How long tasks are at work before counting begins.
const WARM_UP: Duration = Duration::from_millis(100);

/// The body of a registration.
pub(crate) fn registration_json(id: &str) -> String {
    serde_json::json!({
        "customer_id": id,
        "name": "Ada Lovelace",
        "email": "ada@example.com",
        "phone_number": "+442079460958",
        "date_of_birth": "1990-12-10",
        "address": {
            "line1": "12 St James's Square",
            "city": "London",
            "postal_code": "SW1Y 4JH",
            "country": "GB",
        },
        "identity_document": {
            "type": "passport",
            "number": "925076473",
            "issuing_country": "GB",
            "expires_on": "2099-05-01",
        },
    })
    .to_string()
}

/// The same as the core takes it.
pub(crate) fn registration(id: String) -> Register {
    let text = |text: &str| Some(Secret::from(text));
    let address = AddressForm {
        line1: text("12 St James's Square"),
        city: text("London"),
        postal_code: text("SW1Y 4JH"),
        country: text("GB"),
        ..AddressForm::default()
    };
    let document = DocumentForm {
        document_type: text("passport"),
        number: text("925076473"),
        issuing_country: text("GB"),
        expires_on: text("2099-05-01"),
        ..DocumentForm::default()
    };
    let form = CustomerForm {
        name: text("Ada Lovelace"),
        email: text("ada@example.com"),
        phone_number: text("+442079460958"),
        date_of_birth: text("1990-12-10"),
        address: Some(address),
        identity_document: Some(document),
        ..CustomerForm::default()
    };
    Register { customer_id: Some(id), form, ..Register::default() }
}

/// The actor, within a request as one over HTTP is.
pub(crate) fn actor() -> Result<Actor> {
    Ok(Actor::admin("bootstrap")?.within(RequestId::parse("0123456789abcdef0123456789abcdef")?))
}

/// The same of a person with a name and a passport of its own, whom a decision does not take for another's double.
fn person(id: String) -> Register {
    let mut request = registration(id.clone());
    request.form.name = Some(Secret::new(format!("Ada Lovelace {id}")));
    if let Some(document) = &mut request.form.identity_document {
        document.number = Some(Secret::new(id));
    }
    request
}

/// A service without a server.
pub(crate) struct InProcess {
    runtime: Runtime,
    kyc: Kyc,
    numbers: Arc<AtomicU64>,
    _folder: TempDir,
}

impl InProcess {
    /// Opens a service over a new folder.
    pub(crate) fn start(within: &Path) -> Result<Self> {
        let folder = data_folder(within)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let kyc = runtime.block_on(async {
            let kyc = Service::of(wired(folder.path()).await?.parts).kyc;
            fill(&kyc, FILL).await?;
            Ok::<_, Box<dyn Error + Send + Sync>>(kyc)
        })?;
        Ok(Self { runtime, kyc, numbers: Arc::new(AtomicU64::new(FILL)), _folder: folder })
    }

    /// Has so many tasks register customers for so long, and says how many were registered a second.
    pub(crate) fn register(&self, tasks: usize, window: Duration) -> Result<f64> {
        let begin = Instant::now() + WARM_UP;
        let end = begin + window;
        let registered = self.runtime.block_on(async {
            let mut working = JoinSet::new();
            for _ in 0..tasks {
                working.spawn(until(self.kyc.clone(), Arc::clone(&self.numbers), begin, end));
            }
            let mut registered = 0;
            while let Some(counted) = working.join_next().await {
                registered += counted??;
            }
            Ok::<_, Box<dyn Error + Send + Sync>>(registered)
        })?;
        Ok(rate(registered, window))
    }
}

async fn until(kyc: Kyc, numbers: Arc<AtomicU64>, begin: Instant, end: Instant) -> Result<u64> {
    let actor = actor()?;
    let mut counted = 0;
    loop {
        let id = format!("{ID_PREFIX}{:016}", numbers.fetch_add(1, Ordering::Relaxed));
        kyc.register(&actor, registration(id)).await?;
        let now = Instant::now();
        if now >= end {
            return Ok(counted);
        }
        counted += u64::from(now >= begin);
    }
}

/// Registers `count` people, many at once.
pub(crate) async fn fill(kyc: &Kyc, count: u64) -> Result<()> {
    const AT_ONCE: u64 = 256;
    let mut working: JoinSet<Result<()>> = JoinSet::new();
    for task in 0..AT_ONCE {
        let kyc = kyc.clone();
        working.spawn(async move {
            let actor = actor()?;
            for number in (task..count).step_by(usize::try_from(AT_ONCE)?) {
                kyc.register(&actor, person(format!("{ID_PREFIX}{number:016}"))).await?;
            }
            Ok(())
        });
    }
    while let Some(done) = working.join_next().await {
        done??;
    }
    Ok(())
}
