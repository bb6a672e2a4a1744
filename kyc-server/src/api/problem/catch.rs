//! The outermost conversion: whatever error or bare status comes out of the routes leaves as a problem.

use std::sync::Arc;

use kyc_core::domain::actor::RequestId;
use kyc_core::domain::fault::Faults;
use poem::http::header::CONTENT_TYPE;
use poem::http::{Method, StatusCode};
use poem::{Endpoint, IntoResponse, Request, Response, Result};
use poem_openapi::error::{ParseParamError, ParsePathError};

use super::{MEDIA_TYPE, Problem, ProblemKind};
use crate::api::routes::Routes;

/// An endpoint whose every answer of status 400 or more is a problem.
pub struct Problems<E> {
    inner: E,
    routes: Arc<Routes>,
}

impl<E> Problems<E> {
    /// Wraps an endpoint; `routes` tells the methods of a path, for Allow.
    pub const fn new(inner: E, routes: Arc<Routes>) -> Self {
        Self { inner, routes }
    }

    fn problem_of(&self, error: &poem::Error, path: &str) -> Problem {
        if let Some(error) = error.downcast_ref::<ParseParamError>() {
            let mut faults = Faults::new();
            let detail = "a value of the type that the API's document states is expected";
            faults.add(format!("?{}", error.name), "parameter.invalid", detail);
            return Problem::validation(faults);
        }
        if error.is::<ParsePathError>() || error.is::<poem::error::ParsePathError>() {
            return Problem::new(ProblemKind::NotFound);
        }
        self.problem_of_status(error.status(), path)
    }

    fn problem_of_status(&self, status: StatusCode, path: &str) -> Problem {
        let problem = Problem::new(ProblemKind::of_status(status));
        if problem.kind() == ProblemKind::MethodNotAllowed {
            return problem.allow(self.routes.allow(path));
        }
        problem
    }

    /// An error from the routes, as the answer to it.
    fn answer_to(&self, error: poem::Error, path: &str) -> Response {
        match error.data::<Problem>().cloned() {
            Some(problem) => problem.into_response(),
            None if error.is_from_response() => error.into_response(),
            None => self.problem_of(&error, path).into_response(),
        }
    }
}

impl<E: Endpoint> Endpoint for Problems<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let id = request.data::<RequestId>().cloned();
        let path = request.uri().path().to_owned();
        let traced = request.method() == Method::TRACE;
        // CONNECT has no path, on which poem's nested routes would panic.
        let answered = if request.method() == Method::CONNECT {
            Err(StatusCode::METHOD_NOT_ALLOWED.into())
        } else {
            self.inner.call(request).await.map(IntoResponse::into_response)
        };
        let mut response = answered.unwrap_or_else(|error| self.answer_to(error, &path));
        // An answer to TRACE would echo credentials (RFC 9110, section 9.3.8).
        if traced && !is_error(response.status()) {
            response = self.problem_of_status(StatusCode::METHOD_NOT_ALLOWED, &path).into_response();
        }
        if let Some(problem) = response.data::<Problem>().cloned() {
            response = problem.render(id.as_ref());
        } else if is_error(response.status()) && !is_problem(&response) {
            response = self.problem_of_status(response.status(), &path).render(id.as_ref());
        }
        Ok(response)
    }
}

fn is_error(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

fn is_problem(response: &Response) -> bool {
    let media_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    media_type.is_some_and(|media_type| media_type.starts_with(MEDIA_TYPE))
}
