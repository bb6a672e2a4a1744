//! A blocking client of a server in another process.

use std::fmt::Display;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::http::Request;
use ureq::{Agent, Error};

use super::PATIENCE;
use crate::app::files::form;

/// A client with an API key. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    agent: Agent,
    address: SocketAddr,
    key: String,
    idempotency_key: Option<String>,
}

/// An answer, read whole.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The body as JSON. A status other than this one is a failure.
    #[expect(clippy::must_use_candidate, reason = "it also asserts the status")]
    pub fn expecting(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }
}

impl Client {
    pub(super) fn new(address: SocketAddr, key: String) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(PATIENCE))
            // The server closes an idle connection after five seconds.
            .max_idle_age(Duration::from_secs(2))
            .build();
        Self { agent: config.new_agent(), address, key, idempotency_key: None }
    }

    /// The same with another API key.
    #[must_use]
    pub fn with_key(&self, key: impl Into<String>) -> Self {
        Self { key: key.into(), ..self.clone() }
    }

    /// The same client, for one request that may be sent again.
    #[must_use]
    pub fn under_key(&self, key: &str) -> Self {
        Self { idempotency_key: Some(key.to_owned()), ..self.clone() }
    }

    /// Sends a request, with a body where there is one.
    ///
    /// # Errors
    /// Where no answer comes, or not the whole of it.
    pub fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer, Error> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
            .header("Authorization", format!("Bearer {}", self.key));
        if let Some(key) = &self.idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        let answer = match body {
            None => self.agent.run(request.body(())?),
            Some(body) => {
                let request = request.header("Content-Type", "application/json");
                self.agent.run(request.body(body.to_string())?)
            }
        };
        let (head, body) = answer?.into_parts();
        Ok(Answer { status: head.status.as_u16(), body: body.into_with_config().read_to_vec()? })
    }

    /// Sends a file of a customer; the answer's status.
    ///
    /// # Panics
    /// Where no answer comes.
    #[must_use]
    pub fn upload(&self, id: &str, side: &str, bytes: &[u8]) -> u16 {
        let (media_type, body) = form(&[("side", side.as_bytes()), ("file", bytes)]);
        let request = Request::builder()
            .method("POST")
            .uri(format!("http://{}/customers/{id}/documents", self.address))
            .header("Authorization", format!("Bearer {}", self.key))
            .header("Content-Type", media_type);
        self.agent.run(request.body(body).unwrap()).unwrap().status().as_u16()
    }

    /// The answer to a GET.
    #[must_use]
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).unwrap()
    }

    /// The answer to a POST.
    #[must_use]
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, Some(body)).unwrap()
    }

    /// The answer to a PUT.
    #[must_use]
    pub fn put(&self, path: &str, body: &Value) -> Answer {
        self.send("PUT", path, Some(body)).unwrap()
    }

    /// Waits until each of these customers is decided, or waits for the customer or a reviewer.
    pub fn settle(&self, customer_ids: impl IntoIterator<Item = impl Display>) {
        for customer_id in customer_ids {
            // Of each by itself: how long all of them take says what the machine is.
            let begun = Instant::now();
            let path = format!("/customers/{customer_id}/kyc-status");
            while matches!(self.get(&path).expecting(200)["stage"].as_str(), Some("queued" | "with_provider"))
            {
                assert!(begun.elapsed() < PATIENCE, "{customer_id} neither ends nor waits for anybody");
            }
        }
    }

    /// Opens a connection for bytes that no client library would send.
    ///
    /// # Errors
    /// Where there is none.
    pub fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    /// Sends bytes over a connection of their own, and reads until the server closes it. They should ask it
    /// to.
    #[must_use]
    pub fn raw(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.connect().unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        answer
    }
}
