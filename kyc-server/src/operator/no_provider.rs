//! The provider of a command that runs by itself: it verifies nobody, so it asks none.

use async_trait::async_trait;
use kyc_core::domain::field::Field;
use kyc_core::domain::ids::{ProviderName, VerificationId};
use kyc_core::ports::IdentityProvider;
use kyc_core::ports::provider::{
    Callback, CallbackError, CallbackNews, Forgotten, Progress, ProviderError, Step, Submission,
};

/// A provider that is never there. Without workers nobody asks it; and if, what it says changes nothing.
#[derive(Debug)]
pub struct NoProvider(pub ProviderName);

#[async_trait]
impl IdentityProvider for NoProvider {
    fn name(&self) -> ProviderName {
        self.0.clone()
    }

    fn discloses(&self) -> Vec<Field> {
        Vec::new()
    }

    async fn advance<'a>(&self, _: &'a Submission, _: Option<&'a Progress>) -> Result<Step, ProviderError> {
        Err(ProviderError::Transient)
    }

    fn read_callback(&self, _: &Callback) -> Result<CallbackNews, CallbackError> {
        Err(CallbackError::Unsupported)
    }

    async fn forget<'a>(
        &self,
        _: VerificationId,
        _: Option<&'a Progress>,
    ) -> Result<Forgotten, ProviderError> {
        Err(ProviderError::Transient)
    }
}
