//! A fake of Onfido (API v3.6) with state: applicants, documents, live photos, checks and reports.
//!
//! How a check ends is chosen by the applicant's last name ([`Ending`]), as in Onfido's own sandbox. A check is in
//! progress when it is made, and has ended when it was looked at so many times.

mod account;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kyc_adapters::provider::{OnfidoConfig, OnfidoProvider, Region};
use kyc_core::Secret;
use kyc_core::domain::ids::ProviderName;
use kyc_core::ports::Clock;
use kyc_core::ports::provider::Callback;
use serde_json::{Value, json};

use self::account::Account;
use super::{Fault, Reply, Request, Server};

/// The API token of the account.
pub const TOKEN: &str = "api_sandbox.onfido-token-of-tests";
/// The token of the account's webhook.
pub const WEBHOOK_TOKEN: &str = "webhook-token-of-tests-0123456789";

/// How a check ends, by the last name of its applicant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Everything is clear: any other name.
    Clear,
    /// The fonts are wrong: `Suspected`.
    Suspected,
    /// The picture can't be read: `Rejected`.
    Rejected,
    /// The name differs from the document's: `Caution`.
    Caution,
    /// The check is withdrawn: `Withdrawn`.
    Withdrawn,
    /// The check has a status that no one has heard of: `Unheard`.
    Unheard,
    /// A report has a result that no one has heard of: `Strange`.
    Strange,
    /// The check says clear, and has fewer reports than were asked for: `Missing`.
    Missing,
    /// The check is paused for ever: `Paused`.
    Paused,
    /// The check is opened again for ever: `Reopened`.
    Reopened,
    /// The check waits for the applicant for ever: `Awaiting`.
    Awaiting,
}

impl Ending {
    fn of(last_name: &str) -> Self {
        match last_name {
            "Suspected" => Self::Suspected,
            "Rejected" => Self::Rejected,
            "Caution" => Self::Caution,
            "Withdrawn" => Self::Withdrawn,
            "Unheard" => Self::Unheard,
            "Strange" => Self::Strange,
            "Missing" => Self::Missing,
            "Paused" => Self::Paused,
            "Reopened" => Self::Reopened,
            "Awaiting" => Self::Awaiting,
            _ => Self::Clear,
        }
    }
}

/// An account at the fake.
pub struct Onfido {
    server: Server,
    account: Arc<Mutex<Account>>,
}

impl Onfido {
    /// An empty account, whose times are those of a clock.
    #[must_use]
    pub fn start(clock: Arc<dyn Clock>) -> Self {
        let account = Arc::new(Mutex::new(Account::new(clock)));
        let held = Arc::clone(&account);
        let server = Server::start(move |request| {
            let mut account = held.lock().unwrap_or_else(PoisonError::into_inner);
            answer(&mut account, request)
        });
        Self { server, account }
    }

    /// The adapter, with this account's tokens, against another address than the account's own, such as a proxy's.
    ///
    /// # Panics
    /// Where the address is none.
    #[must_use]
    pub fn provider_at(url: String, clock: Arc<dyn Clock>) -> OnfidoProvider {
        let name = ProviderName::parse("onfido").unwrap();
        let mut config = OnfidoConfig::new(name, TOKEN.into(), Region::Eu);
        config.base_url = Some(url);
        config.webhook_tokens = vec![WEBHOOK_TOKEN.into()];
        // A machine that is busy, and Prism before it, take their time.
        config.timeout = OnfidoConfig::MAX_TIMEOUT;
        OnfidoProvider::new(&config, clock).unwrap()
    }

    /// The adapter against this account.
    #[must_use]
    pub fn provider(&self, clock: Arc<dyn Clock>) -> OnfidoProvider {
        Self::provider_at(self.url(), clock)
    }

    /// The wire, to see what came and to have it fail.
    #[must_use]
    pub const fn server(&self) -> &Server {
        &self.server
    }

    /// The base address of the API.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}/v3.6", self.server.url())
    }

    /// After how many looks a check has ended from now on; one at first.
    pub fn complete_after(&self, looks: u32) {
        self.account().complete_after = looks;
    }

    /// How many applicants, files and checks there are.
    #[must_use]
    pub fn holds(&self) -> (usize, usize, usize) {
        let account = self.account();
        (account.applicants.len(), account.files.len(), account.checks.len())
    }

    /// The applicants as they were created.
    #[must_use]
    pub fn applicants(&self) -> Vec<Value> {
        self.account().applicants.clone()
    }

    /// The checks as they were asked for.
    #[must_use]
    pub fn checks(&self) -> Vec<Value> {
        self.account().checks.iter().map(|check| check.body.clone()).collect()
    }

    /// The documents and live photos.
    #[must_use]
    pub fn files(&self) -> Vec<Value> {
        self.account().files.iter().map(|(_, file)| file.clone()).collect()
    }

    /// Changes the answer of everything that is looked at, for what no name stands for.
    pub fn alter(&self, change: impl Fn(&Request, &mut Value) + Send + 'static) {
        self.account().alter = Some(Box::new(change));
    }

    /// The callback that tells of the end of a check, as it comes in.
    #[must_use]
    pub fn callback(&self, check: &str, received_at: jiff::Timestamp) -> Callback {
        let body = event(check).to_string().into_bytes();
        let headers = vec![("X-SHA2-Signature".to_owned(), sign(WEBHOOK_TOKEN, &body))];
        Callback { headers, body: Secret::new(body), received_at }
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of the callback that tells of the end of a check.
#[must_use]
pub fn event(check: &str) -> Value {
    json!({"payload": {"resource_type": "check", "action": "check.completed", "object": {
        "id": check, "status": "complete", "completed_at_iso8601": "2026-01-05T10:00:00Z",
        "href": format!("https://api.eu.onfido.com/v3.6/checks/{check}")}}})
}

/// The signature of a callback's body under a token, as Onfido documents it.
#[must_use]
pub fn sign(token: &str, body: &[u8]) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, token.as_bytes());
    data_encoding::HEXLOWER.encode(ring::hmac::sign(&key, body).as_ref())
}

/// What Onfido says where a fault of the network stands in the way of nothing.
fn answer(account: &mut Account, request: &Request) -> Reply {
    if request.header("authorization") != format!("Token token={TOKEN}") {
        return error(401, "authorization_error", &json!({}));
    }
    let path = request.path().strip_prefix("/v3.6").unwrap_or(request.path());
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let mut reply = match (request.method.as_str(), &parts[..]) {
        ("GET", ["applicants"]) => account.list_applicants(request),
        ("POST", ["applicants"]) => account.create_applicant(&request.json()),
        ("DELETE", ["applicants", id]) => account.delete_applicant(id),
        ("GET", [kind @ ("documents" | "live_photos")]) => account.list_files(kind, request),
        ("POST", [kind @ ("documents" | "live_photos")]) => account.upload(kind, request),
        ("GET", ["checks"]) => account.list_checks(request),
        ("POST", ["checks"]) => account.create_check(&request.json()),
        ("GET", ["checks", id]) => account.check(id),
        ("GET", ["reports"]) => account.reports(request),
        _ => error(404, "resource_not_found", &json!({})),
    };
    if let Some(alter) = &account.alter
        && let Ok(mut body) = serde_json::from_slice(&reply.body)
    {
        alter(request, &mut body);
        reply.body = body.to_string().into_bytes();
    }
    reply
}

fn error(status: u16, kind: &str, fields: &Value) -> Reply {
    let message = "Something is wrong with the request";
    Reply::json(status, &json!({"error": {"type": kind, "message": message, "fields": fields}}))
}

/// The faults of a network after which nobody knows whether a request has arrived.
#[must_use]
pub fn doubts() -> Vec<Fault> {
    vec![
        Fault::Close,
        Fault::Reset,
        Fault::Truncate,
        Fault::Answer(Reply::json(500, &json!({}))),
        Fault::Answer(Reply::html(502)),
    ]
}
