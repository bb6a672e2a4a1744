//! The HTTP API: one file a resource, and what they share.

pub mod api_keys;
pub mod audit;
pub mod auth;
pub mod body;
pub mod client;
pub mod customers;
pub mod documents;
pub mod erasure;
mod etag;
pub mod export;
mod failures;
pub mod health;
pub mod limits;
pub mod links;
mod once;
pub mod problem;
pub mod providers;
pub mod query;
pub mod report;
pub mod request_id;
pub mod routes;
pub mod service;
pub mod values;
pub mod verifications;
pub mod webhooks;
pub mod whoami;

use poem_openapi::{LicenseObject, OpenApiService, ServerObject, Tags};
use serde_json::Value;

/// All endpoints. Those of a customer stand in a tuple of their own, since only short tuples have a default.
pub type Apis = (
    (
        customers::CustomersApi,
        documents::DocumentsApi,
        verifications::VerificationsApi,
        erasure::ErasureApi,
        export::ExportApi,
        links::LinksApi,
    ),
    report::ReportApi,
    api_keys::ApiKeysApi,
    audit::AuditApi,
    webhooks::WebhooksApi,
    whoami::WhoamiApi,
    providers::ProvidersApi,
    health::HealthApi,
    service::ServiceApi,
);

/// The endpoints with their document. Each request must bear, as data, the `Kyc` handle, the workers' pulse
/// (an `Option<Pulse>`), the means to authenticate (`Arc<dyn Authenticate>`), the limits (`Arc<Limiter>`), the
/// client's address ([`client::ClientAddress`]), the time (`Arc<dyn Clock>`) and the document itself (`Arc<Document>`).
#[must_use]
pub fn service() -> OpenApiService<Apis, ()> {
    OpenApiService::new(Apis::default(), "KYC service", env!("CARGO_PKG_VERSION"))
        .description(include_str!("api/description.md"))
        .license(LicenseObject::new("Apache-2.0").url("https://www.apache.org/licenses/LICENSE-2.0"))
        .server(ServerObject::new("/").description("This server"))
}

/// The sections of the document.
#[derive(Debug, Clone, Copy, Tags)]
pub enum Tag {
    /// Persons to be verified, with their data and identity documents.
    Customers,
    /// The files that show a document or the person.
    Documents,
    /// Where customers stand, and the attempts to verify them.
    Verifications,
    /// How long customers are kept, and what happens then.
    Erasure,
    /// Counts over a range of days.
    Report,
    /// API keys, and the audit events of what was done with them.
    Access,
    /// The service itself: who one is, how its providers fare, what they call back, health, documents.
    Service,
}

/// The names of the schemas of which a body of a request is made. Unknown fields in them are refused.
const REQUEST_SCHEMAS: [&str; 10] = [
    "CustomerRegistration",
    "CustomerUpdate",
    "CustomerSearch",
    "Address",
    "IdentityDocument",
    "TaxId",
    "Consent",
    "NewApiKey",
    "RelationshipEnd",
    "NewLegalHold",
];

/// The OpenAPI document: what poem-openapi makes of the endpoints, with what it can't say.
#[must_use]
pub fn document() -> Value {
    let mut document: Value = serde_json::from_str(&service().spec()).unwrap_or_default();
    // poem-openapi sorts the tags by name; a reader wants them by what one does first.
    if let Some(tags) = document["tags"].as_array_mut() {
        let order = ["Customers", "Documents", "Verifications", "Erasure", "Report", "Access", "Service"];
        tags.sort_by_key(|tag| order.iter().position(|name| tag["name"] == *name));
    }
    // poem-openapi has no words for a plain answer, and the standard demands some.
    for operation in document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut()) {
        for method in operation.as_object_mut().into_iter().flat_map(|methods| methods.values_mut()) {
            if let Some(answer) = method.pointer_mut("/responses/200")
                && answer["description"] == ""
            {
                answer["description"] = "What was asked for.".into();
            }
        }
    }
    for name in REQUEST_SCHEMAS {
        if let Some(schema) = document.pointer_mut(&format!("/components/schemas/{name}")) {
            schema["additionalProperties"] = Value::Bool(false);
        }
    }
    document
}

/// Swagger UI, with [`document`] in it.
#[must_use]
pub fn swagger_ui() -> String {
    let service = service();
    service.swagger_ui_html().replace(&service.spec(), &document().to_string())
}

/// The document as the text that `kyc-server openapi` prints and `openapi/kyc.json` holds.
#[must_use]
pub fn document_text() -> String {
    format!("{:#}\n", document())
}
