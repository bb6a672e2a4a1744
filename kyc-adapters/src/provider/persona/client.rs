//! The requests of one step, on a blocking thread.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use kyc_core::Secret;
use kyc_core::domain::customer::Customer;
use kyc_core::domain::ids::{ProviderName, VerificationId};
use kyc_core::ports::Clock;
use kyc_core::ports::provider::{Forgotten, ProviderError, Step};
use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE};
use ureq::http::request::Builder;
use ureq::http::{HeaderValue, Method, Request};

use super::super::exchange::Deadline;
use super::super::link::is_link;
use super::super::vendor::{Reply, Vendor};
use super::progress::{Kept, Link, is_id};
use super::reading::{Inquiry, Standing};
use super::wire;

/// The version of the API that the bodies are of.
const VERSION: &str = "2025-12-08";
/// How long a link is good for, in seconds: the vendor's default, said in words of our own.
const LINK_LIFE: i64 = 24 * 60 * 60;
/// How long before its end a link is replaced, so that nobody is shown one that ends while he reads it.
const LINK_MARGIN: i64 = 60 * 60;
/// When a completed inquiry is looked at again: a workflow of the operator's at the vendor may still decline it.
const SETTLING: std::time::Duration = std::time::Duration::from_secs(30);

/// What all steps share.
pub(super) struct Client {
    pub(super) vendor: Vendor,
    pub(super) authorization: HeaderValue,
    /// Whether links over plain HTTP are taken, to loopback only.
    pub(super) loopback_links: bool,
    pub(super) clock: Arc<dyn Clock>,
}

/// One step.
pub(super) struct Call {
    pub(super) name: ProviderName,
    pub(super) client: Arc<Client>,
    pub(super) deadline: Deadline,
}

impl Call {
    /// Makes the inquiry. Under the same key the vendor answers with the one that it has made.
    pub(super) fn create(
        &self,
        verification: VerificationId,
        body: &Secret<Vec<u8>>,
    ) -> Result<Step, ProviderError> {
        let key = format!("{verification}-inquiry");
        let reply = self.post("/inquiries", &key, body.expose())?;
        let document: wire::Document = reply.read(201)?;
        let id = document.data.id.clone();
        let inquiry = Inquiry::of(document, None)?;
        if !is_id(&id) {
            return Err(ProviderError::Malformed);
        }
        let kept = Kept::new(id, inquiry.account);
        // The link is a step of its own, taken at once.
        Ok(Step::Save { progress: kept.progress()?, again_in: Some(std::time::Duration::ZERO) })
    }

    /// Goes on with an inquiry.
    pub(super) fn go_on(
        &self,
        verification: VerificationId,
        kept: Kept,
        declared: &Customer,
    ) -> Result<Step, ProviderError> {
        let Some(link) = &kept.link else {
            return match self.link(verification, &kept) {
                // It may have ended meanwhile, and then no link is to be had.
                Err(ProviderError::Refused) => match self.look(&kept.inquiry)? {
                    (inquiry, _) if inquiry.standing() == Standing::Open => Err(ProviderError::Refused),
                    found => self.follow(verification, kept, &found, declared),
                },
                made => made,
            };
        };
        let found = self.look(&kept.inquiry)?;
        if found.0.standing() == Standing::Open && link.renew_at <= self.client.clock.now() {
            return self.link(verification, &kept);
        }
        self.follow(verification, kept, &found, declared)
    }

    /// What follows from how an inquiry stands.
    fn follow(
        &self,
        verification: VerificationId,
        mut kept: Kept,
        (inquiry, body): &(Inquiry, Secret<Vec<u8>>),
        declared: &Customer,
    ) -> Result<Step, ProviderError> {
        match (inquiry.standing(), &kept.link) {
            (Standing::Open, None) => self.link(verification, &kept),
            (Standing::Open, Some(link)) => {
                // To save it without the link would take the link from the customer.
                let link = link.url.clone();
                kept.settling = false;
                Ok(Step::Ask { progress: kept.progress()?, link, again_in: None })
            }
            (Standing::Completed, _) if !kept.settling => {
                kept.settling = true;
                Ok(Step::Save { progress: kept.progress()?, again_in: Some(SETTLING) })
            }
            (Standing::Completed | Standing::Ended, _) => {
                Ok(Step::Done(inquiry.conclude(&self.name, declared, body)?))
            }
        }
    }

    /// Makes a link: the first one, or the next one where that is over. The key is another for each.
    fn link(&self, verification: VerificationId, kept: &Kept) -> Result<Step, ProviderError> {
        let number = kept.link.as_ref().map_or(1, |link| link.number.saturating_add(1));
        let path = format!("/inquiries/{}/generate-one-time-link", kept.inquiry);
        let key = format!("{verification}-link-{number}");
        let made_at = self.client.clock.now();
        let reply = self.post(&path, &key, wire::one_time_link(LINK_LIFE).as_bytes())?;
        let inquiry = Inquiry::of(reply.read(200)?, Some(&kept.inquiry))?;
        let url = inquiry.link.filter(|link| is_link(link.expose(), self.client.loopback_links));
        let url = url.ok_or(ProviderError::Malformed)?;
        let life = SignedDuration::from_secs(LINK_LIFE - LINK_MARGIN);
        let renew_at = made_at.saturating_add(life).unwrap_or(Timestamp::MAX);
        let link = Link { url: url.clone(), number, renew_at };
        let kept = Kept { link: Some(link), settling: false, ..kept.clone() };
        Ok(Step::Ask { progress: kept.progress()?, link: url, again_in: None })
    }

    fn look(&self, inquiry: &str) -> Result<(Inquiry, Secret<Vec<u8>>), ProviderError> {
        let path = format!("/inquiries/{inquiry}?include=verifications");
        let reply = self.exchange(self.request(Method::GET, &path).body(()))?;
        let found = Inquiry::of(reply.read(200)?, Some(inquiry))?;
        Ok((found, reply.body))
    }

    /// Has the vendor redact the inquiry, and then the person's account.
    pub(super) fn forget(&self, kept: &Kept) -> Result<Forgotten, ProviderError> {
        self.redact(&format!("/inquiries/{}", kept.inquiry))?;
        if let Some(account) = &kept.account {
            self.redact(&format!("/accounts/{account}"))?;
        }
        Ok(Forgotten::Done)
    }

    fn redact(&self, path: &str) -> Result<(), ProviderError> {
        let reply = self.exchange(self.request(Method::DELETE, path).body(()))?;
        match reply.status {
            // 409 says that it was redacted before.
            200 | 202 | 204 | 404 | 409 | 410 => Ok(()),
            _ => Err(reply.unexpected()),
        }
    }

    fn post(&self, path: &str, key: &str, body: &[u8]) -> Result<Reply, ProviderError> {
        let request = self
            .request(Method::POST, path)
            .header("Idempotency-Key", key)
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        let reply = self.exchange(request)?;
        // Another request under this key is in flight; it will be known what became of it.
        if reply.status == 409 { Err(ProviderError::Transient) } else { Ok(reply) }
    }

    fn request(&self, method: Method, path: &str) -> Builder {
        Request::builder()
            .method(method)
            .uri(self.client.vendor.url(path))
            .header(AUTHORIZATION, self.client.authorization.clone())
            .header("Persona-Version", VERSION)
            .header("Key-Inflection", "kebab")
    }

    fn exchange<S: ureq::AsSendBody>(
        &self,
        request: Result<Request<S>, ureq::http::Error>,
    ) -> Result<Reply, ProviderError> {
        self.client.vendor.exchange(request, self.deadline)
    }
}
