//! A worker that dies after the vendor was told and before that was kept: whatever the step, there is one inquiry.

use kyc_core::usecase::Providers;
use kyc_tests::app::TestApp;
use kyc_tests::app::deadly::Death;
use kyc_tests::vendor::persona::ADAS;

use super::*;

#[test]
fn a_worker_killed_after_any_step_leaves_one_inquiry_and_a_verified_customer() {
    for calls_before in 0..3 {
        let persona = Persona::start();
        persona.be_quick();
        let config = config(&persona);
        let death = Death::after(calls_before);
        let dying = death.clone();
        let make = move |clock| {
            let provider = PersonaProvider::new(&config, clock).unwrap();
            Providers::one(Arc::new(dying.of(Arc::new(provider))))
        };
        let app = TestApp::builder().providers(make).start();
        app.register("cus-1", ADAS.number);
        app.work_until(&death);
        let told_before = persona.server().received().len();
        assert_eq!(told_before, calls_before + 1);
        // The lease of the dead runs out, and another worker takes over.
        app.advance(31);
        app.run_to_the_end("cus-1");
        assert_eq!(app.standing("cus-1"), "verified", "after {calls_before} calls");
        assert_eq!(persona.inquiries().len(), 1, "after {calls_before} calls");
        assert!(persona.server().received().len() > told_before);
    }
}
