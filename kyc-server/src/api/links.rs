//! `GET /customers/{id}/links`: who else has what a customer has.

use kyc_core::Kyc;
use kyc_core::domain::permission::Permission;
use kyc_core::domain::status::{Stage, StatusKind};
use kyc_core::usecase::{Link, Shared};
use poem::web::Data;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use super::Tag;
use super::auth::Authenticated;
use super::customers::{ReadRefuses, example_id, path_id};
use super::problem::Refusal;
use super::query::NoParameters;
use super::values::Word;

/// The endpoint of [`links`](self).
#[derive(Debug, Clone, Copy, Default)]
pub struct LinksApi;

/// Another customer, and what both have.
#[derive(Debug, Object)]
#[oai(rename = "Link")]
struct LinkBody {
    /// Your own id of the other customer.
    customer_id: String,
    /// Where the other one stands.
    status: Word<StatusKind>,
    /// Who has to act on the other one, while pending.
    #[oai(nullable)]
    stage: Option<Word<Stage>>,
    /// What both have. `document` is the number with the country that issued it, `person` the name with the date of
    /// birth, in whatever case and script.
    shares: Vec<Word<Shared>>,
}

/// The customers who have something in common with one.
#[derive(Debug, Object)]
#[oai(rename = "LinkList")]
struct LinkListBody {
    /// Newest first, at most 100.
    items: Vec<LinkBody>,
}

impl From<Link> for LinkBody {
    fn from(link: Link) -> Self {
        Self {
            customer_id: link.customer_id.to_string(),
            status: Word(link.status.kind()),
            stage: link.status.stage().map(Word),
            shares: link.shares.into_iter().map(Word).collect(),
        }
    }
}

#[OpenApi(tag = "Tag::Customers")]
impl LinksApi {
    /// List who shares what with a customer
    ///
    /// The other customers who have the same document, the same name and date of birth, the same e-mail address or
    /// the same phone number. The first two have a person decide; shared contacts are shown here alone. It is audited
    /// before it is answered.
    #[oai(path = "/customers/:id/links", method = "get", operation_id = "listLinks")]
    async fn links(
        &self,
        Data(kyc): Data<&Kyc>,
        actor: Authenticated,
        /// Your own id of the customer.
        #[oai(example = "example_id")]
        id: Path<String>,
        _parameters: NoParameters,
    ) -> Result<Json<LinkListBody>, Refusal<ReadRefuses>> {
        let id = path_id(&actor.0, Permission::ReadLinks, &id)?;
        let links = kyc.links(&actor.0, &id).await?;
        Ok(Json(LinkListBody { items: links.into_iter().map(Into::into).collect() }))
    }
}
