//! What bounds a client: time, size, connections, requests; and who counts as one.

use std::time::Duration;

use kyc_server::api::limits::Rates;
use kyc_server::serve::{Front, Limits, Proxies};
use tokio::io::AsyncWriteExt;

use crate::server::{Answer, Builder, KEY, PATIENCE, Server};

#[tokio::test]
async fn a_slow_head_is_cut_off() {
    let limits = Limits { head: Duration::from_millis(200), ..Limits::default() };
    let server = Server::limited(limits, PATIENCE).await;
    let answer = server.exchange(b"GET /greetings/1 HTTP/1.1\r\nHost: kyc.test\r\n").await;
    assert_eq!((answer.head.as_str(), answer.body.as_str()), ("", ""));
}

#[tokio::test]
async fn a_slow_body_is_a_408() {
    let server = Server::limited(Limits::default(), Duration::from_millis(200)).await;
    let request = format!(
        "POST /greetings HTTP/1.1\r\nHost: kyc.test\r\nAuthorization: Bearer {KEY}\r\n\
         Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
    );
    let answer = server.exchange(request.as_bytes()).await;
    assert_eq!((answer.status(), answer.problem().as_str()), (408, "timeout"));
}

#[tokio::test]
async fn a_head_over_the_limit_is_refused() {
    let server = Server::start().await;
    let request =
        format!("GET /greetings/1 HTTP/1.1\r\nHost: kyc.test\r\nX-Long: {}\r\n\r\n", "x".repeat(1 << 20));
    assert_eq!(server.exchange(request.as_bytes()).await.status(), 431);
}

#[tokio::test]
async fn connections_over_the_limit_wait_for_their_turn() {
    let limits = Limits { connections: 1, head: PATIENCE, ..Limits::default() };
    let server = Server::limited(limits, PATIENCE).await;
    let mut first = server.connect().await;
    first
        .write_all(b"GET /greetings/wait HTTP/1.1\r\nHost: kyc.test\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    server.begun.notified().await;
    let second = server.get("/greetings/1");
    let turn = async {
        server.go_on.notify_one();
        let answer = Answer::last(&mut first).await;
        drop(first);
        answer.status()
    };
    let (second, first) = tokio::join!(second, turn);
    assert_eq!((first, second.status()), (200, 200));
}

#[tokio::test]
async fn a_client_that_never_reads_does_not_keep_its_connection() {
    let limits = Limits {
        connections: 1,
        head: PATIENCE,
        write_stall: Duration::from_millis(200),
        ..Limits::default()
    };
    let server = Server::limited(limits, PATIENCE).await;
    let mut deaf = server.connect().await;
    deaf.write_all(b"GET /long HTTP/1.1\r\nHost: kyc.test\r\n\r\n").await.unwrap();
    // There is one place, so this one is answered when the other one has lost it.
    assert_eq!(server.get("/greetings/1").await.status(), 200);
    let mut taken = Vec::new();
    let ended = tokio::io::AsyncReadExt::read_to_end(&mut deaf, &mut taken).await;
    assert!(ended.is_err() || taken.len() < crate::example::LONG, "{}", taken.len());
}

#[tokio::test]
async fn asvs_2_4_1_an_address_may_have_its_share_of_connections_and_a_trusted_proxy_any_number() {
    let limits = Limits { per_address: 1, head: PATIENCE, ..Limits::default() };
    let server = Server::limited(limits, PATIENCE).await;
    let mut first = server.connect().await;
    first
        .write_all(b"GET /greetings/wait HTTP/1.1\r\nHost: kyc.test\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    server.begun.notified().await;
    let mut second = server.connect().await;
    assert_eq!(Answer::last(&mut second).await.head, "", "it is closed at once");
    server.go_on.notify_one();
    assert_eq!(Answer::last(&mut first).await.status(), 200);

    let proxies = Proxies::parse("127.0.0.1").unwrap();
    let front = Front { limits, proxies, ..Front::default() };
    let server = Server::of(Builder { front, ..Builder::default() }).await;
    let held = [server.connect().await, server.connect().await];
    assert_eq!(server.get("/greetings/1").await.status(), 200);
    drop(held);
}

/// Answers to requests without a key, one after another.
async fn strangers(server: &Server, path: &str, headers: &str, count: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..count {
        let request = format!("GET {path} HTTP/1.1\r\nHost: kyc.test\r\n{headers}Connection: close\r\n\r\n");
        statuses.push(server.exchange(request.as_bytes()).await.status());
    }
    statuses
}

fn limited(proxies: Option<&str>) -> Builder {
    let proxies = proxies.map(|text| Proxies::parse(text).unwrap()).unwrap_or_default();
    // One more is allowed after a second, which is longer than a test takes.
    let rates = Rates { address: 1, ..Rates::default() };
    let builder = Builder { rates, ..Builder::default() };
    Builder { front: Front { proxies, ..builder.front }, ..builder }
}

#[tokio::test]
async fn asvs_2_4_1_an_address_without_a_key_is_limited_over_all_that_needs_none_and_a_key_is_let_in() {
    for (path, status) in [("/docs", 200), ("/whoami", 401), ("/nothing", 404), ("/greetings", 405)] {
        let server = Server::of(limited(None)).await;
        let statuses = strangers(&server, path, "", 12).await;
        assert_eq!((statuses[0], statuses[1]), (status, status), "{path}");
        let refused = statuses.iter().filter(|status| **status == 429).count();
        assert!(refused >= 6, "{path}: {statuses:?}");
        // The quota is one for all paths.
        assert!(strangers(&server, "/docs", "", 4).await.contains(&429));
        // Whoever has a key is none of those.
        for _ in 0..12 {
            assert_eq!(server.get("/whoami").await.status(), 200);
        }
    }
}

#[tokio::test]
async fn the_429_of_an_address_says_when_and_names_its_policy() {
    let server = Server::of(limited(None)).await;
    let request = b"GET /docs HTTP/1.1\r\nHost: kyc.test\r\nConnection: close\r\n\r\n";
    let mut answer = server.exchange(request).await;
    for _ in 0..50 {
        if answer.status() == 429 {
            break;
        }
        answer = server.exchange(request).await;
    }
    assert_eq!((answer.status(), answer.problem().as_str()), (429, "rate-limited"));
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(answer.header("ratelimit-policy"), Some("\"requests-without-key\";q=2;w=2"));
    assert_eq!(answer.header("ratelimit"), Some("\"requests-without-key\";r=0;t=1"));
}

#[tokio::test]
async fn probes_are_never_limited() {
    let server = Server::of(limited(None)).await;
    let statuses = strangers(&server, "/health/live", "", 30).await;
    assert_eq!(statuses, [200; 30]);
}

#[tokio::test]
async fn asvs_4_1_3_a_spoofed_forwarded_address_changes_no_bucket() {
    let server = Server::of(limited(None)).await;
    let mut statuses = Vec::new();
    for n in 0..12 {
        let spoofed = format!("X-Forwarded-For: 203.0.113.{n}\r\nForwarded: for=203.0.113.{n}\r\n");
        statuses.extend(strangers(&server, "/docs", &spoofed, 1).await);
    }
    assert!(statuses.iter().filter(|status| **status == 429).count() >= 6, "{statuses:?}");
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_its_bucket_whatever_it_says_itself() {
    let server = Server::of(limited(Some("127.0.0.1"))).await;
    let first = "X-Forwarded-For: 198.51.100.1, 203.0.113.1\r\n";
    let statuses = strangers(&server, "/docs", first, 12).await;
    assert!(statuses.contains(&429), "{statuses:?}");
    // The same client, with something else before what the proxy wrote.
    let again =
        strangers(&server, "/docs", "X-Forwarded-For: 198.51.100.2\r\nX-Forwarded-For: 203.0.113.1\r\n", 3);
    assert!(again.await.contains(&429));
    let other = strangers(&server, "/docs", "X-Forwarded-For: 203.0.113.1, 203.0.113.2\r\n", 2).await;
    assert_eq!(other, [200, 200]);
}
