//! Secrets of a real server, and a plugin that describes its functions itself, called by YAML alone.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use end_to_end::{Caller, Folder, Setup, eventually, programs};

/// A hotline whose flow asks a rule book and has a text signed.
fn hotline() -> Folder {
    let folder = Folder::empty();
    let plugins = programs::root().join("plugins");
    for package in ["rule-book", "courier"] {
        let built = programs::build_guest(&plugins, package, Path::new(env!("CARGO_TARGET_TMPDIR")));
        let file = built.file_name().unwrap().to_str().unwrap().to_owned();
        folder.write(&format!("plugins/{file}"), fs::read(&built).unwrap());
    }
    folder.write(
        "hotline.yaml",
        "\
hotline: signed
languages: [en]
time-zone: Europe/Berlin
numbers:
  \"1000\": { flow: main }
plugins:
  courier: { component: plugins/courier.wasm, department: post }
  rules:
    component: plugins/rule_book.wasm
    department: hotline-centre
    config:
      rules: |
        table which-office
          given district: text
          gives office: text
          if district = xihu then office = \"West Lake\"
",
    );
    folder.write(
        "grants.yaml",
        "\
courier:
  http: [\"GET https://post.example/*\"]
  secrets: { stamp: \"https://post.example\" }
",
    );
    folder.write(
        "flows/main.yaml",
        "\
flow: main
vars:
  office: rules.which-office-answer?
  signature: string?
start: decide
steps:
  decide:
    call: rules.which-office
    with: { district: xihu }
    save: office
    on: { no-rule: nowhere, fault: nowhere }
    next: sign
  sign:
    call: courier.sign
    with: { name: stamp, algorithm: hmac-sha256, text: hello }
    save: signature
    on: { refused: missing, fault: nowhere }
    next: tell
  tell: { say: told, next: done }
  missing: { say: missing, next: done }
  nowhere: { say: nowhere, next: done }
  done: { end: completed }
",
    );
    folder.write(
        "prompts/en.yaml",
        "told: \"{office.office} {signature}\"\nmissing: No stamp.\nnowhere: Nowhere.\n",
    );
    folder
}

fn keep(file: &Path, text: &str, mode: u32) {
    fs::write(file, text).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
}

/// HMAC with SHA-256 of `hello` under two keys, as openssl has them.
const WITH_THE_FIRST: &str = "b55bab938f5a894456ce1fd27b2f83f31d3524837f27033d9a0cf4521cd32bac";
const WITH_THE_SECOND: &str = "28af7cc52031c557f6a9f068efe93e29a2dbff0b1c8c29611550dc6ced737aa5";

async fn told(server: &end_to_end::Server, prompt: &str) -> String {
    let mut caller = Caller::dial(server, "1000").await;
    let words = caller.hears(prompt).await;
    assert_eq!(caller.ends().await, "completed");
    words
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_uses_a_secret_that_nobody_sees_and_that_changes_while_it_runs() {
    let folder = tokio::task::spawn_blocking(hotline).await.unwrap();
    let secrets = folder.beside("secrets.toml");
    let setup = Setup::new(folder.path(), folder.beside("server")).secrets(&secrets);

    // Where others may read it, nothing starts.
    keep(&secrets, "stamp = \"the first stamp\"\n", 0o644);
    let (status, log) = setup.start_in_vain().await;
    assert_eq!(status.code(), Some(2), "{log}");
    assert!(
        log.contains("chmod 600") && !log.contains("the first stamp"),
        "{log}"
    );

    keep(&secrets, "", 0o600);
    let server = setup.start().await;
    assert_eq!(told(&server, "missing").await, "No stamp.");
    let (_, release) = server.asked("/api/v1/releases/current").await;
    assert!(release.to_string().contains("TL0710"), "{release}");

    for (stamp, signature) in [
        ("the first stamp", WITH_THE_FIRST),
        ("the second stamp", WITH_THE_SECOND),
    ] {
        keep(&secrets, &format!("stamp = \"{stamp}\"\n"), 0o600);
        let before = server.log().matches("secrets were read again").count();
        server.hang_up();
        eventually("secrets that were read", async || {
            server.log().matches("secrets were read again").count() > before
        })
        .await;
        assert_eq!(told(&server, "told").await, format!("West Lake {signature}"));
    }
    // A mistake leaves them as they were.
    keep(&secrets, "stamp = the third stamp\n", 0o600);
    server.hang_up();
    eventually("a mistake that was told", async || {
        server.log().contains("secrets stay as they were")
    })
    .await;
    assert_eq!(
        told(&server, "told").await,
        format!("West Lake {WITH_THE_SECOND}")
    );
    let (_, plugins) = server.asked("/api/v1/plugins").await;
    assert!(plugins.to_string().contains("https://post.example"), "{plugins}");
    for said in [server.log(), plugins.to_string()] {
        assert!(
            !said.contains("first stamp") && !said.contains("second stamp"),
            "{said}"
        );
        assert!(!said.contains("third stamp"), "{said}");
    }
}
