//! The arms of the bench, and how they take turns.
//!
//! The machine is shared and its disk is not ours alone, so a figure that is taken now says little beside one
//! that was taken a minute ago. Every round visits every arm once, and a ratio is made within each round.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::decisions::Decisions;
use crate::load::{Load, Request};
use crate::raw::Raw;
use crate::register::InProcess;
use crate::report::Figure;
use crate::server::Server;
use crate::{Options, Result};

/// How often each arm is visited. Odd, so that the median is a figure that was seen.
pub(crate) const ROUNDS: u32 = 5;
/// The names that `--only` takes.
pub(crate) const NAMES: [&str; 5] = ["post", "register", "raw", "reads", "decisions"];

/// Connections or tasks at once, where there are many.
const MANY: usize = 256;
/// Connections at once for reads.
const READING: usize = 64;
/// The rows of how many registrations share a commit, as in the store's writer at most.
const BATCH: u32 = 512;
/// How many customers there are before anything is measured: some to read, and enough for the write-ahead log
/// to have begun anew, since a file that grows is slower to sync.
pub(crate) const FILL: u64 = 4000;

/// Something that is measured.
pub(crate) struct Arm {
    id: &'static str,
    name: &'static str,
    unit: &'static str,
    /// Works for about so long.
    measure: Box<dyn FnMut(Duration) -> Result<Measured>>,
}

/// What a round of an arm gave.
struct Measured {
    /// How many a second.
    rate: f64,
    /// The processor time that the server used for each, in microseconds, where there is a server.
    cost: Option<f64>,
}

fn arm(
    id: &'static str,
    name: &'static str,
    unit: &'static str,
    mut measure: impl FnMut(Duration) -> Result<f64> + 'static,
) -> Arm {
    let measure = move |window| measure(window).map(|rate| Measured { rate, cost: None });
    Arm { id, name, unit, measure: Box::new(measure) }
}

/// The arms that the command line asks for, set up and ready.
pub(crate) fn all(options: &Options) -> Result<Vec<Arm>> {
    let mut arms = Vec::new();
    if options.wants("post") || options.wants("reads") {
        over_http(options, &mut arms)?;
    }
    if options.wants("register") {
        let service = Rc::new(InProcess::start(&options.folder)?);
        for (id, name, tasks) in [
            ("register-1", "Kyc::register in this process, 1 task", 1),
            ("register-256", "Kyc::register in this process, 256 tasks", MANY),
        ] {
            let service = Rc::clone(&service);
            arms.push(arm(id, name, "customers/s", move |window| service.register(tasks, window)));
        }
    }
    if options.wants("raw") {
        for (id, name, batch) in [
            ("raw-1", "rows of a registration by hand, 1 to a commit", 1),
            ("raw-512", "rows of a registration by hand, 512 to a commit", BATCH),
        ] {
            let mut raw = Raw::start(&options.folder)?;
            arms.push(arm(id, name, "customers/s", move |window| raw.write(batch, window)));
        }
    }
    if options.wants("decisions") {
        let decisions = Decisions::of(&options.folder);
        let name = "decisions, 64 in flight at the sandbox";
        arms.push(arm("decisions", name, "decisions/s", move |window| decisions.run(window)));
    }
    Ok(arms)
}

/// The arms that ask a server in a process of its own.
fn over_http(options: &Options, arms: &mut Vec<Arm>) -> Result<()> {
    let server = Rc::new(Server::start(&options.folder)?);
    let numbers = Arc::new(AtomicU64::new(0));
    let post = Request::register(server.address(), &numbers);
    let fill = Load::of(server.address(), READING, &post)?;
    while numbers.load(Ordering::Relaxed) < FILL {
        fill.run(Duration::from_millis(100))?;
    }
    if options.wants("post") {
        for (id, name, connections) in [
            ("post-1", "POST /customers, 1 connection", 1),
            ("post-256", "POST /customers, 256 connections", MANY),
        ] {
            arms.push(asking(&server, (id, name), Load::of(server.address(), connections, &post)?));
        }
    }
    if options.wants("reads") {
        let status = Request::status(server.address(), numbers.load(Ordering::Relaxed));
        let whoami = Request::whoami(server.address());
        for (id, name, request) in [
            ("whoami", "GET /whoami, 64 connections", whoami),
            ("status", "GET /customers/{id}/kyc-status, 64 connections", status),
        ] {
            arms.push(asking(&server, (id, name), Load::of(server.address(), READING, &request)?));
        }
    }
    Ok(())
}

/// An arm that holds on to its server.
fn asking(server: &Rc<Server>, (id, name): (&'static str, &'static str), load: Load) -> Arm {
    let server = Rc::clone(server);
    let measure = move |window| {
        let before = server.processor_time();
        let (rate, answers) = load.run(window)?;
        let used = before.and_then(|before| server.processor_time()?.checked_sub(before));
        let cost = used.map(|used| 1e6 * used.as_secs_f64() / count(answers));
        Ok(Measured { rate, cost })
    };
    Arm { id, name, unit: "requests/s", measure: Box::new(measure) }
}

/// Visits the arms in turn, [`ROUNDS`] times.
pub(crate) fn interleave(mut arms: Vec<Arm>, slice: Duration) -> Result<Vec<Figure>> {
    let mut figures: Vec<Figure> = arms
        .iter()
        .map(|arm| Figure {
            id: arm.id,
            name: arm.name,
            unit: arm.unit,
            rounds: Vec::new(),
            costs: Vec::new(),
        })
        .collect();
    for _ in 0..ROUNDS {
        for (arm, figure) in arms.iter_mut().zip(&mut figures) {
            let Measured { rate, cost } =
                (arm.measure)(slice).map_err(|error| format!("{}: {error}", arm.name))?;
            figure.rounds.push(rate);
            figure.costs.extend(cost);
        }
    }
    Ok(figures)
}

/// A new folder of data that goes with its owner. Its file system is what is measured.
pub(crate) fn data_folder(within: &Path) -> Result<tempfile::TempDir> {
    Ok(tempfile::Builder::new().prefix("kyc-bench-").tempdir_in(within)?)
}

/// So many in so long, a second.
pub(crate) fn rate(many: u64, time: Duration) -> f64 {
    count(many) / time.as_secs_f64()
}

/// A count to divide by.
fn count(many: u64) -> f64 {
    // More than 2^32 of anything are not counted here.
    f64::from(u32::try_from(many).unwrap_or(u32::MAX))
}
