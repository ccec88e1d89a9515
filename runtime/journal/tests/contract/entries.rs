//! Entries: compared and set, expiring, listed, counted.

use std::sync::Arc;

use trunkline_journal::{Error, Expect, Put, Store, Usage, Version, limits};
use trunkline_model::Timestamp;

use crate::place::{Place, at, for_every_store, for_every_store_on_disk};

for_every_store!(
    entries_are_compared_and_set,
    versions_grow_over_removals,
    an_expired_entry_is_absent,
    lists_keep_to_space_and_prefix_and_are_paged,
    usage_counts_what_a_space_holds,
    counters_of_many_tasks_lose_nothing,
    large_values_come_and_go,
    what_is_too_large_or_has_no_name_is_refused,
);

fn put<'a>(key: &'a str, value: &str, expect: Expect) -> Put<'a> {
    Put {
        space: "crm",
        key,
        value: value.as_bytes().to_vec(),
        expect,
        expires: None,
        at: at(0),
    }
}

async fn value(store: &dyn Store, key: &str, time: Timestamp) -> Option<String> {
    let entry = store.get("crm", key, time).await.unwrap();
    entry.map(|entry| String::from_utf8(entry.value).unwrap())
}

#[track_caller]
fn assert_conflict<T: std::fmt::Debug>(result: Result<T, Error>, expected: Version, found: Version) {
    match result {
        Err(Error::Conflict {
            expected: wanted,
            found: there,
            ..
        }) => assert_eq!((wanted, there), (expected, found)),
        other => panic!("{other:?}"),
    }
}

async fn entries_are_compared_and_set(place: Place) {
    let store = place.open();
    assert_eq!(value(&*store, "k", at(0)).await, None);
    let first = store.put(put("k", "1", Expect::Absent)).await.unwrap();
    assert_conflict(
        store.put(put("k", "x", Expect::Absent)).await,
        Version::NONE,
        first,
    );
    let second = store.put(put("k", "2", Expect::Version(first))).await.unwrap();
    assert!(second > first);
    assert_conflict(
        store.put(put("k", "x", Expect::Version(first))).await,
        first,
        second,
    );
    let third = store.put(put("k", "3", Expect::Any)).await.unwrap();
    let entry = store.get("crm", "k", at(0)).await.unwrap().unwrap();
    assert_eq!((entry.value.as_slice(), entry.version), (&b"3"[..], third));
    assert_eq!(store.get("other", "k", at(0)).await.unwrap(), None);
    assert_conflict(
        store.remove("crm", "k", Expect::Version(first), at(0)).await,
        first,
        third,
    );
    assert!(
        store
            .remove("crm", "k", Expect::Version(third), at(0))
            .await
            .unwrap()
    );
    assert!(!store.remove("crm", "k", Expect::Any, at(0)).await.unwrap());
    assert_conflict(
        store.put(put("k", "x", Expect::Version(third))).await,
        third,
        Version::NONE,
    );
}

async fn versions_grow_over_removals(place: Place) {
    let store = place.open();
    let first = store.put(put("k", "1", Expect::Any)).await.unwrap();
    store.remove("crm", "k", Expect::Any, at(0)).await.unwrap();
    let second = store.put(put("k", "1", Expect::Any)).await.unwrap();
    assert!(second > first, "whoever still knows {first} must not win with it");
}

async fn an_expired_entry_is_absent(place: Place) {
    let store = place.open();
    let expiring = |value: &str, expect, time| Put {
        expires: Some(at(10)),
        at: at(time),
        ..put("k", value, expect)
    };
    let first = store.put(expiring("1", Expect::Absent, 0)).await.unwrap();
    let entry = store.get("crm", "k", at(9)).await.unwrap().unwrap();
    assert_eq!(entry.expires, Some(at(10)));
    assert_eq!(value(&*store, "k", at(10)).await, None);
    assert!(store.list("crm", "", None, 10, at(10)).await.unwrap().is_empty());
    assert!(!store.remove("crm", "none", Expect::Absent, at(10)).await.unwrap());
    let late = Put {
        at: at(10),
        ..put("k", "x", Expect::Version(first))
    };
    assert_conflict(store.put(late).await, first, Version::NONE);
    let again = Put {
        at: at(10),
        ..put("k", "2", Expect::Absent)
    };
    store.put(again).await.unwrap();
    assert_eq!(value(&*store, "k", at(10_000)).await.as_deref(), Some("2"));

    store.put(expiring("3", Expect::Any, 0)).await.unwrap();
    assert!(!store.remove("crm", "k", Expect::Any, at(10)).await.unwrap());
    assert_eq!(value(&*store, "k", at(0)).await, None);
}

async fn lists_keep_to_space_and_prefix_and_are_paged(place: Place) {
    let store = place.open();
    let mut expected = Vec::new();
    for number in 0..20 {
        let key = format!("notice/北京-{number:02}");
        store
            .put(put(&key, &number.to_string(), Expect::Any))
            .await
            .unwrap();
        expected.push(key);
    }
    for key in ["notice", "notice0", "a", "z"] {
        store.put(put(key, "x", Expect::Any)).await.unwrap();
    }
    for space in ["cr", "crm2", "crm/"] {
        let other = Put {
            space,
            ..put("notice/other", "x", Expect::Any)
        };
        store.put(other).await.unwrap();
    }
    let mut listed: Vec<String> = Vec::new();
    loop {
        let after = listed.last().map(String::as_str);
        let page = store.list("crm", "notice/", after, 6, at(0)).await.unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 6);
        listed.extend(page.into_iter().map(|(key, _)| key));
    }
    assert_eq!(listed, expected);
    assert_eq!(store.list("crm", "", None, 100, at(0)).await.unwrap().len(), 24);
    assert!(
        store
            .list("crm", "notice/", Some("zzz"), 6, at(0))
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        store
            .list("crm", "notice/", Some("a"), 6, at(0))
            .await
            .unwrap()
            .len(),
        6
    );
}

async fn usage_counts_what_a_space_holds(place: Place) {
    let store = place.open();
    assert_eq!(store.usage("crm").await.unwrap(), Usage::default());
    store.put(put("a", "12345", Expect::Any)).await.unwrap();
    store.put(put("bb", "1", Expect::Any)).await.unwrap();
    assert_eq!(store.usage("crm").await.unwrap(), Usage { keys: 2, bytes: 9 });
    store.put(put("a", "1", Expect::Any)).await.unwrap();
    assert_eq!(store.usage("crm").await.unwrap(), Usage { keys: 2, bytes: 5 });
    store.remove("crm", "a", Expect::Any, at(0)).await.unwrap();
    for number in 0..10 {
        let key = format!("x{number}");
        let expiring = Put {
            expires: Some(at(number)),
            ..put(&key, "12", Expect::Any)
        };
        store.put(expiring).await.unwrap();
    }
    assert_eq!(store.usage("crm").await.unwrap(), Usage { keys: 11, bytes: 43 });
    assert_eq!(store.sweep("crm", at(4), 3).await.unwrap(), 3);
    assert_eq!(store.sweep("crm", at(4), 100).await.unwrap(), 2);
    assert_eq!(store.sweep("crm", at(4), 100).await.unwrap(), 0);
    assert_eq!(store.sweep("crm", at(100), 0).await.unwrap(), 0);
    assert_eq!(store.usage("crm").await.unwrap(), Usage { keys: 6, bytes: 23 });
    assert_eq!(store.usage("other").await.unwrap(), Usage::default());
}

async fn counters_of_many_tasks_lose_nothing(place: Place) {
    const TASKS: usize = 16;
    const COUNTS: usize = 8;
    let store = place.open();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..TASKS {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            for _ in 0..COUNTS {
                store
                    .put(put(&format!("own-{task}"), "x", Expect::Any))
                    .await
                    .unwrap();
                store.put(put("shared", "x", Expect::Any)).await.unwrap();
                loop {
                    let entry = store.get("crm", "count", at(0)).await.unwrap();
                    let count = entry.as_ref().map_or(0, |entry| entry.value.len());
                    let expect = entry.map_or(Expect::Absent, |entry| Expect::Version(entry.version));
                    match store.put(put("count", &".".repeat(count + 1), expect)).await {
                        Ok(_) => break,
                        Err(Error::Conflict { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            }
        });
    }
    tasks.join_all().await;
    let count = value(&*store, "count", at(0)).await.unwrap();
    assert_eq!(count.len(), TASKS * COUNTS);
    let usage = store.usage("crm").await.unwrap();
    assert_eq!(usage.keys, TASKS as u64 + 2);
}

async fn large_values_come_and_go(place: Place) {
    let store = place.open();
    // Around the size past which a store may keep a value elsewhere.
    let sizes = [0, 1, 2_000, 2_047, 2_048, 2_049, 100_000, 3_000_000];
    for round in 0..2 {
        for size in sizes {
            let large = format!("{round}").repeat(size);
            store
                .put(put(&size.to_string(), &large, Expect::Any))
                .await
                .unwrap();
            store.put(put("same", &large, Expect::Any)).await.unwrap();
            assert_eq!(value(&*store, "same", at(0)).await, Some(large.clone()));
            assert_eq!(value(&*store, &size.to_string(), at(0)).await, Some(large));
        }
    }
    // Removing one of two entries with the same content leaves the other.
    store.remove("crm", "3000000", Expect::Any, at(0)).await.unwrap();
    assert_eq!(value(&*store, "same", at(0)).await, Some("1".repeat(3_000_000)));
    let listed = store.list("crm", "", None, 100, at(0)).await.unwrap();
    assert_eq!(listed.len(), sizes.len());
}

async fn what_is_too_large_or_has_no_name_is_refused(place: Place) {
    let store = place.open();
    let large = Put {
        value: vec![0; limits::ENTRY_BYTES_MAX + 1],
        ..put("k", "", Expect::Any)
    };
    let error = store.put(large).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    let error = store
        .put(put(&"k".repeat(limits::ENTRY_KEY_BYTES_MAX + 1), "", Expect::Any))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    for (space, key) in [("", "k"), ("crm", ""), ("c\0", "k")] {
        let error = store.get(space, key, at(0)).await.unwrap_err();
        assert!(matches!(error, Error::BadName { .. }), "{error}");
    }
}
