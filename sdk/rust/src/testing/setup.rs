//! Setting up a test host.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use super::{
    exchange::{Body, Exchange},
    grants::{self, HttpGrant, Wants},
    recording,
    running::Running,
    state::State,
    store::{Expected, Quota, Store},
    vault::Vault,
};

/// 2026-11-21T12:00:00Z, which it is until a test says otherwise.
const NOW_DEFAULT: Duration = Duration::from_secs(1_795_262_400);

/// A call's time when neither the test nor plugin.toml gives one.
const TIME_DEFAULT: Duration = Duration::from_secs(10);

/// The call that a plugin is told it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its id.
    pub id: String,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// Language of the contact, a BCP 47 tag.
    pub locale: String,
    /// The time it has; none for the limit in plugin.toml, or ten seconds.
    pub time: Option<Duration>,
}

impl Default for Call {
    fn default() -> Self {
        Self {
            id: "call-1".to_owned(),
            attempt: 1,
            locale: "zh-CN".to_owned(),
            time: None,
        }
    }
}

/// A test host that is being set up. It grants nothing until it is told to, and panics, in the
/// words of whoever set it up, when it is told what cannot be.
#[derive(Debug)]
#[must_use = "it is nobody's host before it is started"]
pub struct Host {
    config: BTreeMap<String, String>,
    http: Vec<HttpGrant>,
    kv: Option<Quota>,
    kept: Vec<(String, Vec<u8>)>,
    kv_unavailable: Option<String>,
    vault: Vault,
    exchanges: Vec<Exchange>,
    call: Call,
    time: Duration,
    now: Duration,
}

impl Default for Host {
    fn default() -> Self {
        Self::new()
    }
}

impl Host {
    /// A host that grants nothing but the log, settings and the clock.
    pub fn new() -> Self {
        Self {
            config: BTreeMap::new(),
            http: Vec::new(),
            kv: None,
            kept: Vec::new(),
            kv_unavailable: None,
            vault: Vault::default(),
            exchanges: Vec::new(),
            call: Call::default(),
            time: TIME_DEFAULT,
            now: NOW_DEFAULT,
        }
    }

    /// A host that grants what plugin.toml wants, and nothing else: a request that it forgets
    /// is denied here as it would be by an operator who granted what was asked for. Secrets
    /// are granted and have no value until [`Host::secret`] gives them one.
    ///
    /// # Panics
    /// When plugin.toml cannot be read, with the reason.
    pub fn of_plugin(plugin_toml: &str) -> Self {
        let wants = match Wants::of_plugin(plugin_toml) {
            Ok(wants) => wants,
            Err(why) => panic!("plugin.toml cannot be read: {why}"),
        };
        let mut host = Self::new();
        host.http = wants.http;
        host.kv = wants.kv;
        host.time = wants.time.unwrap_or(TIME_DEFAULT);
        for (name, target) in wants.secrets {
            host.vault.grant(&name, target);
        }
        host
    }

    /// Gives a setting.
    pub fn config(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.insert(name.into(), value.into());
        self
    }

    /// Grants requests: `POST https://crm.civil.example/v1/*`.
    ///
    /// # Panics
    /// When it is no such grant.
    pub fn http(mut self, grant: &str) -> Self {
        match HttpGrant::parse(grant) {
            Ok(grant) => self.http.push(grant),
            Err(why) => panic!("{why}"),
        }
        self
    }

    /// Grants the key-value store.
    pub fn kv(mut self, quota: Quota) -> Self {
        self.kv = Some(quota);
        self
    }

    /// Has a value in the key-value store from an earlier call.
    pub fn kept(mut self, key: impl Into<String>, value: impl Into<Body>) -> Self {
        self.kept.push((key.into(), value.into().bytes));
        self
    }

    /// Has a key-value store that does not answer.
    pub fn kv_unavailable(mut self, why: impl Into<String>) -> Self {
        self.kv_unavailable = Some(why.into());
        self
    }

    /// Grants a secret for a host, `https://crm.civil.example`, and has its value.
    ///
    /// # Panics
    /// When that is no host.
    pub fn secret(mut self, name: &str, host: &str, value: impl Into<Body>) -> Self {
        match grants::secret_host(host) {
            Ok(target) => self.vault.keep(name, target, value.into().bytes),
            Err(why) => panic!("{why}"),
        }
        self
    }

    /// Tells the plugin of this call.
    pub fn call(mut self, call: Call) -> Self {
        self.call = call;
        self
    }

    /// Sets the clock, in time since 1970-01-01T00:00:00Z.
    pub fn at(mut self, since_epoch: Duration) -> Self {
        self.now = since_epoch;
        self
    }

    /// Replies to a request. See [`Host::exchange`].
    pub fn reply(
        self,
        method: impl Into<String>,
        url: impl Into<String>,
        status: u16,
        body: impl Into<Body>,
    ) -> Self {
        self.exchange(Exchange::new(method, url).reply(status, body))
    }

    /// Expects a request. Those that fit the same request come in their order, and the last
    /// of them again and again.
    pub fn exchange(mut self, exchange: Exchange) -> Self {
        self.exchanges.push(exchange);
        self
    }

    /// Expects what was recorded: a recording as `trunkline plugin test` reads it, in JSON, which is what
    /// `--record` writes into a file whose name ends with `.json`. A
    /// list of `{ request: { method, url, headers, body }, reply: { status, headers, body, after,
    /// fails } }`, where only `request`, its `url` and `reply` must stand.
    ///
    /// # Panics
    /// When it is no recording.
    pub fn recording(mut self, json: &str) -> Self {
        match recording::read(json) {
            Ok(exchanges) => self.exchanges.extend(exchanges),
            Err(why) => panic!("the recording cannot be read: {why}"),
        }
        self
    }

    /// Becomes the host of this thread, until what it returns is dropped.
    ///
    /// # Panics
    /// When what was [kept](Self::kept) does not fit.
    pub fn start(self) -> Running {
        let mut store = Store::default();
        let quota = self.kv.unwrap_or_default();
        for (key, value) in &self.kept {
            if let Err(why) = store.set(key, value, Expected::Anything, None, quota, self.now) {
                panic!("{key:?} cannot be kept: {why}");
            }
        }
        let deadline = self.now + self.call.time.unwrap_or(self.time);
        let state = State {
            config: self.config,
            http: self.http,
            kv: self.kv,
            kv_unavailable: self.kv_unavailable,
            store,
            vault: self.vault,
            exchanges: self.exchanges.into_iter().map(|exchange| (exchange, 0)).collect(),
            requests: Vec::new(),
            lines: Vec::new(),
            call: self.call,
            now: self.now,
            deadline,
            supervised: false,
        };
        Running::new(Rc::new(RefCell::new(state)), self.time)
    }
}
