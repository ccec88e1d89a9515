//! A hotline with a trunk, and the server that answers its phone.

use std::{collections::BTreeMap, fs, net::SocketAddr};

use end_to_end::{Folder, Server, Setup, eventually};
use serde_json::Value;

use crate::{journal::Journal, line::Line, ports, programs::need, sipp::Sipp, sound};

/// The number that callers say is theirs. It is to be seen in no log.
pub(crate) const CALLER: &str = "+8613800138042";

/// The pitches of the prompts `low`, `middle` and `high`, which are recordings: what is heard tells
/// which of them is said.
pub(crate) const LOW: u32 = 400;
pub(crate) const MIDDLE: u32 = 800;
pub(crate) const HIGH: u32 = 1_600;

/// What a hotline is made of.
pub(crate) struct Hotline {
    flows: BTreeMap<&'static str, String>,
    trunk: &'static str,
    calls: Option<usize>,
    sha_256: bool,
    outside: u16,
    watched: bool,
}

impl Hotline {
    /// One whose numbers have a flow each, written without `flow:`.
    pub(crate) fn new(flows: &[(&'static str, &str)]) -> Self {
        Self {
            flows: flows
                .iter()
                .map(|(number, flow)| (*number, (*flow).to_owned()))
                .collect(),
            trunk: "",
            calls: None,
            sha_256: false,
            outside: ports::free(4),
            watched: false,
        }
    }

    /// With more that the trunk says.
    pub(crate) const fn trunk(mut self, trunk: &'static str) -> Self {
        self.trunk = trunk;
        self
    }

    /// That takes so many calls at once.
    pub(crate) const fn calls(mut self, calls: usize) -> Self {
        self.calls = Some(calls);
        self
    }

    /// That offers phones SHA-256 beside MD5.
    pub(crate) const fn sha_256(mut self) -> Self {
        self.sha_256 = true;
        self
    }

    /// Whose folder is watched.
    pub(crate) const fn watched(mut self) -> Self {
        self.watched = true;
        self
    }

    /// Starts a server for it.
    pub(crate) async fn start(self) -> Exchange {
        need("espeak-ng");
        let folder = Folder::empty();
        let numbers: String = self
            .flows
            .keys()
            .map(|number| format!("  \"{number}\": {{ flow: f{number} }}\n"))
            .collect();
        folder.write(
            "hotline.yaml",
            format!(
                "hotline: city\nlanguages: [en]\ntime-zone: Asia/Shanghai\nnumbers:\n{numbers}\
                 trunks:\n  local: {{ from: [127.0.0.1], to: \"127.0.0.1:{}\"{} }}\n\
                 voices:\n  en: {{ engine: espeak-ng }}\nqueues:\n  general: {{ skills: [] }}\n",
                self.outside, self.trunk
            ),
        );
        folder.write(
            "agents.yaml",
            "li-na: { skills: [], phone: li-na-phone, calls-out: true }\n",
        );
        for (number, flow) in &self.flows {
            folder.write(
                &format!("flows/f{number}.yaml"),
                format!("flow: f{number}\n{flow}"),
            );
        }
        folder.write(
            "prompts/en.yaml",
            "low: { recording: audio/low.wav, text: Low. }\n\
             middle: { recording: audio/middle.wav, text: Middle. }\n\
             high: { recording: audio/high.wav, text: High. }\n\
             long: { recording: audio/long.wav, text: It takes long. }\n\
             words: These words are spoken by a voice.\n",
        );
        for (name, hertz, seconds) in [
            ("low", LOW, 1.0),
            ("middle", MIDDLE, 1.0),
            ("high", HIGH, 1.0),
            ("long", LOW, 8.0),
        ] {
            let file = folder.path().join(format!("audio/{name}.wav"));
            sound::write_wav(&file, &sound::tone(hertz, seconds));
        }
        let secrets = folder.beside("secrets.toml");
        fs::write(&secrets, "li-na-phone = \"a-password-of-li-na\"\n").expect("there is room for a file");
        private(&secrets);
        let phone = folder.beside("phone.toml");
        let sound = ports::sound();
        let calls = self
            .calls
            .map_or_else(String::new, |calls| format!("calls = {calls}\n"));
        fs::write(
            &phone,
            format!(
                "listen = [\"udp:127.0.0.1:0\", \"tcp:127.0.0.1:0\"]\nports = \"{}-{}\"\nrecordings = \"recordings\"\n\
                 sha-256 = {}\n{calls}",
                sound.start(),
                sound.end(),
                self.sha_256
            ),
        )
        .expect("there is room for a file");
        let mut setup = Setup::new(folder.path(), folder.beside("server"))
            .store("memory")
            .secrets(secrets)
            .phone(phone);
        if self.watched {
            setup = setup.watching();
        }
        let server = setup.start().await;
        Exchange {
            udp: server.phone_at("udp"),
            tcp: server.phone_at("tcp"),
            outside: self.outside,
            server,
            folder,
        }
    }
}

#[cfg(unix)]
fn private(file: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).expect("a file may be made private");
}

/// A hotline that answers.
pub(crate) struct Exchange {
    pub(crate) server: Server,
    pub(crate) folder: Folder,
    pub(crate) udp: SocketAddr,
    pub(crate) tcp: SocketAddr,
    /// The port at which the world outside of the hotline is.
    pub(crate) outside: u16,
}

impl Exchange {
    /// A scenario of sipp that calls a number of it by UDP.
    pub(crate) fn call(&self, scenario: &'static str, number: &str) -> Sipp {
        Sipp::calls(scenario, self.udp, number)
    }

    /// Calls a number with a scenario and a line, by UDP.
    pub(crate) fn call_on(&self, scenario: &'static str, number: &str, line: &Line) -> Sipp {
        self.call(scenario, number).on(line)
    }

    /// The contacts that called a number.
    pub(crate) async fn contacts(&self, number: &str) -> Vec<String> {
        let (status, page) = self.server.asked("/api/v1/contacts?state=all&limit=1000").await;
        assert_eq!(status, 200, "{page}");
        let mut found = Vec::new();
        for contact in page["contacts"].as_array().expect("contacts are a list") {
            let id = contact["contact"].as_str().expect("contacts have ids").to_owned();
            let journal = self.read(&id, false).await;
            if journal.number() == number {
                found.push(id);
            }
        }
        found
    }

    /// The one contact that called a number, when it is there.
    pub(crate) async fn contact(&self, number: &str) -> String {
        let mut found = Vec::new();
        eventually(&format!("a contact on {number}"), async || {
            found = self.contacts(number).await;
            !found.is_empty()
        })
        .await;
        assert_eq!(found.len(), 1, "one call is one contact");
        found.remove(0)
    }

    /// A contact's journal with what is personal.
    pub(crate) async fn journal(&self, contact: &str) -> Journal {
        self.read(contact, true).await
    }

    async fn read(&self, contact: &str, personal: bool) -> Journal {
        let mut events = Vec::new();
        let mut after = 0;
        loop {
            let path =
                format!("/api/v1/contacts/{contact}/events?personal={personal}&limit=1000&after={after}");
            let (status, page) = self.server.asked(&path).await;
            assert_eq!(status, 200, "{page}");
            events.extend(page["events"].as_array().expect("events are a list").clone());
            match page["next"].as_u64() {
                Some(next) => after = next,
                None => return Journal(events),
            }
        }
    }

    /// The journal of the one contact that called a number, once it has ended.
    pub(crate) async fn ended(&self, number: &str) -> Journal {
        let contact = self.contact(number).await;
        let mut journal = Journal(Vec::new());
        eventually(&format!("the end of the contact on {number}"), async || {
            journal = self.read(&contact, false).await;
            journal.outcome().is_some()
        })
        .await;
        self.journal(&contact).await
    }

    /// Waits until the one contact on a number is at a step.
    pub(crate) async fn is_at(&self, number: &str, step: &str) -> Value {
        let contact = self.contact(number).await;
        let mut state = Value::Null;
        eventually(&format!("the contact on {number} at {step}"), async || {
            state = self.server.contact(&contact).await;
            state["step"] == step
        })
        .await;
        state
    }

    /// What an agent does, as the server says.
    pub(crate) async fn agent(&self, agent: &str) -> Value {
        let (status, queues) = self.server.asked("/api/v1/queues").await;
        assert_eq!(status, 200, "{queues}");
        let agents = queues["agents"].as_array().cloned().unwrap_or_default();
        agents
            .into_iter()
            .find(|known| known["agent"] == agent)
            .unwrap_or_default()
    }

    /// Nothing of a caller is in the log, and no message of the wire.
    pub(crate) fn told_nothing(&self, secrets: &[&str]) {
        let log = self.server.log();
        let digits = CALLER.trim_start_matches('+');
        let wire = ["CSeq", "Call-ID", "SIP/2.0", "v=0", "a=rtpmap", "panicked"];
        for never in wire.iter().chain([&digits]).chain(secrets) {
            assert!(!log.contains(never), "{never:?} is in the log:\n{log}");
        }
    }
}
