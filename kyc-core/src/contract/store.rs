//! The contract of [`Store`].
//!
//! [`store_contract!`](crate::store_contract) makes a test of each case; [`all`] runs them in one go.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::ports::Store;

mod audit;
mod claims;
mod commit;
mod counts;
mod documents;
mod erasure;
mod fields;
mod idempotency;
mod keys;
mod leases;
mod pages;
mod races;
mod rotations;
pub mod rows;

/// The one list of cases: the module and name of each, and the sentence of the port that it tests.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_cases {
    ($then:ident $($given:tt)*) => {
        $crate::$then! {
            [$($given)*]
            commit::a_fresh_store_is_empty_and_ready =
                "A store without commits holds nothing, and says that it is ready.";
            commit::a_registration_is_read_back_by_every_read =
                "A read sees every commit that was answered before the call.";
            commit::a_taken_customer_id_is_a_conflict_and_leaves_nothing =
                "A customer id that is taken is a conflict, and nothing of the changeset stays.";
            commit::ids_that_differ_in_case_alone_are_two_customers =
                "A customer id is compared byte for byte.";
            commit::a_stale_revision_is_a_conflict_and_leaves_nothing =
                "A revision that is not the customer's is a conflict, and nothing of the changeset stays.";
            commit::every_guard_must_hold = "One guard that does not hold keeps the whole changeset out.";
            commit::writes_are_applied_in_order_each_seeing_those_before =
                "The writes are applied in order, each seeing those before it.";
            commit::an_update_of_nobody_fails_and_leaves_nothing = "Only a customer who is there is updated.";
            commit::a_version_is_never_overwritten = "The rows of a version are never overwritten.";
            commit::a_verification_keeps_the_data_of_its_version =
                "A verification is read with the data of its own version.";
            commit::fingerprints_are_replaced_as_a_whole =
                "The fingerprints of a customer take the place of all before.";
            commit::the_first_answer_stays = "Of the answers to a verification the first one stays.";
            races::of_fifty_inserts_of_one_id_one_wins = "Uniqueness is the store's own, not an earlier read.";
            races::of_fifty_updates_of_one_revision_one_wins =
                "Of the changesets that were decided on one revision, one is applied.";
            races::no_read_mixes_two_commits = "A read does not mix two commits.";
            races::no_count_is_lost = "Counters add up, however many changesets change them at once.";
            races::of_fifty_claims_none_is_given_what_another_has =
                "Two callers are not given the same verification before its lease has run out.";
            races::the_chain_holds_after_commits_at_once_and_failed_ones =
                "Each audit event is given the next sequence and hash in the commit of its changeset.";
            fields::every_status_is_read_back = "Every status is read back as it was written.";
            fields::every_state_and_cause_is_read_back = "Every verification is read back as it was written.";
            fields::every_discrepancy_is_read_back = "Every discrepancy is read back, in its order.";
            fields::times_are_kept_to_the_nanosecond = "A time is read back to the nanosecond.";
            fields::sealed_bytes_are_kept_bit_for_bit = "A sealed value is read back bit for bit.";
            fields::numbers_are_kept_at_their_limits = "A number is read back, however big its type allows.";
            pages::pages_are_newest_first_without_gap_or_repeat_under_every_filter =
                "Customers are listed by subject, descending, those alone who pass the filter.";
            pages::a_page_goes_on_behind_its_cursor_whatever_came_since =
                "A page begins behind the last one of the page before.";
            pages::a_fingerprint_finds_those_who_have_it_newest_first =
                "Customers are found by kind, key version and digest together, newest first, up to the limit.";
            pages::who_has_one_of_many_fingerprints_is_found_once =
                "Customers are found by any of many fingerprints, each once, newest first, up to the limit.";
            pages::those_who_share_a_fingerprint_are_told_for_each =
                "Who shares a fingerprint with another is told for each one, newest first, up to the limit for each.";
            pages::decisions_that_ran_out_are_listed_earliest_first =
                "Verified customers whose decision has run out are listed earliest first, up to the limit.";
            pages::verifications_are_of_one_customer_and_newest_first =
                "All verifications of a customer are listed by id, descending.";
            claims::only_what_is_due_is_claimed_earliest_first =
                "What is due is claimed, earliest first, up to the limit.";
            claims::what_is_claimed_is_read_whole = "A claim brings the verification, its customer and its data.";
            claims::a_lease_that_ran_out_is_taken_over_with_a_higher_token =
                "A claim is given a fencing token higher than any before it.";
            claims::a_claim_marks_what_it_hands_out_until_a_write_says_otherwise =
                "What is claimed is given as it was, and is attempted from then on.";
            claims::an_open_verification_is_found_by_its_reference =
                "An open verification is found by its reference, and no ended one.";
            claims::an_ended_verification_is_never_claimed = "What is due at no time is not claimed.";
            claims::next_due_is_the_earliest_whether_leased_or_not =
                "The earliest time at which a verification falls due is told, leases left out of account.";
            leases::a_stale_token_is_refused_and_leaves_nothing =
                "A lease that is not the newest on its verification is a conflict.";
            leases::a_late_lease_holds_until_somebody_takes_over =
                "A lease gives the right to write until somebody else is given it.";
            leases::putting_a_verification_ends_its_lease_and_keeps_its_token_the_highest =
                "A lease on a verification that is put ends, and its token stays the highest.";
            leases::who_guards_against_a_claim_is_refused_until_the_verification_is_put =
                "A verification that somebody has taken since it was last put is a conflict for who guards \
                 against it.";
            leases::a_failed_commit_ends_no_lease = "A changeset that is not applied ends no lease.";
            counts::counters_add_up_and_go_down_again = "A count changes its counter by its value, up or down.";
            counts::a_range_has_its_first_and_last_day_and_none_beside =
                "The counters of the days of a range are told, both ends included.";
            counts::every_counter_is_read_back = "Every counter is read back as it was written.";
            audit::events_are_numbered_from_one_without_a_gap_and_chained =
                "Each audit event is given the next sequence, and the hash that follows on the one before.";
            audit::every_column_of_an_event_is_read_back = "Every audit event is read back as it was written.";
            audit::events_are_read_behind_a_sequence_up_to_a_limit =
                "Events are read in order behind a sequence, up to the limit.";
            audit::the_target_of_an_event_is_read_back_and_hashed =
                "The target of an event is read back, and its hash covers it.";
            audit::events_before_a_sequence_are_read_newest_first_without_gap_or_repeat =
                "Events before a sequence are read newest first, up to the limit.";
            audit::the_events_of_a_person_are_theirs_alone_and_newest_first =
                "With a subject only that person's events are read, whether the person is there or not.";
            audit::the_customer_ids_of_those_who_are_there_are_told =
                "The caller's ids of people are told; of one who is not there there is none.";
            erasure::an_end_of_a_relationship_and_a_hold_are_read_back =
                "The end of a relationship and a legal hold are read back as they were written.";
            erasure::an_erasure_takes_everything_of_one_person_and_nothing_of_another =
                "An erasure takes away everything of its subject; counters, audit events and others stay.";
            erasure::an_erasure_of_nobody_is_a_conflict_and_leaves_nothing =
                "An erasure of a customer who isn't there is a conflict.";
            erasure::a_changeset_that_fails_behind_an_erasure_leaves_the_person =
                "An erasure is undone with the changeset that it is part of.";
            erasure::an_erased_id_is_a_conflict_for_who_guards_against_it =
                "Where one of the fingerprints is of an erased customer the guard is a conflict.";
            erasure::of_fifty_registrations_beside_an_erasure_none_takes_the_id =
                "An id is given to nobody again, also where its erasure is under way.";
            erasure::a_worker_whose_customer_was_erased_meets_a_conflict =
                "A lease on a verification that is no more is a conflict.";
            erasure::what_providers_are_to_forget_is_due_until_it_is_removed =
                "What providers are still to forget is told, earliest first, until it is removed.";
            erasure::an_erasure_is_remembered_once = "An erasure that is noted already stays as it is.";
            erasure::erasures_are_read_back_by_subject_and_page_by_page =
                "Erasures are listed by subject, behind one and up to the limit, each as it was written.";
            erasure::versions_are_oldest_first_with_their_times =
                "Every version of a customer's data is told with its time, oldest first.";
            erasure::ended_relationships_are_listed_by_day_and_subject_without_those_on_hold =
                "Customers under no hold whose relationship has ended are listed by that day and by subject.";
            documents::a_file_is_what_was_staged_once_a_changeset_names_it =
                "Chunks that were staged are a file once a changeset names it, and not before.";
            documents::every_side_and_media_type_is_read_back = "Every file is read back as it was written.";
            documents::a_file_that_is_not_whole_or_of_another_fails_and_leaves_nothing =
                "All chunks of a file have to be staged, for its customer, and no more than it has.";
            documents::a_file_that_was_named_is_not_staged_again =
                "A chunk of a file that was named is not replaced.";
            documents::nothing_is_staged_of_who_is_not_there =
                "Staging for a customer who isn't there is a conflict.";
            documents::the_files_of_a_customer_are_theirs_alone_and_oldest_first =
                "The files of a customer are listed by id.";
            documents::a_file_is_removed_with_its_chunks_by_whose_it_is =
                "A file is removed with its chunks, where it is the customer's.";
            documents::what_no_changeset_named_is_forgotten_oldest_first_up_to_the_limit =
                "Chunks that no changeset has named are taken away, oldest first, up to the limit.";
            documents::an_erasure_takes_files_along_also_those_on_their_way =
                "An erasure takes away the files of its subject, also those on their way, and no other's.";
            documents::a_changeset_that_fails_leaves_files_as_they_were =
                "A changeset that is not applied names no file and removes none.";
            keys::a_key_is_found_by_its_digest_and_read_back =
                "A key is found by its digest, also one that has ended, and read back as it was written.";
            keys::another_digest_finds_no_key = "A digest is compared byte for byte.";
            keys::a_revoked_key_is_seen_revoked_at_once =
                "A key that was revoked is read as revoked by every read after the commit was answered.";
            keys::the_first_revocation_of_a_key_stays = "Where a key has ended the first time stays.";
            keys::the_last_use_of_a_key_never_goes_back =
                "When a key was last used is recorded, unless a later time is there.";
            keys::keys_are_listed_newest_first = "All keys are listed by id, descending.";
            keys::a_taken_digest_or_id_of_a_key_fails_and_leaves_nothing =
                "A key whose digest or id is taken fails, and nothing of the changeset stays.";
            keys::a_change_of_no_key_fails_and_leaves_nothing =
                "Only a key that is there is revoked or marked as used.";
            idempotency::a_record_is_found_by_each_of_its_keys =
                "A record is found by each of its keys, and read back as it was written.";
            idempotency::a_sealed_answer_comes_with_the_key_that_opens_it_now =
                "A record is read with the data key of its customer as it is now.";
            idempotency::another_key_finds_nothing = "The key of a record is compared byte for byte.";
            idempotency::a_taken_key_is_a_conflict_before_every_other_and_leaves_nothing =
                "An idempotency key that is taken is a conflict, whatever else conflicts.";
            idempotency::a_refused_changeset_leaves_its_key_free =
                "A changeset that is not applied leaves no record.";
            idempotency::what_has_expired_gives_way =
                "A record that has expired when the new one is recorded gives way to it.";
            idempotency::what_has_expired_is_removed_earliest_first_up_to_the_limit =
                "Entries that have expired are removed, earliest first, up to the limit.";
            idempotency::of_fifty_changesets_under_one_key_one_is_applied =
                "Of the changesets under one idempotency key one is applied, however many come at once.";
            rotations::customers_are_counted_by_the_version_of_their_key =
                "Customers are counted by the master key's version, by version, and only where there are any.";
            rotations::customers_are_counted_by_the_versions_of_their_fingerprints =
                "A customer counts once for each version of the fingerprint key that a fingerprint has.";
            rotations::those_with_other_fingerprints_are_told =
                "Those of the customers are told who have a fingerprint under another version.";
            rotations::who_was_erased_is_counted_by_the_version_of_the_fingerprint_that_was_kept =
                "Erased customers are counted by the version of what was kept of their ids, and by nothing else.";
            rotations::many_customers_are_wrapped_again_at_once_or_none =
                "A changeset of many customers is applied whole, or not at all where one has changed.";
        }
    };
}

/// Makes a `#[test]` of each case of the contract of a store, inside the module where it stands.
///
/// `store_contract!(open)` runs each case on its own thread without a runtime; with
/// `store_contract!(tokio::test, open)` the tests are `async` functions with that attribute. `open` is an
/// expression for a fresh store, evaluated for each case, or for anything else that is [`Opened`].
///
/// [`Opened`]: crate::contract::store::Opened
#[macro_export]
macro_rules! store_contract {
    ($open:expr $(,)?) => {
        $crate::__store_cases! { __store_tests $open }
    };
    ($attribute:meta, $open:expr $(,)?) => {
        $crate::__store_cases! { __store_tests $attribute, $open }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __store_tests {
    ([$open:expr] $($module:ident :: $name:ident = $sentence:literal;)+) => {
        $(
            #[test]
            fn $name() {
                $crate::contract::block_on(async {
                    let opened = $open;
                    $crate::contract::store::$name($crate::contract::store::Opened::store(&opened)).await;
                });
            }
        )+
    };
    ([$attribute:meta, $open:expr] $($module:ident :: $name:ident = $sentence:literal;)+) => {
        $(
            #[$attribute]
            async fn $name() {
                let opened = $open;
                $crate::contract::store::$name($crate::contract::store::Opened::store(&opened)).await;
            }
        )+
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __store_functions {
    ([] $($module:ident :: $name:ident = $sentence:literal;)+) => {
        $(
            #[doc = $sentence]
            pub async fn $name(store: &dyn Store) {
                $module::$name(store).await;
            }
        )+

        const CASES: &[Case] =
            &[ $( Case { name: stringify!($name), sentence: $sentence, run: |store| $name(store).boxed_local() } ),+ ];
    };
}

struct Case {
    name: &'static str,
    sentence: &'static str,
    run: for<'a> fn(&'a dyn Store) -> LocalBoxFuture<'a, ()>,
}

crate::__store_cases! { __store_functions }

/// A store that was opened for one case, perhaps with what has to outlive it, such as its folder.
pub trait Opened {
    /// The store.
    fn store(&self) -> &dyn Store;
}

impl<S: Store> Opened for S {
    fn store(&self) -> &dyn Store {
        self
    }
}

impl<S: Store, Guard> Opened for (S, Guard) {
    fn store(&self) -> &dyn Store {
        &self.0
    }
}

impl Opened for Arc<dyn Store> {
    fn store(&self) -> &dyn Store {
        &**self
    }
}

/// Runs every case, each on a store of its own.
///
/// It panics at the end where a case failed, with the name and the sentence of each that did.
pub async fn all<F, T>(open: impl Fn() -> F)
where
    F: Future<Output = T>,
    T: Opened,
{
    let mut broken = Vec::new();
    for case in CASES {
        let opened = open().await;
        if AssertUnwindSafe((case.run)(opened.store())).catch_unwind().await.is_err() {
            broken.push(format!("{}: {}", case.name, case.sentence));
        }
    }
    assert!(broken.is_empty(), "the contract of a store is broken:\n{}", broken.join("\n"));
}
