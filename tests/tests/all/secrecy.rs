//! No personal data on disk, in logs, or in error answers (I5): canary values, searched for in every encoding
//! that a leak might have.
//!
//! By contract two texts are the caller's own and are kept as they came: a customer id, and an `X-Request-Id`
//! of its form. Neither is personal data, so canaries of that form are not sent as such.
#![cfg(test)]

mod canaries;
mod encodings;
mod hostile;
mod planted;
mod scanner;

use std::path::PathBuf;

use kyc_server::config::ALL;
use kyc_tests::app::files::pdf;
use kyc_tests::process::{Client, Options, ServerProcess};
use serde_json::{Value, json};
use sha2::Digest;
use tempfile::TempDir;

use self::canaries::{CANARIES, DOCUMENT_NUMBER, customer};
use self::scanner::{Finding, Scanner};

/// The options of a server that logs all it can, in a folder of its own, which goes with the second value.
fn options() -> (Options, TempDir) {
    let home = tempfile::tempdir().unwrap();
    let options = Options::new(env!("CARGO_BIN_EXE_server-under-test"), home.path());
    (options.with("KYC_LOG", "trace").with("KYC_PROVIDER_BACKOFF_MS", "20"), home)
}

/// What the sandbox tells apart at the end of a document number.
const ENDS: [&str; 10] =
    ["", "-REJECT", "-CONSIDER", "-MISMATCH", "-RETRY", "-SLOW", "-LINK", "-TIMEOUT", "-DOWN", "-UNKNOWN"];

/// Registers, reads, changes, searches and lists the canary customer, with every outcome of the sandbox.
fn live(client: &Client) {
    let plain = customer("c");
    for end in ENDS {
        let id = format!("c{end}");
        let mut body = customer(&id);
        body["identity_document"]["number"] = json!(format!("{DOCUMENT_NUMBER}{end}"));
        // The answer is kept for those who ask again; a key may hold anything.
        let keyed = client.under_key(&format!("{}{end}", plain["email"].as_str().unwrap()));
        for _ in 0..2 {
            keyed.post("/customers", &body).expecting(201);
        }
        assert_eq!(client.post("/customers", &body).status, 409);
        client.get(&format!("/customers/{id}")).expecting(200);
        client.get(&format!("/customers/{id}/kyc-status")).expecting(200);
        client.get(&format!("/customers/{id}/verifications")).expecting(200);
    }
    let longer = format!("{} Secunda", plain["name"].as_str().unwrap());
    let mut changed = client.put("/customers/c", &json!({"name": longer})).expecting(200);
    assert_eq!(changed["reverification"]["required"], true);
    changed = client.under_key("back").put("/customers/c", &plain).expecting(200);
    assert_eq!(client.under_key("back").put("/customers/c", &plain).expecting(200), changed);
    assert_eq!(changed["version"], 3);
    client.send("POST", "/customers/c/verifications", None).unwrap();
    for search in [
        json!({"email": plain["email"]}),
        json!({"phone_number": plain["phone_number"]}),
        json!({"document_number": DOCUMENT_NUMBER}),
        json!({"name": plain["name"], "date_of_birth": plain["date_of_birth"]}),
    ] {
        assert_ne!(client.post("/customers/search", &search).expecting(200)["items"], json!([]), "{search}");
    }
    send_files(client);
    client.get("/customers").expecting(200);
    client.get("/report?start=2026-01-01&end=2030-12-31").expecting(200);
}

/// A file in which every canary stands, beside what makes a file of several chunks of it.
fn file() -> Vec<u8> {
    let text: Vec<_> = CANARIES.iter().map(|canary| canary.value).collect();
    pdf(&text.join("\n% "), 300_000)
}

/// Sends files that are kept, one that is refused after it was read, and one whose body does not end.
fn send_files(client: &Client) {
    for side in ["front", "selfie"] {
        assert_eq!(client.upload("c", side, &file()), 201);
    }
    let whole = file();
    assert_eq!(client.upload("c", "front", &whole[..whole.len() - 20]), 422);
    assert_eq!(client.upload("c", "Zorvaline", &whole), 422);
    assert_eq!(client.upload("nobody", "front", &whole), 404);
    let listed = client.get("/customers/c/documents").expecting(200);
    let document = listed["items"][0]["document_id"].as_str().unwrap();
    assert_eq!(client.get(&format!("/customers/c/documents/{document}/content")).body, whole);
}

/// Searches everything that a server leaves: its data, its temporary files, and what it said.
fn search(scanner: &Scanner, options: &Options) -> Vec<(PathBuf, Finding)> {
    let mut found = scanner.scan_folder(&options.data());
    found.extend(scanner.scan_folder(&options.temporary()));
    found.extend(scanner.scan_file(&options.stderr()));
    found.extend(scanner.scan_file(&options.stdout()));
    found
}

/// How many answers are kept for those who ask again.
fn recorded(options: &Options) -> u32 {
    let database = rusqlite::Connection::open(options.data().join("kyc.db")).unwrap();
    database.query_row("SELECT count(*) FROM idempotency", [], |row| row.get(0)).unwrap()
}

#[test]
fn no_file_no_log_and_no_error_answer_holds_personal_data() {
    let scanner = Scanner::of(CANARIES);
    let (options, _home) = options();
    let server = ServerProcess::start(&options);
    let client = server.client();
    live(&client);
    let answers = hostile::provoke(&client, server.key());
    client.settle(ENDS.map(|end| format!("c{end}")));

    for (request, answer) in &answers {
        assert_eq!(scanner.scan(answer), [], "{request:?} was answered\n{}", String::from_utf8_lossy(answer));
    }
    // The scanner knows the values by the form in which the service shows them.
    let shown = client.get("/customers/c");
    for canary in CANARIES {
        let found = scanner.scan(&shown.body);
        assert!(found.iter().any(|finding| finding.canary == canary.name), "{} is shown", canary.name);
    }

    assert_eq!(search(&scanner, &options), [], "while the server runs");
    assert!(options.data().join("kyc.db-wal").metadata().unwrap().len() > 0, "the log was among the files");
    let log = std::fs::read_to_string(options.stderr()).unwrap();
    assert!(log.contains("\"level\":\"DEBUG\"") && log.contains("\"status\":422"), "the log says all it can");
    server.kill9();
    assert_eq!(search(&scanner, &options), [], "after kill -9");
    assert_eq!(usize::try_from(recorded(&options)), Ok(ENDS.len() + 1), "answers were among what is kept");
    let digest = sha2::Sha256::digest(file()).to_vec();
    for name in ["kyc.db", "kyc.db-wal"] {
        let bytes = std::fs::read(options.data().join(name)).unwrap_or_default();
        assert!(!bytes.windows(32).any(|window| window == digest), "the digest of a file is in {name}");
    }
    let hex = data_encoding::HEXLOWER.encode(&digest);
    assert_eq!(search(&Scanner::of_values([("digest", hex.as_str())]), &options), []);

    let server = ServerProcess::start(&options);
    server.client().get("/customers/c").expecting(200);
    assert_eq!(server.terminate().code(), Some(0));
    assert_eq!(search(&scanner, &options), [], "after an orderly stop");
}

#[test]
fn a_setting_that_is_refused_is_not_repeated() {
    let scanner = Scanner::of(CANARIES);
    for canary in CANARIES {
        let (mut options, _home) = options();
        std::fs::create_dir(options.data()).unwrap();
        // The path of a folder is told, so that its owner finds it.
        for setting in ALL.iter().filter(|setting| !["data_dir", "keyring"].contains(&setting.key)) {
            options = options.with(setting.variable, canary.value);
        }
        let (status, said) = options.refused();
        assert_eq!(status.code(), Some(1), "{said}");
        assert!(said.contains("KYC_WORKERS"), "{said}");
        assert_eq!(search(&scanner, &options), [], "{said}");
    }
}

/// A customer all of whose fields are canaries; see [`canaries`].
#[test]
fn every_personal_field_of_the_api_is_a_canary() {
    fn leaves(at: &str, value: &Value, into: &mut Vec<(String, String)>) {
        match value {
            Value::Object(fields) => {
                fields.iter().for_each(|(name, value)| leaves(&format!("{at}/{name}"), value, into));
            }
            Value::Array(items) => {
                items
                    .iter()
                    .enumerate()
                    .for_each(|(index, value)| leaves(&format!("{at}/{index}"), value, into));
            }
            Value::String(text) => into.push((at.to_owned(), text.clone())),
            Value::Null | Value::Bool(_) | Value::Number(_) => into.push((at.to_owned(), value.to_string())),
        }
    }
    let (options, _home) = options();
    let server = ServerProcess::start(&options);
    server.client().post("/customers", &customer("c")).expecting(201);
    let mut shown = Vec::new();
    leaves("", &server.client().get("/customers/c").expecting(200), &mut shown);
    // What is no personal data, and words of a short list, of which a file may hold any.
    let plain = [
        "/customer_id",
        "/address/country",
        "/identity_document/type",
        "/identity_document/issuing_country",
        "/nationalities/0",
        "/gender",
        "/tax_ids/0/country",
        "/consents/0/purpose",
        "/consents/0/given_at",
        "/consents/0/text_version",
        "/status",
        "/stage",
        "/version",
        "/created_at",
        "/updated_at",
    ];
    for (at, text) in shown.iter().filter(|(at, _)| !plain.contains(&at.as_str())) {
        assert!(CANARIES.iter().any(|canary| canary.value == text), "{at} is no canary");
    }
}
