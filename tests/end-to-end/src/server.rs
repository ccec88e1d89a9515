//! A server process: started, killed, started again.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{LOOK_EVERY, PATIENCE, http, programs};

/// How a server is started. The same set-up starts it again on the same store.
#[derive(Clone, Debug)]
pub struct Setup {
    hotline: PathBuf,
    place: PathBuf,
    store: String,
    watch: bool,
    listen: SocketAddr,
    api_key: Option<String>,
    client_key: Option<String>,
    secrets: Option<PathBuf>,
    phone: Option<PathBuf>,
    binary: PathBuf,
}

impl Setup {
    /// A server for a hotline that keeps its things in `place`: on fjall, not watching, without
    /// keys.
    pub fn new(hotline: impl Into<PathBuf>, place: impl Into<PathBuf>) -> Self {
        let place = place.into();
        Self {
            hotline: hotline.into(),
            store: format!("fjall:{}", place.join("store").display()),
            place,
            watch: false,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            api_key: None,
            client_key: None,
            secrets: None,
            phone: None,
            binary: programs::trunkline().to_owned(),
        }
    }

    /// With another kind of store.
    #[must_use]
    pub fn store(mut self, kind: &str) -> Self {
        self.store = match kind {
            "memory" => "memory:".to_owned(),
            kind => format!("{kind}:{}", self.place.join("store").display()),
        };
        self
    }

    /// Watching its folder.
    #[must_use]
    pub fn watching(mut self) -> Self {
        self.watch = true;
        self
    }

    /// Listening at an address, such as that of a server that was stopped.
    #[must_use]
    pub const fn at(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// With an operator's key.
    #[must_use]
    pub fn api_key(mut self, key: &str) -> Self {
        self.api_key = Some(key.to_owned());
        self
    }

    /// With a trusted client's key.
    #[must_use]
    pub fn client_key(mut self, key: &str) -> Self {
        self.client_key = Some(key.to_owned());
        self
    }

    /// With a file of secrets.
    #[must_use]
    pub fn secrets(mut self, file: impl Into<PathBuf>) -> Self {
        self.secrets = Some(file.into());
        self
    }

    /// Answering the phone as a file says.
    #[must_use]
    pub fn phone(mut self, file: impl Into<PathBuf>) -> Self {
        self.phone = Some(file.into());
        self
    }

    /// The file of its master key.
    pub fn key(&self) -> PathBuf {
        self.place.join("store.key")
    }

    fn log(&self) -> PathBuf {
        self.place.join("server.log")
    }

    /// Starts the server, and waits until it is ready.
    ///
    /// # Panics
    /// When it does not become ready, with its log.
    pub async fn start(&self) -> Server {
        let mut server = self.spawn();
        if let Err(why) = server.become_ready().await {
            panic!("the server did not start: {why}\n{}", server.log());
        }
        server
    }

    /// Starts the server, and waits for it to end by itself: how, and what it said.
    ///
    /// # Panics
    /// When it goes on.
    pub async fn start_in_vain(&self) -> (ExitStatus, String) {
        let mut server = self.spawn();
        let patience = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(status) = server.child.try_wait().expect("the process is this one's child") {
                return (status, server.log());
            }
            assert!(
                tokio::time::Instant::now() < patience,
                "the server did not end:\n{}",
                server.log()
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn spawn(&self) -> Server {
        fs::create_dir_all(&self.place).expect("there is room for a folder");
        let address_file = self.place.join("address");
        // One of an earlier run would be taken for this one's.
        let _ = fs::remove_file(&address_file);
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.log())
            .expect("there is room for a log");
        let mut command = Command::new(&self.binary);
        command
            .arg("serve")
            .arg(&self.hotline)
            .args(["--log", "pretty", "--listen"])
            .arg(self.listen.to_string())
            .arg("--address-file")
            .arg(&address_file)
            .args(["--store", &self.store])
            .env("XDG_CACHE_HOME", cache())
            .env_remove("TRUNKLINE_API_KEY")
            .env_remove("TRUNKLINE_CLIENT_KEY")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log can be shared"))
            .stderr(log);
        if self.watch {
            command.arg("--watch");
        }
        if let Some(secrets) = &self.secrets {
            command.arg("--secrets").arg(secrets);
        }
        if let Some(phone) = &self.phone {
            command.arg("--phone").arg(phone);
        }
        if let Some(key) = &self.api_key {
            command.env("TRUNKLINE_API_KEY", key);
        }
        if let Some(key) = &self.client_key {
            command.env("TRUNKLINE_CLIENT_KEY", key);
        }
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("failed to start {}: {error}", self.binary.display()));
        Server {
            child,
            address: self.listen,
            address_file,
            setup: self.clone(),
        }
    }
}

/// Where compiled components are kept: by all tests together, since they are the same ones.
///
/// # Panics
/// When the system does not tell which program this is.
pub fn cache() -> PathBuf {
    let here = std::env::current_exe().expect("the system tells which program this is");
    let target = here.ancestors().nth(3).unwrap_or(Path::new("target"));
    target.join("tmp").join("cache")
}

/// A server process. It is killed when this goes.
pub struct Server {
    child: Child,
    address: SocketAddr,
    address_file: PathBuf,
    setup: Setup,
}

impl Server {
    async fn become_ready(&mut self) -> Result<(), String> {
        let patience = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().map_err(|error| error.to_string())? {
                return Err(format!("it ended ({status})"));
            }
            if let Ok(address) = fs::read_to_string(&self.address_file)
                && let Ok(address) = address.trim().parse()
            {
                self.address = address;
                let ready = http().get(format!("{}/health/ready", self.url())).send().await;
                if ready.is_ok_and(|answer| answer.status() == 200) {
                    return Ok(());
                }
            }
            if tokio::time::Instant::now() > patience {
                return Err(format!("it was not ready within {} s", PATIENCE.as_secs()));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Its address, `http://127.0.0.1:40123`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it answers the phone by a transport, `udp` or `tcp`, as it said when it was ready.
    ///
    /// # Panics
    /// When it does not.
    pub fn phone_at(&self, transport: &str) -> SocketAddr {
        let log = self.log();
        let said = log
            .lines()
            .rev()
            .find_map(|line| line.trim().strip_prefix("phone "));
        said.and_then(|listeners| {
            let by = |listener: &str| listener.strip_prefix(transport)?.strip_prefix(':')?.parse().ok();
            listeners.split_whitespace().find_map(by)
        })
        .unwrap_or_else(|| panic!("the server does not answer the phone by {transport}:\n{log}"))
    }

    /// What it was started with.
    pub const fn setup(&self) -> &Setup {
        &self.setup
    }

    /// What it has logged, in all its lives.
    pub fn log(&self) -> String {
        fs::read_to_string(self.setup.log()).unwrap_or_default()
    }

    /// Kills it, at once and without a word.
    ///
    /// # Panics
    /// When the system does not let a parent kill its child.
    pub fn kill(mut self) -> Setup {
        self.child.kill().expect("a parent may kill its child");
        self.child.wait().expect("a killed child ends");
        self.setup.clone()
    }

    /// Tells it to read its secrets again.
    ///
    /// # Panics
    /// When the system does not let a parent signal its child.
    pub fn hang_up(&self) {
        let pid = i32::try_from(self.child.id()).expect("process ids are small");
        kill(Pid::from_raw(pid), Signal::SIGHUP).expect("a parent may signal its child");
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn stop(mut self) -> (Setup, ExitStatus) {
        let pid = i32::try_from(self.child.id()).expect("process ids are small");
        kill(Pid::from_raw(pid), Signal::SIGTERM).expect("a parent may signal its child");
        let patience = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("the process is this one's child") {
                return (self.setup.clone(), status);
            }
            assert!(
                tokio::time::Instant::now() < patience,
                "the server did not stop:\n{}",
                self.log()
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Server {
    /// Asks the operator's side for something: its status and its JSON.
    ///
    /// # Panics
    /// When nothing answers.
    pub async fn asked(&self, path: &str) -> (reqwest::StatusCode, serde_json::Value) {
        let mut get = http().get(format!("{}{path}", self.url()));
        if let Some(key) = &self.setup.api_key {
            get = get.bearer_auth(key);
        }
        crate::answer(get).await
    }

    /// The release that new contacts begin on.
    ///
    /// # Panics
    /// When there is none.
    pub async fn current_release(&self) -> String {
        let (status, current) = self.asked("/api/v1/releases/current").await;
        assert_eq!(status, 200, "{current}");
        current["release"]
            .as_str()
            .expect("a release has an id")
            .to_owned()
    }

    /// Waits for another release than `before` to be current: which.
    ///
    /// # Panics
    /// When none comes.
    pub async fn next_release(&self, before: &str) -> String {
        let mut current = before.to_owned();
        crate::eventually("another release", async || {
            current = self.current_release().await;
            current != before
        })
        .await;
        current
    }

    /// How a contact stands, as an operator sees it.
    ///
    /// # Panics
    /// When there is no such contact.
    pub async fn contact(&self, contact: &str) -> serde_json::Value {
        let (status, state) = self.asked(&format!("/api/v1/contacts/{contact}")).await;
        assert_eq!(status, 200, "{state}");
        state
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // Nobody is left to be told of a failure.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let tail = lines[lines.len().saturating_sub(40)..].join("\n");
            show(&format!("---- the server's log ends with\n{tail}"));
        }
    }
}

/// Prints where the test harness catches it and shows it when a test fails.
#[expect(clippy::print_stdout, reason = "the harness shows what a failed test printed")]
pub(crate) fn show(text: &str) {
    println!("{text}");
}
