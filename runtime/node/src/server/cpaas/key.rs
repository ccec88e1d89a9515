//! The key by which the server knows the addresses that it gave to carriers again. It is the server's own,
//! drawn once and kept: neither a new release nor another secret of a carrier's ends calls that are up.

use tokio::sync::OnceCell;
use trunkline_journal::{Error as JournalError, Expect, Put};

use crate::{contacts::Contacts, key::random};

/// The space in which it is kept.
const SPACE: &str = "node.keys";

/// Its name there.
const NAME: &str = "carriers";

/// Bytes of it: those of the digest that it is used with.
const BYTES: usize = 32;

/// The key, once it was asked for.
#[derive(Default)]
pub(in crate::server) struct OwnKey(OnceCell<[u8; BYTES]>);

impl OwnKey {
    /// The key, drawn now if there is none yet.
    pub(super) async fn get(&self, contacts: &Contacts) -> Result<[u8; BYTES], JournalError> {
        self.0.get_or_try_init(|| kept(contacts)).await.copied()
    }
}

async fn kept(contacts: &Contacts) -> Result<[u8; BYTES], JournalError> {
    let store = contacts.journal.store();
    let now = contacts.clock.now();
    if let Some(entry) = store.get(SPACE, NAME, now).await? {
        return read(&entry.value);
    }
    let drawn: [u8; BYTES] = random();
    let put = Put {
        space: SPACE,
        key: NAME,
        value: drawn.to_vec(),
        expect: Expect::Absent,
        expires: None,
        at: now,
    };
    match store.put(put).await {
        Ok(_) => Ok(drawn),
        // Somebody else drew one at the same time, or it was written although that was not heard.
        Err(JournalError::Conflict { .. } | JournalError::Unknown { .. }) => {
            let entry = store.get(SPACE, NAME, now).await?;
            read(&entry.map(|entry| entry.value).unwrap_or_default())
        }
        Err(error) => Err(error),
    }
}

fn read(bytes: &[u8]) -> Result<[u8; BYTES], JournalError> {
    bytes.try_into().map_err(|_| JournalError::Corrupt {
        place: format!("{NAME} of {SPACE}").into(),
        what: format!("a key of {} bytes in place of {BYTES}", bytes.len()).into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Hotline;

    #[tokio::test]
    async fn the_key_is_drawn_once_and_kept() {
        let hotline = Hotline::new();
        let node = hotline.start().await;
        let key = OwnKey::default();
        let drawn = key.get(node.contacts()).await.unwrap();
        assert_ne!(drawn, [0; BYTES]);
        assert_eq!(key.get(node.contacts()).await.unwrap(), drawn);
        // Another who shares the store, as after a restart.
        assert_eq!(OwnKey::default().get(node.contacts()).await.unwrap(), drawn);
    }
}
