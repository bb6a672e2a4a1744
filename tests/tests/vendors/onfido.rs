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

/// The specimen licence; none where it is not there.
fn licence() -> Option<Vec<u8>> {
    std::fs::read(shared().join("specs/sample_driving_licence.png")).ok()
}

/// A service whose provider is Onfido's fake behind Prism, and both of them; none where there is no specification.
/// Every customer has the licence's picture for these sides; where there is none, what was sent counts.
fn stage(sides: &'static [Side]) -> Option<(TestApp, Slot<Onfido>, Slot<Prism>)> {
    let licence = licence().unwrap_or_default();
    let (vendor, prism) = (Arc::new(OnceLock::new()), Arc::new(OnceLock::new()));
    let (vendors, prisms) = (Arc::clone(&vendor), Arc::clone(&prism));
    let builder = TestApp::builder().policy(|policy| policy.retry.give_up_after = Duration::from_mins(5));
    let builder = builder.providers(move |clock| {
        let vendor = vendors.get_or_init(|| Onfido::start(Arc::clone(&clock)));
        let url = Prism::before(vendor.server().address(), SPECIFICATION)
            .map_or_else(|| vendor.url(), |prism| prisms.get_or_init(|| prism).url());
        let pictures: Vec<_> = sides.iter().map(|side| (*side, MediaType::Png, licence.as_slice())).collect();
        let provider = Onfido::provider_at(url, clock);
        let provider: Arc<dyn IdentityProvider> = if pictures.is_empty() {
            Arc::new(provider)
        } else {
            Arc::new(WithFiles::new(provider, documents(&pictures)))
        };
        Providers::one(provider)
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
    let consent =
        |purpose| json!({"purpose": purpose, "given_at": "2026-03-15T11:00:00Z", "text_version": "1"});
    customer["consents"] = json!([consent("privacy_notices_read"), consent("biometric")]);
    app.post("/customers", &customer).expect(201);
}

#[test]
fn a_customer_who_sends_the_specimen_licence_is_verified_and_at_last_forgotten() {
    let Some((app, vendor, prism)) = stage(&[]) else { return };
    let (vendor, prism) = (vendor.get().unwrap(), prism.get().unwrap());
    let licence = licence().expect("the licence lies beside the specification");
    register(&app, "cus-1", "Ada Lovelace");
    app.run_to_the_end("cus-1");
    assert_eq!(app.standing("cus-1"), "pending awaiting_customer");
    assert_eq!(app.status("cus-1").discrepancies(), ["quality.side_missing"]);
    assert_eq!(prism.exchanges(), 0, "nothing has left before there is a picture");

    for side in ["back", "selfie", "front"] {
        app.send_file("cus-1", side, &licence).expect(201);
    }
    app.run_to_the_end("cus-1");
    let violations = prism.take_violations();
    assert!(violations.is_empty(), "{}", violations.join("\n"));
    assert_eq!(app.standing("cus-1"), "verified");
    assert_eq!(vendor.holds(), (1, 3, 1));
    // Prism passes a body on as text, so that the bytes of a picture are compared where it is not between.
    assert!(prism.exchanges() >= 11, "every call went by Prism: {}", prism.exchanges());

    app.call("DELETE", "/customers/cus-1?reason=court_order&override_retention=true").send().expect(204);
    app.block_on(app.kyc().run_due_forgettings(100)).unwrap();
    assert_eq!(vendor.holds(), (0, 0, 0));
}

#[test]
fn an_applicant_of_whom_nothing_was_kept_is_found_by_the_list() {
    let Some((app, vendor, prism)) = stage(&[Side::Front]) else { return };
    register(&app, "cus-1", "Ada Lovelace");
    app.run_to_the_end("cus-1");
    assert_eq!(app.standing("cus-1"), "verified");
    let clock = Arc::new(FakeClock::starting_at(app.now()));
    let provider = Onfido::provider_at(prism.get().unwrap().url(), clock);
    let id = app.verifications("cus-1")[0]["verification_id"].as_str().unwrap().to_owned();
    app.block_on(provider.forget(VerificationId::parse(&id).unwrap(), None)).unwrap();
    assert_eq!(vendor.get().unwrap().holds(), (0, 0, 0));
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
