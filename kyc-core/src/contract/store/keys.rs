//! Cases: API keys.

use super::commit::{commit, refused};
use super::rows::{api_key, api_key_id, at, changeset, count, digest};
use crate::domain::api_key::{AddressRange, ApiKey, KeyName};
use crate::domain::permission::Role;
use crate::domain::status::StatusKind;
use crate::ports::Store;
use crate::ports::store::Write;

async fn insert(store: &dyn Store, key: &ApiKey) {
    commit(store, changeset(1, vec![Write::InsertApiKey(key.clone())])).await;
}

async fn found(store: &dyn Store, n: u32) -> ApiKey {
    store.api_key_by_digest(digest(n)).await.expect("a read works").expect("the key is there")
}

fn name(text: &str) -> KeyName {
    KeyName::parse(text).expect("a name of the right form")
}

fn ranges(texts: &[&str]) -> Vec<AddressRange> {
    texts.iter().map(|text| AddressRange::parse(text).expect("a range of the right form")).collect()
}

pub(super) async fn a_key_is_found_by_its_digest_and_read_back(store: &dyn Store) {
    let addresses = [
        ranges(&[]),
        ranges(&["192.0.2.7"]),
        ranges(&["2001:db8::/32"]),
        // In an order of their own, and one of them twice.
        ranges(&["203.0.113.0/24", "::/0", "10.0.0.0/8", "0.0.0.0/0", "2001:db8::7", "10.0.0.0/8"]),
        ranges(&["2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "::ffff:10.0.0.0/104"]).repeat(16),
    ];
    let longest = format!("A.z_0@{}-", "9".repeat(57));
    let mut written = Vec::new();
    for role in Role::ALL {
        for allowed_addresses in &addresses {
            // Each time absent and there, and no two the same.
            for times in 0..8 {
                let n = u32::try_from(written.len()).expect("few keys");
                written.push(ApiKey {
                    name: name(if times < 4 { "a" } else { &longest }),
                    subject: name(if times % 2 == 0 { &longest } else { "ada@example.com" }),
                    role: *role,
                    allowed_addresses: allowed_addresses.clone(),
                    expires_at: (times & 1 != 0).then(|| at(n + 1_000)),
                    revoked_at: (times & 2 != 0).then(|| at(n + 2_000)),
                    last_used_at: (times & 4 != 0).then(|| at(n + 3_000)),
                    ..api_key(n)
                });
            }
        }
    }
    commit(store, changeset(1, written.iter().cloned().map(Write::InsertApiKey).collect())).await;
    for (n, key) in (0..).zip(&written) {
        assert_eq!(&found(store, n).await, key);
    }
    let mut listed = store.api_keys().await.expect("a read works");
    listed.reverse();
    assert_eq!(listed, written);
}

pub(super) async fn another_digest_finds_no_key(store: &dyn Store) {
    insert(store, &api_key(1)).await;
    for place in 0..32 {
        let mut other = digest(1);
        other[place] ^= 1;
        assert_eq!(store.api_key_by_digest(other).await, Ok(None), "byte {place}");
    }
    assert_eq!(found(store, 1).await, api_key(1));
}

pub(super) async fn a_revoked_key_is_seen_revoked_at_once(store: &dyn Store) {
    for n in 1..=20 {
        insert(store, &api_key(n)).await;
        // It is read before, so that a copy from then would be seen.
        assert_eq!(found(store, n).await, api_key(n));
        let revoke = Write::RevokeApiKey { id: api_key_id(n), at: at(n + 100) };
        commit(store, changeset(n, vec![revoke])).await;
        let revoked = ApiKey { revoked_at: Some(at(n + 100)), ..api_key(n) };
        assert_eq!(found(store, n).await, revoked);
        assert_eq!(store.api_keys().await.expect("a read works").first(), Some(&revoked));
    }
}

pub(super) async fn the_first_revocation_of_a_key_stays(store: &dyn Store) {
    let revoke = |n, second| Write::RevokeApiKey { id: api_key_id(n), at: at(second) };
    insert(store, &api_key(1)).await;
    insert(store, &api_key(2)).await;
    insert(store, &ApiKey { revoked_at: Some(at(50)), ..api_key(3) }).await;
    commit(store, changeset(2, vec![revoke(1, 50), revoke(1, 40)])).await;
    for second in [60, 30] {
        // A revocation that came late does not keep out the rest of its changeset.
        let used = Write::TouchApiKey { id: api_key_id(1), at: at(second) };
        commit(store, changeset(3, vec![revoke(1, second), revoke(3, second), used])).await;
    }
    let revoked = |n| ApiKey { revoked_at: Some(at(50)), ..api_key(n) };
    assert_eq!(found(store, 1).await, ApiKey { last_used_at: Some(at(60)), ..revoked(1) });
    assert_eq!(found(store, 2).await, api_key(2));
    assert_eq!(found(store, 3).await, revoked(3));
}

pub(super) async fn the_last_use_of_a_key_never_goes_back(store: &dyn Store) {
    insert(store, &api_key(1)).await;
    insert(store, &api_key(2)).await;
    for (used, last) in [(50, 50), (40, 50), (50, 50), (51, 51), (0, 51), (900, 900)] {
        let touch = Write::TouchApiKey { id: api_key_id(1), at: at(used) };
        commit(store, changeset(2, vec![touch])).await;
        assert_eq!(found(store, 1).await, ApiKey { last_used_at: Some(at(last)), ..api_key(1) });
    }
    assert_eq!(found(store, 2).await, api_key(2));
}

pub(super) async fn keys_are_listed_newest_first(store: &dyn Store) {
    for n in [3, 1, 5, 2, 4] {
        insert(store, &api_key(n)).await;
    }
    // What changes later does not move a key.
    let id = api_key_id(2);
    let writes =
        vec![Write::RevokeApiKey { id, at: at(70) }, Write::TouchApiKey { id: api_key_id(1), at: at(80) }];
    commit(store, changeset(6, writes)).await;
    let listed = store.api_keys().await.expect("a read works");
    let ids: Vec<_> = listed.into_iter().map(|key| key.id).collect();
    assert_eq!(ids, [5, 4, 3, 2, 1].map(api_key_id));
}

pub(super) async fn a_taken_digest_or_id_of_a_key_fails_and_leaves_nothing(store: &dyn Store) {
    insert(store, &api_key(1)).await;
    let same_digest = ApiKey { digest: digest(1), ..api_key(2) };
    let same_id = ApiKey { id: api_key_id(1), ..api_key(2) };
    let revoked = ApiKey { revoked_at: Some(at(1)), ..api_key(1) };
    for taken in [same_digest, same_id, api_key(1), revoked] {
        let writes = vec![
            Write::Count(count(StatusKind::Pending, 1)),
            Write::InsertApiKey(api_key(3)),
            Write::RevokeApiKey { id: api_key_id(1), at: at(2) },
            Write::TouchApiKey { id: api_key_id(1), at: at(2) },
            Write::InsertApiKey(taken),
        ];
        refused(store, changeset(2, writes), None).await;
    }
    let twice = ApiKey { digest: digest(2), ..api_key(3) };
    let writes = vec![Write::InsertApiKey(api_key(2)), Write::InsertApiKey(twice)];
    refused(store, changeset(2, writes), None).await;
    // What was taken back can be written again; a name belongs to nobody.
    insert(store, &api_key(2)).await;
    insert(store, &ApiKey { name: api_key(1).name, subject: api_key(1).subject, ..api_key(3) }).await;
}

pub(super) async fn a_change_of_no_key_fails_and_leaves_nothing(store: &dyn Store) {
    insert(store, &api_key(1)).await;
    let (id, at) = (api_key_id(2), at(9));
    for missing in [Write::RevokeApiKey { id, at }, Write::TouchApiKey { id, at }] {
        let writes = vec![Write::TouchApiKey { id: api_key_id(1), at }, missing];
        refused(store, changeset(2, writes), None).await;
    }
}
