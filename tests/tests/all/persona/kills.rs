//! A worker that dies after the vendor was told and before that was kept: whatever the step, there is one inquiry.

use std::sync::atomic::{AtomicUsize, Ordering};

use kyc_core::domain::field::Field;
use kyc_core::domain::ids::VerificationId;
use kyc_core::ports::provider::{Callback, CallbackError, CallbackNews, Forgotten, Submission};
use kyc_core::usecase::Providers;
use kyc_tests::app::TestApp;
use kyc_tests::vendor::persona::ADAS;
use tokio::sync::Notify;

use super::*;

/// An adapter whose caller dies right after one of the calls.
#[derive(Clone)]
struct Deadly {
    provider: PersonaProvider,
    calls_left: Arc<AtomicUsize>,
    died: Arc<Notify>,
}

#[async_trait::async_trait]
impl IdentityProvider for Deadly {
    fn name(&self) -> ProviderName {
        self.provider.name()
    }

    fn discloses(&self) -> Vec<Field> {
        self.provider.discloses()
    }

    async fn advance<'a>(
        &self,
        submission: &'a Submission,
        progress: Option<&'a Progress>,
    ) -> Result<Step, ProviderError> {
        let step = self.provider.advance(submission, progress).await;
        if self.calls_left.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
        step
    }

    fn read_callback(&self, callback: &Callback) -> Result<CallbackNews, CallbackError> {
        self.provider.read_callback(callback)
    }

    async fn forget<'a>(
        &self,
        verification: VerificationId,
        progress: Option<&'a Progress>,
    ) -> Result<Forgotten, ProviderError> {
        self.provider.forget(verification, progress).await
    }
}

#[test]
fn a_worker_killed_after_any_step_leaves_one_inquiry_and_a_verified_customer() {
    for calls_before in 0..3 {
        let persona = Persona::start();
        persona.be_quick();
        let config = config(&persona);
        let (calls_left, died) = (Arc::new(AtomicUsize::new(calls_before)), Arc::new(Notify::new()));
        let (left, told) = (Arc::clone(&calls_left), Arc::clone(&died));
        let make = move |clock| {
            let provider = PersonaProvider::new(&config, clock).unwrap();
            let (calls_left, died) = (Arc::clone(&left), Arc::clone(&told));
            Providers::one(Arc::new(Deadly { provider, calls_left, died }) as _)
        };
        let app = TestApp::builder().providers(make).start();
        app.register("cus-1", ADAS.number);
        let kyc = app.kyc().clone();
        app.block_on(async {
            loop {
                let Some(claimed) = kyc.claim_due(1).await.unwrap().pop() else {
                    app.advance(900);
                    continue;
                };
                // Whoever waits for the call that never ends is dropped, as everything of a killed process is.
                tokio::select! {
                    ran = kyc.run(claimed) => { ran.unwrap(); }
                    () = died.notified() => break,
                }
            }
        });
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
