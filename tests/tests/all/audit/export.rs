//! The log as lines of JSON, from which others can verify it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use data_encoding::HEXLOWER;
use kyc_tests::app::customers::ada;
use kyc_tests::process::ServerProcess;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Log, options, outcome};

/// The columns that a hash covers, in the order of the encoding.
const COLUMNS: [&str; 14] = [
    "sequence",
    "changeset",
    "at",
    "actor",
    "action",
    "subject",
    "verification",
    "provider",
    "target",
    "reason",
    "from",
    "to",
    "fields",
    "request_id",
];

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The encoding of the published vector, written once more from its description, and of nothing else of ours.
fn hash(before: &[u8], line: &Value) -> Vec<u8> {
    let mut hash = Sha256::new();
    let mut column = |bytes: Option<Vec<u8>>| match bytes {
        None => hash.update([0]),
        Some(bytes) => {
            hash.update([1]);
            hash.update(u32::try_from(bytes.len()).unwrap().to_be_bytes());
            hash.update(bytes);
        }
    };
    column(Some(b"kyc-audit-1".to_vec()));
    column(Some(before.to_vec()));
    for name in COLUMNS {
        column(match (name, &line[name]) {
            (_, Value::Null) => None,
            ("sequence", number) => Some(number.as_u64().unwrap().to_be_bytes().to_vec()),
            ("changeset" | "subject" | "verification", id) => {
                Some(HEXLOWER.decode(id.as_str().unwrap().replace('-', "").as_bytes()).unwrap())
            }
            (_, text) => Some(text.as_str().unwrap().as_bytes().to_vec()),
        });
    }
    hash.finalize().to_vec()
}

#[test]
fn whoever_has_the_export_can_verify_the_chain_without_this_program() {
    let (options, _home) = options();
    let server = ServerProcess::start(&options);
    let client = server.client();
    for (id, number) in [("who-1", "925076473"), ("who-2", "1-MISMATCH"), ("who-3", "1-REJECT")] {
        client.post("/customers", &ada(id, number)).expecting(201);
    }
    client.settle(["who-1", "who-2", "who-3"]);
    client.get("/customers/who-1").expecting(200);
    assert_eq!(server.terminate().code(), Some(0));

    let events = lines(&outcome(&options.run(&["audit", "export"])).unwrap());
    assert!(events.len() > 6);
    let mut before = vec![0; 32];
    for (event, sequence) in events.iter().zip(1_u64..) {
        assert_eq!(event["sequence"], sequence);
        assert_eq!(event.as_object().unwrap().len(), COLUMNS.len() + 1, "{event}");
        before = hash(&before, event);
        assert_eq!(event["hash"], HEXLOWER.encode(&before), "{event}");
    }
    for column in COLUMNS {
        let is_target = column == "target";
        assert_eq!(events.iter().all(|event| event[column].is_null()), is_target, "{column}");
    }
    let text = format!("{events:?}");
    // No id of ours, which is hexadecimal, can hold these by chance.
    assert!(!text.contains("Lovelace") && !text.contains("who-"));
}

#[test]
fn an_export_goes_on_where_the_one_before_ended() {
    let log = Log::of(12);
    let since = |sequence: &str| {
        let said = outcome(&log.options.run(&["audit", "export", "--since", sequence])).unwrap();
        lines(&said).iter().map(|event| event["sequence"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(since("0"), (1..=12).collect::<Vec<_>>());
    assert_eq!(since("9"), [10, 11, 12]);
    assert_eq!(since("12"), [0; 0]);
    assert_eq!(since("18446744073709551615"), [0; 0]);
}

#[test]
fn a_file_is_its_owners_alone_and_whole_or_not_there() {
    let log = Log::of(12);
    let path = log.options.data().join("export.ndjson");
    let file = path.to_str().unwrap();
    fs::write(&path, "before").unwrap();
    let said = outcome(&log.options.run(&["audit", "export", file])).unwrap();
    assert_eq!(said, format!("12 events are in {file}.\n"));
    assert_eq!(lines(&fs::read_to_string(&path).unwrap()).len(), 12);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    let whole = fs::read(&path).unwrap();
    log.edit("UPDATE audit_events SET action = 'x' WHERE sequence = 7");
    let said = outcome(&log.options.run(&["audit", "export", file])).unwrap_err();
    assert!(said.contains("event 7 can't be read"), "{said}");
    assert_eq!(fs::read(&path).unwrap(), whole, "it is as it was");
    let names = fs::read_dir(log.options.data()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!names.into_iter().any(|name| name.to_str().unwrap().contains(".new")));
    let nowhere = log.options.data().join("none/export.ndjson");
    assert!(outcome(&log.options.run(&["audit", "export", nowhere.to_str().unwrap()])).is_err());
}

#[test]
fn a_reader_who_has_read_enough_is_no_fault() {
    let log = Log::of(600);
    let mut command = Command::new(env!("CARGO_BIN_EXE_server-under-test"));
    command.args(["audit", "export", "--data-dir", log.options.data().to_str().unwrap()]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert_eq!(lines(&first)[0]["sequence"], 1);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}
