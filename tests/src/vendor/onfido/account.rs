//! What an account at the fake holds, and what becomes of it.

use std::sync::Arc;

use kyc_core::ports::Clock;
use serde_json::{Value, json};

use super::super::{Reply, Request};
use super::{Ending, error};

/// Changes a body before it is sent.
type Alter = dyn Fn(&Request, &mut Value) + Send;

/// An account.
pub(super) struct Account {
    pub(super) applicants: Vec<Value>,
    /// `documents` or `live_photos`, and the object.
    pub(super) files: Vec<(&'static str, Value)>,
    pub(super) checks: Vec<Checked>,
    pub(super) complete_after: u32,
    pub(super) alter: Option<Box<Alter>>,
    clock: Arc<dyn Clock>,
    made: u32,
}

/// A check.
pub(super) struct Checked {
    /// What was asked for, with its id.
    pub(super) body: Value,
    looks: u32,
    complete_after: u32,
    ending: Ending,
}

impl Account {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            applicants: Vec::new(),
            files: Vec::new(),
            checks: Vec::new(),
            complete_after: 1,
            alter: None,
            clock,
            made: 0,
        }
    }

    /// A new id, of a kind that can be told.
    fn id(&mut self, kind: u8) -> String {
        self.made += 1;
        format!("{kind:08x}-0000-4000-8000-{:012x}", self.made)
    }

    pub(super) fn list_applicants(&self, request: &Request) -> Reply {
        let number = |name: &str, default| request.query(name).map_or(default, |text| text.parse().unwrap());
        let (page, per_page) = (number("page", 1), number("per_page", 20));
        let newest = self.applicants.iter().rev().skip((page - 1) * per_page).take(per_page);
        Reply::json(200, &json!({"applicants": newest.collect::<Vec<_>>()}))
    }

    pub(super) fn create_applicant(&mut self, body: &Value) -> Reply {
        for field in ["first_name", "last_name"] {
            if body[field].as_str().is_none_or(str::is_empty) {
                return error(422, "validation_error", &json!({field: ["can't be blank"]}));
            }
        }
        let id = self.id(1);
        let mut applicant = body.clone();
        // What is written is not read.
        let written = applicant.as_object_mut().unwrap();
        written.remove("consents");
        applicant["created_at"] = json!(self.clock.now().to_string());
        applicant["href"] = json!(format!("/v3.6/applicants/{id}"));
        applicant["id"] = json!(id);
        applicant["sandbox"] = json!(true);
        self.applicants.push(applicant.clone());
        Reply::json(201, &applicant)
    }

    pub(super) fn delete_applicant(&mut self, id: &str) -> Reply {
        let before = self.applicants.len();
        self.applicants.retain(|applicant| applicant["id"] != id);
        if self.applicants.len() == before {
            return error(404, "resource_not_found", &json!({}));
        }
        self.files.retain(|(_, file)| file["applicant_id"] != id);
        self.checks.retain(|check| check.body["applicant_id"] != id);
        Reply::empty(204)
    }

    fn is_applicant(&self, id: &Value) -> bool {
        self.applicants.iter().any(|applicant| applicant["id"] == *id)
    }

    pub(super) fn list_files(&self, kind: &str, request: &Request) -> Reply {
        let applicant = json!(request.query("applicant_id"));
        if !self.is_applicant(&applicant) {
            return error(404, "resource_not_found", &json!({}));
        }
        let files =
            self.files.iter().filter(|(other, file)| *other == kind && file["applicant_id"] == applicant);
        Reply::json(200, &json!({kind: files.map(|(_, file)| file).collect::<Vec<_>>()}))
    }

    pub(super) fn upload(&mut self, kind: &str, request: &Request) -> Reply {
        let form = Form::read(request);
        let applicant = json!(form.field("applicant_id"));
        if !self.is_applicant(&applicant) {
            return error(422, "validation_error", &json!({"applicant_id": ["is invalid"]}));
        }
        // The specification names 2 KB; pictures of tests are small, so that only an empty one is too small.
        if form.file.is_empty() || form.file_type == "webp" {
            return error(422, "validation_error", &json!({"file": ["is not a file that is taken"]}));
        }
        let is_document = kind == "documents";
        if is_document && form.field("type").is_empty() {
            return error(422, "validation_error", &json!({"type": ["can't be blank"]}));
        }
        let id = self.id(2);
        let mut file = json!({
            "id": id,
            "created_at": self.clock.now().to_string(),
            "href": format!("/v3.6/{kind}/{id}"),
            "download_href": format!("/v3.6/{kind}/{id}/download"),
            "file_name": form.file_name,
            "file_type": form.file_type,
            "file_size": form.file.len(),
            "applicant_id": applicant,
        });
        for field in ["type", "side", "issuing_country"] {
            if is_document && !form.field(field).is_empty() {
                file[field] = json!(form.field(field));
            }
        }
        self.files.push((if is_document { "documents" } else { "live_photos" }, file.clone()));
        let mut told = file;
        if !is_document {
            // A live photo does not say whose it is.
            told.as_object_mut().unwrap().remove("applicant_id");
        }
        Reply::json(201, &told)
    }

    pub(super) fn list_checks(&self, request: &Request) -> Reply {
        let applicant = json!(request.query("applicant_id"));
        let checks = self.checks.iter().filter(|check| check.body["applicant_id"] == applicant);
        Reply::json(200, &json!({"checks": checks.map(Checked::shown).collect::<Vec<_>>()}))
    }

    pub(super) fn create_check(&mut self, body: &Value) -> Reply {
        let found = self.applicants.iter().find(|applicant| applicant["id"] == body["applicant_id"]);
        let Some(applicant) = found.cloned() else {
            return error(422, "validation_error", &json!({"applicant_id": ["is invalid"]}));
        };
        let names = body["report_names"].as_array().cloned().unwrap_or_default();
        let face = names.iter().any(|name| name == "facial_similarity_photo");
        let of_applicant = |kind: &str| {
            self.files
                .iter()
                .any(|(other, file)| *other == kind && file["applicant_id"] == body["applicant_id"])
        };
        if names.is_empty() || !of_applicant("documents") || (face && !of_applicant("live_photos")) {
            return error(422, "validation_error", &json!({"report_names": ["miss a document"]}));
        }
        let mut check = body.clone();
        let reports: Vec<String> = names.iter().map(|_| self.id(4)).collect();
        check["id"] = json!(self.id(3));
        check["report_ids"] = json!(reports);
        check["created_at"] = json!(self.clock.now().to_string());
        let ending = Ending::of(applicant["last_name"].as_str().unwrap_or_default());
        let check = Checked { body: check, looks: 0, complete_after: self.complete_after, ending };
        let shown = check.shown();
        self.checks.push(check);
        Reply::json(201, &shown)
    }

    pub(super) fn check(&mut self, id: &str) -> Reply {
        let Some(check) = self.checks.iter_mut().find(|check| check.body["id"] == id) else {
            return error(404, "resource_not_found", &json!({}));
        };
        check.looks += 1;
        Reply::json(200, &check.shown())
    }

    pub(super) fn reports(&self, request: &Request) -> Reply {
        let Some(check) =
            self.checks.iter().find(|check| check.body["id"] == json!(request.query("check_id")))
        else {
            return error(404, "resource_not_found", &json!({}));
        };
        Reply::json(200, &json!({"reports": check.reports()}))
    }
}

impl Checked {
    /// The check as it is told.
    fn shown(&self) -> Value {
        let body = &self.body;
        let id = body["id"].as_str().unwrap();
        let mut shown = json!({
            "id": id,
            "created_at": body["created_at"],
            "href": format!("/v3.6/checks/{id}"),
            "applicant_id": body["applicant_id"],
            "applicant_provides_data": false,
            "report_ids": body["report_ids"],
            "results_uri": format!("https://dashboard.onfido.com/checks/{id}"),
            "sandbox": true,
            "paused": false,
            "tags": body["tags"],
            "version": "3.6",
            "webhook_ids": [],
            "status": "in_progress",
        });
        if self.looks < self.complete_after {
            return shown;
        }
        let (status, result) = match self.ending {
            Ending::Clear | Ending::Strange | Ending::Missing => ("complete", json!("clear")),
            Ending::Suspected | Ending::Rejected | Ending::Caution => ("complete", json!("consider")),
            Ending::Withdrawn => ("withdrawn", Value::Null),
            Ending::Unheard => ("transcended", Value::Null),
            Ending::Paused => ("paused", Value::Null),
            Ending::Reopened => ("reopened", Value::Null),
            Ending::Awaiting => ("awaiting_applicant", Value::Null),
        };
        shown["status"] = json!(status);
        if !result.is_null() {
            shown["result"] = result;
        }
        shown
    }

    fn reports(&self) -> Vec<Value> {
        let (body, empty) = (&self.body, Vec::new());
        let names = body["report_names"].as_array().unwrap_or(&empty);
        let ids = body["report_ids"].as_array().unwrap_or(&empty);
        let all = names.iter().zip(ids).map(|(name, id)| {
            let mut report = if name == "document" { document() } else { face() };
            report["id"] = id.clone();
            report["href"] = json!(format!("/v3.6/reports/{}", id.as_str().unwrap()));
            report["check_id"] = body["id"].clone();
            report["created_at"] = body["created_at"].clone();
            if name == "document" {
                self.end(&mut report);
                let documents = body["document_ids"].as_array().unwrap_or(&empty).iter();
                report["documents"] = documents.map(|id| json!({"id": id})).collect();
            }
            report
        });
        let kept = if self.ending == Ending::Missing { names.len() - 1 } else { names.len() };
        all.take(kept).collect()
    }

    /// What the ending makes of a document report.
    fn end(&self, report: &mut Value) {
        let (sub_result, group, part) = match self.ending {
            Ending::Suspected => ("suspected", "visual_authenticity", "fonts"),
            Ending::Rejected => ("rejected", "image_integrity", "image_quality"),
            Ending::Caution => ("caution", "data_comparison", "last_name"),
            Ending::Strange => {
                report["result"] = json!("splendid");
                return;
            }
            Ending::Clear
            | Ending::Missing
            | Ending::Withdrawn
            | Ending::Unheard
            | Ending::Paused
            | Ending::Reopened
            | Ending::Awaiting => return,
        };
        report["result"] = json!("consider");
        report["sub_result"] = json!(sub_result);
        report["breakdown"][group]["result"] = json!("consider");
        report["breakdown"][group]["breakdown"][part]["result"] = json!("consider");
    }
}

/// A group in which everything is clear.
fn clear(parts: &[&str]) -> Value {
    let parts: serde_json::Map<String, Value> =
        parts.iter().map(|part| ((*part).to_owned(), json!({"result": "clear", "properties": {}}))).collect();
    json!({"result": "clear", "breakdown": parts})
}

/// A document report in which everything is clear.
fn document() -> Value {
    json!({
        "name": "document", "status": "complete", "result": "clear", "sub_result": "clear", "properties": {},
        "breakdown": {
            "data_comparison": clear(&["first_name", "last_name", "date_of_birth", "document_numbers"]),
            "data_validation": clear(&["mrz", "document_expiration", "document_numbers"]),
            "data_consistency": clear(&["first_name", "last_name", "date_of_birth"]),
            "image_integrity": clear(&["image_quality", "colour_picture", "supported_document"]),
            "visual_authenticity": clear(&["fonts", "template", "digital_tampering", "other"]),
            "compromised_document": clear(&["document_database", "repeat_attempts"]),
            "age_validation": clear(&["minimum_accepted_age"]),
            "police_record": {"result": "clear"},
        },
    })
}

/// A report on a face in which everything is clear.
fn face() -> Value {
    json!({
        "name": "facial_similarity_photo", "status": "complete", "result": "clear", "properties": {},
        "breakdown": {
            "face_comparison": clear(&["face_match"]),
            "image_integrity": clear(&["face_detected", "source_integrity"]),
            "visual_authenticity": clear(&["spoofing_detection"]),
        },
    })
}

/// A form with a file, as it came.
struct Form {
    fields: Vec<(String, String)>,
    file_name: String,
    file_type: String,
    file: Vec<u8>,
}

impl Form {
    fn read(request: &Request) -> Self {
        let mut form =
            Self { fields: Vec::new(), file_name: String::new(), file_type: String::new(), file: Vec::new() };
        let boundary = request.header("content-type").split("boundary=").nth(1).unwrap_or_default();
        let mark = [b"--", boundary.trim_matches('"').as_bytes()].concat();
        for part in split(&request.body, &mark) {
            let Some(end) = part.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&part[..end]).into_owned();
            let content = part[end + 4..].strip_suffix(b"\r\n").unwrap_or_default();
            let word = |name: &str| {
                let found = head.split(&format!("{name}=\"")).nth(1).and_then(|rest| rest.split('"').next());
                found.unwrap_or_default().to_owned()
            };
            if head.contains("filename=") {
                form.file_name = word("filename");
                form.file_name.rsplit('.').next().unwrap_or_default().clone_into(&mut form.file_type);
                form.file = content.to_vec();
            } else {
                form.fields.push((word(" name"), String::from_utf8_lossy(content).into_owned()));
            }
        }
        form
    }

    fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
    }
}

/// The pieces between the marks.
fn split<'a>(bytes: &'a [u8], mark: &[u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(mark.len()).position(|window| window == mark) {
        pieces.push(&rest[..at]);
        rest = &rest[at + mark.len()..];
    }
    pieces.push(rest);
    pieces
}
