//! The time that a request may take, from the end of its head to its answer.

use std::time::Duration;

use poem::{Endpoint, IntoResponse, Request, Response, Result};

use crate::api::problem::{Problem, ProblemKind};

/// An endpoint that answers 408 where its request took too long: most of all, where the body came too slowly.
pub struct Deadline<E> {
    inner: E,
    time: Duration,
}

impl<E> Deadline<E> {
    /// Wraps an endpoint.
    pub const fn new(inner: E, time: Duration) -> Self {
        Self { inner, time }
    }
}

impl<E: Endpoint> Endpoint for Deadline<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        match tokio::time::timeout(self.time, self.inner.call(request)).await {
            Ok(answered) => answered.map(IntoResponse::into_response),
            Err(_) => Err(Problem::new(ProblemKind::Timeout).into()),
        }
    }
}
