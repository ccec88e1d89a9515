//! What a store on disk is found to be when it is opened again.

use std::slice;

use trunkline_journal::{Append, Expect, Kind, OpenError, Put, Standing, StoreSpec, Streams, Version, open};
use trunkline_model::ContactId;

use crate::place::{Place, at, for_every_store_on_disk};

for_every_store_on_disk!(
    everything_is_kept,
    a_directory_is_open_once,
    a_directory_keeps_its_kind,
);

async fn everything_is_kept(place: Place) {
    let (ended, open) = (ContactId::from("ended"), ContactId::from("open"));
    let large = vec![7; 100_000];
    let mut digest = None;
    let mut last = Version::NONE;
    for round in 0..3_u64 {
        let store = place.open();
        for (stream, standing) in [(&ended, Standing::Ended), (&open, Standing::Open)] {
            let head = store.head(stream).await.unwrap();
            assert_eq!(head.is_some(), round > 0);
            let expected = head.map_or(Version::NONE, |head| {
                assert_eq!((head.standing, head.key), (standing, Some(b"wrapped".to_vec())));
                head.version
            });
            let append = Append {
                stream,
                expected,
                frames: vec![round.to_string().into_bytes(), large.clone()],
                standing,
                key: Some(b"wrapped".to_vec()),
            };
            store.append(append).await.unwrap();
            let frames = store.read(stream, Version::NONE, 100).await.unwrap();
            assert_eq!(frames.len() as u64, 2 * (round + 1));
            for (pair, round) in frames.chunks(2).zip(0..) {
                assert_eq!(pair[0].bytes, format!("{round}").into_bytes());
                assert_eq!(pair[1].bytes, large);
            }
        }
        for (which, expected) in [(Streams::Ended, &ended), (Streams::Open, &open)] {
            assert_eq!(
                store.streams(which, None, 10).await.unwrap(),
                slice::from_ref(expected)
            );
        }

        let put = Put {
            space: "crm",
            key: "k",
            value: large.clone(),
            expect: if round == 0 {
                Expect::Absent
            } else {
                Expect::Version(last)
            },
            expires: Some(at(99)),
            at: at(0),
        };
        let version = store.put(put).await.unwrap();
        assert!(version > last);
        last = version;
        let usage = store.usage("crm").await.unwrap();
        assert_eq!((usage.keys, usage.bytes), (1, 100_001));

        let blob = store.put_blob(large.clone()).await.unwrap();
        assert_eq!(*digest.get_or_insert(blob), blob);
        assert_eq!(store.blobs(None, 10).await.unwrap(), [blob]);
        assert_eq!(store.blob(&blob).await.unwrap().as_ref(), Some(&large));
    }
}

async fn a_directory_is_open_once(place: Place) {
    let store = place.open();
    let error = open(&place.spec()).err().unwrap();
    assert!(matches!(error, OpenError::Locked { .. }), "{error}");
    drop(store);
    place.open();
}

async fn a_directory_keeps_its_kind(place: Place) {
    let kind = place.open().kind();
    let other = match kind {
        Kind::Fjall => StoreSpec::Sled(place.path()),
        _ => StoreSpec::Fjall(place.path()),
    };
    let error = open(&other).err().unwrap();
    // Also where the other kind is not built in, nothing is opened.
    assert!(
        matches!(error, OpenError::OtherKind { .. } | OpenError::NotBuilt { .. }),
        "{error}"
    );
    place.open();
}
