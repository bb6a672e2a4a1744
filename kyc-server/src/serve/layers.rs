//! What stands around the routes, from the outside in.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use kyc_core::ports::Entropy;
use poem::middleware::CatchPanic;
use poem::{Endpoint, EndpointExt, Response};

use super::{Deadline, SecurityHeaders};
use crate::api::problem::{Problem, ProblemKind, Problems};
use crate::api::request_id::RequestIds;
use crate::api::routes::Routes;

/// The longest time that a request may take, where nothing else is set.
pub const REQUEST_TIME: Duration = Duration::from_secs(30);

/// The routes with everything that holds for all of them: a request id and a log line, security headers,
/// problems for all errors, a deadline, and a 500 in the place of a panic.
pub fn layered<E: Endpoint + 'static>(
    endpoint: E,
    routes: Routes,
    entropy: Arc<dyn Entropy>,
    deadline: Duration,
) -> impl Endpoint<Output = Response> + 'static {
    let routes = Arc::new(routes);
    // What a panic carries may hold personal data, so it is dropped; the panic hook logs the place.
    let calm = CatchPanic::new().with_handler(|_: Box<dyn Any + Send>| Problem::new(ProblemKind::Internal));
    let answered = Deadline::new(endpoint.with(calm), deadline);
    let explained = Problems::new(answered, Arc::clone(&routes));
    RequestIds::new(SecurityHeaders::new(explained), routes, entropy)
}
