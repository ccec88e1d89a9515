//! A department's loop: a plugin is made, built, tested, and swapped into a server on save.

use std::{
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use end_to_end::{Caller, City, Folder, Setup, programs};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, Command},
};

use crate::{
    commands::{err, out, trunkline},
    stranger,
};

/// How long a build may take on a machine that is busy.
const BUILD_PATIENCE: Duration = Duration::from_secs(150);

/// A hotline that asks the plugin.
fn waterworks(plugin: &Path) -> Folder {
    let folder = Folder::empty();
    folder.write("plugins/water-level.wasm", std::fs::read(plugin).unwrap());
    folder.write(
        "hotline.yaml",
        "\
hotline: waterworks
languages: [en]
time-zone: Europe/Berlin
numbers:
  \"1000\": { flow: water }
plugins:
  water-level: { component: plugins/water-level.wasm, department: water-works }
",
    );
    folder.write(
        "grants.yaml",
        "water-level:\n  kv: true\n  limits: { memory: 16MiB, time: 2s }\n",
    );
    folder.write(
        "flows/water.yaml",
        "\
flow: water
vars:
  words: string?
  found: string?
start: what
steps:
  what: { ask: what, answer: text, save: words, on: { else: sorry }, next: find }
  find:
    call: water-level.answer
    with: { words: \"${words}\" }
    save: found
    on: { nothing-said: sorry, fault: sorry }
    next: tell
  tell: { say: answer, next: done }
  sorry: { say: sorry, next: done }
  done: { end: completed }
",
    );
    folder.write(
        "prompts/en.yaml",
        "what: What is it?\nanswer: \"{found}\"\nsorry: We are sorry.\n",
    );
    folder
}

/// `trunkline plugin dev` that runs, and what it said so far.
struct Loop {
    child: Child,
    said: Arc<Mutex<String>>,
}

impl Loop {
    fn start(plugin: &str, hotline: &str, more: &[&str]) -> Self {
        // Both streams as one, in the order in which a terminal shows them.
        let mut child = Command::new("sh")
            .args(["-c", "exec 2>&1; exec \"$@\"", "sh"])
            .arg(programs::trunkline())
            .args(["plugin", "dev", plugin, "--hotline", hotline])
            .args(more)
            .env_remove("TRUNKLINE_API_KEY")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        listen(child.stdout.take().unwrap(), said.clone());
        Self { child, said }
    }

    fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it has said something since a place in what it said; gives where that ends.
    async fn says(&self, after: usize, what: &str) -> usize {
        let patience = tokio::time::Instant::now() + BUILD_PATIENCE;
        loop {
            let said = self.said();
            if let Some(at) = said[after..].find(what) {
                return after + at + what.len();
            }
            assert!(
                tokio::time::Instant::now() < patience,
                "it did not say {what:?} after {:?}, but {:?}",
                &said[..after],
                &said[after..]
            );
            tokio::time::sleep(end_to_end::LOOK_EVERY).await;
        }
    }
}

fn listen(stream: impl AsyncRead + Unpin + Send + 'static, said: Arc<Mutex<String>>) {
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            said.push_str(&line);
            said.push('\n');
        }
    });
}

/// What a caller who says something is answered.
async fn answered(server: &end_to_end::Server, words: &str) -> String {
    let mut caller = Caller::dial(server, "1000").await;
    caller.hears("what").await;
    caller.says(words).await;
    caller.hears("answer").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_is_made_built_tested_and_swapped_into_a_server_on_save() {
    let place = Folder::empty();
    let plugin = place.beside("water-level");
    let shown = plugin.display().to_string();
    let made = trunkline(&[
        "plugin",
        "new",
        "water-level",
        "--language",
        "rust",
        "--department",
        "water-works",
        "--wants",
        "kv",
        "--folder",
        &shown,
    ])
    .await;
    assert_eq!(made.status.code(), Some(0), "{}", err(&made));
    assert!(out(&made).contains("trunkline plugin build"), "{}", out(&made));

    // What plugins depend on is built once for all runs of this test.
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new-plugin-target");
    std::fs::create_dir_all(&cache).unwrap();
    std::os::unix::fs::symlink(&cache, plugin.join("target")).unwrap();

    let built = trunkline(&["plugin", "build", &shown, "--keep"]).await;
    assert_eq!(built.status.code(), Some(0), "{}{}", out(&built), err(&built));
    assert!(
        out(&built).contains("steps.answer(words: string)"),
        "{}",
        out(&built)
    );
    let component = plugin.join("dist/water-level.wasm");
    let first = std::fs::read(&component).unwrap();
    assert_eq!(
        std::fs::read(plugin.join("dist/water-level-0.1.0.wasm")).unwrap(),
        first
    );

    let inspected = trunkline(&["plugin", "inspect", &component.display().to_string()]).await;
    let text = out(&inspected);
    assert!(text.contains("water-level 0.1.0 of water-works"), "{text}");
    assert!(
        text.contains("Answers what a caller says."),
        "comments come along: {text}"
    );

    let tested = trunkline(&[
        "plugin",
        "test",
        &shown,
        "--no-build",
        "--seed",
        "1",
        "--output-format",
        "json",
    ])
    .await;
    assert_eq!(tested.status.code(), Some(0), "{}{}", out(&tested), err(&tested));
    let results: serde_json::Value = serde_json::from_slice(&tested.stdout).unwrap();
    assert_eq!(results["cases"].as_array().unwrap().len(), 3);
    assert_eq!(results["fuzzed"][0]["inputs"], 200);
    assert!(results["cases"][0]["usage"]["instructions"].as_u64().unwrap() > 100);

    let hotline = waterworks(&component);
    let server = Setup::new(hotline.path(), hotline.beside("server"))
        .watching()
        .start()
        .await;
    assert_eq!(answered(&server, "a leak").await, "You said: a leak");
    let dev = Loop::start(
        &shown,
        &hotline.path().display().to_string(),
        &["--server", &server.url(), "--fuzz", "5"],
    );
    let at = dev.says(0, "is the same component already").await;
    let at = dev.says(at, "waiting for").await;

    // Saved, and live.
    let source = plugin.join("src/lib.rs");
    let code = std::fs::read_to_string(&source).unwrap();
    let changed = code
        .replace("You said: ", "We heard: ")
        .replace("您说的是：", "听到了：");
    std::fs::write(&source, changed).unwrap();
    let at = dev.says(at, "live on ").await;
    let at = dev.says(at, " ms after the build").await;
    assert_eq!(answered(&server, "a leak").await, "We heard: a leak");
    // Its table still expects the old words, and says so.
    let at = dev.says(at, "FAIL").await;
    let at = dev.says(at, "waiting for").await;

    // What does not compile is told and changes nothing.
    std::fs::write(&source, "not Rust").unwrap();
    let at = dev.says(at, "the build failed").await;
    let at = dev.says(at, "waiting for").await;
    assert_eq!(answered(&server, "a leak").await, "We heard: a leak");

    // Nor does an error that no flow has an edge for; and it is a major change.
    std::fs::write(&source, code.replace("NothingSaid)", "Later)")).unwrap();
    let wit = plugin.join("wit/water-level.wit");
    let text = std::fs::read_to_string(&wit).unwrap();
    std::fs::write(&wit, text.replace("nothing-said,", "nothing-said,\n    later,")).unwrap();
    let at = dev.says(at, "refused it").await;
    dev.says(at, "waiting for").await;
    assert!(
        dev.said()[at - 2_000.min(at)..].contains("later"),
        "{}",
        dev.said()
    );
    assert_eq!(answered(&server, "a leak").await, "We heard: a leak");
    let judged = trunkline(&["plugin", "build", &shown]).await;
    assert_eq!(judged.status.code(), Some(1), "{}", out(&judged));
    assert!(out(&judged).contains("version = \"0.2.0\""), "{}", out(&judged));

    // It ends when it is told to, and well.
    let mut child = dev.child;
    let id = nix::unistd::Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap());
    nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGINT).unwrap();
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
}

/// A plugin whose build gives other bytes each time, and leaves them among its sources.
fn restless() -> Folder {
    let component = programs::component("sentiment.wasm");
    let folder = Folder::empty();
    folder.write("built/component", std::fs::read(component).unwrap());
    // A section of its own, with the digits of the clock's nanoseconds, behind the component.
    folder.write(
        "plugin.toml",
        "[plugin]\nname = \"sentiment\"\nversion = \"0.1.0\"\ndepartment = \"centre\"\n\
         [build]\nlanguage = \"other\"\ncomponent = \"out/sentiment.wasm\"\n\
         command = \"\"\"mkdir -p out; { cat built/component; printf '\\\\000\\\\017\\\\004junk'; date +%N; } > out/.made \\\n\
         && mv out/.made out/sentiment.wasm\"\"\"\n",
    );
    folder.write("src/text", "one");
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_build_leaves_starts_no_other() {
    let (plugin, hotline) = (restless(), stranger::theatre());
    let folder = |folder: &Folder| folder.path().display().to_string();
    let dev = Loop::start(&folder(&plugin), &folder(&hotline), &["--no-test"]);
    let at = dev.says(0, "waiting for").await;
    // Time in which it would begin again.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let builds = || dev.said().matches("building sentiment").count();
    assert_eq!(builds(), 1, "{}", dev.said());
    plugin.write("src/text", "two");
    dev.says(at, "waiting for").await;
    assert_eq!(builds(), 2, "{}", dev.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_does_not_wait_for_the_tests_of_what_was_saved_before() {
    let (plugin, hotline) = (restless(), stranger::theatre());
    let folder = |folder: &Folder| folder.path().display().to_string();
    let dev = Loop::start(&folder(&plugin), &folder(&hotline), &["--fuzz", "4000000000"]);
    let at = dev.says(0, "has no plugin `sentiment` yet").await;
    plugin.write("src/text", "two");
    let at = dev.says(at, "these tests are given up").await;
    dev.says(at, "built sentiment").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_of_a_real_service_are_recorded_masked_and_answer_from_then_on() {
    let city = City::open().await;
    let url = format!("http://{}", city.crm.address());
    let place = Folder::empty();
    let write = |file: &str, text: &str| place.write(file, text);
    write(
        "plugin.toml",
        &format!(
            "[plugin]\nname = \"crm-lookup\"\nversion = \"0.1.0\"\ndepartment = \"civil-affairs\"\n\
             [build]\nlanguage = \"other\"\ncommand = \"true\"\ncomponent = \"crm.wasm\"\n\
             [wants]\nhttp = [\"POST {url}/v1/*\"]\n"
        ),
    );
    let table = |phone: &str, expected: &str| {
        format!(
            "function: find-citizen\nconfig: {{ url: \"{url}\" }}\ncases:\n  - name: a citizen\n    \
             with: {{ phone: \"{phone}\" }}\n    http: recordings/citizen.yaml\n    {expected}\n"
        )
    };
    write("tests/find.yaml", &table("+8613800138000", "ok:"));
    let folder = place.path().display().to_string();
    let component = city
        .folder
        .path()
        .join("plugins/crm_lookup.wasm")
        .display()
        .to_string();
    let test = async |more: &[&str]| {
        let mut arguments = vec![
            "plugin",
            "test",
            &folder,
            "--component",
            &component,
            "--fuzz",
            "20",
        ];
        arguments.extend(more);
        trunkline(&arguments).await
    };

    let before = test(&[]).await;
    assert_eq!(before.status.code(), Some(1));
    assert!(err(&before).contains("--record"), "{}", err(&before));

    let recorded = test(&["--record"]).await;
    let told = err(&recorded);
    assert_eq!(recorded.status.code(), Some(0), "{}{told}", out(&recorded));
    assert!(
        told.contains("1 of name") && told.contains("1 of phone"),
        "{told}"
    );
    let recording = place.read("recordings/citizen.yaml");
    assert!(!recording.contains("13800138000"), "{recording}");
    assert!(recording.contains("+8610000000001"), "{recording}");

    // Of the cases that a recording answers some are left out: it would lose what they ask for.
    let one = table("+8613800138000", "ok:");
    write(
        "tests/find.yaml",
        &format!(
            "{one}{}",
            one.split_once("cases:\n")
                .unwrap()
                .1
                .replace("a citizen", "another")
        ),
    );
    let partly = test(&["--record", "another"]).await;
    assert_eq!(partly.status.code(), Some(2), "{}", err(&partly));
    assert!(err(&partly).contains("`a citizen`"), "{}", err(&partly));
    write("tests/find.yaml", &one);

    // The service is gone: what was recorded stays.
    drop(city.crm);
    let gone = test(&["--record"]).await;
    assert_eq!(gone.status.code(), Some(1), "{}", err(&gone));
    assert!(
        err(&gone).contains("recordings/citizen.yaml is not written"),
        "{}",
        err(&gone)
    );
    assert_eq!(place.read("recordings/citizen.yaml"), recording);

    // Another number stands in the case, and the recording answers.
    write("tests/find.yaml", &table("+8613900139000", "ok: { name: 某甲 }"));
    let after = test(&[]).await;
    assert_eq!(after.status.code(), Some(0), "{}{}", out(&after), err(&after));
    // What it does not hold is not made up.
    write("tests/find.yaml", &table("110", "ok: { name: 某甲 }"));
    let wrong = test(&["--output-format", "junit"]).await;
    assert_eq!(wrong.status.code(), Some(1));
    assert!(out(&wrong).contains("refusal: not-found"), "{}", out(&wrong));
}
