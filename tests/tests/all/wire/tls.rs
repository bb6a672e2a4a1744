//! TLS of a server in a process of its own.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use kyc_tests::process::{Options, PATIENCE, ServerProcess};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use tempfile::TempDir;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

type Stream = StreamOwned<ClientConnection, TcpStream>;

fn options() -> (Options, TempDir) {
    let home = tempfile::tempdir().unwrap();
    (Options::new(env!("CARGO_BIN_EXE_server-under-test"), home.path()), home)
}

fn write_key(path: &Path, pem: &str, mode: u32) {
    std::fs::write(path, pem).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Puts a new certificate and its key into a folder.
fn certify(folder: &Path) -> CertificateDer<'static> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(certificate(folder), cert.pem()).unwrap();
    write_key(&key(folder), &signing_key.serialize_pem(), 0o600);
    cert.der().clone()
}

fn certificate(folder: &Path) -> PathBuf {
    folder.join("cert.pem")
}

fn key(folder: &Path) -> PathBuf {
    folder.join("key.pem")
}

fn with_tls(options: Options, folder: &Path) -> Options {
    let text = |path: PathBuf| path.to_str().unwrap().to_owned();
    options.with("KYC_TLS_CERT", text(certificate(folder))).with("KYC_TLS_KEY", text(key(folder)))
}

/// A connection of a client that trusts these certificates alone.
fn connect(server: &ServerProcess, trusted: &[&CertificateDer<'static>]) -> Stream {
    let mut roots = RootCertStore::empty();
    for certificate in trusted {
        roots.add((*certificate).clone()).unwrap();
    }
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = server.client().connect().unwrap();
    while connection.is_handshaking() {
        connection.complete_io(&mut stream).unwrap();
    }
    StreamOwned::new(connection, stream)
}

fn shown(stream: &Stream) -> CertificateDer<'static> {
    stream.conn.peer_certificates().unwrap()[0].clone().into_owned()
}

fn exchange(stream: &mut Stream, bytes: &[u8]) -> String {
    stream.write_all(bytes).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn asvs_12_1_1_without_tls_an_address_that_others_can_reach_is_refused() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:8080"] {
        let (options, _home) = options();
        let (ended, said) = options.listening_on(address).refused();
        assert!(!ended.success());
        for way in
            ["KYC_TLS_CERT and KYC_TLS_KEY", "KYC_BEHIND_PROXY=true", "KYC_TRUSTED_PROXIES", "127.0.0.1"]
        {
            assert!(said.contains(way), "{way}: {said}");
        }
    }
    for (variable, value) in [("KYC_BEHIND_PROXY", "true"), ("KYC_TRUSTED_PROXIES", "10.0.0.0/8")] {
        let (options, _home) = options();
        let server = ServerProcess::start(&options.listening_on("0.0.0.0:0").with(variable, value));
        assert_eq!(server.client().get("/whoami").status, 200);
    }
}

#[test]
fn a_certificate_that_can_not_be_used_keeps_the_service_from_starting() {
    let (options, home) = options();
    certify(home.path());
    let good = std::fs::read_to_string(key(home.path())).unwrap();
    let options = with_tls(options, home.path());
    let refused = || {
        let (ended, said) = options.refused();
        assert!(!ended.success());
        said
    };
    write_key(&key(home.path()), &good, 0o644);
    assert!(refused().contains("can be read by others than its owner (mode 644)"));
    write_key(&key(home.path()), &KeyPair::generate().unwrap().serialize_pem(), 0o600);
    assert!(refused().contains("is not that of the first certificate in"));
    std::fs::remove_file(key(home.path())).unwrap();
    assert!(refused().contains("can't be read"));
}

#[test]
fn sighup_gives_new_connections_the_new_certificate_and_lets_the_old_ones_finish() {
    let (options, home) = options();
    let first = certify(home.path());
    // TLS is the first of the three ways to be reached from elsewhere.
    let options = with_tls(options, home.path()).listening_on("0.0.0.0:0");
    let server = ServerProcess::start(&options);
    let key = format!("Authorization: Bearer {}\r\nConnection: close\r\n", server.key());

    let mut old = connect(&server, &[&first]);
    let body = r#"{"name": "app", "role": "client"}"#;
    let head = format!(
        "POST /api-keys HTTP/1.1\r\nHost: localhost\r\n{key}Content-Type: application/json\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    old.write_all(head.as_bytes()).unwrap();
    let mut go_on = [0; 25];
    old.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");

    let second = certify(home.path());
    server.signal("HUP");
    let begun = Instant::now();
    let mut new = loop {
        let stream = connect(&server, &[&first, &second]);
        if shown(&stream) == second {
            break stream;
        }
        assert!(begun.elapsed() < PATIENCE, "the new certificate is not shown");
    };
    let whoami = format!("GET /whoami HTTP/1.1\r\nHost: localhost\r\n{key}\r\n");
    assert!(exchange(&mut new, whoami.as_bytes()).starts_with("HTTP/1.1 200 "));
    assert!(exchange(&mut old, body.as_bytes()).starts_with("HTTP/1.1 201 "), "the old connection lives on");

    std::fs::write(certificate(home.path()), "nothing").unwrap();
    server.signal("HUP");
    let begun = Instant::now();
    while !std::fs::read_to_string(options.stderr()).unwrap().contains("the old one stays") {
        assert!(begun.elapsed() < PATIENCE, "nothing is said of a bad certificate");
    }
    assert_eq!(shown(&connect(&server, &[&second])), second);
    assert_eq!(server.terminate().code(), Some(0));
}
