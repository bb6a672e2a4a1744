//! The server within TLS, and what comes to its port that is no TLS.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kyc_server::serve::{Front, Limits, Tls, TlsError, TlsFiles};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion};

use crate::server::{Answer, Builder, KEY, PATIENCE, Server};

const HOST: &str = "kyc.test";

/// A certificate and its key in files.
struct Files {
    folder: TempDir,
    certificate: CertificateDer<'static>,
}

fn write_key(path: &Path, pem: &str, mode: u32) {
    std::fs::write(path, pem).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

impl Files {
    fn new() -> Self {
        let mut files = Self { folder: tempfile::tempdir().unwrap(), certificate: Vec::new().into() };
        files.renew();
        files
    }

    /// Puts another certificate and its key in their place.
    fn renew(&mut self) {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed([HOST.to_owned()]).unwrap();
        std::fs::write(self.names().certificate, cert.pem()).unwrap();
        write_key(&self.names().key, &signing_key.serialize_pem(), 0o600);
        self.certificate = cert.der().clone();
    }

    fn names(&self) -> TlsFiles {
        let file = |name: &str| self.folder.path().join(name);
        TlsFiles { certificate: file("cert.pem"), key: file("key.pem") }
    }

    fn load(&self) -> Result<Tls, TlsError> {
        Tls::load(self.names())
    }

    /// A client that trusts this certificate alone.
    fn client(&self, versions: &[&'static SupportedProtocolVersion]) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        TlsConnector::from(Arc::new(config))
    }

    async fn connect(&self, server: &Server) -> TlsStream<TcpStream> {
        let name = ServerName::try_from(HOST).unwrap();
        self.client(&[&TLS13]).connect(name, server.connect().await).await.unwrap()
    }
}

async fn server(tls: Arc<Tls>, limits: Limits) -> Server {
    let front = Front { limits, tls: Some(tls), ..Front::default() };
    Server::of(Builder { front, ..Builder::default() }).await
}

async fn started() -> (Files, Server) {
    let files = Files::new();
    let limits = Builder::default().front.limits;
    let server = server(Arc::new(files.load().unwrap()), limits).await;
    (files, server)
}

const WHOAMI: &str = "GET /whoami HTTP/1.1\r\nHost: kyc.test\r\n";

async fn whoami(stream: &mut TlsStream<TcpStream>, end: &str) -> Answer {
    let request = format!("{WHOAMI}Authorization: Bearer {KEY}\r\n{end}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    Answer::last(stream).await
}

/// Everything that comes until the other end closes or resets.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    // A reset ends it as well.
    drop(ended.unwrap());
    bytes
}

#[tokio::test]
async fn asvs_12_1_1_tls_1_2_and_1_3_are_spoken_and_browsers_told_to_stay_with_it() {
    let (files, server) = started().await;
    for (version, expected) in [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)] {
        let name = ServerName::try_from(HOST).unwrap();
        let connecting = files.client(&[version]).connect(name, server.connect().await);
        let mut stream = connecting.await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(expected));
        let answer = whoami(&mut stream, "Connection: close\r\n").await;
        assert_eq!(answer.status(), 200);
        // ASVS 3.4.1.
        let policy = Some("max-age=31536000; includesubdomains");
        assert_eq!(answer.header("strict-transport-security"), policy);
    }
}

#[tokio::test]
async fn asvs_3_4_1_the_order_to_use_tls_alone_is_not_given_over_plain_http_but_behind_a_proxy_is() {
    let answer = Server::start().await.get("/whoami").await;
    assert_eq!(answer.header("strict-transport-security"), None);
    let builder = Builder::default();
    let front = Front { behind_proxy: true, ..builder.front };
    let server = Server::of(Builder { front, ..Builder::default() }).await;
    for path in ["/whoami", "/docs", "/nothing"] {
        assert!(server.get(path).await.header("strict-transport-security").is_some(), "{path}");
    }
}

/// A `ClientHello` that knows this version at most (RFC 5246, section 7.4.1.2), with suites of that time.
fn client_hello(version: [u8; 2]) -> Vec<u8> {
    let suites = [0xc0, 0x13, 0xc0, 0x09, 0xc0, 0x2f, 0xc0, 0x2b, 0x00, 0x2f];
    // The groups and signatures that rustls knows, so that nothing but the version is in the way.
    let extensions = [
        0x00, 0x0a, 0x00, 0x04, 0x00, 0x02, 0x00, 0x17, // P-256
        0x00, 0x0b, 0x00, 0x02, 0x01, 0x00, // uncompressed points
        0x00, 0x0d, 0x00, 0x06, 0x00, 0x04, 0x04, 0x03, 0x08, 0x04, // ECDSA with P-256, RSA-PSS
        0x00, 0x17, 0x00, 0x00, // extended master secret
    ];
    let mut hello =
        [&version[..], &[7; 32], &[0], &[0, u8::try_from(suites.len()).unwrap()], &suites].concat();
    hello.extend([1, 0, 0, u8::try_from(extensions.len()).unwrap()]);
    hello.extend(extensions);
    let handshake = [&[1, 0, 0, u8::try_from(hello.len()).unwrap()], &*hello].concat();
    [&[22, 3, 1, 0, u8::try_from(handshake.len()).unwrap()], &*handshake].concat()
}

#[tokio::test]
async fn asvs_12_1_1_tls_1_1_and_older_are_refused() {
    let (_files, server) = started().await;
    let answer_to = async |version| {
        let mut stream = server.connect().await;
        stream.write_all(&client_hello(version)).await.unwrap();
        let mut head = [0; 7];
        tokio::time::timeout(PATIENCE, stream.read_exact(&mut head)).await.unwrap().unwrap();
        head
    };
    for old in [[3, 0], [3, 1], [3, 2]] {
        let [kind, _, _, _, _, level, description] = answer_to(old).await;
        // A fatal alert: protocol_version (RFC 5246, section 7.2).
        assert_eq!((kind, level, description), (21, 2, 70), "{old:?}");
    }
    // The same bytes are taken with the version that is spoken: a ServerHello.
    assert_eq!(answer_to([3, 3]).await[5], 2);
    assert_eq!(answer_to([3, 3]).await[0], 22);
}

#[tokio::test]
async fn what_is_no_tls_is_closed_and_the_server_lives() {
    let (files, server) = started().await;
    let plain = format!("{WHOAMI}Authorization: Bearer {KEY}\r\nConnection: close\r\n\r\n");
    let mut long = client_hello([3, 3]);
    // A record that announces more than there may be.
    long[3] = 0xff;
    let garbage: Vec<u8> = (0..4096_u32).map(|n| u8::try_from(n * 31 % 251).unwrap()).collect();
    for bytes in [plain.as_bytes(), &garbage, &[0; 64], &long, b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"] {
        let mut stream = server.connect().await;
        stream.write_all(bytes).await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(answer.len() < 16 && !answer.starts_with(b"HTTP"), "at most an alert: {answer:?}");
    }
    let mut stream = files.connect(&server).await;
    assert_eq!(whoami(&mut stream, "Connection: close\r\n").await.status(), 200);
}

#[tokio::test]
async fn a_client_that_speaks_another_protocol_within_tls_is_refused() {
    let (files, server) = started().await;
    let mut config = (**files.client(&[&TLS13]).config()).clone();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let name = ServerName::try_from(HOST).unwrap();
    let connected = TlsConnector::from(Arc::new(config)).connect(name, server.connect().await).await;
    assert!(connected.is_err());
}

/// What the one place of a server is lost by within a fifth of a second, after `hold` has taken it.
async fn place_is_freed(limits: Limits, deadline: Duration, hold: impl AsyncFn(&Files, &Server)) {
    let files = Files::new();
    let tls = Some(Arc::new(files.load().unwrap()));
    let front = Front { limits: Limits { connections: 1, ..limits }, tls, ..Front::default() };
    let server = Server::of(Builder { front, deadline, ..Builder::default() }).await;
    hold(&files, &server).await;
    let connected = tokio::time::timeout(PATIENCE, files.connect(&server)).await;
    let mut stream = connected.expect("the place is free");
    assert_eq!(whoami(&mut stream, "Connection: close\r\n").await.status(), 200);
}

const SHORT: Duration = Duration::from_millis(200);

fn patient() -> Limits {
    Limits { head: PATIENCE, handshake: PATIENCE, ..Limits::default() }
}

#[tokio::test]
async fn a_slow_handshake_is_cut_off_and_frees_its_place() {
    for sent in [0, 1, 20] {
        place_is_freed(Limits { handshake: SHORT, ..patient() }, PATIENCE, async |_, server| {
            let mut slow = server.connect().await;
            slow.write_all(&client_hello([3, 3])[..sent]).await.unwrap();
            assert_eq!(rest(&mut slow).await, b"");
        })
        .await;
    }
}

#[tokio::test]
async fn a_slow_head_within_tls_is_cut_off_and_frees_its_place() {
    place_is_freed(Limits { head: SHORT, ..patient() }, PATIENCE, async |files, server| {
        let mut slow = files.connect(server).await;
        slow.write_all(WHOAMI.as_bytes()).await.unwrap();
        assert_eq!(Answer::last(&mut slow).await.head, "");
    })
    .await;
}

#[tokio::test]
async fn a_slow_body_within_tls_is_a_408_and_frees_its_place() {
    place_is_freed(patient(), SHORT, async |files, server| {
        let mut slow = files.connect(server).await;
        let request = format!(
            "POST /greetings HTTP/1.1\r\nHost: kyc.test\r\nAuthorization: Bearer {KEY}\r\n\
             Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
        );
        slow.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(Answer::last(&mut slow).await.status(), 408);
    })
    .await;
}

#[tokio::test]
async fn a_client_that_never_reads_within_tls_frees_its_place() {
    let held = std::sync::Mutex::new(None);
    place_is_freed(Limits { write_stall: SHORT, ..patient() }, PATIENCE, async |files, server| {
        let mut deaf = files.connect(server).await;
        deaf.write_all(b"GET /long HTTP/1.1\r\nHost: kyc.test\r\n\r\n").await.unwrap();
        // Kept open, or its end would free the place.
        *held.lock().unwrap() = Some(deaf);
    })
    .await;
    assert!(held.into_inner().unwrap().is_some());
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_handshakes() {
    let files = Files::new();
    let tls = Arc::new(files.load().unwrap());
    let server = server(tls, Limits { shutdown: 2 * PATIENCE, handshake: 2 * PATIENCE, ..patient() }).await;
    let mut slow = server.connect().await;
    slow.write_all(&client_hello([3, 3])[..20]).await.unwrap();
    // The one after it was accepted, so it was, too.
    let mut next = files.connect(&server).await;
    assert_eq!(whoami(&mut next, "Connection: close\r\n").await.status(), 200);
    server.stop.send(()).unwrap();
    tokio::time::timeout(PATIENCE, server.served).await.unwrap().unwrap().unwrap();
    assert_eq!(rest(&mut slow).await, b"");
}

#[tokio::test]
async fn a_new_certificate_is_for_new_connections_and_a_bad_one_for_none() {
    let mut files = Files::new();
    let tls = Arc::new(files.load().unwrap());
    let server = server(Arc::clone(&tls), patient()).await;
    let mut old = files.connect(&server).await;
    let first = files.certificate.clone();
    let shown = |stream: &TlsStream<TcpStream>| stream.get_ref().1.peer_certificates().unwrap()[0].clone();
    assert_eq!(shown(&old), first);

    let good = std::fs::read(files.names().certificate).unwrap();
    std::fs::write(files.names().certificate, "nothing").unwrap();
    assert_eq!(tls.reload(), Err(TlsError::NoCertificate(files.names().certificate)));
    std::fs::remove_file(files.names().certificate).unwrap();
    assert!(matches!(tls.reload(), Err(TlsError::Unreadable { .. })));
    std::fs::write(files.names().certificate, good).unwrap();
    assert_eq!(shown(&files.connect(&server).await), first, "the old one stays");

    files.renew();
    tls.reload().unwrap();
    assert_ne!(files.certificate, first);
    assert_eq!(shown(&files.connect(&server).await), files.certificate);
    assert_eq!(whoami(&mut old, "Connection: close\r\n").await.status(), 200, "the old connection lives on");
}

#[test]
fn what_can_not_be_a_certificate_and_its_key_is_refused_in_words() {
    let files = Files::new();
    let TlsFiles { certificate, key } = files.names();
    let good = std::fs::read_to_string(&key).unwrap();
    let told = || files.load().unwrap_err().to_string();

    write_key(&key, &KeyPair::generate().unwrap().serialize_pem(), 0o600);
    assert_eq!(
        told(),
        format!(
            "the key in {} is not that of the first certificate in {}",
            key.display(),
            certificate.display()
        )
    );
    for mode in [0o640, 0o604, 0o620, 0o610, 0o644, 0o601] {
        write_key(&key, &good, mode);
        assert!(
            told().contains(&format!("can be read by others than its owner (mode {mode:o})")),
            "{}",
            told()
        );
    }
    for bad in ["", "nothing", &std::fs::read_to_string(&certificate).unwrap()] {
        write_key(&key, bad, 0o600);
        assert!(told().contains("key.pem holds no private key"), "{}", told());
    }
    write_key(&key, &good.replace("PRIVATE", "ENCRYPTED PRIVATE"), 0o600);
    assert!(told().contains("without a passphrase"), "{}", told());
    std::fs::remove_file(&key).unwrap();
    assert!(told().contains("key.pem can't be read"), "{}", told());

    write_key(&key, &good, 0o600);
    assert!(files.load().is_ok());
    let broken = std::fs::read_to_string(&certificate).unwrap().replacen("MII", "AII", 1);
    std::fs::write(&certificate, broken).unwrap();
    assert!(told().contains("cert.pem holds no certificate"), "{}", told());
    std::fs::write(&certificate, "").unwrap();
    assert!(told().contains("cert.pem holds no certificate"), "{}", told());
}
