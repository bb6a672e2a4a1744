//! Commands of the operator: over the socket of the server that runs, and alone where none does.
#![cfg(test)]

mod keys;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::Output;

use kyc_server::operator::socket::Said;
use kyc_tests::process::{Options, ServerProcess};
use serde_json::Value;
use tempfile::TempDir;

fn options() -> (Options, TempDir) {
    let home = tempfile::tempdir().unwrap();
    (Options::new(env!("CARGO_BIN_EXE_server-under-test"), home.path()), home)
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What a command that failed says on standard error.
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stdout, b"");
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn value(said: &str, name: &str) -> String {
    let line = said.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name} in {said}")).trim().to_owned()
}

const CREATE: [&str; 6] = ["api-keys", "create", "--name", "app", "--role", "client"];

#[test]
fn keys_are_made_listed_and_revoked_while_the_server_serves() {
    let (options, _home) = options();
    let server = ServerProcess::start(&options);
    let made = said(&options.run(&CREATE));
    let (id, key) = (value(&made, "Id"), value(&made, "Key"));

    let client = server.client().with_key(&key);
    let who = client.get("/whoami").expecting(200);
    assert_eq!((&who["name"], &who["role"]), (&"app".into(), &"client".into()));
    let listed = said(&options.run(&["api-keys", "list"]));
    let row = listed.lines().find(|line| line.starts_with(&id)).unwrap();
    assert!(row.contains("app") && row.ends_with("valid") && !listed.contains(&key), "{listed}");

    assert!(said(&options.run(&["api-keys", "revoke", &id])).contains("dead"));
    assert_eq!(client.get("/whoami").status, 401);
    assert!(said(&options.run(&["api-keys", "list"])).contains("revoked 20"));

    let events = server.client().get("/audit-events").expecting(200);
    let by_operator = |action: &str| {
        let fits = |event: &&Value| event["action"] == action;
        let event = events["items"].as_array().unwrap().iter().find(fits).unwrap();
        assert!(event["actor"].as_str().unwrap().starts_with("operator:uid-"), "{event}");
    };
    by_operator("api_key.created");
    by_operator("api_key.revoked");
    assert_eq!(server.terminate().code(), Some(0));
    let log = fs::read_to_string(options.stderr()).unwrap();
    assert!(!log.contains(&key[4..]), "the secret is in no log");
}

#[test]
fn keys_are_made_where_no_server_runs_and_work_when_it_does() {
    let (options, _home) = options();
    let words = refused(&options.run(&CREATE));
    assert!(words.contains("keyring"), "without keys nothing is made: {words}");
    said(&options.run(&["keys", "generate"]));
    let key = value(&said(&options.run(&CREATE)), "Key");
    let server = ServerProcess::start(&options);
    server.client().with_key(&key).get("/whoami").expecting(200);
}

#[test]
fn every_fault_is_told_at_once_by_its_option() {
    let (options, _home) = options();
    let server = ServerProcess::start(&options);
    let words = refused(&options.run(&[
        "api-keys",
        "create",
        "--name",
        "ä",
        "--role",
        "root",
        "--allowed-address",
        "x",
    ]));
    for option in ["--name: ", "--role: ", "--allowed-address: "] {
        assert!(words.contains(option), "{words}");
    }
    assert!(!words.contains('ä') && !words.contains("root"), "the input is not repeated: {words}");
    assert!(refused(&options.run(&["api-keys", "revoke", "nonsense"])).contains("no key with this id"));
    drop(server);
}

#[test]
fn only_its_owner_may_open_the_socket_and_it_goes_with_the_server() {
    let (options, _home) = options();
    let socket = options.data().join("kyc");
    let server = ServerProcess::start(&options);
    assert_eq!(fs::symlink_metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(server.terminate().code(), Some(0));
    assert!(!socket.exists());
}

#[test]
fn a_socket_that_a_killed_server_left_hinders_neither_a_command_nor_the_next_server() {
    let (options, _home) = options();
    let socket = options.data().join("kyc");
    ServerProcess::start(&options).kill9();
    assert!(socket.exists(), "it was left");
    let key = value(&said(&options.run(&CREATE)), "Key");
    let server = ServerProcess::start(&options);
    server.client().with_key(&key).get("/whoami").expecting(200);
    said(&options.run(&["api-keys", "list"]));
    // Where the socket is gone though the server runs, the lock is what keeps a command out.
    fs::remove_file(&socket).unwrap();
    let words = refused(&options.run(&["api-keys", "list"]));
    assert!(words.contains("another process serves this data folder"), "{words}");
}

#[test]
fn what_is_no_operation_is_refused_and_the_server_lives() {
    let (options, _home) = options();
    let server = ServerProcess::start(&options);
    let long = vec![b'x'; 100 * 1024];
    for line in [b"\n".as_slice(), b"{}\n", b"{\"operation\":\"drop_everything\"}\n", &[0xff, b'\n'], &long] {
        let mut stream = UnixStream::connect(options.data().join("kyc")).unwrap();
        // A line that is too long may meet a closed end.
        let _ = stream.write_all(line);
        let mut answer = String::new();
        if BufReader::new(stream).read_line(&mut answer).is_ok() && !answer.is_empty() {
            assert!(matches!(serde_json::from_str(&answer).unwrap(), Said::NotDone(_)), "{answer}");
        } else {
            assert_eq!(line.len(), long.len());
        }
    }
    // One that says nothing holds up no other.
    let _silent: Vec<_> = (0..8).map(|_| UnixStream::connect(options.data().join("kyc")).unwrap()).collect();
    said(&options.run(&["api-keys", "list"]));
    server.client().get("/health/ready").expecting(200);
}
