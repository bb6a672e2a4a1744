//! The sandbox's side of the contract: authenticate, take one step in the ledger, sign the answer.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::PoisonError;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName};
use hyper::{Method, Request, Response, StatusCode};
use kyc_core::domain::ids::VerificationId;
use serde::Serialize;
use tokio::time::timeout;

use super::State;
use super::ledger::Submitted;
use super::table::Behaviour;
use crate::provider::http::signature::{Message, SIGNATURE_HEADER, within_window};
use crate::provider::http::wire::VerificationRequest;

/// The most bytes of a request's body.
const MAX_BODY: usize = 256 * 1024;
/// How long a body may take.
const BODY_TIME: Duration = Duration::from_secs(10);
/// Where the submissions are counted: an addition of the sandbox, no part of the contract.
const SUBMISSIONS: &str = "/v1/sandbox/submissions";
/// Where the customer's links lead.
pub(super) const PAGE: &str = "/v1/sandbox/page";

/// What is answered, before it is signed.
struct Reply {
    status: StatusCode,
    content_type: &'static str,
    body: Vec<u8>,
}

impl Reply {
    fn json(status: StatusCode, body: &impl Serialize) -> Self {
        // Nothing of ours fails to become JSON; were it so, the empty body is one that the client refuses.
        Self { status, content_type: "application/json", body: serde_json::to_vec(body).unwrap_or_default() }
    }

    fn fault(status: StatusCode, error: &'static str) -> Self {
        Self::json(status, &Fault { error })
    }
}

/// The body of a fault: a word, which repeats nothing of the request.
#[derive(Serialize)]
struct Fault {
    error: &'static str,
}

/// Answers one request. Only what is signed by a client of ours is read further than its body's bytes.
pub(super) async fn answer(
    state: &State,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response<Full>, Infallible> {
    let (head, body) = request.into_parts();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    if head.method == Method::GET && path == PAGE {
        return Ok(finish(page(), None));
    }
    let Some(body) = read(body).await else {
        return Ok(finish(Reply::fault(StatusCode::PAYLOAD_TOO_LARGE, "body"), None));
    };
    // The counts name nobody, and a test that asks for them has no secret.
    if head.method == Method::GET && path == SUBMISSIONS && peer.ip().is_loopback() {
        return Ok(finish(submissions(state), None));
    }
    let message = Message::Request { method: head.method.as_str(), path, body: &body };
    let Some(signature) = genuine(state, &head.headers, message) else {
        return Ok(finish(Reply::fault(StatusCode::UNAUTHORIZED, "signature"), None));
    };
    let reply = route(state, &head.method, path, &body);
    let message = Message::Response { status: reply.status.as_u16(), request: signature, body: &reply.body };
    let signed = state.keys.sign(state.clock.now(), message);
    Ok(finish(reply, Some(&signed)))
}

/// The request's signature header, where it is there once, right, and of our time.
fn genuine<'a>(state: &State, headers: &'a HeaderMap, message: Message<'_>) -> Option<&'a str> {
    let mut values = headers.get_all(SIGNATURE_HEADER).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let header = value.to_str().ok()?;
    let signed_at = state.keys.verify(header, message).ok()?;
    within_window(signed_at, state.clock.now()).then_some(header)
}

fn route(state: &State, method: &Method, path: &str, body: &[u8]) -> Reply {
    if path == SUBMISSIONS {
        return if method == Method::GET { submissions(state) } else { not_allowed() };
    }
    let Some(rest) = path.strip_prefix("/v1/verifications") else { return not_found() };
    if rest.is_empty() {
        return if method == Method::POST { submit(state, body) } else { not_allowed() };
    }
    let id = rest.strip_prefix('/').and_then(|id| VerificationId::parse(id).ok());
    match (id, method) {
        (None, _) => not_found(),
        (Some(verification), &Method::GET) => look(state, verification),
        (Some(verification), &Method::DELETE) => forget(state, verification),
        (Some(_), _) => not_allowed(),
    }
}

fn submit(state: &State, body: &[u8]) -> Reply {
    let Ok(request) = serde_json::from_slice::<VerificationRequest<'_>>(body) else {
        return Reply::fault(StatusCode::UNPROCESSABLE_ENTITY, "body");
    };
    let Ok(verification) = VerificationId::parse(&request.verification_id) else {
        return Reply::fault(StatusCode::UNPROCESSABLE_ENTITY, "verification_id");
    };
    let behaviour = Behaviour::of(&request.applicant.identity_document.number);
    let now = state.clock.now();
    let mut ledger = state.ledger.lock().unwrap_or_else(PoisonError::into_inner);
    match ledger.submit(verification, behaviour, state.keys.fingerprint(body), now) {
        Submitted::Unavailable => Reply::fault(StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        Submitted::Conflict => Reply::fault(StatusCode::CONFLICT, "conflict"),
        Submitted::Accepted(behaviour, at) => {
            Reply::json(StatusCode::ACCEPTED, &behaviour.state(verification, at, now, &state.page))
        }
    }
}

fn look(state: &State, verification: VerificationId) -> Reply {
    let found = state.ledger.lock().unwrap_or_else(PoisonError::into_inner).look(verification);
    found.map_or_else(not_found, |(behaviour, at)| {
        Reply::json(StatusCode::OK, &behaviour.state(verification, at, state.clock.now(), &state.page))
    })
}

fn forget(state: &State, verification: VerificationId) -> Reply {
    if state.ledger.lock().unwrap_or_else(PoisonError::into_inner).forget(verification) {
        Reply { status: StatusCode::NO_CONTENT, content_type: "application/json", body: Vec::new() }
    } else {
        not_found()
    }
}

fn submissions(state: &State) -> Reply {
    let counts = state.counts();
    let counts: std::collections::BTreeMap<_, _> =
        counts.into_iter().map(|(verification, count)| (verification.to_string(), count)).collect();
    Reply::json(StatusCode::OK, &counts)
}

fn page() -> Reply {
    let text = "The sandbox stands in for a provider's page. There is nothing to do: it answers by itself.\n";
    Reply {
        status: StatusCode::OK,
        content_type: "text/plain; charset=utf-8",
        body: text.as_bytes().to_vec(),
    }
}

fn not_found() -> Reply {
    Reply::fault(StatusCode::NOT_FOUND, "not_found")
}

fn not_allowed() -> Reply {
    Reply::fault(StatusCode::METHOD_NOT_ALLOWED, "method")
}

fn finish(reply: Reply, signature: Option<&str>) -> Response<Full> {
    let mut response = Response::new(Full(Some(Bytes::from(reply.body))));
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    if reply.status != StatusCode::NO_CONTENT {
        headers.insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(reply.content_type));
    }
    let name = HeaderName::from_bytes(SIGNATURE_HEADER.as_bytes());
    let value = signature.map(hyper::header::HeaderValue::from_str);
    if let (Ok(name), Some(Ok(value))) = (name, value) {
        headers.insert(name, value);
    }
    response
}

/// The whole body; none where it is too long, too slow, or cut off.
async fn read(mut body: Incoming) -> Option<Vec<u8>> {
    timeout(BODY_TIME, async {
        let mut bytes = Vec::new();
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            if let Ok(data) = frame.ok()?.into_data() {
                if bytes.len() + data.len() > MAX_BODY {
                    return None;
                }
                bytes.extend_from_slice(&data);
            }
        }
        Some(bytes)
    })
    .await
    .ok()
    .flatten()
}

/// A body that is there at once.
pub(super) struct Full(Option<Bytes>);

impl Body for Full {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().filter(|bytes| !bytes.is_empty()).map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        let length = self.0.as_ref().map_or(0, Bytes::len);
        SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
    }
}
