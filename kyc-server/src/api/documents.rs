//! `/customers/{id}/documents`: the files that show a document or the person.

pub(super) mod body;
mod content;
mod upload;

use std::sync::Arc;
use std::time::Duration;

use kyc_core::domain::document_file::{CheckedFile, FileFault};
use kyc_core::domain::ids::DocumentId;
use kyc_core::domain::permission::Permission;
use kyc_core::usecase::{AddDocument, DocumentView};
use kyc_core::{Kyc, Secret};
use poem::web::Data;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, OpenApi};
use tokio::sync::{Semaphore, SemaphorePermit};

use self::body::{FileBody, FileListBody};
use self::content::Content;
use self::upload::{Parts, Upload};
use super::Tag;
use super::auth::Authenticated;
use super::customers::{ReadRefuses, example_id, path_id};
use super::once::{Once, Replayable};
use super::problem::{self, Problem, ProblemKind, Refusal, Refuses};
use super::query::NoParameters;

/// How many files are on their way at once, each in one buffer: 160 MiB at most.
const UPLOADS: usize = 16;
/// How many pictures are decoded at once, each in at most 280 MB.
const DECODINGS: usize = 2;
/// How long a request waits for its turn before it is told that there is too much to do.
const PATIENCE: Duration = Duration::from_secs(5);

/// The endpoints of [`documents`](self). Clones share their bounds.
#[derive(Debug, Clone)]
pub struct DocumentsApi {
    uploads: Arc<Semaphore>,
    decodings: Arc<Semaphore>,
}

impl Default for DocumentsApi {
    fn default() -> Self {
        Self { uploads: Arc::new(Semaphore::new(UPLOADS)), decodings: Arc::new(Semaphore::new(DECODINGS)) }
    }
}

/// A file that was stored.
#[derive(Debug, ApiResponse)]
pub(super) enum Added {
    /// The file is stored.
    #[oai(status = 201)]
    Created(
        Json<FileBody>,
        /// Where the content is.
        #[oai(header = "Location")]
        String,
    ),
}

impl From<&DocumentView> for Added {
    fn from(view: &DocumentView) -> Self {
        Self::Created(Json(view.into()), body::content_path(view))
    }
}

/// A file that was removed.
#[derive(Debug, ApiResponse)]
enum Removed {
    /// The file is gone.
    #[oai(status = 204)]
    Removed,
}

/// What `POST /customers/{id}/documents` refuses with.
#[derive(Debug)]
struct AddRefuses;
impl Refuses for AddRefuses {
    const KINDS: &'static [&'static [ProblemKind]] = &[
        problem::EVERY,
        &[
            ProblemKind::TooLarge,
            ProblemKind::UnsupportedMediaType,
            ProblemKind::NotFound,
            ProblemKind::Erased,
            ProblemKind::ConsentRequired,
            ProblemKind::DocumentLimit,
        ],
        problem::ONCE,
    ];
}

/// What `DELETE /customers/{id}/documents/{document_id}` refuses with.
#[derive(Debug)]
struct RemoveRefuses;
impl Refuses for RemoveRefuses {
    const KINDS: &'static [&'static [ProblemKind]] =
        &[problem::EVERY, &[ProblemKind::NotFound, ProblemKind::Erased, ProblemKind::LegalHold]];
}

#[OpenApi(tag = "Tag::Documents")]
impl DocumentsApi {
    /// Add a file
    ///
    /// A picture of the identity document, of the person's face, or a proof of the address: JPEG, PNG, WebP or PDF,
    /// told by its bytes, at most 10 MiB, and a picture at most 12000 pixels a side and 40 million in all. One that was
    /// cut off, or that no viewer could show, is refused.
    ///
    /// A selfie needs a consent of purpose `biometric` among the customer's `consents`.
    ///
    /// Where the customer was asked for something (stage `awaiting_customer`), and the latest verification has ended,
    /// the file starts the next one.
    #[oai(path = "/customers/:id/documents", method = "post", operation_id = "addDocument")]
    async fn add(
        &self,
        Data(kyc): Data<&Kyc>,
        actor: Authenticated,
        /// Your own id of the customer.
        #[oai(example = "example_id")]
        id: Path<String>,
        /// A name of your own for this request, such as a UUID, quoted or bare. When the request is sent again
        /// under it within 24 hours, the first answer is repeated, and nothing is done twice.
        #[oai(name = "Idempotency-Key")]
        once: Once,
        upload: Upload,
    ) -> Result<Replayable<Added>, Refusal<AddRefuses>> {
        let actor = &actor.0;
        let id = path_id(actor, Permission::WriteCustomers, &id)?;
        // Held until the answer, as is the buffer.
        let turn = turn(&self.uploads).await?;
        let parts = upload.read().await?;
        let once = once.about(|| parts.identity());
        let done = once.run(kyc, actor, Permission::WriteCustomers, |kyc| async move {
            let Parts { side, file, mut faults } = parts;
            let checked = match file {
                Some(bytes) => self.check(bytes).await?.map_err(FileFault::invalid),
                // The fault is told already.
                None => Err(FileFault::Empty.invalid()),
            };
            let file = faults.take("/file", checked);
            let (Some(side), Some(file)) = (side, file.filter(|_| faults.is_empty())) else {
                return Err(Problem::validation(faults));
            };
            kyc.add_document(actor, &id, AddDocument { side, file }).await.map_err(Into::into)
        });
        let answer = done.await;
        drop(turn);
        Ok(answer?)
    }

    /// List a customer's files
    ///
    /// All of them, oldest first, without their content.
    #[oai(path = "/customers/:id/documents", method = "get", operation_id = "listDocuments")]
    async fn list(
        &self,
        Data(kyc): Data<&Kyc>,
        actor: Authenticated,
        /// Your own id of the customer.
        #[oai(example = "example_id")]
        id: Path<String>,
        _parameters: NoParameters,
    ) -> Result<Json<FileListBody>, Refusal<ReadRefuses>> {
        let id = path_id(&actor.0, Permission::ReadCustomers, &id)?;
        let all = kyc.documents(&actor.0, &id).await?;
        Ok(Json(FileListBody { items: all.iter().map(Into::into).collect() }))
    }

    /// Read the content of a file
    ///
    /// The file as it was sent. Each read is audited.
    #[oai(
        path = "/customers/:id/documents/:document_id/content",
        method = "get",
        operation_id = "readDocumentContent"
    )]
    async fn content(
        &self,
        Data(kyc): Data<&Kyc>,
        actor: Authenticated,
        /// Your own id of the customer.
        #[oai(example = "example_id")]
        id: Path<String>,
        /// The id of the file.
        document_id: Path<String>,
        _parameters: NoParameters,
    ) -> Result<Content, Refusal<ReadRefuses>> {
        let id = path_id(&actor.0, Permission::ReadDocuments, &id)?;
        let document = document_id_of(&document_id)?;
        Ok(Content(kyc.document_content(&actor.0, &id, document).await?))
    }

    /// Remove a file
    ///
    /// The file and its fingerprint are gone; what a provider was given of it is the provider's to keep. Nothing is
    /// removed of a customer under a legal hold.
    #[oai(path = "/customers/:id/documents/:document_id", method = "delete", operation_id = "removeDocument")]
    async fn remove(
        &self,
        Data(kyc): Data<&Kyc>,
        actor: Authenticated,
        /// Your own id of the customer.
        #[oai(example = "example_id")]
        id: Path<String>,
        /// The id of the file.
        document_id: Path<String>,
        _parameters: NoParameters,
    ) -> Result<Removed, Refusal<RemoveRefuses>> {
        let id = path_id(&actor.0, Permission::WriteCustomers, &id)?;
        kyc.remove_document(&actor.0, &id, document_id_of(&document_id)?).await?;
        Ok(Removed::Removed)
    }
}

impl DocumentsApi {
    /// Checks a file aside, where decoding keeps nobody waiting.
    async fn check(&self, bytes: Secret<Vec<u8>>) -> Result<Result<CheckedFile, FileFault>, Problem> {
        let turn = Arc::clone(&self.decodings).acquire_owned();
        let turn = turn.await.map_err(|_| Problem::new(ProblemKind::Unavailable))?;
        let checked = tokio::task::spawn_blocking(move || {
            let checked = CheckedFile::check(bytes);
            // The decoding goes on where the client has gone away, and counts until its end.
            drop(turn);
            checked
        });
        // A decoder that panics has met what it can't read.
        Ok(checked.await.unwrap_or(Err(FileFault::Damaged)))
    }
}

/// A place among so many at once.
async fn turn(among: &Semaphore) -> Result<SemaphorePermit<'_>, Problem> {
    match tokio::time::timeout(PATIENCE, among.acquire()).await {
        Ok(Ok(turn)) => Ok(turn),
        Ok(Err(_)) | Err(_) => Err(Problem::new(ProblemKind::Overloaded).retry_after(1)),
    }
}

/// The id of a file in a path. One that could not exist is not found.
fn document_id_of(text: &str) -> Result<DocumentId, Problem> {
    DocumentId::parse(text).map_err(|_| Problem::new(ProblemKind::NotFound))
}
