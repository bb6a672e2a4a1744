//! Bad input of every kind: each has its status and its problem with every fault at once, nothing of it is
//! repeated, and nothing is stored (I8).

mod fields;
mod framing;
mod json;
mod paths;
mod queries;
mod updates;

use kyc_tests::app::{Call, Reply, TestApp};
use serde_json::Value;

/// What no answer may hold: it stands, in some form, wherever bad input can.
const CANARY: &str = "Kanarienvogel";

/// Sends bad input and checks what is answered to any: the problem, the faults, and that none of it comes back.
#[track_caller]
fn refused(call: Call<'_>, status: u16, problem: &str, faults: &[&str]) -> Reply {
    let reply = call.send().expect(status);
    assert_eq!(reply.problem(), problem, "{}", reply.text);
    assert_eq!(reply.faults(), faults, "{}", reply.text);
    let said = format!("{} {:?}", reply.text, reply.headers).to_lowercase();
    assert!(!said.contains(&CANARY.to_lowercase()), "the input is repeated: {said}");
    reply
}

/// A service with one verified customer, `cus-1`, in whose store nothing may change.
struct Untouched {
    app: TestApp,
    before: (kyc_tests::app::ledger::Ledger, std::collections::BTreeMap<String, i64>),
}

impl Untouched {
    fn start() -> Self {
        let app = TestApp::start();
        app.register_and_run("cus-1", "925076473");
        let before = (app.ledger(), app.rows());
        assert!(before.1["customers"] == 1 && before.1["audit_events"] == 2);
        Self { app, before }
    }

    /// A POST of a body that is refused with these faults.
    #[track_caller]
    fn refuses(&self, path: &str, body: &Value, faults: &[&str]) {
        refused(self.app.call("POST", path).json(body), 422, "validation-failed", faults);
    }
}

impl Drop for Untouched {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!((self.app.ledger(), self.app.rows()), self.before, "nothing was stored");
        }
    }
}

/// The body with another value at a pointer, which is made where it is missing.
fn with(mut body: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap();
    match parent {
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        Value::Object(fields) => drop(fields.insert(name.to_owned(), value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            panic!("{pointer} leads nowhere")
        }
    }
    body
}
