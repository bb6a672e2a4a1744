//! What holds for the values of any input: parsers never panic, what parses parses again to the same, and no
//! refusal repeats what it refuses.

use std::fmt::Debug;

use jiff::Timestamp;
use jiff::civil::{Date, date};
use kyc_core::Secret;
use kyc_core::domain::address::{AddressLine, PostalCode};
use kyc_core::domain::birth::{DateOfBirth, parse_date};
use kyc_core::domain::consent::{Gender, PlaceOfBirth, TaxNumber};
use kyc_core::domain::contact::{Email, PhoneNumber};
use kyc_core::domain::country::{Country, IcaoState};
use kyc_core::domain::customer::{
    AddressForm, ConsentForm, Customer, CustomerForm, CustomerUpdate, DocumentForm, Patch, SearchForm,
    SearchKey, TaxIdForm,
};
use kyc_core::domain::document::{DocumentNumber, DocumentType};
use kyc_core::domain::fault::Invalid;
use kyc_core::domain::mrz::{Mrz, MrzFormat, check_digit, discrepancies};
use kyc_core::domain::name::PersonName;
use kyc_core::domain::text::{normalise_document_number, normalise_for_search};
use mrz::{DateRole, MrzDate, RawDateField, Sex, Td1Fields, Td3Fields};
use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

const CANARY: &str = "Xq7Canary";
const TODAY: Date = date(2026, 3, 15);
/// Noon of that day.
const NOW: Timestamp = Timestamp::constant(1_773_576_000, 0);

/// A parser as a function from text to text.
type Parser = (&'static str, fn(&str) -> Result<String, Invalid>);

fn parsers() -> Vec<Parser> {
    vec![
        ("name", |text| PersonName::parse(text).map(|value| value.expose().to_owned())),
        ("email", |text| Email::parse(text).map(|value| value.expose().to_owned())),
        ("phone", |text| PhoneNumber::parse(text).map(|value| value.expose().to_owned())),
        ("country", |text| Country::parse(text).map(|value| value.to_string())),
        ("date", |text| parse_date(text).map(|value| value.to_string())),
        ("birth", |text| DateOfBirth::parse(text, TODAY).map(|value| value.expose().to_string())),
        ("line", |text| AddressLine::parse(text).map(|value| value.expose().to_owned())),
        ("postal code", |text| PostalCode::parse(text).map(|value| value.expose().to_owned())),
        ("place", |text| PlaceOfBirth::parse(text).map(|value| value.expose().to_owned())),
        ("tax number", |text| TaxNumber::parse(text).map(|value| value.expose().to_owned())),
        ("document number", |text| DocumentNumber::parse(text).map(|value| value.expose().to_owned())),
        ("document type", |text| DocumentType::parse(text).map(|value| value.to_string())),
        ("gender", |text| Gender::parse(text).map(|value| value.to_string())),
    ]
}

/// Every parser, over one text.
fn check_parsers(text: &str) {
    for (name, parse) in parsers() {
        match parse(text) {
            Ok(value) => {
                assert_eq!(parse(&value).as_deref(), Ok(value.as_str()), "{name} of {text:?}");
                assert!(value.nfc().eq(value.chars()), "{name} of {text:?} is not in NFC");
                assert!(!value.contains('\u{2022}'), "{name} took a mask");
            }
            Err(invalid) => assert!(!shows(&invalid, CANARY), "{name} repeats its input"),
        }
    }
}

fn shows(refusal: &(impl Debug + ToString), canary: &str) -> bool {
    format!("{refusal:?} {}", refusal.to_string()).to_lowercase().contains(&canary.to_lowercase())
}

fn debug_shows(value: &impl Debug) -> bool {
    format!("{value:?}").contains(CANARY)
}

/// Texts that come close to what the parsers expect.
fn likely() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "\\PC{0,210}",
        "[A-Za-z.+]{1,12}@[A-Za-z\u{c0}-\u{17f}.-]{1,20}",
        "\\+[0-9]{1,16}",
        "[A-Z]{2,3}",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}",
        "[A-Za-z0-9 ./<-]{0,45}",
        "[\u{1100}-\u{11ff}\u{300}-\u{36f}a-zA-Z]{0,20}",
        "[ \u{a0}\u{200b}\u{2028}\u{202e}\u{feff}\u{fdd0}•\t]{0,4}",
    ]
}

proptest! {
    #[test]
    fn any_text_parses_to_itself_or_is_refused_without_a_word_of_it(text in likely()) {
        check_parsers(&text);
        check_parsers(&format!("{text}{CANARY}"));
        check_parsers(&format!("{CANARY}•{text}"));
    }

    #[test]
    fn texts_for_search_are_stable_and_hold_for_composed_and_decomposed(text in likely()) {
        let once = normalise_for_search(&text);
        prop_assert_eq!(&normalise_for_search(&once), &once);
        prop_assert_eq!(&normalise_for_search(&text.nfd().collect::<String>()), &once);
        let number = normalise_document_number(&text);
        prop_assert_eq!(&normalise_document_number(&number), &number);
    }

    #[test]
    fn codes_of_a_zone_never_panic(code in any::<String>()) {
        let _ = (IcaoState::of(&code), check_digit(&code));
    }

    #[test]
    fn any_form_gives_a_customer_or_faults_that_show_nothing(
        texts in proptest::collection::vec(likely(), 8),
        lines in proptest::collection::vec("[A-Z0-9<]{30}|\\PC{0,50}", 0..4),
        spoiled in 0..16_usize,
    ) {
        let mut form = form();
        let canary = texts.iter().map(|text| format!("{text}{CANARY}")).collect::<Vec<_>>();
        let mut texts = canary.iter();
        let mut next = || texts.next().cloned().map(Secret::new);
        if spoiled & 1 != 0 {
            form.name = next();
            form.email = next();
        }
        if spoiled & 2 != 0 {
            form.address.as_mut().unwrap().city = next();
            form.phone_number = next();
        }
        if spoiled & 4 != 0 {
            form.identity_document.as_mut().unwrap().number = next();
            form.date_of_birth = next();
        }
        if spoiled & 8 != 0 {
            form.identity_document.as_mut().unwrap().mrz = Some(secret(lines));
            form.place_of_birth = next();
            form.nationalities = Some(next().into_iter().collect());
        }
        match Customer::parse(form, NOW) {
            Ok(customer) => {
                prop_assert!(!debug_shows(&customer));
                prop_assert_eq!(&Customer::decode(customer.encode().expose()).unwrap(), &customer);
                for found in discrepancies(&customer) {
                    prop_assert!(!debug_shows(&found));
                }
            }
            Err(faults) => prop_assert!(!shows(&faults, CANARY)),
        }
    }

    #[test]
    fn customers_survive_storage_and_are_found_again(
        name in "[\\p{L}][\\p{L}\\p{M} '-]{0,60}", number in "[A-Z0-9]{1,20}(-[A-Z]{1,9})?", day in 1..=28_u8,
    ) {
        let mut form = form();
        form.name = Some(name.clone().into());
        form.identity_document.as_mut().unwrap().number = Some(number.clone().into());
        form.date_of_birth = Some(format!("1985-02-{day:02}").into());
        let customer = Customer::parse(form, NOW).unwrap();
        prop_assert_eq!(&Customer::decode(customer.encode().expose()).unwrap(), &customer);
        let keys = customer.search_keys();
        let is_found = |search| {
            let (kind, values) = SearchKey::parse(search).unwrap();
            values.into_iter().any(|value| keys.contains(&(kind, value)))
        };
        let by_number =
            SearchForm { document_number: Some(number.to_lowercase().into()), ..SearchForm::default() };
        prop_assert!(is_found(by_number));
        let by_name = SearchForm {
            name: Some(name.nfd().collect::<String>().into()),
            date_of_birth: Some(format!("1985-02-{day:02}").into()),
            ..SearchForm::default()
        };
        prop_assert!(is_found(by_name));
    }

    #[test]
    fn any_change_gives_a_customer_or_faults_that_show_nothing(
        name in likely(), place in proptest::option::of(likely()), born in likely(),
    ) {
        let current = Customer::parse(form(), NOW).unwrap();
        let update = CustomerUpdate {
            name: Patch::Set(format!("{name}{CANARY}").into()),
            place_of_birth: place.map_or(Patch::Clear, |place| Patch::Set(format!("{place}{CANARY}").into())),
            date_of_birth: Patch::Set(born.into()),
            ..CustomerUpdate::default()
        };
        match CustomerUpdate::apply(update, &current, NOW) {
            Ok(next) => prop_assert_eq!(next.email(), current.email()),
            Err(faults) => prop_assert!(!shows(&faults, CANARY)),
        }
    }

    #[test]
    fn any_stored_bytes_are_a_customer_or_unreadable(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0..600_usize) {
        let _ = Customer::decode(&bytes);
        let mut stored = Customer::parse(form(), NOW).unwrap().encode().expose().clone();
        let place = at % stored.len();
        stored[place] ^= 0x11;
        let _ = Customer::decode(&stored);
    }

    // An emitter that is not ours writes the zone; long names are cut at a letter, as the standard asks.
    #[test]
    fn a_zone_that_is_made_of_what_was_declared_differs_in_nothing(
        surname in "[A-Z][a-z\u{e0}-\u{f6}\u{f8}-\u{fe}]{0,25}([ '-][A-Z][a-z]{1,12}){0,2}",
        given in "[A-Z\u{c0}-\u{d6}][a-z\u{e0}-\u{f6}]{0,12}( [A-Z][a-z]{1,12}){0,3}|[\u{410}-\u{429}][\u{430}-\u{449}]{1,12}",
        number in "[A-Z0-9]{1,15}", born in "19[4-9][0-9]-0[1-9]-[12][0-8]", expires in "20[2-9][0-9]-1[0-2]-0[1-9]",
        is_passport in any::<bool>(),
    ) {
        let number = if is_passport { number.chars().take(9).collect() } else { number };
        let (birth, expiry) = (zone_date(&born, DateRole::Birth), zone_date(&expires, DateRole::Expiry));
        let printed = if is_passport {
            mrz::format_td3(&Td3Fields {
                issuing_country: "D".into(),
                document_number: number.clone(),
                surname: surname.clone(),
                given_names: given.clone(),
                nationality: "D".into(),
                date_of_birth: birth,
                sex: Sex::Female,
                date_of_expiry: expiry,
                ..Td3Fields::default()
            })
        } else {
            mrz::format_td1(&Td1Fields {
                issuing_country: "D".into(),
                document_number: number.clone(),
                surname: surname.clone(),
                given_names: given.clone(),
                nationality: "D".into(),
                date_of_birth: birth,
                sex: Sex::Female,
                date_of_expiry: expiry,
                ..Td1Fields::default()
            })
        };
        let mut lines: Vec<_> = printed.lines().map(str::to_owned).collect();
        let (line, start, end) = if is_passport { (0, 5, 44) } else { (2, 0, 30) };
        let names = format!("{}<<{}", mrz::encode_name_component(&surname), mrz::encode_name_component(&given));
        let cut: String = names.chars().take(end - start).collect();
        prop_assume!(cut == names || !cut.ends_with('<'));
        lines[line].replace_range(start..end, &format!("{cut:<<width$}", width = end - start));
        let mut form = form();
        form.name = Some(format!("{given} {surname}").into());
        form.date_of_birth = Some(born.into());
        form.gender = Some("female".into());
        form.nationalities = Some(vec!["DE".into()]);
        let document = form.identity_document.as_mut().unwrap();
        document.document_type = Some(if is_passport { "passport" } else { "national_id" }.into());
        document.number = Some(number.into());
        document.issuing_country = Some("DE".into());
        document.expires_on = Some(expires.into());
        document.mrz = Some(secret(lines.clone()));
        let customer = Customer::parse(form, NOW).unwrap();
        prop_assert_eq!(discrepancies(&customer), vec![], "{:?}", lines);
    }

    #[test]
    fn any_zone_of_the_right_shape_is_read(lines in zone()) {
        let mrz = Mrz::parse(&lines).unwrap();
        prop_assert!(mrz.expose_lines().eq(lines.iter().map(String::as_str)));
        let mut form = form();
        form.identity_document.as_mut().unwrap().mrz = Some(secret(lines));
        let customer = Customer::parse(form, NOW).unwrap();
        prop_assert!(!discrepancies(&customer).is_empty());
    }
}

fn secret(lines: Vec<String>) -> Vec<Secret<String>> {
    lines.into_iter().map(Secret::new).collect()
}

/// A date of the emitter's own type.
fn zone_date(day: &str, role: DateRole) -> MrzDate {
    let yymmdd = day.replace('-', "").split_off(2);
    RawDateField::try_from(yymmdd.as_str())
        .map_or(MrzDate::Unknown, |field| MrzDate::from_field(field, role, 30))
}

fn zone() -> impl Strategy<Value = Vec<String>> {
    prop_oneof![
        proptest::collection::vec("[A-Z0-9<]{30}", 3..=3),
        ("[A-UW-Z0-9<][A-Z0-9<]{35}", "[A-Z0-9<]{36}").prop_map(|(first, second)| vec![first, second]),
        ("[A-UW-Z0-9<][A-Z0-9<]{43}", "[A-Z0-9<]{44}").prop_map(|(first, second)| vec![first, second]),
        ("IDFRA[A-Z0-9<]{31}", "[A-Z0-9<]{36}").prop_map(|(first, second)| vec![first, second]),
    ]
}

fn form() -> CustomerForm {
    let address = AddressForm {
        line1: Some("12 St James's Square".into()),
        city: Some("London".into()),
        country: Some("GB".into()),
        ..AddressForm::default()
    };
    let document = DocumentForm {
        document_type: Some("passport".into()),
        number: Some("925076473".into()),
        issuing_country: Some("GB".into()),
        ..DocumentForm::default()
    };
    let tax_id = TaxIdForm { country: Some("GB".into()), number: Some("QQ123456C".into()) };
    let consent = ConsentForm {
        purpose: Some("data_processing".into()),
        given_at: Some("2026-01-31T09:30:00Z".into()),
        text_version: Some("1".into()),
    };
    CustomerForm {
        name: Some("Ada Lovelace".into()),
        email: Some("ada@example.com".into()),
        phone_number: Some("+442079460958".into()),
        date_of_birth: Some("1985-12-10".into()),
        address: Some(address),
        identity_document: Some(document),
        tax_ids: Some(vec![tax_id]),
        consents: Some(vec![consent]),
        ..CustomerForm::default()
    }
}

#[test]
fn zones_of_the_shared_vectors_are_judged_as_their_sources_judge_them() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/vectors/mrz.json");
    let Ok(bytes) = std::fs::read(path) else {
        println!("skipped: the shared vectors are not here");
        return;
    };
    let vectors: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    for vector in vectors["check_digit_vectors"].as_array().unwrap() {
        let input = vector["input"].as_str().unwrap();
        let digit = vector["digit"].as_str().map(|digit| digit.parse().unwrap());
        assert_eq!(check_digit(input), digit, "{input}");
    }
    let mut judged = 0;
    for vector in vectors["vectors"].as_array().unwrap() {
        let lines: Vec<_> =
            vector["mrz"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
        let format = match vector["icao_type"].as_str().unwrap() {
            "TD1" => MrzFormat::Td1,
            "TD2" => MrzFormat::Td2,
            "TD3" => MrzFormat::Td3,
            "FRENCH_NATIONAL_ID" => MrzFormat::FrenchId,
            other => {
                assert!(Mrz::parse(&lines).is_err(), "{other}");
                continue;
            }
        };
        let mrz = Mrz::parse(&lines).unwrap();
        assert_eq!(mrz.format(), format);
        let expected = vector["all_check_digits_valid"].as_bool().unwrap();
        assert_eq!(mrz.check_digits_hold(), expected, "{lines:?}");
        judged += 1;
    }
    assert!(judged >= 15, "only {judged} zones were judged");
}
