//! Files of which something was altered, and keys that have done their share.

use super::*;
use crate::ports::cipher::Sealed;

/// What is done to the chunks of a file, with those of another one at hand.
type Tamper = fn(Vec<Sealed>, Vec<Sealed>) -> Vec<Sealed>;

#[test]
fn a_chunk_that_was_moved_dropped_doubled_or_taken_from_elsewhere_makes_the_file_unreadable_and_is_an_alarm()
{
    let three = 3 * DocumentFile::CHUNK_BYTES;
    let tampers: [(&str, Tamper, u64); 7] = [
        ("moved", |own, _| vec![own[1].clone(), own[0].clone(), own[2].clone()], 0),
        ("dropped at the end", |own, _| own[..2].to_vec(), 1),
        ("dropped at the beginning", |own, _| own[1..].to_vec(), 1),
        ("doubled", |own, _| vec![own[0].clone(), own[0].clone(), own[2].clone()], 0),
        ("doubled at the end", |own, _| [&own[..], &own[2..]].concat(), 2),
        ("of another file", |own, other| vec![own[0].clone(), other[1].clone(), own[2].clone()], 0),
        (
            "flipped",
            |mut own, _| {
                let mut bytes = own[1].as_bytes().to_vec();
                bytes[100] ^= 1;
                own[1] = Sealed::from_bytes(bytes);
                own
            },
            0,
        ),
    ];
    for (name, tamper, shorter) in tampers {
        let world = World::new();
        world.register();
        let view = world.add_file(Side::Front, three, 1);
        world.advance(1);
        let other = world.add_file(Side::Front, three, 1);
        let chunks = tamper(world.chunks(view.file.id), world.chunks(other.file.id));
        let size = match shorter {
            1 => 2 * DocumentFile::CHUNK_BYTES as u64,
            2 => view.file.size + DocumentFile::CHUNK_BYTES as u64,
            _ => view.file.size,
        };
        world.forge(|row| row.file.size = size, chunks);
        let unreadable = Err(DocumentError::Failed(CipherError::Unreadable.into()));
        assert_eq!(world.content(view.file.id), unreadable, "{name}");
        assert_eq!(world.actions().pop(), Some(Action::DataUnreadable), "{name}");
        assert_eq!(world.content(other.file.id), Ok(pdf(three, 1)), "{name}: the other one is whole");
        world.provider.read_files(&[Side::Front]);
        world.run_due();
        assert!(world.provider.files().is_empty(), "{name}: nothing of it goes to a provider");
    }
}

#[test]
fn what_is_said_of_a_file_in_the_clear_can_not_be_edited() {
    let edits: [fn(&mut DocumentRow); 3] = [
        |row| row.file.side = Side::Back,
        |row| row.file.media_type = crate::domain::document_file::MediaType::Png,
        |row| row.file.created_at = FakeClock::START + 1.second(),
    ];
    for edit in edits {
        let world = World::new();
        world.register();
        let view = world.add_file(Side::Front, 60, 1);
        world.forge(edit, world.chunks(view.file.id));
        let unreadable = PortFailure::Cipher(CipherError::Unreadable);
        assert_eq!(now(world.kyc.documents(&admin(), &a())), Err(DocumentsError::Failed(unreadable)));
        assert_eq!(world.content(view.file.id), Err(DocumentError::Failed(unreadable)));
        assert_eq!(world.actions().pop(), Some(Action::DataUnreadable));
    }
}

#[test]
fn a_file_of_another_customer_is_none_of_this_one() {
    let world = World::new();
    world.register();
    now(world.kyc.register(&admin(), registration("b", sample_customer()))).unwrap();
    let b = CustomerId::parse("b").unwrap();
    let view = world.add_file(Side::Front, 60, 1);
    let read = now(world.kyc.document_content(&admin(), &b, view.file.id)).map(drop);
    assert_eq!(read, Err(DocumentError::NotFound));
    assert_eq!(
        now(world.kyc.remove_document(&admin(), &b, view.file.id)),
        Err(RemoveDocumentError::NotFound)
    );
}

#[test]
fn a_read_that_leaves_no_event_does_not_happen() {
    let world = World::new();
    world.register();
    let view = world.add_file(Side::Front, 60, 1);
    world.store.fail_next_commit(StoreError::Unavailable);
    assert_eq!(world.content(view.file.id), Err(DocumentError::Failed(StoreError::Unavailable.into())));
}

#[test]
fn a_data_key_that_has_sealed_its_share_takes_no_file() {
    let world = World::new();
    world.register();
    let mut row = now(world.store.customer(&a())).unwrap().unwrap().row;
    row.revision += 1;
    row.key.messages = DataKey::MAX_MESSAGES - 3;
    world.write(vec![Write::UpdateCustomer(row)]);
    let exhausted = AddDocumentError::Failed(CipherError::Exhausted.into());
    assert_eq!(
        world.try_add(Side::Front, 100_000, 1),
        Err(exhausted),
        "two chunks, the digest and the answer"
    );
    assert_eq!(now(world.store.oldest_upload()), Ok(None));
    world.add_file(Side::Front, 60, 1);
}
