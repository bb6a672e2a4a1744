//! The time that a request may take, from the end of its head to its answer.

use std::sync::Arc;
use std::time::Duration;

use poem::http::Method;
use poem::{Endpoint, IntoResponse, Request, Response, Result};

use crate::api::problem::{Problem, ProblemKind};
use crate::api::routes::Routes;

/// Where files come in, which are larger than anything else.
const UPLOADS: &str = "/customers/{id}/documents";
/// How many times as long as any other request one with a file may take: with thirty seconds for the others, two
/// minutes, in which a line of 0.7 Mbit/s sends the largest file.
const TIMES: u32 = 4;

/// An endpoint that answers 408 where its request took too long: most of all, where the body came too slowly.
pub struct Deadline<E> {
    inner: E,
    time: Duration,
    routes: Arc<Routes>,
}

impl<E> Deadline<E> {
    /// Wraps an endpoint; `routes` tells where files come in.
    pub const fn new(inner: E, time: Duration, routes: Arc<Routes>) -> Self {
        Self { inner, time, routes }
    }

    fn time_for(&self, request: &Request) -> Duration {
        let brings_a_file =
            *request.method() == Method::POST && self.routes.template(request.uri().path()) == Some(UPLOADS);
        if brings_a_file { self.time * TIMES } else { self.time }
    }
}

impl<E: Endpoint> Endpoint for Deadline<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        match tokio::time::timeout(self.time_for(&request), self.inner.call(request)).await {
            Ok(answered) => answered.map(IntoResponse::into_response),
            Err(_) => Err(Problem::new(ProblemKind::Timeout).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use poem::endpoint::make_sync;

    use super::*;
    use crate::api::Apis;

    #[test]
    fn the_one_path_for_files_has_more_time_and_no_other() {
        let endpoint = make_sync(|_| Response::default());
        let deadline = Deadline::new(endpoint, Duration::from_secs(30), Arc::new(Routes::of::<Apis>()));
        let time = |method, path: &str| {
            deadline.time_for(&Request::builder().method(method).uri_str(path).finish()).as_secs()
        };
        assert_eq!(time(Method::POST, "/customers/a/documents"), 120);
        for (method, path) in [
            (Method::GET, "/customers/a/documents"),
            (Method::POST, "/customers"),
            (Method::POST, "/customers/a/verifications"),
            (Method::GET, "/customers/a/documents/b/content"),
            (Method::POST, "/documents"),
        ] {
            assert_eq!(time(method, path), 30);
        }
    }
}
