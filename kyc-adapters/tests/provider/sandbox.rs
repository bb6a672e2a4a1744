//! The sandbox's table, row by row, through the adapter.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use kyc_adapters::provider::HttpProvider;
use kyc_adapters::sandbox::SubmissionCount;
use kyc_core::domain::discrepancy::{Code, Severity};
use kyc_core::fakes::FakeClock;
use kyc_core::ports::IdentityProvider;
use kyc_core::ports::provider::{Answer, Forgotten, Outcome, Progress, ProviderError, Step};

use crate::support::{config, keys, provider, sandbox, submission, verification};

fn answer(step: Step) -> Answer {
    match step {
        Step::Done(answer) => answer,
        Step::Save { .. } | Step::Ask { .. } => panic!("not done: {step:?}"),
    }
}

async fn submit(provider: &HttpProvider, number: u8, document: &str) -> Result<Step, ProviderError> {
    provider.advance(&submission(number, document), None).await
}

#[tokio::test]
async fn a_submission_reaches_the_sandbox() {
    let clock = FakeClock::new();
    let sandbox = sandbox(&clock).await;
    let provider = provider(sandbox.local_addr(), &clock);
    let answer = answer(submit(&provider, 1, "925076473").await.unwrap());
    assert_eq!((answer.outcome, answer.discrepancies.len()), (Outcome::Clear, 0));
    assert!(answer.raw.expose().starts_with(b"{"));
}

#[tokio::test]
async fn every_final_row_answers_at_once_whatever_the_case() {
    let clock = FakeClock::new();
    let sandbox = sandbox(&clock).await;
    let provider = provider(sandbox.local_addr(), &clock);
    let rows = [
        ("925076473", Outcome::Clear, None),
        ("-REJECT-1", Outcome::Clear, None),
        ("1-REJECT", Outcome::Consider, Some((Code::Compromised, Severity::Critical))),
        ("1-reject", Outcome::Consider, Some((Code::Compromised, Severity::Critical))),
        ("1-CONSIDER", Outcome::Consider, Some((Code::Tampered, Severity::Major))),
        ("1-Mismatch", Outcome::Consider, Some((Code::MismatchName, Severity::Major))),
        ("1-RETRY", Outcome::Unusable, Some((Code::ImageUnreadable, Severity::Minor))),
        ("1-UNKNOWN", Outcome::Unknown, None),
    ];
    for (number, (document, outcome, found)) in (1..).zip(rows) {
        let answer = answer(submit(&provider, number, document).await.unwrap());
        let discrepancies: Vec<_> = answer.discrepancies.iter().map(|one| (one.code, one.severity)).collect();
        assert_eq!((answer.outcome, discrepancies), (outcome, found.into_iter().collect()), "{document}");
        for discrepancy in &answer.discrepancies {
            assert_eq!(discrepancy.provider.as_ref().unwrap().as_str(), "vendor");
            assert_eq!(discrepancy.field, discrepancy.code.field());
            let expected = format!("sandbox.{}", discrepancy.code);
            assert_eq!(discrepancy.provider_code.as_ref().unwrap().as_str(), expected);
        }
    }
}

#[tokio::test]
async fn a_slow_check_is_clear_two_seconds_later() {
    let clock = FakeClock::new();
    let sandbox = sandbox(&clock).await;
    let provider = provider(sandbox.local_addr(), &clock);
    let slow = submission(1, "925076473-SLOW");
    let Step::Save { progress, again_in } = provider.advance(&slow, None).await.unwrap() else { panic!() };
    assert_eq!(again_in, Some(Duration::from_secs(2)));
    assert_eq!(progress.expose(), br#"{"format":1,"submitted":true}"#);
    clock.advance(SignedDuration::from_millis(1_999));
    let Step::Save { again_in, .. } = provider.advance(&slow, Some(&progress)).await.unwrap() else {
        panic!()
    };
    // What is left is one millisecond; a look costs us more.
    assert_eq!(again_in, Some(Duration::from_millis(200)));
    clock.advance(SignedDuration::from_millis(1));
    assert_eq!(answer(provider.advance(&slow, Some(&progress)).await.unwrap()).outcome, Outcome::Clear);
    let once = SubmissionCount { distinct: 1, conflicts: 0, posts: 1 };
    assert_eq!(sandbox.submissions(), BTreeMap::from([(verification(1), once)]));
}

#[tokio::test]
async fn a_link_is_handed_on_until_the_customer_is_through() {
    let clock = FakeClock::new();
    let sandbox = sandbox(&clock).await;
    let provider = provider(sandbox.local_addr(), &clock);
    let linked = submission(1, "925076473-LINK");
    let Step::Ask { progress, link, again_in } = provider.advance(&linked, None).await.unwrap() else {
        panic!()
    };
    assert_eq!(again_in, Some(Duration::from_secs(2)));
    let path = link.expose().strip_prefix(&format!("http://{}", sandbox.local_addr())).unwrap().to_owned();
    let page =
        fetch(sandbox.local_addr(), format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
            .await;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    clock.advance(SignedDuration::from_millis(2_000));
    assert_eq!(answer(provider.advance(&linked, Some(&progress)).await.unwrap()).outcome, Outcome::Clear);
}

#[tokio::test]
async fn a_time_out_fails_twice_for_each_verification() {
    let clock = FakeClock::new();
    let sandbox = sandbox(&clock).await;
    let provider = provider(sandbox.local_addr(), &clock);
    for number in [1, 2] {
        for _ in 0..2 {
            assert_eq!(submit(&provider, number, "1-TIMEOUT").await, Err(ProviderError::Transient));
        }
        assert_eq!(answer(submit(&provider, number, "1-TIMEOUT").await.unwrap()).outcome, Outcome::Clear);
    }
    let once = SubmissionCount { distinct: 1, conflicts: 0, posts: 3 };
    assert_eq!(sandbox.submissions(), BTreeMap::from([(verification(1), once), (verification(2), once)]));
}

#[tokio::test]
async fn a_provider_that_is_down_accepts_nothing() {
    let clock = FakeClock::new();
    let sandbox = sandbox(&clock).await;
    let provider = provider(sandbox.local_addr(), &clock);
    for _ in 0..5 {
        assert_eq!(submit(&provider, 1, "1-DOWN").await, Err(ProviderError::Transient));
    }
    assert_eq!(
        sandbox.submissions()[&verification(1)],
        SubmissionCount { distinct: 0, conflicts: 0, posts: 5 }
    );
}

#[tokio::test]
async fn a_repeated_submission_is_the_same_and_another_body_is_refused() {
    let clock = FakeClock::new();
    let sandbox = sandbox(&clock).await;
    let provider = provider(sandbox.local_addr(), &clock);
    for _ in 0..2 {
        assert_eq!(answer(submit(&provider, 1, "925076473").await.unwrap()).outcome, Outcome::Clear);
        // Neither the time nor another process may make another submission of it.
        clock.advance(SignedDuration::from_millis(60_000));
    }
    assert_eq!(submit(&provider, 1, "925076474").await, Err(ProviderError::Refused));
    assert_eq!(
        sandbox.submissions()[&verification(1)],
        SubmissionCount { distinct: 1, conflicts: 1, posts: 3 }
    );
}

#[tokio::test]
async fn what_is_forgotten_is_gone_and_a_lost_verification_is_submitted_again() {
    let clock = FakeClock::new();
    let sandbox = sandbox(&clock).await;
    let provider = provider(sandbox.local_addr(), &clock);
    let slow = submission(1, "925076473-SLOW");
    let Step::Save { progress, .. } = provider.advance(&slow, None).await.unwrap() else { panic!() };
    assert_eq!(provider.forget(verification(1), None).await, Ok(Forgotten::Done));
    assert_eq!(provider.forget(verification(1), None).await, Ok(Forgotten::Done));
    assert!(matches!(provider.advance(&slow, Some(&progress)).await, Ok(Step::Save { .. })));
    assert_eq!(sandbox.submissions()[&verification(1)].distinct, 2);
    // Progress that an older or newer version wrote says no less.
    let other = Progress::new(b"\x00not ours".to_vec()).unwrap();
    assert!(matches!(provider.advance(&slow, Some(&other)).await, Ok(Step::Save { .. })));
    assert_eq!(sandbox.submissions()[&verification(1)].posts, 2);
}

#[tokio::test]
async fn a_wrong_secret_or_time_is_an_outage_and_a_rotated_secret_is_not() {
    let clock = FakeClock::new();
    let sandbox = sandbox(&clock).await;
    let mut settings = config(sandbox.local_addr());
    for (secrets, expected) in [(&[8][..], Err(ProviderError::Transient)), (&[7, 8], Ok(()))] {
        settings.keys = keys(secrets);
        let provider = HttpProvider::new(&settings, Arc::new(clock.clone())).unwrap();
        assert_eq!(submit(&provider, 1, "1").await.map(|_| ()), expected, "{secrets:?}");
    }
    for (milliseconds, expected) in [(300_000, Ok(())), (301_000, Err(ProviderError::Transient))] {
        let late = FakeClock::new();
        late.advance(SignedDuration::from_millis(milliseconds));
        let provider = provider(sandbox.local_addr(), &late);
        assert_eq!(submit(&provider, 1, "1").await.map(|_| ()), expected, "{milliseconds}");
    }
}

#[tokio::test]
async fn the_counts_are_served_and_nothing_else_is_without_a_signature() {
    let clock = FakeClock::new();
    let sandbox = sandbox(&clock).await;
    let provider = provider(sandbox.local_addr(), &clock);
    submit(&provider, 1, "1").await.unwrap();
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let counts = fetch(sandbox.local_addr(), get("/v1/sandbox/submissions")).await;
    let expected = format!(r#"{{"{}":{{"distinct":1,"conflicts":0,"posts":1}}}}"#, verification(1));
    assert!(counts.ends_with(&expected), "{counts}");
    let one = format!("/v1/verifications/{}", verification(1));
    for path in [one.as_str(), "/v1/verifications", "/", "/v1/sandbox/submissions/"] {
        let answer = fetch(sandbox.local_addr(), get(path)).await;
        assert!(answer.starts_with("HTTP/1.1 401"), "{path}: {answer}");
    }
}

async fn fetch(address: SocketAddr, request: String) -> String {
    let fetched = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    fetched.await.unwrap()
}

#[tokio::test]
async fn serving_ends_when_it_is_told_to_and_finishes_what_is_open() {
    let clock = FakeClock::new();
    let sandbox = Arc::new(
        kyc_adapters::sandbox::Sandbox::bind("127.0.0.1:0", keys(&[7]), Arc::new(clock.clone()))
            .await
            .unwrap(),
    );
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = sandbox.clone();
    let serving = tokio::spawn(async move {
        served.serve(async { stopped.await.unwrap_or_default() }).await;
    });
    let provider = provider(sandbox.local_addr(), &clock);
    submit(&provider, 1, "1").await.unwrap();
    stop.send(()).unwrap();
    // The provider still holds an idle connection, which must not keep the sandbox.
    serving.await.unwrap();
}

#[test]
fn a_proxy_of_the_environment_sees_nothing() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "sandbox::a_submission_reaches_the_sandbox"]);
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(name, &address);
    }
    let output = child.env_remove("NO_PROXY").env_remove("no_proxy").output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
    assert_eq!(proxy.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}
