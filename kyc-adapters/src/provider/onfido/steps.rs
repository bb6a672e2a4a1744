//! One step of a verification: which call is due, and what follows from its answer.

use std::time::Duration;

use kyc_core::Secret;
use kyc_core::domain::discrepancy::{Code, Discrepancy, ProviderCode};
use kyc_core::domain::document_file::{DocumentFile, MediaType, Side};
use kyc_core::domain::ids::VerificationId;
use kyc_core::ports::provider::{Answer, Outcome, ProviderError, Step, Submission};

use super::api::{Calls, Uploaded, encode};
use super::progress::{Kept, VendorId};
use super::reading;
use super::wire::{ApplicantRequest, CheckRequest, document_type};

/// The report on a document, and the one that compares a face with it.
const DOCUMENT: &str = "document";
const FACE: &str = "facial_similarity_photo";

/// The files of a submission that are sent: the newest of each side. A proof of address is not: no report that is
/// asked for looks at it.
pub(super) struct Picks<'a>(Vec<&'a DocumentFile>);

impl<'a> Picks<'a> {
    /// The files, or the answer that there is without a call: the customer has to send something.
    pub(super) fn of(files: &'a [DocumentFile]) -> Result<Self, Answer> {
        let newest = |side| files.iter().rev().find(|file| file.side == side);
        if newest(Side::Front).is_none() {
            return Err(unusable(Code::SideMissing, "document:front"));
        }
        let picked: Vec<_> = [Side::Front, Side::Back, Side::Selfie].into_iter().filter_map(newest).collect();
        match picked.iter().find(|file| file.media_type == MediaType::Webp) {
            Some(file) => Err(unfit(file)),
            None => Ok(Self(picked)),
        }
    }

    /// The next one that was not uploaded yet.
    pub(super) fn missing(&self, kept: &Kept) -> Option<&'a DocumentFile> {
        self.0.iter().copied().find(|file| !kept.files.contains_key(&file.id.to_string()))
    }
}

/// What a check is asked for.
pub(super) struct Asked {
    reports: Vec<String>,
    documents: Vec<VendorId>,
}

impl Asked {
    /// The reports that the files allow, on the documents that were uploaded.
    pub(super) fn of(picks: &Picks<'_>, kept: &Kept) -> Self {
        let is_face = |file: &&&DocumentFile| file.side == Side::Selfie;
        let names =
            if picks.0.iter().any(|file| is_face(&file)) { &[DOCUMENT, FACE][..] } else { &[DOCUMENT] };
        let documents = picks.0.iter().filter(|file| !is_face(file));
        let documents = documents.filter_map(|file| kept.files.get(&file.id.to_string()).cloned());
        Self {
            reports: names.iter().map(|name| (*name).to_owned()).collect(),
            documents: documents.collect(),
        }
    }
}

/// Makes the applicant, unless it is there.
pub(super) fn applicant(calls: &Calls<'_>, submission: &Submission) -> Result<Step, ProviderError> {
    let id = if let Some(id) = calls.find_applicant(submission.verification)? {
        id
    } else {
        let reference = submission.verification.to_string();
        calls.create_applicant(&encode(&ApplicantRequest::of(submission, &reference))?)?
    };
    at_once(&Kept::of(id))
}

/// Uploads a file, unless it is there.
pub(super) fn file(
    calls: &Calls<'_>,
    mut kept: Kept,
    file: &DocumentFile,
    submission: &Submission,
    content: Secret<Vec<u8>>,
) -> Result<Step, ProviderError> {
    let id = match calls.find_file(&kept.applicant, file)? {
        Some(id) => id,
        None => match calls.upload(&kept.applicant, file, fields(file, submission), content)? {
            Uploaded::Taken(id) => id,
            Uploaded::Unfit => return Ok(Step::Done(unfit(file))),
        },
    };
    kept.files.insert(file.id.to_string(), id);
    at_once(&kept)
}

/// Asks for the check, unless that was done.
pub(super) fn check(
    calls: &Calls<'_>,
    mut kept: Kept,
    asked: Asked,
    verification: VerificationId,
) -> Result<Step, ProviderError> {
    let id = match calls.find_check(&kept.applicant, verification)? {
        Some(id) => id,
        None => calls.create_check(&CheckRequest {
            applicant_id: kept.applicant.as_str(),
            report_names: &asked.reports,
            document_ids: asked.documents.iter().map(VendorId::as_str).collect(),
            tags: [&verification.to_string()],
        })?,
    };
    kept.check = Some(id);
    kept.reports = asked.reports;
    Ok(Step::Save { progress: kept.progress()?, again_in: None })
}

/// Looks what became of the check.
pub(super) fn look(calls: &Calls<'_>, kept: &Kept, id: &VendorId) -> Result<Step, ProviderError> {
    let (check, body) = calls.check(id)?;
    if check.id != *id {
        return Err(ProviderError::Malformed);
    }
    match check.status.as_deref() {
        Some("complete") => {
            let (reports, body) = calls.reports(id)?;
            reading::answer(&check, &reports.reports, &kept.reports, body).map(Step::Done)
        }
        // Work goes on, or will: an operator at Onfido's dashboard has paused it, it is looked into once more, or the
        // applicant has a form of Onfido's to fill in, which we ask nobody for and so have no link to. Where it never
        // ends, the core gives it up and a person decides.
        Some("in_progress" | "paused" | "reopened" | "awaiting_applicant") => {
            Ok(Step::Save { progress: kept.progress()?, again_in: None })
        }
        Some("withdrawn") => {
            let found = finding(Code::NotAllChecksCompleted, "check:withdrawn");
            Ok(Step::Done(Answer { outcome: Outcome::Consider, discrepancies: vec![found], raw: body }))
        }
        other => {
            let found =
                finding(Code::UnknownResult, &format!("check:{}", reading::word(other.unwrap_or("none"))));
            Ok(Step::Done(Answer { outcome: Outcome::Unknown, discrepancies: vec![found], raw: body }))
        }
    }
}

/// The fields of the form beside the applicant and the file.
fn fields(file: &DocumentFile, submission: &Submission) -> Vec<(&'static str, String)> {
    let document = submission.customer.identity_document();
    let side = match file.side {
        Side::Front | Side::ProofOfAddress => "front",
        Side::Back => "back",
        // The specification checks for exactly one face unless it is told not to.
        Side::Selfie => return Vec::new(),
    };
    vec![
        ("type", document_type(document.document_type()).to_owned()),
        ("side", side.to_owned()),
        ("issuing_country", document.issuing_country().alpha3().to_owned()),
    ]
}

/// The next call may be made at once.
fn at_once(kept: &Kept) -> Result<Step, ProviderError> {
    Ok(Step::Save { progress: kept.progress()?, again_in: Some(Duration::ZERO) })
}

/// A file that Onfido does not take.
fn unfit(file: &DocumentFile) -> Answer {
    match file.side {
        Side::Selfie => unusable(Code::FaceNotVisible, "live_photo:file"),
        Side::Front | Side::Back | Side::ProofOfAddress => unusable(Code::ImageUnreadable, "document:file"),
    }
}

fn unusable(code: Code, provider_code: &str) -> Answer {
    Answer {
        outcome: Outcome::Unusable,
        discrepancies: vec![finding(code, provider_code)],
        // It is our own word: there is no body of the vendor's.
        raw: Secret::new(provider_code.as_bytes().to_vec()),
    }
}

fn finding(code: Code, provider_code: &str) -> Discrepancy {
    Discrepancy { provider_code: ProviderCode::sanitised(provider_code), ..Discrepancy::of(code) }
}
