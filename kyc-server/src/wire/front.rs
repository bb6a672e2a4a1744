//! What a configuration puts between the clients and the service.

use std::sync::Arc;

use crate::config::{Config, Exposure};
use crate::serve::{Front, Limits, Tls, TlsError};

/// One address may have this part of the connections, as a divisor.
const SHARE: usize = 4;

pub(super) fn front(config: &Config) -> Result<Front, TlsError> {
    let Exposure { tls, behind_proxy, trusted_proxies, cors_origins } = config.exposure.clone();
    // On this machine, and behind a proxy whose address is not known, one address may be everybody.
    let one_is_all =
        config.listen.ip().to_canonical().is_loopback() || (behind_proxy && trusted_proxies.is_empty());
    let connections = config.max_connections;
    let per_address = if one_is_all { connections } else { connections.div_ceil(SHARE) };
    Ok(Front {
        limits: Limits { connections, per_address, ..Limits::default() },
        tls: tls.map(Tls::load).transpose()?.map(Arc::new),
        behind_proxy,
        proxies: trusted_proxies,
        origins: cors_origins,
    })
}
