//! The order of system calls: no answer leaves before what it acknowledges is synced. Needs `strace`; where
//! there is none, the tests say so in a line.

use std::io::{self, ErrorKind, Write};
use std::process::Command;

use kyc_tests::process::{Options, ServerProcess};

use super::trace::{self, Fault};
use super::{options, registration};

const REQUESTS: usize = 20;

/// Whether processes can be traced here. Where there is no `strace`, or it may not trace, it says so, past the
/// capture of a test that passes.
fn can_trace() -> bool {
    let why = match Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).output() {
        Ok(output) if output.status.success() => return true,
        Ok(_) => "strace may not trace here",
        Err(error) if error.kind() == ErrorKind::NotFound => "there is no strace here",
        Err(error) => panic!("strace can't be started: {error}"),
    };
    writeln!(io::stderr(), "skipped: the order of system calls is not checked, since {why}").unwrap();
    false
}

/// What the trace says of customers registered one after another, with no workers that write beside.
fn traced(options: Options, home: &std::path::Path) -> Vec<Result<(), Fault>> {
    let file = home.join("trace");
    let options = options.with("KYC_WORKERS", "0").traced(trace::CALLS, &file);
    let server = ServerProcess::start(&options);
    let client = server.client();
    for number in 0..REQUESTS {
        client.post("/customers", &registration(&format!("c-{number}"), "925076473")).expecting(201);
    }
    assert_eq!(server.terminate().code(), Some(0));
    trace::answers(&String::from_utf8_lossy(&std::fs::read(file).unwrap()))
}

#[test]
fn no_answer_leaves_before_its_writes_are_synced() {
    if can_trace() {
        let (options, home) = options();
        assert_eq!(traced(options, home.path()), [Ok(()); REQUESTS]);
    }
}

#[test]
fn a_store_that_syncs_at_checkpoints_only_is_caught() {
    if can_trace() {
        let (options, home) = options();
        assert_eq!(traced(options.synchronous_normal(), home.path()), [Err(Fault::NotSynced); REQUESTS]);
    }
}
