//! `GET /audit-events`: who did what, and who has seen whom.

pub(super) mod body;

use kyc_core::Kyc;
use kyc_core::domain::audit::Action;
use kyc_core::domain::fault::Faults;
use kyc_core::domain::ids::CustomerId;
use kyc_core::ports::store::AuditFilter;
use kyc_core::usecase::AuditQuery;
use poem::Request;
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::Query;
use poem_openapi::payload::Json;

use self::body::AuditPageBody;
use super::Tag;
use super::auth::Authenticated;
use super::problem::{self, ProblemKind, Refusal, Refuses};
use super::query::{Lenient, refuse_unknown};
use super::values::{Time, Word};

/// The endpoint of [`audit`](self).
#[derive(Debug, Clone, Copy, Default)]
pub struct AuditApi;

/// What the list of events refuses with.
#[derive(Debug)]
struct AuditRefuses;
impl Refuses for AuditRefuses {
    const KINDS: &'static [&'static [ProblemKind]] = &[problem::EVERY];
}

const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 200;
const TIME: &str = "a time such as 2026-01-31T00:00:00Z is expected";

#[expect(clippy::too_many_arguments, reason = "each parameter of the document is an argument")]
#[OpenApi(tag = "Tag::Access")]
impl AuditApi {
    /// List audit events
    ///
    /// Newest first, a page at a time. With a filter a page may be short, or even empty, and yet have a
    /// `next_cursor`: a page looks at a bounded number of events.
    #[oai(path = "/audit-events", method = "get", operation_id = "listAuditEvents")]
    async fn list(
        &self,
        Data(kyc): Data<&Kyc>,
        actor: Authenticated,
        request: &Request,
        /// Only events on this customer.
        customer_id: Query<Lenient<Option<String>>>,
        /// Only events of this actor, as an event names it, such as `system:worker`.
        #[oai(name = "actor")]
        actor_name: Query<Lenient<Option<String>>>,
        /// Only events of this kind.
        action: Query<Lenient<Option<Word<Action>>>>,
        /// Only events at or after this time.
        since: Query<Lenient<Option<Time>>>,
        /// Only events before this time.
        until: Query<Lenient<Option<Time>>>,
        /// How many, 1 to 200; 50 where it is left out.
        limit: Query<Lenient<Option<u32>>>,
        /// `next_cursor` of the page before.
        cursor: Query<Lenient<Option<String>>>,
    ) -> Result<Json<AuditPageBody>, Refusal<AuditRefuses>> {
        let mut faults = Faults::new();
        let id = customer_id.0.optional("customer_id", "a customer id is expected", &mut faults).flatten();
        let customer_id = id.and_then(|id| {
            let parsed = CustomerId::parse(&id);
            if parsed.is_err() {
                faults.add("?customer_id", "parameter.invalid", "a customer id is expected");
            }
            parsed.ok()
        });
        let name = actor_name.0.optional("actor", "an actor is expected", &mut faults).flatten();
        let action = action.0.optional("action", "an action of the document is expected", &mut faults);
        let since = since.0.optional("since", TIME, &mut faults).flatten();
        let until = until.0.optional("until", TIME, &mut faults).flatten();
        let limit = limit.0.optional("limit", "a whole number from 1 to 200 is expected", &mut faults);
        let limit = limit.flatten().unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            faults.add("?limit", "parameter.invalid", "a whole number from 1 to 200 is expected");
        }
        let cursor =
            cursor.0.optional("cursor", "the next_cursor of the page before is expected", &mut faults);
        let before = cursor.flatten().and_then(|cursor| {
            let sequence = cursor.parse().ok();
            if sequence.is_none() {
                let expected = "the next_cursor of the page before is expected";
                faults.add("?cursor", "parameter.invalid", expected);
            }
            sequence
        });
        let known = ["customer_id", "actor", "action", "since", "until", "limit", "cursor"];
        refuse_unknown(request, &known, &mut faults);
        if !faults.is_empty() {
            Err(faults)?;
        }
        let filter = AuditFilter {
            subject: None,
            actor: name,
            action: action.flatten().map(|word| word.0),
            since: since.map(|time| time.0),
            until: until.map(|time| time.0),
        };
        let query = AuditQuery { customer_id, filter, before, limit };
        Ok(Json(kyc.audit_events(&actor.0, query).await?.into()))
    }
}
