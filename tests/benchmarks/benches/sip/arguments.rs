//! What the benchmark was asked for.

use std::path::PathBuf;

use anyhow::{Context as _, bail};

/// What stands after `--`.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    /// `--quick`: a fifth of the calls for a third of the time, to see that all of it runs.
    pub(crate) quick: bool,
    /// `--server FILE`: a server that was built before, instead of one built now.
    pub(crate) server: Option<PathBuf>,
    /// `--asterisk DIR`: the root of a system with Asterisk in it, such as debootstrap makes; else this
    /// system's own counts, when it has one.
    pub(crate) asterisk: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn of(mut words: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut arguments = Self::default();
        while let Some(word) = words.next() {
            match word.as_str() {
                // cargo adds it to every benchmark.
                "--bench" => {}
                "--quick" => arguments.quick = true,
                "--server" => {
                    let file = words
                        .next()
                        .context("--server needs a file: target/release/trunkline")?;
                    arguments.server = Some(PathBuf::from(file));
                }
                "--asterisk" => {
                    let root = words
                        .next()
                        .context("--asterisk needs the root of a system that has one: / or /srv/bullseye")?;
                    arguments.asterisk = Some(PathBuf::from(root));
                }
                word => bail!("{word} is not known; there are --quick, --server FILE and --asterisk DIR"),
            }
        }
        Ok(arguments)
    }
}
