//! Callers' ears: sockets that sound is sent to, of which some are listened at.
//!
//! When a packet came is taken when this program sees it, which on a busy machine is later than it came: what
//! is late here is no fewer than what was.

use std::{
    collections::{HashMap, HashSet},
    io,
    net::{Ipv4Addr, UdpSocket},
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

/// What a packet may come later than the earliest of its stream, 20 ms for each of them counted off.
const LATE_AFTER: Duration = Duration::from_millis(20);
const PACKET_LASTS: Duration = Duration::from_millis(20);
/// A datagram is not longer.
const DATAGRAM_BYTES_MAX: usize = 2_048;

/// Sockets of callers.
pub(crate) struct Listeners {
    /// Each for one call.
    ears: Vec<UdpSocket>,
    /// For all other calls, never read: the kernel drops what does not fit.
    sink: UdpSocket,
}

/// What was received.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) streams: usize,
    pub(crate) packets: usize,
    pub(crate) late: usize,
    pub(crate) missing: usize,
    pub(crate) worst: Duration,
}

impl Listeners {
    pub(crate) fn open(ears: usize) -> io::Result<Self> {
        let socket = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
        Ok(Self {
            ears: (0..ears).map(|_| socket()).collect::<Result<_, _>>()?,
            sink: socket()?,
        })
    }

    /// The ports that so many calls name; those that are listened at are spread over them.
    pub(crate) fn ports(&self, calls: usize) -> Vec<u16> {
        let port = |socket: &UdpSocket| socket.local_addr().map_or(0, |address| address.port());
        let mut ports = vec![port(&self.sink); calls];
        let step = calls / self.ears.len().max(1);
        for (index, ear) in self.ears.iter().enumerate() {
            if let Some(place) = ports.get_mut(index * step) {
                *place = port(ear);
            }
        }
        ports
    }

    /// Receives for so long.
    pub(crate) fn listen(&self, lasting: Duration) -> anyhow::Result<Heard> {
        if self.ears.is_empty() {
            std::thread::sleep(lasting);
            return Ok(Heard::default());
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let mut streams = JoinSet::new();
            for ear in &self.ears {
                let ear = ear.try_clone()?;
                ear.set_nonblocking(true)?;
                empty(&ear)?;
                streams.spawn(stream(
                    tokio::net::UdpSocket::from_std(ear)?,
                    Instant::now() + lasting,
                ));
            }
            let mut all = Heard::default();
            while let Some(heard) = streams.join_next().await {
                let heard = judge(&heard??);
                all.streams += 1;
                all.packets += heard.packets;
                all.late += heard.late;
                all.missing += heard.missing;
                all.worst = all.worst.max(heard.worst);
            }
            Ok(all)
        })
    }
}

/// Throws away what waits in a socket: it came when nobody looked.
fn empty(socket: &UdpSocket) -> io::Result<()> {
    let mut datagram = [0; DATAGRAM_BYTES_MAX];
    loop {
        match socket.recv(&mut datagram) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

/// A packet: of which source, its sequence number, and when it was seen.
type Packet = ([u8; 4], u16, Instant);

/// What came to one socket.
async fn stream(socket: tokio::net::UdpSocket, until: Instant) -> io::Result<Vec<Packet>> {
    let mut datagram = [0; DATAGRAM_BYTES_MAX];
    let mut packets = Vec::new();
    loop {
        // Dropping it loses no packet: it stays in the socket.
        let received = tokio::time::timeout_at(until.into(), socket.recv(&mut datagram)).await;
        let Ok(length) = received else {
            return Ok(packets);
        };
        if length? >= 12 {
            let source = [datagram[8], datagram[9], datagram[10], datagram[11]];
            let sequence = u16::from_be_bytes([datagram[2], datagram[3]]);
            packets.push((source, sequence, Instant::now()));
        }
    }
}

/// Judges the source that sent most: a straggler of a server before, to a port that is used again, is another.
fn judge(packets: &[Packet]) -> Heard {
    let mut counts: HashMap<[u8; 4], usize> = HashMap::new();
    for (source, ..) in packets {
        *counts.entry(*source).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    let packets: Vec<_> = packets
        .iter()
        .filter(|(source, ..)| most.is_some_and(|(most, _)| most == *source))
        .map(|(_, sequence, at)| (*sequence, *at))
        .collect();
    let Some(&(first, begin)) = packets.first() else {
        return Heard::default();
    };
    // In units of the first packet's time; a stream of a minute does not come round to the same number.
    let due = |sequence: u16| {
        i64::from(sequence.wrapping_sub(first).cast_signed()) * PACKET_LASTS.as_micros() as i64
    };
    let offset = |&(sequence, at): &(u16, Instant)| (at - begin).as_micros() as i64 - due(sequence);
    let earliest = packets.iter().map(offset).min().unwrap_or_default();
    let behind = |packet: &(u16, Instant)| {
        Duration::from_micros(u64::try_from(offset(packet) - earliest).unwrap_or_default())
    };
    let seen: HashSet<u16> = packets.iter().map(|(sequence, _)| *sequence).collect();
    let last = packets.last().map_or(0, |(last, _)| last.wrapping_sub(first));
    Heard {
        streams: 1,
        packets: packets.len(),
        late: packets
            .iter()
            .filter(|packet| behind(packet) > LATE_AFTER)
            .count(),
        missing: (usize::from(last) + 1).saturating_sub(seen.len()),
        worst: packets.iter().map(behind).max().unwrap_or_default(),
    }
}
