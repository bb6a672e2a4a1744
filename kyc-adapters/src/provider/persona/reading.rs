//! What an inquiry amounts to. Whatever is not understood verifies nobody.

use jiff::Timestamp;
use kyc_core::Secret;
use kyc_core::domain::customer::Customer;
use kyc_core::domain::discrepancy::{Class, Code, Discrepancy, ProviderCode};
use kyc_core::domain::ids::ProviderName;
use kyc_core::ports::provider::{Answer, Outcome, ProviderError};

use super::checks;
use super::compare;
use super::wire::{Attributes, Document, Resource};

/// The prefix of the types of verifications.
const VERIFICATION: &str = "verification/";

/// Where an inquiry stands, by its status. The vendor's list of statuses is not a closed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The customer has not finished: `created`, `pending`.
    Open,
    /// The customer has finished, and no workflow or person of the operator has decided (yet).
    Completed,
    /// It has ended, or waits for a person at the vendor, or nobody knows: there is nothing better to wait for.
    Ended,
}

/// An inquiry that was read.
pub(super) struct Inquiry {
    status: String,
    /// The vendor's account of the person.
    pub(super) account: Option<String>,
    /// The customer's link, in answers that bear one.
    pub(super) link: Option<Secret<String>>,
    /// How many reports belong to it, whose results are not among what is read.
    reports: usize,
    /// The verifications that belong to it, by id.
    related: Vec<Option<String>>,
    verifications: Vec<Resource>,
}

impl Inquiry {
    /// Reads an answer about an inquiry: this one, or the one that was just made.
    pub(super) fn of(document: Document, id: Option<&str>) -> Result<Self, ProviderError> {
        let Document { data, included, meta } = document;
        if data.kind != "inquiry" || id.is_some_and(|id| id != data.id) {
            return Err(ProviderError::Malformed);
        }
        let relationships = data.relationships;
        Ok(Self {
            status: data.attributes.status.ok_or(ProviderError::Malformed)?,
            account: relationships.account.and_then(|one| one.data).and_then(|account| account.id),
            link: meta.one_time_link,
            reports: relationships.reports.map_or(0, |many| many.data.len()),
            related: relationships.verifications.map_or_else(Vec::new, |many| {
                many.data.into_iter().map(|verification| verification.id).collect()
            }),
            verifications: included.into_iter().filter(|one| one.kind.starts_with(VERIFICATION)).collect(),
        })
    }

    pub(super) fn standing(&self) -> Standing {
        match self.status.as_str() {
            "created" | "pending" => Standing::Open,
            "completed" => Standing::Completed,
            // Also what nobody knows: it may be final, and to poll it for ever would lose the verification.
            _ => Standing::Ended,
        }
    }

    /// The answer. Clear is only an inquiry that was approved, or completed and left at that, in which every
    /// verification and every check passed or did not apply, and which was held by the person who registered.
    ///
    /// # Errors
    /// [`ProviderError::Malformed`] where more did not fit than an answer may hold.
    pub(super) fn conclude(
        &self,
        provider: &ProviderName,
        declared: &Customer,
        body: &Secret<Vec<u8>>,
    ) -> Result<Answer, ProviderError> {
        let mut findings = Findings { provider, found: Vec::new(), unknown: false };
        for verification in &self.verifications {
            findings.verification(verification, self.is_superseded(verification));
            if verification.attributes.status.as_deref() == Some("passed") {
                let Resource { kind, attributes, .. } = verification;
                for code in compare::with_declared(kind, attributes, declared) {
                    findings.add(Discrepancy { provider: Some(provider.clone()), ..Discrepancy::of(code) });
                }
            }
        }
        let missing =
            |id: &Option<String>| !self.verifications.iter().any(|one| Some(&one.id) == id.as_ref());
        if self.verifications.is_empty() || self.related.iter().any(missing) {
            findings.note(Code::NotAllChecksCompleted, "verifications");
        }
        self.read_status(&mut findings);
        let Findings { found, unknown, .. } = findings;
        if found.len() > Answer::MAX_DISCREPANCIES {
            return Err(ProviderError::Malformed);
        }
        let outcome = if unknown {
            Outcome::Unknown
        } else if found.is_empty() {
            Outcome::Clear
        } else if found.iter().all(|one| one.code.class() == Class::Quality) {
            Outcome::Unusable
        } else {
            Outcome::Consider
        };
        let kept = body.expose().iter().copied().take(Answer::MAX_RAW_BYTES).collect();
        Ok(Answer { outcome, discrepancies: found, raw: Secret::new(kept) })
    }

    /// What the status itself says, besides the checks.
    fn read_status(&self, findings: &mut Findings<'_>) {
        match self.status.as_str() {
            "approved" => {}
            // Screening and the like are reports; without a decision nobody has said what they found.
            "completed" if self.reports == 0 => {}
            "completed" => findings.note(Code::NotAllChecksCompleted, "inquiry.reports"),
            "expired" => findings.note(Code::SessionAbandoned, "inquiry.expired"),
            "created" | "pending" => findings.note(Code::NotAllChecksCompleted, "inquiry.open"),
            // Where a check says why, that is the reason.
            status @ ("declined" | "failed" | "needs_review") => {
                if findings.found.is_empty() {
                    findings.note(Code::UnknownResult, &format!("inquiry.{status}"));
                }
            }
            status => {
                findings.unknown = true;
                findings.note(Code::UnknownResult, &format!("inquiry.{status}"));
            }
        }
    }

    /// Whether the customer was asked for another try and passed it later.
    fn is_superseded(&self, verification: &Resource) -> bool {
        let time = |one: &Resource| one.attributes.created_at.as_ref()?.parse::<Timestamp>().ok();
        let passed = |one: &&Resource| {
            one.kind == verification.kind && one.attributes.status.as_deref() == Some("passed")
        };
        let later = |one: &Resource| time(one).zip(time(verification)).is_some_and(|(one, this)| one > this);
        verification.attributes.status.as_deref() == Some("requires_retry")
            && self.verifications.iter().filter(passed).any(later)
    }
}

struct Findings<'a> {
    provider: &'a ProviderName,
    found: Vec<Discrepancy>,
    /// Whether a word came that nobody knows.
    unknown: bool,
}

impl Findings<'_> {
    fn add(&mut self, finding: Discrepancy) {
        if !self.found.contains(&finding) {
            self.found.push(finding);
        }
    }

    fn note(&mut self, code: Code, provider_code: &str) {
        let provider_code = ProviderCode::sanitised(provider_code);
        let provider = Some(self.provider.clone());
        self.add(Discrepancy { provider, provider_code, ..Discrepancy::of(code) });
    }

    fn verification(&mut self, verification: &Resource, superseded: bool) {
        let of = verification.kind.strip_prefix(VERIFICATION).unwrap_or_default();
        let status = verification.attributes.status.as_deref().unwrap_or_default();
        let before = self.found.len();
        self.checks(of, &verification.attributes, superseded);
        let explained = self.found.len() > before;
        match status {
            "passed" => {}
            "confirmed" if matches!(of, "phone-number" | "email-address") => {}
            "requires_retry" if superseded => {}
            "failed" | "requires_retry" if explained => {}
            "failed" => self.note(Code::UnknownResult, &format!("{of}.failed")),
            "requires_retry" | "initiated" | "submitted" | "skipped" | "canceled" | "confirmed"
            | "tentatively_passed" | "tentatively_failed" => {
                self.note(Code::NotAllChecksCompleted, &format!("{of}.{status}"));
            }
            status => {
                self.unknown = true;
                self.note(Code::UnknownResult, &format!("{of}.{status}"));
            }
        }
    }

    fn checks(&mut self, of: &str, attributes: &Attributes, superseded: bool) {
        for check in attributes.checks.iter().flatten() {
            let name = check.name.as_deref().unwrap_or("check");
            match check.status.as_deref() {
                Some("passed" | "not_applicable") => {}
                Some("failed") => {
                    let finding = checks::finding(self.provider, of, name, &check.reasons);
                    // A blurred picture that the customer took again is nobody's concern; a forged one is.
                    if !(superseded && finding.code.class() == Class::Quality) {
                        self.add(finding);
                    }
                }
                Some(_) | None => {
                    self.unknown = true;
                    self.note(Code::UnknownResult, name);
                }
            }
        }
    }
}
