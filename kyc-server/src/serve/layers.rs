//! What stands around the routes, from the outside in.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use kyc_core::ports::Entropy;
use poem::middleware::CatchPanic;
use poem::{Endpoint, EndpointExt, Response};

use super::addresses::ClientAddresses;
use super::cors::Cors;
use super::strangers::Strangers;
use super::{Deadline, Front, SecurityHeaders};
use crate::api::limits::Limiter;
use crate::api::problem::{Problem, ProblemKind, Problems};
use crate::api::request_id::RequestIds;
use crate::api::routes::Routes;

/// The longest time that a request may take, where nothing else is set.
pub const REQUEST_TIME: Duration = Duration::from_secs(30);

/// What the layers need.
pub struct Around {
    /// Names requests.
    pub entropy: Arc<dyn Entropy>,
    /// The longest time that a request may take.
    pub deadline: Duration,
    /// The limits of addresses; those of keys are applied where keys are known.
    pub limiter: Arc<Limiter>,
    /// What stands between the clients and the service.
    pub front: Front,
}

/// The routes with everything that holds for all of them: the client's address, a request id and a log line,
/// security headers, answers to pages of other origins, problems for all errors, the limit of addresses without a
/// key, a deadline, and a 500 in the place of a panic.
pub fn layered<E: Endpoint + 'static>(
    endpoint: E,
    routes: Routes,
    around: Around,
) -> impl Endpoint<Output = Response> + 'static {
    let Around { entropy, deadline, limiter, front } = around;
    let by_tls = front.by_tls();
    let Front { proxies, origins, .. } = front;
    let routes = Arc::new(routes);
    // What a panic carries may hold personal data, so it is dropped; the panic hook logs the place.
    let calm = CatchPanic::new().with_handler(|_: Box<dyn Any + Send>| Problem::new(ProblemKind::Internal));
    let answered = Deadline::new(endpoint.with(calm), deadline, Arc::clone(&routes));
    let limited = Strangers::new(answered, Arc::clone(&routes), limiter);
    let explained = Problems::new(limited, Arc::clone(&routes));
    let shared = Cors::new(explained, origins, Arc::clone(&routes));
    let named = RequestIds::new(SecurityHeaders::new(shared, by_tls), routes, entropy);
    ClientAddresses::new(named, proxies)
}
