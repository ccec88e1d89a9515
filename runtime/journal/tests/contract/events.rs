//! Streams: fenced, ordered, listed.

use std::{collections::HashSet, slice, sync::Arc};

use trunkline_journal::{Append, Error, Standing, Store, StreamHead, Streams, Version, limits};
use trunkline_model::ContactId;

use crate::place::{Place, for_every_store, for_every_store_on_disk};

for_every_store!(
    appends_are_fenced,
    a_head_tells_version_standing_and_key,
    each_stream_of_many_tasks_is_in_order,
    of_appends_at_the_same_version_one_wins,
    lists_are_paged_and_follow_the_standing,
    a_key_is_erased_and_a_stream_deleted,
    pages_end_where_they_grow_large,
    what_is_too_large_or_has_no_name_is_refused,
);

fn append<'a>(stream: &'a ContactId, expected: Version, frames: &[&str]) -> Append<'a> {
    Append {
        stream,
        expected,
        frames: frames.iter().map(|frame| frame.as_bytes().to_vec()).collect(),
        standing: Standing::Open,
        key: None,
    }
}

async fn texts(store: &dyn Store, stream: &ContactId, after: Version) -> Vec<String> {
    let frames = store.read(stream, after, 100).await.unwrap();
    assert!(frames.is_sorted_by(|before, next| before.version < next.version));
    frames
        .into_iter()
        .map(|frame| String::from_utf8(frame.bytes).unwrap())
        .collect()
}

async fn appends_are_fenced(place: Place) {
    let store = place.open();
    let stream = ContactId::from("a");
    let first = store
        .append(append(&stream, Version::NONE, &["1", "2"]))
        .await
        .unwrap();
    assert!(first > Version::NONE);
    for wrong in [Version::NONE, Version::from_u64(99)] {
        let error = store.append(append(&stream, wrong, &["x"])).await.unwrap_err();
        let Error::Conflict { expected, found, .. } = error else {
            panic!("{error}");
        };
        assert_eq!((expected, found), (wrong, first));
    }
    let error = store
        .append(append(&ContactId::from("b"), first, &["x"]))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Conflict {
                found: Version::NONE,
                ..
            }
        ),
        "{error}"
    );

    let second = store.append(append(&stream, first, &["3"])).await.unwrap();
    assert!(second > first);
    assert_eq!(texts(&*store, &stream, Version::NONE).await, ["1", "2", "3"]);
    assert_eq!(texts(&*store, &stream, first).await, ["3"]);
    assert!(texts(&*store, &stream, second).await.is_empty());
    assert_eq!(store.read(&stream, Version::NONE, 2).await.unwrap().len(), 2);

    // Without frames only the fence is tested.
    assert_eq!(store.append(append(&stream, second, &[])).await.unwrap(), second);
    assert!(store.append(append(&stream, first, &[])).await.is_err());
    assert!(
        store
            .append(append(&ContactId::from("c"), Version::NONE, &[]))
            .await
            .is_ok()
    );
    assert_eq!(store.head(&ContactId::from("c")).await.unwrap(), None);
}

async fn a_head_tells_version_standing_and_key(place: Place) {
    let store = place.open();
    let stream = ContactId::from("a");
    assert_eq!(store.head(&stream).await.unwrap(), None);
    let begin = Append {
        key: Some(b"wrapped".to_vec()),
        ..append(&stream, Version::NONE, &["1"])
    };
    let first = store.append(begin).await.unwrap();
    let head = |version, standing| {
        Some(StreamHead {
            version,
            standing,
            key: Some(b"wrapped".to_vec()),
        })
    };
    assert_eq!(store.head(&stream).await.unwrap(), head(first, Standing::Open));
    let end = Append {
        standing: Standing::Ended,
        // A stream keeps the key that it began with.
        key: Some(b"other".to_vec()),
        ..append(&stream, first, &["2"])
    };
    let second = store.append(end).await.unwrap();
    assert_eq!(store.head(&stream).await.unwrap(), head(second, Standing::Ended));
}

async fn each_stream_of_many_tasks_is_in_order(place: Place) {
    const TASKS: usize = 64;
    const APPENDS: usize = 20;
    let store = place.open();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..TASKS {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            let stream = ContactId::new(format!("contact-{task}"));
            let mut version = Version::NONE;
            for count in 0..APPENDS {
                let frame = format!("{task}-{count}");
                version = store.append(append(&stream, version, &[&frame])).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    for task in 0..TASKS {
        let stream = ContactId::new(format!("contact-{task}"));
        let expected: Vec<_> = (0..APPENDS).map(|count| format!("{task}-{count}")).collect();
        assert_eq!(texts(&*store, &stream, Version::NONE).await, expected);
    }
}

async fn of_appends_at_the_same_version_one_wins(place: Place) {
    const TASKS: usize = 16;
    const APPENDS: usize = 10;
    let store = place.open();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..TASKS {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            let stream = ContactId::from("contested");
            let mut version = Version::NONE;
            for count in 0..APPENDS {
                let frame = format!("{task}-{count}");
                loop {
                    match store.append(append(&stream, version, &[&frame])).await {
                        Ok(landed) => {
                            version = landed;
                            break;
                        }
                        Err(Error::Conflict { found, .. }) => version = found,
                        Err(error) => panic!("{error}"),
                    }
                }
            }
        });
    }
    tasks.join_all().await;
    let mut all = Vec::new();
    let mut version = Version::NONE;
    let stream = ContactId::from("contested");
    loop {
        let frames = store.read(&stream, version, 50).await.unwrap();
        let Some(last) = frames.last() else {
            break;
        };
        version = last.version;
        all.extend(frames.into_iter().map(|frame| frame.bytes));
    }
    assert_eq!(all.len(), TASKS * APPENDS);
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), TASKS * APPENDS);
}

async fn lists_are_paged_and_follow_the_standing(place: Place) {
    let store = place.open();
    let mut names = Vec::new();
    for number in 0..25 {
        let stream = ContactId::new(format!("{number:02}"));
        let standing = if number % 3 == 0 {
            Standing::Ended
        } else {
            Standing::Open
        };
        let begin = Append {
            standing,
            ..append(&stream, Version::NONE, &["1"])
        };
        let version = store.append(begin).await.unwrap();
        if number == 4 {
            let end = Append {
                standing: Standing::Ended,
                ..append(&stream, version, &["2"])
            };
            let version = store.append(end).await.unwrap();
            // What follows an end leaves it ended.
            let late = Append {
                standing: Standing::Ended,
                ..append(&stream, version, &["3"])
            };
            store.append(late).await.unwrap();
        }
        if number == 9 {
            store.append(append(&stream, version, &["2"])).await.unwrap();
        }
        let ended = number != 9 && number % 3 == 0 || number == 4;
        names.push((stream, ended));
    }
    for (which, kept) in [
        (Streams::All, [true, true]),
        (Streams::Open, [true, false]),
        (Streams::Ended, [false, true]),
    ] {
        let expected: Vec<_> = names
            .iter()
            .filter(|(_, ended)| kept[usize::from(*ended)])
            .map(|(name, _)| name.clone())
            .collect();
        let mut listed: Vec<ContactId> = Vec::new();
        loop {
            let page = store.streams(which, listed.last(), 7).await.unwrap();
            assert!(page.len() <= 7);
            if page.is_empty() {
                break;
            }
            listed.extend(page);
        }
        assert_eq!(listed, expected, "{which:?}");
    }
}

async fn a_key_is_erased_and_a_stream_deleted(place: Place) {
    let store = place.open();
    let stream = ContactId::from("a");
    let neighbour = ContactId::from("ab");
    assert!(!store.erase_key(&stream).await.unwrap());
    assert!(!store.delete_stream(&stream).await.unwrap());
    for name in [&stream, &neighbour] {
        let begin = Append {
            key: Some(b"wrapped".to_vec()),
            ..append(name, Version::NONE, &["1"])
        };
        store.append(begin).await.unwrap();
    }
    assert!(store.erase_key(&stream).await.unwrap());
    assert!(!store.erase_key(&stream).await.unwrap());
    let head = store.head(&stream).await.unwrap().unwrap();
    assert_eq!((head.key, head.standing), (None, Standing::Open));
    assert_eq!(texts(&*store, &stream, Version::NONE).await, ["1"]);
    // An end after that brings no key back.
    let end = Append {
        standing: Standing::Ended,
        ..append(&stream, head.version, &["2"])
    };
    store.append(end).await.unwrap();
    assert_eq!(store.head(&stream).await.unwrap().unwrap().key, None);

    assert!(store.delete_stream(&stream).await.unwrap());
    assert!(!store.delete_stream(&stream).await.unwrap());
    assert_eq!(store.head(&stream).await.unwrap(), None);
    assert!(texts(&*store, &stream, Version::NONE).await.is_empty());
    let left = store.streams(Streams::All, None, 10).await.unwrap();
    assert_eq!(left, slice::from_ref(&neighbour));
    assert_eq!(texts(&*store, &neighbour, Version::NONE).await, ["1"]);
    store
        .append(append(&stream, Version::NONE, &["anew"]))
        .await
        .unwrap();
    assert_eq!(texts(&*store, &stream, Version::NONE).await, ["anew"]);
}

async fn pages_end_where_they_grow_large(place: Place) {
    let store = place.open();
    let stream = ContactId::from("a");
    let large = vec![7; limits::FRAME_BYTES_MAX];
    let count = limits::PAGE_BYTES_MAX / limits::FRAME_BYTES_MAX + 1;
    let mut version = Version::NONE;
    for _ in 0..count {
        let append = Append {
            frames: vec![large.clone()],
            ..append(&stream, version, &[])
        };
        version = store.append(append).await.unwrap();
    }
    let mut found = Vec::new();
    let mut after = Version::NONE;
    loop {
        let page = store.read(&stream, after, 100).await.unwrap();
        let Some(last) = page.last() else {
            break;
        };
        after = last.version;
        assert!(page.iter().all(|frame| frame.bytes == large));
        found.push(page.len());
    }
    assert_eq!(found, [count - 1, 1]);
}

async fn what_is_too_large_or_has_no_name_is_refused(place: Place) {
    let store = place.open();
    let stream = ContactId::from("a");
    let append = |frames| Append {
        stream: &stream,
        expected: Version::NONE,
        frames,
        standing: Standing::Open,
        key: None,
    };
    for frames in [
        vec![vec![0; limits::FRAME_BYTES_MAX + 1]],
        vec![Vec::new(); limits::FRAMES_PER_APPEND_MAX + 1],
    ] {
        let error = store.append(append(frames)).await.unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    }
    for name in ["", "a\0b"] {
        let error = store.head(&ContactId::from(name)).await.unwrap_err();
        assert!(matches!(error, Error::BadName { .. }), "{error}");
    }
    let error = store.head(&ContactId::new("a".repeat(1_000))).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
}
