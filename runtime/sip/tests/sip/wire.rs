//! A raw socket as the peer: strangers, malformed messages, lost and racing ones.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use trunkline_sip::{
    Arriving, Config, Credentials, Destination, HangUp, Happened, Referred, SessionDescription, Settings,
    Sip, Transport, Trunk, Why,
};

use crate::common::{Node, account, answer, config, next, number, ours, settings, trunk, until, within};

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n";

struct Peer {
    socket: UdpSocket,
    to: SocketAddr,
}

impl Peer {
    async fn of(node: &Node) -> Peer {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
        Peer {
            socket,
            to: node.address(Transport::Udp),
        }
    }

    fn here(&self) -> SocketAddr {
        self.socket.local_addr().expect("an address")
    }

    /// A request with everything it needs; `more` are header lines.
    fn request(&self, method: &str, call: &str, sequence: u32, to: &str, more: &str, body: &str) -> String {
        let here = self.here();
        let kind = if body.is_empty() {
            ""
        } else {
            "Content-Type: application/sdp\r\n"
        };
        let kind = if more.contains("Content-Type") { "" } else { kind };
        format!(
            "{method} sip:200@{} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK{method}{call}{sequence};rport\r\n\
             Max-Forwards: 70\r\nFrom: <sip:100@{here}>;tag=peer\r\nTo: <sip:200@x>{to}\r\nCall-ID: {call}\r\n\
             CSeq: {sequence} {method}\r\nContact: <sip:100@{here}>\r\n{more}{kind}Content-Length: {}\r\n\r\n{body}",
            self.to,
            body.len()
        )
    }

    async fn send(&self, message: &str) {
        self.socket
            .send_to(message.as_bytes(), self.to)
            .await
            .expect("it is sent");
    }

    async fn receive(&self) -> String {
        let mut buffer = [0; 65_536];
        let (length, _) = within(self.socket.recv_from(&mut buffer))
            .await
            .expect("something comes");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    /// The next message that begins so; others are passed over.
    async fn wait_for(&self, begin: &str) -> String {
        loop {
            let message = self.receive().await;
            if message.starts_with(begin) {
                return message;
            }
        }
    }

    /// The status of the final answer to a request.
    async fn status(&self, message: &str) -> u16 {
        let sequence = message.lines().find(|line| line.starts_with("CSeq:"));
        let sequence = sequence.expect("it is numbered");
        self.send(message).await;
        loop {
            let answer = self.receive().await;
            let status = answer.get(8..11).and_then(|status| status.parse().ok());
            let is_its = answer.starts_with("SIP/2.0") && answer.contains(sequence);
            if let Some(status) = status.filter(|status| is_its && *status >= 200) {
                return status;
            }
        }
    }

    async fn silent(&self) -> bool {
        let mut buffer = [0; 2_048];
        tokio::time::timeout(Duration::from_millis(300), self.socket.recv_from(&mut buffer))
            .await
            .is_err()
    }
}

fn to_tag(message: &str) -> String {
    let line = message
        .lines()
        .find(|line| line.starts_with("To:"))
        .expect("a To");
    format!(";tag={}", line.split("tag=").nth(1).expect("a tag").trim())
}

async fn known() -> Node {
    Node::udp(config(trunk("carrier", None))).await
}

/// A call that the peer made and the node answered; tells the tag of the answer.
async fn up(node: &mut Node, peer: &Peer, call: &str, more: &str) -> (trunkline_sip::Call, String) {
    peer.send(&peer.request("INVITE", call, 1, "", more, SDP)).await;
    let incoming = node.incoming().await;
    let offer = incoming.offer.expect("an offer");
    let answering = {
        let call = incoming.call.clone();
        tokio::spawn(async move { call.answer(answer(&offer, 50_000)).await })
    };
    let tag = to_tag(&peer.wait_for("SIP/2.0 200").await);
    peer.send(&peer.request("ACK", call, 1, &tag, "", "")).await;
    within(answering)
        .await
        .expect("it runs")
        .expect("it is acknowledged");
    let mut call = incoming.call;
    assert_eq!(next(&mut call).await, Happened::Acknowledged);
    (call, tag)
}

#[tokio::test]
async fn strangers_learn_nothing() {
    let node = Node::udp(Config::default()).await;
    let peer = Peer::of(&node).await;
    assert_eq!(
        peer.status(&peer.request("INVITE", "a", 1, "", "", SDP)).await,
        403
    );
    assert_eq!(
        peer.status(&peer.request("REGISTER", "b", 1, "", "", "")).await,
        403
    );
    for (method, agent) in [
        ("OPTIONS", ""),
        ("SUBSCRIBE", ""),
        ("INVITE", "User-Agent: friendly-scanner\r\n"),
    ] {
        peer.send(&peer.request(method, "c", 1, "", agent, "")).await;
        assert!(peer.silent().await, "{method}");
    }
    let counts = node.sip.counts();
    assert_eq!((counts.scanners, counts.dropped, counts.transactions), (1, 2, 0));
}

#[tokio::test]
async fn a_stranger_is_challenged_and_cannot_tell_users_from_others() {
    let node = Node::udp(Config {
        accounts: vec![account("anna", "geheim")],
        ..Config::default()
    })
    .await;
    let peer = Peer::of(&node).await;
    peer.send(&peer.request("INVITE", "a", 1, "", "", SDP)).await;
    let challenge = peer.receive().await;
    assert!(challenge.starts_with("SIP/2.0 401 "), "{challenge}");
    // There are phones that give up where anything but MD5 is offered.
    assert_eq!(challenge.matches("WWW-Authenticate: Digest").count(), 1);
    assert!(challenge.contains("algorithm=MD5"));
    assert!(!to_tag(&challenge).is_empty());
    let nonce = challenge
        .split("nonce=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .unwrap();
    let mut answers = Vec::new();
    for (call, user) in ["anna", "nobody"].into_iter().enumerate() {
        let login = format!(
            "Authorization: Digest username=\"{user}\", realm=\"trunkline\", nonce=\"{nonce}\", uri=\"sip:x\", response=\"{:032}\", nc=0000000a, cnonce=\"c\", qop=auth\r\n",
            0
        );
        peer.send(&peer.request("REGISTER", &format!("r{call}"), 1, "", &login, ""))
            .await;
        let answer = peer.receive().await;
        let lines = answer.lines().filter(|line| {
            !["Via", "To", "Call-ID", "WWW"]
                .iter()
                .any(|own| line.starts_with(own))
        });
        answers.push(lines.map(str::to_owned).collect::<Vec<_>>());
    }
    assert!(answers[0][0].starts_with("SIP/2.0 401 "));
    assert_eq!(answers[0], answers[1]);
    assert_eq!(node.sip.counts().wrong_passwords, 2);
}

#[tokio::test]
async fn sha_256_is_offered_first_where_it_is_wanted() {
    let node = Node::start(
        Settings {
            sha_256: true,
            ..settings(&[Transport::Udp])
        },
        Config {
            accounts: vec![account("anna", "geheim")],
            ..Config::default()
        },
    )
    .await;
    let peer = Peer::of(&node).await;
    for method in ["INVITE", "REGISTER"] {
        peer.send(&peer.request(method, method, 1, "", "", "")).await;
        let challenge = peer.receive().await;
        let offered: Vec<&str> = challenge
            .lines()
            .filter_map(|line| {
                line.strip_prefix("WWW-Authenticate: Digest ")?
                    .split("algorithm=")
                    .nth(1)
            })
            .filter_map(|rest| rest.split(',').next())
            .collect();
        assert_eq!(offered, ["SHA-256", "MD5"], "{challenge}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_answered_as_the_rules_say() {
    let mut node = known().await;
    let peer = Peer::of(&node).await;
    let plain = |call: &str| peer.request("INVITE", call, 1, "", "", SDP);
    let cases: [(u16, String); 16] = [
        (
            420,
            peer.request("INVITE", "a", 1, "", "Require: timer, nonsense\r\n", SDP),
        ),
        (
            420,
            peer.request("INVITE", "b", 1, "", "Require: 100rel\r\n", SDP),
        ),
        (
            415,
            peer.request("INVITE", "c", 1, "", "Content-Type: text/plain\r\n", "hello"),
        ),
        (
            415,
            peer.request("INVITE", "d", 1, "", "Content-Encoding: gzip\r\n", SDP),
        ),
        (400, peer.request("INVITE", "e", 1, "", "", "v=1\r\n")),
        (400, plain("f").replace("CSeq: 1 INVITE", "CSeq: 1 OPTIONS")),
        (400, plain("g").replace("Contact:", "X-Contact:")),
        (400, plain("h").replace("Max-Forwards: 70", "Max-Forwards: many")),
        (400, plain("i").replace("CSeq: 1", "CSeq: 4294967295")),
        (400, plain("j").replace("Content-Length: ", "Content-Length: 9")),
        (
            400,
            plain("k").replace("Max-Forwards: 70", "From: <sip:twice@x>;tag=2"),
        ),
        (416, plain("l").replace("INVITE sip:200@", "INVITE mailto:200@")),
        (505, plain("m").replace("SIP/2.0\r\nVia", "SIP/7.0\r\nVia")),
        (501, plain("n").replace("INVITE", "DANCE")),
        (
            422,
            peer.request(
                "INVITE",
                "o",
                1,
                "",
                "Session-Expires: 30\r\nSupported: timer\r\n",
                SDP,
            ),
        ),
        (
            481,
            peer.request("INVITE", "p", 1, "", "Replaces: x;to-tag=a;from-tag=b\r\n", SDP),
        ),
    ];
    for (expected, message) in cases {
        assert_eq!(peer.status(&message).await, expected, "{message}");
    }
    for method in ["BYE", "INFO", "UPDATE", "CANCEL"] {
        assert_eq!(
            peer.status(&peer.request(method, "q", 2, ";tag=x", "", "")).await,
            481,
            "{method}"
        );
    }
    assert_eq!(
        peer.status(&peer.request("MESSAGE", "r", 1, "", "", "")).await,
        405
    );
    assert_eq!(
        peer.status(&peer.request("OPTIONS", "s", 1, "", "", "")).await,
        200
    );
    let strange = peer
        .request("OPTIONS", "u", 1, "", "", "")
        .replace("OPTIONS sip:", "OPTIONS strange:");
    assert_eq!(peer.status(&strange).await, 416);
    // RFC 4475, 3.3.3: a scheme that the stack cannot read.
    let dotted = peer
        .request("OPTIONS", "v", 1, "", "", "")
        .replace("OPTIONS sip:200@", "OPTIONS soap.beep://");
    assert_eq!(peer.status(&dotted).await, 416);
    let (call, _) = up(&mut node, &peer, "t", "").await;
    drop(call);
    peer.wait_for("BYE ").await;
}

#[tokio::test]
async fn an_invite_that_comes_by_two_ways_is_a_loop() {
    let mut node = known().await;
    let peer = Peer::of(&node).await;
    let invite = peer.request("INVITE", "a", 1, "", "", SDP);
    peer.send(&invite).await;
    let _waiting = node.incoming().await;
    peer.wait_for("SIP/2.0 100").await;
    assert_eq!(peer.status(&invite.replace("z9hG4bK", "z9hG4bKother")).await, 482);
}

#[tokio::test]
async fn an_answer_that_is_never_acknowledged_is_lost() {
    let mut node = known().await;
    let peer = Peer::of(&node).await;
    peer.send(&peer.request("INVITE", "a", 1, "", "", SDP)).await;
    let incoming = node.incoming().await;
    let answered = answer(&incoming.offer.unwrap(), 50_000);
    let failed = within(incoming.call.answer(answered)).await;
    assert_eq!(failed, Err(trunkline_sip::CallError::NoAnswer));
    let mut call = incoming.call;
    assert_eq!(next(&mut call).await, Happened::Lost);
    peer.wait_for("BYE ").await;
    until("nothing is left", || {
        node.sip.counts().calls + node.sip.counts().dialogs == 0
    })
    .await;
}

#[tokio::test]
async fn a_bye_that_nobody_answers_does_not_keep_the_call() {
    let mut node = known().await;
    let peer = Peer::of(&node).await;
    let (mut call, _) = up(&mut node, &peer, "a", "").await;
    call.hang_up(HangUp::Normal);
    assert_eq!(next(&mut call).await, Happened::HungUp { why: Why::Ours });
    peer.wait_for("BYE ").await;
    until("nothing is left", || {
        node.sip.counts().calls + node.sip.counts().dialogs == 0
    })
    .await;
    until("no transaction is left", || node.sip.counts().transactions == 0).await;
}

#[tokio::test]
async fn a_bye_before_the_answer_ends_the_invite_too() {
    let mut node = known().await;
    let peer = Peer::of(&node).await;
    peer.send(&peer.request("INVITE", "a", 1, "", "", SDP)).await;
    let mut call = node.incoming().await.call;
    call.ring();
    let tag = to_tag(&peer.wait_for("SIP/2.0 180").await);
    peer.send(&peer.request("BYE", "a", 2, &tag, "", "")).await;
    assert_eq!(next(&mut call).await, Happened::Cancelled);
    let (first, second) = (peer.wait_for("SIP/2.0 ").await, peer.wait_for("SIP/2.0 ").await);
    let status = |answer: &str| answer[8..11].to_owned();
    let mut both = [status(&first), status(&second)];
    both.sort();
    assert_eq!(both, ["200", "487"]);
}

#[tokio::test]
async fn keys_come_by_info() {
    let mut node = known().await;
    let peer = Peer::of(&node).await;
    let (mut call, tag) = up(&mut node, &peer, "a", "").await;
    let info = |sequence, kind: &str, body: &str| {
        peer.request(
            "INFO",
            "a",
            sequence,
            &tag,
            &format!("Content-Type: {kind}\r\n"),
            body,
        )
    };
    assert_eq!(
        peer.status(&info(2, "application/dtmf-relay", "Signal=5\r\nDuration=160\r\n"))
            .await,
        200
    );
    assert_eq!(next(&mut call).await, Happened::Keys("5".to_owned()));
    assert_eq!(peer.status(&info(3, "application/dtmf", "#")).await, 200);
    assert_eq!(next(&mut call).await, Happened::Keys("#".to_owned()));
    assert_eq!(peer.status(&info(4, "text/xml", "<x/>")).await, 415);
    // Older than what was heard.
    let old = info(2, "application/dtmf", "7").replace("z9hG4bK", "z9hG4bKold");
    assert_eq!(peer.status(&old).await, 500);
    assert_eq!(peer.status(&peer.request("BYE", "a", 5, &tag, "", "")).await, 200);
    assert_eq!(next(&mut call).await, Happened::HungUp { why: Why::Peer });
}

#[tokio::test]
async fn a_caller_without_an_offer_gets_ours_and_answers_in_its_acknowledgement() {
    let mut node = known().await;
    let peer = Peer::of(&node).await;
    peer.send(&peer.request("INVITE", "a", 1, "", "", "")).await;
    let incoming = node.incoming().await;
    assert_eq!(incoming.offer, None);
    let mut call = incoming.call;
    let answering = tokio::spawn({
        let call = call.clone();
        async move { call.answer(SessionDescription::offer(&ours(50_000, 1))).await }
    });
    let tag = to_tag(&peer.wait_for("SIP/2.0 200").await);
    peer.send(&peer.request("ACK", "a", 1, &tag, "", SDP)).await;
    within(answering).await.unwrap().unwrap();
    assert_eq!(next(&mut call).await, Happened::Acknowledged);
    let Happened::Answered(answer) = next(&mut call).await else {
        panic!("an answer")
    };
    assert_eq!(answer.audio().unwrap().port, 40_000);
}

#[tokio::test]
async fn a_peer_that_should_refresh_and_does_not_is_lost() {
    let settings = Settings {
        session_seconds_min: 2,
        ..settings(&[Transport::Udp])
    };
    let mut node = Node::start(settings, config(trunk("carrier", None))).await;
    let peer = Peer::of(&node).await;
    let timer = "Supported: timer\r\nSession-Expires: 3;refresher=uac\r\n";
    let (mut call, tag) = up(&mut node, &peer, "a", timer).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let refresh = peer.request("UPDATE", "a", 2, &tag, timer, "");
    assert_eq!(peer.status(&refresh).await, 200);
    let begun = tokio::time::Instant::now();
    assert_eq!(next(&mut call).await, Happened::Lost);
    assert!(
        begun.elapsed() > Duration::from_millis(1_500),
        "the refresh counted"
    );
    peer.wait_for("BYE ").await;
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).expect("it is below a usize")
    }
}

/// A message with some bytes changed, cut, doubled or made strange.
fn spoiled(message: &str, dice: &mut Dice) -> Vec<u8> {
    let mut bytes = message.as_bytes().to_vec();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len());
        match dice.below(7) {
            0 => bytes[at] = u8::try_from(dice.below(256)).expect("a byte"),
            1 => bytes.truncate(at.max(1)),
            2 => {
                let piece: Vec<u8> = bytes[at..].iter().copied().take(1 + dice.below(200)).collect();
                bytes.splice(at..at, piece);
            }
            3 => {
                bytes.remove(at);
            }
            4 => {
                let strange: [&[u8]; 8] = [
                    b"\"",
                    b"<",
                    b">;",
                    b"%",
                    b"\xff\xfe",
                    b"[::",
                    b";rport=99999",
                    b"\r\n ",
                ];
                bytes.splice(at..at, strange[dice.below(8)].iter().copied());
            }
            5 => {
                let text = String::from_utf8_lossy(&bytes)
                    .replace("Content-Length: ", "Content-Length: 1844674407370955161");
                bytes = text.into_bytes();
            }
            _ => {
                let text = String::from_utf8_lossy(&bytes).replacen(';', ";=;\u{fc};", 1 + dice.below(3));
                bytes = text.into_bytes();
            }
        }
        if bytes.is_empty() {
            bytes.push(b'x');
        }
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn spoiled_messages_stop_no_listener() {
    let mut both = Node::start(
        settings(&[Transport::Udp, Transport::Tcp]),
        config(trunk("carrier", None)),
    )
    .await;
    let peer = Peer::of(&both).await;
    let tcp = both.address(Transport::Tcp);
    let mut dice = Dice(0x5eed);
    let more = "P-Asserted-Identity: \"A\" <sip:1@x>\r\nDiversion: <sip:2@x>;reason=unknown\r\nHistory-Info: <sip:3@x>;index=1\r\nRoute: <sip:x;lr>\r\nAuthorization: Digest username=\"a\", nonce=\"b\"\r\n";
    for round in 0..3_000 {
        let method = ["INVITE", "REGISTER", "OPTIONS", "BYE", "ACK", "CANCEL", "UPDATE"][dice.below(7)];
        let message = peer.request(method, &format!("c{round}"), 1, "", more, SDP);
        let bytes = spoiled(&message, &mut dice);
        if round % 10 == 0 {
            let mut stream = TcpStream::connect(tcp).await.unwrap();
            let _ = stream.write_all(&bytes).await;
        } else {
            let _ = peer.socket.send_to(&bytes, peer.to).await;
        }
        if round % 50 == 0 {
            tokio::task::yield_now().await;
        }
        // Calls that came of it are refused, as nobody is there.
        while both.arrivals.try_recv().is_ok() {}
    }
    let fresh = Peer::of(&both).await;
    while tokio::time::timeout(Duration::from_millis(500), both.arrivals.recv())
        .await
        .is_ok()
    {}
    let (call, _) = up(&mut both, &fresh, "after", "").await;
    drop(call);
    let mut stream = TcpStream::connect(tcp).await.unwrap();
    let options = fresh
        .request("OPTIONS", "after", 1, "", "", "")
        .replace("SIP/2.0/UDP", "SIP/2.0/TCP");
    stream.write_all(options.as_bytes()).await.unwrap();
    let mut buffer = [0; 2_048];
    let length = within(stream.read(&mut buffer)).await.unwrap();
    assert!(buffer[..length].starts_with(b"SIP/2.0 200 "));
    assert!(both.sip.counts().malformed > 100, "{:?}", both.sip.counts());
}

#[tokio::test]
async fn a_taken_port_and_a_missing_certificate_are_said() {
    let taken = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut wanted = settings(&[Transport::Udp]);
    wanted.listen[0].address = taken.local_addr().unwrap();
    let error = Sip::start(wanted, Config::default())
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains(&taken.local_addr().unwrap().to_string()),
        "{error}"
    );
    let error = Sip::start(settings(&[Transport::Tls]), Config::default())
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("certificate"), "{error}");
    assert!(Sip::start(settings(&[]), Config::default()).await.is_err());
}

#[tokio::test]
async fn a_stream_of_nobody_is_closed_and_that_of_a_trunk_is_not() {
    let strange = Node::start(settings(&[Transport::Udp, Transport::Tcp]), with_a_phone()).await;
    let known = Node::start(
        settings(&[Transport::Udp, Transport::Tcp]),
        config(trunk("carrier", None)),
    )
    .await;
    let connect = |node: &Node| TcpStream::connect(node.address(Transport::Tcp));
    let (mut strange, mut known) = (connect(&strange).await.unwrap(), connect(&known).await.unwrap());
    let mut buffer = [0; 64];
    assert_eq!(within(strange.read(&mut buffer)).await.unwrap(), 0);
    let still = tokio::time::timeout(Duration::from_secs(2), known.read(&mut buffer)).await;
    assert!(still.is_err());
}

#[tokio::test]
async fn a_trunk_of_streams_is_not_known_by_a_datagram() {
    let node = Node::start(
        settings(&[Transport::Udp, Transport::Tcp]),
        config(Trunk {
            transport: Some(Transport::Tcp),
            ..trunk("carrier", None)
        }),
    )
    .await;
    let peer = Peer::of(&node).await;
    assert_eq!(
        peer.status(&peer.request("INVITE", "a", 1, "", "", SDP)).await,
        403
    );
}

/// An exchange whose only phone is Anna's.
fn with_a_phone() -> Config {
    Config {
        accounts: vec![account("anna", "geheim")],
        ..Config::default()
    }
}

/// The answer to a challenge (RFC 2617, MD5).
fn login(challenge: &str, method: &str, password: &str, count: u32) -> String {
    use md5::Digest as _;
    let hash = |text: String| {
        md5::Md5::digest(text.as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let nonce = challenge
        .split("nonce=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a nonce");
    let who = hash(format!("anna:trunkline:{password}"));
    let what = hash(format!("{method}:sip:x"));
    let response = hash(format!("{who}:{nonce}:{count:08x}:c:auth:{what}"));
    format!(
        "Authorization: Digest username=\"anna\", realm=\"trunkline\", nonce=\"{nonce}\", uri=\"sip:x\", \
         response=\"{response}\", algorithm=MD5, nc={count:08x}, cnonce=\"c\", qop=auth\r\n"
    )
}

/// Registers a peer as Anna's phone under a contact.
async fn registered(node: &mut Node, peer: &Peer, contact: &str) {
    let with = |message: String| {
        message.replace(
            &format!("Contact: <sip:100@{}>", peer.here()),
            &format!("Contact: <{contact}>"),
        )
    };
    peer.send(&with(peer.request("REGISTER", "reg", 1, "", "", "")))
        .await;
    let challenge = peer.wait_for("SIP/2.0 401").await;
    let login = login(&challenge, "REGISTER", "geheim", 1);
    assert_eq!(
        peer.status(&with(peer.request("REGISTER", "reg", 2, "", &login, "")))
            .await,
        200
    );
    assert!(matches!(node.arriving().await, Arriving::Registered { .. }));
}

/// The answer to a request that came, with header lines and a body.
fn reply(request: &str, status: &str, more: &str, body: &str) -> String {
    let lines = request.lines().filter(|line| {
        ["Via:", "From:", "Call-ID:", "CSeq:"]
            .iter()
            .any(|kept| line.starts_with(kept))
    });
    let to = request
        .lines()
        .find(|line| line.starts_with("To:"))
        .expect("a To");
    let to = if to.contains("tag=") {
        to.to_owned()
    } else {
        format!("{to};tag=there")
    };
    let kept = lines.collect::<Vec<_>>().join("\r\n");
    format!(
        "SIP/2.0 {status}\r\n{kept}\r\n{to}\r\n{more}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn a_phone_cannot_have_what_is_for_a_trunk() {
    let carrier = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = carrier.local_addr().unwrap();
    let mut node = Node::udp(Config {
        trunks: vec![Trunk {
            networks: Vec::new(),
            ..trunk("carrier", Some((at, Transport::Udp)))
        }],
        ..with_a_phone()
    })
    .await;
    let thief = Peer::of(&node).await;
    registered(&mut node, &thief, &format!("sip:200@{at}")).await;
    let _call = node.call(number("carrier", "200")).await;
    let carrier = Peer {
        socket: carrier,
        to: thief.to,
    };
    assert!(carrier.receive().await.starts_with("INVITE sip:200@"));
    assert!(thief.silent().await);
}

#[tokio::test]
async fn a_phone_behind_a_translator_is_reached_where_it_is() {
    let mut node = Node::udp(with_a_phone()).await;
    let phone = Peer::of(&node).await;
    registered(&mut node, &phone, "sip:anna@192.0.2.1:5060").await;
    let mut call = node.call(Destination::Account("anna".to_owned())).await;
    let invite = phone.wait_for("INVITE ").await;
    assert!(invite.starts_with("INVITE sip:anna@192.0.2.1"), "{invite}");
    let more = "Contact: <sip:anna@192.0.2.1:5060>\r\nContent-Type: application/sdp\r\n";
    phone.send(&reply(&invite, "200 OK", more, SDP)).await;
    assert!(matches!(next(&mut call).await, Happened::Answered(_)));
    phone.wait_for("ACK ").await;
    call.hang_up(HangUp::Normal);
    let bye = phone.wait_for("BYE ").await;
    phone.send(&reply(&bye, "200 OK", "", "")).await;
}

#[tokio::test]
async fn a_phone_that_calls_from_behind_a_translator_is_reached_where_it_is() {
    let mut node = Node::udp(with_a_phone()).await;
    let phone = Peer::of(&node).await;
    let with = |message: String| {
        message.replace(
            &format!("Contact: <sip:100@{}>", phone.here()),
            "Contact: <sip:anna@192.0.2.1:5060>",
        )
    };
    phone
        .send(&with(phone.request("INVITE", "a", 1, "", "", SDP)))
        .await;
    let challenge = phone.wait_for("SIP/2.0 401").await;
    let login = login(&challenge, "INVITE", "geheim", 1);
    phone
        .send(&with(phone.request("INVITE", "a", 2, "", &login, SDP)))
        .await;
    let incoming = node.incoming().await;
    let call = incoming.call.clone();
    let offer = incoming.offer.expect("an offer");
    let answering = tokio::spawn(async move { call.answer(answer(&offer, 50_000)).await });
    let tag = to_tag(&phone.wait_for("SIP/2.0 200").await);
    phone.send(&phone.request("ACK", "a", 2, &tag, "", "")).await;
    within(answering).await.unwrap().unwrap();
    incoming.call.hang_up(HangUp::Normal);
    phone.wait_for("BYE ").await;
}

#[tokio::test]
async fn strangers_cost_no_transaction() {
    let node = Node::udp(with_a_phone()).await;
    let peer = Peer::of(&node).await;
    peer.send(&peer.request("REGISTER", "a", 1, "", "", "")).await;
    let challenge = peer.wait_for("SIP/2.0 401").await;
    for count in 1..=10 {
        let call = format!("c{count}");
        let wrong = login(&challenge, "INVITE", "falsch", count);
        assert_eq!(
            peer.status(&peer.request("INVITE", &call, 1, "", &wrong, SDP))
                .await,
            401
        );
        for method in ["BYE", "INVITE", "INFO"] {
            let message = peer.request(method, &call, 2, ";tag=none", &wrong, "");
            assert_eq!(peer.status(&message).await, 481);
        }
    }
    let counts = node.sip.counts();
    assert_eq!((counts.transactions, counts.wrong_passwords), (0, 10));
}

#[tokio::test]
async fn whoever_guesses_passwords_is_not_listened_to_and_the_phone_behind_the_same_address_is() {
    let mut node = Node::udp(with_a_phone()).await;
    let (phone, peer) = (Peer::of(&node).await, Peer::of(&node).await);
    registered(&mut node, &phone, "sip:anna@192.0.2.1:5060").await;
    peer.send(&peer.request("REGISTER", "a", 1, "", "", "")).await;
    let challenge = peer.wait_for("SIP/2.0 401").await;
    for count in 1..=trunkline_sip::limits::GUESSES_MAX {
        let wrong = login(&challenge, "REGISTER", "falsch", count);
        let message = peer.request("REGISTER", &format!("c{count}"), 1, "", &wrong, "");
        assert_eq!(peer.status(&message).await, 401);
    }
    let right = login(&challenge, "REGISTER", "geheim", 99);
    peer.send(&peer.request("REGISTER", "right", 1, "", &right, ""))
        .await;
    assert!(peer.silent().await);
    let message = phone.request("REGISTER", "reg", 3, "", &right, "");
    assert_eq!(phone.status(&message).await, 200);
}

#[tokio::test]
async fn a_bye_waits_for_the_acknowledgement() {
    let mut node = known().await;
    let peer = Peer::of(&node).await;
    peer.send(&peer.request("INVITE", "a", 1, "", "", SDP)).await;
    let incoming = node.incoming().await;
    let (call, offer) = (incoming.call.clone(), incoming.offer.expect("an offer"));
    tokio::spawn(async move { call.answer(answer(&offer, 50_000)).await });
    let tag = to_tag(&peer.wait_for("SIP/2.0 200").await);
    incoming.call.hang_up(HangUp::Normal);
    for _ in 0..5 {
        // The answer comes again and again.
        assert!(!peer.receive().await.starts_with("BYE "));
    }
    peer.send(&peer.request("ACK", "a", 1, &tag, "", "")).await;
    peer.wait_for("BYE ").await;
}

#[tokio::test]
async fn what_overtakes_the_acknowledgement_waits_for_it() {
    let mut node = known().await;
    let peer = Peer::of(&node).await;
    peer.send(&peer.request("INVITE", "a", 1, "", "", SDP)).await;
    let incoming = node.incoming().await;
    let (answering, offer) = (incoming.call.clone(), incoming.offer.expect("an offer"));
    let mut call = incoming.call;
    tokio::spawn(async move { answering.answer(answer(&offer, 50_000)).await });
    let tag = to_tag(&peer.wait_for("SIP/2.0 200").await);
    let key = "Content-Type: application/dtmf\r\n";
    peer.send(&peer.request("INFO", "a", 2, &tag, key, "5")).await;
    let hold = SDP.replace("m=audio 40000", "a=sendonly\r\nm=audio 40000");
    peer.send(&peer.request("INVITE", "a", 3, &tag, "", &hold)).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    peer.send(&peer.request("ACK", "a", 1, &tag, "", "")).await;
    assert_eq!(next(&mut call).await, Happened::Acknowledged);
    assert_eq!(next(&mut call).await, Happened::Keys("5".to_owned()));
    let Happened::Offer(offer) = next(&mut call).await else {
        panic!("an offer was expected");
    };
    call.answer_offer(answer(&offer, 50_000));
    loop {
        let taken = peer.wait_for("SIP/2.0 200").await;
        if taken.contains("CSeq: 3 INVITE") {
            break;
        }
    }
}

#[tokio::test]
async fn an_invite_inside_a_call_is_answered_however_the_call_stands() {
    let mut node = known().await;
    let peer = Peer::of(&node).await;
    peer.send(&peer.request("INVITE", "a", 1, "", "", SDP)).await;
    let incoming = node.incoming().await;
    incoming.call.ring();
    let tag = to_tag(&peer.wait_for("SIP/2.0 180").await);
    let status = async |sequence: u32| {
        let status = peer
            .status(&peer.request("INVITE", "a", sequence, &tag, "", SDP))
            .await;
        peer.send(&peer.request("ACK", "a", sequence, &tag, "", "")).await;
        status
    };
    // Not answered; answered, and not acknowledged; over.
    assert_eq!(status(2).await, 500);
    let (call, offer) = (incoming.call.clone(), incoming.offer.expect("an offer"));
    tokio::spawn(async move { call.answer(answer(&offer, 50_000)).await });
    peer.wait_for("SIP/2.0 200").await;
    assert_eq!(status(3).await, 500);
    peer.send(&peer.request("ACK", "a", 1, &tag, "", "")).await;
    peer.send(&peer.request("BYE", "a", 4, &tag, "", "")).await;
    assert_eq!(status(5).await, 481);
}

#[tokio::test]
async fn a_carrier_that_asks_for_a_password_within_its_call_gets_it() {
    let mut node = Node::udp(config(Trunk {
        outbound: Some(Credentials {
            user: "us".to_owned(),
            password: "geheim".to_owned(),
        }),
        ..trunk("carrier", None)
    }))
    .await;
    let peer = Peer::of(&node).await;
    let (call, _) = up(&mut node, &peer, "a", "").await;
    call.hang_up(HangUp::Normal);
    let bye = peer.wait_for("BYE ").await;
    assert!(!bye.contains("Authorization"));
    let challenge =
        "WWW-Authenticate: Digest realm=\"carrier\", nonce=\"abc\", algorithm=MD5, qop=\"auth\"\r\n";
    peer.send(&reply(&bye, "401 Unauthorized", challenge, "")).await;
    loop {
        let again = peer.wait_for("BYE ").await;
        if again.contains("Authorization: Digest") && again.contains("username=\"us\"") {
            break;
        }
    }
}

#[tokio::test]
async fn the_end_of_a_transfer_may_come_before_its_answer() {
    let mut node = known().await;
    let peer = Peer::of(&node).await;
    let (call, tag) = up(&mut node, &peer, "a", "").await;
    let referring = tokio::spawn(async move { call.refer("sip:300@x", None).await });
    let refer = peer.wait_for("REFER ").await;
    let note = "Event: refer\r\nSubscription-State: terminated;reason=noresource\r\nContent-Type: message/sipfrag\r\n";
    let note = peer.request("NOTIFY", "a", 7, &tag, note, "SIP/2.0 200 OK\r\n");
    assert_eq!(peer.status(&note).await, 200);
    peer.send(&reply(&refer, "202 Accepted", "", "")).await;
    assert_eq!(within(referring).await.unwrap(), Ok(Referred::Connected));
}
