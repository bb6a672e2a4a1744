//! From a failed check to our taxonomy: one table.
//!
//! Names and reasons are those of the vendor's list of verification checks. No row is critical, which would reject
//! for good: the vendor calls its checks probabilistic, and none of them a proof by itself.

use kyc_core::domain::discrepancy::Severity::{Major, Minor};
use kyc_core::domain::discrepancy::{Code, Discrepancy, ProviderCode, Severity};
use kyc_core::domain::field::Field;
use kyc_core::domain::ids::ProviderName;

/// What a failed check means. A row with a reason goes before the one without.
struct Row {
    /// The type of the verification, without `verification/`.
    of: &'static str,
    check: &'static str,
    /// The reason that the row is for; none: any.
    reason: Option<&'static str>,
    code: Code,
    /// The field, where it is another than the code's own.
    field: Option<Field>,
    severity: Severity,
}

const fn row(of: &'static str, check: &'static str, code: Code, severity: Severity) -> Row {
    Row { of, check, reason: None, code, field: None, severity }
}

impl Row {
    const fn because(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }

    const fn about(mut self, field: Field) -> Self {
        self.field = Some(field);
        self
    }
}

const ID: &str = "government-id";
const NFC: &str = "government-id-nfc";
const SELFIE: &str = "selfie";
const DATABASE: &str = "database";
const DOCUMENT: &str = "document";
const AAMVA: &str = "aamva";
const PHONE: &str = "phone-number";
const EMAIL: &str = "email-address";

const TABLE: &[Row] = &[
    // The picture of the document.
    row(ID, "id_blur_detection", Code::ImageUnreadable, Minor),
    row(ID, "id_glare_detection", Code::ImageUnreadable, Minor),
    row(ID, "id_unprocessable_submission_detection", Code::ImageUnreadable, Minor),
    row(ID, "id_video_quality_detection", Code::ImageUnreadable, Minor),
    row(ID, "id_corner_detection", Code::DocumentIncomplete, Minor),
    row(ID, "id_barcode_detection", Code::ImageUnreadable, Minor),
    row(ID, "id_mrz_detection", Code::ImageUnreadable, Minor).about(Field::Mrz),
    row(ID, "id_damaged_detection", Code::DocumentDamaged, Minor),
    row(ID, "id_double_side_detection", Code::SideMissing, Minor),
    row(ID, "id_entity_detection", Code::NotADocument, Minor),
    row(ID, "id_portrait_detection", Code::FaceNotVisible, Minor),
    row(ID, "id_portrait_clarity_detection", Code::FaceNotVisible, Minor),
    row(ID, "id_extracted_properties_detection", Code::MissingField, Minor),
    row(ID, "id_required_property_detection", Code::MissingField, Minor),
    // What the document says.
    row(ID, "id_account_comparison", Code::MismatchName, Major),
    row(ID, "id_attribute_comparison", Code::MismatchName, Major),
    row(ID, "id_inquiry_comparison", Code::MismatchName, Major),
    row(ID, "id_barcode_inconsistency_detection", Code::Tampered, Major),
    row(ID, "id_extraction_inconsistency_detection", Code::Tampered, Major),
    row(ID, "id_mrz_inconsistency_detection", Code::MismatchMrz, Major),
    row(ID, "id_mrz_validation", Code::MismatchMrz, Major),
    row(ID, "id_number_format_inconsistency_detection", Code::MismatchNumberFormat, Major),
    row(ID, "id_age_inconsistency_detection", Code::MismatchFace, Major).about(Field::DateOfBirth),
    row(ID, "id_selfie_comparison", Code::MismatchFace, Major),
    row(ID, "id_aamva_database_lookup", Code::RecordNotFound, Major),
    // Whether it is genuine.
    row(ID, "id_color_inconsistency_detection", Code::NotColour, Minor).because("image_is_monochrome"),
    row(ID, "id_color_inconsistency_detection", Code::Tampered, Major),
    row(ID, "id_compromised_detection", Code::Compromised, Major),
    row(ID, "id_electronic_replica_detection", Code::CopyOrScreen, Major),
    row(ID, "id_paper_detection", Code::CopyOrScreen, Major),
    row(ID, "id_fabrication_detection", Code::Template, Major).because("sample_document"),
    row(ID, "id_fabrication_detection", Code::Tampered, Major),
    row(ID, "id_handwriting_detection", Code::Tampered, Major),
    row(ID, "id_physical_tamper_detection", Code::Tampered, Major),
    row(ID, "id_tamper_detection", Code::Tampered, Major),
    row(ID, "id_valid_dates_detection", Code::Tampered, Major),
    row(ID, "id_experimental_model_detection", Code::Behaviour, Major),
    row(ID, "id_public_figure_detection", Code::Compromised, Major),
    row(ID, "id_repeat_detection", Code::DuplicateDocument, Major),
    row(ID, "id_inconsistent_repeat_detection", Code::DuplicateDocument, Major),
    // Whether it is accepted.
    row(ID, "id_age_comparison", Code::PolicyAge, Major),
    row(ID, "id_disallowed_country_detection", Code::PolicyCountry, Major)
        .about(Field::DocumentIssuingCountry),
    row(ID, "id_disallowed_type_detection", Code::PolicyDocumentType, Minor),
    row(ID, "id_type_detection", Code::PolicyDocumentType, Minor),
    row(ID, "id_real_id_detection", Code::PolicyDocumentType, Minor),
    row(ID, "id_expired_detection", Code::PolicyDocumentExpired, Minor),
    // The chip.
    row(NFC, "id_nfc_attribute_comparison", Code::MismatchName, Major),
    row(NFC, "id_nfc_disallowed_country_detection", Code::PolicyCountry, Major)
        .about(Field::DocumentIssuingCountry),
    row(NFC, "id_nfc_expired_detection", Code::PolicyDocumentExpired, Minor),
    row(NFC, "id_nfc_pki_failure_detection", Code::Tampered, Major),
    row(NFC, "id_nfc_tamper_detection", Code::Tampered, Major),
    row(NFC, "id_nfc_unprocessable_submission_detection", Code::ImageUnreadable, Minor),
    // The person.
    row(SELFIE, "selfie_id_comparison", Code::MismatchFace, Major),
    row(SELFIE, "selfie_account_comparison", Code::MismatchFace, Major),
    row(SELFIE, "selfie_attribute_comparison", Code::MismatchFace, Major),
    row(SELFIE, "selfie_multiple_faces_detection", Code::MismatchFace, Major),
    row(SELFIE, "selfie_age_comparison", Code::MismatchFace, Major).about(Field::DateOfBirth),
    row(SELFIE, "selfie_age_inconsistency_detection", Code::MismatchFace, Major).about(Field::DateOfBirth),
    row(SELFIE, "selfie_age_threshold_comparison", Code::PolicyAge, Major),
    row(SELFIE, "selfie_liveness_detection", Code::Liveness, Major),
    row(SELFIE, "selfie_pose_repeat_detection", Code::Liveness, Major),
    row(SELFIE, "selfie_suspicious_entity_detection", Code::Liveness, Major),
    row(SELFIE, "selfie_experimental_model_detection", Code::Behaviour, Major),
    row(SELFIE, "selfie_similar_background_detection", Code::Behaviour, Major),
    row(SELFIE, "selfie_public_figure_detection", Code::Liveness, Major),
    row(SELFIE, "selfie_repeat_detection", Code::DuplicatePerson, Major),
    row(SELFIE, "selfie_face_covering_detection", Code::FaceNotVisible, Minor),
    row(SELFIE, "selfie_glare_detection", Code::FaceNotVisible, Minor),
    row(SELFIE, "selfie_glasses_detection", Code::FaceNotVisible, Minor),
    row(SELFIE, "selfie_image_quality_detection", Code::FaceNotVisible, Minor),
    row(SELFIE, "selfie_portrait_quality_detection", Code::FaceNotVisible, Minor),
    row(SELFIE, "selfie_pose_detection", Code::FaceNotVisible, Minor),
    row(SELFIE, "selfie_video_quality_detection", Code::FaceNotVisible, Minor),
    // What databases know.
    row(DATABASE, "database_address_comparison", Code::MismatchAddress, Major),
    row(DATABASE, "database_address_deliverable_detection", Code::MismatchAddress, Major),
    row(DATABASE, "database_address_residential_detection", Code::MismatchAddress, Major),
    row(DATABASE, "database_po_box_detection", Code::MismatchAddress, Major),
    row(DATABASE, "database_birthdate_comparison", Code::MismatchDateOfBirth, Major),
    row(DATABASE, "database_name_comparison", Code::MismatchName, Major),
    row(DATABASE, "database_inquiry_comparison", Code::MismatchName, Major),
    row(DATABASE, "database_attribute_comparison", Code::MismatchName, Major),
    row(DATABASE, "database_email_address_comparison", Code::MismatchContact, Major).about(Field::Email),
    row(DATABASE, "database_phone_number_comparison", Code::MismatchContact, Major).about(Field::PhoneNumber),
    row(DATABASE, "database_social_security_number_comparison", Code::MismatchDocumentNumber, Major)
        .about(Field::TaxIds),
    row(DATABASE, "database_face_comparison", Code::MismatchFace, Major),
    row(DATABASE, "database_identity_comparison", Code::RecordNotFound, Major),
    row(DATABASE, "database_two_plus_two_detection", Code::RecordNotFound, Major),
    row(DATABASE, "database_deceased_detection", Code::Deceased, Major),
    row(DATABASE, "database_service_available_detection", Code::NotAllChecksCompleted, Major),
    // A proof of address, or another document.
    row(DOCUMENT, "document_compromised_detection", Code::Compromised, Major),
    row(DOCUMENT, "document_digital_text_modification_detection", Code::Tampered, Major),
    row(DOCUMENT, "document_enhanced_fraud_detection", Code::Tampered, Major),
    row(DOCUMENT, "document_fabrication_detection", Code::Tampered, Major),
    row(DOCUMENT, "document_image_copy_move_detection", Code::Tampered, Major),
    row(DOCUMENT, "document_jpeg_modification_detection", Code::Tampered, Major),
    row(DOCUMENT, "document_pdf_editor_detection", Code::Tampered, Major),
    row(DOCUMENT, "document_pdf_modification_detection", Code::Tampered, Major),
    row(DOCUMENT, "document_tamper_detection", Code::Tampered, Major),
    row(DOCUMENT, "document_synthetic_content_detection", Code::Template, Major),
    row(DOCUMENT, "document_template_detection", Code::Template, Major),
    row(DOCUMENT, "document_selfie_comparison", Code::MismatchFace, Major),
    row(DOCUMENT, "document_expired_detection", Code::PolicyProofTooOld, Minor),
    row(DOCUMENT, "document_recency_detection", Code::PolicyProofTooOld, Minor),
    row(DOCUMENT, "document_type_detection", Code::PolicyDocumentType, Minor),
    row(DOCUMENT, "document_extracted_properties_detection", Code::MissingField, Minor),
    row(DOCUMENT, "document_unprocessable_submission_detection", Code::ImageUnreadable, Minor),
    // The register of the driving licences of the United States.
    row(AAMVA, "aamva_address_comparison", Code::MismatchAddress, Major),
    row(AAMVA, "aamva_birthdate_comparison", Code::MismatchDateOfBirth, Major),
    row(AAMVA, "aamva_name_comparison", Code::MismatchName, Major),
    row(AAMVA, "aamva_identification_number_comparison", Code::MismatchDocumentNumber, Major),
    row(AAMVA, "aamva_expiration_date_comparison", Code::MismatchDocumentNumber, Major)
        .about(Field::DocumentExpiresOn),
    row(AAMVA, "aamva_issue_date_comparison", Code::MismatchDocumentNumber, Major)
        .about(Field::DocumentIssuedOn),
    row(AAMVA, "aamva_identity_comparison", Code::RecordNotFound, Major),
    row(AAMVA, "aamva_service_available_detection", Code::NotAllChecksCompleted, Major),
    // Contacts.
    row(PHONE, "phone_number_confirmation_code_comparison", Code::MismatchContact, Major)
        .about(Field::PhoneNumber),
    row(PHONE, "phone_number_deliverable_detection", Code::MismatchContact, Major).about(Field::PhoneNumber),
    row(PHONE, "phone_number_timeout_detection", Code::SessionAbandoned, Major),
    row(EMAIL, "email_address_confirmation_code_comparison", Code::MismatchContact, Major)
        .about(Field::Email),
    row(EMAIL, "email_address_timeout_detection", Code::SessionAbandoned, Major),
];

/// What a failed check of a verification means; `technical.unknown_result` where the table does not have it. Of
/// several reasons the first one that has a row counts.
pub(super) fn finding(
    provider: &ProviderName,
    of: &str,
    check: &str,
    reasons: &[Option<String>],
) -> Discrepancy {
    let rows = || TABLE.iter().filter(|row| row.of == of && row.check == check);
    let named =
        |row: &&Row| row.reason.is_some_and(|wanted| reasons.iter().flatten().any(|reason| reason == wanted));
    let row = rows().find(named).or_else(|| rows().find(|row| row.reason.is_none()));
    let (code, field, severity) = match row {
        Some(row) => (row.code, row.field.or(row.code.field()), row.severity),
        None => (Code::UnknownResult, Code::UnknownResult.field(), Code::UnknownResult.severity()),
    };
    let provider_code = ProviderCode::sanitised(check);
    Discrepancy { code, field, severity, provider: Some(provider.clone()), provider_code }
}

#[cfg(test)]
mod tests {
    use kyc_core::domain::discrepancy::{Class, Route};

    use super::*;

    fn found(of: &str, check: &str, reasons: &[&str]) -> Discrepancy {
        let reasons: Vec<_> = reasons.iter().map(|reason| Some((*reason).to_owned())).collect();
        finding(&ProviderName::parse("persona").unwrap(), of, check, &reasons)
    }

    #[test]
    fn each_row_is_what_a_failed_check_becomes() {
        for row in TABLE {
            let reasons: Vec<_> = row.reason.into_iter().collect();
            let found = found(row.of, row.check, &reasons);
            assert_eq!((found.code, found.severity), (row.code, row.severity), "{}", row.check);
            assert_eq!(found.field, row.field.or(row.code.field()), "{}", row.check);
            assert_eq!(found.provider_code.unwrap().as_str(), row.check);
        }
    }

    #[test]
    fn no_two_rows_say_different_things_of_the_same_check() {
        for (index, row) in TABLE.iter().enumerate() {
            let same =
                |other: &&Row| (other.of, other.check, other.reason) == (row.of, row.check, row.reason);
            assert_eq!(TABLE.iter().skip(index).filter(same).count(), 1, "{}", row.check);
        }
    }

    #[test]
    fn no_row_rejects_for_good_and_each_quality_row_asks_the_customer() {
        for row in TABLE {
            let found = found(row.of, row.check, &[]);
            assert_ne!(found.route(), Route::Rejected { terminal: true }, "{}", row.check);
            let is_quality = found.code.class() == Class::Quality;
            assert!(!is_quality || found.route() == Route::AwaitingCustomer, "{}", row.check);
        }
    }

    #[test]
    fn a_reason_without_a_row_of_its_own_is_as_none() {
        for (reasons, code) in [
            (&["sample_document"][..], Code::Template),
            (&["no_such_reason", "sample_document"], Code::Template),
            (&["no_such_reason"], Code::Tampered),
            (&[], Code::Tampered),
        ] {
            assert_eq!(found(ID, "id_fabrication_detection", reasons).code, code, "{reasons:?}");
        }
    }

    #[test]
    fn a_check_that_nobody_knows_is_an_unknown_result_with_its_name() {
        for (of, check) in
            [(ID, "id_aura_detection"), (SELFIE, "id_blur_detection"), ("tea-leaves", "id_blur_detection")]
        {
            let found = found(of, check, &[]);
            assert_eq!(found.code, Code::UnknownResult, "{of} {check}");
            assert_eq!(found.provider_code.unwrap().as_str(), check);
        }
        assert_eq!(
            found(ID, "Ada Lovelace's check", &[]).provider_code.unwrap().as_str(),
            "AdaLovelacescheck"
        );
    }
}
