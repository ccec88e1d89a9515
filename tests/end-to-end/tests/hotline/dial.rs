//! `trunkline dial` with a script piped in: in process, over HTTP, and over a restart.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
};

use end_to_end::{City, PATIENCE, eventually, programs};

use crate::{
    CLIENT_KEY, setup,
    stranger::{stricter_seats, theatre, wider_seats},
};

/// A `trunkline dial` under way, with what it has printed.
struct Dialled {
    child: Child,
    lines: mpsc::Receiver<String>,
    printed: Vec<String>,
}

impl Dialled {
    fn begin(arguments: &[&str]) -> Self {
        let mut child = Command::new(programs::trunkline())
            .arg("dial")
            .args(arguments)
            .env("TRUNKLINE_CLIENT_KEY", CLIENT_KEY)
            .env_remove("RUST_LOG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let (send, lines) = mpsc::channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            lines,
            printed: Vec::new(),
        }
    }

    fn types(&mut self, text: &str) {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(text.as_bytes()).unwrap();
        stdin.flush().unwrap();
    }

    /// Reads until a line holds something.
    fn prints(&mut self, part: &str) {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    self.printed.push(line);
                    if self.printed.last().is_some_and(|line| line.contains(part)) {
                        return;
                    }
                }
                Err(_) => panic!("{part:?} was not printed:\n{}", self.printed.join("\n")),
            }
        }
    }

    /// Ends what is typed, and waits for the program's end: all it printed, and its code.
    fn ends(&mut self) -> (String, Option<i32>) {
        drop(self.child.stdin.take());
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.printed.push(line);
        }
        let status = self.child.wait().unwrap();
        (self.printed.join("\n"), status.code())
    }
}

impl Drop for Dialled {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_talks_to_a_hotline_in_process() {
    let city = City::open().await;
    let folder = city.folder.path().display().to_string();
    tokio::task::spawn_blocking(move || {
        let mut dialled = Dialled::begin(&[&folder, "12345", "--from", "+8613800138000"]);
        dialled.types("# in Chinese, to the matter\n1\n3\n你们太过分了，我非常愤怒！\n");
        let (text, code) = dialled.ends();
        assert_eq!(code, Some(0), "{text}");
        for part in [
            "zh-CN  您好，欢迎",
            "> 1",
            "王芳，您好。",
            "> 3",
            "> 你们太过分了",
            "三十分钟内给您回电",
            "-- ended: completed",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        assert!(
            !text.contains("in Chinese, to the matter") && !text.contains('\x1b'),
            "{text}"
        );
    })
    .await
    .unwrap();
    assert_eq!(city.crm.requests(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_is_saved_takes_the_next_call_of_a_rehearsal_that_runs() {
    let folder = theatre();
    let path = folder.path().display().to_string();
    tokio::task::spawn_blocking(move || {
        let mut dialled = Dialled::begin(&[&path]);
        dialled.prints("Which row?");
        folder.write("plugins/seats.wasm", wider_seats());
        dialled.prints("from now on");
        // A contact's flows were checked against what it began with.
        folder.write("plugins/seats.wasm", stricter_seats());
        dialled.prints("dial again for the new");
        folder.write("plugins/seats.wasm", "no component");
        dialled.prints("does not load, and changes nothing here");
        dialled.types("3\n");
        dialled.prints("Your seat is 24.");
        let (text, code) = dialled.ends();
        assert_eq!(code, Some(0), "{text}");
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_script_hangs_up_and_the_clock_of_a_rehearsal_moves() {
    let folder = theatre();
    let path = folder.path().display().to_string();
    tokio::task::spawn_blocking(move || {
        // The only number needs no naming.
        let mut dialled = Dialled::begin(&[&path]);
        dialled.types("@help\n@nonsense\n");
        let (text, code) = dialled.ends();
        assert_eq!(code, Some(0), "{text}");
        for part in [
            "Which row?",
            "@keys 12#",
            "there is no @nonsense",
            "-- ended: abandoned",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        let mut dialled = Dialled::begin(&[&path, "1000"]);
        // Nobody answers for hours: three hearings, and sorry.
        dialled.types("@advance 1h\n@wait 1s\n@advance 1h\n@wait 1s\n@advance 1h\n@wait 1s\n@advance 1h\n");
        let (text, code) = dialled.ends();
        assert_eq!(code, Some(0), "{text}");
        assert!(
            text.contains("We are sorry.") && text.contains("-- ended: unserved"),
            "{text}"
        );
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_that_is_kept_passes_as_a_scenario() {
    let folder = theatre();
    let path = folder.path().display().to_string();
    tokio::task::spawn_blocking(move || {
        let mut dialled = Dialled::begin(&[&path]);
        // Nobody answers; the node stops in the middle of it.
        dialled.types(
            "@where\n@vars\n@advance 10m\n@restart\n@advance 40m\n@save tests/silence.yaml nobody answers\n",
        );
        let (text, code) = dialled.ends();
        assert_eq!(code, Some(0), "{text}");
        for part in [
            "-- in `",
            "the node stopped",
            "-- ended: unserved",
            "tests/silence.yaml",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        let tested = |arguments: &[&str]| {
            let out = Command::new(programs::trunkline())
                .args(["test", &path])
                .args(arguments)
                .env_remove("RUST_LOG")
                .output()
                .unwrap();
            (
                String::from_utf8_lossy(&out.stdout).into_owned(),
                out.status.code(),
            )
        };
        let (text, code) = tested(&[]);
        assert_eq!(code, Some(0), "{text}");
        assert!(
            text.contains("nobody answers") && text.contains("1 passed"),
            "{text}"
        );
        // What is expected otherwise is told, with the line.
        let file = std::path::Path::new(&path).join("tests/silence.yaml");
        let kept = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, kept.replace("ended: unserved", "ended: failed")).unwrap();
        let (text, code) = tested(&[]);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("the contact ended unserved, not failed"), "{text}");
        let (xml, code) = tested(&["--output-format", "junit"]);
        assert_eq!(code, Some(1), "{xml}");
        assert!(
            xml.contains("failures=\"1\"") && xml.contains("<failure message="),
            "{xml}"
        );
        let (text, code) = tested(&["no-such-scenario"]);
        assert_eq!(code, Some(2), "{text}");
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_to_a_server_survives_its_restart() {
    let city = City::open().await;
    let server = setup(&city).start().await;
    let url = server.url();
    let address = server.address();
    let (ready, waits) = tokio::sync::oneshot::channel();
    let (back, is_back) = mpsc::channel();
    let dialling = tokio::task::spawn_blocking(move || {
        let mut dialled = Dialled::begin(&[&url, "12345", "--from", "+8613800138000", "--language", "en"]);
        dialled.prints("Hello, 王芳.");
        dialled.prints("[menu: keys");
        ready.send(()).unwrap();
        dialled.prints("the server does not answer");
        dialled.types("4\n");
        is_back.recv_timeout(PATIENCE).unwrap();
        dialled.prints("Our desk is open");
        dialled.types("2\n");
        dialled.ends()
    });
    waits.await.unwrap();
    let setup = server.kill().at(address);
    // The program has noticed by the time that it prints; give it that time.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let server = setup.start().await;
    back.send(()).unwrap();
    let (text, code) = dialling.await.unwrap();
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("the server is back") && text.contains("-- ended: completed"),
        "{text}"
    );
    // What was sent again counted once.
    let mut contacts = serde_json::Value::Null;
    eventually("the contact is listed", async || {
        contacts = server.asked("/api/v1/contacts?state=all").await.1;
        contacts["contacts"]
            .as_array()
            .is_some_and(|list| list.len() == 1)
    })
    .await;
    let contact = contacts["contacts"][0]["contact"].as_str().unwrap();
    let (_, events) = server
        .asked(&format!("/api/v1/contacts/{contact}/events?limit=1000"))
        .await;
    let heard = events["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| !event["fact"]["heard"].is_null());
    assert_eq!(heard.count(), 2, "{events}");
}
