//! Saving goes live: for the next contact, while those under way finish on what they began with.

use std::{fs, path::Path};

use end_to_end::{Caller, City, Folder, eventually, programs};

use crate::setup;

/// The English line, which needs no key to say its first words.
const LINE: &str = "057100002345";

/// A way to change a file's text.
type Edit = fn(&Folder, &str, &str, &str);

async fn welcomed(server: &end_to_end::Server) -> (Caller, String) {
    let mut caller = Caller::dial(server, LINE).await;
    let words = caller.hears("welcome").await;
    (caller, words)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_that_is_edited_answers_the_next_contact_and_not_the_one_under_way() {
    let city = City::open().await;
    let server = setup(&city).watching().start().await;
    let (mut first, _) = welcomed(&server).await;
    first.hears("topics").await;
    first.is_asked().await;

    // The hours are a menu's choice no more: key 4 tells of a matter.
    let before = server.current_release().await;
    city.folder.replace(
        "flows/city.yaml",
        "4: { say: k-hours, next: hours }",
        "4: { say: k-hours, next: matter }",
    );
    let after = server.next_release(&before).await;

    let (mut second, _) = welcomed(&server).await;
    second.presses("4").await;
    second.hears("what-happened").await;
    first.gives(serde_json::json!({ "keys": "4" })).await;
    first.hears("hours").await;
    assert_eq!((&first.release, &second.release), (&before, &after));

    // The old release drains when its contact has gone, and only then.
    let (_, listed) = server.asked("/api/v1/releases").await;
    let stage = |listed: &serde_json::Value| {
        listed["releases"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["release"] == *before)
            .map(|one| one["stage"].clone())
    };
    assert_eq!(stage(&listed), Some("draining".into()), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_is_edited_is_heard_however_the_editor_writes_it() {
    let city = City::open().await;
    let server = setup(&city).watching().start().await;
    let mut release = server.current_release().await;
    let steps: [(&str, Edit); 3] = [
        ("Welcome one", Folder::replace),
        ("Welcome two", Folder::replace_in_steps),
        ("Welcome three", Folder::replace_by_rename),
    ];
    let mut said = "Welcome to".to_owned();
    for (words, edit) in steps {
        edit(&city.folder, "prompts/en.yaml", &said, words);
        said = words.to_owned();
        // An editor's half-written file may be a release of its own; what it was to become
        // follows by itself.
        let mut heard = String::new();
        eventually(words, async || {
            heard = welcomed(&server).await.1;
            heard.starts_with(words)
        })
        .await;
        let now = server.current_release().await;
        assert_ne!(now, release);
        release = now;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_edit_is_reported_and_changes_nothing() {
    let city = City::open().await;
    let server = setup(&city).watching().start().await;
    let before = server.current_release().await;
    city.folder.replace(
        "flows/city.yaml",
        "ambiguous: { next: shared-number, save: sharing }",
        "ambiguos: shared-number",
    );
    let mut report = serde_json::Value::Null;
    eventually("a report of the refusal", async || {
        report = server.asked("/api/v1/releases").await.1["reports"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()
            .clone();
        report["verdict"] == "refused"
    })
    .await;
    let text = report["text"].as_str().unwrap();
    assert!(
        text.contains("flows/city.yaml") && text.contains("ambiguos") && text.contains('^'),
        "{text}"
    );
    assert!(server.log().contains("ambiguos"), "the log says nothing of it");
    assert_eq!(server.current_release().await, before);
    let (caller, _) = welcomed(&server).await;
    assert_eq!(caller.release, before);

    // Not even YAML, then mended: the mend goes live by itself.
    city.folder.write("prompts/en.yaml", "welcome: \"half a");
    city.folder.replace(
        "flows/city.yaml",
        "ambiguos: shared-number",
        "ambiguous: { next: shared-number, save: sharing }",
    );
    eventually("a report of bad YAML", async || {
        let reports = server.asked("/api/v1/releases").await.1;
        let last = reports["reports"].as_array().unwrap().last().unwrap().clone();
        last["verdict"] == "refused" && last["text"].as_str().unwrap().contains("prompts/en.yaml")
    })
    .await;
    assert_eq!(server.current_release().await, before);
    let original = fs::read_to_string(programs::city_hotline().join("prompts/en.yaml")).unwrap();
    city.folder
        .write("prompts/en.yaml", original.replacen("Welcome", "Welcome back", 1));
    server.next_release(&before).await;
    assert!(welcomed(&server).await.1.starts_with("Welcome back"));
}

/// The sentiment plugin with one more word in its lexicon, built from source.
fn sentiment_that_hears(word: &str, place: &Path) -> Vec<u8> {
    let plugins = programs::root().join("plugins");
    let workspace = place.join("guests");
    fs::create_dir_all(workspace.join(".cargo")).unwrap();
    for file in [".cargo/config.toml", "Cargo.lock"] {
        fs::copy(plugins.join(file), workspace.join(file)).unwrap();
    }
    let manifest = fs::read_to_string(plugins.join("Cargo.toml")).unwrap();
    let manifest: Vec<String> = manifest
        .lines()
        .map(|line| {
            if line.starts_with("members") {
                "members = [\"sentiment\"]".to_owned()
            } else {
                line.replace(
                    "../sdk/rust",
                    &programs::root().join("sdk/rust").display().to_string(),
                )
            }
        })
        .collect();
    fs::write(workspace.join("Cargo.toml"), manifest.join("\n")).unwrap();
    copy(&plugins.join("sentiment"), &workspace.join("sentiment"));
    let lexicon = workspace.join("sentiment/lexicon.txt");
    let text = fs::read_to_string(&lexicon).unwrap();
    fs::write(
        lexicon,
        text.replacen("[anger 3]\n", &format!("[anger 3]\n{word} | "), 1),
    )
    .unwrap();
    fs::read(programs::build_guest(
        &workspace,
        "sentiment",
        Path::new(env!("CARGO_TARGET_TMPDIR")),
    ))
    .unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_rebuilt_from_source_is_swapped_in_the_same_way() {
    let city = City::open().await;
    let server = setup(&city).watching().start().await;
    let (mut first, _) = welcomed(&server).await;
    first.presses("3").await;
    first.hears("what-happened").await;
    first.is_asked().await;

    let place = city.folder.beside("variant");
    let component = tokio::task::spawn_blocking(move || sentiment_that_hears("蘑菇", &place))
        .await
        .unwrap();
    let before = server.current_release().await;
    city.folder.write("plugins/sentiment.wasm", component);
    server.next_release(&before).await;

    let (mut second, _) = welcomed(&server).await;
    second.presses("3").await;
    second.says("地下室长蘑菇").await;
    second.hears("sorry-for-that").await;
    assert_eq!(second.ends().await, "unserved");
    // The contact that began before is scored by the plugin that it began with.
    first.gives(serde_json::json!({ "text": "地下室长蘑菇" })).await;
    let turn = first
        .notices("desk or after-hours", |turn| {
            turn["prompt"] == "desk" || turn["prompt"] == "after-hours" || turn["prompt"] == "sorry-for-that"
        })
        .await;
    assert_ne!(turn["prompt"], "sorry-for-that");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_does_not_load_changes_nothing() {
    let city = City::open().await;
    let server = setup(&city).watching().start().await;
    let before = server.current_release().await;
    city.folder.write("plugins/sentiment.wasm", b"\0asm\x01\0\0\0");
    eventually("a report of the refusal", async || {
        let reports = server.asked("/api/v1/releases").await.1;
        let last = reports["reports"].as_array().unwrap().last().unwrap().clone();
        last["verdict"] == "refused" && last["text"].as_str().unwrap().contains("sentiment")
    })
    .await;
    assert_eq!(server.current_release().await, before);
    let (mut caller, _) = welcomed(&server).await;
    caller.presses("3").await;
    caller.says("I am furious, this is outrageous").await;
    caller.hears("sorry-for-that").await;
}
