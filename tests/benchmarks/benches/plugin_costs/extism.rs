//! The peer: Extism, another host of WebAssembly plugins, doing the same step.
//!
//! It brings a wasmtime of its own of another version, so it is a program of its own
//! (`tests/benchmarks/extism`), built when this benchmark runs. It is asked over its standard
//! input and answers with what it measured itself, so that the pipe is not in the figures.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Mutex,
    time::Duration,
};

use anyhow::Context as _;

use benchmarks::project;

/// Extism's program, running.
pub(crate) struct Extism {
    child: Child,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Extism {
    /// Builds and starts it. `again`: one instance serves every call.
    pub(crate) fn start(again: bool) -> anyhow::Result<Self> {
        let folder = project().join("tests/benchmarks/extism");
        let status = Command::new("cargo")
            .args(["build", "--quiet", "--release"])
            .current_dir(&folder)
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("RUSTFLAGS")
            .status()
            .context("failed to run cargo for Extism")?;
        anyhow::ensure!(status.success(), "{} does not build; see above", folder.display());
        let mut child = Command::new(folder.join("target/release/extism-peer"))
            .arg(if again { "again" } else { "fresh" })
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("failed to start Extism's program")?;
        let stdin = child.stdin.take().context("it has a standard input")?;
        let stdout = child.stdout.take().context("it has a standard output")?;
        Ok(Self {
            child,
            pipes: Mutex::new((stdin, BufReader::new(stdout))),
        })
    }

    /// The times of calls made one after the other, as it measured them itself.
    pub(crate) fn round(
        &self,
        input: &str,
        round: Duration,
        calls_min: usize,
    ) -> anyhow::Result<Vec<Duration>> {
        let mut pipes = self.pipes.lock().expect("nobody panics while it asks");
        let (stdin, stdout) = &mut *pipes;
        writeln!(stdin, "{} {calls_min} {input}", round.as_millis())?;
        stdin.flush()?;
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let (answer, times) = line.split_once('\t').context("Extism's program stopped")?;
        anyhow::ensure!(answer.contains("330106-2031-7"), "Extism gives {answer:.100}");
        times
            .split_whitespace()
            .map(|nanos| Ok(Duration::from_nanos(nanos.parse()?)))
            .collect()
    }
}

impl Drop for Extism {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
