//! Keys from the command line: rotated under a server that is killed, held in a variable or a mounted file, and
//! a start that is refused where they do not fit.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use kyc_adapters::cipher::Keyring;
use kyc_adapters::entropy::SystemEntropy;
use kyc_core::domain::key_use::KeyUse;
use kyc_server::operator::Operation;
use kyc_server::operator::socket::Said;
use kyc_tests::app::customers::ada;
use kyc_tests::process::{Options, ServerProcess};

use super::{options, refused, said};

fn register(server: &ServerProcess, count: u32) {
    let client = server.client();
    for n in 0..count {
        client.post("/customers", &ada(&format!("c-{n}"), "925076473")).expecting(201);
    }
}

fn all_are_read(server: &ServerProcess, count: u32) {
    let client = server.client();
    for n in 0..count {
        let read = client.get(&format!("/customers/c-{n}")).expecting(200);
        assert_eq!(read["name"], "Ada Lovelace");
    }
}

/// The rows of `keys list` of one use: version, whether it is the current one, and how many are under it.
fn listed(options: &Options, of: &str) -> Vec<(u32, bool, u64)> {
    let said = said(&options.run(&["keys", "list"]));
    let rows = said.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let rows = rows.filter(|row| row[0] == of);
    rows.map(|row| (row[1].parse().unwrap(), row[3] == "current", row[4].parse().unwrap())).collect()
}

fn keyring(options: &Options) -> PathBuf {
    options.data().join("keyring.json")
}

/// Adds a version to a keyring, as somebody does by hand.
fn add_version(path: &Path, of: KeyUse) {
    let entropy = SystemEntropy::new();
    let next = Keyring::load(path).unwrap().rotated(of, &entropy, jiff::Timestamp::UNIX_EPOCH).unwrap();
    next.prepare(path).unwrap().put_in_place().unwrap();
}

#[test]
fn a_server_that_is_killed_in_a_rotation_needs_nobody_and_the_next_command_goes_on() {
    const COUNT: u32 = 250;
    let (options, _home) = options();
    let server = ServerProcess::start(&options);
    register(&server, COUNT);
    // Asked for over the socket by hand, so that the kill comes after the first page and before the last.
    let mut stream = UnixStream::connect(options.data().join("kyc")).unwrap();
    let operation = serde_json::to_string(&Operation::RotateKey { fingerprint: false }).unwrap();
    writeln!(stream, "{operation}").unwrap();
    for line in BufReader::new(stream).lines() {
        match serde_json::from_str(&line.unwrap()).unwrap() {
            Said::Progress(progress) if progress.done == 0 => {}
            Said::Progress(_) | Said::Done(_) => break,
            Said::NotDone(words) => panic!("{words}"),
        }
    }
    server.kill9();

    let server = ServerProcess::start(&options);
    all_are_read(&server, COUNT);
    let words = said(&options.run(&["keys", "rotate"]));
    // A machine may have been so slow that it came to its end before the kill.
    let versions = listed(&options, "master");
    let current = versions.iter().find(|row| row.1).unwrap();
    assert_eq!(current.2, u64::from(COUNT), "{words}");
    assert!(versions.iter().filter(|row| !row.1).all(|row| row.2 == 0), "{versions:?}");
    assert_eq!(words.contains("had not come to its end"), current.0 == 2, "{words}");
    all_are_read(&server, COUNT);
    assert_eq!(server.terminate().code(), Some(0));
}

#[test]
fn a_kill_between_the_file_and_the_customers_is_gone_on_from_without_a_server() {
    let (options, _home) = options();
    let server = ServerProcess::start(&options);
    register(&server, 3);
    server.kill9();
    for (of, rotate) in
        [("master", &["keys", "rotate"][..]), ("fingerprint", &["keys", "rotate", "--fingerprint"])]
    {
        add_version(&keyring(&options), of.parse().unwrap());
        assert_eq!(listed(&options, of), [(1, false, 3), (2, true, 0)]);
        let output = options.run(rotate);
        assert!(String::from_utf8_lossy(&output.stderr).contains("3 of 3 customers are under the new key"));
        let words = said(&output);
        assert!(
            words.contains(&format!("An earlier rotation to {of} key 2 had not come to its end")),
            "{words}"
        );
        assert_eq!(listed(&options, of), [(1, false, 0), (2, true, 3)]);
        let words = said(&options.run(rotate));
        assert!(words.contains(&format!("3 customers were put under {of} key 3")), "{words}");
        assert_eq!(listed(&options, of), [(1, false, 0), (2, false, 0), (3, true, 3)]);
    }
    let words = refused(&options.run(&["keys", "retire", "1"]));
    assert!(words.contains("master key 1 stays: ") && words.contains("try again in "), "{words}");
    all_are_read(&ServerProcess::start(&options), 3);
}

#[test]
fn a_keyring_in_a_variable_is_rotated_by_hand_and_those_under_the_old_key_by_the_command() {
    let (options, home) = options();
    let file = home.path().join("elsewhere.json");
    said(&options.clone().with("KYC_KEYRING", file.to_str().unwrap()).run(&["keys", "generate"]));
    let with_keys = |file: &Path| options.clone().with("KYC_KEYRING_JSON", fs::read_to_string(file).unwrap());
    let before = with_keys(&file);
    let server = ServerProcess::start(&before);
    register(&server, 3);
    let words = said(&before.run(&["keys", "rotate"]));
    assert!(words.contains("The keyring is KYC_KEYRING_JSON, which this program can't write"), "{words}");
    assert!(words.contains("\"master_keys\"") && words.contains("\"version\": 2"), "{words}");
    assert_eq!(listed(&before, "master"), [(1, true, 3)]);
    assert!(refused(&before.run(&["keys", "generate"])).contains("KYC_KEYRING_JSON"));
    assert_eq!(server.terminate().code(), Some(0));
    assert!(refused(&options.run(&["keys", "list", "--keyring-json", "x"])).contains("by the variable only"));

    add_version(&file, KeyUse::Master);
    let after = with_keys(&file);
    let server = ServerProcess::start(&after);
    assert_eq!(listed(&after, "master"), [(1, false, 3), (2, true, 0)]);
    said(&after.run(&["keys", "rotate"]));
    assert_eq!(listed(&after, "master"), [(1, false, 0), (2, true, 3)]);
    let words = said(&after.run(&["keys", "retire", "1"]));
    assert!(words.contains("Nothing needs master key 1") && words.contains("by hand"), "{words}");
    all_are_read(&server, 3);
    assert_eq!(server.terminate().code(), Some(0));
    // Neither the environment nor what was said of it shows a key.
    let keys = fs::read_to_string(&file).unwrap();
    let keys: Vec<&str> = keys.split('"').filter(|text| text.len() == 44).collect();
    assert_eq!(keys.len(), 3);
    let log = fs::read_to_string(options.stderr()).unwrap() + &fs::read_to_string(options.stdout()).unwrap();
    assert!(keys.iter().all(|key| !log.contains(key) && !words.contains(key)));
}

#[test]
fn a_mounted_keyring_is_taken_up_by_the_command_without_a_restart() {
    let (options, home) = options();
    let mounted = home.path().join("mounted.json");
    let options = options.with("KYC_KEYRING", mounted.to_str().unwrap());
    let target = home.path().join("target.json");
    said(&options.run(&["keys", "generate"]));
    fs::rename(&mounted, &target).unwrap();
    symlink(&target, &mounted).unwrap();
    let server = ServerProcess::start(&options);
    register(&server, 3);
    let words = said(&options.run(&["keys", "rotate"]));
    assert!(words.contains("which this program can't write"), "{words}");
    add_version(&target, KeyUse::Master);
    said(&options.run(&["keys", "rotate"]));
    assert_eq!(listed(&options, "master"), [(1, false, 0), (2, true, 3)]);
    all_are_read(&server, 3);
    assert!(fs::symlink_metadata(&mounted).unwrap().is_symlink(), "the link is left as it is");
}

#[test]
fn a_start_with_keys_that_do_not_fit_is_refused_and_says_which() {
    let (options, home) = options();
    let server = ServerProcess::start(&options);
    register(&server, 3);
    assert_eq!(server.terminate().code(), Some(0));
    let (file, own) = (keyring(&options), home.path().join("own.json"));
    fs::copy(&file, &own).unwrap();
    for (rotate, words) in [
        (&["keys", "rotate"][..], "3 customers are under master key 2, which the keyring does not hold"),
        (
            &["keys", "rotate", "--fingerprint"],
            "3 customers are under fingerprint key 2, which the keyring does not",
        ),
    ] {
        said(&options.run(rotate));
        let rotated = fs::read(&file).unwrap();
        fs::copy(&own, &file).unwrap();
        let (status, told) = options.refused();
        assert!(!status.success() && told.contains(words), "{told}");
        assert!(refused(&options.run(&["api-keys", "list"])).contains(words));
        fs::write(&file, &rotated).unwrap();
        fs::copy(&file, &own).unwrap();
    }

    let keys = fs::read(&file).unwrap();
    let told = |change: &dyn Fn()| {
        change();
        let (status, told) = options.refused();
        assert!(!status.success());
        fs::write(&file, &keys).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        told
    };
    let torn = told(&|| fs::write(&file, &keys[..keys.len() / 2]).unwrap());
    assert!(torn.contains("not of the documented form at line"), "{torn}");
    let open = told(&|| fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap());
    assert!(open.contains("mode 0644") && open.contains("chmod 600"), "{open}");
    // For development a keyring is made where there is none, and it is not the one that is needed.
    let missing = told(&|| fs::remove_file(&file).unwrap());
    assert!(missing.contains("customers are under"), "{missing}");
    all_are_read(&ServerProcess::start(&options), 3);
}

#[test]
fn another_keyring_of_the_same_versions_is_told_from_the_own() {
    let (options, _home) = options();
    let server = ServerProcess::start(&options);
    register(&server, 3);
    assert_eq!(server.terminate().code(), Some(0));
    fs::remove_file(keyring(&options)).unwrap();
    let (status, told) = options.refused();
    assert!(!status.success());
    assert!(told.contains("is not the one that the database was sealed with"), "{told}");
}
