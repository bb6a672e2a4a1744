//! The service with Onfido as its provider, over HTTP on both sides.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kyc_core::ports::IdentityProvider;
use kyc_core::usecase::Providers;
use kyc_tests::app::customers::ada;
use kyc_tests::app::deadly::Death;
use kyc_tests::app::files::png;
use kyc_tests::app::{Builder, TestApp};
use kyc_tests::vendor::Fault;
use kyc_tests::vendor::files::{WithFiles, front_back_and_selfie};
use kyc_tests::vendor::onfido::{Onfido, WEBHOOK_TOKEN, event, sign};
use serde_json::json;

/// A service whose provider is Onfido, and the account there.
struct Stage {
    app: TestApp,
    vendor: Arc<OnceLock<Onfido>>,
}

impl Stage {
    fn start() -> Self {
        Self::of(TestApp::builder(), |provider| provider)
    }

    /// A service whose provider is made of the adapter.
    fn of(
        builder: Builder,
        wrap: impl Fn(Arc<dyn IdentityProvider>) -> Arc<dyn IdentityProvider> + Send + Sync + 'static,
    ) -> Self {
        let vendor = Arc::new(OnceLock::new());
        let slot = Arc::clone(&vendor);
        let builder = builder.providers(move |clock| {
            let vendor = slot.get_or_init(|| Onfido::start(Arc::clone(&clock)));
            let provider = WithFiles::new(vendor.provider(clock), front_back_and_selfie());
            Providers::one(wrap(Arc::new(provider)))
        });
        Self { app: builder.start(), vendor }
    }

    /// A service whose customers have what they send.
    fn bare() -> Self {
        let vendor = Arc::new(OnceLock::new());
        let slot = Arc::clone(&vendor);
        let builder = TestApp::builder().providers(move |clock| {
            let vendor = slot.get_or_init(|| Onfido::start(Arc::clone(&clock)));
            Providers::one(Arc::new(vendor.provider(clock)))
        });
        Self { app: builder.start(), vendor }
    }

    fn vendor(&self) -> &Onfido {
        self.vendor.get().unwrap()
    }

    fn register(&self, id: &str, name: &str) {
        // Two with one number would be doubles.
        let number = format!("925{:06}", id.bytes().map(u32::from).sum::<u32>());
        let mut customer = ada(id, &number);
        customer["name"] = json!(name);
        self.app.post("/customers", &customer).expect(201);
    }
}

#[test]
fn each_ending_leads_where_it_must() {
    let stage = Stage::start();
    for (id, name, standing, discrepancies) in [
        ("clear", "Ada Lovelace", "verified", &[][..]),
        ("suspected", "Ada Suspected", "pending in_review", &["authenticity.tampered"]),
        ("rejected", "Ada Rejected", "pending awaiting_customer", &["quality.image_unreadable"]),
        ("caution", "Ada Caution", "pending in_review", &["mismatch.name"]),
        ("withdrawn", "Ada Withdrawn", "pending in_review", &["technical.not_all_checks_completed"]),
        ("unheard", "Ada Unheard", "pending in_review", &["technical.unknown_result"]),
        ("strange", "Ada Strange", "pending in_review", &["technical.unknown_result"]),
    ] {
        stage.register(id, name);
        stage.app.run_to_the_end(id);
        assert_eq!(stage.app.standing(id), standing, "{name}");
        let found: Vec<String> =
            stage.app.status(id).discrepancies().into_iter().map(str::to_owned).collect();
        for code in discrepancies {
            assert!(found.iter().any(|other| other == code), "{name}: {found:?}");
        }
    }
    assert_eq!(stage.vendor().holds(), (7, 21, 7));
}

#[test]
fn what_a_customer_sends_arrives_byte_by_byte_and_starts_the_next_attempt() {
    let stage = Stage::bare();
    stage.register("cus-1", "Ada Lovelace");
    stage.app.run_to_the_end("cus-1");
    assert_eq!(stage.app.standing("cus-1"), "pending awaiting_customer");
    assert_eq!(stage.app.status("cus-1").discrepancies(), ["quality.side_missing"]);
    assert!(stage.vendor().server().received().is_empty(), "nothing has left before there is a picture");
    stage.app.send_file("cus-1", "front", &png()).expect(201);
    stage.app.run_to_the_end("cus-1");
    assert_eq!(stage.app.standing("cus-1"), "verified");
    let requests = stage.vendor().server().received();
    let upload =
        requests.iter().find(|request| request.method == "POST" && request.path() == "/v3.6/documents");
    let body = &upload.unwrap().body;
    assert!(
        body.windows(png().len()).any(|window| window == png()),
        "the picture has arrived as it was sent"
    );
    let erase = "/customers/cus-1?reason=court_order&override_retention=true";
    stage.app.call("DELETE", erase).send().expect(204);
    stage.app.block_on(stage.app.kyc().run_due_forgettings(100)).unwrap();
    assert_eq!(stage.vendor().holds(), (0, 0, 0));
}

#[test]
fn a_check_that_never_ends_is_given_up_and_reviewed() {
    let builder = TestApp::builder().policy(|policy| policy.retry.give_up_after = Duration::from_mins(5));
    let stage = Stage::of(builder, |provider| provider);
    for (id, name) in [("paused", "Ada Paused"), ("awaiting", "Ada Awaiting")] {
        stage.register(id, name);
        stage.app.run_to_the_end(id);
        assert_eq!(stage.app.standing(id), "pending in_review");
        assert_eq!(stage.app.status(id).discrepancies(), ["technical.provider_unavailable"]);
    }
    assert_eq!(stage.vendor().holds().2, 2);
}

#[test]
fn an_outage_between_two_steps_makes_nothing_twice() {
    let stage = Stage::start();
    stage.register("cus-1", "Ada Lovelace");
    stage.vendor().server().fail_where(Fault::Reset, |request| request.method == "POST");
    // Each step is done, and its answer lost.
    for _ in 0..5 {
        stage.app.run_due();
        stage.app.advance(600);
        stage.vendor().server().heal();
        stage.app.run_due();
        stage.vendor().server().fail_where(Fault::Reset, |request| request.method == "POST");
    }
    stage.vendor().server().heal();
    stage.app.run_to_the_end("cus-1");
    assert_eq!(stage.app.standing("cus-1"), "verified");
    assert_eq!(stage.vendor().holds(), (1, 3, 1));
}

#[test]
fn a_vendor_that_is_refused_or_limits_us_is_asked_again() {
    let stage = Stage::start();
    stage.register("cus-1", "Ada Lovelace");
    stage.vendor().server().fail(Fault::Refuse);
    stage.app.run_due();
    assert_eq!(stage.app.standing("cus-1"), "pending queued");
    stage.vendor().server().heal();
    let limit = kyc_tests::vendor::Reply::json(429, &json!({})).header("Retry-After", "120");
    stage.vendor().server().fail(Fault::Answer(limit));
    stage.app.advance(600);
    stage.app.run_due();
    stage.app.advance(119);
    let before = stage.vendor().server().received().len();
    assert_eq!(stage.app.run_due(), [], "two minutes were asked for");
    assert_eq!(stage.vendor().server().received().len(), before);
    stage.vendor().server().heal();
    stage.app.run_to_the_end("cus-1");
    assert_eq!(stage.app.standing("cus-1"), "verified");
}

#[test]
fn a_callback_has_the_check_looked_at_now() {
    let stage = Stage::start();
    stage.register("cus-1", "Ada Lovelace");
    stage.app.run_due();
    assert_eq!(stage.app.standing("cus-1"), "pending with_provider");
    assert_eq!(stage.app.run_due(), [], "the next look is later");
    let check = stage.vendor().checks()[0]["id"].as_str().unwrap().to_owned();
    let body = event(&check).to_string();
    let send = |signature: &str| {
        let call = stage.app.call("POST", "/webhooks/onfido").authorization(None);
        call.header("X-SHA2-Signature", signature).text("application/json", &*body).send()
    };
    send(&sign("another-token-0123456789", body.as_bytes())).expect(401);
    assert_eq!(stage.app.run_due(), []);
    send(&sign(WEBHOOK_TOKEN, body.as_bytes())).expect(200);
    stage.app.run_due();
    assert_eq!(stage.app.standing("cus-1"), "verified");
    // It comes twice, as callbacks do, and once more when all is over.
    send(&sign(WEBHOOK_TOKEN, body.as_bytes())).expect(200);
    assert_eq!(stage.app.run_due(), []);
    assert_eq!(stage.vendor().holds(), (1, 3, 1));
}

#[test]
fn a_worker_that_is_killed_after_any_step_never_makes_a_second_check() {
    for dies_at in 1..=6 {
        let death = Death::after(dies_at - 1);
        let dying = death.clone();
        let stage = Stage::of(TestApp::builder(), move |provider| Arc::new(dying.of(provider)));
        stage.register("cus-1", "Ada Lovelace");
        stage.app.work_until(&death);
        // Its lease runs out, and another goes on.
        stage.app.advance(31);
        stage.app.run_to_the_end("cus-1");
        assert_eq!(stage.app.standing("cus-1"), "verified", "killed after step {dies_at}");
        assert_eq!(stage.vendor().holds(), (1, 3, 1), "killed after step {dies_at}");
    }
}
