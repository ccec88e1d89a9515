//! The commands that need no server, or find none: what they print, and how they end.

use std::process::{Command, Output, Stdio};

use end_to_end::{City, Setup, cache, programs};

use crate::stranger::{seats, theatre};

/// Runs `trunkline` to its end, without a terminal.
pub(crate) async fn trunkline(arguments: &[&str]) -> Output {
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    tokio::task::spawn_blocking(move || {
        Command::new(programs::trunkline())
            .args(arguments)
            .env("XDG_CACHE_HOME", cache())
            .env_remove("TRUNKLINE_API_KEY")
            .env_remove("TRUNKLINE_CLIENT_KEY")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    })
    .await
    .unwrap()
}

pub(crate) fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn check_finds_nothing_wrong_with_the_citys_hotline() {
    let city = City::open().await;
    let folder = city.folder.path().display().to_string();
    let checked = trunkline(&["check", &folder]).await;
    assert_eq!(
        checked.status.code(),
        Some(0),
        "{}{}",
        out(&checked),
        err(&checked)
    );
    assert!(out(&checked).contains("loads: 0 errors"), "{}", out(&checked));
    assert!(!out(&checked).contains('\x1b'), "colours where nobody sees them");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_reports_all_that_is_wrong_at_once() {
    let folder = theatre();
    folder.replace("flows/seats.yaml", "next: find", "next: fined");
    folder.replace("flows/seats.yaml", "call: seats.seat", "call: seats.seet");
    folder.replace("prompts/en.yaml", "sorry:", "sory:");
    let path = folder.path().display().to_string();
    let checked = trunkline(&["check", &path]).await;
    let text = out(&checked);
    assert_eq!(checked.status.code(), Some(1), "{text}");
    for part in [
        "TL0101",
        "fined",
        "find",
        "TL0104",
        "seet",
        "TL0401",
        "sorry",
        "flows/seats.yaml:12",
        "^^^",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let checked = trunkline(&["check", "--output-format", "json", &path]).await;
    let json: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(json["loads"], false);
    assert!(json["findings"].as_array().unwrap().len() >= 3, "{json}");
    assert!(json["findings"][0]["line"].is_u64());
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_end_with_the_code_that_tells_why() {
    let folder = theatre();
    let path = folder.path().display().to_string();
    for (arguments, code, mend) in [
        (vec!["check", "/no/such/hotline"], 2, "name a hotline's folder"),
        (vec!["serve", "/"], 2, "hotline.yaml"),
        (
            vec!["serve", &path, "--listen", "0.0.0.0:0", "--store", "memory:"],
            2,
            "--api-key",
        ),
        (vec!["serve", &path, "--api-key", "short"], 2, "openssl rand"),
        (vec!["serve", &path, "--store", "redis:x"], 2, "fjall:DIR"),
        (vec!["explain", "TL9999"], 2, "trunkline explain"),
        (vec!["dial", "http://127.0.0.1:1", "12345"], 3, "trunkline serve"),
        (vec!["dial", "http://127.0.0.1:1"], 2, "which number"),
        (vec!["dial", &path, "2000"], 2, "1000"),
        (
            vec!["contacts", "--server", "http://127.0.0.1:1"],
            3,
            "trunkline serve",
        ),
        (
            vec!["releases", "--server", "127.0.0.1:8080"],
            2,
            "http://127.0.0.1:8080",
        ),
        (vec!["plugin", "inspect", "/no/such.wasm"], 2, ".wasm"),
        (vec!["nonsense"], 2, "--help"),
    ] {
        let output = trunkline(&arguments).await;
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {}",
            err(&output)
        );
        assert!(
            err(&output).contains(mend),
            "{arguments:?} should say {mend}: {}",
            err(&output)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_component_is_inspected() {
    let folder = theatre();
    let component = folder.path().join("plugins/seats.wasm").display().to_string();
    let inspected = trunkline(&["plugin", "inspect", &component]).await;
    let text = out(&inspected);
    assert_eq!(inspected.status.code(), Some(0), "{}", err(&inspected));
    for part in [
        "sha256",
        &format!("{} bytes", seats().len()),
        "nothing",
        "seat(row: u32)",
        "too-small",
        "too-large",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let city = City::open().await;
    let component = city
        .folder
        .path()
        .join("plugins/crm_lookup.wasm")
        .display()
        .to_string();
    let inspected = trunkline(&["plugin", "inspect", "--output-format", "json", &component]).await;
    let json: serde_json::Value = serde_json::from_slice(&inspected.stdout).unwrap();
    assert_eq!(
        json["functions"][0]["export"],
        "civil:crm/citizens@1.0.0#find-citizen"
    );
    assert!(
        json["wants"]
            .as_array()
            .unwrap()
            .iter()
            .any(|want| want["grant"].as_str().unwrap().starts_with("http:")),
        "{json}"
    );

    folder.write("plugins/text.wasm", "this is no component");
    let text = folder.path().join("plugins/text.wasm").display().to_string();
    let refused = trunkline(&["plugin", "inspect", &text]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        out(&refused).contains("no WebAssembly component"),
        "{}",
        out(&refused)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_servers_contacts_and_releases_are_listed() {
    let folder = theatre();
    let server = Setup::new(folder.path(), folder.beside("server"))
        .api_key("a-key-for-the-operator")
        .start()
        .await;
    let mut caller = end_to_end::Caller::dial(&server, "1000").await;
    caller.is_asked().await;
    let url = server.url();
    let contacts = trunkline(&[
        "contacts",
        "--server",
        &url,
        "--api-key",
        "a-key-for-the-operator",
    ])
    .await;
    let text = out(&contacts);
    assert!(
        text.contains(&caller.contact) && text.contains("seats/which-row"),
        "{text}{}",
        err(&contacts)
    );
    let releases = trunkline(&[
        "releases",
        "--server",
        &url,
        "--api-key",
        "a-key-for-the-operator",
    ])
    .await;
    let text = out(&releases);
    assert!(
        text.contains("current") && text.contains("theatre") && text.contains(&caller.release[..12]),
        "{text}"
    );
    let refused = trunkline(&["contacts", "--server", &url]).await;
    assert_eq!(refused.status.code(), Some(4));
    assert!(err(&refused).contains("Authorization"), "{}", err(&refused));
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_are_explained_and_shells_completed() {
    let explained = trunkline(&["explain", "tl0301"]).await;
    assert!(out(&explained).starts_with("# TL0301"), "{}", out(&explained));
    let all = trunkline(&["explain"]).await;
    assert!(out(&all).contains("TL0001") && out(&all).contains("TL0902"));
    for shell in ["bash", "zsh", "fish"] {
        assert!(out(&trunkline(&["completions", shell]).await).contains("trunkline"));
    }
}
