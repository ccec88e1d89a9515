//! Plugins written in Python: a department's classifier in a hotline, and the SDK against a real
//! host, down to the wire.

use std::net::SocketAddr;

use end_to_end::{Caller, Folder, Server, Setup, programs};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::commands::{err, out, trunkline};

/// The address that the probe's grants.yaml names.
const SERVICE_WRITTEN: &str = "127.0.0.1:7000";

/// A copy of a hotline beside these tests, with its component, on a server.
async fn served(
    hotline: &'static str,
    component: &'static str,
    service: Option<SocketAddr>,
) -> (Folder, Server) {
    let components = tokio::task::spawn_blocking(programs::components)
        .await
        .expect("the components build");
    let source = programs::root().join("tests/end-to-end/hotlines").join(hotline);
    let folder = Folder::copy_of(&source, |text| match service {
        Some(address) => text.replace(SERVICE_WRITTEN, &address.to_string()),
        None => text,
    });
    let bytes = std::fs::read(components.join(component)).expect("the component was built");
    folder.write(&format!("plugins/{component}"), bytes);
    // Compiling a component of Python takes longer than a server may take to be ready, the first
    // time: it is done before, into the cache that servers share.
    let checked = trunkline(&["check", &folder.path().display().to_string()]).await;
    assert!(checked.status.success(), "{}{}", out(&checked), err(&checked));
    let server = Setup::new(folder.path(), folder.beside("server")).start().await;
    (folder, server)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_classifier_in_python_dispatches_what_callers_say() {
    let (folder, server) = served("matter", "matter.wasm", None).await;
    for (number, words, title) in [
        ("12300", "楼下工地半夜还在打桩，吵得睡不着", "噪声扰民"),
        ("12300", "马路上的井盖不见了，路灯也不亮", "道路与市政设施"),
        (
            "12301",
            "My boss has not paid my wages for three months",
            "Labour",
        ),
        (
            "12301",
            "The shop refuses a refund for a broken phone",
            "Consumer affairs",
        ),
    ] {
        let mut caller = Caller::dial(&server, number).await;
        caller.hears("what-happened").await;
        caller.says(words).await;
        let noted = caller.hears("noted").await;
        assert!(noted.contains(title), "{words}: {noted}");
        assert_eq!(caller.ends().await, "completed");
    }
    // A word that it does not know, and nothing but digits: a human, who is not there.
    let mut caller = Caller::dial(&server, "12300").await;
    caller.says("龘龘").await;
    caller.hears("not-clear").await;
    caller.hears("sorry").await;
    assert_eq!(caller.ends().await, "unserved");
    let mut caller = Caller::dial(&server, "12300").await;
    caller.says("13800138000").await;
    caller.hears("sorry").await;
    assert_eq!(caller.ends().await, "unserved");

    let (_, plugins) = server.asked("/api/v1/plugins").await;
    let function = &plugins["plugins"][0]["functions"][0];
    assert_eq!(function["name"], "matters.classify");
    let docs = function["docs"].as_str().unwrap();
    assert!(docs.contains("Classifies what a caller says"), "{docs}");

    // Its scenarios, with the component.
    let path = folder.path().display().to_string();
    let played = trunkline(&["test", &path, "--real"]).await;
    assert!(played.status.success(), "{}{}", out(&played), err(&played));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_for_python_asks_a_real_host() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let service = listener.local_addr().unwrap();
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let serving = tokio::spawn(serve(listener));
    let (_folder, server) = served("python-probe", "python_probe.wasm", Some(service)).await;

    let mut caller = Caller::dial(&server, "1000").await;
    let context = caller.hears("context").await;
    assert!(context.ends_with(" 1 en True"), "{context}");
    assert_eq!(caller.hears("clock-and-chance").await, "yes");
    assert_eq!(caller.hears("setting").await, "77");
    let malformed = caller.hears("malformed").await;
    assert!(
        malformed.contains("\"bad\"") && malformed.contains("hotline.yaml"),
        "{malformed}"
    );
    caller.hears("conflict").await;
    assert_eq!(caller.hears("kept").await, "一");

    let at = format!("http://{service}");
    for (method, url, body, ms, bytes_max, prompt, part) in [
        (
            "GET",
            format!("{at}/a?b=1"),
            "-",
            "5000",
            "1000",
            "reply",
            "200 answered GET /a?b=1 asked 1",
        ),
        (
            "POST",
            format!("{at}/p"),
            "一二三",
            "5000",
            "1000",
            "reply",
            "200 answered POST /p asked 9",
        ),
        ("GET", format!("{at}/moved"), "-", "5000", "1000", "reply", "302 "),
        (
            "GET",
            format!("{at}/big"),
            "-",
            "5000",
            "1000",
            "too-large",
            "1000",
        ),
        ("GET", format!("{at}/slow"), "-", "300", "1000", "timed-out", ""),
        ("GET", format!("{at}/half"), "-", "5000", "1000", "broken", ""),
        (
            "GET",
            format!("{at}/a"),
            "host",
            "5000",
            "1000",
            "bad-header",
            "host",
        ),
        (
            "GET",
            format!("http://{}/", nobody.local_addr().unwrap()),
            "-",
            "5000",
            "1000",
            "denied",
            "",
        ),
        (
            "GET",
            "nowhere".to_owned(),
            "-",
            "5000",
            "1000",
            "bad-address",
            "",
        ),
    ] {
        for answer in [method, &url, body, ms, bytes_max] {
            caller.says(answer).await;
        }
        let told = caller.hears(prompt).await;
        assert!(told.contains(part), "{method} {url}: {told}");
    }
    // A service that is gone.
    serving.abort();
    let _ = serving.await;
    for answer in ["GET", &format!("{at}/a"), "-", "5000", "1000"] {
        caller.says(answer).await;
    }
    caller.hears("unreachable").await;
    caller.hangs_up().await;
    assert_eq!(caller.ends().await, "abandoned");
}

/// A service that does what its paths say.
async fn serve(listener: TcpListener) {
    let mut open = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        open.spawn(answer(stream));
    }
}

/// Answers one request, and closes.
async fn answer(mut stream: TcpStream) {
    let mut request = Vec::new();
    let (head, length) = loop {
        let mut chunk = [0; 4_096];
        match stream.read(&mut chunk).await {
            Ok(count) if count > 0 => request.extend_from_slice(&chunk[..count]),
            _ => return,
        }
        let text = String::from_utf8_lossy(&request);
        let Some((head, _)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length: usize = header(head, "content-length").parse().unwrap_or_default();
        if request.len() >= head.len() + 4 + length {
            break (head.to_owned(), length);
        }
    };
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let probe = header(&head, "x-probe");
    let body = match path {
        "/big" => "x".repeat(300_000),
        _ => format!("{method} {path} {probe} {length}"),
    };
    let status = if path == "/moved" {
        "302 Found\r\nlocation: /a"
    } else {
        "200 OK"
    };
    let said_length = if path == "/half" {
        body.len() * 2
    } else {
        body.len()
    };
    if path == "/slow" {
        // Until the other side has had enough.
        let _ = stream.read(&mut [0]).await;
        return;
    }
    let reply = format!(
        "HTTP/1.1 {status}\r\nx-probe: answered\r\ncontent-length: {said_length}\r\nconnection: close\r\n\r\n{body}"
    );
    let _ = stream.write_all(reply.as_bytes()).await;
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(other, _)| other.eq_ignore_ascii_case(name))
        .map_or("", |(_, value)| value)
}
