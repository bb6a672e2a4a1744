//! Each row of the table, and everything that must not be taken for clear.

use serde_json::json;

use super::super::table::TABLE;
use super::super::table::tests::{name, words};
use super::*;

const CHECK: &str = "8546d921-1999-4a7b-9a5a-5c5b2f3c4d5e";

/// A report that is clear, with a part or two in its breakdown.
fn clear(name: &str) -> Value {
    let breakdown = if name == "document" {
        json!({
            "data_validation": {"result": "clear", "breakdown": {"mrz": {"result": "clear", "properties": {}}}},
            "police_record": {"result": "clear"},
            "issuing_authority": null,
            "age_validation": {"result": null, "breakdown": {"minimum_accepted_age": {"result": null}}},
        })
    } else {
        json!({"face_comparison": {"result": "clear", "breakdown": {
            "face_match": {"result": "clear", "properties": {"score": 0.99}}}}})
    };
    json!({"id": "r", "name": name, "check_id": CHECK, "status": "complete", "result": "clear",
        "sub_result": if name == "document" { json!("clear") } else { Value::Null }, "breakdown": breakdown})
}

fn read(result: &Value, reports: Vec<Value>, asked: &[&str]) -> Result<Answer, ProviderError> {
    let ids: Vec<String> = reports.iter().map(|_| "r".to_owned()).collect();
    let check = json!({"id": CHECK, "status": "complete", "result": result, "report_ids": ids});
    let check: Check = serde_json::from_value(check).unwrap();
    let reports: Vec<Report> =
        reports.into_iter().map(|report| serde_json::from_value(report).unwrap()).collect();
    let asked: Vec<String> = asked.iter().map(|name| (*name).to_owned()).collect();
    answer(&check, &reports, &asked, Secret::new(b"raw".to_vec()))
}

/// The outcome of a document report and of what was found, as `code at`.
fn of_document(result: &str, change: impl FnOnce(&mut Value)) -> (Outcome, Vec<String>) {
    let mut report = clear("document");
    change(&mut report);
    told(&read(&json!(result), vec![report], &["document"]).unwrap())
}

fn told(answer: &Answer) -> (Outcome, Vec<String>) {
    let text =
        |found: &Discrepancy| format!("{} {}", found.code, found.provider_code.as_ref().unwrap().as_str());
    (answer.outcome, answer.discrepancies.iter().map(text).collect())
}

#[track_caller]
fn is(told: (Outcome, Vec<String>), outcome: Outcome, found: &[&str]) {
    let (was, reasons) = told;
    assert_eq!(reasons, found);
    assert_eq!(was, outcome);
}

#[test]
fn clear_all_over_is_clear() {
    let answer = read(&json!("clear"), vec![clear("document")], &["document"]).unwrap();
    assert_eq!((answer.outcome, answer.discrepancies.len()), (Outcome::Clear, 0));
    assert_eq!(answer.raw.expose(), b"raw");
    let both = vec![clear("facial_similarity_photo"), clear("document")];
    let both = read(&json!("clear"), both, &["document", "facial_similarity_photo"]).unwrap();
    assert_eq!((both.outcome, both.discrepancies.len()), (Outcome::Clear, 0));
}

#[test]
fn each_row_of_the_table_is_read_from_a_report_as_it_stands_there() {
    for row in TABLE {
        let [report, group, part, reason] = words(row);
        let mut content = json!({"result": "consider"});
        if !part.is_empty() {
            content["breakdown"] = json!({part: {"result": "consider", "properties": {}}});
        }
        if !reason.is_empty() {
            content["breakdown"][part]["properties"] = json!({reason: "consider"});
        }
        let mut body = clear(report);
        body["result"] = json!("consider");
        body["breakdown"][group] = content;
        let answer = read(&json!("consider"), vec![body], &[report]).unwrap();
        let [found] = &answer.discrepancies[..] else { panic!("{}: {:?}", name(row), told(&answer)) };
        assert_eq!(
            (found.code, found.field, found.severity),
            (row.code, row.field, row.severity),
            "{}",
            name(row)
        );
        let expected = ProviderCode::sanitised(&name(row)).unwrap();
        assert_eq!(found.provider_code, Some(expected));
        let unusable = row.code.class() == Class::Quality;
        let outcome = if unusable { Outcome::Unusable } else { Outcome::Consider };
        assert_eq!(answer.outcome, outcome, "{}", name(row));
    }
}

#[test]
fn what_was_flagged_counts_even_where_all_above_it_says_clear() {
    is(
        of_document("clear", |report| {
            report["breakdown"]["data_validation"]["breakdown"]["mrz"]["result"] = json!("consider");
        }),
        Outcome::Consider,
        &["mismatch.mrz document:data_validation.mrz"],
    );
}

#[test]
fn the_part_that_echoes_others_counts_only_alone() {
    let group = |parts: Value| {
        of_document("consider", |report| {
            report["result"] = json!("consider");
            report["breakdown"]["visual_authenticity"] = json!({"result": "consider", "breakdown": parts});
        })
    };
    let (fonts, other) = (json!({"result": "consider"}), json!({"result": "consider"}));
    is(
        group(json!({"fonts": fonts, "other": other})),
        Outcome::Consider,
        &["authenticity.tampered document:visual_authenticity.fonts"],
    );
    is(
        group(json!({"fonts": {"result": "clear"}, "other": other})),
        Outcome::Consider,
        &["authenticity.tampered document:visual_authenticity.other"],
    );
}

#[test]
fn a_record_of_the_police_is_named_by_whatever_part_bears_it() {
    let part = "document_has_not_been_recorded_as_lost,_stolen_or_compromised";
    let (outcome, found) = of_document("consider", |report| {
        report["result"] = json!("consider");
        report["breakdown"]["police_record"] =
            json!({"result": "consider", "breakdown": {part: {"result": "consider"}}});
    });
    assert_eq!((outcome, found.len()), (Outcome::Consider, 1));
    assert!(
        found[0].starts_with("authenticity.compromised document:police_record.document_has_not"),
        "{found:?}"
    );
}

#[test]
fn the_sub_result_counts_where_the_breakdown_is_silent() {
    let sub = |sub_result: &str| {
        of_document("consider", |report| {
            report["result"] = json!("consider");
            report["sub_result"] = json!(sub_result);
        })
    };
    is(sub("suspected"), Outcome::Consider, &["authenticity.tampered document:sub_result.suspected"]);
    is(sub("rejected"), Outcome::Unusable, &["quality.image_unreadable document:sub_result.rejected"]);
    is(sub("caution"), Outcome::Consider, &["technical.unknown_result document:sub_result.caution"]);
    is(sub("clear"), Outcome::Unknown, &["technical.unknown_result document:result.consider"]);
    is(sub("shrugged"), Outcome::Unknown, &["technical.unknown_result document:sub_result"]);
    // A forgery is said to be one whatever else was flagged.
    is(
        of_document("consider", |report| {
            report["result"] = json!("consider");
            report["sub_result"] = json!("suspected");
            report["breakdown"]["data_validation"]["breakdown"]["mrz"]["result"] = json!("consider");
        }),
        Outcome::Consider,
        &["mismatch.mrz document:data_validation.mrz", "authenticity.tampered document:sub_result.suspected"],
    );
}

#[test]
fn no_word_that_is_unknown_is_clear() {
    let places: [fn(&mut Value) -> &mut Value; 6] = [
        |report| &mut report["result"],
        |report| &mut report["sub_result"],
        |report| &mut report["status"],
        |report| &mut report["breakdown"]["data_validation"]["result"],
        |report| &mut report["breakdown"]["data_validation"]["breakdown"]["mrz"]["result"],
        |report| &mut report["breakdown"]["police_record"]["result"],
    ];
    for (number, place) in places.into_iter().enumerate() {
        for word in ["CLEAR", "approved", "", "clear "] {
            let (outcome, found) = of_document("clear", |report| *place(report) = json!(word));
            assert_eq!(outcome, Outcome::Unknown, "{number} {word:?}: {found:?}");
            assert!(found[0].starts_with("technical.unknown_result "), "{found:?}");
        }
    }
    for result in [json!("approved"), json!("CLEAR"), json!(""), json!(null), json!("unidentified")] {
        let answer = read(&result, vec![clear("document")], &["document"]).unwrap();
        is(told(&answer), Outcome::Unknown, &["technical.unknown_result check:result"]);
    }
}

#[test]
fn a_name_that_is_unknown_counts_only_where_it_is_not_clear() {
    let with = |group: &'static str, part: &'static str, result: &'static str| {
        of_document("clear", |report| {
            report["breakdown"][group] = json!({"result": "clear", "breakdown": {part: {"result": result}}});
        })
    };
    is(with("aura", "colour", "clear"), Outcome::Clear, &[]);
    is(
        with("aura", "colour", "consider"),
        Outcome::Unknown,
        &["technical.unknown_result document:aura.colour"],
    );
    is(
        with("data_comparison", "aura", "consider"),
        Outcome::Unknown,
        &["technical.unknown_result document:data_comparison.aura"],
    );
    let mut other = clear("document");
    other["name"] = json!("horoscope");
    other["result"] = json!("consider");
    let answer = read(&json!("clear"), vec![clear("document"), other], &["document"]).unwrap();
    is(told(&answer), Outcome::Unknown, &["technical.unknown_result horoscope:result.consider"]);
}

#[test]
fn what_was_not_completed_is_never_clear() {
    let incomplete = |change: fn(&mut Value), found: &str| {
        is(
            of_document("clear", change),
            Outcome::Consider,
            &[&format!("technical.not_all_checks_completed {found}")],
        );
    };
    for status in [
        json!("awaiting_data"),
        json!("awaiting_approval"),
        json!("cancelled"),
        json!("withdrawn"),
        json!(null),
    ] {
        let told = of_document("clear", |report| report["status"] = status);
        is(told, Outcome::Consider, &["technical.not_all_checks_completed document:status"]);
    }
    incomplete(|report| report["result"] = json!("unidentified"), "document:result");
    incomplete(|report| report["result"] = json!(null), "document:result");
    incomplete(|report| report["breakdown"] = json!(null), "document:breakdown");
    incomplete(|report| report["breakdown"] = json!({}), "document:breakdown");
    incomplete(
        |report| report["breakdown"] = json!({"data_validation": {"result": null}}),
        "document:breakdown",
    );
    incomplete(
        |report| report["breakdown"]["data_validation"]["breakdown"]["mrz"]["result"] = json!("unidentified"),
        "document:data_validation.mrz",
    );
}

#[test]
fn a_report_that_is_missing_is_never_clear() {
    let read = |reports: Vec<Value>, asked: &[&str]| told(&read(&json!("clear"), reports, asked).unwrap());
    let missing = "technical.not_all_checks_completed check:facial_similarity_photo";
    let asked = ["document", "facial_similarity_photo"];
    is(read(vec![clear("document")], &asked), Outcome::Consider, &[missing]);
    is(read(vec![clear("document"), clear("document")], &asked), Outcome::Consider, &[missing]);
    is(
        read(vec![], &["document"]),
        Outcome::Consider,
        &["technical.not_all_checks_completed check:document"],
    );
    let none = "technical.not_all_checks_completed check:reports";
    is(read(vec![clear("document")], &[]), Outcome::Consider, &[none]);
    let check = json!({"id": CHECK, "result": "clear", "report_ids": ["a", "b"]});
    let (check, report) =
        (serde_json::from_value(check).unwrap(), serde_json::from_value(clear("document")).unwrap());
    let fewer = answer(&check, &[report], &["document".to_owned()], Secret::new(vec![1])).unwrap();
    is(told(&fewer), Outcome::Consider, &[none]);
}

#[test]
fn a_report_of_another_check_is_no_answer() {
    let mut other = clear("document");
    other["check_id"] = json!("another");
    assert_eq!(read(&json!("clear"), vec![other], &["document"]), Err(ProviderError::Malformed));
}

#[test]
fn a_check_that_is_not_clear_has_a_report_that_says_why() {
    let answer = read(&json!("consider"), vec![clear("document")], &["document"]).unwrap();
    is(told(&answer), Outcome::Unknown, &["technical.unknown_result check:result.consider"]);
}

#[test]
fn more_than_an_answer_may_hold_is_no_answer() {
    let mut report = clear("document");
    for number in 0..65 {
        report["breakdown"][format!("group_{number}")] = json!({"result": "consider"});
    }
    assert_eq!(read(&json!("consider"), vec![report], &["document"]), Err(ProviderError::Malformed));
}

#[test]
fn the_vendors_own_words_hold_no_personal_data() {
    let (_, found) = of_document("clear", |report| {
        report["breakdown"]["Ada Lovelace, born 1990/12/10"] = json!({"result": "consider"});
    });
    assert_eq!(found, ["technical.unknown_result document:other"]);
}
