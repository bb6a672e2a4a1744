//! Reads a trace of `strace -f -y -ttt`, and looks in it for answers that left too early.

use std::collections::BTreeMap;

/// The system calls that the check needs, whichever of them `SQLite` and the runtime were built to use.
pub(super) const CALLS: &str =
    "fdatasync,fsync,pwrite64,pwritev,write,writev,sendto,sendmsg,read,readv,recvfrom,recvmsg";

/// A system call.
#[derive(Debug)]
struct Call {
    name: String,
    /// What stands between the parentheses.
    arguments: String,
    /// What it returned; none where it never did.
    result: Option<i64>,
    /// The lines on which it began and ended. The tracer holds a thread at both, so that what ended on an
    /// earlier line than another call began has happened before it.
    began: usize,
    ended: usize,
}

impl Call {
    /// A call that has not ended yet, from the text before `<unfinished ...>`.
    fn begun(line: usize, text: &str) -> Option<Self> {
        let (name, arguments) = text.split_once('(')?;
        let (name, arguments) = (name.to_owned(), arguments.to_owned());
        Some(Self { name, arguments, result: None, began: line, ended: usize::MAX })
    }

    fn whole(line: usize, text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('(')?;
        Some(Self::begun(line, &format!("{name}("))?.end(line, rest))
    }

    fn end(mut self, line: usize, rest: &str) -> Self {
        // Strings in the arguments may look like an end; the last one is the end.
        let (arguments, result) = rest.rsplit_once(" = ").unwrap_or((rest, ""));
        self.arguments.push_str(arguments);
        self.result = result.split_whitespace().next().and_then(|number| number.parse().ok());
        self.ended = line;
        self
    }

    /// What its file descriptor is: a path, or `socket:[number]`.
    fn object(&self) -> &str {
        let after = self.arguments.split_once('<').map_or("", |(_, after)| after);
        after.split_once('>').map_or("", |(object, _)| object)
    }

    fn is(&self, names: &[&str]) -> bool {
        names.contains(&self.name.as_str())
    }

    fn succeeded(&self) -> bool {
        self.result.is_some_and(|result| result >= 0)
    }

    fn is_log_write(&self) -> bool {
        self.is(&["pwrite64", "pwritev", "write", "writev"]) && self.object().ends_with("-wal")
    }

    fn is_request(&self) -> bool {
        self.is(&["read", "readv", "recvfrom", "recvmsg"]) && self.arguments.contains("\"POST /customers ")
    }

    fn is_answer(&self) -> bool {
        self.is(&["write", "writev", "sendto", "sendmsg"]) && self.arguments.contains("\"HTTP/1.1 201 ")
    }
}

fn parse(text: &str) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut unfinished: BTreeMap<&str, Call> = BTreeMap::new();
    for (line, text) in text.lines().enumerate() {
        let mut words = text.splitn(2, ' ');
        let (Some(thread), Some(rest)) = (words.next(), words.next()) else { continue };
        let Some((_, event)) = rest.trim_start().split_once(' ') else { continue };
        if let Some(resumed) = event.strip_prefix("<... ") {
            let rest = resumed.split_once(" resumed>").map_or("", |(_, rest)| rest);
            calls.extend(unfinished.remove(thread).map(|call| call.end(line, rest)));
        } else if let Some(begun) = event.strip_suffix(" <unfinished ...>") {
            unfinished.extend(Call::begun(line, begun).map(|call| (thread, call)));
        } else if !event.starts_with(['+', '-']) {
            calls.extend(Call::whole(line, event));
        }
    }
    calls.extend(unfinished.into_values());
    calls.sort_by_key(|call| call.began);
    calls
}

/// Why an answer should not have left when it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Its request was not seen, so that the trace says nothing.
    NoRequest,
    /// Nothing had been written to the log since the request.
    NotWritten,
    /// What had been written was not synced.
    NotSynced,
}

/// Each answer 201 of the trace, in order: whether what its request wrote was synced before it left.
///
/// Requests must come one after another, and nothing else may write meanwhile, so that what is written to the
/// log between a request and its answer is the request's.
pub(super) fn answers(trace: &str) -> Vec<Result<(), Fault>> {
    let calls = parse(trace);
    calls.iter().filter(|call| call.is_answer()).map(|answer| judge(&calls, answer)).collect()
}

fn judge(calls: &[Call], answer: &Call) -> Result<(), Fault> {
    let before = || calls.iter().filter(|call| call.began < answer.began);
    let request = before()
        .rfind(|call| call.is_request() && call.object() == answer.object() && call.ended < answer.began)
        .ok_or(Fault::NoRequest)?;
    let written = before()
        .filter(|call| call.is_log_write() && call.began > request.began)
        .max_by_key(|call| call.ended)
        .ok_or(Fault::NotWritten)?;
    let synced = before().any(|call| {
        call.is(&["fsync", "fdatasync"])
            && call.object() == written.object()
            && call.began > written.ended
            && call.ended < answer.began
            && call.succeeded()
    });
    if synced { Ok(()) } else { Err(Fault::NotSynced) }
}

const REQUEST: &str =
    r#"10 1.0 recvfrom(9<socket:[7]>, "POST /customers HTTP/1.1\r\nHost: x"..., 8192, 0, NULL, NULL) = 481"#;
const WRITE: &str = r#"20 1.1 pwrite64(5</d/kyc.db-wal>, "\0) = 1, \"<x>"..., 4096, 56) = 4096"#;
const SYNC: &str = "20 1.2 fdatasync(5</d/kyc.db-wal>) = 0";
const ANSWER: &str =
    r#"10 1.3 writev(9<socket:[7]>, [{iov_base="HTTP/1.1 201 Created\r\ncont"..., iov_len=9}], 1) = 9"#;

fn check(lines: &[&str], expected: &[Result<(), Fault>]) {
    assert_eq!(answers(&lines.join("\n")), expected, "{lines:#?}");
}

#[test]
fn an_answer_after_the_sync_of_what_it_wrote_is_right() {
    check(&[REQUEST, WRITE, WRITE, SYNC, ANSWER], &[Ok(())]);
    check(&[REQUEST, WRITE, SYNC, ANSWER, REQUEST, WRITE, SYNC, ANSWER], &[Ok(()), Ok(())]);
    check(&[], &[]);
}

#[test]
fn an_answer_before_the_sync_is_found() {
    check(&[REQUEST, WRITE, ANSWER, SYNC], &[Err(Fault::NotSynced)]);
    check(&[REQUEST, WRITE, ANSWER], &[Err(Fault::NotSynced)]);
    check(&[REQUEST, SYNC, WRITE, ANSWER], &[Err(Fault::NotSynced)]);
    check(&[REQUEST, WRITE, SYNC, WRITE, ANSWER], &[Err(Fault::NotSynced)]);
    check(&[REQUEST, WRITE, SYNC, ANSWER, REQUEST, WRITE, ANSWER], &[Ok(()), Err(Fault::NotSynced)]);
}

#[test]
fn an_answer_before_the_write_is_found() {
    check(&[REQUEST, ANSWER, WRITE, SYNC], &[Err(Fault::NotWritten)]);
    check(&[WRITE, SYNC, REQUEST, ANSWER], &[Err(Fault::NotWritten)]);
}

#[test]
fn a_sync_that_failed_or_was_of_another_file_does_not_count() {
    let failed = "20 1.2 fsync(5</d/kyc.db-wal>) = -1 EIO (Input/output error)";
    let other = "20 1.2 fsync(4</d/kyc.db>) = 0";
    check(&[REQUEST, WRITE, failed, ANSWER], &[Err(Fault::NotSynced)]);
    check(&[REQUEST, WRITE, other, ANSWER], &[Err(Fault::NotSynced)]);
}

#[test]
fn the_request_must_be_of_the_same_connection() {
    check(&[&REQUEST.replace("[7]", "[8]"), WRITE, SYNC, ANSWER], &[Err(Fault::NoRequest)]);
}

#[test]
fn calls_that_other_threads_interrupted_are_put_together() {
    let request = [
        "10 1.0 recvfrom(9<socket:[7]>,  <unfinished ...>",
        r#"10 1.0 <... recvfrom resumed>"POST /customers HTTP/1.1\r\n"..., 8192, 0, NULL, NULL) = 481"#,
    ];
    let sync = ["20 1.2 fsync(5</d/kyc.db-wal> <unfinished ...>", "20 1.2 <... fsync resumed>) = 0"];
    let exit = "30 1.2 +++ exited with 0 +++";
    let signal = "30 1.2 --- SIGTERM {si_signo=SIGTERM} ---";
    check(&[request[0], exit, request[1], WRITE, sync[0], signal, sync[1], ANSWER], &[Ok(())]);
    // The sync has not returned when the answer leaves.
    check(&[REQUEST, WRITE, sync[0], ANSWER, sync[1]], &[Err(Fault::NotSynced)]);
    check(&[REQUEST, WRITE, sync[0], ANSWER], &[Err(Fault::NotSynced)]);
}
