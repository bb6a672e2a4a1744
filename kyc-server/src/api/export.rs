//! `GET /customers/{id}/export`: everything that is held on a person.

mod body;

use kyc_core::Kyc;
use kyc_core::domain::permission::Permission;
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;

use self::body::ExportBody;
use super::Tag;
use super::auth::Authenticated;
use super::customers::{ReadRefuses, example_id, path_id};
use super::problem::Refusal;
use super::query::NoParameters;

/// The endpoint of [`export`](self).
#[derive(Debug, Clone, Copy, Default)]
pub struct ExportApi;

#[OpenApi(tag = "Tag::Erasure")]
impl ExportApi {
    /// Export a customer
    ///
    /// Everything that is held on a person, for a request of the person's (GDPR, articles 15 and 20): the data
    /// now and in every version, the verifications with the providers' answers, the audit events. It is audited
    /// before it is answered.
    ///
    /// Look through it before you pass it on: of a screening the person must not be told (FATF recommendation
    /// 21).
    #[oai(path = "/customers/:id/export", method = "get", operation_id = "exportCustomer")]
    async fn export(
        &self,
        Data(kyc): Data<&Kyc>,
        actor: Authenticated,
        /// Your own id of the customer.
        #[oai(example = "example_id")]
        id: Path<String>,
        _parameters: NoParameters,
    ) -> Result<Json<ExportBody>, Refusal<ReadRefuses>> {
        let id = path_id(&actor.0, Permission::ExportCustomers, &id)?;
        Ok(Json(kyc.export(&actor.0, &id).await?.into()))
    }
}
