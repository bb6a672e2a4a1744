//! The rules of a file of Rust.

/// A file of the workspace.
pub(super) struct Source {
    /// Its path from the root, with `/`.
    pub(super) path: String,
    /// Its text.
    pub(super) text: String,
}

/// A rule of every file that begins with one of `within` and with none of `exempt`.
pub(super) struct Rule {
    /// The rule in words.
    pub(super) says: &'static str,
    /// The beginnings of the paths that it is for.
    pub(super) within: &'static [&'static str],
    /// The beginnings of the paths that it is not for.
    pub(super) exempt: &'static [&'static str],
    /// Tells what is wrong with a file; each a line number, 0 for the whole, and words.
    pub(super) check: fn(&Source) -> Vec<(usize, String)>,
}

/// Paths of the code that runs, not of its tests.
const CODE: &[&str] = &["kyc-core/src/", "kyc-adapters/src/", "kyc-server/src/"];
const ALL: &[&str] = &["kyc-core/", "kyc-adapters/", "kyc-server/", "tests/"];
/// The most lines of a file.
const MAX_LINES: usize = 500;

/// Every rule.
pub(super) const RULES: &[Rule] = &[
    Rule {
        says: "every file opens with a line that says what it is",
        within: ALL,
        exempt: &[],
        check: |source| whole(!source.text.starts_with("//! "), "no //! at the top"),
    },
    Rule {
        says: "no file is past 500 lines",
        within: ALL,
        exempt: &[],
        check: |source| {
            let lines = source.text.lines().count();
            whole(lines > MAX_LINES, &format!("{lines} lines"))
        },
    },
    Rule {
        says: "a module is foo.rs beside foo/, never foo/mod.rs",
        within: ALL,
        exempt: &[],
        check: |source| whole(source.path.ends_with("/mod.rs"), "mod.rs"),
    },
    Rule {
        says: "the core does no I/O and knows no clock, process, thread or runtime",
        within: &["kyc-core/src/"],
        exempt: &["kyc-core/src/contract.rs"],
        check: |source| {
            let banned = [
                "std::fs",
                "std::net",
                "std::env",
                "std::process",
                "std::thread",
                "SystemTime",
                "Instant::now",
                "Timestamp::now",
                "Zoned::now",
                "tokio::",
                "println!",
                "eprintln!",
            ];
            any_of(source, &banned)
        },
    },
    Rule {
        says: "a use case that takes an actor asks for the permission before anything else (I7)",
        within: &["kyc-core/src/usecase/"],
        exempt: &[],
        check: |source| unasked(source),
    },
    Rule {
        says: "only the configuration reads the environment",
        within: CODE,
        exempt: &["kyc-server/src/config"],
        check: |source| any_of(source, &["env::var", "std::env", ".env(", "env::{"]),
    },
    Rule {
        says: "only the composition root names adapters: wire.rs and wire/ put them together, run.rs and operator/ do it for commands",
        within: &["kyc-core/src/", "kyc-server/src/"],
        exempt: &[
            "kyc-server/src/wire.rs",
            "kyc-server/src/wire/",
            "kyc-server/src/run.rs",
            "kyc-server/src/operator/",
        ],
        check: |source| any_of(source, &["kyc_adapters"]),
    },
    Rule {
        says: "the core knows neither adapters nor the service, and the adapters not the service",
        within: &["kyc-core/", "kyc-adapters/"],
        exempt: &[],
        check: |source| {
            let core = source.path.starts_with("kyc-core/");
            any_of(
                source,
                if core { &["kyc_adapters", "kyc_server", "poem"] } else { &["kyc_server", "poem"] },
            )
        },
    },
    Rule {
        says: "only one file maps the core's errors to problems",
        within: CODE,
        exempt: &["kyc-server/src/api/failures.rs"],
        check: |source| {
            lines(source, |line| {
                let from =
                    line.split_once("impl From<").and_then(|(_, rest)| rest.split_once("> for Problem"));
                from.is_some_and(|(error, _)| {
                    ["Error", "Failure", "Refused"].iter().any(|end| error.contains(end))
                })
            })
        },
    },
    Rule {
        says: "SQL stands in the SQLite adapter only",
        within: CODE,
        exempt: &["kyc-adapters/src/sqlite"],
        check: |source| {
            any_of(
                source,
                &["SELECT ", "INSERT INTO", "DELETE FROM", "CREATE TABLE", "PRAGMA ", "BEGIN IMMEDIATE"],
            )
        },
    },
    Rule {
        says: "what is served is served from the one table of endpoints, of which the document is made (I10)",
        within: &["kyc-server/src/"],
        exempt: &[],
        check: |source| {
            let served = |line: &str| {
                let nested = line.contains(".nest(") && line.trim() != ".nest(\"/\", api::service())";
                nested || line.contains("Route::new().at(") || line.trim_start().starts_with(".at(\"")
            };
            lines(source, |line| served(line) || line.contains("#[oai(hidden") || line.contains(", hidden"))
        },
    },
    Rule {
        says: "no lint is allowed away: what must be is expected, with its reason",
        within: ALL,
        exempt: &[],
        check: |source| {
            any_of(source, &[concat!("#[al", "low("), concat!("#![al", "low("), concat!(", al", "low(")])
        },
    },
    Rule {
        says: "no test is ignored",
        within: ALL,
        exempt: &[],
        check: |source| any_of(source, &[concat!("#[ig", "nore")]),
    },
];

impl Rule {
    /// What of a file breaks the rule.
    pub(super) fn violations(&self, source: &Source) -> Vec<String> {
        let begins = |starts: &[&str]| starts.iter().any(|start| source.path.starts_with(start));
        if !begins(self.within) || begins(self.exempt) {
            return Vec::new();
        }
        (self.check)(source)
            .into_iter()
            .map(|(line, what)| format!("{}:{line}: {what}", source.path))
            .collect()
    }
}

/// The public use cases whose first statement does not ask for a permission.
fn unasked(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (before, after) in source.text.match_indices("pub async fn ").map(|(at, _)| source.text.split_at(at))
    {
        let at = before.lines().count() + usize::from(before.ends_with('\n'));
        let Some((head, body)) = after.split_once("{\n") else { continue };
        let first = body.lines().next().unwrap_or_default().trim();
        if head.contains("actor: &Actor") && !first.starts_with("actor.require(") {
            found.push((at, head.lines().next().unwrap_or_default().to_owned()));
        }
    }
    found
}

fn whole(is_wrong: bool, what: &str) -> Vec<(usize, String)> {
    Vec::from_iter(is_wrong.then(|| (0, what.to_owned())))
}

/// The lines of code, not of comments, for which `is_wrong` holds.
fn lines(source: &Source, is_wrong: impl Fn(&str) -> bool) -> Vec<(usize, String)> {
    let code = source.text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    code.filter(|(_, line)| is_wrong(line)).map(|(at, line)| (at + 1, line.trim().to_owned())).collect()
}

fn any_of(source: &Source, banned: &[&str]) -> Vec<(usize, String)> {
    lines(source, |line| banned.iter().any(|word| line.contains(word)))
}
