//! Who may come in: strangers, passwords, phones behind translators, streams.

use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpStream, UdpSocket};
use trunkline_sip::{Config, Destination, HangUp, Happened, Settings, Sip, Transport, Trunk};

use crate::common::{Node, account, answer, config, next, number, settings, trunk, within};
use crate::raw::{Peer, SDP, login, registered, reply, to_tag, with_a_phone};

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
