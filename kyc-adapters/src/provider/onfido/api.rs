//! The calls of Onfido's API that a verification is made of, on a blocking thread.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use kyc_core::Secret;
use kyc_core::domain::document_file::{DocumentFile, MediaType, Side};
use kyc_core::domain::ids::VerificationId;
use kyc_core::ports::Clock;
use kyc_core::ports::provider::{Forgotten, ProviderError};
use serde::Serialize;
use ureq::SendBody;
use ureq::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use ureq::http::request::Builder;
use ureq::http::{HeaderValue, Method, Request};

use super::super::exchange::Deadline;
use super::super::vendor::{Reply, Vendor};
use super::config::Checked;
use super::multipart::Form;
use super::progress::VendorId;
use super::wire::{Applicant, Applicants, Check, CheckRequest, Checks, ErrorBody, Reports, Upload, Uploads};

/// How many applicants a page of the list has.
const PAGE: usize = 100;
/// How many pages are looked through for an applicant, newest first.
const MAX_PAGES: usize = 5;
/// How much later our clock may be than Onfido's.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(10);
/// More bytes than any body of JSON of ours has; the buffer never moves, and leaves no copies behind.
const MAX_JSON: usize = 16 * 1024;

/// What came of an upload.
pub(super) enum Uploaded {
    /// Onfido has it.
    Taken(VendorId),
    /// Onfido will not take this file, whoever sends it: too small, too big, no face, or no picture.
    Unfit,
}

/// An account of Onfido's.
pub(super) struct Api {
    vendor: Vendor,
    authorization: HeaderValue,
}

impl Api {
    pub(super) fn new(checked: Checked, clock: Arc<dyn Clock>) -> Self {
        let vendor = Vendor::new(checked.base, checked.bounds, clock);
        Self { vendor, authorization: checked.authorization }
    }

    /// The calls of one step, which share its time.
    pub(super) const fn within(&self, deadline: Deadline) -> Calls<'_> {
        Calls { api: self, deadline }
    }
}

/// The calls of one step.
pub(super) struct Calls<'a> {
    api: &'a Api,
    deadline: Deadline,
}

impl Calls<'_> {
    /// The applicant of a verification, where there is one. Onfido lists applicants newest first, so that the search
    /// ends where they are older than the verification, and after five hundred in any case.
    pub(super) fn find_applicant(&self, id: VerificationId) -> Result<Option<VendorId>, ProviderError> {
        let reference = id.to_string();
        let begun = begin(id);
        for page in 1..=MAX_PAGES {
            let path = format!("/applicants?page={page}&per_page={PAGE}");
            let Applicants { applicants } = self.get(&path)?.read(200)?;
            if let Some(found) = applicants.iter().find(|applicant| applicant.is(&reference)) {
                return Ok(Some(found.id.clone()));
            }
            let oldest = applicants.last().and_then(|applicant| applicant.created_at);
            if applicants.len() < PAGE || oldest.is_some_and(|oldest| oldest < begun) {
                break;
            }
        }
        Ok(None)
    }

    pub(super) fn create_applicant(&self, body: &Secret<Vec<u8>>) -> Result<VendorId, ProviderError> {
        let applicant: Applicant = self.post("/applicants", body)?.read(201)?;
        Ok(applicant.id)
    }

    /// What of a file was uploaded before, by the name that we give it.
    pub(super) fn find_file(
        &self,
        applicant: &VendorId,
        file: &DocumentFile,
    ) -> Result<Option<VendorId>, ProviderError> {
        let path = format!("{}?applicant_id={}", place(file), applicant.as_str());
        let Uploads { documents } = self.get(&path)?.read(200)?;
        let name = file_name(file);
        let found = documents.into_iter().find(|upload| upload.file_name.as_deref() == Some(&name));
        Ok(found.map(|upload| upload.id))
    }

    /// Uploads a file. `fields` are those beside the applicant and the file itself.
    pub(super) fn upload(
        &self,
        applicant: &VendorId,
        file: &DocumentFile,
        mut fields: Vec<(&'static str, String)>,
        content: Secret<Vec<u8>>,
    ) -> Result<Uploaded, ProviderError> {
        fields.push(("applicant_id", applicant.as_str().to_owned()));
        let form = Form::new(&file.id.to_string(), &fields, &file_name(file), file.media_type, content);
        let mut reader = form.reader();
        let request = self
            .request(Method::POST, place(file))
            .header(CONTENT_TYPE, form.content_type())
            .header(CONTENT_LENGTH, form.length())
            .body(SendBody::from_reader(&mut reader));
        let reply = self.api.vendor.exchange(request, self.deadline)?;
        // The ids and words beside the file are right, so that a fault of validation is the file's.
        if reply.status == 422 && reply.read::<ErrorBody>(422).is_ok_and(|error| error.is_validation()) {
            return Ok(Uploaded::Unfit);
        }
        let upload: Upload = reply.read(201)?;
        Ok(Uploaded::Taken(upload.id))
    }

    /// The check of a verification, where there is one.
    pub(super) fn find_check(
        &self,
        applicant: &VendorId,
        id: VerificationId,
    ) -> Result<Option<VendorId>, ProviderError> {
        let path = format!("/checks?applicant_id={}", applicant.as_str());
        let Checks { checks } = self.get(&path)?.read(200)?;
        let reference = id.to_string();
        Ok(checks.into_iter().find(|check| check.is(&reference)).map(|check| check.id))
    }

    pub(super) fn create_check(&self, check: &CheckRequest<'_>) -> Result<VendorId, ProviderError> {
        let body = encode(check)?;
        let check: Check = self.post("/checks", &body)?.read(201)?;
        Ok(check.id)
    }

    /// A check, and its body as it came.
    pub(super) fn check(&self, id: &VendorId) -> Result<(Check, Secret<Vec<u8>>), ProviderError> {
        let reply = self.get(&format!("/checks/{}", id.as_str()))?;
        Ok((reply.read(200)?, reply.body))
    }

    /// The reports of a check, and their body as it came.
    pub(super) fn reports(&self, check: &VendorId) -> Result<(Reports, Secret<Vec<u8>>), ProviderError> {
        let reply = self.get(&format!("/reports?check_id={}", check.as_str()))?;
        Ok((reply.read(200)?, reply.body))
    }

    /// Deletes an applicant with everything that belongs to it.
    pub(super) fn forget(&self, applicant: &VendorId) -> Result<Forgotten, ProviderError> {
        let request = self.request(Method::DELETE, &format!("/applicants/{}", applicant.as_str())).body(());
        let reply = self.api.vendor.exchange(request, self.deadline)?;
        match reply.status {
            204 | 404 | 410 => Ok(Forgotten::Done),
            _ => Err(reply.unexpected()),
        }
    }

    fn get(&self, path: &str) -> Result<Reply, ProviderError> {
        self.api.vendor.exchange(self.request(Method::GET, path).body(()), self.deadline)
    }

    fn post(&self, path: &str, body: &Secret<Vec<u8>>) -> Result<Reply, ProviderError> {
        let request = self.request(Method::POST, path).header(CONTENT_TYPE, "application/json");
        self.api.vendor.exchange(request.body(body.expose().as_slice()), self.deadline)
    }

    fn request(&self, method: Method, path: &str) -> Builder {
        let request = Request::builder().method(method).uri(self.api.vendor.url(path));
        request.header(AUTHORIZATION, &self.api.authorization)
    }
}

/// A body of JSON.
pub(super) fn encode(body: &impl Serialize) -> Result<Secret<Vec<u8>>, ProviderError> {
    let mut bytes = Vec::with_capacity(MAX_JSON);
    serde_json::to_writer(&mut bytes, body).map_err(|_| ProviderError::Refused)?;
    Ok(Secret::new(bytes))
}

/// Where files of a kind are kept.
const fn place(file: &DocumentFile) -> &'static str {
    match file.side {
        Side::Selfie => "/live_photos",
        Side::Front | Side::Back | Side::ProofOfAddress => "/documents",
    }
}

/// The name that a file has at Onfido: our id of it, which names nobody, and by which it is found again.
fn file_name(file: &DocumentFile) -> String {
    let suffix = match file.media_type {
        MediaType::Jpeg => "jpg",
        MediaType::Png => "png",
        MediaType::Webp => "webp",
        MediaType::Pdf => "pdf",
    };
    format!("{}.{suffix}", file.id)
}

/// When a verification was made, which its id says to the millisecond (RFC 9562, version 7), and a little before.
fn begin(id: VerificationId) -> Timestamp {
    let mut millis = [0; 8];
    millis[2..].copy_from_slice(&id.to_bytes()[..6]);
    let millis = i64::from_be_bytes(millis);
    let at = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MIN);
    at.saturating_sub(CLOCK_SKEW).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_when_the_verification_began() {
        let at: Timestamp = "2026-03-15T12:00:00Z".parse().unwrap();
        let begun: Timestamp = "2026-03-15T11:50:00Z".parse().unwrap();
        assert_eq!(begin(VerificationId::new(at, [255; 10])), begun);
    }
}
