//! A node: one hotline, its contacts, its releases and its server, from start to stop.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{net::TcpListener, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use trunkline_engine::{Input, Session, turn::Turn};
use trunkline_flow::Rules;
use trunkline_journal::{Journal, MasterKey, MasterKeyError, OpenError, StoreSpec, Streams, open};
use trunkline_model::{ContactId, Timestamp};
use trunkline_package::admission::Shelves;
use trunkline_plugin::{Host, Secrets};

use crate::{
    build::Builder,
    clock::Clock,
    contacts::{ArriveError, Arrived, Call, Contacts, DeliverError, Delivered, FindError, Recovery},
    feeds::Feeds,
    key::Key,
    key_values::PluginValues,
    limits::{STOP_CALLS_WITHIN, STOP_WITHIN, SWEEP_EVERY},
    lines::Lines,
    observe,
    releases::Releases,
    report::{Cause, Report},
    server,
    shelf::Shelf,
    success::Success,
    watch::Watch,
    webhook::{self, WebhookTarget},
};

/// What a node runs, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder that holds hotline.yaml.
    pub hotline: PathBuf,
    /// Where everything durable is kept.
    pub store: StoreSpec,
    /// The file of the key under which personal values are kept; it is made when it is
    /// missing. Without one, `DIR.key` beside the store's directory; a store in memory needs none.
    pub master_key: Option<PathBuf>,
    /// Whether what is saved in the folder goes live.
    pub watch: bool,
    /// Where the HTTP API listens; nowhere for a node that is used in process.
    pub listen: Option<Listen>,
    /// What time it is.
    pub clock: Clock,
    /// A folder for compiled components; without one they are compiled at every start.
    pub cache: Option<PathBuf>,
    /// Where packages of registries are taken from.
    pub packages: Shelves,
    /// Whether a hotline that breaks the rules of its packs is taken: for rehearsals only.
    pub rules: Rules,
    /// Where plugins' secrets come from; without it none has a value.
    pub secrets: Option<Arc<dyn Secrets>>,
    /// Where the operator is told of what should be known at once.
    pub webhook: Option<WebhookTarget>,
    /// Whether feeds are asked, and what is new starts contacts. Not where a hotline is only looked
    /// at or rehearsed: departments would be asked, and people told, by somebody who tries it out.
    pub feeds: bool,
}

/// Where the HTTP API listens, and who may do what.
#[derive(Clone, Debug)]
pub struct Listen {
    /// The address; port 0 takes a free one.
    pub address: SocketAddr,
    /// The operator's key. Without one only a loopback address is taken, and whoever can
    /// reach it is the operator.
    pub api_key: Option<Key>,
    /// The key of clients whose word for the caller's number is taken.
    pub client_key: Option<Key>,
}

/// A node that does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address that others can reach, without a key.
    #[error(
        "{0} can be reached from other machines, and no API key is set: set one with --api-key, \
         or listen on 127.0.0.1"
    )]
    Unguarded(SocketAddr),
    /// The address cannot be listened on.
    #[error("failed to listen on {address}: {source}; choose another with --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The store does not open.
    #[error("failed to open the store {spec}: {source}")]
    Store {
        /// Which store.
        spec: StoreSpec,
        /// Why.
        source: OpenError,
    },
    /// The master key cannot be read.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// The store holds contacts, and the key that opens them is not there.
    #[error(
        "the master key {} is missing, and {spec} holds contacts that only it opens; restore it from a \
         backup, or name it with --master-key",
        file.display()
    )]
    MasterKeyMissing {
        /// The key's file.
        file: PathBuf,
        /// The store.
        spec: StoreSpec,
    },
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] trunkline_journal::Error),
    /// The plugin host does not start.
    #[error("failed to start the plugin host: {0}")]
    Host(#[from] trunkline_plugin::StartError),
    /// The hotline does not check, or cannot be read. The report has the findings.
    #[error("the hotline in {} does not load\n{}", hotline.display(), report.text)]
    Check {
        /// The hotline's folder.
        hotline: PathBuf,
        /// What became of the build.
        report: Arc<Report>,
    },
}

/// A node that runs. Clones are the same node.
#[derive(Clone)]
pub struct Node(Arc<Inner>);

struct Inner {
    clock: Clock,
    contacts: Arc<Contacts>,
    releases: Arc<Releases>,
    feeds: Arc<Feeds>,
    /// Keeps the host until the node is gone.
    host: Arc<Host>,
    address: Option<SocketAddr>,
    recovery: Recovery,
    /// Cancelled when the node stops.
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Whether a node has taken up its contacts and takes new ones.
#[derive(Debug, Default)]
pub(crate) struct Readiness(AtomicBool);

impl Readiness {
    pub(crate) fn is_ready(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    pub(crate) fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Release);
    }
}

impl Drop for Inner {
    /// A node that nobody has any more keeps no time and answers nobody. What it was doing is
    /// pending in the journal.
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Node {
    /// Starts a node: builds its hotline, takes up the contacts that were under way, listens.
    /// When this returns, it is ready.
    ///
    /// A hotline that does not check keeps a node from starting, unless the store holds the
    /// release that was current last: then contacts go on with that, and the report says so.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        // Asked for first: what nobody may listen on needs no store.
        if let Some(listen) = &settings.listen {
            guarded(listen)?;
        }
        let journal = open_journal(&settings).await?;
        Self::start_on(settings, journal).await
    }

    /// Starts a node on journals that are open, whatever `settings.store` says.
    pub(crate) async fn start_on(settings: Settings, journal: Journal) -> Result<Self, StartError> {
        observe::recorder();
        metrics::gauge!(observe::DRAINING).set(0.0);
        let clock = settings.clock.clone();
        let journal = Arc::new(journal);
        let listener = match &settings.listen {
            Some(listen) => Some(bind(listen).await?),
            None => None,
        };
        let address = listener.as_ref().and_then(|listener| listener.local_addr().ok());

        let host = Host::start(
            trunkline_plugin::Settings {
                cache: settings.cache.clone(),
                secrets: settings.secrets.clone(),
                ..trunkline_plugin::Settings::default()
            },
            Arc::new(PluginValues::new(journal.store().clone(), clock.clone())),
        )?;
        let shelf = Arc::new(Shelf::new(journal.store().clone()));
        let builder = Builder::new(
            host.clone(),
            shelf.clone(),
            settings.packages.clone(),
            settings.rules,
        );
        let releases = Arc::new(Releases::new(clock.clone(), builder, shelf));

        let mut watch = Watch::new(releases.clone(), settings.hotline.clone());
        let (report, on_disk) = releases.take_folder(&settings.hotline, Cause::Start).await;
        watch.found(on_disk);
        if !report.verdict.is_good() {
            match releases.resume_last().await {
                Some(release) => tracing::warn!(
                    release = release.id().short(),
                    "the hotline's folder does not load; going on with the release that was current last"
                ),
                None => {
                    return Err(StartError::Check {
                        hotline: settings.hotline,
                        report,
                    });
                }
            }
        }

        if releases.current().is_some_and(|release| release.uses_services()) {
            tracing::info!(
                "queues, tickets, callbacks, surveys and messages of this version are kept in memory only"
            );
        }
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let webhook = settings.webhook.map(|target| {
            let (webhook, sender) = webhook::webhook(target, clock.clone());
            until_stopped(&tasks, &stop, sender.run());
            webhook
        });
        let contacts = Arc::new(Contacts::new(
            clock.clone(),
            journal,
            releases.clone(),
            Success::new(clock.clone(), webhook),
        ));
        let feeds = Arc::new(Feeds::new(contacts.clone(), settings.secrets));
        let readiness = Arc::new(Readiness::default());
        if let (Some(listener), Some(listen)) = (listener, &settings.listen) {
            // Health can be asked for from now on; all else is refused until the node is ready.
            let state = server::State::new(contacts.clone(), feeds.clone(), readiness.clone(), listen);
            let sockets = state.sockets().clone();
            let serving = server::serve(listener, server::router(state), stop.clone());
            tasks.spawn(async move {
                serving.await;
                sockets.closed().await;
            });
        }
        let recovery = contacts.recover().await.inspect_err(|_| stop.cancel())?;
        feeds.load().await.inspect_err(|_| stop.cancel())?;
        until_stopped(&tasks, &stop, contacts.clone().keep_time());
        if settings.feeds {
            until_stopped(&tasks, &stop, feeds.clone().keep());
        }
        until_stopped(&tasks, &stop, contacts.clone().keep_services());
        until_stopped(&tasks, &stop, keep_house(contacts.clone(), feeds.clone()));
        if settings.watch {
            tasks.spawn(watch.run(stop.clone()));
        }
        readiness.set(true);
        tracing::info!(address = address.map(tracing::field::display), "ready");
        Ok(Self(Arc::new(Inner {
            clock,
            contacts,
            releases,
            feeds,
            host,
            address,
            recovery,
            stop,
            tasks,
        })))
    }

    /// Where the HTTP API listens, if it does.
    pub fn address(&self) -> Option<SocketAddr> {
        self.0.address
    }

    /// The node's clock.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Its contacts.
    pub fn contacts(&self) -> &Arc<Contacts> {
        &self.0.contacts
    }

    /// Its releases, and the reports of builds.
    pub fn releases(&self) -> &Arc<Releases> {
        &self.0.releases
    }

    /// Its feeds and webhooks.
    #[cfg(test)]
    pub(crate) fn feeds(&self) -> &Arc<Feeds> {
        &self.0.feeds
    }

    /// Its plugin host.
    pub fn host(&self) -> &Arc<Host> {
        &self.0.host
    }

    /// How well its plugins' interfaces do.
    pub fn success(&self) -> &Success {
        &self.0.contacts.success
    }

    /// What became of the contacts that were under way when it started.
    pub fn recovery(&self) -> Recovery {
        self.0.recovery
    }

    /// Somebody holds the lines of contacts that come by telephone: operators see them, and may bring
    /// others in. The first who says so does, and is asked as long as it is there.
    pub fn hold_lines(&self, lines: &Arc<dyn Lines>) {
        self.0.contacts.hold_lines(lines);
    }

    /// Whether no new contacts are taken, since the node is about to be restarted: calls that come are
    /// refused with 503, and nobody is rung.
    pub fn is_draining(&self) -> bool {
        self.0.contacts.is_draining()
    }

    /// Begins a contact, durably.
    ///
    /// # Errors
    /// See [`ArriveError`].
    pub async fn arrive(&self, call: Call) -> Result<Arrived, ArriveError> {
        self.0.contacts.arrive(call).await
    }

    /// Gives a contact an input; returns when what became of it is durable.
    ///
    /// # Errors
    /// See [`DeliverError`].
    pub async fn deliver(&self, contact: &ContactId, input: Input) -> Result<Delivered, DeliverError> {
        self.0.contacts.deliver(contact, input).await
    }

    /// The turns after a number; while there are none, waits until `until` for the first. An
    /// ended contact's are given at once.
    ///
    /// # Errors
    /// See [`FindError`].
    pub async fn turns(
        &self,
        contact: &ContactId,
        after: u64,
        until: Option<Timestamp>,
    ) -> Result<Vec<Turn>, FindError> {
        self.0.contacts.turns(contact, after, until).await
    }

    /// A contact's session as it is now.
    ///
    /// # Errors
    /// See [`FindError`].
    pub async fn session(&self, contact: &ContactId) -> Result<Session, FindError> {
        self.0.contacts.session(contact).await
    }

    /// Resolves with the reason when the journal takes no more writes; the process should then
    /// end and be started again.
    pub async fn failure(&self) -> Arc<str> {
        self.0.contacts.failure().await
    }

    /// Takes nothing more in, finishes what is begun, and stops. What is not finished within
    /// bounds is pending in the journal and goes on at the next start.
    pub async fn shutdown(&self) {
        tracing::info!("stopping");
        self.0.contacts.begin_to_stop();
        self.0.stop.cancel();
        self.0.feeds.stop(STOP_CALLS_WITHIN).await;
        self.0.contacts.stop().await;
        self.0.tasks.close();
        if timeout(STOP_WITHIN.to_std(), self.0.tasks.wait()).await.is_err() {
            tracing::warn!("connections did not close in time");
        }
        tracing::info!("stopped");
    }
}

fn guarded(listen: &Listen) -> Result<(), StartError> {
    if listen.api_key.is_none() && !listen.address.ip().is_loopback() {
        return Err(StartError::Unguarded(listen.address));
    }
    Ok(())
}

async fn bind(listen: &Listen) -> Result<TcpListener, StartError> {
    guarded(listen)?;
    let address = listen.address;
    TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Listen { address, source })
}

async fn open_journal(settings: &Settings) -> Result<Journal, StartError> {
    let spec = settings.store.clone();
    let opened = tokio::task::spawn_blocking({
        let spec = spec.clone();
        move || open(&spec)
    });
    let store = opened
        .await
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
        .map_err(|source| StartError::Store {
            spec: spec.clone(),
            source,
        })?;
    let file = settings.master_key.clone().or_else(|| {
        let directory = spec.directory()?;
        let mut name = directory.clone().into_os_string();
        name.push(".key");
        Some(PathBuf::from(name))
    });
    let master = match file {
        // A new key would open nothing of what is there, and would hide that the old one is gone.
        Some(file) if !file.exists() && !store.streams(Streams::All, None, 1).await?.is_empty() => {
            return Err(StartError::MasterKeyMissing { file, spec });
        }
        Some(file) => MasterKey::read_or_create(&file)?,
        None => MasterKey::random()?,
    };
    let journal = Journal::new(store, master);
    journal.check_master().await?;
    Ok(journal)
}

fn until_stopped(
    tasks: &TaskTracker,
    stop: &CancellationToken,
    work: impl Future<Output = ()> + Send + 'static,
) {
    let stop = stop.clone();
    tasks.spawn(async move {
        // What the work has begun runs in tasks of its own, so it may be dropped anywhere.
        stop.run_until_cancelled(work).await;
    });
}

/// Parks and forgets contacts, collects releases, keeps metrics small.
async fn keep_house(contacts: Arc<Contacts>, feeds: Arc<Feeds>) {
    let mut sweeps = tokio::time::interval(SWEEP_EVERY.to_std());
    let mut upkeep = tokio::time::interval(observe::UPKEEP_EVERY.to_std());
    loop {
        tokio::select! {
            _ = sweeps.tick() => {
                contacts.sweep();
                contacts.success.sweep();
                contacts.sweep_requests().await;
                feeds.sweep().await;
                contacts.releases.collect().await;
            }
            _ = upkeep.tick() => observe::recorder().run_upkeep(),
        }
    }
}
