//! A real provider on loopback, that does what its script says.

use std::{net::SocketAddr, sync::Mutex, time::Duration};

use futures::{FutureExt, SinkExt, StreamExt, future::BoxFuture};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
    },
};

use super::*;
use crate::limits::{FRAMES_WAITING_MAX, MESSAGE_BYTES_MAX, PARTIALS_PER_SECOND_MAX};

type Socket = WebSocketStream<TcpStream>;

/// What a provider was sent.
#[derive(Debug, Default, Clone)]
struct Sent {
    authorization: Option<String>,
    /// For each connection.
    starts: Vec<String>,
    samples: Vec<i16>,
    stopped: bool,
}

#[derive(Clone)]
struct Provided {
    address: SocketAddr,
    sent: Arc<Mutex<Sent>>,
}

/// A provider: for each connection, by its number, what is done after `start` came.
async fn provider<S>(script: S) -> Provided
where
    S: Fn(usize, Conversation) -> BoxFuture<'static, ()> + Send + Sync + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback is there");
    let provided = Provided {
        address: listener.local_addr().expect("it is bound"),
        sent: Arc::default(),
    };
    let sent = provided.sent.clone();
    tokio::spawn(async move {
        let mut number = 0;
        while let Ok((stream, _)) = listener.accept().await {
            let noted = sent.clone();
            // The handshake's own error is as large as the library makes it.
            #[expect(clippy::result_large_err, reason = "the library's signature")]
            let note = move |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
                let token = request.headers().get("authorization");
                noted.lock().expect("nobody panics with it").authorization =
                    token.and_then(|token| token.to_str().ok()).map(str::to_owned);
                Ok(response)
            };
            let Ok(mut socket) = accept_hdr_async(stream, note).await else {
                continue;
            };
            if let Some(Ok(Message::Text(start))) = socket.next().await {
                sent.lock()
                    .expect("nobody panics with it")
                    .starts
                    .push(start.to_string());
            }
            tokio::spawn(script(
                number,
                Conversation {
                    socket,
                    sent: sent.clone(),
                },
            ));
            number += 1;
        }
    });
    provided
}

struct Conversation {
    socket: Socket,
    sent: Arc<Mutex<Sent>>,
}

impl Conversation {
    /// Takes so many messages of sound; fewer when the sound stops.
    async fn hear(&mut self, frames: usize) {
        for _ in 0..frames {
            match self.socket.next().await {
                Some(Ok(Message::Binary(bytes))) => {
                    let samples = bytes
                        .chunks_exact(2)
                        .map(|bytes| i16::from_le_bytes([bytes[0], bytes[1]]));
                    self.sent
                        .lock()
                        .expect("nobody panics with it")
                        .samples
                        .extend(samples);
                }
                Some(Ok(Message::Text(text))) if text.as_str() == r#"{"type":"stop"}"# => {
                    self.sent.lock().expect("nobody panics with it").stopped = true;
                    return;
                }
                _ => return,
            }
        }
    }

    async fn tell(&mut self, text: impl Into<String>) {
        let _ = self.socket.send(Message::text(text.into())).await;
    }

    /// Waits for the other side to close.
    async fn wait(mut self) {
        while let Some(Ok(_)) = self.socket.next().await {}
    }
}

fn ears(address: SocketAddr, more: &str) -> Ears {
    let text = format!("[ears.house]\nurl = \"ws://{address}/listen\"\nsecret = \"ears-token\"\n{more}");
    let settings = toml::from_str(&text).expect("they are read");
    let secrets = Secrets::new(|name| (name == "ears-token").then(|| "s3cret".to_owned()));
    Ears::new(&settings, &secrets).expect("they are good")
}

/// Sound as a call has it, numbered, until `ends`.
fn sound(frames: Option<i16>) -> mpsc::Receiver<Arc<[i16]>> {
    let (sender, receiver) = mpsc::channel(50);
    tokio::spawn(async move {
        for number in 0..frames.unwrap_or(i16::MAX) {
            if sender.send(vec![number; 160].into()).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    receiver
}

async fn all(mut understood: mpsc::Receiver<Understood>) -> Vec<Understood> {
    let mut all = Vec::new();
    let reading = async {
        while let Some(part) = understood.recv().await {
            all.push(part);
        }
    };
    timeout(Duration::from_secs(20), reading)
        .await
        .expect("a listening ends");
    all
}

fn said(text: &str, confidence: Option<f32>) -> Understood {
    Understood::Final {
        text: text.to_owned(),
        confidence,
    }
}

/// What comes of a provider that hears three frames, tells something, and goes on listening.
async fn told(messages: &'static [&'static str]) -> Vec<Understood> {
    let provided = provider(move |_, mut conversation| {
        async move {
            conversation.hear(3).await;
            for message in messages {
                conversation.tell(*message).await;
            }
            conversation.wait().await;
        }
        .boxed()
    })
    .await;
    all(ears(provided.address, "answer = \"500ms\"").listen("house", "zh-CN", &[], sound(None))).await
}

fn broke(what: &'static str) -> Understood {
    Understood::Failed(EarsError::Protocol {
        name: "house".into(),
        what,
    })
}

#[tokio::test]
async fn a_caller_is_heard() {
    let provided = provider(|_, mut conversation| {
        async move {
            conversation.hear(10).await;
            conversation.tell(r#"{"type":"speech-started"}"#).await;
            conversation.tell(r#"{"type":"news"}"#).await;
            conversation
                .tell(r#"{"type":"partial","text":"我要","more":1}"#)
                .await;
            conversation.hear(10).await;
            conversation
                .tell(r#"{"type":"final","text":"我要缴费","confidence":0.93}"#)
                .await;
            conversation.wait().await;
        }
        .boxed()
    })
    .await;
    let hints = ["缴费".to_owned(), "长".repeat(100)];
    let heard = all(ears(provided.address, "").listen("house", "zh-CN", &hints, sound(None))).await;
    let expected = [
        Understood::Began,
        Understood::Partial("我要".to_owned()),
        said("我要缴费", Some(0.93)),
    ];
    assert_eq!(heard, expected);
    let sent = provided.sent.lock().unwrap().clone();
    assert_eq!(sent.authorization.as_deref(), Some("Bearer s3cret"));
    let cut = "长".repeat(64);
    let start = format!(
        r#"{{"type":"start","version":1,"language":"zh-CN","rate":8000,"encoding":"s16le","hints":["缴费","{cut}"]}}"#
    );
    assert_eq!(sent.starts, [start]);
    let expected: Vec<i16> = (0..20).flat_map(|number| [number; 160]).collect();
    assert_eq!(sent.samples, expected);
}

#[tokio::test]
async fn the_end_of_the_sound_is_told_and_an_answer_awaited() {
    let provided = provider(|_, mut conversation| {
        async move {
            conversation.hear(1_000).await;
            conversation.tell(r#"{"type":"final","text":"好"}"#).await;
        }
        .boxed()
    })
    .await;
    let heard = all(ears(provided.address, "").listen("house", "zh-CN", &[], sound(Some(5)))).await;
    assert_eq!(heard, [Understood::Began, said("好", None)]);
    let sent = provided.sent.lock().unwrap().clone();
    assert_eq!((sent.samples.len(), sent.stopped), (5 * 160, true));
    // Nobody spoke: the provider closes.
    let provided = provider(|_, mut conversation| {
        async move {
            conversation.hear(1_000).await;
            let _ = conversation.socket.close(None).await;
        }
        .boxed()
    })
    .await;
    assert_eq!(
        all(ears(provided.address, "").listen("house", "zh-CN", &[], sound(Some(5)))).await,
        []
    );
    // A final that never comes.
    let provided = provider(|_, conversation| conversation.wait().boxed()).await;
    let heard =
        all(ears(provided.address, "last = \"200ms\"").listen("house", "zh-CN", &[], sound(Some(5)))).await;
    assert_eq!(
        heard,
        [Understood::Failed(EarsError::TimedOut { name: "house".into() })]
    );
}

#[tokio::test]
async fn providers_that_lie_are_not_believed() {
    // A confidence that is none; a second answer; an answer to nothing.
    let lies = told(&[
        r#"{"type":"final","text":" 是\u0000的\n","confidence":7}"#,
        r#"{"type":"final","text":"不是","confidence":1}"#,
    ]);
    assert_eq!(lies.await, [Understood::Began, said("是 的", None)]);
    assert_eq!(told(&[r#"{"type":"final","text":"  "}"#]).await, [said("", None)]);
    for (message, what) in [
        ("nonsense", "a message is no JSON, or lacks a field"),
        (r#"{"type":"final"}"#, "a message is no JSON, or lacks a field"),
        (
            r#"{"type":"final","text":"a","confidence":"high"}"#,
            "a message is no JSON, or lacks a field",
        ),
    ] {
        assert_eq!(told(Vec::leak(vec![message])).await, [broke(what)], "{message}");
    }
    let failed = told(&[r#"{"type":"error","code":"no-model","message":"the caller said 138"}"#]).await;
    let error = EarsError::Failed {
        name: "house".into(),
        code: "no-model".into(),
    };
    assert_eq!(failed, [Understood::Failed(error)]);
    // Spoke, and was never answered.
    let silent = told(&[r#"{"type":"speech-started"}"#]).await;
    assert_eq!(
        silent,
        [
            Understood::Began,
            Understood::Failed(EarsError::TimedOut { name: "house".into() })
        ]
    );
}

#[tokio::test]
async fn what_is_too_large_or_no_text_ends_the_listening() {
    for (message, what) in [
        (Message::text("x".repeat(1 << 20)), "a message is too large"),
        (
            Message::text(format!(
                r#"{{"type":"final","text":"{}"}}"#,
                "a".repeat(MESSAGE_BYTES_MAX - 100)
            )),
            "a text is too long",
        ),
        (Message::binary(vec![1, 2, 3]), "it sends binary messages"),
    ] {
        let provided = provider(move |_, mut conversation| {
            let message = message.clone();
            async move {
                conversation.hear(3).await;
                let _ = conversation.socket.send(message).await;
                conversation.wait().await;
            }
            .boxed()
        })
        .await;
        let heard = all(ears(provided.address, "").listen("house", "zh-CN", &[], sound(None))).await;
        assert_eq!(heard, [broke(what)]);
    }
    for (bytes, what) in [
        // A text message that is no UTF-8, and a frame that no version has.
        (&[0x81, 0x02, 0xff, 0xfe][..], "a message is no UTF-8"),
        (&[0xff, 0x01, 0x00][..], "what it sends is no WebSocket"),
    ] {
        let provided = provider(move |_, mut conversation| {
            async move {
                conversation.hear(3).await;
                let _ = conversation.socket.get_mut().write_all(bytes).await;
                conversation.wait().await;
            }
            .boxed()
        })
        .await;
        let heard = all(ears(provided.address, "").listen("house", "zh-CN", &[], sound(None))).await;
        assert_eq!(heard, [broke(what)]);
    }
}

#[tokio::test]
async fn nothing_is_understood_of_no_sound() {
    let provided = provider(|_, mut conversation| {
        async move {
            conversation
                .tell(r#"{"type":"final","text":"转账","confidence":1}"#)
                .await;
            conversation.wait().await;
        }
        .boxed()
    })
    .await;
    let (_quiet, sound) = mpsc::channel(1);
    let heard = all(ears(provided.address, "").listen("house", "zh-CN", &[], sound)).await;
    assert_eq!(heard, [broke("it understands before it was sent any sound")]);
}

#[tokio::test]
async fn floods_are_thinned_and_then_ended() {
    let flood = |count: usize, last: &'static str| {
        provider(move |_, mut conversation| {
            async move {
                conversation.hear(3).await;
                for number in 0..count {
                    conversation
                        .tell(format!(r#"{{"type":"partial","text":"{number}"}}"#))
                        .await;
                }
                conversation.tell(last).await;
                conversation.wait().await;
            }
            .boxed()
        })
    };
    let provided = flood(90, r#"{"type":"final","text":"好"}"#).await;
    let heard = all(ears(provided.address, "").listen("house", "zh-CN", &[], sound(None))).await;
    assert_eq!(heard.last(), Some(&said("好", None)));
    // A second may begin within it.
    assert!(
        heard.len() <= 2 + 2 * PARTIALS_PER_SECOND_MAX as usize,
        "{}",
        heard.len()
    );
    let provided = flood(5_000, "").await;
    let heard = all(ears(provided.address, "").listen("house", "zh-CN", &[], sound(None))).await;
    assert_eq!(heard.last(), Some(&broke("it sends too many messages")));
}

#[tokio::test]
async fn a_provider_that_is_lost_is_connected_to_once_more_with_the_sound_it_had() {
    let script = |answers: bool| {
        move |number: usize, mut conversation: Conversation| {
            async move {
                conversation.hear(10).await;
                conversation.tell(r#"{"type":"speech-started"}"#).await;
                if number == 1 && answers {
                    conversation.tell(r#"{"type":"final","text":"人工"}"#).await;
                    conversation.wait().await;
                }
                // Dropped without a word.
            }
            .boxed()
        }
    };
    let provided = provider(script(true)).await;
    let heard = all(ears(provided.address, "").listen("house", "zh-CN", &[], sound(None))).await;
    assert_eq!(heard, [Understood::Began, said("人工", None)]);
    let sent = provided.sent.lock().unwrap().clone();
    assert_eq!(sent.starts.len(), 2);
    let again: Vec<i16> = (0..10).flat_map(|number| [number; 160]).collect();
    assert_eq!(sent.samples[..1_600], again);
    assert_eq!(sent.samples[1_600..], again);

    let provided = provider(script(false)).await;
    let heard = all(ears(provided.address, "").listen("house", "zh-CN", &[], sound(None))).await;
    assert_eq!(
        heard,
        [
            Understood::Began,
            Understood::Failed(EarsError::Lost { name: "house".into() })
        ]
    );
    assert_eq!(provided.sent.lock().unwrap().starts.len(), 2);
}

#[tokio::test]
async fn a_provider_that_takes_no_sound_holds_up_no_call() {
    // It reads nothing for a while: the sound of more than a minute is said to it in the meantime.
    const FRAMES: i16 = 6_000;
    let (resume, resumed) = tokio::sync::oneshot::channel::<()>();
    let resumed = Arc::new(Mutex::new(Some(resumed)));
    let provided = provider(move |_, mut conversation| {
        let resumed = resumed.lock().expect("nobody panics with it").take();
        async move {
            if let Some(resumed) = resumed {
                let _ = resumed.await;
            }
            conversation.hear(usize::MAX).await;
            conversation.tell(r#"{"type":"final","text":"好"}"#).await;
            conversation.wait().await;
        }
        .boxed()
    })
    .await;
    let (sender, sound) = mpsc::channel(50);
    let understood = ears(provided.address, "last = \"10s\"").listen("house", "zh-CN", &[], sound);
    for number in 0..FRAMES {
        let sending = sender.send(vec![number; 160].into());
        timeout(Duration::from_secs(20), sending)
            .await
            .expect("the call goes on")
            .unwrap();
    }
    drop(sender);
    tokio::time::sleep(Duration::from_millis(100)).await;
    resume.send(()).unwrap();
    assert_eq!(all(understood).await.last(), Some(&said("好", None)));
    let sent = provided.sent.lock().unwrap().clone();
    let frames: Vec<i16> = sent.samples.chunks(160).map(|frame| frame[0]).collect();
    assert!(sent.stopped && frames.is_sorted());
    assert!(
        frames.len() < usize::try_from(FRAMES).unwrap(),
        "nothing was dropped"
    );
    // The newest are all there.
    let newest: Vec<i16> = (FRAMES - i16::try_from(FRAMES_WAITING_MAX).unwrap()..FRAMES).collect();
    assert!(frames.ends_with(&newest));
}

#[tokio::test]
async fn whoever_stops_listening_ends_the_connection() {
    let (closed, is_closed) = tokio::sync::oneshot::channel();
    let closed = Arc::new(Mutex::new(Some(closed)));
    let provided = provider(move |_, conversation| {
        let closed = closed.lock().expect("nobody panics with it").take();
        async move {
            conversation.wait().await;
            if let Some(closed) = closed {
                let _ = closed.send(());
            }
        }
        .boxed()
    })
    .await;
    let understood = ears(provided.address, "").listen("house", "zh-CN", &[], sound(None));
    let started = async {
        while provided.sent.lock().unwrap().starts.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), started).await.unwrap();
    drop(understood);
    timeout(Duration::from_secs(20), is_closed)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn who_is_not_reached_says_why() {
    let failed = |heard: Vec<Understood>| match &*heard {
        [Understood::Failed(error)] => error.clone(),
        other => panic!("{other:?}"),
    };
    let nobody = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let error = failed(all(ears(nobody, "").listen("house", "zh-CN", &[], sound(None))).await);
    assert_eq!(error.kind(), "unreachable");
    // Answers HTTP, and not WebSocket.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4_096]).await;
            let _ = stream
                .write_all(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n")
                .await;
        }
    });
    let error = failed(all(ears(address, "").listen("house", "zh-CN", &[], sound(None))).await);
    assert!(
        error.to_string().ends_with("it answered 401 Unauthorized"),
        "{error}"
    );
    // Accepts, and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let error = failed(all(ears(address, "").listen("house", "zh-CN", &[], sound(None))).await);
    assert!(error.to_string().contains("within 3s"), "{error}");

    let ears = ears(
        address,
        "languages = [\"zh\"]\n[ears.other]\nurl = \"ws://127.0.0.1:1/\"\nsecret = \"none\"\nlanguages = [\"en\"]",
    );
    assert_eq!(ears.available("house", "zh-CN"), Ok(()));
    assert_eq!(ears.available("other", "en-GB").unwrap_err().kind(), "missing");
    // Who is named is asked, and nobody else, though another hears the language.
    for (engine, language) in [("house", "zhx"), ("house", "en"), ("nobody", "zh-CN")] {
        let error = ears.available(engine, language).unwrap_err();
        assert_eq!(error.kind(), "no-provider", "{engine} {language}");
    }
    let error = failed(all(ears.listen("house", "de", &[], sound(None))).await);
    assert_eq!(
        error.to_string(),
        "house hears no de: declare it as [ears.house] in phone.toml, with the language among its languages, or \
         name another in hotline.yaml"
    );
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    for (text, why) in [
        ("url = \"http://a/\"", "begins with ws:// or wss://"),
        ("", "begins with ws:// or wss://"),
        ("url = \"ws://\"", "is no URL"),
        ("url = \"wss://me:word@a/\"", "holds a password"),
        (
            "url = \"ws://a/\"\nsecret = \"s\"",
            "over https:// or wss:// only",
        ),
        ("url = \"ws://a/\"\nlast = \"0s\"", "from 1ms to 2m"),
        ("url = \"ws://a/\"\nanswer = \"1h\"", "from 1ms to 2m"),
    ] {
        let settings: Settings = toml::from_str(&format!("[ears.house]\n{text}")).unwrap();
        let error = Ears::new(&settings, &Secrets::new(|_| None))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("ears.house: ") && error.contains(why),
            "{text}: {error}"
        );
    }
}
