//! The form of a checkpoint, byte by byte, and what a walk finds with one that a walk without finds not.

use data_encoding::HEXLOWER;

use super::*;
use crate::domain::actor::Actor;
use crate::domain::audit::{Action, AuditEvent, ChainFault, ChainWalk, ChainedEvent};
use crate::domain::ids::ChangesetId;

/// The key of the seed `00 01 … 1f`, a checkpoint of the chain that ARCHITECTURE.md publishes, and its signature,
/// all three made by another implementation (Python's `cryptography` 48). They are a vector, and no key of anybody.
const KEY: &str = "kyc-audit/56475aa75463474c+111655bc+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
const HEAD: &str = "8aca77f6c593e1d8f55587362178c8639abd813fcf6c63c47f294d0c106e19ed";
const SIGNATURE: &str = "d79bc7ce735071b76eef8213003b35d3b29da5a10dda4b3184b05032bc58cb82\
                         ce3f3c9b335a4a2ed8de2ae0373a6dac08fb1f740a7ba8c4194f8783cb988400";
const TEXT: &str = "kyc-audit/56475aa75463474c\n3\nisp39sWT4dj1VYc2IXjIY5q9gT/PbGPEfylNDBBuGe0=\n\
                    time 2026-01-31T12:00:00Z\n";
const LINE: &str = "\u{2014} kyc-audit/56475aa75463474c \
                    ERZVvNebx85zUHG3bu+CEwA7NdOynaWhDdpLMYSwUDK8WMuCzj88mzNaSi7Y3irgNzptrAj7H3QKe6jEGU+Hg8uYhAA=\n";
const WITNESS: &str = "\u{2014} witness.example.com/w1 AAAAAXdpdG5lc3M=\n";

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    HEXLOWER.decode(hex.as_bytes()).unwrap().try_into().unwrap()
}

fn key() -> VerifierKey {
    VerifierKey::parse(KEY).unwrap()
}

fn checkpoint() -> Checkpoint {
    Checkpoint {
        size: 3,
        head: AuditHash::from_bytes(bytes(HEAD)),
        at: "2026-01-31T12:00:00Z".parse().unwrap(),
    }
}

/// Knows one signature, in place of Ed25519, which the core has not.
fn verify(public: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    (*public, message, signature) == (key().public, TEXT.as_bytes(), &bytes::<64>(SIGNATURE)[..])
}

fn always(_: &[u8; 32], _: &[u8], _: &[u8]) -> bool {
    true
}

fn open(note: &str) -> Result<Checkpoint, NoteFault> {
    Checkpoint::open(note, &key(), verify)
}

#[test]
fn a_checkpoint_has_the_form_that_another_implementation_gives_it() {
    assert_eq!(checkpoint().text(&key()), TEXT);
    let note = checkpoint().note(&key(), &bytes(SIGNATURE));
    assert_eq!(note, format!("{TEXT}\n{LINE}"));
    assert_eq!(open(&note), Ok(checkpoint()));
}

#[test]
fn a_key_has_its_text_and_another_text_is_none() {
    let made = VerifierKey::of_audit_log(key().public);
    assert_eq!((made.to_string().as_str(), made), (KEY, key()));
    let named = VerifierKey { name: String::from("example.com/log"), ..key() };
    assert_eq!(VerifierKey::parse(&named.to_string()), Ok(named));
    for text in [
        "",
        "kyc-audit/56475aa75463474c",
        &KEY.replace("111655bc", "111655bd"),
        &KEY.replace("111655bc", "111655BC"),
        &KEY.replace("475aa", "475ab"),
        &KEY.replace("AQOhB7", "AgOhB7"),
        &KEY.replace("TG4", ""),
        &format!(" {KEY}"),
        &format!("{KEY}\n"),
    ] {
        assert_eq!(VerifierKey::parse(text), Err(NotAVerifierKey), "{text:?}");
    }
}

#[test]
fn signatures_of_others_are_passed_over_and_one_of_ours_must_be_there_and_right() {
    assert_eq!(open(&format!("{TEXT}\n{WITNESS}{LINE}{WITNESS}")), Ok(checkpoint()));
    assert_eq!(open(&format!("{TEXT}\n{WITNESS}")), Err(NoteFault::OtherKey));
    let other = VerifierKey::of_audit_log([7; 32]);
    assert_eq!(
        open(&checkpoint().note(&other, &bytes(SIGNATURE))),
        Err(NoteFault::OtherKey),
        "a key of another name"
    );
    let same_name = VerifierKey { public: [7; 32], ..key() };
    assert_eq!(open(&checkpoint().note(&same_name, &bytes(SIGNATURE))), Err(NoteFault::OtherKey));
    assert_eq!(open(&checkpoint().note(&key(), &[0; 64])), Err(NoteFault::BadSignature));
}

#[test]
fn a_change_of_any_byte_is_refused() {
    let note = format!("{TEXT}\n{LINE}");
    for at in 0..note.len() {
        let mut bytes = note.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(changed) = String::from_utf8(bytes) else { continue };
        assert!(open(&changed).is_err(), "byte {at}: {changed}");
    }
    for length in 0..note.len() {
        if let Some(cut) = note.get(..length) {
            assert!(open(cut).is_err(), "{length} bytes");
        }
    }
    assert!(open(&format!("{note}\n")).is_err());
    assert!(open(&format!("x{note}")).is_err());
}

#[test]
fn what_is_signed_must_be_a_checkpoint_of_the_log_in_its_one_form() {
    let note = |text: &str| format!("{text}\n{LINE}");
    let read = |text: &str| Checkpoint::open(&note(text), &key(), always);
    assert_eq!(read(TEXT), Ok(checkpoint()));
    for text in [
        TEXT.replace("kyc-audit/5", "kyc-audit/6"),
        TEXT.replace("\n3\n", "\n03\n"),
        TEXT.replace("\n3\n", "\n+3\n"),
        TEXT.replace("\n3\n", "\n-3\n"),
        TEXT.replace("\n3\n", "\n18446744073709551616\n"),
        TEXT.replace("isp3", ""),
        TEXT.replace("time ", ""),
        TEXT.replace(":00Z", ":00.000Z"),
        TEXT.replace("time 2026-01-31T12:00:00Z\n", ""),
        format!("{TEXT}another line\n"),
    ] {
        assert_eq!(read(&text), Err(NoteFault::OtherLog), "{text}");
    }
    assert_eq!(read(&TEXT.replace("kyc", "k\tc")), Err(NoteFault::Malformed));
}

/// A chain of so many events, each by `actor`.
fn chain(length: u64, actor: impl Fn(u64) -> &'static str) -> Vec<ChainedEvent> {
    let mut head = AuditHash::ORIGIN;
    let event_at = |sequence: u64| {
        let actor = Actor::admin(actor(sequence)).unwrap();
        AuditEvent::new(&actor, Action::CustomersListed, Timestamp::UNIX_EPOCH)
    };
    let chained = |sequence| {
        let (changeset, event) = (ChangesetId::from_bytes([1; 16]), event_at(sequence));
        head = head.next(sequence, changeset, &event);
        ChainedEvent { sequence, changeset, event, hash: head }
    };
    (1..=length).map(chained).collect()
}

fn at(events: &[ChainedEvent], size: usize) -> Checkpoint {
    let head = size.checked_sub(1).map_or(AuditHash::ORIGIN, |last| events[last].hash);
    Checkpoint { size: size as u64, head, at: Timestamp::UNIX_EPOCH }
}

fn walk(events: &[ChainedEvent], checkpoints: &[Checkpoint]) -> Result<u64, ChainFault> {
    let mut walk = SignedWalk::new(checkpoints.to_vec());
    events.iter().try_for_each(|event| walk.step(event))?;
    walk.end().map(|walk| walk.sequence())
}

#[test]
fn checkpoints_of_a_chain_fit_it_in_any_order() {
    let events = chain(9, |_| "one");
    let checkpoints = [9, 0, 4, 4, 1].map(|size| at(&events, size));
    assert_eq!(walk(&events, &checkpoints), Ok(9));
    assert_eq!(walk(&events[..0], &[at(&events, 0)]), Ok(0));
}

#[test]
fn a_cut_end_is_found_by_what_was_signed_before() {
    let events = chain(9, |_| "one");
    assert_eq!(walk(&events[..6], &[at(&events, 6)]), Ok(6), "the walk alone can't know");
    let checkpoints = [8, 3, 9].map(|size| at(&events, size));
    assert_eq!(walk(&events[..6], &checkpoints), Err(ChainFault::Cut { last: 6, size: 9 }));
    assert_eq!(walk(&[], &checkpoints), Err(ChainFault::Cut { last: 0, size: 9 }));
}

#[test]
fn events_that_were_written_anew_with_hashes_that_fit_are_found_between_two_checkpoints() {
    let (signed, forged) = (chain(9, |_| "one"), chain(9, |n| if n < 5 { "one" } else { "two" }));
    assert_eq!(walk(&forged, &[at(&signed, 4)]), Ok(9), "no checkpoint is of what was forged");
    let checkpoints = [2, 4, 7, 9].map(|size| at(&signed, size));
    assert_eq!(walk(&forged, &checkpoints), Err(ChainFault::Rewritten { after: 4, size: 7 }));
    let elsewhere = chain(9, |_| "two");
    assert_eq!(walk(&elsewhere, &checkpoints), Err(ChainFault::Rewritten { after: 0, size: 2 }));
    let wrong_origin = Checkpoint { size: 0, ..at(&signed, 1) };
    assert_eq!(walk(&signed, &[wrong_origin]), Err(ChainFault::Rewritten { after: 0, size: 0 }));
}

#[test]
fn the_first_fault_is_named_whichever_of_both_finds_it() {
    let mut events = chain(9, |_| "one");
    let checkpoints = [4, 9].map(|size| at(&events, size));
    events[6].event.actor.push('x');
    assert_eq!(walk(&events, &checkpoints), Err(ChainFault::Edited { sequence: 7 }));
    events[2].event.actor.push('x');
    assert_eq!(walk(&events, &checkpoints), Err(ChainFault::Edited { sequence: 3 }));
    assert_eq!(
        ChainFault::Rewritten { after: 4, size: 7 }.to_string(),
        "the log was written anew: event 7 is not the one that a checkpoint was signed for, so one of the \
         events 5 to 7 was changed"
    );
    let last = ChainWalk::after(8, events[7].hash).sequence();
    assert_eq!(
        ChainFault::Cut { last, size: 9 }.to_string(),
        "event 9 and those after it are missing: the log ends at event 8, and a checkpoint was signed for 9; \
         its end was cut off, or the database is an older copy"
    );
}
