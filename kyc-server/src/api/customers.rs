//! `/customers`: registered, read, changed, listed, searched and erased.

pub mod body;
mod page;

use kyc_core::Kyc;
use kyc_core::domain::actor::Actor;
use kyc_core::domain::erasure::ErasureReason;
use kyc_core::domain::fault::Faults;
use kyc_core::domain::ids::CustomerId;
use kyc_core::domain::permission::Permission;
use kyc_core::domain::status::{Stage, StatusKind};
use kyc_core::ports::store::CustomerFilter;
use kyc_core::usecase::{CustomerView, Erase, Register, Reveal, Search, Update, Updated};
use poem::Request;
use poem::web::Data;
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};

use self::body::{CustomerBody, RegisterBody, UpdateBody};
use self::page::{CustomerListBody, CustomerPageBody, SearchBody};
use super::Tag;
use super::auth::Authenticated;
use super::body::JsonBody;
use super::etag;
use super::once::{Once, Replayable};
use super::problem::{self, Problem, ProblemKind, Refusal, Refuses};
use super::query::{Lenient, refuse_unknown};
use super::values::Word;

/// The endpoints of [`customers`](self).
#[derive(Debug, Clone, Copy, Default)]
pub struct CustomersApi;

/// A registered customer.
#[derive(Debug, ApiResponse)]
pub(super) enum Registered {
    /// The customer is stored, and a verification is queued. Both survive a crash.
    #[oai(status = 201)]
    Created(
        Json<CustomerBody>,
        /// The customer's address.
        #[oai(header = "Location")]
        String,
        /// The version, quoted.
        #[oai(header = "ETag")]
        String,
    ),
}

/// A customer with its version.
#[derive(Debug, ApiResponse)]
enum Versioned {
    /// The customer.
    #[oai(status = 200)]
    Ok(
        Json<CustomerBody>,
        /// The version, quoted.
        #[oai(header = "ETag")]
        String,
    ),
}

/// A changed customer.
#[derive(Debug, ApiResponse)]
pub(super) enum Changed {
    /// The change is stored.
    #[oai(status = 200)]
    Ok(
        Json<UpdatedBody>,
        /// The version, quoted.
        #[oai(header = "ETag")]
        String,
    ),
}

/// A customer after a change.
#[derive(Debug, Object)]
#[oai(rename = "UpdatedCustomer")]
pub struct UpdatedBody {
    /// The customer now.
    #[oai(flatten)]
    customer: CustomerBody,
    /// Whether the change has the customer verified again.
    reverification: ReverificationBody,
}

/// Whether a change has the customer verified again.
#[derive(Debug, Object)]
#[oai(rename = "Reverification")]
struct ReverificationBody {
    /// Whether a verification was queued.
    required: bool,
    /// The fields whose change demands it; or `final` where none can be started any more.
    because: Vec<String>,
}

impl From<&CustomerView> for Registered {
    fn from(view: &CustomerView) -> Self {
        let location = format!("/customers/{}", view.customer_id);
        Self::Created(Json(view.into()), location, etag::of(view.version))
    }
}

impl From<&Updated> for Changed {
    fn from(Updated { customer, reverification }: &Updated) -> Self {
        let body = UpdatedBody {
            customer: customer.into(),
            reverification: ReverificationBody {
                required: reverification.required,
                because: reverification.because.iter().map(|reason| reason.as_str().to_owned()).collect(),
            },
        };
        Self::Ok(Json(body), etag::of(customer.version))
    }
}

/// A customer who was erased.
#[derive(Debug, ApiResponse)]
enum Erased {
    /// The data, its key and its fingerprints are destroyed. From now on the id is a 410.
    #[oai(status = 204)]
    Erased,
}

/// What `POST /customers` refuses with.
#[derive(Debug)]
struct RegisterRefuses;
impl Refuses for RegisterRefuses {
    const KINDS: &'static [&'static [ProblemKind]] =
        &[problem::EVERY, problem::BODY, &[ProblemKind::CustomerIdTaken, ProblemKind::Erased], problem::ONCE];
}

/// What `PUT /customers/{id}` refuses with.
#[derive(Debug)]
struct UpdateRefuses;
impl Refuses for UpdateRefuses {
    const KINDS: &'static [&'static [ProblemKind]] = &[
        problem::EVERY,
        problem::BODY,
        &[ProblemKind::NotFound, ProblemKind::Erased, ProblemKind::PreconditionFailed],
        problem::ONCE,
    ];
}

/// What a read of one customer refuses with.
#[derive(Debug)]
pub(super) struct ReadRefuses;
impl Refuses for ReadRefuses {
    const KINDS: &'static [&'static [ProblemKind]] =
        &[problem::EVERY, &[ProblemKind::NotFound, ProblemKind::Erased]];
}

/// What an erasure is refused with.
#[derive(Debug)]
struct EraseRefuses;
impl Refuses for EraseRefuses {
    const KINDS: &'static [&'static [ProblemKind]] = &[
        problem::EVERY,
        &[ProblemKind::NotFound, ProblemKind::Erased, ProblemKind::Retention, ProblemKind::LegalHold],
    ];
}

/// What a list refuses with.
#[derive(Debug)]
struct ListRefuses;
impl Refuses for ListRefuses {
    const KINDS: &'static [&'static [ProblemKind]] = &[problem::EVERY];
}

/// What a search refuses with.
#[derive(Debug)]
struct SearchRefuses;
impl Refuses for SearchRefuses {
    const KINDS: &'static [&'static [ProblemKind]] = &[problem::EVERY, problem::BODY];
}

/// An id as the examples of requests have it.
pub(super) fn example_id() -> String {
    "cus-1001".to_owned()
}

/// The id in a path. One that could not exist is not found, for who may ask at all: others are refused whatever
/// the id looks like. The use case asks for the permission again.
pub(super) fn path_id(actor: &Actor, permission: Permission, text: &str) -> Result<CustomerId, Problem> {
    actor.require(permission)?;
    CustomerId::parse(text).map_err(|_| Problem::new(ProblemKind::NotFound))
}

#[expect(clippy::too_many_arguments, reason = "each parameter of the document is an argument")]
#[OpenApi(tag = "Tag::Customers")]
impl CustomersApi {
    /// Register a customer
    ///
    /// Stores the customer and queues the first verification. The status goes from `pending` to `verified`
    /// or `rejected`, or waits for the customer or a reviewer; ask `GET /customers/{id}/kyc-status`.
    ///
    /// An expired document and a person under the minimum age are no faults: they are stored, and decided.
    #[oai(path = "/customers", method = "post", operation_id = "registerCustomer")]
    async fn register(
        &self,
        Data(kyc): Data<&Kyc>,
        actor: Authenticated,
        /// A name of your own for this request, such as a UUID, quoted or bare. When the request is sent again
        /// under it within 24 hours, the first answer is repeated, and nothing is done twice.
        #[oai(name = "Idempotency-Key")]
        once: Once,
        body: JsonBody<RegisterBody>,
    ) -> Result<Replayable<Registered>, Refusal<RegisterRefuses>> {
        let (once, (customer_id, form), faults) = once.with(body);
        let (actor, request) = (&actor.0, Register { customer_id, form, faults });
        let done = once.run(kyc, actor, Permission::WriteCustomers, |kyc| async move {
            kyc.register(actor, request).await
        });
        Ok(done.await?)
    }

    /// List customers
    ///
    /// Newest registration first, a page at a time.
    #[oai(path = "/customers", method = "get", operation_id = "listCustomers")]
    async fn list(
        &self,
        Data(kyc): Data<&Kyc>,
        actor: Authenticated,
        request: &Request,
        /// Only customers with this status.
        status: Query<Lenient<Option<Word<StatusKind>>>>,
        /// Only customers with this stage.
        stage: Query<Lenient<Option<Word<Stage>>>>,
        /// How many, 1 to 200; 50 where it is left out.
        limit: Query<Lenient<Option<u32>>>,
        /// `next_cursor` of the page before.
        cursor: Query<Lenient<Option<String>>>,
    ) -> Result<Json<CustomerPageBody>, Refusal<ListRefuses>> {
        let mut faults = Faults::new();
        let status = status.0.optional("status", "pending, verified or rejected is expected", &mut faults);
        let stage = stage.0.optional(
            "stage",
            "queued, with_provider, awaiting_customer or in_review is expected",
            &mut faults,
        );
        let limit = limit.0.optional("limit", page::LIMIT_EXPECTED, &mut faults).flatten();
        let cursor = cursor.0.optional("cursor", page::CURSOR_EXPECTED, &mut faults).flatten();
        let page = page::request(limit, cursor.as_deref(), &mut faults);
        refuse_unknown(request, &["status", "stage", "limit", "cursor"], &mut faults);
        if !faults.is_empty() {
            Err(faults)?;
        }
        let filter = CustomerFilter {
            status: status.flatten().map(|word| word.0),
            stage: stage.flatten().map(|word| word.0),
        };
        Ok(Json(kyc.customers(&actor.0, filter, page).await?.into()))
    }

    /// Search for customers by personal data
    ///
    /// An exact search by one of `email`, `phone_number`, `document_number`, or `name` with `date_of_birth`;
    /// case, accents and spacing of a name do not matter. Newest first, at most 100. It is a POST, so that
    /// personal data stands in no address.
    #[oai(path = "/customers/search", method = "post", operation_id = "searchCustomers")]
    async fn search(
        &self,
        Data(kyc): Data<&Kyc>,
        actor: Authenticated,
        body: JsonBody<SearchBody>,
    ) -> Result<Json<CustomerListBody>, Refusal<SearchRefuses>> {
        let JsonBody { value: form, faults, .. } = body;
        let found = kyc.search(&actor.0, Search { form, faults }).await?;
        Ok(Json(CustomerListBody { items: found.iter().map(Into::into).collect() }))
    }

    /// Read a customer
    ///
    /// What was declared, as far as the role of the key sees it, with the status. A reviewer sees document
    /// numbers and tax ids with `reveal=true`. A read that shows personal data is audited.
    #[oai(path = "/customers/:id", method = "get", operation_id = "readCustomer")]
    async fn read(
        &self,
        Data(kyc): Data<&Kyc>,
        actor: Authenticated,
        /// Your own id of the customer.
        #[oai(example = "example_id")]
        id: Path<String>,
        request: &Request,
        /// Whether to show document number, machine-readable zone and tax ids to a reviewer.
        reveal: Query<Lenient<Option<bool>>>,
    ) -> Result<Versioned, Refusal<ReadRefuses>> {
        let id = path_id(&actor.0, Permission::ReadCustomers, &id)?;
        let mut faults = Faults::new();
        let reveal = reveal.0.optional("reveal", "true or false is expected", &mut faults).flatten();
        refuse_unknown(request, &["reveal"], &mut faults);
        if !faults.is_empty() {
            Err(faults)?;
        }
        let reveal = if reveal == Some(true) { Reveal::Numbers } else { Reveal::AsUsual };
        let view = kyc.customer(&actor.0, &id, reveal).await?;
        Ok(Versioned::Ok(Json((&view).into()), etag::of(view.version)))
    }

    /// Change a customer
    ///
    /// A field that is left out keeps its value; `null` clears an optional one. A change of name, date of
    /// birth, address or document is verified again; one of e-mail or phone number alone is not. The change
    /// is always stored: past the daily limit the verification waits, and after a final rejection none starts.
    #[oai(path = "/customers/:id", method = "put", operation_id = "updateCustomer")]
    async fn update(
        &self,
        Data(kyc): Data<&Kyc>,
        actor: Authenticated,
        /// Your own id of the customer.
        #[oai(example = "example_id")]
        id: Path<String>,
        /// Change only this version: an ETag, or several with commas between, or `*`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        /// A name of your own for this request, such as a UUID, quoted or bare. When the request is sent again
        /// under it within 24 hours, the first answer is repeated, and nothing is done twice.
        #[oai(name = "Idempotency-Key")]
        once: Once,
        body: JsonBody<UpdateBody>,
    ) -> Result<Replayable<Changed>, Refusal<UpdateRefuses>> {
        let id = path_id(&actor.0, Permission::WriteCustomers, &id)?;
        let only_versions = if_match.0.as_deref().map(etag::versions).transpose()?.flatten();
        let (once, (customer_id, update), faults) = once.with(body);
        let (actor, request) = (&actor.0, Update { customer_id, update, only_versions, faults });
        let done = once.run(kyc, actor, Permission::WriteCustomers, |kyc| async move {
            kyc.update(actor, &id, request).await
        });
        Ok(done.await?)
    }

    /// Erase a customer
    ///
    /// Destroys the data key, the data of every version, the fingerprints, and the verifications with the
    /// provider's answers. Counts in reports and audit events stay; they name nobody. The id answers 410 from
    /// then on and can't be registered again.
    ///
    /// While the data has to be kept it is a 409 with `erasable_from`, unless `override_retention=true`, which is
    /// audited. A legal hold is a 409 that nothing overrides.
    #[oai(path = "/customers/:id", method = "delete", operation_id = "eraseCustomer")]
    async fn erase(
        &self,
        Data(kyc): Data<&Kyc>,
        actor: Authenticated,
        /// Your own id of the customer.
        #[oai(example = "example_id")]
        id: Path<String>,
        request: &Request,
        /// Why.
        #[oai(example = "example_reason")]
        reason: Query<Lenient<Word<ErasureReason>>>,
        /// Whether to erase although the data has to be kept for some time yet.
        override_retention: Query<Lenient<Option<bool>>>,
    ) -> Result<Erased, Refusal<EraseRefuses>> {
        let id = path_id(&actor.0, Permission::EraseCustomers, &id)?;
        let mut faults = Faults::new();
        let expected = "subject_request, retention_ended, court_order or registered_in_error is expected";
        let reason = reason.0.required("reason", expected, &mut faults);
        let expected = "true or false is expected";
        let override_retention = override_retention.0.optional("override_retention", expected, &mut faults);
        refuse_unknown(request, &["reason", "override_retention"], &mut faults);
        let Some(Word(reason)) = reason.filter(|_| faults.is_empty()) else { Err(faults)? };
        let override_retention = override_retention.flatten().unwrap_or(false);
        let (kyc, actor) = (kyc.clone(), actor.0);
        // On a task of its own: what is committed has to be noted in the ledger, also where the client goes away.
        let erased =
            tokio::spawn(async move { kyc.erase(&actor, &id, Erase { reason, override_retention }).await });
        erased.await.map_err(|_| Problem::new(ProblemKind::Internal))??;
        Ok(Erased::Erased)
    }
}

fn example_reason() -> Lenient<Word<ErasureReason>> {
    Lenient::of(Word(ErasureReason::SubjectRequest))
}
