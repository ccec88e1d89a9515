//! A node with a phone, and those who call it.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};
use trunkline_engine::{Event, Session};
use trunkline_flow::Rules;
use trunkline_journal::StoreSpec;
use trunkline_media::{Sound, peer::Peer};
use trunkline_model::{ContactId, Timestamp};
use trunkline_node::{Clock, Node, Settings, Shelves, contacts::StateFilter};
use trunkline_phone::{Phone, Secrets};
use trunkline_sip::{
    Arriving, Call, CallError, Config, Credentials, Destination, Happened, Incoming, Listen, Outgoing,
    Register, SessionDescription, Sip, Target, Transport, Trunk,
    sdp::{self, Agreed, Codec, Direction, Ours},
};

/// Saturday 21 November 2026, 20:05 in Shanghai.
pub(crate) const EVENING: Timestamp = Timestamp::from_millis(1_795_262_700_000);

/// Longer than anything here takes, on a machine that does much else.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// Where the carrier and its callers are.
pub(crate) const CARRIER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 1);

/// Who calls, unless a test says otherwise.
pub(crate) const CALLER: &str = "+8613800138000";

/// A node and its phone.
pub(crate) struct Exchange {
    pub(crate) node: Node,
    pub(crate) phone: Phone,
    pub(crate) clock: Clock,
    /// Where the phone hears SIP.
    pub(crate) address: SocketAddr,
    folder: TempDir,
}

impl Exchange {
    /// Starts the hotline of a folder.
    pub(crate) async fn start_in(folder: TempDir, more: &str, clock: Clock) -> Self {
        let node = Node::start(Settings {
            hotline: folder.path().to_owned(),
            store: StoreSpec::Memory,
            master_key: None,
            watch: false,
            listen: Some(trunkline_node::Listen {
                address: (Ipv4Addr::LOCALHOST, 0).into(),
                api_key: None,
                client_key: None,
            }),
            clock: clock.clone(),
            cache: None,
            packages: Shelves::default(),
            rules: Rules::Enforced,
            secrets: None,
            webhook: None,
            feeds: false,
        })
        .await;
        let node = node.unwrap_or_else(|error| panic!("{error}"));
        let recordings = folder.path().join("recordings");
        let settings = format!(
            "listen = [\"udp:127.0.0.1:0\"]\nworkers = 1\nrecordings = {:?}\n{more}",
            recordings.display().to_string()
        );
        let settings = toml::from_str(&settings).unwrap_or_else(|error| panic!("{error}"));
        // The password of every phone is its owner's name with a word.
        let secrets = Secrets::new(|name| Some(format!("{name}-word")));
        let phone = Phone::start(node.clone(), settings, secrets).await;
        let phone = phone.unwrap_or_else(|error| panic!("{error}"));
        let address = phone.addresses();
        let address = address
            .iter()
            .find_map(|address| address.strip_prefix("udp:")?.parse().ok())
            .expect("it listens by UDP");
        Self {
            node,
            phone,
            clock,
            address,
            folder,
        }
    }

    /// The folder of recordings.
    pub(crate) fn recordings(&self) -> PathBuf {
        self.folder.path().join("recordings")
    }

    /// The contact that came last, once there are so many.
    pub(crate) async fn contact(&self, number: usize) -> ContactId {
        let contacts = self.node.contacts();
        for _ in 0..PATIENCE.as_millis() / 5 {
            let page = contacts.page(StateFilter::All, None, 100).await;
            let page = page.expect("the journal is in memory");
            if page.contacts.len() >= number {
                return page.contacts[number - 1].contact.clone();
            }
            sleep(Duration::from_millis(5)).await;
        }
        panic!("there is no contact {number}");
    }

    pub(crate) async fn session(&self, contact: &ContactId) -> Session {
        self.node
            .session(contact)
            .await
            .expect("the contact has a journal")
    }

    pub(crate) async fn events(&self, contact: &ContactId) -> Vec<Event> {
        let read = self.node.contacts().events(contact, 0, usize::MAX).await;
        let (events, _) = read.expect("the contact has a journal");
        events.into_iter().map(|(_, event)| event).collect()
    }

    /// Waits until a contact's session is as it should be.
    pub(crate) async fn until(
        &self,
        what: &str,
        contact: &ContactId,
        holds: impl Fn(&Session) -> bool,
    ) -> Session {
        for _ in 0..PATIENCE.as_millis() / 5 {
            let session = self.session(contact).await;
            if holds(&session) {
                return session;
            }
            sleep(Duration::from_millis(5)).await;
        }
        panic!("{what}: {:?}", self.session(contact).await.state);
    }

    pub(crate) async fn stop(self) {
        self.phone.stop().await;
        self.node.shutdown().await;
    }
}

/// Writes a file of a hotline.
pub(crate) fn write(folder: &Path, path: &str, content: &[u8]) {
    let path = folder.join(path);
    let parent = path.parent().expect("it is in a folder");
    std::fs::create_dir_all(parent).expect("a folder can be made");
    std::fs::write(path, content).expect("a file can be written");
}

/// A tone of a pitch.
pub(crate) fn tone(hertz: f64, length_ms: usize) -> Sound {
    let sample = |at: usize| {
        let angle = std::f64::consts::TAU * hertz * at as f64 / 8_000.0;
        (angle.sin() * 8_000.0) as i16
    };
    Sound::from_pcm((0..length_ms * 8).map(sample).collect())
}

/// Waits until something holds.
pub(crate) async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let patience = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < patience, "{what}");
        sleep(Duration::from_millis(10)).await;
    }
}

pub(crate) async fn within<F: Future>(what: &str, future: F) -> F::Output {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(output) => output,
        Err(_) => panic!("{what} takes too long"),
    }
}

/// Somebody else's exchange: a carrier, or an agent's phone.
pub(crate) struct Far {
    pub(crate) sip: Sip,
    pub(crate) arrivals: mpsc::Receiver<Arriving>,
    pub(crate) address: SocketAddr,
    host: Ipv4Addr,
}

impl Far {
    /// A carrier, which takes calls from loopback.
    pub(crate) async fn carrier() -> Self {
        Self::carrier_at(CARRIER).await
    }

    /// A carrier at an address of loopback.
    pub(crate) async fn carrier_at(host: Ipv4Addr) -> Self {
        let trunk = Trunk {
            name: "hotline".to_owned(),
            networks: vec!["127.0.0.0/8".parse().expect("a network")],
            ..Trunk::default()
        };
        Self::start(host, trunk).await
    }

    /// An agent's phone, which registers at the hotline.
    pub(crate) async fn phone(host: Ipv4Addr, user: &str, password: &str, hotline: SocketAddr) -> Self {
        let login = Credentials {
            user: user.to_owned(),
            password: password.to_owned(),
        };
        let trunk = Trunk {
            name: "hotline".to_owned(),
            networks: vec!["127.0.0.0/8".parse().expect("a network")],
            to: Some(Target {
                host: hotline.ip().to_string(),
                port: Some(hotline.port()),
                transport: Transport::Udp,
            }),
            outbound: Some(login),
            register: Some(Register {
                user: user.to_owned(),
                seconds: 300,
            }),
            ..Trunk::default()
        };
        Self::start(host, trunk).await
    }

    async fn start(host: Ipv4Addr, trunk: Trunk) -> Self {
        let settings = trunkline_sip::Settings {
            listen: vec![Listen {
                transport: Transport::Udp,
                address: (host, 0).into(),
            }],
            ..trunkline_sip::Settings::default()
        };
        let config = Config {
            trunks: vec![trunk],
            accounts: Vec::new(),
        };
        let (sip, arrivals) = Sip::start(settings, config).await.expect("loopback is there");
        let address = sip.addresses()[0].1;
        Self {
            sip,
            arrivals,
            address,
            host,
        }
    }

    /// Calls a number of the hotline, and is answered.
    pub(crate) async fn call(&self, hotline: SocketAddr, number: &str) -> Line {
        self.call_as(hotline, number, Direction::SendReceive, Vec::new())
            .await
    }

    /// As [`call`](Self::call), with a direction and further headers.
    pub(crate) async fn call_as(
        &self,
        hotline: SocketAddr,
        number: &str,
        direction: Direction,
        headers: Vec<(String, String)>,
    ) -> Line {
        let to = Destination::Uri(format!("sip:{number}@{hotline}"));
        let mut dialled = self.dial(to, direction, headers).await;
        match within("an answer", dialled.answered()).await {
            Ok(line) => line,
            Err(status) => panic!("{status} from {number}"),
        }
    }

    /// Begins a call.
    pub(crate) async fn dial(
        &self,
        to: Destination,
        direction: Direction,
        headers: Vec<(String, String)>,
    ) -> Dialled {
        let (peer, ours) = end(self.host, direction);
        let outgoing = Outgoing {
            to,
            from: (None, CALLER.to_owned()),
            offer: SessionDescription::offer(&ours),
            headers,
            ring: Duration::from_secs(60),
        };
        let call = self.sip.call(outgoing).await.expect("the call goes out");
        Dialled {
            call,
            end: Some((peer, ours)),
        }
    }

    /// A call that comes in; what else arrives is passed over.
    pub(crate) async fn incoming(&mut self) -> Incoming {
        let arriving = async {
            loop {
                match self.arrivals.recv().await {
                    Some(Arriving::Call(incoming)) => return *incoming,
                    Some(_) => {}
                    None => panic!("the exchange is gone"),
                }
            }
        };
        within("a call", arriving).await
    }

    /// Takes a call that comes in.
    pub(crate) async fn take(&mut self) -> Line {
        let incoming = self.incoming().await;
        self.answer(incoming).await
    }

    /// Lets sound be heard before the answer.
    pub(crate) fn early(&self, incoming: &Incoming) -> Line {
        let (peer, ours) = end(self.host, Direction::SendReceive);
        let offer = incoming.offer.as_ref().expect("it makes an offer");
        let answer = sdp::negotiate(offer, &ours).expect("a codec in common");
        incoming.call.early(answer.description);
        Line::up(incoming.call.clone(), peer, ours, answer.agreed)
    }

    /// Answers a call.
    pub(crate) async fn answer(&self, incoming: Incoming) -> Line {
        let (peer, ours) = end(self.host, Direction::SendReceive);
        let offer = incoming.offer.as_ref().expect("it makes an offer");
        let answer = sdp::negotiate(offer, &ours).expect("a codec in common");
        let call = incoming.call;
        within("an acknowledgement", call.answer(answer.description))
            .await
            .expect("it is acknowledged");
        Line::up(call, peer, ours, answer.agreed)
    }
}

fn end(host: Ipv4Addr, direction: Direction) -> (Peer, Ours) {
    let peer = Peer::bind(IpAddr::V4(host)).expect("loopback is there");
    let address = peer.address().expect("it is bound");
    let ours = Ours {
        session: u64::from(address.port()),
        version: 1,
        address,
        codecs: vec![Codec::Pcma],
        direction,
        rtcp_mux: true,
    };
    (peer, ours)
}

/// A call that went out and is not answered yet.
pub(crate) struct Dialled {
    pub(crate) call: Call,
    end: Option<(Peer, Ours)>,
}

impl Dialled {
    /// The line, or the status of the refusal.
    pub(crate) async fn answered(&mut self) -> Result<Line, u16> {
        loop {
            match self.call.events().await {
                Some(Happened::Answered(description)) => {
                    let (peer, ours) = self.end.take().expect("it is answered once");
                    let agreed = sdp::accept(&description, &ours).expect("what was offered");
                    return Ok(Line::up(self.call.clone(), peer, ours, agreed));
                }
                Some(Happened::Failed { status, .. }) => return Err(status),
                Some(_) => {}
                None => panic!("the call is gone"),
            }
        }
    }
}

/// One end of a call that is up.
pub(crate) struct Line {
    pub(crate) call: Call,
    pub(crate) peer: Peer,
    pub(crate) agreed: Agreed,
    ours: Ours,
}

impl Line {
    fn up(call: Call, peer: Peer, ours: Ours, agreed: Agreed) -> Self {
        let line = Self {
            call,
            peer,
            agreed,
            ours,
        };
        line.talk();
        line
    }

    /// Sends silence and what is queued.
    pub(crate) fn talk(&self) {
        self.peer.talk(
            self.agreed.peer,
            trunkline_media::Codec::of_payload_type(self.agreed.payload).expect("it speaks G.711"),
            self.agreed.keys,
        );
    }

    /// Presses keys; they are sent one after the other.
    pub(crate) fn press(&self, keys: &str) {
        self.peer.press(keys);
    }

    /// Changes the session: hold, and back. A call may be over before it is changed.
    pub(crate) async fn turn(&mut self, direction: Direction) -> Result<(), CallError> {
        self.ours.version += 1;
        self.ours.direction = direction;
        let answer = within(
            "an answer",
            self.call.offer(SessionDescription::offer(&self.ours)),
        )
        .await?;
        self.agreed = sdp::accept(&answer, &self.ours).expect("what was offered");
        Ok(())
    }

    /// Waits until the other side is gone.
    pub(crate) async fn is_let_go(&mut self) {
        let gone = async {
            while let Some(happened) = self.call.events().await {
                if matches!(happened, Happened::HungUp { .. }) {
                    return;
                }
            }
        };
        within("a goodbye", gone).await;
    }
}

/// A city's hotline: one flow, sounds by the words that prompts are made of, agents with phones.
pub(crate) async fn city(steps: &str, sounds: &[(&str, &Sound)], carrier: Option<SocketAddr>) -> Exchange {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let to = carrier.map_or_else(String::new, |address| format!(", to: \"{address}\""));
    let hotline = format!(
        "hotline: city\nlanguages: [en]\ntime-zone: Asia/Shanghai\n\
         numbers: {{ \"12345\": {{ flow: main }}, \"12329\": {{ flow: old }} }}\n\
         trunks:\n  carrier: {{ from: [127.0.0.1]{to} }}\n  claims: {{ from: [127.0.0.9], caller-id: claimed }}\n\
         queues: {{ general: {{ skills: [mandarin] }} }}\n\
         voices: {{ en: {{ engine: sounds }} }}\n"
    );
    let agents = "li-na: { skills: [mandarin], phone: li-na, calls-out: true }\n\
                  zhang-wei: { skills: [mandarin], phone: zhang-wei }\n\
                  boss: { skills: [], phone: boss, supervisor: true }\n";
    let old = "flow: old\nstart: done\nsteps:\n  done: { end: moved }\n";
    write(folder.path(), "hotline.yaml", hotline.as_bytes());
    write(folder.path(), "agents.yaml", agents.as_bytes());
    write(
        folder.path(),
        "flows/main.yaml",
        format!("flow: main\n{steps}").as_bytes(),
    );
    write(folder.path(), "flows/old.yaml", old.as_bytes());
    if steps.contains("music: music") {
        write(folder.path(), "prompts/en.yaml", b"music: music\n");
    }
    for (name, sound) in sounds {
        write(folder.path(), &format!("sounds/{name}.wav"), &sound.to_wav());
    }
    let command = format!("cat {}/sounds/$(tr -cd a-z).wav", folder.path().display());
    let more = format!("[engines.sounds]\ncommand = [\"sh\", \"-c\", {command:?}]\n");
    Exchange::start_in(folder, &more, Clock::beginning_at(EVENING)).await
}

impl Line {
    /// The sound that was heard so far, as it came.
    pub(crate) fn heard(&self) -> Vec<u8> {
        let packets = self.peer.heard();
        let mut sound: Vec<_> = packets
            .iter()
            .filter(|packet| packet.payload_type == self.agreed.payload)
            .collect();
        let first = sound.first().map_or(0, |packet| packet.sequence);
        sound.sort_by_key(|packet| packet.sequence.wrapping_sub(first));
        sound.iter().flat_map(|packet| packet.payload.clone()).collect()
    }

    /// Where a sound begins among what was heard, byte for byte.
    pub(crate) fn place_of(&self, sound: &Sound) -> Option<usize> {
        let wanted = sound.encoded(trunkline_media::Codec::Pcma);
        self.heard()
            .windows(wanted.len())
            .position(|window| *window == *wanted)
    }

    /// How often a sound was heard, byte for byte.
    pub(crate) fn times_of(&self, sound: &Sound) -> usize {
        let wanted = sound.encoded(trunkline_media::Codec::Pcma);
        let heard = self.heard();
        let (mut times, mut at) = (0, 0);
        while at + wanted.len() <= heard.len() {
            let is_there = heard[at..at + wanted.len()] == *wanted;
            times += usize::from(is_there);
            at += if is_there { wanted.len() } else { 1 };
        }
        times
    }

    /// Waits until a sound was heard, byte for byte.
    pub(crate) async fn hears(&self, what: &str, sound: &Sound) {
        eventually(what, || self.place_of(sound).is_some()).await;
    }

    /// Whether a tenth of a second of what was heard is mostly of a pitch, or of it among others.
    pub(crate) fn has_pitch(&self, hertz: f64) -> bool {
        let codec = trunkline_media::Codec::Pcma;
        let samples: Vec<f64> = self
            .heard()
            .iter()
            .map(|byte| f64::from(codec.sample(*byte)))
            .collect();
        samples.chunks_exact(800).any(|window| {
            let (mut real, mut imaginary, mut energy) = (0.0, 0.0, 0.0);
            for (at, sample) in window.iter().enumerate() {
                let angle = std::f64::consts::TAU * hertz * at as f64 / 8_000.0;
                real += sample * angle.cos();
                imaginary += sample * angle.sin();
                energy += sample * sample;
            }
            let share = 2.0 * (real * real + imaginary * imaginary) / (800.0 * energy.max(1.0));
            energy / 800.0 > 10_000.0 && share > 0.2
        })
    }
}
