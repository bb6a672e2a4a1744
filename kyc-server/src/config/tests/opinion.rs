//! Tests of where two providers have to agree.

use std::collections::BTreeSet;

use kyc_core::domain::country::Country;
use kyc_core::domain::document::DocumentType;
use kyc_core::domain::policy::SecondOpinion;

use super::*;

#[test]
fn two_have_to_agree_nowhere_or_where_it_is_said() {
    let read = |flags: &[&str]| Config::read(&given(flags, &[])).unwrap().second_opinion;
    assert_eq!(read(&["--dev"]), SecondOpinion::default());
    let named = read(&[
        "--dev",
        "--second-opinion-countries",
        "FR, GB",
        "--second-opinion-document-types",
        "national_id,residence_permit",
    ]);
    let countries = ["FR", "GB"].map(|code| Country::parse(code).unwrap());
    let document_types = BTreeSet::from([DocumentType::NationalId, DocumentType::ResidencePermit]);
    assert_eq!(named, SecondOpinion { countries: BTreeSet::from(countries), document_types });
}

#[test]
fn a_country_or_type_that_there_is_not_is_a_fault() {
    for (flag, variable, wrong) in [
        ("second-opinion-countries", "KYC_SECOND_OPINION_COUNTRIES", ["gb", "GB,", "UK", "GBR"]),
        (
            "second-opinion-document-types",
            "KYC_SECOND_OPINION_DOCUMENT_TYPES",
            ["Passport", ",", "visa", "passport,"],
        ),
    ] {
        for value in wrong {
            let faults = faults(&given(&["--dev", &format!("--{flag}={value}")], &[]));
            let [fault] = &*faults else { panic!("{faults:?}") };
            assert!(fault.starts_with(variable) && fault.contains("by commas"), "{fault}");
        }
    }
}
