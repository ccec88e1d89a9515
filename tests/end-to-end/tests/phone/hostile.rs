//! What strangers and broken peers send: all of RFC 4475, and what was never meant to be SIP.
//!
//! The messages in `torture` are those of RFC 4475 ("SIP Torture Test Messages", appendix A), byte for byte.

use std::{fs, time::Duration};

use end_to_end::{PATIENCE, programs};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket},
    time::timeout,
};

use crate::{
    exchange::{Exchange, HIGH, Hotline, MIDDLE},
    g711::Codec,
    line::Line,
};

/// How long is waited for an answer that should not come.
const NO_ANSWER: Duration = Duration::from_millis(300);

const FLOW: &str = "
start: choose
steps:
  choose: { menu: middle, keys: { 5: bye }, time: 30s, on: { no-input: silent, no-match: silent } }
  bye: { say: high, next: done }
  silent: { end: silent }
  done: { end: completed }
";

/// What each message is answered with, in the words of the RFC's section or by what stands there as also
/// right: 404 where the message is in order, since nobody here has these numbers; 401 for a registration,
/// since all phones have passwords. No number: nothing.
const ANSWERS: [(&str, &[u16]); 49] = [
    ("badaspec", &[400, 200]),
    ("badbranch", &[400, 200]),
    ("baddate", &[400, 404]),
    ("baddn", &[400]),
    ("badinv01", &[400, 404]),
    ("badvers", &[505]),
    ("bcast", &[]),
    ("bext01", &[420]),
    ("bigcode", &[]),
    ("clerr", &[400]),
    ("cparam01", &[401]),
    ("cparam02", &[401]),
    ("dblreq", &[401]),
    ("esc01", &[404]),
    ("esc02", &[501]),
    ("escnull", &[401]),
    ("escruri", &[400, 404]),
    // Without a Call-ID, a From and a To there is nothing to answer with.
    ("insuf", &[]),
    ("intmeth", &[501]),
    // What RFC 2543 let a caller leave out has been needed for twenty years.
    ("inv2543", &[400, 404]),
    ("invut", &[415]),
    ("longreq", &[404]),
    ("ltgtruri", &[400, 404]),
    ("lwsdisp", &[200]),
    ("lwsruri", &[400]),
    ("lwsstart", &[400]),
    ("mcl01", &[400]),
    ("mismatch01", &[400]),
    ("mismatch02", &[501]),
    ("mpart01", &[405]),
    ("multi01", &[400]),
    ("ncl", &[400]),
    ("noreason", &[]),
    ("novelsc", &[416, 404]),
    ("quotbal", &[400, 404]),
    ("regaut01", &[401]),
    ("regbadct", &[400, 401]),
    ("regescrt", &[401]),
    ("scalar02", &[400]),
    ("scalarlg", &[]),
    ("sdp01", &[406, 400, 404]),
    ("semiuri", &[200]),
    ("transports", &[200]),
    ("trws", &[400, 200]),
    ("unkscm", &[416]),
    ("unksm2", &[400, 401]),
    ("unreason", &[]),
    // Its To has a tag of no dialog; and white space where nobody puts any.
    ("wsinv", &[481, 400]),
    ("zeromf", &[200]),
];

/// What never was a message.
fn garbage() -> Vec<Vec<u8>> {
    let invite = "INVITE sip:1001@127.0.0.1 SIP/2.0\r\n";
    let mut garbage = vec![
        Vec::new(),
        b"\r\n\r\n".to_vec(),
        vec![0; 1_200],
        vec![0xff; 9_000],
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
        b"SIP/2.0\r\n\r\n".to_vec(),
        b"INVITE\r\n\r\n".to_vec(),
        invite.as_bytes().to_vec(),
        format!(
            "{invite}{}\r\n",
            "Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\n".repeat(600)
        )
        .into_bytes(),
        format!("{invite}Call-ID: {}\r\n\r\n", "x".repeat(40_000)).into_bytes(),
        format!("{invite}Content-Length: 99999999999999999999\r\n\r\n").into_bytes(),
        "OPTIONS sip:\u{202e}\u{0} SIP/2.0\r\n\r\n".as_bytes().to_vec(),
    ];
    // Every message of the RFC, broken off in the middle.
    garbage.extend(ANSWERS.iter().map(|(name, _)| {
        let whole = message(name);
        whole[..whole.len() / 2].to_vec()
    }));
    garbage
}

fn message(name: &str) -> Vec<u8> {
    let file = programs::root().join(format!("tests/end-to-end/tests/phone/torture/{name}.sip"));
    fs::read(&file).unwrap_or_else(|error| panic!("failed to read {}: {error}", file.display()))
}

#[tokio::test]
async fn no_message_brings_a_listener_down_or_is_in_the_log() {
    let exchange = Hotline::new(&[("1001", FLOW)]).start().await;
    let mut wrong = Vec::new();
    for (name, expected) in ANSWERS {
        let patience = if expected.is_empty() { NO_ANSWER } else { PATIENCE };
        let got = by_udp(&exchange, &message(name), patience).await;
        let right = match got {
            Some(status) => expected.contains(&status),
            None => expected.is_empty(),
        };
        if !right {
            wrong.push(format!("{name}: {got:?} is none of {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // On a stream the end of a message cannot always be told, so only that all goes on is asked for.
    for (name, _) in ANSWERS {
        by_tcp(&exchange, &message(name)).await;
    }
    for garbage in garbage() {
        by_udp(&exchange, &garbage, NO_ANSWER).await;
        by_tcp(&exchange, &garbage).await;
    }
    tokio::join!(
        a_call_works(&exchange, Codec::Pcmu, false),
        a_call_works(&exchange, Codec::Pcma, true)
    );
    assert_eq!(exchange.contacts("1001").await.len(), 2);
    exchange.told_nothing(&["vivekg", "jdrosen", "example.com", "example.net"]);
}

/// Sends a datagram: the status of the final answer, if there is one.
async fn by_udp(exchange: &Exchange, datagram: &[u8], patience: Duration) -> Option<u16> {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("there is a port");
    // Longer ones than the system sends at all are sent on streams only.
    let _ = socket.send_to(datagram, exchange.udp).await;
    let mut answer = vec![0; 65_536];
    loop {
        let (count, _) = timeout(patience, socket.recv_from(&mut answer))
            .await
            .ok()?
            .ok()?;
        let text = String::from_utf8_lossy(&answer[..count]);
        if text.trim().is_empty() {
            // The answer to a keep-alive (RFC 5626).
            continue;
        }
        let status: u16 = text
            .strip_prefix("SIP/2.0 ")
            .and_then(|rest| rest.get(..3)?.parse().ok())
            .unwrap_or_else(|| panic!("what comes back is an answer: {text}"));
        if status >= 200 {
            return Some(status);
        }
    }
}

/// Sends something on a stream of its own, and leaves.
async fn by_tcp(exchange: &Exchange, bytes: &[u8]) {
    let mut stream = TcpStream::connect(exchange.tcp)
        .await
        .expect("the server listens by TCP");
    let _ = stream.write_all(bytes).await;
    let mut answer = vec![0; 4_096];
    let _ = timeout(Duration::from_millis(50), stream.read(&mut answer)).await;
}

async fn a_call_works(exchange: &Exchange, codec: Codec, tcp: bool) {
    let line = Line::open(codec).await;
    let mut call = exchange
        .call_on("call", "1001", &line)
        .with("formats", format!("{} 101", codec.payload_type()));
    if tcp {
        call = call.tcp_to(exchange.tcp);
    }
    let call = call.start();
    line.hears(MIDDLE).await;
    line.press("5");
    line.hears(HIGH).await;
    call.ends().await;
}
