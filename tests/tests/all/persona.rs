//! Persona: the adapter before a fake of the vendor, by itself and under the whole service.

mod callbacks;
mod faults;
mod flows;
mod kills;
mod outcomes;
mod steps;

use std::sync::Arc;

use kyc_adapters::provider::{PersonaConfig, PersonaProvider};
use kyc_core::contract::provider::submission;
use kyc_core::domain::ids::ProviderName;
use kyc_core::fakes::FakeClock;
use kyc_core::ports::provider::{Answer, Progress, ProviderError, Step};
use kyc_core::ports::{Clock, IdentityProvider};
use kyc_tests::vendor::persona::{KEY, Persona};

/// The secret of the vectors, and of the tests' own callbacks.
const SECRET: &str = "wbhsec_00000000-0000-4000-8000-000000000000";

fn config(persona: &Persona) -> PersonaConfig {
    let name = ProviderName::parse("persona").unwrap();
    let mut config = PersonaConfig::new(name, KEY.into(), "itmpl_Test");
    config.base_url = Some(persona.server().url());
    config.webhook_secrets = vec![SECRET.into()];
    config
}

fn adapter(persona: &Persona, clock: Arc<dyn Clock>) -> PersonaProvider {
    PersonaProvider::new(&config(persona), clock).unwrap()
}

/// The adapter before a fake, and a verification of its own.
struct Attempt {
    persona: Persona,
    clock: FakeClock,
    provider: PersonaProvider,
    progress: Option<Progress>,
}

impl Attempt {
    fn start() -> Self {
        let persona = Persona::start();
        let clock = FakeClock::new();
        let provider = adapter(&persona, Arc::new(clock.clone()));
        Self { persona, clock, provider, progress: None }
    }

    /// An attempt whose customer has a link.
    async fn with_link() -> Self {
        let mut attempt = Self::start();
        assert!(matches!(attempt.step().await, Ok(Step::Save { .. })));
        assert!(matches!(attempt.step().await, Ok(Step::Ask { .. })));
        attempt
    }

    /// One step, whose progress is kept as the core keeps it.
    async fn step(&mut self) -> Result<Step, ProviderError> {
        let step = self.provider.advance(&submission(1), self.progress.as_ref()).await;
        if let Ok(Step::Save { progress, .. } | Step::Ask { progress, .. }) = &step {
            let kept = Progress::new(progress.expose().to_vec()).unwrap();
            self.progress = Some(kept);
        }
        step
    }

    /// Steps until there is an answer.
    async fn answer(&mut self) -> Answer {
        for _ in 0..10 {
            if let Step::Done(answer) = self.step().await.unwrap() {
                return answer;
            }
        }
        panic!("no answer");
    }

    fn inquiry(&self) -> String {
        let [only] = &*self.persona.inquiries() else { panic!("one inquiry") };
        only.clone()
    }
}
