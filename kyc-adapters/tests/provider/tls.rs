//! A provider over TLS: who can't show that it is the provider is told nothing.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use kyc_adapters::provider::{HttpProvider, HttpProviderConfig};
use kyc_core::fakes::FakeClock;
use kyc_core::ports::IdentityProvider;
use kyc_core::ports::provider::ProviderError;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
};

use crate::support::{config, submission};

const PATIENCE: Duration = Duration::from_secs(20);

/// A server with a certificate that it has signed itself, for two connections; what it heard on each, within TLS.
fn server() -> (SocketAddr, CertificateDer<'static>, Receiver<Vec<u8>>) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let certificate = cert.der().clone();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, heard) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(2) {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            let mut bytes = [0; 64];
            // An error is a client that did not go on.
            let length = stream.read(&mut bytes).unwrap_or(0);
            sender.send(bytes[..length].to_vec()).unwrap();
        }
    });
    (address, certificate, heard)
}

#[tokio::test]
async fn asvs_12_1_1_a_provider_whose_certificate_nobody_vouches_for_is_told_nothing() {
    let (address, certificate, heard) = server();
    let config = HttpProviderConfig { base_url: format!("https://{address}"), ..config(address) };
    let provider = HttpProvider::new(&config, Arc::new(FakeClock::new())).unwrap();
    let told = provider.advance(&submission(1, "925076473"), None).await;
    assert_eq!(
        told,
        Err(ProviderError::Transient),
        "an outage, so that it is tried again and nobody is verified"
    );
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), b"");

    // It is the certificate and nothing else: whoever trusts it can talk to the server.
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(address).unwrap());
    stream.write_all(b"hello").unwrap();
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), b"hello");
}
