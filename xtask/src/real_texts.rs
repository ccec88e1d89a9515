//! How often the sentiment plugin hears what people meant who wrote of their own accord.
//!
//! Two lists point at texts in public packages. They are fetched once, as the plugin pins them, and lie
//! under the plugins' target folder: nothing of them is in the checkout. The count itself is a test of
//! the plugin's own, which a plain `cargo test` leaves out.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

use crate::{
    cargo::{self, cargo},
    house::House,
    progress::Step,
    python, toolchain,
};

/// What pins the packages.
const REQUIREMENTS: &str = "plugins/sentiment/real.requirements.txt";

/// A folder within a package, and the archive in it that holds the texts in English.
const WITHIN: (&str, &str) = (
    "vaderSentiment-3.3.2/additional_resources",
    "hutto_ICWSM_2014.tar.gz",
);

/// Names the folder of the texts to the test.
const TEXTS: &str = "SENTIMENT_REAL_TEXTS";

/// The tests that need the texts.
const TESTS: &str = "accuracy::real";

/// Fetches the texts when they are not there, and counts. `arguments` go to the test.
pub(crate) fn judge(house: &House, arguments: &[String]) -> Result<()> {
    let texts = Step::run(
        "Fetch what real people wrote",
        |_| fetch(house),
        |_| String::new(),
    )?;
    let mut command = cargo(&house.plugins());
    command
        .args(["test", "--quiet", "--package", "sentiment", "--target"])
        .arg(toolchain::host_target(house)?)
        .arg("--target-dir")
        .arg(house.plugins_target())
        .args([TESTS, "--", "--include-ignored", "--nocapture"])
        .args(arguments)
        .env(TEXTS, texts);
    cargo::run(command)
}

/// The folder in which the packages lie unpacked.
fn fetch(house: &House) -> Result<PathBuf> {
    let requirements = house.root.join(REQUIREMENTS);
    let pinned = fs::read_to_string(&requirements)
        .with_context(|| format!("failed to read {}", requirements.display()))?;
    let place = house.plugins_target().join("sentiment");
    let (archives, texts) = (place.join("archives"), place.join("texts"));
    let stamp = place.join("texts.pinned");
    if fs::read_to_string(&stamp).is_ok_and(|was| was == pinned) && texts.is_dir() {
        return Ok(texts);
    }
    for folder in [&archives, &texts] {
        if folder.is_dir() {
            fs::remove_dir_all(folder).with_context(|| format!("failed to clear {}", folder.display()))?;
        }
        fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))?;
    }
    python::download(house, &requirements, &archives)?;
    for archive in
        fs::read_dir(&archives).with_context(|| format!("failed to list {}", archives.display()))?
    {
        python::unpack(house, &archive?.path(), &texts)?;
    }
    let within = texts.join(WITHIN.0);
    python::unpack(house, &within.join(WITHIN.1), &within)?;
    fs::write(&stamp, pinned).with_context(|| format!("failed to write {}", stamp.display()))?;
    Ok(texts)
}
