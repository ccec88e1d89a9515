//! The programs that the phone is tested with.

use std::{path::PathBuf, sync::Mutex};

/// What has each program.
const PACKAGES: [(&str, &str); 3] = [
    ("sipp", "sip-tester"),
    ("baresip", "baresip-core"),
    ("espeak-ng", "espeak-ng"),
];

/// Fails with what to do about it where a program is missing.
pub(crate) fn need(program: &str) {
    static THERE: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let mut there = THERE.lock().expect("nobody fails while holding it");
    if there.iter().any(|known| known == program) {
        return;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder: PathBuf| folder.join(program))
        .any(|file| file.is_file());
    let package = PACKAGES
        .iter()
        .find(|(name, _)| *name == program)
        .map_or(program, |(_, package)| package);
    assert!(
        found,
        "{program}, with which the phone is tested, is missing; `cargo xtask test` installs it as root, or install it with \
         `apt-get install -y --no-install-recommends {package}`"
    );
    there.push(program.to_owned());
}
