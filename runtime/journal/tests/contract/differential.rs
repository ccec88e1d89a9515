//! One random history given to every store: each answers as the reference does.

use std::sync::Arc;

use proptest::{collection::vec, prelude::*};
use trunkline_journal::{Append, Expect, Kind, Put, Standing, Store, Streams, Version};
use trunkline_model::ContactId;

use crate::place::{Place, at, kinds};

/// One thing done to a store. Names are few, so that histories meet themselves.
#[derive(Clone, Debug)]
enum Deed {
    Append {
        stream: u8,
        /// How far the expected version is from the right one.
        off: u64,
        frames: Vec<Vec<u8>>,
        standing: Standing,
        key: Option<Vec<u8>>,
    },
    EraseKey(u8),
    DeleteStream(u8),
    Put {
        space: u8,
        key: u8,
        value: Vec<u8>,
        expect: Expected,
        expires: Option<i64>,
        at: i64,
    },
    Remove {
        space: u8,
        key: u8,
        expect: Expected,
        at: i64,
    },
    Sweep {
        space: u8,
        at: i64,
        limit: usize,
    },
    PutBlob(Vec<u8>),
    DeleteBlob(Vec<u8>),
    Reopen,
}

#[derive(Clone, Copy, Debug)]
enum Expected {
    Any,
    Absent,
    /// The version that is there, if one is.
    Right,
    Wrong,
}

fn deed() -> impl Strategy<Value = Deed> {
    let value = || {
        prop_oneof![
            8 => vec(any::<u8>(), 0..20),
            // Past the size that a store may keep elsewhere.
            1 => vec(any::<u8>(), 2_000..2_100),
            1 => vec(any::<u8>(), 5_000..5_010),
        ]
    };
    let standing = prop_oneof![Just(Standing::Open), Just(Standing::Ended)];
    let expected = || {
        prop_oneof![
            1 => Just(Expected::Any),
            1 => Just(Expected::Absent),
            3 => Just(Expected::Right),
            1 => Just(Expected::Wrong),
        ]
    };
    prop_oneof![
        12 => (0..4_u8, prop_oneof![6 => Just(0), 1 => 1..3_u64], vec(value(), 0..4), standing, any::<Option<[u8; 4]>>())
            .prop_map(|(stream, off, frames, standing, key)| Deed::Append {
                stream,
                off,
                frames,
                standing,
                key: key.map(Vec::from),
            }),
        1 => (0..4_u8).prop_map(Deed::EraseKey),
        1 => (0..4_u8).prop_map(Deed::DeleteStream),
        8 => (0..2_u8, 0..4_u8, value(), expected(), proptest::option::of(0..10_i64), 0..10_i64)
            .prop_map(|(space, key, value, expect, expires, at)| Deed::Put {
                space,
                key,
                value,
                expect,
                expires,
                at,
            }),
        3 => (0..2_u8, 0..4_u8, expected(), 0..10_i64)
            .prop_map(|(space, key, expect, at)| Deed::Remove { space, key, expect, at }),
        1 => (0..2_u8, 0..10_i64, 0..3_usize).prop_map(|(space, at, limit)| Deed::Sweep { space, at, limit }),
        1 => vec(0..3_u8, 0..2).prop_map(Deed::PutBlob),
        1 => vec(0..3_u8, 0..2).prop_map(Deed::DeleteBlob),
        1 => Just(Deed::Reopen),
    ]
}

fn stream(number: u8) -> ContactId {
    ContactId::new("a".repeat(usize::from(number) + 1))
}

fn name(number: u8) -> String {
    "k".repeat(usize::from(number) + 1)
}

async fn expect(store: &dyn Store, space: &str, key: &str, expected: Expected, time: i64) -> Expect {
    let entry = store.get(space, key, at(time)).await.unwrap();
    let version = entry.map(|entry| entry.version);
    match expected {
        Expected::Any => Expect::Any,
        Expected::Absent => Expect::Absent,
        Expected::Right => version.map_or(Expect::Absent, Expect::Version),
        Expected::Wrong => Expect::Version(Version::from_u64(u64::MAX)),
    }
}

/// Does a deed and says what came of it.
async fn perform(store: &dyn Store, deed: Deed) -> String {
    match deed {
        Deed::Append {
            stream: number,
            off,
            frames,
            standing,
            key,
        } => {
            let stream = stream(number);
            let head = store.head(&stream).await.unwrap();
            let version = head.map_or(Version::NONE, |head| head.version);
            let append = Append {
                stream: &stream,
                expected: Version::from_u64(version.as_u64() + off),
                frames,
                standing,
                key,
            };
            format!("{:?}", store.append(append).await)
        }
        Deed::EraseKey(number) => format!("{:?}", store.erase_key(&stream(number)).await),
        Deed::DeleteStream(number) => format!("{:?}", store.delete_stream(&stream(number)).await),
        Deed::Put {
            space,
            key,
            value,
            expect: expected,
            expires,
            at: time,
        } => {
            let (space, key) = (name(space), name(key));
            let put = Put {
                space: &space,
                key: &key,
                value,
                expect: expect(store, &space, &key, expected, time).await,
                expires: expires.map(at),
                at: at(time),
            };
            format!("{:?}", store.put(put).await)
        }
        Deed::Remove {
            space,
            key,
            expect: expected,
            at: time,
        } => {
            let (space, key) = (name(space), name(key));
            let expect = expect(store, &space, &key, expected, time).await;
            format!("{:?}", store.remove(&space, &key, expect, at(time)).await)
        }
        Deed::Sweep {
            space,
            at: time,
            limit,
        } => {
            format!("{:?}", store.sweep(&name(space), at(time), limit).await)
        }
        Deed::PutBlob(bytes) => format!("{:?}", store.put_blob(bytes).await),
        Deed::DeleteBlob(bytes) => {
            format!(
                "{:?}",
                store.delete_blob(&trunkline_model::Digest::of(&bytes)).await
            )
        }
        Deed::Reopen => String::new(),
    }
}

/// All that can be asked of a store.
async fn everything(store: &dyn Store) -> Vec<String> {
    let mut all = Vec::new();
    for which in [Streams::All, Streams::Open, Streams::Ended] {
        all.push(format!("{:?}", store.streams(which, None, 100).await));
    }
    for number in 0..4 {
        let stream = stream(number);
        all.push(format!("{:?}", store.head(&stream).await));
        for after in [0, 2] {
            let frames = store.read(&stream, Version::from_u64(after), 100).await;
            all.push(format!("{frames:?}"));
        }
    }
    for space in 0..2 {
        let space = name(space);
        all.push(format!("{:?}", store.usage(&space).await));
        for (prefix, after) in [("", None), ("kk", None), ("", Some("k"))] {
            for time in [0, 5, 10] {
                let entries = store.list(&space, prefix, after, 100, at(time)).await;
                all.push(format!("{entries:?}"));
            }
        }
    }
    all.push(format!("{:?}", store.blobs(None, 100).await));
    all
}

async fn agree(history: Vec<Deed>) -> Result<(), TestCaseError> {
    let places: Vec<_> = kinds().into_iter().map(Place::new).collect();
    let mut stores: Vec<Arc<dyn Store>> = places.iter().map(Place::open).collect();
    for deed in history {
        if matches!(deed, Deed::Reopen) {
            for (store, place) in stores.iter_mut().zip(&places) {
                if store.kind() != Kind::Memory {
                    // The directory is free only when the store is gone.
                    *store = Arc::new(trunkline_journal::Memory::new());
                    *store = place.open();
                }
            }
            continue;
        }
        let expected = perform(&*stores[0], deed.clone()).await;
        for store in &stores[1..] {
            let found = perform(&**store, deed.clone()).await;
            prop_assert_eq!(&found, &expected, "{} after {:?}", store.kind(), deed);
        }
    }
    let expected = everything(&*stores[0]).await;
    for store in &stores[1..] {
        let found = everything(&**store).await;
        prop_assert_eq!(&found, &expected, "{}", store.kind());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 12,
        // Each case opens stores; shrinking may take its time.
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_store_answers_as_the_reference_does(history in vec(deed(), 1..150)) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap();
        runtime.block_on(agree(history))?;
    }
}
