//! `cargo xtask fuzz`: random bytes, grown by what they reach, at everything that reads what strangers send.
//!
//! libFuzzer comes with the crate libfuzzer-sys; what it needs of the compiler is one pass of LLVM, which the pinned
//! toolchain has. So neither a nightly compiler nor `cargo fuzz` is needed. There is no address sanitizer: our code holds
//! no unsafe block, and what is looked for is a panic, an overflow, a claim that does not hold, memory and time.

use std::{
    fs,
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{
    cargo::{self, cargo},
    house::House,
    progress::Step,
    toolchain,
};

/// The targets, each a file in tests/fuzz/targets with a folder of seeds.
const TARGETS: [&str; 6] = ["sdp", "digest", "rtp", "rtcp", "keys", "wav"];
/// What libFuzzer is told of the code that runs: which edges were taken, and what was compared with what.
const COVERAGE: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
];
/// Seconds that one input may take, and megabytes that the target may hold.
const INPUT_SECONDS_MAX: u64 = 10;
const MEMORY_MB_MAX: u64 = 1_024;
/// Bytes of an input; a description and a WAV file of a few frames fit.
const INPUT_BYTES_MAX: u64 = 4_096;

/// Throw random bytes at what reads descriptions, passwords' digests, sound and keys of strangers
///
/// Begins from the seeds in tests/fuzz/seeds and goes on from what earlier runs found (tests/fuzz/corpus). An input at
/// which something falls is kept in tests/fuzz/artifacts, and the line that plays it again is printed.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask fuzz                       every target for a minute\n  \
    cargo xtask fuzz sdp --time 10m        one target for ten\n  \
    cargo xtask fuzz sdp --input tests/fuzz/artifacts/sdp/crash-0a1b…\n                                         \
    one input again")]
pub(crate) struct Fuzz {
    /// One target; all, one after the other, without
    #[arg(value_parser = TARGETS)]
    target: Option<String>,
    /// For how long each: 60s, 10m, 2h
    #[arg(long, default_value = "60s", value_parser = seconds)]
    time: u64,
    /// Only this input, kept by an earlier run
    #[arg(long, requires = "target", conflicts_with = "time", value_name = "FILE")]
    input: Option<PathBuf>,
}

impl Fuzz {
    /// Runs the command.
    pub(crate) fn run(&self) -> Result<ExitCode> {
        let house = House::find()?;
        ensure_c_plus_plus()?;
        let host = toolchain::host_target(&house)?;
        let folder = house.fuzz();
        let targets = match &self.target {
            Some(target) => vec![target.as_str()],
            None => TARGETS.to_vec(),
        };
        Step::run(
            "Build the fuzz targets",
            |step| {
                let mut command = cargo(&folder);
                // With a target named, build scripts and macros stay as they are.
                command.args(["build", "--release", "--locked", "--target", &host]);
                for target in &targets {
                    command.args(["--bin", target]);
                }
                command.env_remove("CARGO_ENCODED_RUSTFLAGS");
                command.env("RUSTFLAGS", format!("{} --cfg fuzzing", COVERAGE.join(" ")));
                cargo::build(command, step)
            },
            |()| String::new(),
        )
        .context("the fuzz targets are not built; what cargo says above tells why")?;
        let built = cargo::target_directory(&folder)?.join(&host).join("release");
        for target in targets {
            let binary = built.join(format!("{target}{}", std::env::consts::EXE_SUFFIX));
            self.fuzz(&house, target, Command::new(binary))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn fuzz(&self, house: &House, target: &str, mut command: Command) -> Result<()> {
        let folder = house.fuzz();
        let seeds = folder.join("seeds").join(target);
        let corpus = folder.join("corpus").join(target);
        let artifacts = folder.join("artifacts").join(target);
        for made in [&corpus, &artifacts] {
            fs::create_dir_all(made).with_context(|| format!("failed to make {}", made.display()))?;
        }
        command.arg(format!("-timeout={INPUT_SECONDS_MAX}"));
        command.arg(format!("-rss_limit_mb={MEMORY_MB_MAX}"));
        if let Some(input) = &self.input {
            command.arg(input);
        } else {
            anstream::eprintln!("\n{target}: {} s", self.time);
            command
                .arg(format!("-max_total_time={}", self.time))
                .arg(format!("-max_len={INPUT_BYTES_MAX}"))
                .arg("-print_final_stats=1")
                // With its separator at the end: libFuzzer puts the name right behind it.
                .arg(format!("-artifact_prefix={}/", artifacts.display()))
                .args([&corpus, &seeds]);
        }
        let status = command
            .status()
            .with_context(|| format!("failed to start the fuzz target {target}"))?;
        if !status.success() {
            bail!(
                "{target} fell ({status}); its input is in {}: play it again by `cargo xtask fuzz {target} --input FILE`, \
                 mend what it shows, and keep the input in {}",
                house.show(&artifacts),
                house.show(&seeds)
            );
        }
        Ok(())
    }
}

/// libFuzzer is C++, and is compiled with the targets.
fn ensure_c_plus_plus() -> Result<()> {
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    let there = Command::new(&compiler)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !there {
        bail!(
            "libFuzzer is compiled by a C++ compiler, and `{compiler}` does not run here; install one (Debian: \
             `apt-get install g++`), or name yours in CXX"
        );
    }
    Ok(())
}

/// A time such as `60s`, `10m` or `2h`, in seconds.
fn seconds(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no time; write it like 60s, 10m or 2h");
    let (count, unit) = text
        .char_indices()
        .last()
        .map(|(at, unit)| (&text[..at], unit))
        .ok_or_else(wrong)?;
    let each = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        _ => return Err(wrong()),
    };
    let count: u64 = count.parse().map_err(|_| wrong())?;
    count
        .checked_mul(each)
        // For libFuzzer 0 means without end.
        .filter(|seconds| *seconds > 0)
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        assert_eq!(seconds("60s"), Ok(60));
        assert_eq!(seconds("10m"), Ok(600));
        assert_eq!(seconds("2h"), Ok(7_200));
        for wrong in ["", "s", "60", "0s", "1d", "-1s", "秒"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_target_has_its_file_and_its_seeds() {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz");
        let names = |of: &str| {
            let mut names: Vec<String> = fs::read_dir(folder.join(of))
                .expect("a folder of the checkout")
                .map(|entry| entry.expect("readable").path())
                .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
                .collect();
            names.sort();
            names
        };
        let mut targets = TARGETS.to_vec();
        targets.sort_unstable();
        assert_eq!(names("targets"), targets);
        assert_eq!(names("seeds"), targets);
        for target in targets {
            let seeds = fs::read_dir(folder.join("seeds").join(target)).expect("a folder of seeds");
            assert!(seeds.count() > 0, "{target}");
        }
    }
}
