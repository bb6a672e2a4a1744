//! Persona from end to end: the service, Prism with the vendor's specification, and the stateful fake behind it.

use std::sync::Arc;
use std::time::Duration;

use kyc_adapters::provider::{PersonaConfig, PersonaProvider};
use kyc_core::domain::ids::ProviderName;
use kyc_core::usecase::Providers;
use kyc_tests::app::TestApp;
use kyc_tests::prism::Prism;
use kyc_tests::vendor::persona::{KEY, Persona, Shown, government_id, passed};
use serde_json::{Value, json};

const SPECIFICATION: &str = "persona-2025-12-08-mock.json";

/// What stands on the specimen licence of `../shared/specs`.
const SPECIMEN: Shown<'_> =
    Shown { first: "JANE SMITH", last: "DOE", birthdate: "1990-01-01", number: "SAMPLE12345ABCDEFGHIJKL 00" };

/// The customer whose licence it is.
fn customer(id: &str) -> Value {
    json!({
        "customer_id": id,
        "name": "Jane Smith Doe",
        "email": "jane@example.com",
        "phone_number": "+442079460958",
        "date_of_birth": "1990-01-01",
        "address": {"line1": "123 Sample Street", "line2": "Flat 1", "city": "London",
                    "region": "Greater London", "postal_code": "XYZ 1AB", "country": "GB"},
        "identity_document": {"type": "driving_licence", "number": "SAMPLE12345ABCDEFGHIJKL00",
                              "issuing_country": "GB", "issued_on": "2012-01-01", "expires_on": "2020-01-01"},
    })
}

/// A service in the years of the licence, before Prism, before the fake.
fn app(prism: &Prism) -> TestApp {
    let mut config = PersonaConfig::new(ProviderName::parse("persona").unwrap(), KEY.into(), "itmpl_Test");
    config.base_url = Some(prism.url());
    // Prism compiles a schema when it meets it first, which takes its time.
    config.timeout = PersonaConfig::MAX_TIMEOUT;
    let make = move |clock| Providers::one(Arc::new(PersonaProvider::new(&config, clock).unwrap()) as _);
    TestApp::builder()
        .providers(make)
        .policy(|policy| policy.retry.tries = 10)
        .starting_at("2015-06-01T12:00:00Z".parse().unwrap())
        .start()
}

/// Goes on in time until the customer stands so.
#[track_caller]
fn go_on_until(app: &TestApp, prism: &Prism, id: &str, standing: &str) {
    for _ in 0..20 {
        app.run_due();
        if app.standing(id) == standing {
            return;
        }
        let status = app.status(id);
        let next = status.json["next_attempt_at"].as_str().map(|next| next.parse().unwrap());
        let ended = || panic!("it ended: {}\n{:?}", status.text, prism.take_violations());
        app.set_time(next.unwrap_or_else(ended));
    }
    panic!("never {standing}: {}", app.status(id).text);
}

#[test]
fn the_customer_of_the_specimen_licence_is_verified_and_nothing_breaks_the_specification() {
    let persona = Persona::start();
    let Some(prism) = Prism::before(persona.address(), SPECIFICATION) else { return };
    let app = app(&prism);
    app.post("/customers", &customer("cus-1")).expect(201);
    go_on_until(&app, &prism, "cus-1", "pending awaiting_customer");
    let status = app.status("cus-1").json;
    let inquiry = persona.visit(status["link"].as_str().unwrap()).unwrap();
    app.advance(60);
    go_on_until(&app, &prism, "cus-1", "pending awaiting_customer");
    persona.set(&inquiry, "completed", passed(SPECIMEN));
    go_on_until(&app, &prism, "cus-1", "verified");
    assert_eq!(persona.inquiries().len(), 1);
    assert!(prism.exchanges() >= 5, "{}", prism.exchanges());
    assert_eq!(prism.take_violations(), Vec::<String>::new());
}

#[test]
fn failed_and_declined_inquiries_and_their_redaction_break_nothing_either() {
    let persona = Persona::start();
    let Some(prism) = Prism::before(persona.address(), SPECIFICATION) else { return };
    let app = app(&prism);
    let forged = || vec![government_id("failed", SPECIMEN, &[("id_tamper_detection", "failed")])];
    for (id, status) in [("cus-1", "failed"), ("cus-2", "declined"), ("cus-3", "expired")] {
        app.post("/customers", &customer(id)).expect(201);
        go_on_until(&app, &prism, id, "pending awaiting_customer");
        let status_now = app.status(id).json;
        let inquiry = persona.visit(status_now["link"].as_str().unwrap()).unwrap();
        persona.set(&inquiry, status, forged());
        go_on_until(&app, &prism, id, "pending in_review");
        assert!(app.status(id).discrepancies().contains(&"authenticity.tampered"), "{status}");
    }
    assert_eq!(prism.take_violations(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn to_forget_breaks_nothing_that_the_specification_has() {
    use kyc_core::contract::provider::submission;
    use kyc_core::fakes::FakeClock;
    use kyc_core::ports::IdentityProvider;
    use kyc_core::ports::provider::{Forgotten, Step};

    let persona = Persona::start();
    let Some(prism) = Prism::before(persona.address(), SPECIFICATION) else { return };
    let mut config = PersonaConfig::new(ProviderName::parse("persona").unwrap(), KEY.into(), "itmpl_Test");
    config.base_url = Some(prism.url());
    config.timeout = Duration::from_secs(8);
    let provider = PersonaProvider::new(&config, Arc::new(FakeClock::new())).unwrap();
    let submission = submission(1);
    let mut made = None;
    // The first answer is slow where the machine is; the key makes the repeat harmless.
    for _ in 0..5 {
        if let Ok(Step::Save { progress, .. }) = provider.advance(&submission, None).await {
            made = Some(progress);
            break;
        }
    }
    let made = made.unwrap_or_else(|| panic!("no inquiry: {:?}", prism.take_violations()));
    for _ in 0..5 {
        // The account is redacted at an address that this excerpt of the specification leaves out, which Prism
        // answers with 404.
        if provider.forget(submission.verification, Some(&made)).await == Ok(Forgotten::Done) {
            break;
        }
    }
    assert!(persona.is_redacted(&persona.inquiries()[0]));
    let violations = prism.take_violations();
    assert!(violations.iter().all(|one| one.contains("/accounts/")), "{violations:?}");
}
