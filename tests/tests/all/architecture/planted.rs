//! Each rule fails when it should, and only then.

use super::rules::{RULES, Source};

/// The rules that a file with this text at this path breaks, by what they say.
fn broken(path: &str, text: &str) -> Vec<&'static str> {
    let source = Source { path: path.to_owned(), text: text.to_owned() };
    RULES.iter().filter(|rule| !rule.violations(&source).is_empty()).map(|rule| rule.says).collect()
}

/// One of the rules, by a part of what it says.
#[track_caller]
fn check(path: &str, line: &str, rule: Option<&str>) {
    let broken = broken(path, &format!("//! A file.\n\n{line}\n"));
    match rule {
        None => assert_eq!(broken, [""; 0], "{path}: {line}"),
        Some(part) => {
            assert!(broken.iter().any(|says| says.contains(part)), "{path}: {line}: {broken:?}");
        }
    }
}

#[test]
fn how_a_file_looks() {
    assert_eq!(broken("tests/src/a.rs", "//! A file.\n"), [""; 0]);
    assert_eq!(broken("tests/src/a.rs", "use std::fmt;\n").len(), 1);
    assert_eq!(broken("tests/src/a.rs", "// A file.\n").len(), 1);
    assert_eq!(broken("tests/src/a/mod.rs", "//! A file.\n").len(), 1);
    let long = |lines: usize| format!("//! A file.\n{}", "\n".repeat(lines - 1));
    assert_eq!(broken("kyc-core/src/a.rs", &long(500)), [""; 0]);
    assert_eq!(broken("kyc-core/src/a.rs", &long(501)), ["no file is past 500 lines"]);
}

#[test]
fn what_the_core_may_not_do() {
    let core = "kyc-core/src/usecase/a.rs";
    for line in [
        "use std::fs;",
        "let now = Timestamp::now();",
        "tokio::spawn(work);",
        "    std::thread::yield_now();",
    ] {
        check(core, line, Some("the core does no I/O"));
        check("tests/src/a.rs", line, None);
    }
    let use_case = |first: &str| {
        format!(
            "impl Kyc {{\n    pub async fn read(\n        &self,\n        actor: &Actor,\n    ) {{\n{first}\n    }}\n}}"
        )
    };
    check(core, &use_case("        actor.require(Permission::ReadCustomers)?;"), None);
    check(core, &use_case("        let now = self.now();"), Some("asks for the permission"));
    check(core, "/// Unlike `std::fs`, this does nothing.", None);
    check(core, "let now = self.ports.clock.now();", None);
    check(core, "use kyc_adapters::clock::SystemClock;", Some("the core knows neither"));
    check(core, "use kyc_server::api;", Some("the core knows neither"));
    check("kyc-adapters/src/a.rs", "use poem::Request;", Some("the core knows neither"));
    check("kyc-adapters/src/a.rs", "use kyc_core::ports::Store;", None);
}

#[test]
fn who_alone_may_do_what() {
    let env = "let key = std::env::var(\"KYC_ADMIN_KEY\");";
    check("kyc-server/src/api/auth.rs", env, Some("reads the environment"));
    check("kyc-adapters/src/cipher.rs", env, Some("reads the environment"));
    check("kyc-server/src/cli.rs", "Arg::new(\"a\").env(\"A\")", Some("reads the environment"));
    check("kyc-server/src/config/settings.rs", env, None);
    check("kyc-server/src/api.rs", "env!(\"CARGO_PKG_VERSION\")", None);

    let adapter = "use kyc_adapters::sqlite::SqliteStore;";
    check("kyc-server/src/api/health.rs", adapter, Some("composition root"));
    check("kyc-server/src/worker.rs", adapter, Some("composition root"));
    check("kyc-server/src/wire.rs", adapter, None);
    check("kyc-server/src/run.rs", adapter, None);

    for error in ["impl From<StoreError> for Problem {", "impl From<usecase::PortFailure> for Problem {"] {
        check("kyc-server/src/api/customers.rs", error, Some("maps the core's errors"));
        check("kyc-server/src/api/failures.rs", error, None);
    }
    check("kyc-server/src/api/problem.rs", "impl From<Faults> for Problem {", None);

    for sql in ["\"SELECT 1\"", "\"DELETE FROM customers\"", "\"PRAGMA synchronous\""] {
        check("kyc-server/src/api/report.rs", sql, Some("SQL stands"));
        check("kyc-core/src/usecase.rs", sql, Some("SQL stands"));
        check("kyc-adapters/src/sqlite/sql.rs", sql, None);
        check("kyc-adapters/src/sqlite.rs", sql, None);
    }
    check("kyc-server/src/cli.rs", "/// SELECT what to print.", None);
}

#[test]
fn what_would_be_served_and_not_announced() {
    let rule = Some("from the one table");
    check("kyc-server/src/wire.rs", "            .nest(\"/\", api::service())", None);
    check("kyc-server/src/wire.rs", "            .nest(\"/debug\", debug())", rule);
    check("kyc-server/src/wire.rs", "            .at(\"/metrics\", get(metrics))", rule);
    check("kyc-server/src/api/report.rs", "    #[oai(path = \"/x\", method = \"get\", hidden)]", rule);
}

#[test]
fn what_no_file_may_have() {
    for attribute in [concat!("#[al", "low(dead_code)]"), concat!("#![al", "low(clippy::all)]")] {
        check("tests/src/a.rs", attribute, Some("no lint is allowed away"));
    }
    check(
        "tests/src/a.rs",
        concat!("#[cfg_attr(test, al", "low(dead_code))]"),
        Some("no lint is allowed away"),
    );
    check("tests/src/a.rs", "problem.allow(methods)", None);
    check("tests/src/a.rs", "#[expect(dead_code, reason = \"x\")]", None);
    check("kyc-core/tests/a.rs", concat!("#[ig", "nore]"), Some("no test is ignored"));
}
