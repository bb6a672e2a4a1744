//! Tests: times and discrepancies come back as they were, and what is unknown is no default.

use jiff::SignedDuration;
use kyc_core::domain::discrepancy::{Code, Severity};

use super::*;

#[test]
fn times_come_back_to_the_nanosecond() {
    for text in [
        "1970-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999999999Z",
        "2026-03-15T12:00:00.000000001Z",
        "1677-09-21T00:12:43.145224193Z",
        "2262-04-11T23:47:16.854775807Z",
    ] {
        let at: Timestamp = text.parse().unwrap();
        assert_eq!(timestamp(nanoseconds(at).unwrap()), Ok(at), "{text}");
    }
}

#[test]
fn times_that_do_not_fit_are_refused_and_compare_as_bounds() {
    let last: Timestamp = "2262-04-11T23:47:16.854775807Z".parse().unwrap();
    for (at, bound) in [
        (last + SignedDuration::from_nanos(1), i64::MAX),
        (Timestamp::MAX, i64::MAX),
        (Timestamp::MIN, i64::MIN),
    ] {
        assert_eq!(nanoseconds(at), Err(Fault::Forbidden));
        assert_eq!(nanoseconds_or_bound(at), bound);
    }
}

#[test]
fn discrepancies_come_back_in_order() {
    let provider = ProviderName::parse("other").unwrap();
    let mut found = vec![Discrepancy::of(Code::MismatchName), Discrepancy::of(Code::Liveness)];
    found.push(Discrepancy {
        code: Code::Tampered,
        field: Some(Field::DocumentNumber),
        severity: Severity::Critical,
        provider: Some(provider),
        provider_code: ProviderCode::sanitised("visual_authenticity:fonts"),
    });
    assert_eq!(discrepancies(&discrepancies_text(&found)), Ok(found));
    assert_eq!(discrepancies(&discrepancies_text(&[])), Ok(Vec::new()));
}

#[test]
fn ranges_come_back_in_order_and_what_is_none_does_not_open_a_key_to_all() {
    let ranges: Vec<_> = ["10.0.0.0/8", "2001:db8::/32", "192.0.2.7", "::/0", "::ffff:0.0.0.0/96"]
        .iter()
        .map(|text| AddressRange::parse(text).unwrap())
        .collect();
    assert_eq!(addresses(&addresses_text(&ranges)), Ok(ranges));
    assert_eq!(addresses(&addresses_text(&[])), Ok(Vec::new()));
    for text in
        [" ", "10.0.0.0/8 ", " 10.0.0.0/8", "10.0.0.0/8  ::/0", "10.0.0.0/8,::/0", "10.0.0.1/8", "all"]
    {
        assert_eq!(addresses(text), Err(Fault::Unreadable), "{text:?}");
    }
}

#[test]
fn fields_have_one_text_alone() {
    assert_eq!(fields("name email"), Ok(vec![Field::Name, Field::Email]));
    assert_eq!(fields(""), Ok(Vec::new()));
    for text in [" ", "name ", " name", "name  email", "name\temail", "name,email", "colour"] {
        assert_eq!(fields(text), Err(Fault::Unreadable), "{text:?}");
    }
}

#[test]
fn a_line_that_is_not_a_discrepancy_is_unreadable() {
    for line in [
        "mismatch.name name major ",
        "mismatch.name name major    ",
        "mismatch.nothing name major  ",
        "mismatch.name nothing major  ",
        "mismatch.name name grave  ",
        "mismatch.name name  other ",
        "mismatch.name name major Other ",
        "mismatch.name name major other a/b",
        " name major  ",
    ] {
        assert_eq!(discrepancies(line), Err(Fault::Unreadable), "{line:?}");
    }
    assert!(discrepancies("mismatch.name name major  ").is_ok());
}
