//! A load that runs until it is killed, and what must be found afterwards.

use std::{
    collections::HashMap,
    env,
    fs::{File, OpenOptions},
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Barrier, mpsc},
    thread,
    time::Duration,
};

use trunkline_engine::{Event, Fact, Personal};
use trunkline_journal::{
    Append, Expect, Journal, Kind, MasterKey, Put, Standing, Store, StoreSpec, Version, limits::PAGE_MAX,
    open,
};
use trunkline_model::{ContactId, Timestamp};

const STORE: &str = "TRUNKLINE_TEST_STORE";
const BYTES: &str = "TRUNKLINE_TEST_BYTES";
const CONTROL: &str = "TRUNKLINE_TEST_CONTROL";

/// Tasks that write at once: a third each appends frames, appends events and puts entries.
const TASKS: usize = 48;

/// Bytes of a line of the control files.
const CONTROL_BYTES: usize = 300;

/// How long a child may take to open its store.
const OPEN_TIME_MAX: Duration = Duration::from_secs(60);

/// What a child does.
pub(crate) struct Load {
    pub(crate) store: StoreSpec,
    /// Bytes of a record.
    pub(crate) bytes: usize,
    /// A directory for files that the child writes itself, with and without syncing.
    pub(crate) control: Option<PathBuf>,
}

/// What a child said was durable, by task or by control file: the count of its records.
pub(crate) type Acknowledged = HashMap<String, u64>;

pub(crate) fn spec(kind: Kind, path: &Path) -> StoreSpec {
    format!("{kind}:{}", path.display()).parse().unwrap()
}

/// A number that the environment may set.
pub(crate) fn number(variable: &str, default: usize) -> usize {
    env::var(variable).map_or(default, |number| {
        number
            .parse()
            .unwrap_or_else(|_| panic!("{variable} is no number: {number:?}"))
    })
}

/// Starts a child, kills it at a random moment after it has begun to write, and adds what it
/// acknowledged.
pub(crate) fn run_and_kill(load: &Load, preload: &[(&str, &Path)], acknowledged: &mut Acknowledged) {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["load::until_killed", "--exact", "--ignored", "--nocapture"])
        .env(STORE, load.store.to_string())
        .env(BYTES, load.bytes.to_string())
        .envs(preload.iter().copied())
        .stdout(Stdio::piped());
    if let Some(control) = &load.control {
        command.env(CONTROL, control);
    }
    let mut child = command.spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let (lines, received) = mpsc::channel();
    let reader = thread::spawn(move || {
        let mut line = String::new();
        // A line without its end was not said.
        while output.read_line(&mut line).is_ok_and(|length| length > 0) && line.ends_with('\n') {
            if let Some(line) = line.trim_end().strip_prefix("durable ") {
                let (task, count) = line.split_once(' ').unwrap();
                drop(lines.send((task.to_owned(), count.parse::<u64>().unwrap())));
            }
            line.clear();
        }
    });
    loop {
        let first = received.recv_timeout(OPEN_TIME_MAX);
        let (task, count) = first.expect("the child acknowledges something");
        let is_control = task.parse::<usize>().is_err();
        acknowledged.insert(task, count);
        if !is_control {
            break;
        }
    }
    let longest = number("TRUNKLINE_ROUND_MILLIS_MAX", 400) as u64;
    thread::sleep(Duration::from_millis(
        u64::from(getrandom::u32().unwrap()) % longest,
    ));
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
    acknowledged.extend(received.try_iter());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs until it is killed; the other tests start it"]
async fn until_killed() {
    let Ok(store) = env::var(STORE) else {
        return;
    };
    let bytes = env::var(BYTES).unwrap().parse().unwrap();
    let store = open(&store.parse().unwrap()).unwrap();
    if let Ok(control) = env::var(CONTROL) {
        let begun = Arc::new(Barrier::new(3));
        for (name, sync) in [("synced", true), ("unsynced", false)] {
            let (folder, begun) = (PathBuf::from(&control), Arc::clone(&begun));
            thread::spawn(move || write_control(&folder, name, sync, &begun));
        }
        // However soon the kill comes, both have something to lose.
        begun.wait();
    }
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..TASKS {
        let store = Arc::clone(&store);
        match task % 3 {
            0 => tasks.spawn(append_frames(store, task, bytes)),
            1 => tasks.spawn(append_events(store, task, bytes)),
            _ => tasks.spawn(put_entries(store, task, bytes)),
        };
    }
    tasks.join_all().await;
}

fn acknowledge(task: &str, count: u64) {
    // One write for a line, so that a kill leaves no half of another's.
    let line = format!("durable {task} {count}\n");
    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
}

/// The content of a record: random to look at, the same for the same task and count.
fn content(task: usize, count: u64, bytes: usize) -> Vec<u8> {
    let mut state = (task as u64) << 40 ^ count ^ 0x9e37_79b9_7f4a_7c15;
    let mut content = Vec::with_capacity(bytes);
    while content.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        content.extend_from_slice(&state.to_be_bytes());
    }
    content.truncate(bytes);
    content
}

fn contact(task: usize) -> ContactId {
    ContactId::new(format!("contact-{task:04}"))
}

fn text(task: usize, count: u64, bytes: usize) -> String {
    let content = content(task, count, bytes / 2);
    content.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn event(task: usize, count: u64, bytes: usize) -> Event {
    Event {
        at: Timestamp::from_millis(count.cast_signed()),
        fact: Fact::KeysAhead,
        personal: Some(Personal::Text(text(task, count, bytes).into())),
    }
}

fn journal(store: Arc<dyn Store>) -> Journal {
    Journal::new(store, MasterKey::from_bytes(&[7; 32]))
}

async fn append_frames(store: Arc<dyn Store>, task: usize, bytes: usize) {
    let stream = contact(task);
    let head = store.head(&stream).await.unwrap();
    let mut version = head.map_or(Version::NONE, |head| head.version);
    loop {
        let count = version.as_u64();
        // Some appends of several frames, which must land whole.
        let frames: Vec<_> = (1..=1 + count % 3)
            .map(|more| content(task, count + more, bytes))
            .collect();
        let append = Append {
            stream: &stream,
            expected: version,
            frames,
            standing: if count % 5 == 0 {
                Standing::Ended
            } else {
                Standing::Open
            },
            key: None,
        };
        version = store.append(append).await.unwrap();
        acknowledge(&task.to_string(), version.as_u64());
    }
}

async fn append_events(store: Arc<dyn Store>, task: usize, bytes: usize) {
    let journal = journal(store);
    let contact = contact(task);
    let mut head = match journal.read(&contact).await.unwrap() {
        Some(recorded) => recorded.head,
        None => journal.begin(&contact, &[event(task, 1, bytes)]).await.unwrap(),
    };
    loop {
        let count = head.events() + 1;
        journal
            .append(&mut head, &[event(task, count, bytes)])
            .await
            .unwrap();
        acknowledge(&task.to_string(), head.events());
    }
}

async fn put_entries(store: Arc<dyn Store>, task: usize, bytes: usize) {
    let key = task.to_string();
    let at = Timestamp::from_millis(0);
    let entry = store.get("load", &key, at).await.unwrap();
    let mut expect = entry
        .as_ref()
        .map_or(Expect::Absent, |entry| Expect::Version(entry.version));
    let mut count = entry.map_or(0, |entry| entry_count(&entry.value));
    loop {
        count += 1;
        let mut value = count.to_be_bytes().to_vec();
        value.extend(content(task, count, bytes));
        let put = Put {
            space: "load",
            key: &key,
            value,
            expect,
            expires: None,
            at,
        };
        expect = Expect::Version(store.put(put).await.unwrap());
        acknowledge(&key, count);
    }
}

fn entry_count(value: &[u8]) -> u64 {
    u64::from_be_bytes(*value.first_chunk().unwrap())
}

fn write_control(folder: &Path, name: &str, sync: bool, begun: &Barrier) {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join(name))
        .unwrap();
    File::open(folder).unwrap().sync_all().unwrap();
    for count in 1.. {
        file.write_all(&[b'.'; CONTROL_BYTES]).unwrap();
        if sync {
            file.sync_data().unwrap();
        }
        acknowledge(name, count);
        if count == 1 {
            begun.wait();
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// How many acknowledged lines of a control file are missing.
pub(crate) fn control_lost(folder: &Path, name: &str, acknowledged: &Acknowledged) -> u64 {
    let found = folder.join(name).metadata().map_or(0, |file| file.len()) / CONTROL_BYTES as u64;
    acknowledged.get(name).copied().unwrap_or(0).saturating_sub(found)
}

/// Opens what a child left behind and looks for everything acknowledged. Gives how many records
/// there are, or what is wrong.
pub(crate) async fn verify(load: &Load, acknowledged: &Acknowledged) -> Result<u64, String> {
    let store = open(&load.store).map_err(|error| format!("does not open: {error}"))?;
    let mut records = 0;
    for task in 0..TASKS {
        let least = acknowledged.get(&task.to_string()).copied().unwrap_or(0);
        let found = match task % 3 {
            0 => verify_frames(&*store, task, load.bytes).await,
            1 => verify_events(&store, task, load.bytes).await,
            _ => verify_entry(&*store, task, load.bytes).await,
        }
        .map_err(|error| format!("task {task}: {error}"))?;
        if found < least {
            return Err(format!(
                "task {task} has {found} records, and {least} were acknowledged"
            ));
        }
        records += found;
    }
    Ok(records)
}

async fn verify_frames(store: &dyn Store, task: usize, bytes: usize) -> Result<u64, String> {
    let stream = contact(task);
    let Some(head) = store.head(&stream).await.map_err(|error| error.to_string())? else {
        return Ok(0);
    };
    let mut version = Version::NONE;
    let mut count = 0;
    loop {
        let frames = store
            .read(&stream, version, PAGE_MAX)
            .await
            .map_err(|error| error.to_string())?;
        let Some(last) = frames.last() else {
            break;
        };
        version = last.version;
        for frame in &frames {
            count += 1;
            if frame.version.as_u64() != count || frame.bytes != content(task, count, bytes) {
                return Err(format!("frame {count} is not what was appended"));
            }
        }
    }
    // Appends of two and three frames end at these counts; any other is half an append.
    if version != head.version || !ends_an_append(count) {
        return Err(format!("{count} frames, and the head says {}", head.version));
    }
    Ok(count)
}

fn ends_an_append(count: u64) -> bool {
    let mut end = 0;
    while end < count {
        end += 1 + end % 3;
    }
    end == count
}

async fn verify_events(store: &Arc<dyn Store>, task: usize, bytes: usize) -> Result<u64, String> {
    let journal = journal(Arc::clone(store));
    let recorded = journal
        .read(&contact(task))
        .await
        .map_err(|error| error.to_string())?;
    let Some(recorded) = recorded else {
        return Ok(0);
    };
    for (found, count) in recorded.events.iter().zip(1..) {
        if *found != event(task, count, bytes) {
            return Err(format!("event {count} is not what was appended"));
        }
    }
    Ok(recorded.head.events())
}

async fn verify_entry(store: &dyn Store, task: usize, bytes: usize) -> Result<u64, String> {
    let entry = store
        .get("load", &task.to_string(), Timestamp::from_millis(0))
        .await
        .map_err(|error| error.to_string())?;
    let Some(entry) = entry else {
        return Ok(0);
    };
    let count = entry_count(&entry.value);
    if entry.value[8..] != content(task, count, bytes) {
        return Err(format!("entry {count} is not what was put"));
    }
    Ok(count)
}
