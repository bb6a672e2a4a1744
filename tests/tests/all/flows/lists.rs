//! Lists of customers: newest first, filtered, a page at a time.

use kyc_tests::app::TestApp;
use kyc_tests::app::reply::str;
use serde_json::{Value, json};

fn page(app: &TestApp, query: &str) -> (Vec<String>, Value) {
    let page = app.get(&format!("/customers{query}")).expect(200).json;
    let ids = page["items"].as_array().unwrap().iter().map(|one| str(&one["customer_id"]).to_owned());
    (ids.collect(), page["next_cursor"].clone())
}

/// Registers these customers a second apart.
fn registered(numbers: &[(&str, &str)]) -> TestApp {
    let app = TestApp::start();
    for (id, number) in numbers {
        app.register(id, number);
        app.advance(1);
    }
    app.run_due();
    app
}

#[test]
fn pages_follow_one_another_and_end() {
    let app = registered(&[("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"), ("e", "5")]);
    let (first, cursor) = page(&app, "?limit=2");
    assert_eq!(first, ["e", "d"]);
    // Whoever comes while somebody turns the pages moves none of them.
    app.register("f", "6");
    let (second, next) = page(&app, &format!("?limit=2&cursor={}", str(&cursor)));
    assert_eq!(second, ["c", "b"]);
    let (third, last) = page(&app, &format!("?limit=2&cursor={}", str(&next)));
    assert_eq!((third, last), (vec!["a".to_owned()], Value::Null));
    assert_eq!(page(&app, "?limit=6").1, Value::Null, "a page that is full and the last");
    assert_eq!(page(&app, "").0, ["f", "e", "d", "c", "b", "a"]);
    assert_eq!(page(&TestApp::start(), ""), (vec![], Value::Null));
}

#[test]
fn a_page_holds_fifty_where_no_limit_is_given_and_two_hundred_at_most() {
    let app = TestApp::start();
    for n in 0..51 {
        app.register(&format!("cus-{n}"), "1");
    }
    let (items, cursor) = page(&app, "");
    assert_eq!((items.len(), cursor.is_string()), (50, true));
    assert_eq!(page(&app, &format!("?cursor={}", str(&cursor))).0.len(), 1);
    assert_eq!(page(&app, "?limit=200").0.len(), 51);
}

#[test]
fn customers_are_filtered_by_status_and_stage() {
    let app = registered(&[
        ("ok", "1"),
        ("bad", "2-REJECT"),
        ("review", "3-CONSIDER"),
        ("again", "4-RETRY"),
        ("slow", "5-SLOW"),
        ("also-ok", "6"),
    ]);
    app.register("new", "7");
    for (query, ids) in [
        ("?status=verified", &["also-ok", "ok"][..]),
        ("?status=rejected", &["bad"]),
        ("?status=pending", &["new", "slow", "again", "review"]),
        ("?stage=queued", &["new"]),
        ("?stage=with_provider", &["slow"]),
        ("?stage=awaiting_customer", &["again"]),
        ("?stage=in_review&status=pending", &["review"]),
        ("?stage=in_review&status=verified", &[]),
    ] {
        assert_eq!(page(&app, query).0, ids, "{query}");
    }
    let (first, cursor) = page(&app, "?status=pending&limit=3");
    assert_eq!(first, ["new", "slow", "again"]);
    assert_eq!(page(&app, &format!("?status=pending&limit=3&cursor={}", str(&cursor))).0, ["review"]);
}

#[test]
fn an_item_of_a_list_is_the_customer_as_a_read_shows_it() {
    let app = registered(&[("a", "1")]);
    let list = app.get("/customers").expect(200).json;
    assert_eq!(list, json!({"items": [app.get("/customers/a").expect(200).json], "next_cursor": null}));
}
