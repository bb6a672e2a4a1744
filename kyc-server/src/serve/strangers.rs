//! The limit of an address for requests that bear no valid key (OWASP ASVS 5.0.0, 2.4.1).

use std::sync::Arc;

use poem::{Endpoint, IntoResponse, Request, Response, Result};

use crate::api::client::{ClientAddress, Excused};
use crate::api::limits::Limiter;
use crate::api::routes::Routes;

/// An endpoint that answers 429 where an address asks too often without a valid key.
///
/// What needs no key is counted before it is answered, since making a document is what it costs. Everything else
/// is counted once it was found that no key is valid: until then a request may be of an application that shares
/// its address with whoever goes too far. Probes are not counted: a supervisor that meets a 429 restarts the
/// service. Callbacks of providers, which need no key of ours, are counted as if they needed one: a vendor sends
/// many from few addresses, and those that are genuine are let off.
pub(super) struct Strangers<E> {
    inner: E,
    routes: Arc<Routes>,
    limiter: Arc<Limiter>,
}

impl<E> Strangers<E> {
    /// Wraps an endpoint; `routes` tells what needs no key.
    pub(super) const fn new(inner: E, routes: Arc<Routes>, limiter: Arc<Limiter>) -> Self {
        Self { inner, routes, limiter }
    }
}

impl<E: Endpoint> Endpoint for Strangers<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let path = request.uri().path();
        let address = request.data::<ClientAddress>().and_then(|client| client.0);
        let is_open = self.routes.is_open(path) && !path.starts_with("/webhooks/");
        if is_open {
            if !path.starts_with("/health/") {
                self.limiter.admit_stranger(address)?;
            }
            return self.inner.call(request).await.map(IntoResponse::into_response);
        }
        let excused = Excused::default();
        request.set_data(excused.clone());
        let answered = self.inner.call(request).await.map(IntoResponse::into_response);
        if !excused.is_excused() {
            self.limiter.admit_stranger(address)?;
        }
        answered
    }
}
