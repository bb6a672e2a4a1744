//! The CHECKs of the database hold exactly the words of the core's vocabularies.

use std::collections::BTreeSet;

use kyc_adapters::sqlite::{SqliteConfig, SqliteStore};
use kyc_core::domain::report::Decider;
use kyc_core::domain::status::{Stage, StatusKind};
use kyc_core::domain::verification::{Cause, Finding, StateKind};
use kyc_core::domain::words::Vocabulary;
use rusqlite::Connection;

fn words<T: Vocabulary>() -> BTreeSet<String> {
    T::WORDS.iter().map(|word| word.word().to_owned()).collect()
}

/// The lists that stand behind each `{column} IN (`.
fn lists(sql: &str, column: &str) -> Vec<BTreeSet<String>> {
    let bare = |text: &str| text.trim().trim_matches('\'').to_owned();
    let begin = format!("{column} IN (");
    let lists = sql.split(&begin).skip(1).filter_map(|rest| rest.split(')').next());
    lists.filter(|list| list.contains('\'')).map(|list| list.split(',').map(bare).collect()).collect()
}

/// The words of each `CASE {column} WHEN … END`.
fn cases(sql: &str, column: &str) -> Vec<BTreeSet<String>> {
    let begin = format!("CASE {column}\n");
    let cases = sql.split(&begin).skip(1).filter_map(|rest| rest.split("END").next());
    let whens = |case: &str| {
        let whens = case.split("WHEN '").skip(1).filter_map(|rest| rest.split('\'').next());
        whens.map(str::to_owned).collect()
    };
    cases.map(whens).collect()
}

/// What of the words of the schema differs from the core's.
fn violations(sql: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut expect = |place: &str, seen: Vec<BTreeSet<String>>, known: &[BTreeSet<String>]| {
        if seen.len() < known.len() {
            found.push(format!("{place}: no CHECK"));
        }
        for words in seen {
            if !known.contains(&words) {
                found.push(format!("{place}: {words:?}"));
            }
        }
    };
    expect("status", cases(sql, "status"), &[words::<StatusKind>()]);
    expect("stage", lists(sql, "stage"), &[words::<Stage>()]);
    expect("cause", lists(sql, "cause"), &[words::<Cause>()]);
    expect("finding", lists(sql, "finding"), &[words::<Finding>()]);
    expect("counter", lists(sql, "word"), &[words::<StatusKind>(), words::<Decider>()]);
    // One CASE of the state has a branch for each; another one only for those that have findings.
    let states = words::<StateKind>();
    let whole: Vec<_> = cases(sql, "state").into_iter().filter(|words| words.len() > 1).collect();
    expect("state", whole, &[states]);
    found
}

/// The schema as it is once every migration has run: what an older one said of a table counts no more.
fn schema() -> String {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(SqliteConfig::new(folder.path())).unwrap();
    drop(store);
    let connection = Connection::open(folder.path().join("kyc.db")).unwrap();
    let mut statement = connection.prepare("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").unwrap();
    let statements = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    statements.map(|sql| sql.unwrap() + "\n").collect()
}

#[test]
fn the_checks_hold_the_words_of_the_core() {
    assert_eq!(violations(&schema()), [""; 0]);
}

#[test]
fn a_word_too_many_or_too_few_is_found() {
    let sql = schema();
    for (from, to) in [
        ("WHEN 'verified' THEN stage", "WHEN 'approved' THEN stage"),
        ("stage IN ('queued', ", "stage IN ("),
        ("'expiry', 'document', 'second_opinion'", "'expiry', 'document', 'second_opinion', 'whim'"),
        ("finding IN ('clear', 'consider', 'unusable')", "finding IN ('clear', 'consider')"),
        ("word IN ('automatic', 'manual')", "word IN ('automatic')"),
        ("WHEN 'superseded' THEN due_at", "WHEN 'overtaken' THEN due_at"),
        ("cause IN (", "cause NOT IN ("),
    ] {
        assert!(sql.contains(from), "{from}");
        assert_eq!(violations(&sql.replace(from, to)).len(), 1, "{from} -> {to}");
    }
}
