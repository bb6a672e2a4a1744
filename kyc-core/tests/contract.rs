//! The contract suite against the fakes, so that a test that passes with them means something.
#![cfg(feature = "contract")]

use std::thread;
use std::time::Duration;

use kyc_core::Secret;
use kyc_core::contract::{self, block_on, store::rows};
use kyc_core::domain::audit::ChainWalk;
use kyc_core::fakes::{FakeCipher, FakeClock, FakeEntropy, FakeProvider, MemoryStore};
use kyc_core::ports::IdentityProvider;
use kyc_core::ports::provider::{About, Callback, CallbackError, CallbackNews, Outcome, ProviderError, Step};
use kyc_core::ports::store::{AuditReads, Claim, CommitError, Conflict, Queue, Store};

mod memory_store {
    use super::MemoryStore;
    kyc_core::store_contract!(MemoryStore::new());
}

#[test]
fn the_whole_suite_runs_in_one_go() {
    block_on(contract::store::all(async || MemoryStore::new()));
}

#[test]
fn a_failed_case_is_named_with_its_sentence() {
    let broken = || {
        block_on(contract::store::all(async || {
            let store = MemoryStore::new();
            store.fail_next_commit(Conflict::Revision);
            store
        }));
    };
    let message = *thread::spawn(broken).join().unwrap_err().downcast::<String>().unwrap();
    assert!(
        message.contains("the_first_answer_stays: Of the answers to a verification the first one stays.")
    );
    assert!(!message.contains("a_fresh_store_is_empty_and_ready"));
}

#[test]
fn threads_at_once_share_a_memory_store() {
    let store = MemoryStore::new();
    let tallies: Vec<(usize, usize)> = thread::scope(|scope| {
        let caller = || {
            let applied = (0..20).filter(|n| match block_on(store.commit(rows::registration(*n))) {
                Ok(()) => true,
                Err(error) => {
                    assert_eq!(error, CommitError::Conflict(Conflict::CustomerIdTaken));
                    false
                }
            });
            let applied = applied.count();
            let claim =
                Claim { queue: Queue::Verifications, limit: 3, now: rows::at(99), until: rows::at(999) };
            (applied, block_on(store.claim(claim)).unwrap().len())
        };
        let callers: Vec<_> = (0..8).map(|_| scope.spawn(caller)).collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    assert_eq!(tallies.iter().map(|(applied, _)| applied).sum::<usize>(), 20);
    assert_eq!(tallies.iter().map(|(_, claimed)| claimed).sum::<usize>(), 20);
    let mut walk = ChainWalk::default();
    for event in block_on(store.audit_events(0, 100)).unwrap() {
        walk.step(&event).unwrap();
    }
    assert_eq!(walk.sequence(), 20);
}

#[test]
fn the_fake_cipher_keeps_the_contract() {
    contract::cipher::all(&FakeCipher::new());
}

#[test]
fn the_keys_of_the_fake_cipher_rotate() {
    let cipher = FakeCipher::new();
    let rotate = |of| _ = cipher.rotate(of);
    contract::cipher::rotations(&cipher, &rotate, &|of, version| cipher.retire(of, version));
}

#[test]
fn the_fake_clock_keeps_the_contract() {
    contract::clock::all(&FakeClock::new());
}

#[test]
fn the_fake_entropy_keeps_the_contract() {
    contract::entropy::all(&FakeEntropy::new());
}

#[test]
fn the_fake_provider_keeps_the_contract() {
    let scripts: [fn(&FakeProvider); 2] = [
        |_| {},
        |provider| {
            provider.answer_with(Ok(FakeProvider::save(Duration::from_secs(5))));
            provider.answer_with(Ok(FakeProvider::ask("https://example.com/visit", Duration::from_secs(5))));
        },
    ];
    for script in scripts {
        let open = || {
            let provider = FakeProvider::new();
            script(&provider);
            provider
        };
        let seen = |provider: &FakeProvider| contract::provider::Seen {
            submissions: provider.submissions().iter().map(|sent| sent.times).sum(),
            different: provider.distinct_submissions(),
        };
        block_on(contract::provider::all(open, seen));
    }
}

#[test]
fn the_fake_provider_reads_its_own_callbacks_alone() {
    let provider = FakeProvider::new();
    let news = CallbackNews {
        about: About::Verification(rows::verification_id(1)),
        event: Secret::new("one".to_owned()),
        answer: None,
    };
    let genuine = provider.callback(news.clone(), FakeClock::START);
    contract::provider::a_callback_is_read_as_it_was_signed_or_not_at_all(&provider, &genuine);

    assert_eq!(provider.read_callback(&genuine), Ok(news));
    let late = FakeClock::START + FakeProvider::CALLBACK_WINDOW + jiff::SignedDuration::from_nanos(1);
    let replayed = Callback { received_at: late, ..genuine };
    assert_eq!(provider.read_callback(&replayed), Err(CallbackError::OutsideWindow));
}

#[test]
fn the_fake_provider_shows_what_it_was_sent() {
    let provider = FakeProvider::new();
    provider.answer_with(Err(ProviderError::Transient));
    let submission = contract::provider::submission(1);
    assert_eq!(block_on(provider.advance(&submission, None)), Err(ProviderError::Transient));
    let Ok(Step::Done(answer)) = block_on(provider.clone().advance(&submission, None)) else {
        panic!("without a script the answer is clear")
    };
    assert_eq!(answer.outcome, Outcome::Clear);
    let sent = provider.submissions();
    assert_eq!((sent.len(), sent[0].times, provider.steps()), (1, 2, 2));
    assert_eq!(sent[0].customer, submission.customer);
}
