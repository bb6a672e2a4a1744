//! The steps of a verification: what is sent, what is kept, and what the contract of providers asks for.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use kyc_core::contract::provider as contract;
use kyc_core::domain::discrepancy::Code;
use kyc_core::domain::document_file::{MediaType, Side};
use kyc_core::fakes::FakeClock;
use kyc_core::ports::IdentityProvider;
use kyc_core::ports::provider::{About, Documents, Forgotten, Outcome, Step, Submission};
use kyc_tests::vendor::files::{WithFiles, documents, front, front_back_and_selfie};
use kyc_tests::vendor::onfido::Onfido;
use serde_json::{Value, json};

use super::support::{Bench, consenting, of, verification};

#[test]
fn the_contract_of_providers_holds() {
    let bench = Bench::new();
    let vendors: Mutex<Vec<Onfido>> = Mutex::default();
    let open = || {
        let clock = Arc::new(bench.clock.clone());
        let vendor = Onfido::start(clock.clone());
        let provider = WithFiles::new(vendor.provider(clock), front());
        vendors.lock().unwrap().push(vendor);
        provider
    };
    let seen = |_: &WithFiles<_>| {
        let vendors = vendors.lock().unwrap();
        let vendor = vendors.last().unwrap();
        let submissions = vendor.server().count("POST", "/v3.6/applicants");
        contract::Seen { submissions, different: vendor.holds().0 }
    };
    bench.wait(contract::all(open, seen));
}

#[test]
fn each_id_is_kept_as_soon_as_it_is_known() {
    let bench = Bench::new();
    let submission = verification(1, front_back_and_selfie());
    let mut progress = None;
    let mut held = Vec::new();
    loop {
        let before = bench.vendor.server().received().len();
        match bench.step(&submission, progress.as_ref()).unwrap() {
            Step::Save { progress: next, again_in } => {
                held.push((bench.vendor.holds(), again_in, next.reference().is_some()));
                progress = Some(next);
            }
            Step::Done(answer) => {
                assert_eq!((answer.outcome, answer.discrepancies.len()), (Outcome::Clear, 0));
                break;
            }
            Step::Ask { .. } => panic!("nobody is asked"),
        }
        let calls = bench.vendor.server().received()[before..].to_vec();
        let creations = calls.iter().filter(|call| call.method == "POST").count();
        assert!(creations <= 1, "{calls:?}");
    }
    let at_once = Some(Duration::ZERO);
    let expected = [
        ((1, 0, 0), at_once, false),
        ((1, 1, 0), at_once, false),
        ((1, 2, 0), at_once, false),
        ((1, 3, 0), at_once, false),
        ((1, 3, 1), None, true),
    ];
    assert_eq!(held, expected);
}

#[test]
fn what_is_sent_is_what_the_reports_need_and_no_more() {
    let bench = Bench::new();
    let submission = of("Ada Lovelace", front_back_and_selfie());
    bench.run(&submission);
    let [applicant] = &bench.vendor.applicants()[..] else { panic!("one applicant") };
    let sent: Vec<&String> = applicant.as_object().unwrap().keys().collect();
    let ours = ["first_name", "last_name", "dob", "id_numbers", "location"];
    assert_eq!(sent, [&ours[..], &["created_at", "href", "id", "sandbox"]].concat());
    assert_eq!((&applicant["first_name"], &applicant["last_name"]), (&json!("Ada"), &json!("Lovelace")));
    assert_eq!(applicant["dob"], "1990-12-10");
    assert_eq!(applicant["location"], json!({"country_of_residence": "GBR"}));
    let reference = submission.verification.to_string();
    let numbers = json!([
        {"type": "other", "value": reference},
        {"type": "driving_licence", "value": "LOVEL912100A99"},
    ]);
    assert_eq!(applicant["id_numbers"], numbers);

    let files = bench.vendor.files();
    let told = |file: &Value| ["type", "side", "issuing_country"].map(|field| file[field].clone());
    assert_eq!(told(&files[0]), [json!("driving_licence"), json!("front"), json!("GBR")]);
    assert_eq!(told(&files[1]), [json!("driving_licence"), json!("back"), json!("GBR")]);
    assert_eq!(told(&files[2]), [Value::Null, Value::Null, Value::Null]);
    let names: Vec<&str> = files.iter().map(|file| file["file_name"].as_str().unwrap()).collect();
    let ids = submission.documents.files().iter().map(|file| file.id.to_string());
    let expected: Vec<String> =
        ids.zip(["png", "jpg", "jpg"]).map(|(id, kind)| format!("{id}.{kind}")).collect();
    assert_eq!(names, expected);
    assert_eq!(files[0]["file_size"], "a picture of the front".len());

    let [check] = &bench.vendor.checks()[..] else { panic!("one check") };
    assert_eq!(check["report_names"], json!(["document", "facial_similarity_photo"]));
    assert_eq!(check["document_ids"], json!([files[0]["id"], files[1]["id"]]));
    assert_eq!(check["tags"], json!([reference]));

    for request in bench.vendor.server().received() {
        let text = format!("{} {}", request.target, String::from_utf8_lossy(&request.body));
        for secret in ["ada@example.com", "442079460958", "St James", "SW1Y"] {
            assert!(!text.contains(secret), "{secret} has left");
        }
        assert!(!request.target.contains("Lovelace"), "an address bears a name");
    }
}

#[test]
fn a_consent_is_passed_on_under_the_vendors_own_name() {
    let bench = Bench::new();
    let asked = [None, Some("privacy_notices_read"), Some("biometric")];
    for (n, purpose) in (1..).zip(asked) {
        let verification = verification(n, front()).verification;
        let submission = Submission { verification, ..consenting("Ada Lovelace", purpose, front()) };
        assert!(bench.step(&submission, None).is_ok());
    }
    let created: Vec<Value> =
        bench.vendor.server().received().iter().map(kyc_tests::vendor::Request::json).collect();
    let consents: Vec<&Value> =
        created.iter().filter(|body| body["first_name"] == "Ada").map(|body| &body["consents"]).collect();
    let granted = json!([{"name": "privacy_notices_read", "granted": true}]);
    assert_eq!(consents, [&Value::Null, &granted, &Value::Null]);
}

#[test]
fn the_newest_picture_of_a_side_is_sent() {
    let bench = Bench::new();
    let both = documents(&[
        (Side::Front, MediaType::Png, b"an older front"),
        (Side::ProofOfAddress, MediaType::Pdf, b"a bill"),
        (Side::Front, MediaType::Pdf, b"the newest front"),
    ]);
    let (answer, _) = bench.run(&verification(1, both));
    assert_eq!(answer.outcome, Outcome::Clear);
    let [file] = &bench.vendor.files()[..] else { panic!("one file") };
    assert_eq!((&file["file_type"], &file["file_size"]), (&json!("pdf"), &json!("the newest front".len())));
    assert_eq!(bench.vendor.checks()[0]["report_names"], json!(["document"]));
}

#[test]
fn without_a_front_nothing_is_sent_and_the_customer_is_asked_for_one() {
    let bench = Bench::new();
    for lacking in [
        Documents::none(),
        documents(&[(Side::Back, MediaType::Png, b"a back"), (Side::Selfie, MediaType::Png, b"a face")]),
    ] {
        let (answer, kept) = bench.run(&verification(1, lacking));
        assert_eq!(answer.outcome, Outcome::Unusable);
        assert_eq!(answer.discrepancies[0].code, Code::SideMissing);
        assert!(kept.is_empty());
    }
    let webp = documents(&[(Side::Front, MediaType::Webp, b"a front")]);
    let (answer, _) = bench.run(&verification(1, webp));
    assert_eq!(answer.discrepancies[0].code, Code::ImageUnreadable);
    assert!(bench.vendor.server().received().is_empty(), "nothing has left");
}

#[test]
fn a_file_that_the_vendor_does_not_take_is_for_the_customer() {
    for (side, code) in [(Side::Front, Code::ImageUnreadable), (Side::Selfie, Code::FaceNotVisible)] {
        let bench = Bench::new();
        let mut files = vec![(Side::Front, MediaType::Png, &b"a front"[..])];
        files.push((side, MediaType::Png, b""));
        let (answer, _) = bench.run(&verification(1, documents(&files)));
        assert_eq!((answer.outcome, answer.discrepancies[0].code), (Outcome::Unusable, code));
        assert_eq!(bench.vendor.holds().2, 0, "no check is paid for");
    }
}

#[test]
fn a_callback_speaks_of_the_check_that_was_kept() {
    let bench = Bench::new();
    let (_, kept) = bench.run(&verification(1, front()));
    let reference = kept.last().unwrap().reference().unwrap().clone();
    let callback = bench.vendor.callback(reference.expose(), FakeClock::START);
    let news = bench.provider.read_callback(&callback).unwrap();
    assert_eq!((news.about, news.answer), (About::Reference(reference), None));
    contract::a_callback_is_read_as_it_was_signed_or_not_at_all(&bench.provider, &callback);
}

#[test]
fn what_is_forgotten_is_gone_and_may_be_forgotten_again() {
    let bench = Bench::new();
    let submission = verification(1, front());
    let (_, kept) = bench.run(&submission);
    bench.run(&verification(2, front()));
    let forget = |progress| bench.wait(bench.provider.forget(submission.verification, progress));
    assert_eq!(forget(kept.last()), Ok(Forgotten::Done));
    assert_eq!(bench.vendor.holds(), (1, 1, 1), "the other one stays");
    assert_eq!(forget(kept.last()), Ok(Forgotten::Done));
    assert_eq!(forget(None), Ok(Forgotten::Done));
    assert_eq!(bench.vendor.holds(), (1, 1, 1), "the other one stays");
}

#[test]
fn an_applicant_of_whom_nothing_was_kept_is_found_and_forgotten() {
    let bench = Bench::new();
    let submission = verification(1, front());
    // The process dies after the first step, and the customer is erased.
    bench.step(&submission, None).unwrap();
    assert_eq!(bench.vendor.holds(), (1, 0, 0));
    assert_eq!(bench.wait(bench.provider.forget(submission.verification, None)), Ok(Forgotten::Done));
    assert_eq!(bench.vendor.holds(), (0, 0, 0));
}
