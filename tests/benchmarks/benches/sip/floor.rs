//! The floor of sound: what sending alone costs.

use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use benchmarks::{Throughput, measure};

/// A packet of 20 ms in G.711: the header of RTP and 160 samples.
const PACKET_BYTES: usize = 12 + 160;
/// Sockets that take turns, as each call has its own.
const SOCKETS: usize = 500;
/// Packets between two looks at the clock.
const PACKETS_PER_LOOK: u64 = 1_000;

/// Sends packets from many sockets to one that nobody reads, as sipp's, as fast as one thread can.
pub(crate) fn measure_sending(lasting: Duration) -> anyhow::Result<Throughput> {
    let sink = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let to: SocketAddr = sink.local_addr()?;
    let sockets = (0..SOCKETS)
        .map(|_| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)))
        .collect::<Result<Vec<_>, _>>()?;
    let packet = [0x80; PACKET_BYTES];
    let mut refused = None;
    let throughput = measure(|| {
        let begin = Instant::now();
        let mut sent = 0;
        let mut turns = sockets.iter().cycle();
        while begin.elapsed() < lasting && refused.is_none() {
            for socket in turns.by_ref().take(PACKETS_PER_LOOK as usize) {
                if let Err(error) = socket.send_to(&packet, to) {
                    refused = Some(error);
                    break;
                }
                sent += 1;
            }
        }
        sent
    });
    match refused {
        Some(error) => Err(error.into()),
        None => Ok(throughput),
    }
}
