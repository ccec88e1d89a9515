//! The journal, over every store.

use std::{slice, sync::Arc};

use trunkline_engine::{
    Event, Fact, Personal,
    event::{AnswerKind, Cause},
};
use trunkline_journal::{
    Append, Error, Journal, MasterKey, Standing, Store, Streams, Version, limits::PAGE_MAX,
};
use trunkline_model::{ContactId, Outcome, Value};

use crate::place::{Place, at, for_every_store, for_every_store_on_disk};

for_every_store!(
    a_contact_is_read_as_it_was_written,
    of_two_writers_one_wins_and_the_other_reads_again,
    an_erased_contact_keeps_its_chain_and_nothing_personal,
    another_master_key_is_named,
    frames_that_are_not_the_contacts_own_are_corrupt,
    a_contact_of_many_events_is_read_over_pages,
);

fn journal(store: &Arc<dyn Store>) -> Journal {
    Journal::new(Arc::clone(store), MasterKey::from_bytes(&[1; 32]))
}

fn said(text: &str) -> Event {
    Event {
        at: at(1),
        fact: Fact::Said {
            prompt: None,
            language: "zh-CN".into(),
            notice: None,
        },
        personal: Some(Personal::Text(text.into())),
    }
}

fn ended() -> Event {
    Event {
        at: at(2),
        fact: Fact::Ended {
            cause: Cause::Flow,
            outcome: "completed".into(),
        },
        personal: None,
    }
}

fn answered_late(contact: &ContactId) -> Event {
    Event {
        at: at(3),
        fact: Fact::AnsweredLate {
            call: contact.call(1),
            attempt: 1,
            answer: AnswerKind::Ok,
        },
        personal: Some(Personal::Answer(Outcome::Ok(Value::Int(i128::from(u64::MAX))))),
    }
}

async fn a_contact_is_read_as_it_was_written(place: Place) {
    let store = place.open();
    let journal = journal(&store);
    let contact = ContactId::from("a");
    assert!(journal.read(&contact).await.unwrap().is_none());
    let mut expected = vec![said("您好"), said("请问")];
    let mut head = journal.begin(&contact, &expected).await.unwrap();
    let error = journal.begin(&contact, &expected).await.unwrap_err();
    assert!(matches!(error, Error::Conflict { .. }), "{error}");
    let open = journal.open_contacts(None, 10).await.unwrap();
    assert_eq!(open, slice::from_ref(&contact));

    head.park();
    for event in [said("再见"), ended(), answered_late(&contact)] {
        journal.append(&mut head, slice::from_ref(&event)).await.unwrap();
        expected.push(event);
    }
    journal.append(&mut head, &[]).await.unwrap();
    assert_eq!((head.events(), head.is_ended()), (5, true));
    let recorded = journal.read(&contact).await.unwrap().unwrap();
    assert_eq!(recorded.events, expected);
    assert!(!recorded.erased);
    assert_eq!((recorded.head.events(), recorded.head.is_ended()), (5, true));
    assert!(journal.open_contacts(None, 10).await.unwrap().is_empty());
    let ended = journal.contacts(Streams::Ended, None, 10).await.unwrap();
    assert_eq!(ended, slice::from_ref(&contact));
    journal.check_master().await.unwrap();
    assert!(journal.delete(&contact).await.unwrap());
    assert!(journal.read(&contact).await.unwrap().is_none());
}

async fn of_two_writers_one_wins_and_the_other_reads_again(place: Place) {
    let store = place.open();
    let journal = journal(&store);
    let contact = ContactId::from("a");
    let mut first = journal.begin(&contact, &[said("1")]).await.unwrap();
    let mut second = journal.read(&contact).await.unwrap().unwrap().head;
    journal.append(&mut second, &[said("2")]).await.unwrap();
    let error = journal.append(&mut first, &[said("x")]).await.unwrap_err();
    assert!(matches!(error, Error::Conflict { .. }), "{error}");
    assert_eq!(first.events(), 1, "the head moves only on success");
    let mut first = journal.read(&contact).await.unwrap().unwrap().head;
    journal.append(&mut first, &[said("3")]).await.unwrap();
    let recorded = journal.read(&contact).await.unwrap().unwrap();
    assert_eq!(recorded.events, [said("1"), said("2"), said("3")]);
}

async fn an_erased_contact_keeps_its_chain_and_nothing_personal(place: Place) {
    let store = place.open();
    let journal = journal(&store);
    let contact = ContactId::from("a");
    let without = |event: Event| Event {
        personal: None,
        ..event
    };
    let mut head = journal.begin(&contact, &[said("私")]).await.unwrap();
    assert!(journal.erase(&contact).await.unwrap());
    assert!(!journal.erase(&contact).await.unwrap());
    // A writer that read before goes on; its private parts are closed to everybody.
    journal.append(&mut head, &[said("人")]).await.unwrap();
    let mut recorded = journal.read(&contact).await.unwrap().unwrap();
    assert!(recorded.erased);
    assert_eq!(recorded.events, [without(said("私")), without(said("人"))]);
    journal
        .append(&mut recorded.head, &[said("密"), ended()])
        .await
        .unwrap();
    let recorded = journal.read(&contact).await.unwrap().unwrap();
    assert!(recorded.erased && recorded.head.is_ended());
    assert_eq!(recorded.events.len(), 4);
    for frame in store.read(&contact, Version::NONE, 100).await.unwrap() {
        let text = String::from_utf8_lossy(&frame.bytes).into_owned();
        assert!(["私", "人", "密"].iter().all(|part| !text.contains(part)));
    }
}

async fn another_master_key_is_named(place: Place) {
    let store = place.open();
    let contact = ContactId::from("a");
    journal(&store).begin(&contact, &[said("1")]).await.unwrap();
    let other = Journal::new(Arc::clone(&store), MasterKey::from_bytes(&[2; 32]));
    for error in [
        other.read(&contact).await.err().unwrap(),
        other.check_master().await.unwrap_err(),
    ] {
        assert!(matches!(error, Error::WrongMasterKey { .. }), "{error}");
        let ours = MasterKey::from_bytes(&[1; 32]).fingerprint();
        assert!(error.to_string().contains(&ours), "{error}");
    }
}

async fn frames_that_are_not_the_contacts_own_are_corrupt(place: Place) {
    let store = place.open();
    let journal = journal(&store);
    let original = ContactId::from("original");
    let events: Vec<_> = (0..4).map(|number| said(&number.to_string())).collect();
    journal.begin(&original, &events).await.unwrap();
    let frames: Vec<_> = store
        .read(&original, Version::NONE, 100)
        .await
        .unwrap()
        .into_iter()
        .map(|frame| frame.bytes)
        .collect();
    let key = store.head(&original).await.unwrap().unwrap().key;
    store.delete_stream(&original).await.unwrap();

    let mut changed = frames.clone();
    let middle = changed[2].len() / 2;
    changed[2][middle] ^= 1;
    let mut newer = frames.clone();
    newer[1][0] = 2;
    let swapped = [0, 2, 1, 3].map(|index| frames[index].clone()).to_vec();
    let missing = [0, 1, 3].map(|index| frames[index].clone()).to_vec();
    let garbage = vec![frames[0].clone(), b"garbage".to_vec()];
    for (written, event) in [
        (changed, "event 3"),
        (newer, "event 2"),
        (swapped, "event 2"),
        (missing, "event 3"),
        (garbage, "event 2"),
    ] {
        let append = Append {
            stream: &original,
            expected: Version::NONE,
            frames: written,
            standing: Standing::Open,
            key: key.clone(),
        };
        store.append(append).await.unwrap();
        let error = journal.read(&original).await.err().unwrap();
        assert!(matches!(error, Error::Corrupt { .. }), "{error}");
        assert!(error.to_string().contains(event), "{error}");
        store.delete_stream(&original).await.unwrap();
    }

    let elsewhere = Append {
        stream: &ContactId::from("elsewhere"),
        expected: Version::NONE,
        frames,
        standing: Standing::Open,
        key: None,
    };
    store.append(elsewhere).await.unwrap();
    let error = journal.read(&ContactId::from("elsewhere")).await.err().unwrap();
    assert!(
        error.to_string().contains("contact elsewhere, event 1"),
        "{error}"
    );
}

async fn a_contact_of_many_events_is_read_over_pages(place: Place) {
    let store = place.open();
    let journal = journal(&store);
    let contact = ContactId::from("a");
    let events: Vec<_> = (0..PAGE_MAX / 2 - 1)
        .map(|number| said(&number.to_string()))
        .collect();
    let mut head = journal.begin(&contact, &events[..1]).await.unwrap();
    for _ in 0..3 {
        for events in events.chunks(4_096) {
            journal.append(&mut head, events).await.unwrap();
        }
    }
    let recorded = journal.read(&contact).await.unwrap().unwrap();
    assert_eq!(recorded.events.len(), 3 * events.len() + 1);
    assert_eq!(recorded.events[1..=events.len()], events);
}

#[test]
fn a_value_of_no_contact_opens_in_its_place_only() {
    let journal = Journal::new(
        Arc::new(trunkline_journal::Memory::new()),
        MasterKey::from_bytes(&[7; 32]),
    );
    let sealed = journal.seal("feed.a/1", b"+8613800138000").unwrap();
    assert!(!sealed.windows(6).any(|window| window == b"+86138"));
    assert_eq!(journal.unseal("feed.a/1", &sealed).unwrap(), b"+8613800138000");
    assert!(journal.unseal("feed.a/2", &sealed).is_err());
    for length in 0..sealed.len() {
        assert!(journal.unseal("feed.a/1", &sealed[..length]).is_err());
    }
}
