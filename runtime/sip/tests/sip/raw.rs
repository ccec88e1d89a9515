//! A raw socket as the peer: it says what no exchange would.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::UdpSocket;
use trunkline_sip::{Arriving, Config, Happened, Transport};

use crate::common::{Node, account, answer, config, next, trunk, within};

pub(crate) const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n";

pub(crate) struct Peer {
    pub(crate) socket: UdpSocket,
    pub(crate) to: SocketAddr,
}

impl Peer {
    pub(crate) async fn of(node: &Node) -> Peer {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
        Peer {
            socket,
            to: node.address(Transport::Udp),
        }
    }

    pub(crate) fn here(&self) -> SocketAddr {
        self.socket.local_addr().expect("an address")
    }

    /// A request with everything it needs; `more` are header lines.
    pub(crate) fn request(
        &self,
        method: &str,
        call: &str,
        sequence: u32,
        to: &str,
        more: &str,
        body: &str,
    ) -> String {
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

    pub(crate) async fn send(&self, message: &str) {
        self.socket
            .send_to(message.as_bytes(), self.to)
            .await
            .expect("it is sent");
    }

    pub(crate) async fn receive(&self) -> String {
        let mut buffer = [0; 65_536];
        let (length, _) = within(self.socket.recv_from(&mut buffer))
            .await
            .expect("something comes");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    /// The next message that begins so; others are passed over.
    pub(crate) async fn wait_for(&self, begin: &str) -> String {
        loop {
            let message = self.receive().await;
            if message.starts_with(begin) {
                return message;
            }
        }
    }

    /// The status of the final answer to a request.
    pub(crate) async fn status(&self, message: &str) -> u16 {
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

    pub(crate) async fn silent(&self) -> bool {
        let mut buffer = [0; 2_048];
        tokio::time::timeout(Duration::from_millis(300), self.socket.recv_from(&mut buffer))
            .await
            .is_err()
    }
}

pub(crate) fn to_tag(message: &str) -> String {
    let line = message
        .lines()
        .find(|line| line.starts_with("To:"))
        .expect("a To");
    format!(";tag={}", line.split("tag=").nth(1).expect("a tag").trim())
}

pub(crate) async fn known() -> Node {
    Node::udp(config(trunk("carrier", None))).await
}

/// A call that the peer made and the node answered; tells the tag of the answer.
pub(crate) async fn up(
    node: &mut Node,
    peer: &Peer,
    call: &str,
    more: &str,
) -> (trunkline_sip::Call, String) {
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

/// An exchange whose only phone is Anna's.
pub(crate) fn with_a_phone() -> Config {
    Config {
        accounts: vec![account("anna", "geheim")],
        ..Config::default()
    }
}

/// The answer to a challenge (RFC 2617, MD5).
pub(crate) fn login(challenge: &str, method: &str, password: &str, count: u32) -> String {
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
pub(crate) async fn registered(node: &mut Node, peer: &Peer, contact: &str) {
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
pub(crate) fn reply(request: &str, status: &str, more: &str, body: &str) -> String {
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
