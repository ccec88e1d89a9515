//! Processor time, as the system counts it for a process and its threads.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::Context as _;

/// The system counts processor time in hundredths of a second, on every architecture.
const TICK: Duration = Duration::from_millis(10);

/// What a server has spent since it was started, or between two looks.
#[derive(Debug, Clone)]
pub(crate) struct Cost {
    at: Instant,
    pub(crate) wall: Duration,
    pub(crate) processor: Duration,
    /// By the names of threads; a number at a name's end does not tell them apart.
    pub(crate) threads: BTreeMap<String, Duration>,
}

impl Cost {
    /// What a process has spent so far. What threads spent that have ended counts in all only.
    pub(crate) fn of_process(id: u32) -> anyhow::Result<Self> {
        let process = PathBuf::from(format!("/proc/{id}"));
        let at = Instant::now();
        let (_, processor) = stat(&fs::read_to_string(process.join("stat"))?)?;
        let mut threads = BTreeMap::new();
        for task in fs::read_dir(process.join("task"))? {
            // One may end while they are listed.
            let Ok(text) = fs::read_to_string(task?.path().join("stat")) else {
                continue;
            };
            let (name, spent) = stat(&text)?;
            let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
            *threads.entry(name.to_owned()).or_default() += spent;
        }
        Ok(Self {
            at,
            wall: Duration::ZERO,
            processor,
            threads,
        })
    }

    pub(crate) fn since(&self, before: &Self) -> Self {
        let threads = self.threads.iter().map(|(name, spent)| {
            let before = before.threads.get(name).copied().unwrap_or_default();
            (name.clone(), spent.saturating_sub(before))
        });
        Self {
            at: self.at,
            wall: self.at - before.at,
            processor: self.processor - before.processor,
            threads: threads.filter(|(_, spent)| !spent.is_zero()).collect(),
        }
    }

    /// Of one processor.
    pub(crate) fn share(&self) -> f64 {
        self.processor.as_secs_f64() / self.wall.as_secs_f64()
    }

    /// What threads with this in their names have spent.
    pub(crate) fn of(&self, part: &str) -> Duration {
        let named = self.threads.iter().filter(|(name, _)| name.contains(part));
        named.map(|(_, spent)| *spent).sum()
    }
}

/// The name and the processor time in a line of /proc/PID/stat.
fn stat(text: &str) -> anyhow::Result<(String, Duration)> {
    let (before, after) = text.rsplit_once(") ").context("a stat file without a name")?;
    let (_, name) = before.split_once('(').context("a stat file without a name")?;
    // Fields 14 and 15, the third being the first after the name: user and system time.
    let ticks = after
        .split(' ')
        .skip(11)
        .take(2)
        .map(str::parse::<u32>)
        .sum::<Result<u32, _>>()?;
    Ok((name.to_owned(), TICK * ticks))
}
