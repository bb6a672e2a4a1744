//! From what went wrong to what is answered: the one map from the core's errors to problems.

use kyc_core::domain::fault::Faults;
use kyc_core::domain::permission::Forbidden;
use kyc_core::ports::cipher::CipherError;
use kyc_core::ports::entropy::NoEntropy;
use kyc_core::ports::store::StoreError;
use kyc_core::usecase::{
    Absence, AddDocumentError, ApiKeyError, AuditError, CallbackRefused, CustomerError, DocumentError,
    DocumentsError, EraseError, ExportError, HoldError, LinksError, ListError, PortFailure, RecallError,
    RegisterError, RelationshipError, RemoveDocumentError, ReportError, RequestError, SearchError,
    StatusError, UpdateError, VerificationsError,
};

use super::once;
use super::problem::{Problem, ProblemKind, RateLimit};

impl From<PortFailure> for Problem {
    fn from(failure: PortFailure) -> Self {
        match failure {
            PortFailure::Store(error) => error.into(),
            PortFailure::Cipher(error) => error.into(),
            PortFailure::Entropy(NoEntropy) => {
                tracing::error!("the source of randomness failed");
                Self::new(ProblemKind::Unavailable)
            }
            PortFailure::Contended => Self::new(ProblemKind::Overloaded).retry_after(1),
            PortFailure::InFlight => Self::new(ProblemKind::IdempotencyInFlight).retry_after(1),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Overloaded => Self::new(ProblemKind::Overloaded).retry_after(1),
            StoreError::Unavailable => {
                tracing::error!("the store is unavailable");
                Self::new(ProblemKind::Unavailable)
            }
            StoreError::Corrupt => {
                tracing::error!("the store holds a row that can't be read");
                Self::new(ProblemKind::Internal)
            }
        }
    }
}

impl From<CipherError> for Problem {
    fn from(error: CipherError) -> Self {
        tracing::error!(%error, "personal data could not be sealed or opened");
        match error {
            CipherError::UnknownKeyVersion(_) | CipherError::Unavailable => {
                Self::new(ProblemKind::Unavailable)
            }
            CipherError::Unreadable | CipherError::Exhausted => Self::new(ProblemKind::Internal),
        }
    }
}

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Forbidden(Forbidden) => Self::new(ProblemKind::Forbidden),
            RegisterError::Invalid(faults) => Self::validation(faults),
            RegisterError::IdTaken => Self::new(ProblemKind::CustomerIdTaken),
            RegisterError::Erased => Self::new(ProblemKind::Erased),
            RegisterError::Failed(failure) => failure.into(),
        }
    }
}

impl From<UpdateError> for Problem {
    fn from(error: UpdateError) -> Self {
        match error {
            UpdateError::Forbidden(Forbidden) => Self::new(ProblemKind::Forbidden),
            UpdateError::Invalid(faults) => Self::validation(faults),
            UpdateError::Absent(absence) => absence.into(),
            UpdateError::VersionMoved => Self::new(ProblemKind::PreconditionFailed),
            UpdateError::Failed(failure) => failure.into(),
        }
    }
}

impl From<CustomerError> for Problem {
    fn from(error: CustomerError) -> Self {
        match error {
            CustomerError::Forbidden(Forbidden) => Self::new(ProblemKind::Forbidden),
            CustomerError::Absent(absence) => absence.into(),
            CustomerError::Failed(failure) => failure.into(),
        }
    }
}

impl From<StatusError> for Problem {
    fn from(error: StatusError) -> Self {
        match error {
            StatusError::Forbidden(Forbidden) => Self::new(ProblemKind::Forbidden),
            StatusError::Absent(absence) => absence.into(),
            StatusError::Failed(failure) => failure.into(),
        }
    }
}

impl From<VerificationsError> for Problem {
    fn from(error: VerificationsError) -> Self {
        match error {
            VerificationsError::Forbidden(Forbidden) => Self::new(ProblemKind::Forbidden),
            VerificationsError::Absent(absence) => absence.into(),
            VerificationsError::Failed(failure) => failure.into(),
        }
    }
}

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Forbidden(Forbidden) => Self::new(ProblemKind::Forbidden),
            RequestError::Absent(absence) => absence.into(),
            RequestError::Final => Self::new(ProblemKind::Final),
            RequestError::LimitReached { limit, now, until } => {
                let wait = until.duration_since(now).as_secs().max(1);
                Self::limited(
                    ProblemKind::VerificationLimit,
                    RateLimit {
                        policy: "verifications",
                        quota: limit,
                        window_seconds: 86_400,
                        remaining: 0,
                        reset_seconds: u64::try_from(wait).unwrap_or(1),
                    },
                )
            }
            RequestError::Failed(failure) => failure.into(),
        }
    }
}

impl From<ListError> for Problem {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Forbidden(Forbidden) => Self::new(ProblemKind::Forbidden),
            ListError::Failed(failure) => failure.into(),
        }
    }
}

impl From<SearchError> for Problem {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Forbidden(Forbidden) => Self::new(ProblemKind::Forbidden),
            SearchError::Invalid(faults) => Self::validation(faults),
            SearchError::Failed(failure) => failure.into(),
        }
    }
}

impl From<ReportError> for Problem {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Forbidden(Forbidden) => Self::new(ProblemKind::Forbidden),
            ReportError::Invalid(faults) => Self::validation(faults),
            ReportError::Failed(failure) => failure.into(),
        }
    }
}

impl From<ApiKeyError> for Problem {
    fn from(error: ApiKeyError) -> Self {
        match error {
            ApiKeyError::Forbidden(Forbidden) => Self::new(ProblemKind::Forbidden),
            ApiKeyError::Invalid(faults) => Self::validation(faults),
            ApiKeyError::NotFound => Self::new(ProblemKind::NotFound),
            ApiKeyError::Failed(failure) => failure.into(),
        }
    }
}

impl From<AuditError> for Problem {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Forbidden(Forbidden) => Self::new(ProblemKind::Forbidden),
            AuditError::Failed(failure) => failure.into(),
        }
    }
}

impl From<RecallError> for Problem {
    fn from(error: RecallError) -> Self {
        match error {
            RecallError::Forbidden(Forbidden) => Self::new(ProblemKind::Forbidden),
            RecallError::OtherBody => {
                let mut faults = Faults::new();
                let detail = "the key was used for a request with another body; choose a new one";
                faults.add(once::POINTER, "idempotency_key.reused", detail);
                Self::validation(faults)
            }
            RecallError::Failed(failure) => failure.into(),
        }
    }
}

impl From<CallbackRefused> for Problem {
    fn from(refused: CallbackRefused) -> Self {
        match refused {
            CallbackRefused::UnknownProvider => Self::new(ProblemKind::NotFound),
            CallbackRefused::NotGenuine => Self::new(ProblemKind::BadSignature),
            CallbackRefused::Unreadable => {
                let mut faults = Faults::new();
                faults.add("", "callback.unreadable", "the body is not as the provider's adapter knows it");
                Self::validation(faults)
            }
            CallbackRefused::Failed(failure) => failure.into(),
        }
    }
}

impl From<Absence> for Problem {
    fn from(absence: Absence) -> Self {
        match absence {
            Absence::NotFound => Self::new(ProblemKind::NotFound),
            Absence::Erased => Self::new(ProblemKind::Erased),
        }
    }
}

impl From<AddDocumentError> for Problem {
    fn from(error: AddDocumentError) -> Self {
        match error {
            AddDocumentError::Forbidden(Forbidden) => Self::new(ProblemKind::Forbidden),
            AddDocumentError::Absent(absence) => absence.into(),
            AddDocumentError::ConsentRequired => Self::new(ProblemKind::ConsentRequired),
            AddDocumentError::LimitReached => Self::new(ProblemKind::DocumentLimit),
            AddDocumentError::Failed(failure) => failure.into(),
        }
    }
}

impl From<DocumentsError> for Problem {
    fn from(error: DocumentsError) -> Self {
        match error {
            DocumentsError::Forbidden(Forbidden) => Self::new(ProblemKind::Forbidden),
            DocumentsError::Absent(absence) => absence.into(),
            DocumentsError::Failed(failure) => failure.into(),
        }
    }
}

impl From<DocumentError> for Problem {
    fn from(error: DocumentError) -> Self {
        match error {
            DocumentError::Forbidden(Forbidden) => Self::new(ProblemKind::Forbidden),
            DocumentError::Absent(absence) => absence.into(),
            DocumentError::NotFound => Self::new(ProblemKind::NotFound),
            DocumentError::Failed(failure) => failure.into(),
        }
    }
}

impl From<RemoveDocumentError> for Problem {
    fn from(error: RemoveDocumentError) -> Self {
        match error {
            RemoveDocumentError::Forbidden(Forbidden) => Self::new(ProblemKind::Forbidden),
            RemoveDocumentError::Absent(absence) => absence.into(),
            RemoveDocumentError::NotFound => Self::new(ProblemKind::NotFound),
            RemoveDocumentError::LegalHold => Self::new(ProblemKind::LegalHold),
            RemoveDocumentError::Failed(failure) => failure.into(),
        }
    }
}

impl From<RelationshipError> for Problem {
    fn from(error: RelationshipError) -> Self {
        match error {
            RelationshipError::Forbidden(Forbidden) => Self::new(ProblemKind::Forbidden),
            RelationshipError::Absent(absence) => absence.into(),
            RelationshipError::Invalid(faults) => Self::validation(faults),
            RelationshipError::Failed(failure) => failure.into(),
        }
    }
}

impl From<HoldError> for Problem {
    fn from(error: HoldError) -> Self {
        match error {
            HoldError::Forbidden(Forbidden) => Self::new(ProblemKind::Forbidden),
            HoldError::Absent(absence) => absence.into(),
            HoldError::Invalid(faults) => Self::validation(faults),
            HoldError::Failed(failure) => failure.into(),
        }
    }
}

impl From<EraseError> for Problem {
    fn from(error: EraseError) -> Self {
        match error {
            EraseError::Forbidden(Forbidden) => Self::new(ProblemKind::Forbidden),
            EraseError::Absent(absence) => absence.into(),
            EraseError::LegalHold => Self::new(ProblemKind::LegalHold),
            EraseError::Retention { erasable_from } => {
                Self::new(ProblemKind::Retention).erasable_from(erasable_from)
            }
            EraseError::Failed(failure) => failure.into(),
        }
    }
}

impl From<LinksError> for Problem {
    fn from(error: LinksError) -> Self {
        match error {
            LinksError::Forbidden(Forbidden) => Self::new(ProblemKind::Forbidden),
            LinksError::Absent(absence) => absence.into(),
            LinksError::Failed(failure) => failure.into(),
        }
    }
}

impl From<ExportError> for Problem {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Forbidden(Forbidden) => Self::new(ProblemKind::Forbidden),
            ExportError::Absent(absence) => absence.into(),
            ExportError::Failed(failure) => failure.into(),
        }
    }
}

impl From<Forbidden> for Problem {
    fn from(Forbidden: Forbidden) -> Self {
        Self::new(ProblemKind::Forbidden)
    }
}
