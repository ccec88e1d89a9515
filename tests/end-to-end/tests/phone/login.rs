//! An agent's phone whose calls sipp makes: it registers here, since sipp knows no digest but that of
//! MD5 where another is offered first (RFC 8760), and what it needs for a call of its own is made here.

use std::net::{Ipv4Addr, SocketAddr};

use end_to_end::PATIENCE;
use sha2::{Digest as _, Sha256};
use tokio::{net::UdpSocket, time::timeout};

/// Who has registered, and what was said to it.
pub(crate) struct Login {
    user: &'static str,
    password: &'static str,
    realm: String,
    nonce: String,
    /// How often the nonce was used.
    used: u32,
}

impl Login {
    /// Registers a phone at an address of this machine.
    pub(crate) async fn register(
        server: SocketAddr,
        at: (Ipv4Addr, u16),
        user: &'static str,
        password: &'static str,
    ) -> Self {
        let socket = UdpSocket::bind(at).await.expect("the port is free");
        let uri = format!("sip:{server}");
        let asked = exchange(&socket, server, &register(user, at, &uri, 1, "")).await;
        assert!(asked.starts_with("SIP/2.0 401"), "{asked}");
        let challenge = asked
            .lines()
            .find(|line| line.starts_with("WWW-Authenticate:") && line.contains("SHA-256"))
            .unwrap_or_else(|| panic!("SHA-256 is offered: {asked}"));
        let value = |name: &str| {
            let (_, rest) = challenge
                .split_once(&format!("{name}=\""))
                .expect("it is in the challenge");
            rest.split('"').next().unwrap_or_default().to_owned()
        };
        let mut login = Self {
            user,
            password,
            realm: value("realm"),
            nonce: value("nonce"),
            used: 0,
        };
        let proof = login.proof("REGISTER", &uri);
        let answer = exchange(&socket, server, &register(user, at, &uri, 2, &proof)).await;
        assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
        login
    }

    /// The header that proves the password for a request.
    pub(crate) fn proof(&mut self, method: &str, uri: &str) -> String {
        self.used += 1;
        let (user, realm, nonce) = (self.user, &self.realm, &self.nonce);
        let count = format!("{:08x}", self.used);
        let one = hash(&format!("{user}:{realm}:{}", self.password));
        let two = hash(&format!("{method}:{uri}"));
        let response = hash(&format!("{one}:{nonce}:{count}:c0ffee:auth:{two}"));
        format!(
            "Authorization: Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", \
             algorithm=SHA-256, opaque=\"trunkline\", qop=auth, nc={count}, cnonce=\"c0ffee\", response=\"{response}\""
        )
    }
}

fn hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn register(user: &str, (address, port): (Ipv4Addr, u16), uri: &str, sequence: u32, proof: &str) -> String {
    let mut lines = vec![
        format!("REGISTER {uri} SIP/2.0"),
        format!("Via: SIP/2.0/UDP {address}:{port};branch=z9hG4bKregister{port}{sequence};rport"),
        format!("From: <sip:{user}@{address}>;tag=register{port}"),
        format!("To: <sip:{user}@{address}>"),
        format!("Call-ID: register-{port}"),
        format!("CSeq: {sequence} REGISTER"),
        format!("Contact: <sip:{user}@{address}:{port}>"),
        "Max-Forwards: 70".to_owned(),
        "Expires: 300".to_owned(),
    ];
    if !proof.is_empty() {
        lines.push(proof.to_owned());
    }
    lines.push("Content-Length: 0\r\n\r\n".to_owned());
    lines.join("\r\n")
}

async fn exchange(socket: &UdpSocket, server: SocketAddr, request: &str) -> String {
    socket
        .send_to(request.as_bytes(), server)
        .await
        .expect("a datagram may be sent");
    let mut answer = [0; 4_096];
    let count = timeout(PATIENCE, socket.recv(&mut answer))
        .await
        .expect("a registration is answered")
        .expect("a registration is answered");
    String::from_utf8_lossy(&answer[..count]).into_owned()
}
