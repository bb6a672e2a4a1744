//! A worker that dies after a provider was told and before that was kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use kyc_core::domain::field::Field;
use kyc_core::domain::ids::{ProviderName, VerificationId};
use kyc_core::ports::IdentityProvider;
use kyc_core::ports::provider::{
    Callback, CallbackError, CallbackNews, Forgotten, Progress, ProviderError, Step, Submission,
};
use tokio::sync::Notify;

use super::TestApp;

/// A provider one call of which is answered to nobody: its caller dies. Clones share the count of calls.
#[derive(Clone)]
pub struct Deadly {
    provider: Arc<dyn IdentityProvider>,
    death: Death,
}

/// When the caller of a [`Deadly`] provider dies.
#[derive(Debug, Clone)]
pub struct Death {
    calls_left: Arc<AtomicUsize>,
    came: Arc<Notify>,
}

impl Death {
    /// After so many calls, in the next one.
    #[must_use]
    pub fn after(calls: usize) -> Self {
        Self { calls_left: Arc::new(AtomicUsize::new(calls)), came: Arc::default() }
    }

    /// The provider whose caller dies.
    #[must_use]
    pub fn of(&self, provider: Arc<dyn IdentityProvider>) -> Deadly {
        Deadly { provider, death: self.clone() }
    }
}

impl TestApp {
    /// Takes verifications step by step, and moves the time on where none is due, until the worker dies. What it was
    /// about is dropped, as everything of a killed process is.
    ///
    /// # Panics
    /// Where it does not die.
    pub fn work_until(&self, death: &Death) {
        self.block_on(async {
            let work = async {
                for _ in 0..200 {
                    match self.kyc().claim_due(1).await.unwrap().pop() {
                        Some(claimed) => drop(self.kyc().run(claimed).await.unwrap()),
                        None => self.advance(60),
                    }
                }
                panic!("the worker lives");
            };
            tokio::select! { () = work => {}, () = death.came.notified() => {} }
        });
    }
}

#[async_trait]
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
        if self.death.calls_left.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.death.came.notify_one();
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
