//! The server: a process of its own, and what the system and its metrics tell of it.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal};

use crate::cost::Cost;

/// How long the server may take to be ready, or to be without calls.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Ports of its sound: more pairs than the most calls that are held, and below those that the system
/// gives to others.
const PORTS: &str = "20000-29999";
/// Open files that the most calls need: two sockets each, and some for the rest.
const FILES_MIN: u64 = 8_192;

/// Builds the server as it is shipped.
pub(crate) fn build() -> anyhow::Result<PathBuf> {
    let project = benchmarks::project();
    let output = Command::new("cargo")
        .args([
            "build",
            "--quiet",
            "--release",
            "--bin",
            "trunkline",
            "--message-format",
            "json",
        ])
        .current_dir(project)
        .stderr(Stdio::inherit())
        .output()
        .context("failed to run cargo for the server")?;
    ensure!(output.status.success(), "the server does not build; see above");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| Some(PathBuf::from(message.get("executable")?.as_str()?)))
        .next_back()
        .context("cargo built the server and does not say where it is")
}

/// A server, stopped when it goes.
pub(crate) struct Server {
    child: Child,
    http: SocketAddr,
    sip: SocketAddr,
    log: PathBuf,
}

/// What the server counts.
pub(crate) struct Metrics(String);

impl Metrics {
    /// The sum over all labels.
    pub(crate) fn sum(&self, name: &str) -> u64 {
        let values = self.0.lines().filter_map(|line| {
            let (labels, value) = line.strip_prefix(name)?.rsplit_once(' ')?;
            let whole = labels.is_empty() || labels.starts_with('{');
            whole.then(|| value.parse::<f64>().ok())?
        });
        values.sum::<f64>() as u64
    }
}

impl Server {
    /// Starts a server on the hotline in a folder, and waits until it answers.
    pub(crate) fn start(binary: &Path, place: &Path) -> anyhow::Result<Self> {
        Self::start_with(binary, place, "quiet", &[])
    }

    /// The same, which makes what is saved live.
    pub(crate) fn start_watching(binary: &Path, place: &Path) -> anyhow::Result<Self> {
        Self::start_with(binary, place, "watching", &["--watch"])
    }

    fn start_with(binary: &Path, place: &Path, name: &str, more: &[&str]) -> anyhow::Result<Self> {
        let files = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        let files = files.current.unwrap_or(u64::MAX);
        ensure!(
            files >= FILES_MIN,
            "{files} files may be open, and the calls need {FILES_MIN}: run `ulimit -n {FILES_MIN}` first"
        );
        let sip = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let phone = place.join(format!("{name}.phone.toml"));
        fs::write(&phone, format!("listen = [\"udp:{sip}\"]\nports = \"{PORTS}\"\n"))?;
        let address = place.join(format!("{name}.address"));
        // A server before it had the same names: where it listened, and what it kept, is not this one's.
        for left in [place.join(format!("{name}.store.key")), address.clone()] {
            if left.exists() {
                fs::remove_file(left)?;
            }
        }
        let store = place.join(format!("{name}.store"));
        if store.exists() {
            fs::remove_dir_all(&store)?;
        }
        let log = place.join(format!("{name}.log"));
        let child = Command::new(binary)
            .arg("serve")
            .arg(place.join("hotline"))
            .args(["--listen", "127.0.0.1:0", "--log", "json", "--store"])
            .arg(format!("fjall:{}", store.display()))
            .arg("--phone")
            .arg(phone)
            .arg("--address-file")
            .arg(&address)
            .args(more)
            // As it logs when nobody asks for more.
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()
            .with_context(|| format!("failed to start {}", binary.display()))?;
        let mut server = Self {
            child,
            http: sip,
            sip,
            log,
        };
        let begin = Instant::now();
        loop {
            if let Some(http) = fs::read_to_string(&address)
                .ok()
                .and_then(|text| text.trim().parse().ok())
            {
                server.http = http;
                return Ok(server);
            }
            if server.child.try_wait()?.is_some() || begin.elapsed() > PATIENCE {
                bail!(
                    "the server did not become ready; it said:\n{}",
                    fs::read_to_string(&server.log).unwrap_or_default()
                );
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    pub(crate) const fn sip(&self) -> SocketAddr {
        self.sip
    }

    pub(crate) fn metrics(&self) -> anyhow::Result<Metrics> {
        let mut stream = TcpStream::connect(self.http)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "GET /metrics HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.http
        )?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        ensure!(
            text.starts_with("HTTP/1.1 200"),
            "the server does not tell its metrics: {}",
            text.lines().next().unwrap_or_default()
        );
        Ok(Metrics(text))
    }

    pub(crate) fn spent(&self) -> anyhow::Result<Cost> {
        Cost::of_process(self.child.id())
    }

    /// Bytes of memory that it has in its hands.
    pub(crate) fn memory(&self) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let kib: u64 = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"))
            .context("the system does not tell the server's memory")?
            .parse()?;
        Ok(kib * 1024)
    }

    /// Contacts that ended with the outcome that the flow gives when all went well, by the log.
    pub(crate) fn completed(&self) -> anyhow::Result<u64> {
        let log = fs::read_to_string(&self.log)?;
        Ok(log
            .lines()
            .filter(|line| line.contains("\"contact ended\"") && line.contains("\"outcome\":\"completed\""))
            .count() as u64)
    }

    /// Calls of plugins that were answered.
    pub(crate) fn plugin_calls(&self) -> anyhow::Result<u64> {
        Ok(self.metrics()?.sum("trunkline_plugin_calls_total"))
    }

    /// Releases that went live after the first.
    pub(crate) fn releases(&self) -> anyhow::Result<u64> {
        let log = fs::read_to_string(&self.log)?;
        let live = log.lines().filter(|line| line.contains("\"verdict\":\"live\""));
        Ok((live.count() as u64).saturating_sub(1))
    }

    /// Waits until no call is up.
    pub(crate) fn wait_until_idle(&self) -> anyhow::Result<()> {
        let begin = Instant::now();
        loop {
            let metrics = self.metrics()?;
            let up = metrics.sum("trunkline_sip_calls") + metrics.sum("trunkline_phone_calls");
            if up == 0 {
                // Media tells its metrics once a second.
                thread::sleep(Duration::from_millis(1_200));
                return Ok(());
            }
            ensure!(begin.elapsed() < PATIENCE, "{up} calls did not end");
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Puts the log where it stays.
    pub(crate) fn keep_log(&self) -> anyhow::Result<PathBuf> {
        let kept = benchmarks::project().join("target/bench-sip.log");
        fs::copy(&self.log, &kept)?;
        Ok(kept)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        stop(&mut self.child, Signal::TERM);
    }
}

/// Asks a child to stop, and makes it when it does not.
pub(crate) fn stop(child: &mut Child, by: Signal) {
    // It is this program's child and not yet waited for, so the id is still its own.
    if rustix::process::kill_process(Pid::from_child(child), by).is_err() {
        let _ = child.kill();
    }
    let begin = Instant::now();
    while matches!(child.try_wait(), Ok(None)) {
        if begin.elapsed() > PATIENCE {
            let _ = child.kill();
        }
        thread::sleep(LOOK_EVERY);
    }
}
