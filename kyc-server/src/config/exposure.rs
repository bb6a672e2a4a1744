//! How the service meets the network: TLS, proxies, pages of other origins.

use std::net::SocketAddr;

use super::layers::Layers;
use super::settings::{BEHIND_PROXY, CORS_ORIGINS, LISTEN, TLS_CERT, TLS_KEY, TRUSTED_PROXIES};
use super::{parse, path};
use crate::serve::{Origins, Proxies, TlsFiles};

/// How the service meets the network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exposure {
    /// The files of certificate and key, where the service speaks TLS itself.
    pub tls: Option<TlsFiles>,
    /// Whether a proxy that speaks TLS is in front.
    pub behind_proxy: bool,
    /// The proxies that are believed when they name a client's address.
    pub trusted_proxies: Proxies,
    /// The origins whose pages may use the API.
    pub cors_origins: Origins,
}

impl Exposure {
    /// Reads the settings. Keys and personal data must not cross a network in the clear, so an address that
    /// others can reach needs TLS, here or in front.
    pub(super) fn read(layers: &mut Layers, listen: Option<SocketAddr>) -> Self {
        let trusted_proxies = layers.read(&TRUSTED_PROXIES, Proxies::parse).unwrap_or_default();
        let said = layers.read(&BEHIND_PROXY, parse::<bool>).unwrap_or_default();
        let exposure = Self {
            tls: tls(layers),
            behind_proxy: said || layers.has(&TRUSTED_PROXIES),
            trusted_proxies,
            cors_origins: layers.read(&CORS_ORIGINS, Origins::parse).unwrap_or_default(),
        };
        let is_private = listen.is_none_or(|listen| listen.ip().to_canonical().is_loopback());
        let given = layers.has(&TLS_CERT) || layers.has(&TLS_KEY) || exposure.behind_proxy;
        if !is_private && !given {
            let reason = "others can reach this address, and without TLS they could read keys and personal data: \
                          give KYC_TLS_CERT and KYC_TLS_KEY; or, where a proxy that speaks TLS is in front, set \
                          KYC_BEHIND_PROXY=true or name it in KYC_TRUSTED_PROXIES; or listen on 127.0.0.1";
            layers.refuse_given(&LISTEN, reason);
        }
        exposure
    }
}

fn tls(layers: &mut Layers) -> Option<TlsFiles> {
    let certificate = layers.read(&TLS_CERT, path);
    let key = layers.read(&TLS_KEY, path);
    match (layers.has(&TLS_CERT), layers.has(&TLS_KEY)) {
        (true, false) => layers.miss(&TLS_KEY, "give the file of the certificate's private key"),
        (false, true) => layers.miss(&TLS_CERT, "give the file of the certificate that the key is for"),
        (true, true) | (false, false) => {}
    }
    Some(TlsFiles { certificate: certificate?, key: key? })
}
