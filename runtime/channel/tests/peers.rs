//! Documents held against the carriers' own libraries: TwiML is built again by the official helper
//! library in Python, verbs of jambonz are validated by the schema that it publishes. Both are
//! installed into the target directory, by pip and npm.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use trunkline_channel::cpaas::{Dialect, Gather, Said, Script, Target, Then, render};
use trunkline_flow::speech::Speech;
use trunkline_model::Duration;

/// The versions that documents are held against.
const HELPER: &str = "twilio==9.13.0";
const SCHEMA: &str = "@jambonz/schema@0.4.15";

fn scripts() -> Vec<Script> {
    let url =
        || "https://hotline.example.org/carriers/main/calls/01/gather?after=7&again=0&proof=00".to_owned();
    let said = |language: &str, recording: Option<&str>, firm| Said {
        text: "<您好> & \"welcome\"".into(),
        speech: vec![
            Speech::Text("您好 & ".into()),
            Speech::Pause(Duration::from_millis(500)),
            Speech::Digits("+8612".into()),
            Speech::Number("1.5".into()),
            Speech::Ordinal("3".into()),
            Speech::Date(jiff_date()),
            Speech::Time { hour: 20, minute: 5 },
            Speech::Money {
                amount: "12.50".into(),
                currency: "CNY".into(),
            },
        ],
        language: language.into(),
        recording: recording.map(str::to_owned),
        firm,
    };
    let all = || {
        vec![
            said("zh-CN", None, true),
            said(
                "zh-CN",
                Some("https://hotline.example.org/carriers/main/recordings/00/11.wav"),
                false,
            ),
            said("en", None, false),
            said("zh-CN", None, false),
        ]
    };
    let gather = |keys_max, finish, words| {
        Then::Gather(Gather {
            action: url(),
            keys_max,
            finish,
            first: Duration::from_secs(8),
            next: Duration::from_secs(3),
            words,
            language: "zh-CN".into(),
        })
    };
    let dial = |target| Then::Dial {
        target,
        ring: Duration::from_secs(30),
        action: url(),
        answered: url(),
    };
    let thens = [
        gather(1, None, true),
        gather(18, Some('#'), false),
        gather(0, None, true),
        Then::Record {
            action: url(),
            silent: url(),
            max: Duration::from_secs(60),
            finish: Some('#'),
        },
        dial(Target::Number("+8657112345".to_owned())),
        dial(Target::Sip("sip:zhang-wei@hotline.example.org".to_owned())),
        Then::Poll {
            pause: Duration::from_secs(1),
            again: url(),
        },
        Then::HangUp,
        Then::Reject,
    ];
    let mut scripts = Vec::new();
    for then in thens {
        for said in [Vec::new(), all()] {
            scripts.push(Script {
                said,
                then: then.clone(),
            });
        }
    }
    scripts
}

fn jiff_date() -> jiff::civil::Date {
    jiff::civil::date(2026, 11, 21)
}

/// A folder of the target directory.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn run(command: &mut Command) {
    let done = command.stdout(Stdio::null()).status();
    let done = done.unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"));
    assert!(done.success(), "{command:?} failed");
}

/// How many documents a peer takes; it fails at one that it does not.
fn takes(peer: &mut Command, dialect: Dialect) -> usize {
    let mut peer = peer
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("the peer cannot be run: {error}"));
    let mut input = peer.stdin.take().unwrap();
    for script in scripts() {
        writeln!(input, "{}", render(dialect, &script)).unwrap();
    }
    drop(input);
    let done = peer.wait_with_output().unwrap();
    assert!(done.status.success(), "a document was not taken");
    String::from_utf8(done.stdout).unwrap().trim().parse().unwrap()
}

#[test]
fn the_official_helper_library_builds_every_document() {
    let environment = folder("twiml");
    let python = environment.join("bin/python");
    if !environment.join("installed").exists() {
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&environment));
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", HELPER]));
        std::fs::write(environment.join("installed"), HELPER).unwrap();
    }
    let peer = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/twiml.py");
    assert_eq!(
        takes(Command::new(&python).arg(peer), Dialect::Twiml),
        scripts().len()
    );
}

#[test]
fn the_schema_of_jambonz_takes_every_document() {
    let modules = folder("jambonz");
    if !modules.join("node_modules").exists() {
        let npm = ["install", "--silent", "--no-audit", "--no-fund", "--prefix"];
        run(Command::new("npm").args(npm).arg(&modules).arg(SCHEMA));
    }
    let peer = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/jambonz.cjs");
    let mut node = Command::new("node");
    node.arg(peer).env("NODE_PATH", modules.join("node_modules"));
    assert_eq!(takes(&mut node, Dialect::Jambonz), scripts().len());
}
