use std::{
    convert::Infallible,
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::{Bytes, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::*;
use crate::limits::{FAILURES_MAX, REST};

/// What a program is given that ends by itself, in milliseconds: no machine stalls for so long.
const PATIENCE_MS: u64 = 20_000;

fn words(text: &str) -> Words {
    Words {
        language: "zh-CN".into(),
        voice: Some("xiao yu; rm -rf $HOME".into()),
        speed: 1.5,
        text: text.into(),
    }
}

fn script(folder: &Path, body: &str) -> String {
    let path = folder.join("say");
    // Written by a shell, not by us: a file that this process has open for writing while another
    // test forks cannot be run.
    let status = std::process::Command::new("sh")
        .args(["-c", "printf '%s' \"$1\" > \"$2\" && chmod 755 \"$2\"", "sh"])
        .arg(format!("#!/bin/sh\n{body}\n"))
        .arg(&path)
        .status();
    assert!(status.is_ok_and(|status| status.success()));
    fs::write(folder.join("sound.wav"), wav::sample(200)).expect("the folder is ours");
    path.display().to_string()
}

fn program(folder: &Path, body: &str, time_ms: u64) -> Engine {
    let settings = EngineSettings {
        command: Some(vec![
            script(folder, body),
            folder.display().to_string(),
            "--voice={voice}".to_owned(),
            "{language} {speed} {text}".to_owned(),
        ]),
        time: Some(trunkline_model::Duration::from_millis(time_ms)),
        ..EngineSettings::default()
    };
    Engine::of("house", &settings, &Secrets::new(|_| None)).expect("the settings are good")
}

#[tokio::test]
async fn a_program_is_given_the_text_and_its_arguments_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let engine = program(
        folder.path(),
        r#"cat > "$1/text"; printf '%s|' "$@" > "$1/arguments"; env > "$1/environment"; cat "$1/sound.wav""#,
        PATIENCE_MS,
    );
    engine.available().unwrap();
    let (sound, _) = engine.say(&words("您好 {voice} $(id)")).await.unwrap();
    assert_eq!(sound.length(), Duration::from_millis(200));
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(read("text"), "您好 {voice} $(id)");
    let expected = format!(
        "{}|--voice=xiao yu; rm -rf $HOME|zh-CN 1.5 {{text}}|",
        folder.path().display()
    );
    assert_eq!(read("arguments"), expected);
    // Cargo's own variables are ours, and none of a program's business.
    assert!(std::env::var_os("CARGO_PKG_NAME").is_some() && !read("environment").contains("CARGO"));
}

#[tokio::test]
async fn programs_fail_in_every_way() {
    let name: Arc<str> = "house".into();
    let failed = |reason: &str| VoiceError::Failed {
        name: "house".into(),
        reason: reason.into(),
    };
    for (body, expected) in [
        (
            "cat > /dev/null; echo first >&2; echo 'no such voice' >&2; exit 3",
            failed("it ended with exit status: 3: no such voice"),
        ),
        ("exit 1", failed("it ended with exit status: 1")),
        ("kill -9 $$", failed("it ended with signal: 9 (SIGKILL)")),
        // What was said does not come back in an error.
        (
            "echo \"cannot say $(cat)\" >&2; exit 1",
            failed("it ended with exit status: 1: cannot say …"),
        ),
        (
            "cat > /dev/null",
            VoiceError::NotAudio {
                name: name.clone(),
                reason: "it wrote nothing".into(),
            },
        ),
        (
            "sleep 60 & sleep 60",
            VoiceError::TimedOut {
                name: name.clone(),
                ms: 1_000,
            },
        ),
        (
            "yes",
            VoiceError::TooLarge {
                name: name.clone(),
                bytes_max: SOUND_BYTES_MAX,
            },
        ),
        (
            "yes >&2",
            VoiceError::TimedOut {
                name: name.clone(),
                ms: 1_000,
            },
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let time_ms = match expected {
            VoiceError::TimedOut { ms, .. } => ms,
            _ => PATIENCE_MS,
        };
        let engine = program(folder.path(), body, time_ms);
        assert_eq!(engine.say(&words("您好")).await.unwrap_err(), expected, "{body}");
    }
    let folder = tempfile::tempdir().unwrap();
    let engine = program(folder.path(), "echo RIFF this is no sound", PATIENCE_MS);
    let error = engine.say(&words("您好")).await.unwrap_err();
    assert_eq!(error.kind(), "not-audio", "{error}");
}

#[tokio::test]
async fn a_program_that_closes_its_input_is_heard_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let engine = program(folder.path(), r#"exec 0<&-; cat "$1/sound.wav""#, PATIENCE_MS);
    assert!(engine.say(&words(&"啊".repeat(100_000))).await.is_ok());
}

#[tokio::test]
async fn what_a_program_started_is_killed_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let child = folder.path().join("child");
    // On a slow machine its time may be over before it has started anything: then it is given more.
    for time_ms in [500, 3_000, PATIENCE_MS] {
        let engine = program(folder.path(), r#"sleep 60 & echo $! > "$1/child"; wait"#, time_ms);
        let error = engine.say(&words("您好")).await.unwrap_err();
        assert_eq!(error.kind(), "timed-out");
        if fs::read_to_string(&child).is_ok_and(|id| !id.is_empty()) {
            break;
        }
    }
    assert!(dies(&child).await);
}

/// Whether the process whose id is in a file is dead soon.
async fn dies(id: &Path) -> bool {
    let child = fs::read_to_string(id).expect("it was written");
    let status = Path::new("/proc").join(child.trim()).join("stat");
    for _ in 0..1_000 {
        // Dead, or dead and not yet buried by whoever inherited it.
        match fs::read_to_string(&status) {
            Ok(stat) if !stat.contains(") Z ") => tokio::time::sleep(Duration::from_millis(20)).await,
            _ => return true,
        }
    }
    false
}

#[tokio::test]
async fn what_a_program_leaves_running_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let body = r#"sleep 60 < /dev/null > /dev/null 2>&1 & echo $! > "$1/child"; cat "$1/sound.wav""#;
    let engine = program(folder.path(), body, PATIENCE_MS);
    engine.say(&words("您好")).await.unwrap();
    assert!(dies(&folder.path().join("child")).await);
}

#[tokio::test]
async fn a_wrong_voice_rests_alone_and_an_engine_that_hangs_rests_for_all() {
    let folder = tempfile::tempdir().unwrap();
    let body = r#"[ "$2" = --voice=wrong ] && exit 1; [ -e "$1/hangs" ] && sleep 60; cat "$1/sound.wav""#;
    let mut engine = program(folder.path(), body, PATIENCE_MS);
    let with = |voice: &str| Words {
        voice: Some(voice.into()),
        ..words("您好")
    };
    for _ in 0..FAILURES_MAX {
        let error = engine.say(&with("wrong")).await.unwrap_err();
        assert_eq!(error.kind(), "failed");
    }
    assert_eq!(engine.say(&with("wrong")).await.unwrap_err().kind(), "resting");
    engine.say(&with("good")).await.unwrap();
    fs::write(folder.path().join("hangs"), "").unwrap();
    engine.time = Duration::from_millis(500);
    for _ in 0..FAILURES_MAX {
        assert_eq!(engine.say(&with("good")).await.unwrap_err().kind(), "timed-out");
    }
    assert_eq!(engine.say(&with("other")).await.unwrap_err().kind(), "resting");
}

#[tokio::test]
async fn a_program_that_is_not_there_says_what_to_do() {
    for (program, mend) in [
        (
            "no-such-engine",
            "there is no program no-such-engine on PATH: install it, or correct `command`",
        ),
        (
            "/no/such/engine",
            "there is no program /no/such/engine: install it there, or correct `command`",
        ),
    ] {
        let settings = EngineSettings {
            command: Some(vec![program.to_owned()]),
            ..EngineSettings::default()
        };
        let engine = Engine::of("house", &settings, &Secrets::new(|_| None)).unwrap();
        let missing = VoiceError::EngineMissing {
            name: "house".into(),
            mend: mend.into(),
        };
        assert_eq!(engine.available(), Err(missing.clone()));
        assert_eq!(engine.say(&words("您好")).await.unwrap_err(), missing);
    }
}

#[tokio::test]
async fn an_engine_that_fails_is_left_alone_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let body = r#"echo x >> "$1/asked"; [ -e "$1/mended" ] && exec cat "$1/sound.wav"; exit 1"#;
    let engine = program(folder.path(), body, PATIENCE_MS);
    for _ in 0..FAILURES_MAX {
        assert_eq!(engine.say(&words("您好")).await.unwrap_err().kind(), "failed");
    }
    for _ in 0..3 {
        assert_eq!(engine.say(&words("您好")).await.unwrap_err().kind(), "resting");
    }
    let asked = fs::read_to_string(folder.path().join("asked"))
        .unwrap()
        .lines()
        .count();
    assert_eq!(asked, FAILURES_MAX as usize);
    fs::write(folder.path().join("mended"), "").unwrap();
    tokio::time::pause();
    tokio::time::advance(REST).await;
    tokio::time::resume();
    for _ in 0..3 {
        engine.say(&words("您好")).await.unwrap();
    }
}

#[tokio::test]
async fn no_more_is_asked_for_at_once_than_was_declared() {
    let folder = tempfile::tempdir().unwrap();
    let body = r#"mkdir "$1/busy" || exit 7; sleep 0.05; rmdir "$1/busy"; cat "$1/sound.wav""#;
    let settings = EngineSettings {
        command: Some(vec![
            script(folder.path(), body),
            folder.path().display().to_string(),
        ]),
        at_once: Some(1),
        ..EngineSettings::default()
    };
    let engine = Engine::of("house", &settings, &Secrets::new(|_| None)).unwrap();
    let (one, other) = (words("a"), words("b"));
    let all = [&one, &other, &one, &other].map(|words| engine.say(words));
    for said in futures::future::join_all(all).await {
        said.unwrap();
    }
}

#[test]
fn settings_that_make_no_sense_are_refused_with_what_to_write() {
    for (text, why) in [
        ("", "it has neither a `command` nor a `url`"),
        ("command = [\"a\"]\nurl = \"http://a\"", "keep one"),
        ("command = []", "`command` is empty"),
        ("command = [\"\"]", "`command` is empty"),
        ("command = [\"a\"]\nsecret = \"x\"", "are for a `url`"),
        ("url = \"http://a/\"\nenvironment = [\"A\"]", "is for a `command`"),
        ("url = \"ftp://a/\"", "begins with http:// or https://"),
        ("url = \"/say\"", "begins with http:// or https://"),
        ("url = \"http://me:word@a/\"", "holds a password"),
        ("url = \"http://a/\"\nheader = \"x-key\"", "name the secret"),
        (
            "url = \"http://127.0.0.1.evil/\"\nsecret = \"s\"",
            "over https:// or wss:// only",
        ),
        (
            "url = \"https://a/\"\nsecret = \"s\"\nheader = \"x key\"",
            "is no header's name",
        ),
        ("command = [\"a\"]\ntime = \"0s\"", "`time` is from 1ms to 2m"),
        ("command = [\"a\"]\ntime = \"3m\"", "`time` is from 1ms to 2m"),
        ("command = [\"a\"]\nat-once = 0", "`at-once` is from 1 to 256"),
    ] {
        let settings: EngineSettings = toml::from_str(text).unwrap();
        let error = Engine::of("house", &settings, &Secrets::new(|_| None))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("engines.house: ") && error.contains(why),
            "{text}: {error}"
        );
    }
}

/// What a service of a test was asked.
#[derive(Debug, Default)]
struct Asked {
    requests: AtomicUsize,
    last: Mutex<Option<(http::HeaderMap, serde_json::Value)>>,
}

/// A service on loopback whose answer depends on the path.
async fn service(asked: Arc<Asked>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback is there");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let asked = asked.clone();
            let serving = service_fn(move |request| answer(asked.clone(), request));
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), serving),
            );
        }
    });
    address
}

async fn answer(asked: Arc<Asked>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    asked.requests.fetch_add(1, Ordering::Relaxed);
    let (head, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let json = serde_json::from_slice(&body).unwrap_or_default();
    *asked.last.lock().expect("nobody panics with it") = Some((head.headers, json));
    let (status, kind, body) = match head.uri.path() {
        "/busy" => (503, "text/plain", b"later".to_vec()),
        "/moved" => (307, "text/plain", Vec::new()),
        "/mp3" => (200, "audio/mpeg", vec![0; 100]),
        "/noise" => (200, "audio/wav", vec![0; 100]),
        "/empty" => (200, "audio/wav", Vec::new()),
        "/large" => (200, "audio/wav", vec![0; SOUND_BYTES_MAX + 1]),
        "/slow" => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            (200, "audio/wav", Vec::new())
        }
        _ => (200, "audio/x-wav; charset=binary", wav::sample(300)),
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    let headers = response.headers_mut();
    headers.insert("content-type", http::HeaderValue::from_static(kind));
    headers.insert("location", http::HeaderValue::from_static("/say"));
    Ok(response)
}

fn cloud(address: SocketAddr, path: &str, more: &str) -> Engine {
    let settings = toml::from_str(&format!(
        "url = \"http://{address}{path}\"\ntime = \"20s\"\n{more}"
    ));
    let secrets = Secrets::new(|name| (name == "tts-token").then(|| "s3cret".to_owned()));
    Engine::of("cloud", &settings.expect("they are read"), &secrets).expect("they are good")
}

#[tokio::test]
async fn a_service_is_posted_the_text_with_its_secret() {
    let asked = Arc::new(Asked::default());
    let address = service(asked.clone()).await;
    let engine = cloud(address, "/say", "secret = \"tts-token\"");
    engine.available().unwrap();
    let (sound, _) = engine.say(&words("您\"好")).await.unwrap();
    assert_eq!(sound.length(), Duration::from_millis(300));
    let (headers, body) = asked.last.lock().unwrap().take().unwrap();
    assert_eq!(headers["authorization"], "Bearer s3cret");
    let expected = serde_json::json!({
        "text": "您\"好", "language": "zh-CN", "voice": "xiao yu; rm -rf $HOME", "speed": 1.5,
    });
    assert_eq!(body, expected);

    let more = "secret = \"tts-token\"\nheader = \"X-Key\"\nbody = { input = \"<{text}>\", rate = \"{speed}\", list = [\"{language}\", 1, true] }";
    cloud(address, "/say", more)
        .say(&words("您\"好 {voice}"))
        .await
        .unwrap();
    let (headers, body) = asked.last.lock().unwrap().take().unwrap();
    assert_eq!(headers["x-key"], "s3cret");
    assert!(!headers.contains_key("authorization"));
    let expected =
        serde_json::json!({ "input": "<您\"好 {voice}>", "rate": 1.5, "list": ["zh-CN", 1, true] });
    assert_eq!(body, expected);
    assert!(!format!("{engine:?}").contains("s3cret"));
}

#[tokio::test]
async fn services_fail_in_every_way() {
    let asked = Arc::new(Asked::default());
    let address = service(asked.clone()).await;
    for (path, kind, says) in [
        ("/busy", "failed", "it answered 503"),
        ("/moved", "failed", "which is not followed"),
        ("/mp3", "not-audio", "it is audio/mpeg"),
        ("/noise", "not-audio", ""),
        ("/empty", "not-audio", "it is empty"),
        ("/large", "too-large", "more than"),
        ("/slow", "timed-out", "within 2000 ms"),
    ] {
        let before = asked.requests.load(Ordering::Relaxed);
        let mut engine = cloud(address, path, "");
        if kind == "timed-out" {
            engine.time = Duration::from_secs(2);
        }
        let error = engine.say(&words("您好")).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{path}: {error}");
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(
            asked.requests.load(Ordering::Relaxed),
            before + 1,
            "{path} is asked once"
        );
    }
    let nobody = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let error = cloud(nobody, "/say", "").say(&words("您好")).await.unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");
    let engine = cloud(address, "/say", "secret = \"other\"");
    let error = engine.say(&words("您好")).await.unwrap_err();
    assert_eq!(engine.available(), Err(error.clone()));
    assert!(
        error.to_string().contains("the server has no secret `other`"),
        "{error}"
    );
}

#[tokio::test]
async fn a_connection_that_breaks_off_or_talks_nonsense_is_a_failure() {
    use tokio::io::AsyncWriteExt;
    for answer in [
        &b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\ncontent-type: audio/wav\r\n\r\nRIFF"[..],
        b"\x00\x01\x02 nonsense\r\n\r\n",
        b"",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut buffer = [0; 4_096];
                let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut buffer).await;
                let _ = stream.write_all(answer).await;
            }
        });
        let error = cloud(address, "/say", "").say(&words("您好")).await.unwrap_err();
        assert_eq!(error.kind(), "failed", "{error}");
    }
}

#[tokio::test]
async fn espeak_speaks_each_language() {
    let engine = Engine::espeak("espeak-ng");
    if engine.available().is_err() {
        assert!(
            std::env::var_os("CI").is_none(),
            "espeak-ng is to be installed here"
        );
        return;
    }
    for (language, text) in [
        ("zh-CN", "您好，这里是供水热线。"),
        ("zh-yue", "你好，呢度係供水熱線。"),
        ("en", "This is the [[water]] hotline."),
        ("de", "Hier ist die Wasserversorgung."),
    ] {
        let say = |speed| {
            let words = Words {
                language: language.into(),
                voice: None,
                speed,
                text: text.into(),
            };
            let engine = &engine;
            async move { engine.say(&words).await.map(|(sound, _)| sound.length()) }
        };
        let (usual, fast) = (say(1.0).await.unwrap(), say(1.8).await.unwrap());
        assert!(
            usual > Duration::from_secs(1) && usual < Duration::from_secs(6),
            "{language}: {usual:?}"
        );
        assert!(fast < usual, "{language}: {fast:?}");
    }
    let words = Words {
        language: "xx-none".into(),
        voice: None,
        speed: 1.0,
        text: "hello".into(),
    };
    let error = engine.say(&words).await.unwrap_err();
    assert_eq!(error.kind(), "failed", "{error}");
}

#[test]
fn the_scripts_of_these_tests_may_be_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = script(folder.path(), "exit 0");
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o111, 0o111);
}
