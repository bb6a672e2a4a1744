//! The adapter of Onfido against Onfido's own specification.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kyc_core::domain::document_file::{MediaType, Side};
use kyc_core::domain::ids::VerificationId;
use kyc_core::fakes::FakeClock;
use kyc_core::ports::IdentityProvider;
use kyc_core::usecase::Providers;
use kyc_tests::app::TestApp;
use kyc_tests::app::customers::ada;
use kyc_tests::prism::{Prism, shared};
use kyc_tests::vendor::files::{WithFiles, documents};
use kyc_tests::vendor::onfido::Onfido;
use serde_json::json;

const SPECIFICATION: &str = "onfido-v3.6-mock.json";

/// What is made once the service has a clock.
type Slot<T> = Arc<OnceLock<T>>;

/// A service whose provider is Onfido's fake behind Prism, and both of them; none where there is no specification.
fn stage(sides: &'static [Side]) -> Option<(TestApp, Slot<Onfido>, Slot<Prism>)> {
    let licence = std::fs::read(shared().join("specs/sample_driving_licence.png")).ok()?;
    let (vendor, prism) = (Arc::new(OnceLock::new()), Arc::new(OnceLock::new()));
    let (vendors, prisms) = (Arc::clone(&vendor), Arc::clone(&prism));
    let builder = TestApp::builder().policy(|policy| policy.retry.give_up_after = Duration::from_mins(5));
    let builder = builder.providers(move |clock| {
        let vendor = vendors.get_or_init(|| Onfido::start(Arc::clone(&clock)));
        let url = Prism::before(vendor.server().address(), SPECIFICATION)
            .map_or_else(|| vendor.url(), |prism| prisms.get_or_init(|| prism).url());
        let pictures: Vec<_> = sides.iter().map(|side| (*side, MediaType::Png, licence.as_slice())).collect();
        let provider = WithFiles::new(Onfido::provider_at(url, clock), documents(&pictures));
        Providers::one(Arc::new(provider) as Arc<dyn IdentityProvider>)
    });
    let app = builder.start();
    prism.get()?;
    Some((app, vendor, prism))
}

fn register(app: &TestApp, id: &str, name: &str) {
    // Two with one number would be doubles.
    let number = format!("LOVEL{:06}", id.bytes().map(u32::from).sum::<u32>());
    let mut customer = ada(id, &number);
    customer["name"] = json!(name);
    customer["identity_document"]["type"] = json!("driving_licence");
    customer["consents"] =
        json!([{"purpose": "privacy_notices_read", "given_at": "2026-03-15T11:00:00Z", "text_version": "1"}]);
    app.post("/customers", &customer).expect(201);
}

#[test]
fn a_customer_with_the_specimen_licence_is_verified_and_forgotten() {
    let Some((app, vendor, prism)) = stage(&[Side::Front, Side::Back, Side::Selfie]) else { return };
    let (vendor, prism) = (vendor.get().unwrap(), prism.get().unwrap());
    register(&app, "cus-1", "Ada Lovelace");
    app.run_to_the_end("cus-1");
    let violations = prism.take_violations();
    assert!(violations.is_empty(), "{}", violations.join("\n"));
    assert_eq!(app.standing("cus-1"), "verified");
    assert_eq!(vendor.holds(), (1, 3, 1));
    assert!(prism.exchanges() >= 11, "every call went by Prism: {}", prism.exchanges());

    let clock = Arc::new(FakeClock::starting_at(app.now()));
    let provider = Onfido::provider_at(prism.url(), clock);
    let id = app.verifications("cus-1")[0]["verification_id"].as_str().unwrap().to_owned();
    let verification = VerificationId::parse(&id).unwrap();
    // Nothing that was kept is at hand here, so that the applicant is found by the list.
    app.block_on(provider.forget(verification, None)).unwrap();
    assert_eq!(vendor.holds(), (0, 0, 0));
}

#[test]
fn each_ending_keeps_to_the_specification_in_both_directions() {
    let Some((app, vendor, prism)) = stage(&[Side::Front]) else { return };
    for (id, name, standing) in [
        ("suspected", "Ada Suspected", "pending in_review"),
        ("rejected", "Ada Rejected", "pending awaiting_customer"),
        ("caution", "Ada Caution", "pending in_review"),
        ("withdrawn", "Ada Withdrawn", "pending in_review"),
        ("paused", "Ada Paused", "pending in_review"),
    ] {
        register(&app, id, name);
        app.run_to_the_end(id);
        assert_eq!(app.standing(id), standing, "{name}");
    }
    assert_eq!(vendor.get().unwrap().holds().2, 5);
    let violations = prism.get().unwrap().take_violations();
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn a_status_that_the_specification_does_not_know_is_seen_by_prism_and_verifies_nobody() {
    let Some((app, _vendor, prism)) = stage(&[Side::Front]) else { return };
    register(&app, "cus-1", "Ada Unheard");
    app.run_to_the_end("cus-1");
    assert_eq!(app.standing("cus-1"), "pending in_review");
    let violations = prism.get().unwrap().take_violations();
    assert!(violations.iter().all(|line| line.starts_with("GET /checks/")), "{violations:?}");
    assert!(!violations.is_empty(), "the status is none of the specification's");
}
