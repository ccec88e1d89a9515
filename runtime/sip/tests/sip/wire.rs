//! Rules of the wire: malformed messages, lost and racing ones.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use trunkline_sip::{
    Arriving, Credentials, HangUp, Happened, Referred, SessionDescription, Settings, Transport, Trunk, Why,
};

use crate::common::{Node, answer, config, next, ours, settings, trunk, until, within};
use crate::raw::{Peer, SDP, known, reply, to_tag, up};

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
    // A call to another number is told from those that still come of all that.
    let fresh = Peer::of(&both).await;
    let request = |method: &str, to: &str, body: &str| {
        fresh
            .request(method, "after", 1, to, "", body)
            .replace("sip:200@", "sip:after@")
    };
    let incoming = within(async {
        loop {
            // It is lost where the kernel's buffer is still full: then it is sent again.
            fresh.send(&request("INVITE", "", SDP)).await;
            let arriving = tokio::time::timeout(Duration::from_millis(500), both.arrivals.recv()).await;
            if let Ok(Some(Arriving::Call(incoming))) = arriving
                && incoming.called == "after"
            {
                break *incoming;
            }
        }
    })
    .await;
    let (call, offer) = (incoming.call, incoming.offer.expect("an offer"));
    let answering = tokio::spawn(async move { call.answer(answer(&offer, 50_000)).await });
    let tag = to_tag(&fresh.wait_for("SIP/2.0 200").await);
    fresh.send(&request("ACK", &tag, "")).await;
    within(answering).await.unwrap().unwrap();
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
