//! A provider that never answers: few looks, and an end.

use std::time::Duration;

use super::*;
use crate::domain::discrepancy::Code;
use crate::domain::schedule::RetryPolicy;
use crate::domain::status::Stage;
use crate::ports::Clock;
use crate::ports::provider::{Progress, Step};
use crate::ports::store::{Queue, VerificationReads};

fn silent() -> Step {
    Step::Save { progress: Progress::new(b"theirs".to_vec()).unwrap(), again_in: None }
}

fn asks(again_in: Option<Duration>) -> Step {
    let link = Secret::new("https://vendor.example/x".to_owned());
    Step::Ask { progress: Progress::new(b"theirs".to_vec()).unwrap(), link, again_in }
}

impl World {
    /// Runs what falls due, each at its time, until `end` or until nothing is left to do; every step comes to `step`.
    fn live_until(&self, end: jiff::Timestamp, step: &Step) {
        while let Some(due) = now(self.store.next_due(Queue::Verifications)).unwrap()
            && due <= end
        {
            let wait = due.duration_since(self.clock.now()).max(SignedDuration::ZERO);
            self.clock.advance(wait);
            self.provider.answer_with(Ok(step.clone()));
            self.run_due();
        }
    }
}

fn hours(world: &World, hours: i64) -> jiff::Timestamp {
    world.clock.now() + SignedDuration::from_hours(hours)
}

#[test]
fn a_day_of_silence_is_few_looks() {
    let world = World::new();
    world.register();
    world.live_until(hours(&world, 24), &silent());
    let looks = world.provider.steps();
    assert!((90..=125).contains(&looks), "{looks}");
    assert_eq!(world.provider.distinct_submissions(), 1);
    assert_eq!(world.status().status, Status::Pending(Stage::WithProvider));
}

#[test]
fn who_is_silent_for_ever_is_given_up_when_the_time_is_over_and_not_before() {
    for (step, stage, code) in [
        (silent(), Stage::WithProvider, Code::ProviderUnavailable),
        (asks(None), Stage::AwaitingCustomer, Code::SessionAbandoned),
        // A time past the end does not put the end off, nor does it bring it on.
        (asks(Some(Duration::from_hours(1000))), Stage::AwaitingCustomer, Code::SessionAbandoned),
    ] {
        let retry = RetryPolicy { give_up_after: Duration::from_hours(30), ..RetryPolicy::default() };
        let world = World::with(Policy { retry, ..Policy::default() });
        world.register();
        let end = hours(&world, 30);
        world.live_until(end - SignedDuration::from_secs(1), &step);
        assert_eq!(world.status().status, Status::Pending(stage), "{code}");
        world.live_until(end, &step);
        assert_eq!(world.clock.now(), end, "{code}");
        let status = world.status();
        assert_eq!(status.status, Status::Pending(Stage::InReview), "{code}");
        assert_eq!(status.discrepancies[0].code, code);
        assert_eq!(now(world.store.next_due(Queue::Verifications)).unwrap(), None);
    }
}
