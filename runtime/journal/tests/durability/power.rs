//! Loss of power: of what a process wrote, only what it synced is left.
//!
//! A library preloaded into the child keeps what would be on the disk (`power_loss.c`). Each
//! round also writes two plain files, one synced and one not: the first must be whole, or the
//! library loses what it should not; the second must not be, or it loses nothing.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use trunkline_journal::Kind;

use crate::load::{self, Load};

const LIBRARY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/durability/power_loss.c");

/// Bytes of records: small; as large as sled keeps in its pages; kept elsewhere by sled.
const SIZES: [usize; 3] = [300, 2_000, 8_192];

/// Builds the library; none when there is no C compiler.
fn library(folder: &Path) -> Option<PathBuf> {
    let library = folder.join("power_loss.so");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let built = Command::new(&compiler)
        .args(["-O2", "-shared", "-fPIC", "-o"])
        .arg(&library)
        .args([LIBRARY, "-ldl", "-lpthread"])
        .status();
    match built {
        Ok(status) => {
            assert!(status.success(), "power_loss.c does not compile");
            Some(library)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            println!("SKIPPED: rounds of power loss need a C compiler, and there is no {compiler:?}");
            None
        }
        Err(error) => panic!("failed to run {compiler:?}: {error}"),
    }
}

/// Rounds of one store and one size of records.
#[derive(Default)]
struct Tally {
    rounds: usize,
    /// What was lost, by round.
    lost: Vec<String>,
}

async fn lose_power(kind: Kind, bytes: usize, rounds: usize) -> Option<Tally> {
    let folder = tempfile::tempdir().unwrap();
    let library = library(folder.path())?;
    let mut tally = Tally::default();
    // A store that survived goes on in the next round, from what the disk held.
    let mut before: Option<PathBuf> = None;
    let mut acknowledged = HashMap::new();
    for round in 0..rounds {
        let root = before.take().unwrap_or_else(|| {
            acknowledged.clear();
            let root = folder.path().join(format!("{round}-begun"));
            fs::create_dir(&root).unwrap();
            root
        });
        let mirror = folder.path().join(format!("{round}-mirror"));
        fs::create_dir(&mirror).unwrap();
        let load = |root: &Path| Load {
            store: load::spec(kind, &root.join("store")),
            bytes,
            control: Some(root.to_owned()),
        };
        let preload = [
            ("LD_PRELOAD", library.as_path()),
            ("TRUNKLINE_SHIM_ROOT", &root),
            ("TRUNKLINE_SHIM_MIRROR", &mirror),
        ];
        load::run_and_kill(&load(&root), &preload, &mut acknowledged);
        let left = folder.path().join(format!("{round}-left"));
        let id = fs::read_to_string(mirror.join("root")).unwrap();
        rebuild(&mirror, &id, &left);

        assert_eq!(
            load::control_lost(&left, "synced", &acknowledged),
            0,
            "what was synced is lost: the library is wrong"
        );
        assert!(
            load::control_lost(&left, "unsynced", &acknowledged) > 0,
            "what was not synced is there: the library is wrong"
        );
        tally.rounds += 1;
        match load::verify(&load(&left), &acknowledged).await {
            Ok(records) => {
                println!("{kind}: round {round}, {bytes} bytes: {records} records");
                // The next process begins both of its own files again.
                for control in ["synced", "unsynced"] {
                    acknowledged.remove(control);
                    fs::remove_file(left.join(control)).unwrap();
                }
                before = Some(left);
            }
            Err(lost) => {
                println!("{kind}: round {round}, {bytes} bytes: LOST: {lost}");
                tally.lost.push(lost);
            }
        }
        fs::remove_dir_all(&root).unwrap();
        fs::remove_dir_all(&mirror).unwrap();
    }
    println!(
        "{kind}, {bytes} bytes: {} of {} rounds without loss",
        tally.rounds - tally.lost.len(),
        tally.rounds
    );
    Some(tally)
}

/// Puts together what the disk holds.
fn rebuild(mirror: &Path, id: &str, into: &Path) {
    fs::create_dir(into).unwrap();
    let names = match fs::read_to_string(mirror.join(format!("dir-{id}"))) {
        Ok(names) => names,
        // A directory that was never synced is there, and empty.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => panic!("{error}"),
    };
    for line in names.lines() {
        let (kind, rest) = line.split_once(' ').unwrap();
        let (id, name) = rest.split_once(' ').unwrap();
        let path = into.join(name);
        if kind == "d" {
            rebuild(mirror, id, &path);
            continue;
        }
        match fs::hard_link(mirror.join(format!("file-{id}")), &path) {
            Ok(()) => {}
            // A file that was never synced is there, and empty.
            Err(error) if error.kind() == io::ErrorKind::NotFound => fs::write(&path, "").unwrap(),
            Err(error) => panic!("{error}"),
        }
    }
}

#[cfg(feature = "fjall")]
#[tokio::test]
async fn fjall_survives_a_loss_of_power() {
    let rounds = load::number("TRUNKLINE_POWER_ROUNDS", 4);
    for bytes in SIZES {
        if let Some(tally) = lose_power(Kind::Fjall, bytes, rounds).await {
            assert_eq!(tally.lost, Vec::<String>::new());
        }
    }
}

/// What sled loses is printed, not asserted: its promise ends with the process.
#[cfg(feature = "sled")]
#[tokio::test]
async fn sled_under_a_loss_of_power_is_reported() {
    let rounds = load::number("TRUNKLINE_POWER_ROUNDS", 2);
    for bytes in SIZES {
        lose_power(Kind::Sled, bytes, rounds).await;
    }
}
