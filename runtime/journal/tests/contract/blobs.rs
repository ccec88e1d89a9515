//! Blobs: by their digests.

use trunkline_model::Digest;

use crate::place::{Place, for_every_store, for_every_store_on_disk};

for_every_store!(content_is_kept_by_its_digest, lists_are_paged);

async fn content_is_kept_by_its_digest(place: Place) {
    let store = place.open();
    let digest = Digest::of(b"component");
    assert_eq!(store.blob(&digest).await.unwrap(), None);
    assert!(!store.has_blob(&digest).await.unwrap());
    for _ in 0..2 {
        assert_eq!(store.put_blob(b"component".to_vec()).await.unwrap(), digest);
    }
    assert_eq!(store.put_blob(Vec::new()).await.unwrap(), Digest::of(b""));
    assert_eq!(store.blob(&digest).await.unwrap(), Some(b"component".to_vec()));
    assert_eq!(store.blob(&Digest::of(b"")).await.unwrap(), Some(Vec::new()));
    assert!(store.has_blob(&digest).await.unwrap());
    assert!(store.delete_blob(&digest).await.unwrap());
    assert!(!store.delete_blob(&digest).await.unwrap());
    assert!(!store.has_blob(&digest).await.unwrap());
}

async fn lists_are_paged(place: Place) {
    let store = place.open();
    let mut expected = Vec::new();
    for number in 0..10_u8 {
        expected.push(store.put_blob(vec![number]).await.unwrap());
    }
    expected.sort_unstable();
    let mut listed: Vec<Digest> = Vec::new();
    loop {
        let page = store.blobs(listed.last(), 4).await.unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 4);
        listed.extend(page);
    }
    assert_eq!(listed, expected);
}

#[cfg(any(feature = "fjall", feature = "sled"))]
mod on_disk {
    use trunkline_journal::Error;
    use trunkline_model::Digest;

    use crate::place::{Place, for_every_store_on_disk};

    for_every_store_on_disk!(damaged_content_is_found_out);

    async fn damaged_content_is_found_out(place: Place) {
        let store = place.open();
        let digest = store.put_blob(b"component".to_vec()).await.unwrap();
        let file = place.path().join("blobs").join(digest.to_string());
        std::fs::write(file, b"compromised").unwrap();
        let error = store.blob(&digest).await.unwrap_err();
        assert!(matches!(error, Error::Corrupt { .. }), "{error}");
        assert_eq!(digest, Digest::of(b"component"));
    }
}
