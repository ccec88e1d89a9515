//! What the node's tests share: a small hotline on disk, nodes on a store in memory, and a
//! store that fails when it is told to.

use std::{
    collections::VecDeque,
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use tempfile::TempDir;
use trunkline_engine::{Channel, Input, Utterance, turn::Kind};
use trunkline_flow::Rules;
use trunkline_journal::{
    Append, Blobs, Entry, Error, Events, Expect, Frame, Journal, KeyValues, Kind as StoreKind, MasterKey,
    Memory, Put, Store, StoreSpec, StreamHead, Streams, Usage, Version,
};
use trunkline_model::{ContactId, Digest, Duration, Timestamp};
use trunkline_package::admission::Shelves;

use crate::{Call, Clock, Node, Settings, StartError};

/// 2026-11-21T20:05 in Shanghai.
pub(crate) const NOON: Timestamp = Timestamp::from_millis(1_795_262_700_000);

/// The texts of a hotline with a menu, a question, a wait and two languages.
const FILES: [(&str, &str); 4] = [
    (
        "hotline.yaml",
        "hotline: test-line\n\
         languages: [en, zh-CN]\n\
         time-zone: Asia/Shanghai\n\
         numbers:\n  \"12345\": { flow: main }\n",
    ),
    (
        "flows/main.yaml",
        "flow: main\n\
         vars:\n  words: string?\n\
         start: welcome\n\
         steps:\n\
         \x20 welcome: { say: welcome, next: topics }\n\
         \x20 topics:\n\
         \x20   menu: topics\n\
         \x20   keys:\n\
         \x20     1: { say: k-matter, next: matter }\n\
         \x20     2: { say: k-pause, next: pause }\n\
         \x20   retries: 1\n\
         \x20   on: { no-input: bye, no-match: bye }\n\
         \x20 matter:\n\
         \x20   ask: matter\n\
         \x20   answer: text\n\
         \x20   save: words\n\
         \x20   on: { no-input: bye, invalid: bye }\n\
         \x20   next: bye\n\
         \x20 pause: { wait: 1h, next: bye }\n\
         \x20 bye: { say: goodbye, next: done }\n\
         \x20 done: { end: completed }\n",
    ),
    (
        "prompts/en.yaml",
        "welcome: Welcome.\ntopics: What is it about?\nk-matter: Press 1 to tell us.\n\
         k-pause: Press 2 to wait.\nmatter: What happened?\ngoodbye: Goodbye.\n",
    ),
    (
        "prompts/zh-CN.yaml",
        "welcome: 您好。\ntopics: 请问什么事？\nk-matter: 反映问题请按1。\nk-pause: 等待请按2。\n\
         matter: 请说明情况。\ngoodbye: 再见。\n",
    ),
];

/// A hotline on disk.
pub(crate) struct Hotline(TempDir);

impl Hotline {
    pub(crate) fn new() -> Self {
        let hotline = Self(tempfile::tempdir().unwrap());
        for (path, text) in FILES {
            hotline.write(path, text);
        }
        hotline
    }

    /// A hotline whose one flow calls a plugin that answers a number.
    pub(crate) fn with_plugin(answers: u32) -> Self {
        let hotline = Self::new();
        hotline.write(
            "hotline.yaml",
            format!(
                "{}plugins:\n  sage: {{ component: plugins/sage.wasm, department: test }}\n",
                FILES[0].1
            ),
        );
        hotline.write("plugins/sage.wasm", component(&format!("i32.const {answers}")));
        hotline.write(
            "flows/main.yaml",
            "flow: main\n\
             vars:\n  told: int?\n\
             start: ask-sage\n\
             steps:\n\
             \x20 ask-sage:\n\
             \x20   call: sage.answer\n\
             \x20   save: told\n\
             \x20   time: 2s\n\
             \x20   on: { fault: failed }\n\
             \x20   next: tell\n\
             \x20 tell: { say: { en: \"It is {told}.\", zh-CN: \"是{told}。\" }, next: matter }\n\
             \x20 matter:\n\
             \x20   ask: matter\n\
             \x20   answer: text\n\
             \x20   on: { no-input: done, invalid: done }\n\
             \x20   next: done\n\
             \x20 failed: { say: goodbye, next: unserved }\n\
             \x20 unserved: { end: unserved }\n\
             \x20 done: { end: completed }\n",
        );
        hotline
    }

    /// A hotline whose callers press 1 to wait for an agent, 2 to have a ticket opened.
    pub(crate) fn with_queue() -> Self {
        let hotline = Self::new();
        hotline.write(
            "hotline.yaml",
            format!("{}queues:\n  general: {{ skills: [mandarin] }}\n", FILES[0].1),
        );
        hotline.write(
            "agents.yaml",
            "zhang-wei: { skills: [mandarin] }\nli-na: { skills: [mandarin] }\n",
        );
        hotline.write(
            "tickets/noise.yaml",
            "ticket: noise\ndepartment: environment\ndeadline: 2h\n",
        );
        hotline.write(
            "flows/main.yaml",
            "flow: main\n\
             vars:\n  order: string?\n\
             start: topics\n\
             steps:\n\
             \x20 topics:\n\
             \x20   menu: topics\n\
             \x20   keys:\n\
             \x20     1: { say: k-matter, next: human }\n\
             \x20     2: { say: k-pause, next: noise }\n\
             \x20   on: { no-input: bye, no-match: bye }\n\
             \x20 human:\n\
             \x20   queue: general\n\
             \x20   announce: { every: 30s, say: { en: \"You are number {position}.\", zh-CN: \"第{position}位。\" } }\n\
             \x20   max: 10m\n\
             \x20   on: { no-agents: nobody, else: bye }\n\
             \x20   next: welcome\n\
             \x20 noise:\n\
             \x20   ticket: open\n\
             \x20   class: noise\n\
             \x20   save: order\n\
             \x20   on: { else: bye }\n\
             \x20   next: tell\n\
             \x20 tell: { say: { en: \"It is {order}.\", zh-CN: \"{order}。\" }, next: bye }\n\
             \x20 welcome: { say: welcome, next: matter }\n\
             \x20 matter: { ask: matter, answer: text, on: { no-input: bye, invalid: bye }, next: bye }\n\
             \x20 nobody: { say: { en: Nobody is there., zh-CN: 没有坐席。 }, next: bye }\n\
             \x20 bye: { say: goodbye, next: done }\n\
             \x20 done: { end: completed }\n",
        );
        hotline
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Puts a file in its place as a whole: a node that watches never finds half of it.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // Hidden files are passed over.
        let beside = path.with_file_name(".new.part");
        fs::write(&beside, content).unwrap();
        fs::rename(beside, path).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).unwrap()
    }

    pub(crate) fn settings(&self, clock: &Clock) -> Settings {
        Settings {
            hotline: self.path().to_owned(),
            store: StoreSpec::Memory,
            master_key: None,
            watch: false,
            listen: None,
            clock: clock.clone(),
            cache: None,
            packages: Shelves::default(),
            rules: Rules::Enforced,
            secrets: None,
            webhook: None,
            feeds: true,
        }
    }

    /// Starts a node whose clock stands still.
    pub(crate) async fn start(&self) -> Node {
        self.start_on(&journal(Arc::new(Memory::new())), &Clock::still(NOON))
            .await
            .unwrap()
    }

    pub(crate) async fn start_on(&self, journal: &Journal, clock: &Clock) -> Result<Node, StartError> {
        Node::start_on(self.settings(clock), journal.clone()).await
    }
}

/// A component with one function, `answer: func() -> u32`.
pub(crate) fn component(body: &str) -> Vec<u8> {
    wat::parse_str(format!(
        "(component
           (core module $m (func (export \"f\") (result i32) {body}))
           (core instance $i (instantiate $m))
           (func (export \"answer\") (result u32) (canon lift (core func $i \"f\"))))"
    ))
    .unwrap()
}

pub(crate) fn journal(store: Arc<dyn Store>) -> Journal {
    Journal::new(store, MasterKey::random().unwrap())
}

pub(crate) fn call() -> Call {
    Call {
        id: None,
        channel: Channel::Chat,
        number: "12345".to_owned(),
        language: None,
        caller: None,
        claimed: None,
    }
}

pub(crate) fn keys(id: &str, keys: &str) -> Input {
    Input::Utterance {
        id: id.into(),
        utterance: Utterance::Keys(keys.into()),
    }
}

pub(crate) fn text(id: &str, text: &str) -> Input {
    Input::Utterance {
        id: id.into(),
        utterance: Utterance::Text(text.into()),
    }
}

impl Node {
    /// Begins a contact.
    pub(crate) async fn begin(&self) -> ContactId {
        self.arrive(call()).await.unwrap().contact
    }

    /// What was said so far, and the outcome in brackets when the contact has ended.
    pub(crate) async fn said(&self, contact: &ContactId) -> Vec<String> {
        let turns = self.turns(contact, 0, None).await.unwrap();
        turns
            .iter()
            .filter_map(|turn| match &turn.kind {
                Kind::Say { text, .. } => Some(text.to_string()),
                Kind::Ended { outcome } => Some(format!("[{outcome}]")),
                Kind::Ask { .. } => None,
            })
            .collect()
    }

    /// Waits, in real time, until something was said.
    pub(crate) async fn hears(&self, contact: &ContactId, words: &str) {
        for _ in 0..3_000 {
            if self.said(contact).await.iter().any(|said| said.contains(words)) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("{words:?} was not said, only {:?}", self.said(contact).await);
    }
}

/// Waits, in real time, until something holds.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..3_000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{what} did not come about");
}

/// How an append fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It lands, and nobody knows.
    LandedUnknown,
    /// It does not land, and nobody knows.
    LostUnknown,
    /// It does not land.
    Unavailable,
    /// Nothing will land any more.
    Fatal,
    /// It is larger than the store takes.
    TooLarge,
}

/// A store in memory whose next appends fail as they are told to.
#[derive(Default)]
pub(crate) struct Failing {
    memory: Memory,
    next: Mutex<VecDeque<Failure>>,
    /// How many reads of streams fail next.
    unreadable: AtomicU32,
}

impl Failing {
    pub(crate) fn fail(&self, failures: &[Failure]) {
        self.next.lock().unwrap().extend(failures);
    }

    pub(crate) fn fail_reads(&self, count: u32) {
        self.unreadable.store(count, Ordering::Release);
    }
}

impl Store for Failing {
    fn kind(&self) -> StoreKind {
        StoreKind::Memory
    }
}

#[async_trait]
impl Events for Failing {
    async fn append(&self, append: Append<'_>) -> Result<Version, Error> {
        let failure = self.next.lock().unwrap().pop_front();
        match failure {
            None => self.memory.append(append).await,
            Some(Failure::LandedUnknown) => {
                self.memory.append(append).await?;
                Err(Error::Unknown {
                    cause: "told to".into(),
                })
            }
            Some(Failure::LostUnknown) => Err(Error::Unknown {
                cause: "told to".into(),
            }),
            Some(Failure::Unavailable) => Err(Error::Unavailable {
                cause: "told to".into(),
            }),
            Some(Failure::Fatal) => Err(Error::Fatal {
                cause: "told to".into(),
            }),
            Some(Failure::TooLarge) => Err(Error::TooLarge {
                what: "an append",
                size: 2,
                max: 1,
            }),
        }
    }

    async fn head(&self, stream: &ContactId) -> Result<Option<StreamHead>, Error> {
        self.memory.head(stream).await
    }

    async fn read(&self, stream: &ContactId, after: Version, limit: usize) -> Result<Vec<Frame>, Error> {
        let fails = self
            .unreadable
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1));
        if fails.is_ok() {
            return Err(Error::Unavailable {
                cause: "told to".into(),
            });
        }
        self.memory.read(stream, after, limit).await
    }

    async fn streams(
        &self,
        which: Streams,
        after: Option<&ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, Error> {
        self.memory.streams(which, after, limit).await
    }

    async fn erase_key(&self, stream: &ContactId) -> Result<bool, Error> {
        self.memory.erase_key(stream).await
    }

    async fn delete_stream(&self, stream: &ContactId) -> Result<bool, Error> {
        self.memory.delete_stream(stream).await
    }
}

#[async_trait]
impl KeyValues for Failing {
    async fn get(&self, space: &str, key: &str, at: Timestamp) -> Result<Option<Entry>, Error> {
        self.memory.get(space, key, at).await
    }

    async fn put(&self, put: Put<'_>) -> Result<Version, Error> {
        self.memory.put(put).await
    }

    async fn remove(&self, space: &str, key: &str, expect: Expect, at: Timestamp) -> Result<bool, Error> {
        self.memory.remove(space, key, expect, at).await
    }

    async fn list(
        &self,
        space: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        at: Timestamp,
    ) -> Result<Vec<(String, Entry)>, Error> {
        self.memory.list(space, prefix, after, limit, at).await
    }

    async fn usage(&self, space: &str) -> Result<Usage, Error> {
        self.memory.usage(space).await
    }

    async fn sweep(&self, space: &str, at: Timestamp, limit: usize) -> Result<usize, Error> {
        self.memory.sweep(space, at, limit).await
    }
}

#[async_trait]
impl Blobs for Failing {
    async fn put_blob(&self, bytes: Vec<u8>) -> Result<Digest, Error> {
        self.memory.put_blob(bytes).await
    }

    async fn blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Error> {
        self.memory.blob(digest).await
    }

    async fn has_blob(&self, digest: &Digest) -> Result<bool, Error> {
        self.memory.has_blob(digest).await
    }

    async fn delete_blob(&self, digest: &Digest) -> Result<bool, Error> {
        self.memory.delete_blob(digest).await
    }

    async fn blobs(&self, after: Option<&Digest>, limit: usize) -> Result<Vec<Digest>, Error> {
        self.memory.blobs(after, limit).await
    }
}

/// An hour and a bit: past every wait of the test hotline.
pub(crate) const PAST_THE_WAIT: Duration = Duration::from_secs(3_601);
