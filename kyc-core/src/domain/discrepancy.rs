//! What did not fit: one closed taxonomy, each code with its default route, its severity and two texts.
//!
//! The classes follow what identity vendors and the FATF Guidance on Digital Identity (2020) tell apart:
//! the picture, the data, the document itself, doubles, lists, our own rules, and the machinery.

use super::field::Field;
use super::words::words;

words! {
    /// What kind of thing did not fit; the part of a code before the dot.
    pub enum Class, "discrepancy class" {
        /// The evidence can't be read: the customer can send better.
        Quality = "quality",
        /// What was declared differs from the document or from a source.
        Mismatch = "mismatch",
        /// The document or the person before the camera may not be genuine.
        Authenticity = "authenticity",
        /// Another customer shares what only one should have.
        Duplicate = "duplicate",
        /// A list has an entry that may be this person.
        Screening = "screening",
        /// A rule of the operator's policy is not met.
        Policy = "policy",
        /// The machinery failed, and says nothing about the person.
        Technical = "technical",
    }
}

words! {
    /// How grave a discrepancy is.
    pub enum Severity, "severity" {
        /// The customer can mend it.
        Minor = "minor",
        /// A person has to look.
        Major = "major",
        /// The provider is certain; no person is needed to refuse.
        Critical = "critical",
    }
}

/// Where a discrepancy sends the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// The customer is asked for something better.
    AwaitingCustomer,
    /// A person decides.
    InReview,
    /// Refused.
    Rejected {
        /// Whether nothing that the customer sends later can change it.
        terminal: bool,
    },
}

/// The taxonomy in one table: variant, word, class, field, severity, whether a client key may see the
/// code, the text for the customer, and the text for staff.
macro_rules! taxonomy {
    ($( $variant:ident = $word:literal, $class:ident, $field:expr, $severity:ident, $visible:literal,
        $customer:literal, $staff:literal; )+) => {
        words! {
            /// A discrepancy's stable code. [`Code::message_for_staff`] says what each one means.
            pub enum Code, "discrepancy code" {
                $(
                    #[doc = $staff]
                    $variant = $word,
                )+
            }
        }

        impl Code {
            /// The class of the code.
            #[must_use]
            pub const fn class(self) -> Class {
                match self { $( Self::$variant => Class::$class ),+ }
            }

            /// The field that the code speaks of by default; a provider may name a finer one.
            #[must_use]
            pub const fn field(self) -> Option<Field> {
                match self { $( Self::$variant => $field ),+ }
            }

            /// The severity by default; a provider that is certain says [`Severity::Critical`].
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $( Self::$variant => Severity::$severity ),+ }
            }

            /// Whether client keys and webhooks may see the code. Where not, they see
            /// [`REVIEW_PENDING`]: to tell a person of a screening match is tipping off
            /// (FATF recommendation 21).
            #[must_use]
            pub const fn visible_to_client(self) -> bool {
                match self { $( Self::$variant => $visible ),+ }
            }

            /// A sentence that may be shown to the customer.
            #[must_use]
            pub const fn message_for_customer(self) -> &'static str {
                match self { $( Self::$variant => $customer ),+ }
            }

            /// A sentence for staff.
            #[must_use]
            pub const fn message_for_staff(self) -> &'static str {
                match self { $( Self::$variant => $staff ),+ }
            }
        }
    };
}

taxonomy! {
    ImageUnreadable = "quality.image_unreadable", Quality, Some(Field::IdentityDocument), Minor, true,
        "We could not read the picture of your document. Please take a new one in good light.",
        "The picture of the document could not be read.";
    DocumentIncomplete = "quality.document_incomplete", Quality, Some(Field::IdentityDocument), Minor, true,
        "Part of your document is outside the picture. Please show all four corners.",
        "The picture does not show the whole document.";
    SideMissing = "quality.side_missing", Quality, Some(Field::IdentityDocument), Minor, true,
        "A side of your document is missing. Please send front and back.",
        "A side of the document that the provider needs was not sent.";
    DocumentDamaged = "quality.document_damaged", Quality, Some(Field::IdentityDocument), Minor, true,
        "Your document seems to be damaged. Please use another one.",
        "The document is damaged so that fields or features are lost.";
    NotADocument = "quality.not_a_document", Quality, Some(Field::IdentityDocument), Minor, true,
        "The picture does not show an identity document. Please send one.",
        "The picture shows something else than an identity document.";
    NotColour = "quality.not_colour", Quality, Some(Field::IdentityDocument), Minor, true,
        "The picture is not in colour. Please send a colour picture.",
        "The picture is black and white, which hides security features.";
    FaceNotVisible = "quality.face_not_visible", Quality, None, Minor, true,
        "Your face could not be seen. Please take a new picture without cover.",
        "The face in the selfie or on the document can't be seen.";
    MissingField = "quality.missing_field", Quality, None, Minor, true,
        "Something that we need is missing. Please complete your details.",
        "A field that the provider needs was not given.";
    MismatchName = "mismatch.name", Mismatch, Some(Field::Name), Major, true,
        "Your name differs from the one on your document.",
        "The declared name differs from the document or the source.";
    MismatchDateOfBirth = "mismatch.date_of_birth", Mismatch, Some(Field::DateOfBirth), Major, true,
        "Your date of birth differs from the one on your document.",
        "The declared date of birth differs from the document or the source.";
    MismatchAddress = "mismatch.address", Mismatch, Some(Field::Address), Major, true,
        "Your address could not be confirmed.",
        "The declared address differs from the document or the source.";
    MismatchDocumentNumber = "mismatch.document_number", Mismatch, Some(Field::DocumentNumber), Major, true,
        "The number of your document differs from the one that you gave.",
        "The declared document number differs from the document or the source.";
    MismatchIssuingCountry = "mismatch.issuing_country", Mismatch, Some(Field::DocumentIssuingCountry), Major, true,
        "The country that issued your document differs from the one that you gave.",
        "The declared issuing country differs from the document.";
    MismatchNationality = "mismatch.nationality", Mismatch, Some(Field::Nationalities), Major, true,
        "Your nationality differs from the one on your document.",
        "None of the declared nationalities is the one on the document.";
    MismatchGender = "mismatch.gender", Mismatch, Some(Field::Gender), Major, true,
        "The gender that you gave differs from the one on your document.",
        "The declared gender differs from the document.";
    MismatchMrz = "mismatch.mrz", Mismatch, Some(Field::Mrz), Major, true,
        "The machine-readable lines of your document do not fit together. Please check them.",
        "A check digit of the machine-readable zone is wrong, or the zone differs from what was declared.";
    MismatchNumberFormat = "mismatch.number_format", Mismatch, Some(Field::DocumentNumber), Major, true,
        "The number of your document does not have the form that its country uses.",
        "The document number does not have the form that the issuer uses.";
    MismatchFace = "mismatch.face", Mismatch, None, Major, true,
        "Your picture could not be matched with your document.",
        "The face in the selfie differs from the one on the document.";
    MismatchContact = "mismatch.contact", Mismatch, None, Major, true,
        "Your e-mail address or phone number could not be confirmed.",
        "The source knows another e-mail address or phone number.";
    RecordNotFound = "mismatch.record_not_found", Mismatch, None, Major, true,
        "We could not find a record of you. A person will have a look.",
        "The source has no record of this person.";
    BetweenSources = "mismatch.between_sources", Mismatch, None, Major, true,
        "Your details could not be confirmed. A person will have a look.",
        "Two providers disagree.";
    Tampered = "authenticity.tampered", Authenticity, Some(Field::IdentityDocument), Major, true,
        "Your document needs to be looked at by a person.",
        "The document shows signs of having been altered.";
    Template = "authenticity.template", Authenticity, Some(Field::IdentityDocument), Major, true,
        "Your document needs to be looked at by a person.",
        "The document follows a known template of forgeries, or a specimen.";
    CopyOrScreen = "authenticity.copy_or_screen", Authenticity, Some(Field::IdentityDocument), Major, true,
        "The picture seems to show a copy or a screen. Please photograph the document itself.",
        "The picture shows a photocopy or a screen.";
    Liveness = "authenticity.liveness", Authenticity, None, Major, true,
        "Your picture needs to be looked at by a person.",
        "The person before the camera may be a picture, a mask or a replay.";
    Compromised = "authenticity.compromised", Authenticity, Some(Field::IdentityDocument), Major, true,
        "Your document can't be accepted.",
        "The document is listed as lost, stolen or published.";
    Behaviour = "authenticity.behaviour", Authenticity, None, Major, false,
        "Your registration needs to be looked at by a person.",
        "The behaviour during capture fits a known pattern of fraud.";
    DuplicatePerson = "duplicate.person", Duplicate, None, Major, false,
        "Your registration needs to be looked at by a person.",
        "Another customer has the same name and date of birth.";
    DuplicateDocument = "duplicate.document", Duplicate, Some(Field::IdentityDocument), Major, false,
        "Your registration needs to be looked at by a person.",
        "Another customer has the same identity document.";
    DuplicateDevice = "duplicate.device", Duplicate, None, Major, false,
        "Your registration needs to be looked at by a person.",
        "Another customer used the same device.";
    Sanctions = "screening.sanctions", Screening, None, Major, false,
        "Your registration needs to be looked at by a person.",
        "A sanctions list has an entry that may be this person.";
    Pep = "screening.pep", Screening, None, Major, false,
        "Your registration needs to be looked at by a person.",
        "The person may hold, or be close to, a prominent public function.";
    AdverseMedia = "screening.adverse_media", Screening, None, Major, false,
        "Your registration needs to be looked at by a person.",
        "Adverse media may speak of this person.";
    Criminal = "screening.criminal", Screening, None, Major, false,
        "Your registration needs to be looked at by a person.",
        "A police or court record may speak of this person.";
    InternalBlocklist = "screening.internal_blocklist", Screening, None, Major, false,
        "Your registration needs to be looked at by a person.",
        "A blocklist of the operator or the provider has an entry that may be this person.";
    Deceased = "screening.deceased", Screening, None, Major, false,
        "Your registration needs to be looked at by a person.",
        "A register lists this person as deceased.";
    PolicyAge = "policy.age", Policy, Some(Field::DateOfBirth), Major, true,
        "You do not have the age that this service asks for.",
        "The person is younger than the policy's minimum age.";
    PolicyCountry = "policy.country", Policy, Some(Field::Address), Major, true,
        "This service is not offered in your country.",
        "The country of residence or of the document is not one that the policy accepts.";
    PolicyDocumentType = "policy.document_type", Policy, Some(Field::DocumentType), Minor, true,
        "This type of document is not accepted. Please use another one.",
        "The policy does not accept this type of document.";
    PolicyDocumentExpired = "policy.document_expired", Policy, Some(Field::DocumentExpiresOn), Minor, true,
        "Your document has expired, or will soon. Please use another one.",
        "The document has expired, or has less validity left than the policy asks for.";
    PolicyProofTooOld = "policy.proof_too_old", Policy, Some(Field::Address), Minor, true,
        "Your proof of address is too old. Please send a newer one.",
        "The proof of address is older than the policy accepts.";
    PolicyConsentMissing = "policy.consent_missing", Policy, Some(Field::Consents), Minor, true,
        "A consent that we need is missing.",
        "A consent that the policy demands was not given.";
    PolicyAttemptsExhausted = "policy.attempts_exhausted", Policy, None, Major, true,
        "There were too many attempts. Please contact us.",
        "The customer has used up the attempts that the policy allows.";
    ProviderUnavailable = "technical.provider_unavailable", Technical, None, Major, true,
        "The check could not be completed. A person will have a look.",
        "The provider did not answer, whatever was tried.";
    NotAllChecksCompleted = "technical.not_all_checks_completed", Technical, None, Major, true,
        "The check could not be completed. A person will have a look.",
        "The provider did not complete every check that was asked for.";
    SessionAbandoned = "technical.session_abandoned", Technical, None, Major, true,
        "The check was not completed. A person will have a look.",
        "The customer left the provider's session before its end.";
    UnknownResult = "technical.unknown_result", Technical, None, Major, true,
        "The check could not be completed. A person will have a look.",
        "The provider answered something that is not known, so it counts for nothing.";
}

/// What a client key sees in place of a code that would tip the customer off.
pub const REVIEW_PENDING: &str = "review.pending";

/// One thing that did not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discrepancy {
    /// What it is.
    pub code: Code,
    /// The field that it concerns, where there is one.
    pub field: Option<Field>,
    /// How grave it is.
    pub severity: Severity,
    /// The provider that said so; none where it is our own rule.
    pub provider: Option<super::ids::ProviderName>,
    /// The provider's own code for it, at most [`ProviderCode::MAX_LENGTH`] characters.
    pub provider_code: Option<ProviderCode>,
}

impl Discrepancy {
    /// A finding of our own rules, with the code's default field and severity.
    #[must_use]
    pub const fn of(code: Code) -> Self {
        Self { code, field: code.field(), severity: code.severity(), provider: None, provider_code: None }
    }

    /// Where this sends the customer by default.
    ///
    /// A provider that is certain ([`Severity::Critical`]) has an authenticity finding rejected for good;
    /// screening always goes before a person, whoever is certain.
    #[must_use]
    pub const fn route(&self) -> Route {
        match self.code.class() {
            Class::Quality => Route::AwaitingCustomer,
            Class::Authenticity => match self.severity {
                Severity::Critical => Route::Rejected { terminal: true },
                Severity::Minor | Severity::Major => Route::InReview,
            },
            // Of the policy's codes, Minor marks those that the customer can mend.
            Class::Policy => match self.code.severity() {
                Severity::Minor => Route::AwaitingCustomer,
                Severity::Major | Severity::Critical => Route::Rejected { terminal: false },
            },
            Class::Mismatch | Class::Duplicate | Class::Screening | Class::Technical => Route::InReview,
        }
    }
}

/// A provider's own code: 1 to 64 of `A-Za-z0-9._:-`, so that no personal data passes in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderCode(String);

impl ProviderCode {
    /// The longest code, in characters.
    pub const MAX_LENGTH: usize = 64;

    /// Keeps what can be part of a code and drops the rest; none where nothing remains.
    #[must_use]
    pub fn sanitised(text: &str) -> Option<Self> {
        let kept: String = text
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '-'))
            .take(Self::MAX_LENGTH)
            .collect();
        (!kept.is_empty()).then_some(Self(kept))
    }

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_of_a_code_begins_with_its_class() {
        for code in Code::ALL {
            let class = code.as_str().split('.').next().unwrap();
            assert_eq!(class, code.class().as_str(), "{code}");
        }
    }

    #[test]
    fn clients_see_neither_screening_nor_duplicates_nor_behaviour() {
        for code in Code::ALL {
            let hidden =
                matches!(code.class(), Class::Screening | Class::Duplicate) || *code == Code::Behaviour;
            assert_eq!(code.visible_to_client(), !hidden, "{code}");
        }
    }

    #[test]
    fn every_code_has_two_texts_that_end_as_sentences_do() {
        for code in Code::ALL {
            assert!(code.message_for_customer().ends_with('.'), "{code}");
            assert!(code.message_for_staff().ends_with('.'), "{code}");
        }
    }

    #[test]
    fn only_a_certain_provider_has_authenticity_rejected() {
        let mut found = Discrepancy::of(Code::Compromised);
        assert_eq!(found.route(), Route::InReview);
        found.severity = Severity::Critical;
        assert_eq!(found.route(), Route::Rejected { terminal: true });
    }

    #[test]
    fn no_certainty_takes_screening_past_a_person() {
        for code in Code::ALL.iter().filter(|code| code.class() == Class::Screening) {
            let mut found = Discrepancy::of(*code);
            found.severity = Severity::Critical;
            assert_eq!(found.route(), Route::InReview, "{code}");
        }
    }

    #[test]
    fn a_provider_code_holds_no_free_text() {
        assert_eq!(ProviderCode::sanitised("data comparison: Ada").unwrap().as_str(), "datacomparison:Ada");
        assert_eq!(ProviderCode::sanitised("  "), None);
        assert_eq!(ProviderCode::sanitised(&"x".repeat(100)).unwrap().as_str().len(), 64);
    }
}
