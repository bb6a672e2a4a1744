//! What a customer is made of, how one changes, and what its zone says against it.

use jiff::Timestamp;

use super::*;
use crate::domain::discrepancy::Code;
use crate::domain::mrz::discrepancies;

fn now() -> Timestamp {
    "2026-03-15T12:00:00Z".parse().unwrap()
}

fn form() -> CustomerForm {
    let address = AddressForm {
        line1: Some("12 St James's Square".into()),
        city: Some("London".into()),
        postal_code: Some("SW1Y 4JH".into()),
        country: Some("GB".into()),
        ..AddressForm::default()
    };
    let document = DocumentForm {
        document_type: Some("passport".into()),
        number: Some("925076473".into()),
        issuing_country: Some("GB".into()),
        expires_on: Some("2031-05-01".into()),
        ..DocumentForm::default()
    };
    CustomerForm {
        name: Some("Ada Lovelace".into()),
        email: Some("ada@example.com".into()),
        phone_number: Some("+442079460958".into()),
        date_of_birth: Some("1990-12-10".into()),
        address: Some(address),
        identity_document: Some(document),
        ..CustomerForm::default()
    }
}

fn full_form() -> CustomerForm {
    let mut form = form();
    form.nationalities = Some(vec!["GB".into(), "FR".into()]);
    form.place_of_birth = Some("London".into());
    form.gender = Some("female".into());
    let tax_id = TaxIdForm { country: Some("GB".into()), number: Some("QQ123456C".into()) };
    form.tax_ids = Some(vec![tax_id]);
    let consent = ConsentForm {
        purpose: Some("data_processing".into()),
        given_at: Some("2026-01-31T09:30:00.5+02:00".into()),
        text_version: Some("2026-01".into()),
    };
    form.consents = Some(vec![consent]);
    form
}

fn parse(form: CustomerForm) -> Customer {
    Customer::parse(form, now()).unwrap()
}

fn faults(form: CustomerForm) -> String {
    Customer::parse(form, now()).unwrap_err().to_string()
}

fn changed(change: impl FnOnce(&mut CustomerUpdate)) -> Result<Customer, String> {
    changed_from(&parse(full_form()), change)
}

fn changed_from(current: &Customer, change: impl FnOnce(&mut CustomerUpdate)) -> Result<Customer, String> {
    let mut update = CustomerUpdate::default();
    change(&mut update);
    CustomerUpdate::apply(update, current, now()).map_err(|faults| faults.to_string())
}

#[test]
fn all_faults_are_told_at_once() {
    assert_eq!(
        faults(CustomerForm::default()),
        "/name: field.required; /email: field.required; /phone_number: field.required; \
         /date_of_birth: field.required; /address: field.required; /identity_document: field.required"
    );
    let mut bad = full_form();
    bad.name = Some(" ".into());
    bad.email = Some("•@example.com".into());
    bad.date_of_birth = Some("2026-03-16".into());
    bad.address.as_mut().unwrap().city = None;
    bad.identity_document.as_mut().unwrap().number = Some("?".into());
    bad.nationalities = Some(vec!["GB".into(), "XK".into()]);
    bad.gender = Some("f".into());
    bad.tax_ids.as_mut().unwrap()[0].number = None;
    bad.consents.as_mut().unwrap()[0].purpose = Some("A".into());
    assert_eq!(
        faults(bad),
        "/name: name.blank; /email: field.masked; /date_of_birth: date_of_birth.future; \
         /address/city: field.required; /identity_document/number: document_number.invalid; \
         /nationalities/1: country.unknown; /gender: gender.unknown; /tax_ids/0/number: field.required; \
         /consents/0/purpose: consent.purpose"
    );
}

#[test]
fn lists_have_an_end() {
    let mut bad = full_form();
    let tax_id = bad.tax_ids.as_ref().unwrap()[0].clone();
    let consent = bad.consents.as_ref().unwrap()[0].clone();
    bad.tax_ids = Some(vec![tax_id; 11]);
    bad.consents = Some(vec![consent; 51]);
    assert_eq!(faults(bad), "/tax_ids: tax_ids.too_many; /consents: consents.too_many");
}

#[test]
fn no_document_is_older_than_its_holder() {
    let mut bad = form();
    let document = bad.identity_document.as_mut().unwrap();
    document.issued_on = Some("1990-12-09".into());
    assert_eq!(faults(bad), "/identity_document/issued_on: identity_document.issued_before_birth");
    let mut bad = form();
    bad.identity_document.as_mut().unwrap().expires_on = Some("1990-12-09".into());
    assert_eq!(faults(bad), "/identity_document/expires_on: identity_document.expires_before_birth");
}

#[test]
fn debug_shows_nothing_of_a_person() {
    let form = full_form();
    let update = CustomerUpdate { name: Patch::Set("Ada Lovelace".into()), ..CustomerUpdate::default() };
    let shown = format!("{form:?} {update:?}");
    for canary in ["Ada", "example.com", "+44", "1990", "James", "925076473"] {
        assert!(!shown.contains(canary), "{canary} in {shown}");
    }
    assert!(shown.contains("Secret(redacted)"));
    assert_eq!(format!("{:?}", parse(form)), "Customer(redacted)");
}

#[test]
fn fields_that_hold_something_and_fields_that_differ_are_named() {
    let (small, full) = (parse(form()), parse(full_form()));
    assert_eq!(small.present_fields().len(), 6);
    assert_eq!(full.present_fields().len(), 11);
    assert_eq!(small.changed_fields(&small.clone()), []);
    let optional = [Field::Nationalities, Field::PlaceOfBirth, Field::Gender, Field::TaxIds, Field::Consents];
    assert_eq!(small.changed_fields(&full), optional);
}

#[test]
fn an_empty_change_changes_nothing() {
    assert_eq!(changed(|_| {}).unwrap(), parse(full_form()));
}

#[test]
fn null_clears_what_is_optional_and_nothing_else() {
    let cleared = changed(|update| {
        update.nationalities = Patch::Clear;
        update.place_of_birth = Patch::Clear;
        update.gender = Patch::Clear;
        update.tax_ids = Patch::Clear;
        update.consents = Patch::Clear;
    });
    assert_eq!(cleared.unwrap(), parse(form()));
    let refused = changed(|update| {
        update.name = Patch::Clear;
        update.email = Patch::Clear;
        update.phone_number = Patch::Clear;
        update.date_of_birth = Patch::Clear;
        update.address = Patch::Clear;
        update.identity_document = Patch::Clear;
    });
    assert_eq!(refused.unwrap_err(), faults(CustomerForm::default()));
}

#[test]
fn what_is_set_replaces_the_whole_field() {
    let customer = changed(|update| {
        let address = AddressForm {
            line1: Some("1 Rue X".into()),
            city: Some("Paris".into()),
            country: Some("FR".into()),
            ..AddressForm::default()
        };
        update.address = Patch::Set(address);
        update.email = Patch::Set("ada@example.org".into());
    })
    .unwrap();
    assert_eq!(customer.address().postal_code(), None);
    assert_eq!(customer.changed_fields(&parse(full_form())), [Field::Email, Field::Address]);
}

#[test]
fn faults_of_a_change_are_told_at_once() {
    let refused = changed(|update| {
        update.name = Patch::Set("•••".into());
        update.address = Patch::Set(AddressForm::default());
        update.nationalities = Patch::Set(vec!["xx".into()]);
        update.place_of_birth = Patch::Set(" ".into());
    });
    assert_eq!(
        refused.unwrap_err(),
        "/name: field.masked; /address/line1: field.required; /address/city: field.required; \
         /address/country: field.required; /nationalities/0: country.unknown; /place_of_birth: place_of_birth.blank"
    );
}

#[test]
fn what_is_new_is_held_against_what_stays() {
    let refused = changed(|update| update.date_of_birth = Patch::Set("2025-01-01".into()));
    assert!(refused.is_ok());
    let mut issued = full_form();
    issued.identity_document.as_mut().unwrap().issued_on = Some("2021-05-01".into());
    let current = parse(issued);
    let birth = |update: &mut CustomerUpdate| update.date_of_birth = Patch::Set("2025-01-01".into());
    let refused = changed_from(&current, birth);
    assert_eq!(refused.unwrap_err(), "/date_of_birth: identity_document.issued_before_birth");
    // A birth that can't be read leaves nothing to hold the new document against.
    let refused = changed_from(&current, |update| {
        update.date_of_birth = Patch::Set("x".into());
        let mut document = form().identity_document.clone().unwrap();
        document.issued_on = Some("1980-01-01".into());
        update.identity_document = Patch::Set(document);
    });
    assert_eq!(refused.unwrap_err(), "/date_of_birth: date.invalid");
}

#[test]
fn what_stays_is_not_judged_again() {
    // Stored under other rules: a number of no plan, a country that is gone, a person of 200 years.
    let bytes = parse(full_form()).encode();
    let text = String::from_utf8(bytes.expose().clone()).unwrap();
    let text = text.replace("+442079460958", "+999000").replace(r#"["GB","GBR"]"#, r#"["AN","ANT"]"#);
    let old = Customer::decode(text.replace("1990-12-10", "1826-12-10").as_bytes()).unwrap();
    assert_eq!(old.phone_number().expose(), "+999000");
    assert_eq!((old.address().country().as_str(), old.address().country().alpha3()), ("AN", "ANT"));
    let next = changed_from(&old, |update| update.name = Patch::Set("Ada King".into())).unwrap();
    assert_eq!(next.changed_fields(&old), [Field::Name]);
    assert_eq!(Customer::decode(next.encode().expose()).unwrap(), next);
}

#[test]
fn a_stored_customer_comes_back_as_it_was() {
    for form in [form(), full_form()] {
        let customer = parse(form);
        let bytes = customer.encode();
        assert_eq!(bytes.expose().capacity(), bytes.expose().len());
        assert_eq!(Customer::decode(bytes.expose()).unwrap(), customer);
    }
}

#[test]
fn other_bytes_are_no_customer() {
    let text = String::from_utf8(parse(form()).encode().expose().clone()).unwrap();
    let later = text.replace(r#""format":1"#, r#""format":2"#);
    assert_eq!(Customer::decode(later.as_bytes()), Err(Unreadable::UnknownFormat));
    for damaged in [
        "",
        "{}",
        "[1]",
        r#"{"format":1}"#,
        &text[..text.len() - 1],
        &text.replace("1990-12-10", "1990-13-10"),
        &text.replace(r#""GB""#, r#""gb""#),
        &text.replace("passport", "library_card"),
        &text.replace("2031-05-01", "soon"),
    ] {
        assert_eq!(Customer::decode(damaged.as_bytes()), Err(Unreadable::Malformed), "{damaged}");
    }
}

#[test]
fn a_search_meets_what_was_registered() {
    let keys = parse(form()).search_keys();
    let searched = FingerprintKind::ALL
        .iter()
        .filter(|kind| !matches!(kind, FingerprintKind::File | FingerprintKind::CustomerId));
    assert!(keys.iter().map(|(kind, _)| *kind).eq(searched.copied()));
    let is_found = |search| {
        let (kind, values) = SearchKey::parse(search).unwrap();
        values.into_iter().any(|value| keys.contains(&(kind, value)))
    };
    let search = SearchForm {
        name: Some("ada  LOVELACE".into()),
        date_of_birth: Some("1990-12-10".into()),
        ..SearchForm::default()
    };
    assert!(is_found(search));
    let search = SearchForm { email: Some("ADA@example.com".into()), ..SearchForm::default() };
    assert!(is_found(search));
}

/// The specimen of ICAO Doc 9303-4, with the codes of Germany in place of Utopia's.
fn with_zone(change: impl FnOnce(&mut CustomerForm)) -> Vec<(&'static str, &'static str)> {
    let mut form = full_form();
    form.name = Some("Anna Maria Eriksson".into());
    form.date_of_birth = Some("1974-08-12".into());
    form.gender = Some("female".into());
    form.nationalities = Some(vec!["FR".into(), "DE".into()]);
    let document = form.identity_document.as_mut().unwrap();
    document.number = Some("l898902-c3".into());
    document.issuing_country = Some("DE".into());
    document.expires_on = Some("2012-04-15".into());
    document.mrz = Some(vec![
        "P<D<<ERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<".into(),
        "L898902C36D<<7408122F1204159ZE184226B<<<<<10".into(),
    ]);
    change(&mut form);
    let found = discrepancies(&parse(form));
    found.iter().map(|d| (d.code.as_str(), d.field.map_or("", Field::as_str))).collect()
}

#[test]
fn a_zone_that_says_the_same_is_no_discrepancy() {
    assert_eq!(with_zone(|_| {}), []);
    assert_eq!(with_zone(|form| form.identity_document.as_mut().unwrap().mrz = None), []);
    let undeclared = with_zone(|form| {
        form.nationalities = None;
        form.gender = None;
        form.identity_document.as_mut().unwrap().expires_on = None;
    });
    assert_eq!(undeclared, []);
}

#[test]
fn each_difference_from_the_zone_is_named() {
    type Change = fn(&mut CustomerForm);
    let cases: [(Change, (&str, &str)); 8] = [
        (|form| form.name = Some("Anna Eriksson".into()), ("mismatch.name", "name")),
        (|form| form.date_of_birth = Some("1974-08-13".into()), ("mismatch.date_of_birth", "date_of_birth")),
        (|form| form.nationalities = Some(vec!["FR".into()]), ("mismatch.nationality", "nationalities")),
        (|form| form.gender = Some("male".into()), ("mismatch.gender", "gender")),
        (
            |form| form.identity_document.as_mut().unwrap().number = Some("L898902C4".into()),
            ("mismatch.document_number", "identity_document.number"),
        ),
        (
            |form| form.identity_document.as_mut().unwrap().issuing_country = Some("FR".into()),
            ("mismatch.issuing_country", "identity_document.issuing_country"),
        ),
        (
            |form| form.identity_document.as_mut().unwrap().expires_on = Some("2012-04-16".into()),
            ("mismatch.mrz", "identity_document.expires_on"),
        ),
        (
            |form| form.identity_document.as_mut().unwrap().document_type = Some("driving_licence".into()),
            ("mismatch.mrz", "identity_document.type"),
        ),
    ];
    for (change, expected) in cases {
        assert_eq!(with_zone(change), [expected]);
    }
}

#[test]
fn a_check_digit_that_fails_is_a_discrepancy_and_no_fault() {
    let found = with_zone(|form| {
        let lines = form.identity_document.as_mut().unwrap().mrz.as_mut().unwrap();
        lines[1] = lines[1].expose().replace("ZE184226B", "ZE184226C").into();
    });
    assert_eq!(found, [(Code::MismatchMrz.as_str(), "identity_document.mrz")]);
}

#[test]
fn what_a_zone_leaves_open_differs_from_nothing() {
    let found = with_zone(|form| {
        form.identity_document.as_mut().unwrap().mrz = Some(vec![
            "P<D<<ERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<".into(),
            "L898902C36XXX74<<<<1<1204159ZE184226B<<<<<18".into(),
        ]);
    });
    assert_eq!(found, []);
}

#[test]
fn a_passport_has_the_zone_of_a_passport_or_of_a_passport_card() {
    let card = |code: &str, document_type: &str| {
        with_zone(|form| {
            let document = form.identity_document.as_mut().unwrap();
            document.document_type = Some(document_type.into());
            document.number = Some("D23145890".into());
            document.mrz = Some(vec![
                format!("{code}D<<D231458907<<<<<<<<<<<<<<<").into(),
                "7408122F1204159D<<<<<<<<<<<<<6".into(),
                "ERIKSSON<<ANNA<MARIA<<<<<<<<<<".into(),
            ]);
        })
    };
    assert_eq!(card("IP", "passport"), []);
    assert_eq!(card("I<", "passport"), [("mismatch.mrz", "identity_document.type")]);
    assert_eq!(card("I<", "national_id"), []);
    assert_eq!(card("IR", "residence_permit"), []);
}
