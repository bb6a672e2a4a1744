//! KYC inside an application of one's own, durable and encrypted: `SQLite`, ring, the system's clock and
//! entropy, and the sandbox as the provider.
//!
//! Run it with `cargo run -p kyc-adapters --example embed_sqlite`. It leaves its data in `./kyc-example`.

use std::error::Error;
use std::io::{Write, stdout};
use std::path::Path;
use std::sync::Arc;

use kyc_adapters::cipher::{Keyring, RingCipher};
use kyc_adapters::clock::SystemClock;
use kyc_adapters::entropy::SystemEntropy;
use kyc_adapters::provider::{HttpProvider, HttpProviderConfig, SigningKeys};
use kyc_adapters::sandbox::Sandbox;
use kyc_adapters::sqlite::{SqliteConfig, SqliteStore};
use kyc_core::domain::actor::Actor;
use kyc_core::domain::customer::{AddressForm, CustomerForm, DocumentForm};
use kyc_core::domain::ids::{CustomerId, ProviderName};
use kyc_core::domain::policy::Policy;
use kyc_core::ports::{Clock, Entropy};
use kyc_core::usecase::{Ports, Providers, Register, RegisterError};
use kyc_core::{Kyc, Secret};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new("kyc-example");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());

    // The store makes the folder; the keyring lies beside the database here, and elsewhere in production.
    let store = Arc::new(SqliteStore::open(SqliteConfig::new(folder))?);
    let keys = folder.join("keyring.json");
    let keyring =
        if keys.exists() { Keyring::load(&keys)? } else { Keyring::create(&keys, &*entropy, clock.now())? };

    // Any server that speaks the contract of openapi/provider.json can stand in the sandbox's place.
    let mut secret = vec![0; 32];
    entropy.fill(&mut secret)?;
    let signing = SigningKeys::new(&[Secret::new(secret)])?;
    let sandbox = Sandbox::bind("127.0.0.1:0", signing.clone(), Arc::clone(&clock)).await?;
    let url = format!("http://{}", sandbox.local_addr());
    let serving = tokio::spawn(async move { sandbox.serve(std::future::pending()).await });
    let provider = HttpProviderConfig::new(ProviderName::parse("sandbox")?, &url, signing);

    let ports = Ports {
        store: Arc::clone(&store) as _,
        providers: Providers::one(Arc::new(HttpProvider::new(&provider, Arc::clone(&clock))?)),
        clock,
        cipher: Arc::new(RingCipher::new(&keyring)?),
        entropy,
    };
    let kyc = Kyc::new(ports, Policy::default());
    let actor = Actor::admin("example")?;
    let mut out = stdout();

    let request = Register { customer_id: Some("cus-1001".into()), form: ada(), ..Register::default() };
    match kyc.register(&actor, request).await {
        Ok(_) => writeln!(out, "registered, and durable")?,
        Err(RegisterError::IdTaken) => writeln!(out, "registered by an earlier run")?,
        Err(error) => return Err(error.into()),
    }
    kyc.run_due_verifications(10).await?;
    let status = kyc.status(&actor, &CustomerId::parse("cus-1001")?).await?;
    writeln!(out, "{:?} by {}", status.status, status.provider)?;

    serving.abort();
    store.close().await;
    Ok(())
}

fn ada() -> CustomerForm {
    CustomerForm {
        name: Some("Ada Lovelace".into()),
        email: Some("ada@example.com".into()),
        phone_number: Some("+442079460958".into()),
        date_of_birth: Some("1990-12-10".into()),
        address: Some(AddressForm {
            line1: Some("12 St James's Square".into()),
            city: Some("London".into()),
            postal_code: Some("SW1Y 4JH".into()),
            country: Some("GB".into()),
            ..AddressForm::default()
        }),
        identity_document: Some(DocumentForm {
            document_type: Some("passport".into()),
            number: Some("925076473".into()),
            issuing_country: Some("GB".into()),
            expires_on: Some("2031-05-01".into()),
            ..DocumentForm::default()
        }),
        ..CustomerForm::default()
    }
}
