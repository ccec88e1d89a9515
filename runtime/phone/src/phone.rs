//! The phone of a node: what is listened on, who plays and hears, and how it stops.

use std::{
    fmt,
    net::{IpAddr, UdpSocket},
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use async_trait::async_trait;
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::task::TaskTracker;
use trunkline_media::Media;
use trunkline_model::ContactId;
use trunkline_node::{Guest, LineError, LineView, Lines, Node, Release, Verdict};
use trunkline_sip::Sip;
use trunkline_speech::{Ears, SettingsError, Voices, Warming};

use crate::{
    arriving,
    caller::Wish,
    config,
    leg::Place,
    limits::{LOOK_EVERY, REGISTER_SECONDS_MAX, STOP_WITHIN},
    observe,
    prompts::Prompts,
    settings::Settings,
    switchboard::Switchboard,
};

/// Gives the value of a server's secret by its name. Asked each time, so that a value may change.
#[derive(Clone)]
pub struct Secrets(Arc<Value>);

/// Gives a secret's value.
type Value = dyn Fn(&str) -> Option<String> + Send + Sync;

impl Secrets {
    /// Values as the server has them.
    pub fn new(value: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(value))
    }

    pub(crate) fn value(&self, name: &str) -> Option<String> {
        (self.0)(name)
    }

    fn for_speech(&self) -> trunkline_speech::Secrets {
        let secrets = self.clone();
        trunkline_speech::Secrets::new(move |name| secrets.value(name))
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

/// A phone that does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Signalling does not start.
    #[error(transparent)]
    Sip(#[from] trunkline_sip::StartError),
    /// Sound does not start.
    #[error(transparent)]
    Media(#[from] trunkline_media::StartError),
    /// The engines or providers of phone.toml make no sense.
    #[error(transparent)]
    Speech(#[from] SettingsError),
    /// The folder of recordings cannot be used.
    #[error("the folder of recordings {} cannot be used: {source}", folder.display())]
    Recordings {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The node has no release.
    #[error("no release is live, so there is nothing to answer calls with")]
    NoRelease,
}

/// A node's phone. Clones are the same phone.
#[derive(Clone)]
pub struct Phone(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) node: Node,
    pub(crate) prompts: Prompts,
    pub(crate) ears: Ears,
    pub(crate) switchboard: Switchboard,
    pub(crate) calls: TaskTracker,
    place: Place,
    secrets: Secrets,
    recordings: Option<PathBuf>,
    tasks: OnceLock<Vec<JoinHandle<()>>>,
}

impl Inner {
    /// Where legs begin.
    pub(crate) fn place(&self) -> Place {
        self.place.clone()
    }

    pub(crate) const fn sip(&self) -> &Sip {
        &self.place.sip
    }

    pub(crate) const fn media(&self) -> &Media {
        &self.place.media
    }

    /// Where the file of a recording is to be; none where the operator named no folder.
    pub(crate) fn recording(&self, name: &str) -> Option<PathBuf> {
        let Some(folder) = &self.recordings else {
            tracing::error!(
                "the hotline records and phone.toml names no folder for it; add recordings = \"DIR\""
            );
            return None;
        };
        Some(folder.join(format!("{name}.wav")))
    }
}

impl Phone {
    /// Starts the phone of a node: listens, and answers calls from now on.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(node: Node, settings: Settings, secrets: Secrets) -> Result<Self, StartError> {
        observe::describe();
        let release = node.releases().current().ok_or(StartError::NoRelease)?;
        if let Some(folder) = &settings.recordings {
            let io = |source| StartError::Recordings {
                folder: folder.clone(),
                source,
            };
            tokio::fs::create_dir_all(folder).await.map_err(io)?;
        }
        let speech = settings.speech();
        let for_speech = secrets.for_speech();
        let voices = Voices::new(&speech, &for_speech)?;
        let ears = Ears::new(&speech, &for_speech)?;
        let media = Media::start(trunkline_media::Settings {
            address: settings.media_address(),
            ports: settings.ports.clone(),
            workers: settings.workers.unwrap_or_else(workers),
            recordings: settings.recordings.clone(),
        })?;
        let config = config::of(release.hotline(), &secrets);
        let (sip, arriving) = Sip::start(
            trunkline_sip::Settings {
                listen: settings.listen.clone(),
                public: settings.public,
                realm: settings
                    .realm
                    .clone()
                    .unwrap_or_else(|| release.hotline().name.to_string()),
                sha_256: settings.sha_256,
                tls: settings.tls_files(),
                authorities: settings.authorities.clone(),
                calls_max: settings
                    .calls
                    .unwrap_or(trunkline_sip::Settings::default().calls_max),
                register_seconds_max: REGISTER_SECONDS_MAX,
                ..trunkline_sip::Settings::default()
            },
            config,
        )
        .await?;
        let address = settings
            .public
            .unwrap_or_else(|| own_address(settings.media_address()));
        let inner = Arc::new(Inner {
            prompts: Prompts::new(node.clone(), voices),
            ears,
            switchboard: Switchboard::new(sip.clone()),
            calls: TaskTracker::new(),
            place: Place { sip, media, address },
            secrets,
            recordings: settings.recordings,
            tasks: OnceLock::new(),
            node: node.clone(),
        });
        let lines: Arc<dyn Lines> = inner.clone();
        node.hold_lines(&lines);
        let tasks = vec![
            tokio::spawn(arriving::attend(inner.clone(), arriving)),
            tokio::spawn(follow_releases(inner.clone(), release)),
            tokio::spawn(follow_draining(inner.clone())),
        ];
        let _ = inner.tasks.set(tasks);
        Ok(Self(inner))
    }

    /// Where it listens, each as phone.toml writes it: `udp:127.0.0.1:5060`.
    pub fn addresses(&self) -> Vec<String> {
        let addresses = self.0.sip().addresses();
        addresses
            .iter()
            .map(|(transport, address)| format!("{}:{address}", crate::settings::transport_name(*transport)))
            .collect()
    }

    /// Takes no more calls, lets go of those that are up, and stops. Their contacts end as when a
    /// caller hangs up.
    pub async fn stop(&self) {
        self.0.sip().drain(true);
        for task in self.0.tasks.get().into_iter().flatten() {
            task.abort();
        }
        for call in self.0.switchboard.all() {
            let _ = call.try_send(Wish::Stop);
        }
        self.0.calls.close();
        if timeout(STOP_WITHIN, self.0.calls.wait()).await.is_err() {
            tracing::warn!(calls = self.0.calls.len(), "calls did not end in time");
        }
        self.0.sip().stop().await;
    }
}

/// Threads that play and hear, where the operator says nothing: half of the processors.
fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, |count| count.get().div_ceil(2))
}

/// The address by which others reach this machine, where it listens on all of them: that of the way to
/// the outside. Nothing is sent.
fn own_address(bound: IpAddr) -> IpAddr {
    if !bound.is_unspecified() {
        return bound;
    }
    // Addresses that documentation is written with (RFC 5737, RFC 3849): only the way there is asked for.
    let towards = if bound.is_ipv4() {
        "192.0.2.1:9"
    } else {
        "[2001:db8::1]:9"
    };
    let way = UdpSocket::bind((bound, 0)).and_then(|socket| {
        socket.connect(towards)?;
        socket.local_addr()
    });
    way.map_or(bound, |address| address.ip())
}

/// Takes trunks and phones of each release that becomes live, and prepares its prompts.
async fn follow_releases(phone: Arc<Inner>, first: Arc<Release>) {
    let mut reports = phone.node.releases().subscribe();
    let mut warming = prepare(&phone, &first);
    loop {
        match reports.recv().await {
            Ok(report) if report.verdict != Verdict::Live => {}
            Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
            Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {
                if let Some(release) = phone.node.releases().current() {
                    phone
                        .sip()
                        .configure(config::of(release.hotline(), &phone.secrets));
                    drop(warming);
                    warming = prepare(&phone, &release);
                }
            }
        }
    }
}

fn prepare(phone: &Inner, release: &Release) -> Warming {
    for error in phone.prompts.missing(release.hotline()) {
        tracing::warn!(%error, "callers hear a tone where this voice should speak");
    }
    phone.prompts.warm(release)
}

/// New calls are refused while the node drains.
async fn follow_draining(phone: Arc<Inner>) {
    let mut drains = false;
    loop {
        let now = phone.node.contacts().is_draining();
        if now != drains {
            phone.sip().drain(now);
            drains = now;
        }
        sleep(LOOK_EVERY).await;
    }
}

#[async_trait]
impl Lines for Inner {
    fn calls(&self) -> Vec<LineView> {
        self.switchboard.views()
    }

    async fn add(&self, contact: &ContactId, guest: Guest) -> Result<u64, LineError> {
        self.ask(contact, |reply| Wish::Add(guest, reply)).await
    }

    async fn remove(&self, contact: &ContactId, leg: u64) -> Result<(), LineError> {
        self.ask(contact, |reply| Wish::Remove(leg, reply)).await
    }

    fn agent_left(&self, contact: &ContactId, agent: &str) {
        let Some(call) = self.switchboard.call(contact) else {
            return;
        };
        if call.try_send(Wish::Release(agent.into())).is_err() {
            tracing::warn!(%contact, agent, "a call is asked for too much at once; the agent's phone may stay in it");
        }
    }
}

impl Inner {
    async fn ask<T>(
        &self,
        contact: &ContactId,
        wish: impl FnOnce(oneshot::Sender<Result<T, LineError>>) -> Wish,
    ) -> Result<T, LineError> {
        let gone = || LineError::NoCall(contact.clone());
        let call = self.switchboard.call(contact).ok_or_else(gone)?;
        let (reply, answer) = oneshot::channel();
        call.send(wish(reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! A hotline with trunks and phones, for tests.

    use std::{collections::BTreeMap, sync::Arc};

    use trunkline_flow::{Checked, check, parse, source::Sources};

    const FILES: [(&str, &str); 3] = [
        (
            "hotline.yaml",
            "hotline: city
languages: [en]
time-zone: Asia/Shanghai
numbers:
  \"12345\": { flow: main }
  \"12329\": { flow: main }
  \"900\": { flow: main, trunks: [other] }
trunks:
  other: { login: exchange, secret: other-trunk, caller-id: claimed }
  telecom: { from: [192.0.2.0/28], to: sip.telecom.example, strip: \"0571\" }
  branch: { from: [198.51.100.1], country: \"86\" }
voices:
  en: { engine: espeak-ng }
",
        ),
        (
            "agents.yaml",
            "li-na: { skills: [], phone: li-na-phone }\nzhang-wei: { skills: [] }\n",
        ),
        (
            "flows/main.yaml",
            "flow: main\nstart: hello\nsteps:\n  hello: { say: { en: Hello }, next: done }\n  done: { end: completed }\n",
        ),
    ];

    /// The hotline.
    pub(crate) fn hotline() -> Checked {
        let files: BTreeMap<Arc<str>, Arc<str>> = FILES
            .into_iter()
            .map(|(path, text)| (path.into(), text.into()))
            .collect();
        let sources = Sources {
            files,
            ..Sources::default()
        };
        let report = check(&parse(&sources), &BTreeMap::new());
        report
            .checked
            .unwrap_or_else(|| panic!("{:?}", report.diagnostics))
    }
}
