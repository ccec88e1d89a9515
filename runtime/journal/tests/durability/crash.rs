//! kill -9 at random moments under load: whatever was acknowledged is there, contiguous and
//! readable, and the next process goes on from it.

use std::collections::HashMap;

use trunkline_journal::Kind;

use crate::load::{self, Load};

async fn survives_kills(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let rounds = load::number("TRUNKLINE_CRASH_ROUNDS", 10);
    let sizes = [300, 8_192];
    let loads = sizes.map(|bytes| Load {
        store: load::spec(kind, &folder.path().join(bytes.to_string())),
        bytes,
        control: None,
    });
    let mut acknowledged = sizes.map(|_| HashMap::new());
    for round in 0..rounds {
        // Each store is killed again and again, and has to go on from what is left.
        let size = round % sizes.len();
        load::run_and_kill(&loads[size], &[], &mut acknowledged[size]);
        let records = load::verify(&loads[size], &acknowledged[size])
            .await
            .unwrap_or_else(|lost| panic!("{kind}, round {round}, {} bytes: {lost}", sizes[size]));
        println!("{kind}: round {round}, {} bytes: {records} records", sizes[size]);
    }
}

#[cfg(feature = "fjall")]
#[tokio::test]
async fn fjall_survives_kills() {
    survives_kills(Kind::Fjall).await;
}

#[cfg(feature = "sled")]
#[tokio::test]
async fn sled_survives_kills() {
    survives_kills(Kind::Sled).await;
}
