//! Releases as editors and operators meet them: saved, refused, drained, collected, rebuilt.

use std::{fs, sync::Arc};

use trunkline_flow::{Code, step::Verb};
use trunkline_journal::Memory;
use trunkline_package::{
    Package,
    key::PrivateKey,
    lock::{Lock, Locked},
    registry::{self, Registries},
    sections::{Words, put},
    store as packages,
};

use super::*;
use crate::{
    Clock, Node, Settings, Shelves, StartError,
    limits::RELEASES_KEPT,
    testing::{Hotline, NOON, call, component, eventually, journal, keys, text},
};

const PROMPTS: &str = "prompts/en.yaml";

async fn watching(hotline: &Hotline) -> Node {
    let settings = Settings {
        watch: true,
        ..hotline.settings(&Clock::system())
    };
    Node::start(settings).await.unwrap()
}

fn current(node: &Node) -> Digest {
    node.releases().current().unwrap().id()
}

async fn welcome_becomes(node: &Node, words: &str) {
    eventually(words, async || {
        let contact = node.begin().await;
        node.said(&contact)
            .await
            .first()
            .is_some_and(|said| said == words)
    })
    .await;
}

fn with_welcome(hotline: &Hotline, words: &str) -> String {
    let prompts = hotline.read(PROMPTS);
    let line = prompts
        .lines()
        .find(|line| line.starts_with("welcome:"))
        .unwrap()
        .to_owned();
    prompts.replace(&line, &format!("welcome: {words}"))
}

#[tokio::test]
async fn what_is_saved_goes_live_and_contacts_stay_on_their_release() {
    let hotline = Hotline::new();
    let node = watching(&hotline).await;
    let before = current(&node);
    let contact = node.begin().await;
    hotline.write(
        "flows/main.yaml",
        hotline
            .read("flows/main.yaml")
            .replace("say: goodbye", "say: { en: So long., zh-CN: 回头见。 }"),
    );
    eventually("a new release", async || current(&node) != before).await;
    let overview = node.releases().overview();
    assert_eq!(overview[0].stage, Stage::Current);
    assert_eq!(
        (overview[1].release.id(), overview[1].stage),
        (before, Stage::Draining)
    );
    node.deliver(&contact, keys("a", "1")).await.unwrap();
    node.deliver(&contact, text("b", "lamp")).await.unwrap();
    node.hears(&contact, "Goodbye.").await;
    assert_eq!(node.releases().overview()[1].stage, Stage::Drained);
    let new = node.begin().await;
    node.deliver(&new, keys("a", "1")).await.unwrap();
    node.deliver(&new, text("b", "lamp")).await.unwrap();
    node.hears(&new, "So long.").await;
}

#[tokio::test]
async fn editors_may_write_in_any_way() {
    let hotline = Hotline::new();
    let node = watching(&hotline).await;
    let file = hotline.path().join(PROMPTS);

    // Put over the old file.
    let beside = hotline.path().join("prompts/.en.yaml.swp");
    fs::write(&beside, with_welcome(&hotline, "One.")).unwrap();
    fs::rename(&beside, &file).unwrap();
    welcome_becomes(&node, "One.").await;

    // Emptied, then written in two pieces.
    let new = with_welcome(&hotline, "Two.");
    let (head, tail) = new.split_at(new.len() / 2);
    fs::write(&file, "").unwrap();
    fs::write(&file, head).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    fs::write(&file, format!("{head}{tail}")).unwrap();
    welcome_becomes(&node, "Two.").await;

    // Removed, and made again.
    let new = with_welcome(&hotline, "Three.");
    fs::remove_file(&file).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(50));
    fs::write(&file, new).unwrap();
    welcome_becomes(&node, "Three.").await;

    // A link to a file elsewhere, which is then written.
    let elsewhere = tempfile::tempdir().unwrap();
    let target = elsewhere.path().join("en.yaml");
    fs::write(&target, with_welcome(&hotline, "Four.")).unwrap();
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(&target, &file).unwrap();
    welcome_becomes(&node, "Four.").await;
    fs::write(&target, with_welcome(&hotline, "Five.")).unwrap();
    welcome_becomes(&node, "Five.").await;
}

#[tokio::test]
async fn the_whole_folder_may_be_replaced() {
    let above = tempfile::tempdir().unwrap();
    let place = above.path().join("line");
    let move_in = |hotline: &Hotline| {
        let staged = above.path().join("staged");
        copy(hotline.path(), &staged);
        let _ = fs::rename(
            &place,
            above
                .path()
                .join(format!("old-{}", fs::read_dir(above.path()).unwrap().count())),
        );
        fs::rename(&staged, &place).unwrap();
    };
    let hotline = Hotline::new();
    move_in(&hotline);
    let settings = Settings {
        hotline: place.clone(),
        watch: true,
        ..hotline.settings(&Clock::system())
    };
    let node = Node::start(settings).await.unwrap();
    for words in ["One.", "Two."] {
        hotline.write(PROMPTS, with_welcome(&hotline, words));
        move_in(&hotline);
        welcome_becomes(&node, words).await;
    }
    // The new folder is watched as the old one was.
    fs::write(place.join(PROMPTS), with_welcome(&hotline, "Three.")).unwrap();
    welcome_becomes(&node, "Three.").await;
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[tokio::test]
async fn what_does_not_check_is_reported_and_changes_nothing() {
    let hotline = Hotline::new();
    let node = watching(&hotline).await;
    let mut reports = node.releases().subscribe();
    let before = current(&node);
    let flow = hotline.read("flows/main.yaml");
    hotline.write("flows/main.yaml", flow.replace("next: topics", "next: topcis"));
    let report = reports.recv().await.unwrap();
    assert_eq!(report.verdict, Verdict::Refused);
    assert!(report.errors() > 0);
    assert!(
        report.text.contains("topcis") && report.text.contains("flows/main.yaml"),
        "{}",
        report.text
    );
    assert_eq!(current(&node), before);
    // Put right again, it is what it was.
    hotline.write("flows/main.yaml", flow);
    assert_eq!(reports.recv().await.unwrap().verdict, Verdict::Unchanged);
}

#[tokio::test]
async fn a_component_built_anew_is_swapped_in_the_same_way() {
    let hotline = Hotline::with_plugin(1);
    let node = watching(&hotline).await;
    let old = node.begin().await;
    node.hears(&old, "It is 1.").await;
    hotline.write("plugins/sage.wasm", component("i32.const 2"));
    let first = current(&node);
    eventually("the new component", async || current(&node) != first).await;
    let new = node.begin().await;
    node.hears(&new, "It is 2.").await;
    // Half a component is no release.
    let second = current(&node);
    let mut reports = node.releases().subscribe();
    hotline.write("plugins/sage.wasm", &component("i32.const 3")[..40]);
    let report = reports.recv().await.unwrap();
    assert_eq!(report.verdict, Verdict::Refused);
    assert!(report.text.contains("sage"), "{}", report.text);
    assert_eq!(current(&node), second);
}

#[tokio::test]
async fn a_release_that_reserves_more_than_there_is_is_refused_with_the_sum() {
    let hotline = Hotline::with_plugin(1);
    hotline.write("grants.yaml", "sage:\n  limits: { reserve: 300 }\n");
    let refused = hotline
        .start_on(&journal(Arc::new(Memory::new())), &Clock::still(NOON))
        .await;
    let Err(StartError::Check { report, .. }) = refused else {
        panic!("it starts")
    };
    assert!(
        report.text.contains("TL0730")
            && report
                .text
                .contains("reserve 300 sandboxes of the small pool, which has 256: sage 300")
            && report.text.contains("grants.yaml:2"),
        "{}",
        report.text
    );
    // Within bounds it starts, and what might be used at most is only warned of.
    hotline.write(
        "grants.yaml",
        "sage:\n  limits: { reserve: 2, concurrent: 100000, memory: 256MiB }\n",
    );
    let node = hotline.start().await;
    let release = node.releases().current().unwrap();
    let warned = release
        .warnings()
        .iter()
        .any(|finding| finding.code == Code::Overcommitted);
    let machine_is_smaller = trunkline_plugin::Bytes(64 << 30);
    let over = node
        .host()
        .budget(release.plugins().values().map(|loaded| &loaded.plugin))
        .overcommitted();
    assert_eq!(warned, over.is_some());
    assert!(over.is_none_or(|over| over.machine < machine_is_smaller));
}

const SAGE: &str = "oci://127.0.0.1:1/test/sage@1.0.0";

/// A hotline whose plugin is a package of a registry that nobody answers for, and the package.
fn with_package() -> (Hotline, Package) {
    let hotline = Hotline::with_plugin(1);
    let manifest = serde_json::from_value(serde_json::json!({
        "name": "sage", "version": "1.0.0", "department": "test",
    }))
    .unwrap();
    let words = Words {
        manifest: &manifest,
        wit: None,
        revision: None,
    };
    let package = Package::of_component(put(&component("i32.const 1"), &words).unwrap()).unwrap();
    let lock = Lock {
        plugins: [(
            "sage".into(),
            Locked::of(SAGE.to_owned(), &package.identity(), None),
        )]
        .into(),
    };
    lock.write(hotline.path()).unwrap();
    let named = hotline.read("hotline.yaml").replace("plugins/sage.wasm", SAGE);
    hotline.write("hotline.yaml", named);
    (hotline, package)
}

#[tokio::test]
async fn a_package_that_was_taken_in_needs_neither_registry_nor_cache() {
    let (hotline, package) = with_package();
    let cache = tempfile::tempdir().unwrap();
    let kept = packages::Store::new(cache.path());
    kept.put(&package).unwrap();
    let journal = journal(Arc::new(Memory::new()));
    let with = |packages: Shelves| Settings {
        packages,
        ..hotline.settings(&Clock::still(NOON))
    };
    let shelves = Shelves {
        store: Some(kept),
        registries: None,
    };
    let first = Node::start_on(with(shelves), journal.clone()).await.unwrap();
    let release = current(&first);
    first.shutdown().await;
    let second = Node::start_on(with(Shelves::default()), journal).await.unwrap();
    let report = &second.releases().reports()[0];
    assert!(report.verdict.is_good(), "{}", report.text);
    assert_eq!(report.release, Some(release));
}

#[tokio::test]
async fn a_package_that_was_signed_since_is_let_in() {
    let (hotline, mut package) = with_package();
    let cache = tempfile::tempdir().unwrap();
    let kept = packages::Store::new(cache.path());
    kept.put(&package).unwrap();
    let settings = Settings {
        packages: Shelves {
            store: Some(kept.clone()),
            registries: Some(Registries::new(registry::Settings::default())),
        },
        ..hotline.settings(&Clock::still(NOON))
    };
    let node = Node::start_on(settings, journal(Arc::new(Memory::new())))
        .await
        .unwrap();
    let (key, _) = PrivateKey::generate().unwrap();
    hotline.write("keys/test.pub", key.public().to_pem());
    hotline.write(
        "grants.yaml",
        "departments: { test: { signed-by: keys/test.pub } }\nsage: { department: test }\n",
    );
    let (report, _) = node.releases().take_folder(hotline.path(), Cause::Saved).await;
    assert_eq!(report.verdict, Verdict::Refused);
    assert!(report.text.contains("it is not signed"), "{}", report.text);
    package.sign(&key, "127.0.0.1:1/test/sage").unwrap();
    kept.put(&package).unwrap();
    let (report, _) = node.releases().take_folder(hotline.path(), Cause::Saved).await;
    assert_eq!(report.verdict, Verdict::Live, "{}", report.text);
}

#[tokio::test]
async fn a_signature_that_is_asked_for_is_not_lifted_by_hotline_yaml() {
    let hotline = Hotline::with_plugin(1);
    let (key, _) = PrivateKey::generate().unwrap();
    hotline.write("keys/test.pub", key.public().to_pem());
    let refused = async |grants: &str, department: &str| {
        hotline.write("grants.yaml", grants);
        let declared = format!(
            "hotline: test-line\nlanguages: [en, zh-CN]\ntime-zone: Asia/Shanghai\nnumbers: {{ \"12345\": {{ flow: main }} }}\n\
             plugins:\n  sage: {{ component: plugins/sage.wasm, department: {department} }}\n"
        );
        hotline.write("hotline.yaml", declared);
        let started = hotline
            .start_on(&journal(Arc::new(Memory::new())), &Clock::still(NOON))
            .await;
        match started {
            Err(StartError::Check { report, .. }) => report.text.clone(),
            other => panic!("it is refused, not {:?}", other.map(|_| "started")),
        }
    };
    let granted = "departments: { test: { signed-by: keys/test.pub } }\nsage: { department: test }\n";
    for (grants, department, said) in [
        (granted, "test", "a bare component carries no signature"),
        // An analyst's slip, or not.
        (
            granted,
            "tset",
            "hotline.yaml says that it is of tset, and grants.yaml that it is of test",
        ),
        // The operator's slips.
        (
            "departments: { test: { signed-by: keys/test.pub } }\nsage: { kv: true }\n",
            "other",
            "does not say whose sage is",
        ),
        (
            "departments: { tset: { signed-by: keys/test.pub } }\nsage: { department: test }\n",
            "test",
            "no plugin is of the department `tset`",
        ),
    ] {
        let text = refused(grants, department).await;
        assert!(text.contains(said), "{text}");
    }
}

#[tokio::test]
async fn a_plugin_that_did_not_change_is_not_loaded_again() {
    let hotline = Hotline::with_plugin(1);
    let node = hotline.start().await;
    let first = node.releases().current().unwrap();
    hotline.write(PROMPTS, with_welcome(&hotline, "Hello."));
    let (report, _) = node.releases().take_folder(hotline.path(), Cause::Saved).await;
    assert_eq!(report.verdict, Verdict::Live);
    let second = node.releases().current().unwrap();
    assert_ne!(first.id(), second.id());
    let (first, second) = (&first.plugins()["sage"], &second.plugins()["sage"]);
    assert!(Arc::ptr_eq(first.plugin.interface(), second.plugin.interface()));
    let (report, _) = node.releases().take_folder(hotline.path(), Cause::Saved).await;
    assert_eq!(report.verdict, Verdict::Unchanged);
}

#[tokio::test]
async fn a_release_is_collected_when_nobody_is_on_it() {
    let hotline = Hotline::new();
    let node = hotline.start().await;
    let first = current(&node);
    let contact = node.begin().await;
    for number in 0..RELEASES_KEPT + 3 {
        node.clock().advance(Duration::from_secs(1));
        hotline.write(PROMPTS, with_welcome(&hotline, &format!("Version {number}.")));
        let (report, _) = node.releases().take_folder(hotline.path(), Cause::Saved).await;
        assert_eq!(report.verdict, Verdict::Live);
        // A collection in between may not take what the contact is on.
        node.releases().collect().await;
    }
    let ids = |node: &Node| {
        node.releases()
            .overview()
            .iter()
            .map(|one| one.release.id())
            .collect::<Vec<_>>()
    };
    assert!(ids(&node).contains(&first));
    node.deliver(&contact, keys("a", "1")).await.unwrap();
    node.deliver(&contact, text("b", "lamp")).await.unwrap();
    node.releases().collect().await;
    assert_eq!(ids(&node).len(), RELEASES_KEPT);
    assert!(!ids(&node).contains(&first));
    // What it was can still be read, and going back to what is gone says so.
    assert!(node.releases().activate(&first).await.is_err());
}

#[tokio::test]
async fn going_back_is_repointing() {
    let hotline = Hotline::new();
    let node = hotline.start().await;
    let first = current(&node);
    hotline.write(PROMPTS, with_welcome(&hotline, "Hello."));
    node.releases().take_folder(hotline.path(), Cause::Saved).await;
    assert_ne!(current(&node), first);
    assert_eq!(
        node.releases().activate(&first).await.unwrap().verdict,
        Verdict::Live
    );
    let contact = node.begin().await;
    assert_eq!(node.said(&contact).await[0], "Welcome.");
}

#[tokio::test]
async fn a_folder_that_does_not_check_keeps_no_contact_from_going_on() {
    let hotline = Hotline::new();
    let store = journal(Arc::new(Memory::new()));
    let clock = Clock::still(NOON);
    let node = hotline.start_on(&store, &clock).await.unwrap();
    let contact = node.begin().await;
    let release = current(&node);
    drop(node);
    hotline.write("flows/main.yaml", "flow: main\nstart: nowhere\nsteps: {}\n");
    let node = hotline.start_on(&store, &clock).await.unwrap();
    assert_eq!(current(&node), release);
    assert_eq!(node.releases().reports()[0].verdict, Verdict::Refused);
    node.deliver(&contact, keys("a", "1")).await.unwrap();
    node.hears(&contact, "What happened?").await;
    // With nothing to fall back on, it does not start, and says why.
    let error = hotline
        .start_on(&journal(Arc::new(Memory::new())), &clock)
        .await
        .err()
        .unwrap();
    assert!(
        matches!(&error, StartError::Check { report, .. } if report.errors() > 0),
        "{error}"
    );
}

#[tokio::test]
async fn a_contact_whose_release_is_lost_is_left_and_can_be_read() {
    let hotline = Hotline::new();
    let memory = Arc::new(Memory::new());
    let store = journal(memory.clone());
    let clock = Clock::still(NOON);
    let node = hotline.start_on(&store, &clock).await.unwrap();
    let contact = node.begin().await;
    let lost = current(&node);
    drop(node);
    let shelf = Shelf::new(memory);
    assert_eq!(shelf.collect(NOON, |_, _| false).await.unwrap(), 1);
    hotline.write(PROMPTS, with_welcome(&hotline, "Hello."));
    let node = hotline.start_on(&store, &clock).await.unwrap();
    assert_eq!(node.recovery().stranded, 1);
    let error = node
        .deliver(&contact, keys("a", "1"))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains(&lost.short()), "{error}");
    assert_eq!(node.said(&contact).await[0], "Welcome.");
    assert!(node.arrive(call()).await.is_ok());
}

#[tokio::test]
async fn contacts_arrive_while_releases_change() {
    let hotline = Hotline::new();
    let node = hotline.start().await;
    let arriving = tokio::spawn({
        let node = node.clone();
        async move {
            let mut begun = Vec::new();
            for _ in 0..200 {
                begun.push(node.begin().await);
                tokio::task::yield_now().await;
            }
            begun
        }
    });
    for number in 0..10 {
        hotline.write(PROMPTS, with_welcome(&hotline, &format!("Version {number}.")));
        node.releases().take_folder(hotline.path(), Cause::Saved).await;
    }
    for contact in arriving.await.unwrap() {
        node.deliver(&contact, keys("a", "1")).await.unwrap();
        node.deliver(&contact, text("b", "lamp")).await.unwrap();
        node.hears(&contact, "[completed]").await;
    }
}

#[tokio::test]
async fn recordings_belong_to_the_release_that_names_them() {
    let hotline = Hotline::new();
    let wav = |seconds: u8| {
        let mut file =
            b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x07\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data\0\0\0\0"
                .to_vec();
        file.extend(std::iter::repeat_n(0xff, usize::from(seconds) * 8_000));
        file
    };
    let recorded = |node: &Node| {
        let release = node.releases().current().unwrap();
        let Verb::Say(say) = &release.hotline().flows["main"].steps["welcome"].verb else {
            panic!("the flow begins by saying");
        };
        (say.prompt.seconds("en"), say.prompt.is_synthetic("en"))
    };
    hotline.write("audio/welcome.wav", wav(2));
    hotline.write(
        PROMPTS,
        with_welcome(&hotline, "{ recording: audio/welcome.wav, text: Hello. }"),
    );
    let node = watching(&hotline).await;
    assert_eq!(recorded(&node), (2.0, false));
    let before = current(&node);

    // Another file under the same name makes another release.
    hotline.write("audio/welcome.wav", wav(3));
    eventually("a new release", async || current(&node) != before).await;
    assert_eq!(recorded(&node), (3.0, false));

    // What is on the shelf is what it was, whatever became of the file.
    let again = node.releases().builder.rebuild(&before, NOON).await.unwrap();
    let release = again.release.unwrap();
    assert_eq!(release.id(), before);
    let welcome = &release.hotline().flows["main"].steps["welcome"].verb;
    assert!(matches!(welcome, Verb::Say(say) if say.prompt.seconds("en") == 2.0));
}
