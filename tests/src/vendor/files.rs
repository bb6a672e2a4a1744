//! Files of customers in memory, for providers that are asked without a service.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use kyc_core::Secret;
use kyc_core::domain::document_file::{DocumentFile, MediaType, Side};
use kyc_core::domain::field::Field;
use kyc_core::domain::ids::{DocumentId, ProviderName, VerificationId};
use kyc_core::fakes::FakeClock;
use kyc_core::ports::IdentityProvider;
use kyc_core::ports::provider::{
    Callback, CallbackError, CallbackNews, ContentUnavailable, DocumentContent, Documents, Forgotten,
    Progress, ProviderError, Step, Submission,
};

/// The content of files, by their ids.
struct Memory(HashMap<DocumentId, Vec<u8>>);

#[async_trait]
impl DocumentContent for Memory {
    async fn read(&self, document: DocumentId) -> Result<Secret<Vec<u8>>, ContentUnavailable> {
        self.0.get(&document).cloned().map(Secret::new).ok_or(ContentUnavailable)
    }
}

/// Documents of these sides, kinds and contents, oldest first.
#[must_use]
pub fn documents(all: &[(Side, MediaType, &[u8])]) -> Documents {
    let mut content = HashMap::new();
    let file = |(number, (side, media_type, bytes)): (u8, &(Side, MediaType, &[u8]))| {
        let id = DocumentId::new(FakeClock::START, [number; 10]);
        content.insert(id, bytes.to_vec());
        let size = u64::try_from(bytes.len()).unwrap();
        DocumentFile { id, side: *side, media_type: *media_type, size, created_at: FakeClock::START }
    };
    let files = (0..).zip(all).map(file).collect();
    Documents::new(files, Arc::new(Memory(content)))
}

/// A front, and nothing else.
#[must_use]
pub fn front() -> Documents {
    documents(&[(Side::Front, MediaType::Png, b"a picture of the front")])
}

/// A front, a back and a selfie.
#[must_use]
pub fn front_back_and_selfie() -> Documents {
    documents(&[
        (Side::Front, MediaType::Png, b"a picture of the front"),
        (Side::Back, MediaType::Jpeg, b"a picture of the back"),
        (Side::Selfie, MediaType::Jpeg, b"a picture of the face"),
    ])
}

/// A provider whose every submission has these documents, whatever it came with.
pub struct WithFiles<P> {
    provider: P,
    documents: Documents,
}

impl<P> WithFiles<P> {
    /// Gives a provider the documents.
    #[must_use]
    pub const fn new(provider: P, documents: Documents) -> Self {
        Self { provider, documents }
    }
}

#[async_trait]
impl<P: IdentityProvider> IdentityProvider for WithFiles<P> {
    fn name(&self) -> ProviderName {
        self.provider.name()
    }

    fn discloses(&self) -> Vec<Field> {
        self.provider.discloses()
    }

    async fn advance<'a>(
        &self,
        submission: &'a Submission,
        progress: Option<&'a Progress>,
    ) -> Result<Step, ProviderError> {
        let submission = Submission { documents: self.documents.clone(), ..submission.clone() };
        self.provider.advance(&submission, progress).await
    }

    fn read_callback(&self, callback: &Callback) -> Result<CallbackNews, CallbackError> {
        self.provider.read_callback(callback)
    }

    async fn forget<'a>(
        &self,
        verification: VerificationId,
        progress: Option<&'a Progress>,
    ) -> Result<Forgotten, ProviderError> {
        self.provider.forget(verification, progress).await
    }
}
