//! Exchanges on loopback for the tests.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::mpsc;
use trunkline_sip::sdp::{Codec, Direction, Ours};
use trunkline_sip::{
    Account, Arriving, Call, Config, Credentials, Destination, Happened, Incoming, Listen, Outgoing,
    SessionDescription, Settings, Sip, Target, Transport, Trunk,
};

/// Long enough for anything here.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Node {
    pub(crate) sip: Sip,
    pub(crate) arrivals: mpsc::Receiver<Arriving>,
}

pub(crate) fn settings(transports: &[Transport]) -> Settings {
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    Settings {
        listen: transports
            .iter()
            .map(|transport| Listen {
                transport: *transport,
                address,
            })
            .collect(),
        t1: Duration::from_millis(20),
        ..Settings::default()
    }
}

impl Node {
    pub(crate) async fn start(settings: Settings, config: Config) -> Node {
        let (sip, arrivals) = Sip::start(settings, config).await.expect("it starts");
        Node { sip, arrivals }
    }

    pub(crate) async fn udp(config: Config) -> Node {
        Node::start(settings(&[Transport::Udp]), config).await
    }

    pub(crate) fn address(&self, transport: Transport) -> SocketAddr {
        let addresses = self.sip.addresses();
        addresses
            .iter()
            .find(|(of, _)| *of == transport)
            .expect("it listens")
            .1
    }

    pub(crate) async fn arriving(&mut self) -> Arriving {
        within(self.arrivals.recv()).await.expect("something arrives")
    }

    pub(crate) async fn incoming(&mut self) -> Incoming {
        match self.arriving().await {
            Arriving::Call(incoming) => *incoming,
            other => panic!("a call was expected, not {other:?}"),
        }
    }

    pub(crate) async fn call(&self, to: Destination) -> Call {
        self.sip.call(outgoing(to)).await.expect("the call is made")
    }
}

pub(crate) fn outgoing(to: Destination) -> Outgoing {
    Outgoing {
        to,
        from: (Some("Anna".to_owned()), "4711".to_owned()),
        offer: SessionDescription::offer(&ours(40_000, 1)),
        headers: Vec::new(),
        ring: Duration::from_secs(30),
    }
}

/// A trunk that trusts loopback and leads to an address.
pub(crate) fn trunk(name: &str, to: Option<(SocketAddr, Transport)>) -> Trunk {
    Trunk {
        name: name.to_owned(),
        networks: vec!["127.0.0.0/8".parse().expect("a network")],
        to: to.map(|(address, transport)| Target {
            host: address.ip().to_string(),
            port: Some(address.port()),
            transport,
        }),
        ..Trunk::default()
    }
}

pub(crate) fn account(name: &str, password: &str) -> Account {
    let login = Credentials {
        user: name.to_owned(),
        password: password.to_owned(),
    };
    Account {
        name: name.to_owned(),
        login,
    }
}

pub(crate) fn number(trunk: &str, number: &str) -> Destination {
    Destination::Trunk {
        name: trunk.to_owned(),
        number: number.to_owned(),
    }
}

pub(crate) fn ours(port: u16, version: u64) -> Ours {
    Ours {
        session: 1,
        version,
        address: SocketAddr::from(([127, 0, 0, 1], port)),
        codecs: vec![Codec::Pcma, Codec::Pcmu],
        direction: Direction::SendReceive,
        rtcp_mux: false,
    }
}

pub(crate) fn answer(offer: &SessionDescription, port: u16) -> SessionDescription {
    trunkline_sip::sdp::negotiate(offer, &ours(port, 1))
        .expect("a common codec")
        .description
}

pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("it happens in time")
}

pub(crate) async fn next(call: &mut Call) -> Happened {
    within(call.events()).await.expect("something happens")
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, wait).await.is_ok(), "{what}");
}

/// Two exchanges that are each other's trunk.
pub(crate) async fn pair(transport: Transport) -> (Node, Node) {
    let callee = Node::start(settings(&[transport]), config(trunk("caller", None))).await;
    let mut all = vec![Transport::Udp];
    if transport != Transport::Udp {
        all = vec![transport];
    }
    let to = Some((callee.address(transport), transport));
    let caller = Node::start(settings(&all), config(trunk("carrier", to))).await;
    (caller, callee)
}

pub(crate) fn config(trunk: Trunk) -> Config {
    Config {
        trunks: vec![trunk],
        accounts: Vec::new(),
    }
}

/// A call that is up, at both ends.
pub(crate) async fn up(caller: &Node, callee: &mut Node) -> (Call, Call) {
    let mut out = caller.call(number("carrier", "200")).await;
    let incoming = callee.incoming().await;
    let mut come = incoming.call;
    let offer = incoming.offer.expect("an offer");
    within(come.answer(answer(&offer, 50_000)))
        .await
        .expect("it is acknowledged");
    assert_eq!(next(&mut come).await, Happened::Acknowledged);
    assert!(matches!(next(&mut out).await, Happened::Answered(_)));
    (out, come)
}
