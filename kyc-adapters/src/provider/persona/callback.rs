//! What a genuine callback says: that there is something to fetch, and of which inquiry. What it says of the
//! outcome is not read, since the API says it better.

use kyc_core::Secret;
use kyc_core::ports::provider::{About, Callback, CallbackError, CallbackNews, Reference};
use serde::Deserialize;

use super::progress::is_id;

#[derive(Deserialize)]
struct Envelope {
    data: Event,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    id: String,
    attributes: Attributes,
}

#[derive(Deserialize)]
struct Attributes {
    payload: Payload,
}

#[derive(Deserialize)]
struct Payload {
    data: Subject,
}

/// What the event is about: an inquiry, or something that belongs to one.
#[derive(Deserialize)]
struct Subject {
    #[serde(rename = "type")]
    kind: String,
    id: String,
    #[serde(default)]
    relationships: Relationships,
}

#[derive(Deserialize, Default)]
struct Relationships {
    #[serde(default)]
    inquiry: Option<Related>,
}

#[derive(Deserialize)]
struct Related {
    data: Option<Identifier>,
}

#[derive(Deserialize)]
struct Identifier {
    id: String,
}

/// Reads a callback whose signature was right.
pub(super) fn read(callback: &Callback) -> Result<CallbackNews, CallbackError> {
    let read: Envelope =
        serde_json::from_slice(callback.body.expose()).map_err(|_| CallbackError::Malformed)?;
    let event = read.data;
    let subject = event.attributes.payload.data;
    let inquiry = match subject.kind.as_str() {
        "inquiry" => Some(subject.id),
        kind if kind.starts_with("verification/") => {
            subject.relationships.inquiry.and_then(|related| related.data).map(|inquiry| inquiry.id)
        }
        _ => None,
    };
    let reference = inquiry.filter(|id| is_id(id)).and_then(Reference::new);
    match reference {
        Some(reference) if event.kind == "event" && is_id(&event.id) => Ok(CallbackNews {
            about: About::Reference(reference),
            event: Secret::new(event.id),
            answer: None,
        }),
        Some(_) | None => Err(CallbackError::Malformed),
    }
}
