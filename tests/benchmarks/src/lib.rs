//! What the benchmarks share: the machine they ran on, percentiles, processor time, and
//! tables of measurements with their ratios.
//!
//! A benchmark measures one promise and prints it as a ratio to a floor or a peer measured in
//! the same run, since absolute numbers belong to one machine on one day.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "benchmarks print, and measure by the clock"
)]

pub mod hotline;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::Context as _;

/// Prints what the numbers that follow were measured on.
pub fn print_machine(benchmark: &str) {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown processor", |(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("# {benchmark}");
    println!(
        "{cpu}, {cores} cores, Linux {}, load before the run {}\n",
        kernel.trim(),
        load.split(' ').next().unwrap_or_default()
    );
}

/// The value below which a share of the samples lies; sorts the samples.
pub fn percentile(samples: &mut [Duration], share: f64) -> Duration {
    samples.sort_unstable();
    let index = (samples.len().saturating_sub(1) as f64 * share).round() as usize;
    samples.get(index).copied().unwrap_or_default()
}

/// Processor time that this process has used.
pub fn processor_time() -> Duration {
    // Fields 14 and 15, counted after the parenthesised name: user and system time in ticks,
    // of which Linux has 100 a second on every architecture that userland sees.
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let ticks: u64 = after_name
        .split(' ')
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<u64>().ok())
        .sum();
    Duration::from_millis(ticks * 10)
}

/// How often something happened in how long, and at what cost.
#[derive(Clone, Copy, Debug)]
pub struct Throughput {
    /// How often.
    pub count: u64,
    /// Time on the wall.
    pub wall: Duration,
    /// Processor time.
    pub processor: Duration,
}

impl Throughput {
    /// How often a second.
    pub fn per_second(&self) -> f64 {
        self.count as f64 / self.wall.as_secs_f64()
    }

    /// Microseconds of processor time each.
    pub fn processor_micros(&self) -> f64 {
        self.processor.as_secs_f64() * 1e6 / self.count.max(1) as f64
    }
}

/// Measures something that returns how often it did it.
pub fn measure(run: impl FnOnce() -> u64) -> Throughput {
    let (start, processor) = (Instant::now(), processor_time());
    let count = run();
    Throughput {
        count,
        wall: start.elapsed(),
        processor: processor_time() - processor,
    }
}

/// Where the project is.
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Builds a guest from source and gives its component's bytes.
///
/// # Errors
/// The guest does not build.
pub fn component(package: &str) -> anyhow::Result<Vec<u8>> {
    let plugins = project().join("plugins");
    let status = Command::new("cargo")
        .args(["build", "--quiet", "--release", "--package", package])
        .current_dir(&plugins)
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("RUSTFLAGS")
        .status()
        .context("failed to run cargo for the guest")?;
    anyhow::ensure!(status.success(), "the guest {package} does not build; see above");
    let file = plugins
        .join("target/wasm32-wasip2/release")
        .join(package.replace('-', "_"))
        .with_extension("wasm");
    fs::read(&file).with_context(|| format!("failed to read {}", file.display()))
}

/// Builds the benchmarks' guest in JavaScript, with the SDK as `cargo xtask plugins` installed it.
///
/// # Errors
/// Node or the SDK's packages are missing, or it does not build.
pub fn javascript_component() -> anyhow::Result<Vec<u8>> {
    let build = project().join("sdk/js/build/cli.mjs");
    let mut command = Command::new("node");
    command
        .arg(build)
        .args(["--wit", "../../../../plugins/address-card/wit", "--out"])
        .current_dir(project().join("tests/benchmarks/guests/javascript"));
    built(command, "javascript")
}

/// Builds the benchmarks' guest in Python, in the environment that `cargo xtask plugins` made.
///
/// # Errors
/// The environment is missing, or it does not build.
pub fn python_component() -> anyhow::Result<Vec<u8>> {
    let python = project().join("plugins/target/python/environment/bin/python");
    let mut command = Command::new(python);
    command
        .args(["-m", "trunkline_sdk.build", ".", "--output"])
        .env("PYTHONPATH", project().join("sdk/python/src"))
        .current_dir(project().join("tests/benchmarks/guests/python"));
    built(command, "python")
}

/// Runs a build that takes the place of its component last.
fn built(mut command: Command, language: &str) -> anyhow::Result<Vec<u8>> {
    let file = project()
        .join("plugins/target")
        .join(format!("address-card-{language}.wasm"));
    let output = command.arg(&file).output().with_context(|| {
        format!("failed to run {command:?}; `cargo xtask plugins` installs what it needs")
    })?;
    anyhow::ensure!(
        output.status.success(),
        "the guest does not build (`cargo xtask plugins` installs what it needs): {}",
        String::from_utf8_lossy(&output.stderr)
    );
    fs::read(&file).with_context(|| format!("failed to read {}", file.display()))
}
