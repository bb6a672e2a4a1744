//! Asking the service: blocking calls over real HTTP.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use ureq::http::{Method, Request};

use super::{KEY, Reply, TestApp, document};

/// More than any answer has.
const LARGEST: u64 = 64 * 1024 * 1024;
/// Long enough that only a failure meets it.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn agent() -> ureq::Agent {
    // A proxy of the machine is none of the service's.
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .proxy(None)
        .max_redirects(0)
        .timeout_global(Some(PATIENCE));
    config.build().new_agent()
}

/// A request in the making.
#[derive(Clone)]
#[must_use]
pub struct Call<'a> {
    app: &'a TestApp,
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Call<'_> {
    /// One more header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Another Authorization, or none.
    pub fn authorization(mut self, value: Option<&str>) -> Self {
        self.headers.retain(|(name, _)| name != "Authorization");
        match value {
            Some(value) => self.header("Authorization", value),
            None => self,
        }
    }

    /// A body of JSON.
    pub fn json(self, body: &Value) -> Self {
        self.text("application/json", body.to_string())
    }

    /// A body of any kind.
    pub fn text(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        if !content_type.is_empty() {
            self = self.header("Content-Type", content_type);
        }
        self.body = Some(body.into());
        self
    }

    /// Sends it, and checks what must hold of every answer.
    ///
    /// # Panics
    /// Where there is no answer, or where it is not one that the API's document announces.
    #[expect(clippy::must_use_candidate, reason = "that it is sent is the point, the answer a convenience")]
    #[track_caller]
    pub fn send(self) -> Reply {
        let Call { app, method, path, headers, body } = self;
        let mut request =
            Request::builder().method(method.clone()).uri(format!("http://{}{path}", app.address));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let sent = match body {
            Some(body) => app.agent.run(request.body(body).unwrap()),
            None => app.agent.run(request.body(()).unwrap()),
        };
        let mut answer = sent.unwrap_or_else(|error| panic!("{method} has no answer: {error}"));
        let bytes = answer.body_mut().with_config().limit(LARGEST).read_to_vec().unwrap();
        let reply = Reply::new(answer.status().as_u16(), answer.headers().clone(), bytes);
        reply.check();
        let document = document::served();
        document.check(&method, &path, &reply);
        let template = document.template(&path).unwrap_or("none").to_owned();
        app.seen.lock().unwrap().insert((method.to_string(), template, reply.status));
        reply
    }
}

impl TestApp {
    /// A request of any method.
    ///
    /// # Panics
    /// Where the method is no token.
    pub fn call(&self, method: &str, path: &str) -> Call<'_> {
        let headers = vec![("Authorization".to_owned(), format!("Bearer {KEY}"))];
        Call { app: self, method: method.parse().unwrap(), path: path.to_owned(), headers, body: None }
    }

    /// Reads.
    #[track_caller]
    pub fn get(&self, path: &str) -> Reply {
        self.call("GET", path).send()
    }

    /// Posts JSON.
    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.call("POST", path).json(body).send()
    }

    /// Puts JSON.
    #[track_caller]
    pub fn put(&self, path: &str, body: &Value) -> Reply {
        self.call("PUT", path).json(body).send()
    }

    /// Every method, template of a path (or `none`) and status that was seen so far.
    ///
    /// # Panics
    /// Where another thread panicked while it noted one.
    #[must_use]
    pub fn seen(&self) -> BTreeSet<(String, String, u16)> {
        self.seen.lock().unwrap().clone()
    }

    /// Sends bytes over a connection of their own, and reads what comes back until the service closes it. For
    /// what no HTTP client sends.
    ///
    /// # Panics
    /// Where the connection does not end.
    #[must_use]
    pub fn exchange(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        answer
    }
}
