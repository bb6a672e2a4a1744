//! A fake of Persona, with the state that its API of 2025-12-08 shows: inquiries, idempotency by key, one-time links
//! that a customer visits, and redaction. Its answers keep to the vendor's specification, which the suite `vendors`
//! checks.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::{Reply, Request, Server};

/// The key that the fake takes.
pub const KEY: &str = "persona_test_0123456789";
/// When everything happens at the fake.
const TIME: &str = "2026-03-15T12:00:00.000Z";

/// The fake.
pub struct Persona {
    server: Server,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    inquiries: Vec<Inquiry>,
    /// What was answered under each key, and to which path and body.
    keys: BTreeMap<String, (String, Vec<u8>, Reply)>,
    /// Accounts by reference, and those that were redacted.
    accounts: Vec<String>,
    redacted_accounts: Vec<usize>,
    /// Whether each customer passes as soon as there is a link.
    is_quick: bool,
}

/// One inquiry.
#[derive(Clone)]
struct Inquiry {
    status: String,
    account: usize,
    fields: Value,
    /// The codes of links that nobody has visited.
    codes: Vec<String>,
    verifications: Vec<Value>,
    reports: usize,
    is_redacted: bool,
}

/// What stands on a document that a customer shows.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// First names.
    pub first: &'a str,
    /// The last name.
    pub last: &'a str,
    /// The date of birth.
    pub birthdate: &'a str,
    /// The number.
    pub number: &'a str,
}

/// The document of the customer whom most tests register.
pub const ADAS: Shown<'_> =
    Shown { first: "ADA", last: "LOVELACE", birthdate: "1990-12-10", number: "925076473" };

/// A verification, such as `verification/selfie`, with its checks, each a name and a status.
#[must_use]
pub fn verification(kind: &str, status: &str, checks: &[(&str, &str)]) -> Value {
    let checks: Vec<_> = checks
        .iter()
        .map(|(name, status)| {
            json!({"name": name, "status": status, "requirement": "required", "reasons": [], "metadata": {}})
        })
        .collect();
    json!({
        "type": kind,
        "id": format!("ver_{}", kind.replace(['/', '-'], "")),
        "attributes": {"status": status, "created-at": TIME, "checks": checks},
        "relationships": {},
    })
}

/// The verification of a document that says this.
#[must_use]
pub fn government_id(status: &str, shown: Shown<'_>, checks: &[(&str, &str)]) -> Value {
    let mut verification = verification("verification/government-id", status, checks);
    let attributes = &mut verification["attributes"];
    attributes["id-class"] = json!("dl");
    attributes["name-first"] = json!(shown.first);
    attributes["name-last"] = json!(shown.last);
    attributes["birthdate"] = json!(shown.birthdate);
    attributes["identification-number"] = json!(shown.number);
    verification
}

/// What a customer leaves behind who has shown a genuine document and a face that fits.
#[must_use]
pub fn passed(shown: Shown<'_>) -> Vec<Value> {
    let id = [("id_expired_detection", "passed"), ("id_aamva_database_lookup", "not_applicable")];
    let selfie = [("selfie_liveness_detection", "passed"), ("selfie_id_comparison", "passed")];
    vec![government_id("passed", shown, &id), verification("verification/selfie", "passed", &selfie)]
}

impl Persona {
    /// Starts one that knows nobody.
    #[must_use]
    pub fn start() -> Self {
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        let server = Server::start(move |request| lock(&shared).handle(request));
        Self { server, state }
    }

    /// The wire, to look at what came and to have it fail.
    #[must_use]
    pub const fn server(&self) -> &Server {
        &self.server
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// From now on each customer passes as soon as there is a link, with [`ADAS`] document.
    pub fn be_quick(&self) {
        lock(&self.state).is_quick = true;
    }

    /// The ids of the inquiries that were made.
    #[must_use]
    pub fn inquiries(&self) -> Vec<String> {
        (0..lock(&self.state).inquiries.len()).map(inquiry_id).collect()
    }

    /// The references of the accounts that were made.
    #[must_use]
    pub fn accounts(&self) -> Vec<String> {
        lock(&self.state).accounts.clone()
    }

    /// How many accounts were redacted.
    #[must_use]
    pub fn redacted_accounts(&self) -> usize {
        lock(&self.state).redacted_accounts.len()
    }

    /// Whether an inquiry was redacted.
    #[must_use]
    pub fn is_redacted(&self, inquiry: &str) -> bool {
        lock(&self.state).inquiry(inquiry).is_some_and(|inquiry| inquiry.is_redacted)
    }

    /// The customer opens a link. It says which inquiry it leads to; none where it leads nowhere, as a link that was
    /// used does.
    #[must_use]
    pub fn visit(&self, link: &str) -> Option<String> {
        let code = link.split_once("code=")?.1;
        let mut state = lock(&self.state);
        let index = state.inquiries.iter().position(|inquiry| inquiry.codes.iter().any(|one| one == code))?;
        let inquiry = &mut state.inquiries[index];
        inquiry.codes.retain(|one| one != code);
        if inquiry.status == "created" {
            "pending".clone_into(&mut inquiry.status);
        }
        Some(inquiry_id(index))
    }

    /// An inquiry comes to this.
    ///
    /// # Panics
    /// Where there is no such inquiry.
    pub fn set(&self, inquiry: &str, status: &str, verifications: Vec<Value>) {
        let mut state = lock(&self.state);
        let inquiry = state.inquiry(inquiry).unwrap();
        status.clone_into(&mut inquiry.status);
        inquiry.verifications = verifications;
    }

    /// An inquiry has so many reports.
    ///
    /// # Panics
    /// Where there is no such inquiry.
    pub fn set_reports(&self, inquiry: &str, reports: usize) {
        lock(&self.state).inquiry(inquiry).unwrap().reports = reports;
    }

    /// The body of a callback that tells of an inquiry.
    ///
    /// # Panics
    /// Where there is no such inquiry.
    #[must_use]
    pub fn event(&self, id: &str, name: &str, inquiry: &str) -> Vec<u8> {
        let state = lock(&self.state);
        let index = state.index(inquiry).unwrap();
        let payload = json!({"data": state.show(index)});
        let attributes = json!({"name": name, "payload": payload, "created-at": TIME});
        json!({"data": {"type": "event", "id": id, "attributes": attributes}}).to_string().into_bytes()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn inquiry_id(index: usize) -> String {
    format!("inq_{index:024}")
}

fn error(status: u16, title: &str) -> Reply {
    Reply::json(status, &json!({"errors": [{"title": title, "details": title}]}))
}

impl State {
    fn index(&self, inquiry: &str) -> Option<usize> {
        (0..self.inquiries.len()).find(|index| inquiry_id(*index) == inquiry)
    }

    fn inquiry(&mut self, inquiry: &str) -> Option<&mut Inquiry> {
        self.index(inquiry).map(|index| &mut self.inquiries[index])
    }

    fn handle(&mut self, request: &Request) -> Reply {
        if request.header("Authorization") != format!("Bearer {KEY}") {
            return error(401, "Must be authenticated to access this endpoint");
        }
        let path: Vec<_> = request.path().trim_matches('/').split('/').collect();
        match (request.method.as_str(), &*path) {
            ("POST", _) => self.once(request, &path),
            ("GET", ["inquiries", id]) => match self.index(id) {
                Some(index) => {
                    let mut body = json!({"data": self.show(index)});
                    if request.query("include") == Some("verifications") {
                        body["included"] = json!(self.inquiries[index].verifications);
                    }
                    Reply::json(200, &body)
                }
                None => error(404, "Record not found"),
            },
            ("DELETE", ["inquiries", id]) => match self.index(id) {
                Some(index) if self.inquiries[index].is_redacted => error(409, "Inquiry already redacted"),
                Some(index) => {
                    let inquiry = &mut self.inquiries[index];
                    inquiry.is_redacted = true;
                    inquiry.fields = json!({});
                    inquiry.verifications.clear();
                    Reply::json(200, &json!({"data": self.show(index)}))
                }
                None => error(404, "Record not found"),
            },
            ("DELETE", ["accounts", id]) => {
                let account = id.strip_prefix("act_").and_then(|number| number.parse().ok());
                match account.filter(|account| *account < self.accounts.len()) {
                    Some(account) if self.redacted_accounts.contains(&account) => {
                        error(409, "Account already redacted")
                    }
                    Some(account) => {
                        self.redacted_accounts.push(account);
                        Reply::json(200, &json!({"data": {"type": "account", "id": id}}))
                    }
                    None => error(404, "Record not found"),
                }
            }
            _ => error(404, "Record not found"),
        }
    }

    /// A `POST`, once under its key.
    fn once(&mut self, request: &Request, path: &[&str]) -> Reply {
        let key = request.header("Idempotency-Key").to_owned();
        if key.is_empty() {
            return error(400, "No idempotency key");
        }
        if let Some((target, body, reply)) = self.keys.get(&key) {
            if (target, body) == (&request.target, &request.body) {
                return reply.clone();
            }
            return error(409, "Another request had this key");
        }
        let reply = match path {
            ["inquiries"] => self.create(&request.json()),
            ["inquiries", id, "generate-one-time-link"] => self.link(id),
            _ => error(404, "Record not found"),
        };
        self.keys.insert(key, (request.target.clone(), request.body.clone(), reply.clone()));
        reply
    }

    fn create(&mut self, body: &Value) -> Reply {
        let attributes = &body["data"]["attributes"];
        let reference = body["meta"]["auto-create-account-reference-id"].as_str();
        let (Some("itmpl_Test"), Some(reference)) = (attributes["inquiry-template-id"].as_str(), reference)
        else {
            return error(422, "No template");
        };
        let known = self.accounts.iter().position(|known| known == reference);
        let account = known.unwrap_or(self.accounts.len());
        if known.is_none() {
            self.accounts.push(reference.to_owned());
        }
        self.inquiries.push(Inquiry {
            status: "created".to_owned(),
            account,
            fields: attributes["fields"].clone(),
            codes: Vec::new(),
            verifications: Vec::new(),
            reports: 0,
            is_redacted: false,
        });
        // What was not asked for is there all the same, and null.
        let meta = json!({"session-token": null, "one-time-link": null, "one-time-link-short": null});
        Reply::json(201, &json!({"data": self.show(self.inquiries.len() - 1), "meta": meta}))
    }

    fn link(&mut self, id: &str) -> Reply {
        let Some(index) = self.index(id) else { return error(404, "Record not found") };
        let inquiry = &mut self.inquiries[index];
        if !matches!(inquiry.status.as_str(), "created" | "pending") {
            return error(422, "Inquiry is not open");
        }
        let code = format!("us1-{index}-{}", self.keys.len());
        inquiry.codes.push(code.clone());
        if self.is_quick {
            "approved".clone_into(&mut inquiry.status);
            inquiry.verifications = passed(ADAS);
        }
        let meta = json!({
            "one-time-link": format!("https://inquiry.example.com/verify?code={code}"),
            "one-time-link-short": format!("https://short.example.com/verify?code={code}"),
        });
        Reply::json(200, &json!({"data": self.show(index), "meta": meta}))
    }

    /// An inquiry as answers bear it.
    fn show(&self, index: usize) -> Value {
        let inquiry = &self.inquiries[index];
        let ended = |is: bool| if is { json!(TIME) } else { Value::Null };
        let status = inquiry.status.as_str();
        let fields: serde_json::Map<_, _> = inquiry
            .fields
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), json!({"type": "string", "value": value})))
            .collect();
        let related: Vec<_> = inquiry
            .verifications
            .iter()
            .map(|verification| json!({"type": verification["type"], "id": verification["id"]}))
            .collect();
        let reports: Vec<_> = (0..inquiry.reports)
            .map(|n| json!({"type": "report/watchlist", "id": format!("rep_{n}")}))
            .collect();
        json!({
            "type": "inquiry",
            "id": inquiry_id(index),
            "attributes": {
                "status": status,
                "reference-id": self.accounts[inquiry.account],
                "note": null,
                "behaviors": {},
                "tags": [],
                "creator": "API",
                "reviewer-comment": null,
                "created-at": TIME,
                "updated-at": TIME,
                "started-at": ended(status != "created"),
                "expires-at": null,
                "completed-at": ended(matches!(status, "completed" | "approved" | "declined" | "needs_review")),
                "failed-at": ended(status == "failed"),
                "marked-for-review-at": ended(status == "needs_review"),
                "decisioned-at": ended(matches!(status, "approved" | "declined")),
                "expired-at": ended(status == "expired"),
                "redacted-at": ended(inquiry.is_redacted),
                "previous-step-name": null,
                "next-step-name": null,
                "fields": fields,
            },
            "relationships": {
                "account": {"data": {"type": "account", "id": format!("act_{}", inquiry.account)}},
                "verifications": {"data": related},
                "reports": {"data": reports},
            },
        })
    }
}
