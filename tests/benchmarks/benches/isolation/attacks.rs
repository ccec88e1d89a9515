//! What department B does.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{Router, routing::post};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use trunkline_model::{FunctionName, Value};
use trunkline_plugin::{Call, Deployment, Grants, Host, Plugin};

/// Something that department B does over and over.
#[derive(Clone)]
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// The adversary's function; none loads components instead.
    function: Option<&'static str>,
    arguments: Vec<Value>,
    /// Milliseconds that each call may take.
    time_ms: u64,
    pub(crate) grants: String,
    pub(crate) at_once: Option<usize>,
}

/// Servers that B's guests talk to.
pub(crate) struct Servers {
    dripping: SocketAddr,
    patient: SocketAddr,
}

/// A call as the node makes it.
pub(crate) fn call(function: &FunctionName, arguments: Vec<Value>, time_ms: u64) -> Call {
    Call {
        function: function.clone(),
        arguments,
        id: "01jd00000000000000000000-1".into(),
        attempt: 1,
        locale: "zh-CN".to_owned(),
        time: trunkline_model::Duration::from_millis(time_ms),
    }
}

pub(crate) fn attacks(servers: &Servers) -> Vec<Attack> {
    const FOREVER: i128 = u32::MAX as i128;
    let grants = |limits: &str| {
        format!(
            r#"{{ "http": ["* http://{}/*", "* http://{}/*"], "kv": true, "limits": {{ {limits} }} }}"#,
            servers.dripping, servers.patient
        )
    };
    let int = Value::Int;
    let attack = |name, function, arguments, time_ms| Attack {
        name,
        function: Some(function),
        arguments,
        time_ms,
        grants: grants(""),
        at_once: None,
    };
    let http = |address: SocketAddr| Value::text(format!("http://{address}/"));
    vec![
        attack("nothing", "doze", vec![int(1_000)], 100),
        attack("spins", "spin", vec![], 1_000),
        attack(
            "short work, as fast as it can",
            "add",
            vec![int(1), int(2)],
            1_000,
        ),
        attack("5 ms of work", "work", vec![int(5)], 1_000),
        attack("traps at once", "trap", vec![], 1_000),
        attack("takes all its memory", "allocate", vec![], 1_000),
        attack("recurses", "recurse", vec![int(0)], 1_000),
        attack("recurses with wide frames", "recurse-wide", vec![int(0)], 1_000),
        attack(
            "answers 900 KiB of text",
            "huge-text",
            vec![int(900 << 10)],
            1_000,
        ),
        attack("answers more than it may", "huge-list", vec![int(8 << 20)], 1_000),
        attack("floods the log", "flood-log", vec![int(FOREVER)], 500),
        attack("floods key-values, writing", "kv", vec![int(FOREVER)], 500),
        attack("floods key-values, reading", "kv-reads", vec![int(FOREVER)], 500),
        Attack {
            grants: grants(r#""kv-operations-per-s": 1000000"#),
            ..attack("the same, not put off", "kv-reads", vec![int(FOREVER)], 500)
        },
        attack("floods the clocks", "clocks", vec![int(FOREVER)], 500),
        attack(
            "floods random, 64 KiB each",
            "random",
            vec![int(65_536), int(FOREVER)],
            500,
        ),
        attack(
            "fills 16 MiB, over and over",
            "fill",
            vec![int(16 << 20), int(FOREVER)],
            500,
        ),
        attack("holds handles", "subscriptions", vec![int(100_000)], 500),
        attack("holds sandboxes", "doze", vec![int(400)], 500),
        attack(
            "asks for what is denied",
            "requests",
            vec![Value::text("http://denied.example/"), int(FOREVER)],
            500,
        ),
        attack("is dripped upon", "get", vec![http(servers.dripping)], 500),
        attack(
            "drips",
            "trickle",
            vec![http(servers.patient), int(FOREVER), int(1)],
            500,
        ),
        Attack {
            function: None,
            at_once: Some(1),
            ..attack("loads new components", "add", vec![], 500)
        },
    ]
}

/// Does it until told to stop, and counts how often.
pub(crate) async fn keep_attacking(
    host: Arc<Host>,
    plugin: Plugin,
    attack: Attack,
    number: usize,
    stop: Arc<AtomicBool>,
    calls: Arc<AtomicU64>,
) {
    let Some(name) = attack.function else {
        return keep_loading(host, number, stop, calls).await;
    };
    let signature = plugin
        .interface()
        .find(name)
        .next()
        .expect("the adversary has it");
    let function = signature.function.clone();
    while !stop.load(Ordering::Relaxed) {
        plugin
            .call(call(&function, attack.arguments.clone(), attack.time_ms))
            .await;
        calls.fetch_add(1, Ordering::Relaxed);
        // The node's calls are tasks of their own, each of which makes one and ends.
        tokio::task::yield_now().await;
    }
}

/// Loads components that were never seen, each of some hundred functions.
async fn keep_loading(host: Arc<Host>, number: usize, stop: Arc<AtomicBool>, calls: Arc<AtomicU64>) {
    let text = |seed: u64| {
        let body = "(func (param i32) (result i32) (i32.mul (local.get 0) (i32.const 7)))".repeat(300);
        format!(
            "(component (core module $m (func (export \"f\") (result i64) (i64.const {seed})) {body})
               (core instance $i (instantiate $m))
               (func (export \"f\") (result u64) (canon lift (core func $i \"f\"))))"
        )
    };
    let mut seed = u64::try_from(number).unwrap_or_default() << 32 | calls.load(Ordering::Relaxed);
    while !stop.load(Ordering::Relaxed) {
        seed += 1;
        let component = wat::parse_str(text(seed)).expect("well-formed text");
        let deployment = Deployment {
            name: "new".into(),
            department: "other".to_owned(),
            config: [].into(),
            grants: Grants::default(),
        };
        host.load(component.into(), deployment)
            .await
            .expect("it is valid");
        calls.fetch_add(1, Ordering::Relaxed);
    }
}

/// Starts them.
pub(crate) async fn servers() -> std::io::Result<Servers> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let dripping = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(drip(stream));
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let patient = listener.local_addr()?;
    let router = Router::new().route(
        "/",
        post(|body: axum::body::Bytes| async move { body.len().to_string() }),
    );
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(Servers { dripping, patient })
}

/// Answers a byte at a time.
async fn drip(mut stream: tokio::net::TcpStream) {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n";
    if stream.read(&mut [0; 4_096]).await.is_err() {
        return;
    }
    for byte in head.iter().chain(std::iter::repeat(&b'x')) {
        if stream.write_all(&[*byte]).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
