//! KYC inside an application of one's own, over the in-memory ports: register, verify, change, report.
//!
//! Run it with `cargo run -p kyc-core --features fakes --example embed`.

use std::error::Error;
use std::io::{Write, stdout};
use std::sync::Arc;

use kyc_core::Kyc;
use kyc_core::domain::actor::Actor;
use kyc_core::domain::customer::{AddressForm, CustomerForm, CustomerUpdate, DocumentForm, Patch};
use kyc_core::domain::discrepancy::{Code, Discrepancy};
use kyc_core::domain::ids::CustomerId;
use kyc_core::domain::policy::Policy;
use kyc_core::fakes::{FakeCipher, FakeClock, FakeEntropy, FakeProvider, MemoryStore};
use kyc_core::ports::Clock;
use kyc_core::ports::provider::Outcome;
use kyc_core::usecase::{Ports, Providers, Register, RegisterError, Update};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // One handle over the ports. Each of them can be an implementation of your own.
    let (provider, clock) = (FakeProvider::new(), FakeClock::new());
    let ports = Ports {
        store: Arc::new(MemoryStore::new()),
        providers: Providers::one(Arc::new(provider.clone())),
        clock: Arc::new(clock.clone()),
        cipher: Arc::new(FakeCipher::new()),
        entropy: Arc::new(FakeEntropy::new()),
    };
    let kyc = Kyc::new(ports, Policy { minimum_age: 21, ..Policy::default() });
    let actor = Actor::admin("example")?;
    let mut out = stdout();

    // Everything that is wrong comes back at once, each with its place and a stable code.
    let empty = Register { customer_id: Some("cus-1001".into()), ..Register::default() };
    if let Err(RegisterError::Invalid(faults)) = kyc.register(&actor, empty).await {
        writeln!(out, "{} faults, the first: {}", faults.as_slice().len(), faults.as_slice()[0].pointer)?;
    }

    let request = Register { customer_id: Some("cus-1001".into()), form: ada(), ..Register::default() };
    let customer = kyc.register(&actor, request).await?;
    writeln!(out, "registered: {:?}", customer.status)?;

    // A worker of yours calls this; the fake provider answers clear unless it is told otherwise.
    kyc.run_due_verifications(10).await?;
    let id = CustomerId::parse("cus-1001")?;
    writeln!(out, "verified:   {:?}", kyc.status(&actor, &id).await?.status)?;

    // A new name is stored, and verified again.
    let mismatch = vec![Discrepancy::of(Code::MismatchName)];
    provider.answer_with(Ok(FakeProvider::done(Outcome::Consider, mismatch)));
    let update = CustomerUpdate { name: Patch::Set("Ada King".into()), ..CustomerUpdate::default() };
    let updated = kyc.update(&actor, &id, Update { update, ..Update::default() }).await?;
    writeln!(out, "changed:    verified again: {}", updated.reverification.required)?;
    kyc.run_due_verifications(10).await?;
    let status = kyc.status(&actor, &id).await?;
    writeln!(out, "now:        {:?}, {}", status.status, status.discrepancies[0].code)?;

    let today = jiff::tz::Offset::UTC.to_datetime(clock.now()).date();
    let report = kyc.report(&actor, today, today).await?;
    writeln!(out, "report:     {} customer, {} pending", report.total, report.statuses.pending)?;
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
