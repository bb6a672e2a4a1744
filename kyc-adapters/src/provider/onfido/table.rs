//! What each part of a report means in our taxonomy: one table.
//!
//! A row is a report, a group of its breakdown, a part of the group and a reason of the part; an empty word stands for
//! "whatever it is". The row with the most words that fit counts. What no row fits is not known, and verifies nobody.
//!
//! The parts are those of the vendor's specification v3.6, and what they mean is taken from its descriptions there. No
//! finding is [`Severity::Critical`]: Onfido's own word for a forgery is "suspected", so that a person decides.

use kyc_core::domain::discrepancy::{Code, Severity};
use kyc_core::domain::field::Field;

/// A row of the table.
pub(super) struct Row {
    report: &'static str,
    group: &'static str,
    part: &'static str,
    reason: &'static str,
    /// Our code for it.
    pub(super) code: Code,
    /// The field that it concerns.
    pub(super) field: Option<Field>,
    /// How grave it is.
    pub(super) severity: Severity,
}

macro_rules! rows {
    ($( $report:literal { $( $group:ident $( . $part:ident $( . $reason:ident )? )? => $code:ident $( ($field:ident) )?; )+ } )+) => {
        &[ $( $( Row {
            report: $report,
            group: stringify!($group),
            part: rows!(@word $($part)?),
            reason: rows!(@word $($($reason)?)?),
            code: Code::$code,
            field: rows!(@field $code $($field)?),
            severity: Code::$code.severity(),
        }, )+ )+ ]
    };
    (@word) => { "" };
    (@word $word:ident) => { stringify!($word) };
    (@field $code:ident) => { Code::$code.field() };
    (@field $code:ident $field:ident) => { Some(Field::$field) };
}

/// Every row.
pub(super) const TABLE: &[Row] = rows! {
    "document" {
        // The data that we declared, against what stands on the document.
        data_comparison => BetweenSources (IdentityDocument);
        data_comparison.first_name => MismatchName;
        data_comparison.last_name => MismatchName;
        data_comparison.date_of_birth => MismatchDateOfBirth;
        data_comparison.document_numbers => MismatchDocumentNumber;
        data_comparison.document_type => BetweenSources (DocumentType);
        data_comparison.date_of_expiry => BetweenSources (DocumentExpiresOn);
        data_comparison.issuing_country => MismatchIssuingCountry;
        data_comparison.gender => MismatchGender;
        // Check digits, formats and dates of the document by itself.
        data_validation => Tampered;
        data_validation.gender => Tampered (Gender);
        data_validation.date_of_birth => Tampered (DateOfBirth);
        data_validation.document_numbers => MismatchNumberFormat;
        data_validation.document_expiration => PolicyDocumentExpired;
        data_validation.expiry_date => Tampered (DocumentExpiresOn);
        data_validation.mrz => MismatchMrz;
        data_validation.barcode => Tampered;
        // The picture.
        image_integrity => ImageUnreadable;
        image_integrity.image_quality => ImageUnreadable;
        image_integrity.image_quality.dark_photo => ImageUnreadable;
        image_integrity.image_quality.glare_on_photo => ImageUnreadable;
        image_integrity.image_quality.blurred_photo => ImageUnreadable;
        image_integrity.image_quality.covered_photo => ImageUnreadable;
        image_integrity.image_quality.other_photo_issue => ImageUnreadable;
        image_integrity.image_quality.damaged_document => DocumentDamaged;
        image_integrity.image_quality.incorrect_side => SideMissing;
        image_integrity.image_quality.cut_off_document => DocumentIncomplete;
        image_integrity.image_quality.no_document_in_image => NotADocument;
        image_integrity.image_quality.two_documents_uploaded => ImageUnreadable;
        image_integrity.supported_document => PolicyDocumentType;
        image_integrity.colour_picture => NotColour;
        image_integrity.conclusive_document_quality => ImageUnreadable;
        image_integrity.conclusive_document_quality.obscured_data_points => ImageUnreadable;
        image_integrity.conclusive_document_quality.obscured_security_features => ImageUnreadable;
        image_integrity.conclusive_document_quality.abnormal_document_features => CopyOrScreen;
        image_integrity.conclusive_document_quality.watermarks_digital_text_overlay => CopyOrScreen;
        image_integrity.conclusive_document_quality.corner_removed => DocumentDamaged;
        image_integrity.conclusive_document_quality.punctured_document => DocumentDamaged;
        image_integrity.conclusive_document_quality.missing_back => SideMissing;
        image_integrity.conclusive_document_quality.digital_document => CopyOrScreen;
        // What a forger has to imitate.
        visual_authenticity => Tampered;
        visual_authenticity.fonts => Tampered;
        visual_authenticity.picture_face_integrity => Tampered;
        visual_authenticity.template => Template;
        visual_authenticity.security_features => Tampered;
        visual_authenticity.original_document_present => CopyOrScreen;
        visual_authenticity.original_document_present.photo_of_screen => CopyOrScreen;
        visual_authenticity.original_document_present.screenshot => CopyOrScreen;
        visual_authenticity.original_document_present.document_on_printed_paper => CopyOrScreen;
        visual_authenticity.original_document_present.scan => CopyOrScreen;
        visual_authenticity.digital_tampering => Tampered;
        visual_authenticity.other => Tampered;
        visual_authenticity.face_detection => FaceNotVisible (IdentityDocument);
        // The same data in two places of the document.
        data_consistency => Tampered;
        data_consistency.date_of_expiry => Tampered (DocumentExpiresOn);
        data_consistency.document_numbers => Tampered (DocumentNumber);
        data_consistency.issuing_country => Tampered (DocumentIssuingCountry);
        data_consistency.document_type => Tampered (DocumentType);
        data_consistency.date_of_birth => Tampered (DateOfBirth);
        data_consistency.gender => Tampered (Gender);
        data_consistency.first_name => Tampered (Name);
        data_consistency.last_name => Tampered (Name);
        data_consistency.nationality => Tampered (Nationalities);
        data_consistency.multiple_data_sources_present => NotAllChecksCompleted (IdentityDocument);
        // Lost, stolen, published, or used by somebody else.
        police_record => Compromised;
        compromised_document => Compromised;
        compromised_document.document_database => Compromised;
        compromised_document.repeat_attempts => Behaviour (IdentityDocument);
        age_validation => PolicyAge;
        age_validation.minimum_accepted_age => PolicyAge;
        // The chip.
        issuing_authority => Tampered;
        issuing_authority.nfc_active_authentication => Tampered;
        issuing_authority.nfc_passive_authentication => Tampered;
    }
    "facial_similarity_photo" {
        face_comparison => MismatchFace;
        face_comparison.face_match => MismatchFace;
        image_integrity => FaceNotVisible;
        image_integrity.face_detected => FaceNotVisible;
        image_integrity.source_integrity => Liveness;
        image_integrity.source_integrity.digital_tampering => Liveness;
        image_integrity.source_integrity.fake_webcam => Liveness;
        image_integrity.source_integrity.time_of_capture => Liveness;
        image_integrity.source_integrity.emulator => Behaviour;
        visual_authenticity => Liveness;
        visual_authenticity.spoofing_detection => Liveness;
    }
};

/// The groups whose parts the specification does not name: each part means what the group means.
const OPEN_GROUPS: [(&str, &str); 1] = [("document", "police_record")];

/// The row for what was flagged: a group (no part), a part (no reason), or a reason of a part. None where the table
/// does not know it.
pub(super) fn row(report: &str, group: &str, part: &str, reason: &str) -> Option<&'static Row> {
    let part = if OPEN_GROUPS.contains(&(report, group)) { "" } else { part };
    let known = |row: &&Row| row.report == report && row.group == group && row.part == part;
    TABLE.iter().filter(known).find(|row| row.reason == reason)
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// A row as text, such as `document:data_validation.mrz`.
    pub(in super::super) fn name(row: &Row) -> String {
        let parts = [row.group, row.part, row.reason];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        format!("{}:{}", row.report, parts.join("."))
    }

    /// The report, the group, the part and the reason of a row.
    pub(in super::super) const fn words(row: &Row) -> [&'static str; 4] {
        [row.report, row.group, row.part, row.reason]
    }

    #[test]
    fn each_row_stands_once_and_under_its_group() {
        let names: BTreeSet<String> = TABLE.iter().map(name).collect();
        assert_eq!(names.len(), TABLE.len());
        for row in TABLE {
            let above = super::row(row.report, row.group, "", "");
            assert!(above.is_some(), "{} has no row for its group", name(row));
            let part = super::row(row.report, row.group, row.part, "");
            assert!(part.is_some(), "{} has no row for its part", name(row));
        }
    }

    #[test]
    fn nothing_of_it_is_certain() {
        assert!(TABLE.iter().all(|row| row.severity != Severity::Critical));
    }

    #[test]
    fn every_part_of_the_vendors_specification_has_a_row() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/specs/onfido-v3.6-mock.json");
        let Ok(text) = std::fs::read_to_string(path) else {
            println!("skipped: ../shared with the vendor's specification is not here");
            return;
        };
        let spec: serde_json::Value = serde_json::from_str(&text).unwrap();
        let schemas = &spec["components"]["schemas"];
        let resolved = |value: &serde_json::Value| match value["$ref"].as_str() {
            Some(path) => schemas[path.rsplit('/').next().unwrap()].clone(),
            None => value.clone(),
        };
        let keys = |value: &serde_json::Value| -> Vec<(String, serde_json::Value)> {
            let all = value["properties"].as_object().cloned().unwrap_or_default();
            all.into_iter().map(|(name, value)| (name, resolved(&value))).collect()
        };
        let mut seen = 0;
        for report in ["document", "facial_similarity_photo"] {
            for (group, schema) in keys(&schemas[format!("{report}_breakdown")]) {
                assert!(row(report, &group, "", "").is_some(), "{report}:{group}");
                for (part, _) in keys(&resolved(&schema["properties"]["breakdown"])) {
                    assert!(row(report, &group, &part, "").is_some(), "{report}:{group}.{part}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 40, "the specification was read");
    }
}
