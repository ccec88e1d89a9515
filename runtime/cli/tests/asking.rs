//! `trunkline plugin new` at a terminal: what is not given on the command line is asked for.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fs::File,
    io::{Read as _, Write as _},
    path::Path,
    process::Command,
};

use nix::pty::openpty;

/// Makes a plugin at a terminal, whose prompts are answered one after the other. What it showed.
fn answered(folder: &Path, answers: &[(&str, &str)]) -> (String, Option<i32>) {
    let terminal = openpty(None, None).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_trunkline"))
        .args(["plugin", "new", "meters"])
        .current_dir(folder)
        // A terminal that only types: prompts come as plain lines.
        .env("TERM", "dumb")
        .env("LC_ALL", "C")
        .stdin(terminal.slave.try_clone().unwrap())
        .stdout(terminal.slave.try_clone().unwrap())
        .stderr(terminal.slave)
        .spawn()
        .unwrap();
    let mut terminal = File::from(terminal.master);
    let mut shown = Vec::new();
    let mut left = answers.iter();
    let mut next = left.next();
    let mut chunk = [0; 1_024];
    // Reading fails once nobody holds the other side any more.
    while let Ok(count) = terminal.read(&mut chunk) {
        if count == 0 {
            break;
        }
        shown.extend_from_slice(&chunk[..count]);
        if let Some((prompt, answer)) = next
            && String::from_utf8_lossy(&shown).contains(prompt)
        {
            writeln!(terminal, "{answer}").unwrap();
            next = left.next();
        }
    }
    let code = child.wait().unwrap().code();
    (String::from_utf8_lossy(&shown).into_owned(), code)
}

#[test]
fn language_department_and_wants_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (shown, code) = answered(
        folder.path(),
        &[
            ("language (", "python"),
            ("department (", "water-works"),
            ("what it wants", "kv, secrets"),
        ],
    );
    assert_eq!(code, Some(0), "{shown}");
    let project = std::fs::read_to_string(folder.path().join("meters/plugin.toml")).unwrap();
    for line in [
        "department = \"water-works\"",
        "language = \"python\"",
        "kv = true",
        "http = [",
        "secrets = {",
    ] {
        assert!(project.contains(line), "{line} in\n{project}\n{shown}");
    }
}

#[test]
fn an_empty_answer_wants_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (shown, code) = answered(
        folder.path(),
        &[
            ("language (", ""),
            ("department (", "water-works"),
            ("what it wants", ""),
        ],
    );
    assert_eq!(code, Some(0), "{shown}");
    let project = std::fs::read_to_string(folder.path().join("meters/plugin.toml")).unwrap();
    assert!(
        project.contains("language = \"rust\"")
            && !project.contains("kv = true")
            && !project.contains("http ="),
        "{project}"
    );
}
