//! What the tests share: an account, the adapter, and a verification that goes on by hand.

use std::sync::Arc;

use kyc_adapters::provider::OnfidoProvider;
use kyc_core::contract::provider::submission;
use kyc_core::domain::customer::{AddressForm, ConsentForm, Customer, CustomerForm, DocumentForm};
use kyc_core::fakes::FakeClock;
use kyc_core::ports::IdentityProvider;
use kyc_core::ports::provider::{Answer, Documents, Progress, ProviderError, Step, Submission};
use kyc_tests::vendor::onfido::Onfido;
use tokio::runtime::Runtime;

/// An account, and the adapter on it.
pub(super) struct Bench {
    pub(super) vendor: Onfido,
    pub(super) provider: OnfidoProvider,
    pub(super) clock: FakeClock,
    runtime: Runtime,
}

impl Bench {
    pub(super) fn new() -> Self {
        // The verifications of the contract are of that time.
        let clock = FakeClock::starting_at("2026-01-01T00:00:00Z".parse().unwrap());
        let vendor = Onfido::start(Arc::new(clock.clone()));
        let provider = vendor.provider(Arc::new(clock.clone()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { vendor, provider, clock, runtime }
    }

    pub(super) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub(super) fn step(
        &self,
        submission: &Submission,
        progress: Option<&Progress>,
    ) -> Result<Step, ProviderError> {
        self.wait(self.provider.advance(submission, progress))
    }

    /// Every step to the answer, and what was kept after each.
    #[track_caller]
    pub(super) fn run(&self, submission: &Submission) -> (Answer, Vec<Progress>) {
        let mut kept: Vec<Progress> = Vec::new();
        loop {
            match self.step(submission, kept.last()).unwrap() {
                Step::Done(answer) => return (answer, kept),
                Step::Save { progress, .. } => kept.push(progress),
                Step::Ask { .. } => panic!("Onfido asks the customer for nothing"),
            }
            assert!(kept.len() < 20, "no answer");
        }
    }
}

/// Verification `n` of a customer with these documents.
pub(super) fn verification(n: u32, documents: Documents) -> Submission {
    Submission { documents, ..submission(n) }
}

/// The same of a customer with this name.
pub(super) fn of(name: &str, documents: Documents) -> Submission {
    consenting(name, None, documents)
}

/// The same with a consent to this purpose.
pub(super) fn consenting(name: &str, purpose: Option<&str>, documents: Documents) -> Submission {
    let form = CustomerForm {
        name: Some(name.into()),
        email: Some("ada@example.com".into()),
        phone_number: Some("+442079460958".into()),
        date_of_birth: Some("1990-12-10".into()),
        address: Some(AddressForm {
            line1: Some("12 St James's Square".into()),
            city: Some("London".into()),
            country: Some("GB".into()),
            ..AddressForm::default()
        }),
        identity_document: Some(DocumentForm {
            document_type: Some("driving_licence".into()),
            number: Some("LOVEL912100A99".into()),
            issuing_country: Some("GB".into()),
            ..DocumentForm::default()
        }),
        consents: purpose.map(|purpose| {
            vec![ConsentForm {
                purpose: Some(purpose.into()),
                given_at: Some("2026-01-01T00:00:00Z".into()),
                text_version: Some("1".into()),
            }]
        }),
        ..CustomerForm::default()
    };
    let customer = Customer::parse(form, FakeClock::START).unwrap();
    Submission { customer, ..verification(1, documents) }
}
