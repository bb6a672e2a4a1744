//! The content of a file as an answer: chunk by chunk, and never a whole file in memory.

use std::io;

use futures_util::stream::try_unfold;
use kyc_core::domain::document_file::MediaType;
use kyc_core::usecase::DocumentReader;
use poem::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use poem::{Body, IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{
    MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};
use poem_openapi::types::Type;

/// The content of a file.
pub(super) struct Content(pub(super) DocumentReader);

impl IntoResponse for Content {
    fn into_response(self) -> Response {
        let file = self.0.file();
        let name = format!("attachment; filename=\"{}.{}\"", file.id, file.media_type.extension());
        // With its length, a file of which the rest can't be read is seen to be cut off.
        let response = Response::builder()
            .header(CONTENT_TYPE, file.media_type.as_str())
            .header(CONTENT_LENGTH, file.size)
            .header(CONTENT_DISPOSITION, name);
        let chunks = try_unfold(self.0, async |mut reader| {
            let chunk = reader.next_chunk().await.map_err(|failure| {
                tracing::error!(%failure, "the rest of a file can't be read");
                io::Error::other("the rest of a file can't be read")
            })?;
            Ok::<_, io::Error>(chunk.map(|chunk| (chunk.expose().clone(), reader)))
        });
        response.body(Body::from_bytes_stream(chunks))
    }
}

impl ApiResponse for Content {
    fn meta() -> MetaResponses {
        let content = |media_type: &MediaType| MetaMediaType {
            content_type: media_type.as_str(),
            schema: MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "binary"))),
        };
        let disposition = MetaHeader {
            name: "Content-Disposition".to_owned(),
            description: Some("`attachment`, with a name made of the id.".to_owned()),
            required: true,
            deprecated: false,
            schema: String::schema_ref(),
        };
        let response = MetaResponse {
            description: "The file as it was sent.",
            status: Some(200),
            status_range: None,
            content: MediaType::ALL.iter().map(content).collect(),
            headers: vec![disposition],
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(_registry: &mut Registry) {}
}
