//! Every state with every event, the rule that opens, and what holds whatever happens.

use proptest::prelude::*;

use super::*;

const POLICY: BreakerPolicy = BreakerPolicy {
    in_a_row: 3,
    least: 4,
    most: 8,
    failing_percent: 50,
    window: Duration::from_mins(5),
    pause: Duration::from_secs(5),
    longest_pause: Duration::from_secs(20),
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

fn of(number: u8) -> VerificationId {
    VerificationId::from_bytes([number; 16])
}

/// A breaker after calls about verifications 1, 2 and so on, `x` for one that failed and `.` for an answer.
fn after(calls: &str) -> Breaker {
    let mut breaker = Breaker::default();
    for (call, number) in calls.chars().zip(1..) {
        let pass = breaker.ask(at(0)).unwrap();
        let heard = if call == 'x' { Heard::Failed } else { Heard::Answered };
        breaker.hear(pass, of(number), heard, at(0), &POLICY);
    }
    breaker
}

/// One whose pause of five seconds is over, and the probe that it admits.
fn probing() -> (Breaker, Pass) {
    let mut breaker = after("xxxx");
    let probe = breaker.ask(at(5)).unwrap();
    (breaker, probe)
}

fn state(breaker: &Breaker, seconds: i64) -> (BreakerState, Option<i64>) {
    let standing = breaker.standing(at(seconds));
    (standing.state, standing.retry_at.map(|time| time.duration_since(at(0)).as_secs()))
}

#[test]
fn every_state_with_every_event_is_as_the_table_says() {
    use BreakerState::{Closed, HalfOpen, Open};
    // Closed: any call is admitted, and so are others beside it.
    let closed = after("xxx");
    for (heard, expected) in [
        (Heard::Answered, (Closed, None)),
        (Heard::Failed, (Open, Some(5))),
        (Heard::Nothing, (Closed, None)),
    ] {
        let mut breaker = closed.clone();
        let pass = breaker.ask(at(0)).unwrap();
        assert_eq!(breaker.ask(at(0)), Ok(pass));
        breaker.hear(pass, of(9), heard, at(0), &POLICY);
        assert_eq!(state(&breaker, 0), expected, "closed, {heard:?}");
    }
    // Open: no call before its time, and a call of before changes nothing.
    let mut breaker = after("xxx");
    let (early, late) = (breaker.ask(at(0)).unwrap(), breaker.ask(at(0)).unwrap());
    breaker.hear(early, of(4), Heard::Failed, at(0), &POLICY);
    assert_eq!(breaker.ask(at(4)), Err(at(5)));
    for heard in [Heard::Answered, Heard::Failed, Heard::Nothing] {
        let mut breaker = breaker.clone();
        breaker.hear(late, of(5), heard, at(4), &POLICY);
        assert_eq!(state(&breaker, 4), (Open, Some(5)), "open, {heard:?}");
    }
    assert_eq!(state(&breaker, 5), (HalfOpen, Some(5)), "the next call is the probe");
    // Half open: one call and no other.
    for (heard, expected) in [
        (Heard::Answered, (Closed, None)),
        (Heard::Failed, (Open, Some(17))),
        (Heard::Nothing, (HalfOpen, Some(7))),
    ] {
        let (mut breaker, probe) = probing();
        assert_eq!(state(&breaker, 6), (HalfOpen, Some(10)));
        assert_eq!(breaker.ask(at(6)), Err(at(10)));
        assert_eq!(breaker.ask(at(11)), Err(at(11)), "however long the probe takes");
        breaker.hear(late, of(5), Heard::Answered, at(6), &POLICY);
        assert_eq!(state(&breaker, 6).0, HalfOpen, "a call of before says nothing of now");
        breaker.hear(probe, of(6), heard, at(7), &POLICY);
        assert_eq!(state(&breaker, 7), expected, "half open, {heard:?}");
    }
}

#[test]
fn it_opens_by_a_row_and_a_share_of_enough_different_verifications() {
    for (calls, opens) in [
        ("xxx", false),
        ("xxxx", true),
        (".xxx", true),
        ("..xxx", true),
        ("....xxx", false),
        ("....xxxx", true),
        ("xx.xx", false),
        ("xx.x.x.x", false),
    ] {
        let breaker = after(calls);
        assert_eq!(breaker.standing(at(0)).state != BreakerState::Closed, opens, "{calls}");
    }
    // By the documented defaults.
    let policy = BreakerPolicy::default();
    let mut breaker = Breaker::default();
    for number in 1..=10 {
        assert_eq!(breaker.standing(at(0)).state, BreakerState::Closed, "{number}");
        let pass = breaker.ask(at(0)).unwrap();
        breaker.hear(pass, of(number), Heard::Failed, at(0), &policy);
    }
    assert_eq!(state(&breaker, 0), (BreakerState::Open, Some(5)));
}

#[test]
fn the_bad_luck_of_one_applicant_opens_nothing() {
    let mut breaker = Breaker::default();
    for tries in 0..1000 {
        for number in 1..=3 {
            let pass = breaker.ask(at(tries)).unwrap();
            breaker.hear(pass, of(number), Heard::Failed, at(tries), &POLICY);
        }
    }
    assert_eq!(breaker.standing(at(1000)).state, BreakerState::Closed);
}

#[test]
fn calls_of_long_ago_do_not_count() {
    let mut breaker = after("xxx");
    let pass = breaker.ask(at(300)).unwrap();
    breaker.hear(pass, of(4), Heard::Failed, at(300), &POLICY);
    assert_eq!(breaker.standing(at(300)).state, BreakerState::Closed);
}

#[test]
fn each_probe_that_fails_doubles_the_pause_up_to_its_bound() {
    let mut breaker = after("xxxx");
    let mut now = 5;
    for pause in [10, 20, 20, 20] {
        let probe = breaker.ask(at(now)).unwrap();
        breaker.hear(probe, of(9), Heard::Failed, at(now), &POLICY);
        now += pause;
        assert_eq!(state(&breaker, 0), (BreakerState::Open, Some(now)));
    }
    let probe = breaker.ask(at(now)).unwrap();
    breaker.hear(probe, of(9), Heard::Answered, at(now), &POLICY);
    assert_eq!(breaker.standing(at(now)).state, BreakerState::Closed);
    // What failed before counts no more.
    for number in 1..=3 {
        let pass = breaker.ask(at(now)).unwrap();
        breaker.hear(pass, of(number), Heard::Failed, at(now), &POLICY);
    }
    assert_eq!(breaker.standing(at(now)).state, BreakerState::Closed);
}

/// Something that happens: a call is asked for, the call at an index ends, time goes by.
#[derive(Debug, Clone, Copy)]
enum Step {
    Ask,
    End(usize, Heard),
    Wait(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let heard = prop_oneof![1 => Just(Heard::Answered), 3 => Just(Heard::Failed), 1 => Just(Heard::Nothing)];
    prop_oneof![
        4 => Just(Step::Ask),
        4 => (any::<usize>(), heard).prop_map(|(index, heard)| Step::End(index, heard)),
        2 => (0..30_u8).prop_map(Step::Wait),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_probes_come_one_at_a_time_and_an_answer_closes(
        steps in prop::collection::vec(step(), 0..200)
    ) {
        let mut breaker = Breaker::default();
        let (mut under_way, mut now, mut number) = (Vec::new(), 0_i64, 0_u8);
        let mut probe: Option<Pass> = None;
        for step in steps {
            let before = breaker.standing(at(now)).state;
            let refused = breaker.refuses_until(at(now));
            match step {
                Step::Ask => {
                    let asked = breaker.ask(at(now));
                    prop_assert_eq!(asked.err(), refused, "what was foretold");
                    if let Ok(pass) = asked {
                        if before == BreakerState::HalfOpen {
                            prop_assert!(probe.is_none(), "two probes at once");
                            probe = Some(pass);
                        }
                        under_way.push(pass);
                    } else {
                        prop_assert!(before != BreakerState::Closed);
                        prop_assert!(refused >= Some(at(now)));
                    }
                }
                Step::End(index, heard) if !under_way.is_empty() => {
                    let pass = under_way.swap_remove(index % under_way.len());
                    number = number.wrapping_add(1);
                    breaker.hear(pass, of(number), heard, at(now), &POLICY);
                    let after = breaker.standing(at(now)).state;
                    if probe == Some(pass) {
                        probe = None;
                        prop_assert_eq!(after == BreakerState::Closed, heard == Heard::Answered);
                    } else if after != before {
                        let opened = (before, after) == (BreakerState::Closed, BreakerState::Open);
                        prop_assert!(opened && heard == Heard::Failed, "{before} to {after} by {heard:?}");
                    }
                }
                Step::End(..) => {}
                Step::Wait(seconds) => now += i64::from(seconds),
            }
        }
        // However it was left, it recovers: the call under way ends, the pause passes, the next answer closes it.
        for pass in under_way {
            breaker.hear(pass, of(1), Heard::Nothing, at(now), &POLICY);
        }
        let pass = breaker.ask(at(now + 20)).unwrap();
        breaker.hear(pass, of(1), Heard::Answered, at(now + 20), &POLICY);
        prop_assert_eq!(breaker.standing(at(now + 20)).state, BreakerState::Closed);
    }

    #[test]
    fn it_opens_by_the_rule_and_no_other(calls in prop::collection::vec((1..12_u8, any::<bool>()), 0..60)) {
        let mut breaker = Breaker::default();
        // The rule told once more, over everything that was ever heard.
        let mut latest: Vec<(u8, bool)> = Vec::new();
        for (number, failed) in calls {
            let pass = breaker.ask(at(0)).unwrap();
            let heard = if failed { Heard::Failed } else { Heard::Answered };
            breaker.hear(pass, of(number), heard, at(0), &POLICY);
            latest.retain(|(other, _)| *other != number);
            latest.push((number, failed));
            let looked_at = &latest[latest.len().saturating_sub(POLICY.most)..];
            let failing = looked_at.iter().filter(|(_, failed)| *failed).count();
            let row = looked_at.len() >= 3 && looked_at[looked_at.len() - 3..].iter().all(|(_, failed)| *failed);
            let expected = row && looked_at.len() >= POLICY.least && failing * 2 >= looked_at.len();
            prop_assert_eq!(breaker.standing(at(0)).state == BreakerState::Open, expected);
            if expected {
                return Ok(());
            }
        }
    }
}
