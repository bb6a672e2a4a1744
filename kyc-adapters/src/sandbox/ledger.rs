//! What the sandbox remembers: of a submission its id, a keyed hash of its body, and the row of the table.
//! No personal data, and no more entries than fit.

use std::collections::{BTreeMap, HashMap, VecDeque};

use jiff::Timestamp;
use kyc_core::domain::ids::VerificationId;
use serde::Serialize;

use super::table::Behaviour;

/// The most verifications that are remembered; the oldest is dropped for a new one.
const MAX_ENTRIES: usize = 100_000;

/// How often one verification was submitted. Each attempt of ours should stay at one distinct submission,
/// whatever was killed in between.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct SubmissionCount {
    /// Submissions that were accepted as new. A second one can only follow a `DELETE`.
    pub distinct: u32,
    /// Submissions of another body under an accepted id, which were refused.
    pub conflicts: u32,
    /// All submissions with a right signature: the above, repeats, and those turned away as unavailable.
    pub posts: u32,
}

/// What became of a submission.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Submitted {
    /// It was turned away for now.
    Unavailable,
    /// The id was accepted with another body.
    Conflict,
    /// It was accepted, at this time, now or earlier.
    Accepted(Behaviour, Timestamp),
}

struct Accepted {
    behaviour: Behaviour,
    body: Vec<u8>,
    at: Timestamp,
}

#[derive(Default)]
struct Entry {
    accepted: Option<Accepted>,
    failures: u32,
    count: SubmissionCount,
}

#[derive(Default)]
pub(super) struct Ledger {
    entries: HashMap<VerificationId, Entry>,
    by_age: VecDeque<VerificationId>,
}

impl Ledger {
    /// Takes a submission; `body` is its keyed hash.
    pub(super) fn submit(
        &mut self,
        verification: VerificationId,
        behaviour: Behaviour,
        body: Vec<u8>,
        now: Timestamp,
    ) -> Submitted {
        self.make_room(verification);
        let entry = self.entries.entry(verification).or_insert_with(|| {
            self.by_age.push_back(verification);
            Entry::default()
        });
        entry.count.posts += 1;
        match &entry.accepted {
            Some(accepted) if accepted.body != body => {
                entry.count.conflicts += 1;
                Submitted::Conflict
            }
            Some(accepted) => Submitted::Accepted(accepted.behaviour, accepted.at),
            None if behaviour.is_unavailable(entry.failures) => {
                entry.failures += 1;
                Submitted::Unavailable
            }
            None => {
                entry.count.distinct += 1;
                entry.accepted = Some(Accepted { behaviour, body, at: now });
                Submitted::Accepted(behaviour, now)
            }
        }
    }

    /// The row of an accepted verification, and when it was accepted.
    pub(super) fn look(&self, verification: VerificationId) -> Option<(Behaviour, Timestamp)> {
        let accepted = self.entries.get(&verification)?.accepted.as_ref()?;
        Some((accepted.behaviour, accepted.at))
    }

    /// Forgets a verification but for its counts, which are about us; says whether it was known.
    pub(super) fn forget(&mut self, verification: VerificationId) -> bool {
        self.entries.get_mut(&verification).and_then(|entry| entry.accepted.take()).is_some()
    }

    pub(super) fn counts(&self) -> BTreeMap<VerificationId, SubmissionCount> {
        self.entries.iter().map(|(verification, entry)| (*verification, entry.count)).collect()
    }

    fn make_room(&mut self, incoming: VerificationId) {
        if self.entries.len() >= MAX_ENTRIES
            && !self.entries.contains_key(&incoming)
            && let Some(oldest) = self.by_age.pop_front()
        {
            self.entries.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> VerificationId {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        VerificationId::from_bytes(bytes)
    }

    fn submit(ledger: &mut Ledger, number: u32, body: u8) -> Submitted {
        ledger.submit(id(number), Behaviour::Clear, vec![body], Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn repeats_conflicts_and_new_ones_are_told_apart() {
        let mut ledger = Ledger::default();
        let accepted = Submitted::Accepted(Behaviour::Clear, Timestamp::UNIX_EPOCH);
        assert_eq!(submit(&mut ledger, 1, 1), accepted);
        assert_eq!(submit(&mut ledger, 1, 1), accepted);
        assert_eq!(submit(&mut ledger, 1, 2), Submitted::Conflict);
        assert_eq!(ledger.counts()[&id(1)], SubmissionCount { distinct: 1, conflicts: 1, posts: 3 });
        assert!(ledger.forget(id(1)));
        assert!(!ledger.forget(id(1)));
        assert_eq!(ledger.look(id(1)), None);
        assert_eq!(submit(&mut ledger, 1, 2), accepted);
        assert_eq!(ledger.counts()[&id(1)], SubmissionCount { distinct: 2, conflicts: 1, posts: 4 });
    }

    #[test]
    fn the_oldest_makes_room() {
        let mut ledger = Ledger::default();
        let many = u32::try_from(MAX_ENTRIES).unwrap();
        for number in 0..=many {
            submit(&mut ledger, number, 0);
            submit(&mut ledger, number, 0);
        }
        assert_eq!(ledger.entries.len(), MAX_ENTRIES);
        assert_eq!(ledger.by_age.len(), MAX_ENTRIES);
        assert_eq!(ledger.look(id(0)), None);
        assert!(ledger.look(id(many)).is_some());
    }
}
