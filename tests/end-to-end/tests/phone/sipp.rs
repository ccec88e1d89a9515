//! sipp, who calls and is called as a scenario says.
//!
//! Scenarios lie in `scenarios`. `<?part call?>` puts in a part that many have, of `scenarios/parts`, and
//! `{name}` a value of the test.

use std::{
    collections::BTreeMap,
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use end_to_end::{LOOK_EVERY, PATIENCE, programs};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::{line::Line, ports, programs::need};

/// How long a scenario may take, unless it says otherwise.
const WITHIN: Duration = Duration::from_secs(45);
/// How often parts are put into parts: a part may have parts.
const DEPTH_MAX: usize = 4;

/// A sipp that is to be started.
pub(crate) struct Sipp {
    scenario: &'static str,
    to: Option<SocketAddr>,
    at: IpAddr,
    port: u16,
    tcp: bool,
    calls: u32,
    within: Duration,
    values: BTreeMap<&'static str, String>,
}

impl Sipp {
    /// Somebody who calls a server.
    pub(crate) fn calls(scenario: &'static str, server: SocketAddr, number: &str) -> Self {
        let mut sipp = Self::new(scenario, ports::free(2));
        sipp.to = Some(server);
        sipp.with("number", number)
    }

    /// Somebody who waits at a port to be called.
    pub(crate) fn waits(scenario: &'static str, port: u16) -> Self {
        Self::new(scenario, port)
    }

    fn new(scenario: &'static str, port: u16) -> Self {
        let values = [
            ("caller", crate::exchange::CALLER),
            ("formats", "0 101"),
            ("media", "9"),
            ("headers", "Supported: timer"),
            ("pause", "200"),
        ];
        Self {
            scenario,
            to: None,
            at: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port,
            tcp: false,
            calls: 1,
            within: WITHIN,
            values: values
                .into_iter()
                .map(|(name, value)| (name, value.to_owned()))
                .collect(),
        }
    }

    /// With a value for the scenario.
    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.values.insert(name, value.to_string());
        self
    }

    /// With a line for its sound.
    pub(crate) fn on(self, line: &Line) -> Self {
        let port = line.port();
        self.with("media", port)
    }

    /// From another address of this machine.
    pub(crate) const fn from(mut self, at: Ipv4Addr) -> Self {
        self.at = IpAddr::V4(at);
        self
    }

    /// By TCP, to where that is listened on.
    pub(crate) const fn tcp_to(mut self, server: SocketAddr) -> Self {
        self.tcp = true;
        self.to = Some(server);
        self
    }

    /// That may take longer than others.
    pub(crate) const fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// Starts it.
    pub(crate) fn start(self) -> Running {
        need("sipp");
        let place = tempfile::Builder::new()
            .prefix("trunkline-sipp-")
            .tempdir()
            .expect("there is room for a folder");
        let scenario = place.path().join("scenario.xml");
        fs::write(&scenario, self.written()).expect("there is room for a scenario");
        let log = fs::File::create(place.path().join("log")).expect("there is room for a log");
        let mut command = Command::new("sipp");
        if let Some(to) = self.to {
            command.arg(to.to_string());
        }
        command
            .arg("-sf")
            .arg(&scenario)
            .args(["-i", &self.at.to_string(), "-mi", "127.0.0.1"])
            .args(["-p", &self.port.to_string()])
            .args(["-cp", &ports::free(1).to_string()])
            .args(["-t", if self.tcp { "t1" } else { "u1" }])
            .args(["-m", &self.calls.to_string()])
            .args([
                "-timeout",
                &format!("{}s", self.within.as_secs()),
                "-timeout_error",
            ])
            .args(["-nostdin", "-trace_err", "-error_file"])
            .arg(place.path().join("errors"))
            .current_dir(place.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log can be shared"))
            .stderr(log);
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("failed to start sipp: {error}"));
        Running {
            child,
            port: self.port,
            scenario: self.scenario,
            within: self.within,
            place,
        }
    }

    /// The scenario with all that goes into it.
    fn written(&self) -> String {
        let folder = programs::root().join("tests/end-to-end/tests/phone/scenarios");
        let mut text = read(&folder.join(format!("{}.xml", self.scenario)));
        for _ in 0..DEPTH_MAX {
            while let Some((before, rest)) = text.split_once("<?part ") {
                let (part, after) = rest.split_once("?>").expect("a part is closed");
                let part = read(&folder.join("parts").join(format!("{part}.xml")));
                text = format!("{before}{part}{after}");
            }
        }
        for (name, value) in &self.values {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("failed to read {}: {error}", file.display()))
}

/// Whether somebody has a port by UDP. It is looked up, since who tries a port takes it for a moment.
fn is_taken(port: u16) -> bool {
    let sockets = fs::read_to_string("/proc/net/udp").expect("Linux tells its sockets");
    let port = format!(":{port:04X}");
    // After the number of a socket stands its own address.
    let mut own = sockets.lines().filter_map(|line| line.split_whitespace().nth(1));
    own.any(|address| address.ends_with(&port))
}

/// A sipp that runs. It is killed when this goes.
pub(crate) struct Running {
    child: Child,
    port: u16,
    scenario: &'static str,
    within: Duration,
    place: TempDir,
}

impl Running {
    /// Waits until it can be called. Who calls before is told that nobody is there.
    pub(crate) async fn listening(self) -> Self {
        let patience = Instant::now() + PATIENCE;
        while !is_taken(self.port) {
            assert!(
                Instant::now() < patience,
                "sipp's {} does not listen\n{}",
                self.scenario,
                self.told()
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
        self
    }

    /// Waits for its scenario to come to its end.
    pub(crate) async fn ends(mut self) {
        let patience = Instant::now() + self.within + Duration::from_secs(5);
        loop {
            if let Some(status) = self.child.try_wait().expect("the process is this one's child") {
                assert!(
                    status.success(),
                    "sipp's {} did not come to its end ({status})\n{}",
                    self.scenario,
                    self.told()
                );
                return;
            }
            assert!(Instant::now() < patience, "sipp's {} goes on", self.scenario);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Kills it, as when a phone loses its power.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("a parent may kill its child");
        self.child.wait().expect("a killed child ends");
    }

    fn file(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn told(&self) -> String {
        let errors = fs::read_to_string(self.file("errors")).unwrap_or_default();
        let log = fs::read_to_string(self.file("log")).unwrap_or_default();
        let log: Vec<&str> = log.lines().rev().take(15).collect();
        let log: Vec<&str> = log.into_iter().rev().collect();
        format!("{errors}\n{}", log.join("\n"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // Nobody is left to be told of a failure.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
