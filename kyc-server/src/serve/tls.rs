//! TLS 1.2 and 1.3 (RFC 5246, RFC 8446; OWASP ASVS 5.0.0, 12.1.1) by rustls, with the algorithms of ring.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{Error, ServerConfig};
use zeroize::Zeroizing;

/// The protocol that is spoken within TLS. A client that offers others only is refused, so that nobody can have
/// an answer of this service taken for one of another (RFC 7301).
const PROTOCOL: &[u8] = b"http/1.1";

/// More bytes than any chain of certificates has.
const MAX_FILE: u64 = 1024 * 1024;

/// Where the certificate and its key are, both in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate of the server first, then those that lead to the root.
    pub certificate: PathBuf,
    /// The private key: PKCS #8, PKCS #1 or SEC 1, not encrypted.
    pub key: PathBuf,
}

/// Why a certificate can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read.
    #[error("the file {path} can't be read: {kind}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        kind: io::ErrorKind,
    },
    /// Others than its owner can read the key.
    #[error("the TLS key {path} can be read by others than its owner (mode {mode:o}); `chmod 600` it")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// There is no certificate.
    #[error("the file {0} holds no certificate in PEM that can be read")]
    NoCertificate(PathBuf),
    /// There is no key.
    #[error("the file {0} holds no private key in PEM that can be read without a passphrase")]
    NoKey(PathBuf),
    /// The two don't belong together.
    #[error("the key in {key} is not that of the first certificate in {certificate}")]
    Mismatch {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// Key or certificate are of a kind that is not supported.
    #[error(
        "the certificate in {0}, or its key, is of a kind that is not supported: RSA of 2048 or more bits, ECDSA \
         with P-256 or P-384, and Ed25519 are"
    )]
    Unsupported(PathBuf),
}

/// The certificate of a server, which can be read again while it serves.
pub struct Tls {
    files: TlsFiles,
    current: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// Reads certificate and key.
    ///
    /// # Errors
    /// [`TlsError`] says what is wrong with them.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let current = RwLock::new(Arc::new(read(&files)?));
        Ok(Self { files, current })
    }

    /// Reads both again. Connections made from then on are given the new certificate, and can't resume sessions
    /// of the old one; those that are open stay as they are.
    ///
    /// # Errors
    /// [`TlsError`] says what is wrong with them, and the old one stays.
    pub fn reload(&self) -> Result<(), TlsError> {
        let next = Arc::new(read(&self.files)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    /// Reads both again each time that the process receives SIGHUP. Once this was called, the signal no longer
    /// ends the process.
    ///
    /// # Errors
    /// Where the system takes no handler.
    #[cfg(unix)]
    pub fn reload_on_hangup(self: Arc<Self>) -> io::Result<impl Future<Output = ()>> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut hangup = signal(SignalKind::hangup())?;
        Ok(async move {
            while hangup.recv().await.is_some() {
                let tls = Arc::clone(&self);
                // Files may lie on a disk that takes its time.
                match tokio::task::spawn_blocking(move || tls.reload()).await {
                    Ok(Ok(())) => tracing::info!("SIGHUP: the TLS certificate was read again"),
                    Ok(Err(error)) => {
                        tracing::error!(%error, "SIGHUP: the TLS certificate can't be read again; the old one stays");
                    }
                    Err(_) => tracing::error!(
                        "SIGHUP: reading the TLS certificate ended in a panic; the old one stays"
                    ),
                }
            }
        })
    }

    /// What accepts a connection with the certificate of now.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&current))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

fn read(files: &TlsFiles) -> Result<ServerConfig, TlsError> {
    let TlsFiles { certificate, key } = files;
    let chain = bytes(certificate, false)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&chain).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    let chain = chain.ok_or_else(|| TlsError::NoCertificate(certificate.clone()))?;
    let pem = bytes(key, true)?;
    let private = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| TlsError::NoKey(key.clone()))?;
    let fingerprint = chain.first().map(|first| HEXLOWER.encode(digest(&SHA256, first).as_ref()));
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private));
    let mut config = config.map_err(|error| {
        if matches!(error, Error::InconsistentKeys(_)) {
            TlsError::Mismatch { certificate: certificate.clone(), key: key.clone() }
        } else if matches!(error, Error::InvalidCertificate(_)) {
            TlsError::NoCertificate(certificate.clone())
        } else {
            TlsError::Unsupported(certificate.clone())
        }
    })?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    tracing::info!(sha256 = fingerprint, "a TLS certificate is in use");
    Ok(config)
}

/// What a file holds. A secret one is refused where others can read it; the permissions are those of the file
/// that was opened, so that it can't be exchanged after the check.
fn bytes(path: &Path, is_secret: bool) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let failed = |error: io::Error| TlsError::Unreadable { path: path.to_owned(), kind: error.kind() };
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(failed(io::ErrorKind::InvalidInput.into()));
    }
    if is_secret {
        refuse_exposed(path, &metadata)?;
    }
    // As much room as will be needed, at once: a buffer that grew would leave the key behind in freed memory.
    let room = usize::try_from(metadata.len().min(MAX_FILE)).unwrap_or(0) + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

#[cfg(unix)]
fn refuse_exposed(path: &Path, metadata: &std::fs::Metadata) -> Result<(), TlsError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o7777;
    let is_exposed = mode & 0o077 != 0;
    if is_exposed { Err(TlsError::Exposed { path: path.to_owned(), mode }) } else { Ok(()) }
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "other systems have permissions that can be looked at")]
const fn refuse_exposed(_path: &Path, _metadata: &std::fs::Metadata) -> Result<(), TlsError> {
    Ok(())
}
