//! Jobs of the service itself, which run by the time and not for a request.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use kyc_core::Kyc;

/// How often it is looked for records that have expired.
const LOOK: Duration = Duration::from_mins(1);
/// How many records are removed with one commit, so that no request waits long behind it.
const AT_ONCE: u32 = 500;

/// Removes what was recorded under idempotency keys, once it has expired. Until then it counts no more anyway, so
/// that nothing depends on when this runs.
pub async fn forget_expired_records(kyc: Kyc, shutdown: impl Future<Output = ()>) {
    let mut shutdown = pin!(shutdown);
    loop {
        let look = async {
            if let Err(failure) = kyc.forget_expired_records(AT_ONCE).await {
                tracing::warn!(%failure, "records that have expired can't be removed now");
            }
            tokio::time::sleep(LOOK).await;
        };
        tokio::select! {
            biased;
            () = &mut shutdown => return,
            () = look => {}
        }
    }
}

/// How often it is looked for what providers are still to forget.
const FORGET: Duration = Duration::from_secs(10);
/// How many requests to forget are under way at once.
const FORGET_AT_ONCE: u32 = 20;

/// Asks providers to forget whoever was erased here, until each has.
pub async fn have_providers_forget(kyc: Kyc, shutdown: impl Future<Output = ()>) {
    let mut shutdown = pin!(shutdown);
    loop {
        let look = async {
            match kyc.run_due_forgettings(FORGET_AT_ONCE).await {
                Ok(asked) => {
                    for provider in asked.unsupported {
                        tracing::warn!(
                            %provider,
                            "a provider can't be asked to forget somebody who was erased; see to it by contract"
                        );
                    }
                }
                Err(failure) => tracing::warn!(%failure, "providers can't be asked to forget now"),
            }
            tokio::time::sleep(FORGET).await;
        };
        tokio::select! {
            biased;
            () = &mut shutdown => return,
            () = look => {}
        }
    }
}

/// How often it is looked for files that never came to be.
const SWEEP: Duration = Duration::from_mins(10);
/// How many of those are removed with one commit, each of up to 10 MiB.
const SWEPT_AT_ONCE: u32 = 4;

/// Removes the chunks of files whose request ended before the file was whole, an hour later. They are sealed, and
/// nothing reads them.
pub async fn forget_uploads(kyc: Kyc, shutdown: impl Future<Output = ()>) {
    let mut shutdown = pin!(shutdown);
    loop {
        let look = async {
            if let Err(failure) = kyc.forget_uploads(SWEPT_AT_ONCE).await {
                tracing::warn!(%failure, "parts of files that never came to be can't be removed now");
            }
            tokio::time::sleep(SWEEP).await;
        };
        tokio::select! {
            biased;
            () = &mut shutdown => return,
            () = look => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kyc_core::domain::actor::Actor;
    use kyc_core::domain::idempotency::IdempotencyKey;
    use kyc_core::domain::policy::Policy;
    use kyc_core::fakes::{FakeCipher, FakeClock, FakeEntropy, FakeProvider, MemoryStore, sample_customer};
    use kyc_core::ports::store::IdempotencyReads;
    use kyc_core::usecase::{Asked, Ports, Providers, Register, Rendered};

    use super::*;

    #[tokio::test]
    async fn what_has_expired_is_removed_at_the_next_look_until_the_service_stops() {
        let (store, clock) = (MemoryStore::new(), FakeClock::new());
        let ports = Ports {
            store: Arc::new(store.clone()),
            providers: Providers::one(Arc::new(FakeProvider::new())),
            clock: Arc::new(clock.clone()),
            cipher: Arc::new(FakeCipher::new()),
            entropy: Arc::new(FakeEntropy::new()),
        };
        let kyc = Kyc::new(ports, Policy::default());
        let key = IdempotencyKey::parse("k").unwrap();
        let actor = Actor::admin("test").unwrap();
        let asked = Asked { key: &key, method: "POST", path: "/customers", body: b"{}" };
        let under = kyc.under_key(&actor, asked, |_| Rendered {
            status: 201,
            headers: Vec::new(),
            body: b"{}".to_vec().into(),
        });
        let customer =
            Register { customer_id: Some("a".into()), form: sample_customer(), ..Register::default() };
        under.register(&actor, customer).await.unwrap();

        // A service that stops at once has looked at nothing.
        clock.advance(Kyc::RECALLED_FOR);
        forget_expired_records(kyc.clone(), std::future::ready(())).await;
        assert!(store.next_expiry().await.unwrap().is_some());
        let removed = async {
            while store.next_expiry().await.unwrap().is_some() {
                tokio::task::yield_now().await;
            }
        };
        forget_expired_records(kyc, removed).await;
    }
}
