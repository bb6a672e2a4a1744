//! What an operator decides: a value with documented defaults, checked by pure functions.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::Date;

use super::breaker::BreakerPolicy;
use super::country::Country;
use super::customer::Customer;
use super::discrepancy::{Code, Discrepancy};
use super::document::DocumentType;
use super::fault::Faults;
use super::field::Field;
use super::mrz;
use super::retention;
use super::schedule::{PollingPolicy, RetryPolicy};

/// The operator's rules. Start from [`Policy::default`] and change what differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The age in full years from which a person is accepted. Default 18, the age of majority in most
    /// countries (UN Convention on the Rights of the Child, article 1).
    pub minimum_age: u8,
    /// The countries of residence and of issue that are accepted. Default: all.
    pub countries: Accepted<Country>,
    /// The types of document that are accepted. Default: all.
    pub document_types: Accepted<DocumentType>,
    /// How many days a document must still be valid. Default 0: it must not have expired.
    pub minimum_remaining_validity_days: u16,
    /// Optional fields that a customer must have to be registered or changed. Default: none.
    pub required_fields: BTreeSet<Field>,
    /// Purposes to which a customer must have consented; one that is missing is
    /// `policy.consent_missing`. Default: none.
    pub required_consents: BTreeSet<String>,
    /// Verifications a customer in any 24 hours; 0 is no limit. Default 5.
    pub verifications_per_day: u32,
    /// The most files that are kept of a customer at once. Default 20: four sides, and five tries of each.
    pub documents_per_customer: u32,
    /// Days after which a decision runs out and the next verification starts. Default: never.
    pub decision_validity_days: Option<u16>,
    /// The years for which a customer's data is kept after the end of the relationship or the last decision,
    /// whichever is later. Default 5: Directive (EU) 2015/849, article 40(1).
    pub retention_years: u8,
    /// How failed calls of a provider are repeated.
    pub retry: RetryPolicy,
    /// How often a provider is asked about what it has.
    pub polling: PollingPolicy,
    /// When a provider counts as down, and is asked no more for a while.
    pub breaker: BreakerPolicy,
    /// Where two providers have to agree. Default: nowhere.
    pub second_opinion: SecondOpinion,
}

/// Where no single provider's answer decides: the next one is asked as well, and a person decides where the two
/// do not agree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecondOpinion {
    /// The countries whose documents take two. Default: none.
    pub countries: BTreeSet<Country>,
    /// The types of document that take two. Default: none.
    pub document_types: BTreeSet<DocumentType>,
}

impl SecondOpinion {
    /// Whether two providers have to agree anywhere.
    #[must_use]
    pub fn is_asked_for(&self) -> bool {
        *self != Self::default()
    }

    /// Whether two providers have to agree on this customer: by the country of issue, or by the type.
    #[must_use]
    pub fn takes_two(&self, customer: &Customer) -> bool {
        let document = customer.identity_document();
        self.countries.contains(&document.issuing_country())
            || self.document_types.contains(&document.document_type())
    }
}

/// Which values of a kind are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted<T: Ord> {
    /// Every one.
    All,
    /// These and no other.
    Only(BTreeSet<T>),
    /// Every one but these.
    Except(BTreeSet<T>),
}

impl<T: Ord> Accepted<T> {
    /// Whether `value` is accepted.
    pub fn accepts(&self, value: &T) -> bool {
        match self {
            Self::All => true,
            Self::Only(values) => values.contains(value),
            Self::Except(values) => !values.contains(value),
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            minimum_age: 18,
            countries: Accepted::All,
            document_types: Accepted::All,
            minimum_remaining_validity_days: 0,
            required_fields: BTreeSet::new(),
            required_consents: BTreeSet::new(),
            verifications_per_day: 5,
            documents_per_customer: 20,
            decision_validity_days: None,
            retention_years: retention::DEFAULT_YEARS,
            retry: RetryPolicy::default(),
            polling: PollingPolicy::default(),
            breaker: BreakerPolicy::default(),
            second_opinion: SecondOpinion::default(),
        }
    }
}

impl Policy {
    /// What does not fit before any provider is asked: the policy's own rules, and the machine-readable
    /// zone against what was declared.
    #[must_use]
    pub fn check(&self, customer: &Customer, today: Date) -> Vec<Discrepancy> {
        let document = customer.identity_document();
        let mut found = Vec::new();
        if customer.date_of_birth().age_on(today) < i16::from(self.minimum_age) {
            found.push(Discrepancy::of(Code::PolicyAge));
        }
        if !self.countries.accepts(&customer.address().country()) {
            found.push(Discrepancy::of(Code::PolicyCountry));
        }
        if !self.countries.accepts(&document.issuing_country()) {
            found.push(Discrepancy {
                field: Some(Field::DocumentIssuingCountry),
                ..Discrepancy::of(Code::PolicyCountry)
            });
        }
        if !self.document_types.accepts(&document.document_type()) {
            found.push(Discrepancy::of(Code::PolicyDocumentType));
        }
        let needed_until = today.saturating_add(i64::from(self.minimum_remaining_validity_days).days());
        if document.expires_on().is_some_and(|end| end < needed_until) {
            found.push(Discrepancy::of(Code::PolicyDocumentExpired));
        }
        if !self.required_consents.iter().all(|purpose| customer.has_consented(purpose)) {
            found.push(Discrepancy::of(Code::PolicyConsentMissing));
        }
        found.extend(mrz::discrepancies(customer));
        found
    }

    /// The faults of a customer who lacks a field that the policy demands.
    #[must_use]
    pub fn missing_fields(&self, customer: &Customer) -> Faults {
        let present = customer.present_fields();
        let mut faults = Faults::new();
        for field in self.required_fields.iter().filter(|field| !present.contains(field)) {
            faults.add(
                format!("/{}", field.as_str().replace('.', "/")),
                "field.required",
                "this field is demanded here",
            );
        }
        faults
    }
}
