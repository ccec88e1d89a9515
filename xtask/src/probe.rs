//! Whether a server that was just started answers.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

/// How long one question may take.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// Whether something listens on a port.
pub(crate) fn listens(port: u16) -> bool {
    connect(port).is_some()
}

/// Whether something listens at an address of this machine.
pub(crate) fn listens_at(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, ANSWER_MAX).is_ok()
}

/// Whether a server answers `GET path` with 200.
pub(crate) fn answers(port: u16, path: &str) -> bool {
    let Some(mut stream) = connect(port) else {
        return false;
    };
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    if stream.write_all(request.as_bytes()).is_err() {
        return false;
    }
    let mut status = [0; 12];
    stream.read_exact(&mut status).is_ok() && &status[8..] == b" 200"
}

fn connect(port: u16) -> Option<TcpStream> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stream = TcpStream::connect_timeout(&address, ANSWER_MAX).ok()?;
    stream.set_read_timeout(Some(ANSWER_MAX)).ok()?;
    stream.set_write_timeout(Some(ANSWER_MAX)).ok()?;
    Some(stream)
}
