//! `trunkline serve`: a hotline, answered until the process is told to stop.

use std::{
    convert::Infallible,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, anyhow};
use clap::Args;
use trunkline_flow::Rules;
use trunkline_journal::{STORES_HELP, StoreSpec};
use trunkline_node::{Clock, Key, Listen, Node, ServerSecrets, Settings, StartError, WebhookTarget};
use trunkline_phone::Phone;

use crate::{
    check::{self, findings},
    exit::{Exit, Failure, Outcome},
    logging::{Format, Logging},
    place,
};

/// Answer a hotline: its HTTP API, its chat page, its plugins
///
/// Contacts that were under way when the server last stopped go on where they were. It stops on
/// ctrl-C and SIGTERM, after finishing what is begun.
#[derive(Args)]
#[command(after_help = examples())]
pub(crate) struct Serve {
    /// The hotline's folder
    hotline: PathBuf,
    /// Make what is saved in the folder live: contacts under way finish on what they began with,
    /// new ones get the new; what does not check is reported and changes nothing
    #[arg(long)]
    watch: bool,
    /// Where to listen; port 0 takes a free one
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8080",
        env = "TRUNKLINE_LISTEN"
    )]
    listen: SocketAddr,
    /// Where to keep contacts [default: fjall:DATA/trunkline/NAME, where DATA is XDG_DATA_HOME or
    /// ~/.local/share, and NAME is the folder's]
    #[arg(long, value_name = "STORE", env = "TRUNKLINE_STORE")]
    store: Option<StoreSpec>,
    /// The file of the key under which personal values are kept; made together with a new store
    /// [default: DIR.key beside the store]
    #[arg(long, value_name = "FILE", env = "TRUNKLINE_MASTER_KEY_FILE")]
    master_key: Option<PathBuf>,
    /// A file of secrets that plugins may use as grants.yaml says, in TOML: NAME = "VALUE". Only its
    /// owner may read it. SIGHUP makes the server read it again
    #[arg(long, value_name = "FILE", env = "TRUNKLINE_SECRETS_FILE")]
    secrets: Option<PathBuf>,
    /// Answer the phone, too, as this file says, in TOML: where SIP is listened on, ports of sound,
    /// engines that speak, a folder for recordings
    #[arg(long, value_name = "FILE", env = "TRUNKLINE_PHONE")]
    phone: Option<PathBuf>,
    /// The operator's key; without one only loopback addresses are listened on, and whoever
    /// reaches them is the operator
    #[arg(long, value_name = "KEY", env = "TRUNKLINE_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// The key of clients whose word for the caller's number is taken
    #[arg(
        long,
        value_name = "KEY",
        env = "TRUNKLINE_CLIENT_KEY",
        hide_env_values = true
    )]
    client_key: Option<String>,
    /// Where to send what the operator should know at once, such as a plugin's interface that
    /// fails too often: a POST of JSON, signed by the secret
    #[arg(long, value_name = "URL", env = "TRUNKLINE_WEBHOOK", hide_env_values = true)]
    webhook: Option<String>,
    /// The secret by which what is sent to the webhook is signed
    #[arg(
        long,
        value_name = "SECRET",
        env = "TRUNKLINE_WEBHOOK_SECRET",
        hide_env_values = true
    )]
    webhook_secret: Option<String>,
    /// Write the address that is listened on to this file, once the server is ready
    #[arg(long, value_name = "FILE")]
    address_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) logging: Logging,
}

fn examples() -> String {
    let stores: Vec<String> = STORES_HELP.lines().map(|line| format!("  {line}")).collect();
    format!(
        "Stores:\n{}\n\nExamples:\n  \
         trunkline serve flows/city-hotline --watch\n  \
         trunkline serve flows/city-hotline --listen 127.0.0.1:9000 --store fjall:/var/lib/city\n  \
         trunkline serve flows/city-hotline --phone /etc/trunkline/phone.toml --secrets /etc/trunkline/secrets.toml\n  \
         TRUNKLINE_API_KEY=$(openssl rand -hex 24) trunkline serve flows/city-hotline --listen 0.0.0.0:8080\n\n\
         Keys given on the command line can be seen by other users of the machine: the environment is safer.\n\
         Secrets of plugins may stand in the environment, too: TRUNKLINE_SECRET_CRM_TOKEN is crm-token.\n\
         Compiled components are kept in XDG_CACHE_HOME/trunkline, or ~/.cache/trunkline.",
        stores.join("\n")
    )
}

impl Serve {
    /// Runs the command.
    pub(crate) async fn run(&self) -> Outcome {
        let folder = place::hotline(&self.hotline)?;
        let store = match &self.store {
            Some(store) => store.clone(),
            None => place::default_store(&folder)?,
        };
        if let Some(parent) = store.directory().and_then(|directory| directory.parent()) {
            fs::create_dir_all(parent).with_context(|| format!("failed to make {}", parent.display()))?;
        }
        // Heard from the first moment on: a process that is told to stop while it starts stops.
        let mut goodbye = Goodbye::listen()?;
        let secrets =
            ServerSecrets::open(self.secrets.clone(), check::environment()).map_err(Failure::usage)?;
        let secrets = Arc::new(secrets);
        let phone_settings = self
            .phone
            .as_deref()
            .map(trunkline_phone::Settings::read)
            .transpose()
            .map_err(Failure::usage)?;
        let rereading = reread(secrets.clone())?;
        let starting = Node::start(Settings {
            hotline: folder.clone(),
            store: store.clone(),
            master_key: self.master_key.clone(),
            watch: self.watch,
            listen: Some(Listen {
                address: self.listen,
                api_key: key("--api-key", self.api_key.as_deref())?,
                client_key: key("--client-key", self.client_key.as_deref())?,
            }),
            clock: Clock::system(),
            cache: place::cache(),
            packages: place::packages_fetched()?,
            rules: Rules::Enforced,
            secrets: Some(secrets.clone()),
            webhook: self.webhook()?,
            feeds: true,
        });
        let node = tokio::select! {
            node = starting => node.map_err(|error| not_started(error, &folder))?,
            () = goodbye.comes() => return Ok(Exit::Done),
        };
        let address = node
            .address()
            .ok_or_else(|| Failure::from(anyhow!("the server listens nowhere")))?;
        let phone = match phone_settings {
            Some(settings) => Some(answer_phone(&node, settings, secrets).await?),
            None => None,
        };
        self.introduce(&node, phone.as_ref(), address, &store);
        if let Some(file) = &self.address_file {
            write_address(file, address)?;
        }
        let outcome = tokio::select! {
            never = rereading => match never {},
            () = goodbye.comes() => Ok(Exit::Done),
            cause = node.failure() => Err(Failure::from(anyhow!(
                "the store takes no more writes ({cause}); mend the cause and start again: what was acknowledged is kept"
            ))),
        };
        let stop = async {
            if let Some(phone) = &phone {
                phone.stop().await;
            }
            node.shutdown().await;
        };
        tokio::select! {
            () = stop => {}
            // Whoever asks twice means it.
            () = goodbye.comes() => {}
        }
        outcome
    }

    /// Where the operator is told.
    fn webhook(&self) -> Result<Option<WebhookTarget>, Failure> {
        let Some(url) = &self.webhook else {
            return Ok(None);
        };
        let secret = self.webhook_secret.as_deref().unwrap_or_default();
        WebhookTarget::new(url, secret).map(Some).map_err(Failure::usage)
    }

    /// Says what is answered, and where; in the log, where that is for programs.
    fn introduce(&self, node: &Node, phone: Option<&Phone>, address: SocketAddr, store: &StoreSpec) {
        let Some(release) = node.releases().current() else {
            return;
        };
        let hotline = release.hotline();
        let numbers: Vec<&str> = hotline.numbers.keys().map(|number| &**number).collect();
        let numbers = numbers.join("  ");
        let recovered = node.recovery();
        let listeners = phone.map(Phone::addresses).unwrap_or_default();
        tracing::info!(
            hotline = %hotline.name,
            release = release.id().short(),
            %address,
            %store,
            phone = listeners.join(" "),
            watch = self.watch,
            ?recovered,
            "serving"
        );
        if self.logging.log == Format::Json {
            return;
        }
        let bold = anstyle::Style::new().bold();
        anstream::println!(
            "{bold}{}{bold:#} is live on release {}",
            hotline.name,
            release.id().short()
        );
        anstream::println!("  answers    {numbers}");
        anstream::println!("  listens    http://{address}/api/v1");
        anstream::println!("  chat page  {bold}http://{address}/{bold:#}");
        if !listeners.is_empty() {
            anstream::println!("  phone      {}", listeners.join("  "));
        }
        anstream::println!("  keeps      {store}");
        if self.watch {
            anstream::println!("  watches    {}", self.hotline.display());
        }
    }
}

/// Begins to answer the phone.
async fn answer_phone(
    node: &Node,
    settings: trunkline_phone::Settings,
    secrets: Arc<ServerSecrets>,
) -> Result<Phone, Failure> {
    let secrets = trunkline_phone::Secrets::new(move |name| secrets.text(name));
    Phone::start(node.clone(), settings, secrets)
        .await
        .map_err(|error| Failure::refused(anyhow!(error).context("the phone does not start")))
}

/// Why the node did not start, and with which code.
fn not_started(error: StartError, folder: &Path) -> Failure {
    match error {
        StartError::Check { report, .. } => {
            anstream::eprint!("{}", findings(&report, folder));
            Failure::from(anyhow!(
                "{} does not load; mend the findings, or see `trunkline check`",
                folder.display()
            ))
        }
        StartError::Unguarded(_) => Failure::usage(error),
        StartError::Listen { .. } | StartError::Store { .. } => Failure::refused(error),
        error => anyhow!(error).into(),
    }
}

/// Reads the secrets again whenever the process is told to by SIGHUP. What is wrong with the file
/// is logged and leaves them as they were.
fn reread(secrets: Arc<ServerSecrets>) -> anyhow::Result<impl Future<Output = Infallible>> {
    #[cfg(unix)]
    let mut hangup = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())
        .context("failed to listen for SIGHUP")?;
    Ok(async move {
        #[cfg(unix)]
        while hangup.recv().await.is_some() {
            match secrets.reload() {
                Ok(names) => {
                    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
                    tracing::info!(secrets = names.join(" "), "secrets were read again");
                }
                Err(error) => tracing::error!(%error, "secrets stay as they were"),
            }
        }
        std::future::pending().await
    })
}

fn key(flag: &str, text: Option<&str>) -> Result<Option<Key>, Failure> {
    text.map(Key::new)
        .transpose()
        .map_err(|error| Failure::usage(anyhow!("{flag}: {error}")))
}

/// Writes the address whole or not at all: whoever waits for the file reads it at once.
fn write_address(file: &Path, address: SocketAddr) -> anyhow::Result<()> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".new");
    fs::write(&beside, format!("{address}\n"))
        .and_then(|()| fs::rename(&beside, file))
        .with_context(|| format!("failed to write {}", file.display()))
}

/// Requests to stop: ctrl-C and SIGTERM.
pub(crate) struct Goodbye {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Goodbye {
    #[cfg(unix)]
    pub(crate) fn listen() -> anyhow::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("failed to listen for SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("failed to listen for ctrl-C")?,
        })
    }

    #[cfg(not(unix))]
    pub(crate) fn listen() -> anyhow::Result<Self> {
        Ok(Self {})
    }

    /// Returns when the process is asked to stop. Dropped, it loses nothing.
    #[cfg(unix)]
    pub(crate) async fn comes(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    pub(crate) async fn comes(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
