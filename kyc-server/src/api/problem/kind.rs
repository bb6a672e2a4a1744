//! The closed table of problem types: what clients branch on.

use poem::http::StatusCode;

/// Declares [`ProblemKind`] and all that is said of each kind, so that none can lack a word of it. Of several
/// kinds of one status, the first is the one that is meant where only the status is known.
macro_rules! problem_kinds {
    ($($kind:ident = $status:ident, $name:literal, $title:literal, $mend:literal;)*) => {
        /// A kind of problem. Its type URI is stable: clients branch on it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ProblemKind {
            $(#[doc = $title] $kind,)*
        }

        impl ProblemKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The status of an answer with this problem.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self {
                    $(Self::$kind => StatusCode::$status,)*
                }
            }

            /// The last segment of the type URI.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }

            /// The type URI, relative to this server (RFC 9457, section 3.1.1).
            #[must_use]
            pub const fn type_uri(self) -> &'static str {
                match self {
                    $(Self::$kind => concat!("/problems/", $name),)*
                }
            }

            /// What the problem is, in a few words that never change with the occurrence.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$kind => $title,)*
                }
            }

            /// What the caller can do about it.
            #[must_use]
            pub const fn mend(self) -> &'static str {
                match self {
                    $(Self::$kind => $mend,)*
                }
            }
        }
    };
}

problem_kinds! {
    BadRequest = BAD_REQUEST, "bad-request", "The request can't be read",
        "Send a well-formed HTTP request.";
    MalformedJson = BAD_REQUEST, "malformed-json", "The body is not strict JSON",
        "Send one JSON object in UTF-8, no name twice in an object, nested at most 32 deep.";
    Unauthorized = UNAUTHORIZED, "unauthorized", "A valid API key is needed",
        "Send `Authorization: Bearer <api key>` with a key that is valid now.";
    BadSignature = UNAUTHORIZED, "bad-signature", "The callback's signature is missing, wrong or not of this time",
        "Sign the raw body as the provider's documents say, with a secret that this service was given, and now.";
    Forbidden = FORBIDDEN, "forbidden", "The API key's role does not permit this",
        "Use a key of a role that permits it.";
    NotFound = NOT_FOUND, "not-found", "There is nothing here",
        "Check the path and the ids in it.";
    MethodNotAllowed = METHOD_NOT_ALLOWED, "method-not-allowed", "The method does not exist here",
        "Use one of the methods that the Allow header names.";
    NotAcceptable = NOT_ACCEPTABLE, "not-acceptable", "None of the accepted media types can be made",
        "Accept a media type that the API's document names for this answer.";
    Timeout = REQUEST_TIMEOUT, "timeout", "The request took too long",
        "Send the request anew; a write may or may not have happened, which an Idempotency-Key makes safe.";
    CustomerIdTaken = CONFLICT, "customer-id-taken", "The customer id is taken",
        "Choose another customer_id, or update the customer who has it.";
    Final = CONFLICT, "final", "The customer was rejected for good",
        "Nothing starts another verification; a person can look at the decision.";
    IdempotencyInFlight = CONFLICT, "idempotency-in-flight", "The same request is in flight",
        "Send it again after the time that Retry-After says: the answer is then that of the first one.";
    Retention = CONFLICT, "retention", "The data has to be kept for some time yet",
        "Wait until `erasable_from`, or say override_retention=true where the law permits it.";
    LegalHold = CONFLICT, "legal-hold", "The customer is under a legal hold",
        "Lift the hold first; nothing overrides it.";
    ConsentRequired = CONFLICT, "consent-required", "The customer has not consented to this",
        "Have the customer consent to purpose `biometric`, and add that to `consents` first.";
    DocumentLimit = CONFLICT, "document-limit", "The customer has as many files as one may have",
        "Remove a file that is not needed.";
    Erased = GONE, "erased", "The customer was erased",
        "Nothing brings the customer back; register a new customer under another id.";
    PreconditionFailed = PRECONDITION_FAILED, "precondition-failed", "The version is another by now",
        "Read the customer again and decide on what it is now.";
    TooLarge = PAYLOAD_TOO_LARGE, "too-large", "The body is too large",
        "Send at most 256 KiB of JSON, or a file of at most 10 MiB.";
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "The media type is not taken here",
        "Send the media type that the API's document names for this body, without content encoding.";
    ValidationFailed = UNPROCESSABLE_ENTITY, "validation-failed", "Fields or parameters are not valid",
        "Mend every field and parameter that `errors` points at.";
    RateLimited = TOO_MANY_REQUESTS, "rate-limited", "There were too many requests",
        "Wait as long as Retry-After says, and then go more slowly.";
    VerificationLimit = TOO_MANY_REQUESTS, "verification-limit", "The day's verifications of the customer are used up",
        "Wait as long as Retry-After says.";
    Internal = INTERNAL_SERVER_ERROR, "internal", "Something went wrong on our side",
        "Report the X-Request-Id to the operator.";
    Unavailable = SERVICE_UNAVAILABLE, "unavailable", "The service can't do this now",
        "Try again after the time that Retry-After says.";
    Overloaded = SERVICE_UNAVAILABLE, "overloaded", "The service has too much to do",
        "Try again after the time that Retry-After says, and more slowly.";
}

impl ProblemKind {
    /// The kind of this name, the last segment of its type URI.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// The kind that says no more than this status does.
    #[must_use]
    pub fn of_status(status: StatusCode) -> Self {
        let exact = Self::ALL.iter().copied().find(|kind| kind.status() == status);
        exact.unwrap_or(if status.is_client_error() { Self::BadRequest } else { Self::Internal })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_distinct_and_found_again() {
        let names: BTreeSet<_> = ProblemKind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), ProblemKind::ALL.len());
        for kind in ProblemKind::ALL {
            assert_eq!(ProblemKind::by_name(kind.name()), Some(*kind));
            assert!(kind.status().is_client_error() || kind.status().is_server_error());
        }
        assert_eq!(ProblemKind::by_name("nothing"), None);
    }

    #[test]
    fn a_bare_status_has_the_general_kind() {
        assert_eq!(ProblemKind::of_status(StatusCode::BAD_REQUEST), ProblemKind::BadRequest);
        assert_eq!(ProblemKind::of_status(StatusCode::SERVICE_UNAVAILABLE), ProblemKind::Unavailable);
        assert_eq!(ProblemKind::of_status(StatusCode::URI_TOO_LONG), ProblemKind::BadRequest);
        assert_eq!(ProblemKind::of_status(StatusCode::BAD_GATEWAY), ProblemKind::Internal);
    }
}
