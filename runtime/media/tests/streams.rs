//! Streams over real sockets, against [`Peer`]s. Nothing here asserts how long something takes:
//! packets and what is in them are counted, so that a busy machine only makes it slower.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use tokio::sync::mpsc::Receiver;
use trunkline_media::{
    Codec, Heard, Media, Recording, Remote, Role, Settings, Sound, Stream, Tone, limits,
    peer::{Packet, Peer},
    rtcp, rtp,
};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const AT_MOST: Duration = Duration::from_secs(30);
const KEYS: u8 = 101;

fn media(ports: std::ops::RangeInclusive<u16>, workers: usize) -> Media {
    Media::start(Settings {
        address: HERE,
        ports,
        workers,
        recordings: None,
    })
    .expect("media starts")
}

fn port(stream: &Stream) -> SocketAddr {
    SocketAddr::new(HERE, stream.port())
}

/// A far end, in a call with a stream.
fn call(media: &Media, codec: Codec, beside: Option<&Stream>) -> (Stream, Receiver<Heard>, Peer) {
    let (stream, heard) = media.open(beside).expect("a stream");
    let peer = Peer::bind(HERE).expect("a peer");
    stream.connect(Remote::new(
        peer.address().expect("an address"),
        codec,
        Some(KEYS),
    ));
    peer.talk(port(&stream), codec, Some(KEYS));
    (stream, heard, peer)
}

fn next(heard: &mut Receiver<Heard>) -> Heard {
    heard.blocking_recv().expect("the stream is open")
}

fn payloads(packets: &[Packet]) -> Vec<u8> {
    packets.iter().flat_map(|packet| packet.payload.clone()).collect()
}

/// Whether one is somewhere in the other.
fn holds(all: &[u8], part: &[u8]) -> bool {
    all.windows(part.len()).any(|window| window == part)
}

/// A sound that is nowhere like itself.
fn speech(seed: u32, frames: usize) -> Sound {
    let mut state = seed;
    let samples = (0..frames * limits::FRAME).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 16) as i16) / 2
    });
    Sound::from_pcm(samples.collect())
}

#[test]
fn a_prompt_is_heard_to_the_byte_and_its_end_is_told() {
    for (codec, ports) in [(Codec::Pcma, 21_000..=21_009), (Codec::Pcmu, 21_010..=21_019)] {
        let media = media(ports, 1);
        let (stream, mut heard, peer) = call(&media, codec, None);
        let sounds = vec![speech(1, 10), speech(2, 7)];
        stream.play(7, sounds.clone(), false);
        assert_eq!(
            next(&mut heard),
            Heard::Played {
                id: 7,
                complete: true
            }
        );
        let wanted: Vec<u8> = sounds
            .iter()
            .flat_map(|sound| sound.encoded(codec).to_vec())
            .collect();
        assert!(peer.wait_until(AT_MOST, |packets| holds(&payloads(packets), &wanted)));
        let packets = peer.heard();
        assert!(packets[0].marker && packets.iter().all(|packet| packet.payload.len() == limits::FRAME));
        for pair in packets.windows(2) {
            assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1));
            assert_eq!(pair[1].ssrc, pair[0].ssrc);
            assert!(
                pair[1]
                    .timestamp
                    .wrapping_sub(pair[0].timestamp)
                    .is_multiple_of(160)
            );
        }
        assert!(stream.statistics().packets_out >= packets.len() as u64);
    }
}

#[test]
fn keys_are_told_once_and_stop_what_they_may() {
    let media = media(21_020..=21_029, 1);
    let (stream, mut heard, peer) = call(&media, Codec::Pcma, None);
    stream.play(1, vec![speech(1, 2_000)], true);
    stream.play(2, vec![speech(1, 2_000)], true);
    peer.press("4#");
    assert_eq!(
        next(&mut heard),
        Heard::Played {
            id: 1,
            complete: false
        }
    );
    assert_eq!(
        next(&mut heard),
        Heard::Played {
            id: 2,
            complete: false
        }
    );
    let held = Duration::from_millis(20);
    assert_eq!(next(&mut heard), Heard::Key { key: '4', held });
    assert_eq!(
        next(&mut heard),
        Heard::KeyUp {
            key: '4',
            held: Duration::from_millis(100)
        }
    );
    assert_eq!(next(&mut heard), Heard::Key { key: '#', held });
    assert_eq!(
        next(&mut heard),
        Heard::KeyUp {
            key: '#',
            held: Duration::from_millis(100)
        }
    );
    stream.send_keys("19*");
    assert!(peer.wait_until(AT_MOST, |packets| {
        packets
            .iter()
            .filter(|packet| packet.payload_type == KEYS)
            .count()
            == 24
    }));
    assert_eq!(peer.keys(KEYS), "19*");
}

#[test]
fn a_third_party_is_neither_heard_nor_talked_to() {
    let media = media(21_030..=21_039, 1);
    let (stream, mut heard) = media.open(None).expect("a stream");
    let (peer, thief) = (
        Peer::bind(HERE).expect("a peer"),
        Peer::bind(HERE).expect("a peer"),
    );
    stream.connect(Remote::new(
        peer.address().expect("an address"),
        Codec::Pcma,
        Some(KEYS),
    ));
    // The thief is first, loud, and presses keys.
    thief.talk(port(&stream), Codec::Pcma, Some(KEYS));
    thief.press("666");
    while stream.statistics().dropped < 30 {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(stream.statistics().packets_in, 0);
    peer.talk(port(&stream), Codec::Pcma, Some(KEYS));
    peer.press("1");
    assert!(matches!(next(&mut heard), Heard::Key { key: '1', .. }));
    assert!(peer.wait_until(AT_MOST, |packets| packets.len() > 20));
    assert!(thief.heard().is_empty());
}

#[test]
fn a_phone_behind_a_translator_is_found_by_its_first_packet() {
    let media = media(21_040..=21_049, 1);
    let (stream, mut heard) = media.open(None).expect("a stream");
    let (peer, other) = (
        Peer::bind(HERE).expect("a peer"),
        Peer::bind(HERE).expect("a peer"),
    );
    let mut remote = Remote::new(
        "192.0.2.1:4000".parse().expect("an address"),
        Codec::Pcma,
        Some(KEYS),
    );
    remote.only_from.allowed.push(HERE);
    stream.connect(remote);
    peer.talk(port(&stream), Codec::Pcma, Some(KEYS));
    assert!(peer.wait_until(AT_MOST, |packets| packets.len() > 5));
    other.talk(port(&stream), Codec::Pcma, Some(KEYS));
    other.press("6");
    while !other.is_done() {
        std::thread::sleep(Duration::from_millis(20));
    }
    peer.press("1");
    assert!(matches!(next(&mut heard), Heard::Key { key: '1', .. }));
    assert!(other.heard().is_empty());
}

#[test]
fn garbage_and_floods_cost_a_counter() {
    let media = media(21_050..=21_059, 1);
    let (stream, mut heard, peer) = call(&media, Codec::Pcma, None);
    let attacker = Peer::bind(HERE).expect("a peer");
    for number in 0..2_000u32 {
        let bytes = [number.to_le_bytes(), [0x80, 8, 0, 0], number.to_be_bytes()].concat();
        attacker
            .send_raw(&bytes[(number % 12) as usize..], port(&stream))
            .expect("sent");
        let next_port = SocketAddr::new(HERE, stream.port() + 1);
        attacker.send_raw(&bytes, next_port).expect("sent");
    }
    // Damaged packets from the far end itself: another payload type, an event of two bytes, a huge one.
    let packet = |payload_type, payload| rtp::Packet {
        marker: false,
        payload_type,
        sequence: 1,
        timestamp: 1,
        ssrc: 1,
        payload,
    };
    let huge = [0; 1_700];
    for packet in [
        packet(96, &huge[..160]),
        packet(KEYS, &huge[..2]),
        packet(8, &huge[..]),
        packet(8, &huge[..0]),
    ] {
        let mut bytes = [0; 2_000];
        let length = rtp::write(&packet, &mut bytes);
        peer.send_raw(&bytes[..length], port(&stream)).expect("sent");
    }
    // What fills the kernel's buffer leaves no room for the key, either: it is pressed until it is heard.
    let told = loop {
        if let Ok(told) = heard.try_recv() {
            break told;
        }
        if peer.is_done() {
            peer.press("5");
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(matches!(told, Heard::Key { key: '5', .. }));
    assert!(stream.statistics().dropped > 100);
}

#[test]
fn a_bridge_relays_sound_to_the_byte_and_keys_across_workers() {
    let media = media(21_060..=21_079, 2);
    let (caller, mut caller_heard, caller_phone) = call(&media, Codec::Pcma, None);
    // On the other worker: it has to move.
    let (agent, mut agent_heard, agent_phone) = call(&media, Codec::Pcma, None);
    caller.bridge(&agent);
    let (said, answered) = (speech(3, 40), speech(4, 40));
    // Before the bridge stands, sound is lost: it is said until it is heard.
    let across = |from: &Peer, sound: &Sound, to: &Peer| {
        let wanted = sound.encoded(Codec::Pcma);
        (0..20).any(|_| {
            from.play(sound);
            to.wait_until(Duration::from_secs(3), |packets| {
                holds(&payloads(packets), &wanted)
            })
        })
    };
    assert!(across(&caller_phone, &said, &agent_phone));
    assert!(across(&agent_phone, &answered, &caller_phone));
    assert_eq!(media.load().streams(), 2);
    caller_phone.press("3");
    assert!(matches!(next(&mut caller_heard), Heard::Key { key: '3', .. }));
    assert!(agent_phone.wait_until(AT_MOST, |packets| {
        packets.iter().any(|packet| packet.payload_type == KEYS)
    }));
    assert_eq!(agent_phone.keys(KEYS), "3");
    let ssrcs: std::collections::HashSet<u32> =
        agent_phone.heard().iter().map(|packet| packet.ssrc).collect();
    assert_eq!(ssrcs.len(), 1, "a bridge keeps the stream's own source");

    // A prompt wins over the relay, on its side only; then the relay goes on.
    let prompt = speech(5, 25);
    agent.play(9, vec![prompt.clone()], true);
    assert_eq!(
        next(&mut agent_heard),
        Heard::Played {
            id: 9,
            complete: true
        }
    );
    assert!(agent_phone.wait_until(AT_MOST, |packets| holds(
        &payloads(packets),
        &prompt.encoded(Codec::Pcma)
    )));
    assert!(across(&caller_phone, &speech(6, 20), &agent_phone));
    caller.unbridge();
    caller.play(10, vec![speech(7, 3)], false);
    while next(&mut caller_heard)
        != (Heard::Played {
            id: 10,
            complete: true,
        })
    {}
    agent_phone.forget();
    caller_phone.play(&speech(8, 10));
    while !caller_phone.is_done() {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(agent_phone.wait_until(AT_MOST, |packets| packets.len() > 10));
    assert!(
        agent_phone
            .heard()
            .iter()
            .all(|packet| packet.payload.iter().all(|byte| *byte == 0xd5))
    );
    drop(caller);
    drop(agent);
    while media.load().streams() > 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_bridge_between_the_laws_translates() {
    let media = media(21_080..=21_089, 1);
    let (caller, _caller_heard, caller_phone) = call(&media, Codec::Pcma, None);
    let (agent, _agent_heard, agent_phone) = call(&media, Codec::Pcmu, Some(&caller));
    agent.bridge(&caller);
    let said = speech(3, 40);
    let mut wanted = vec![0; said.samples().len()];
    Codec::Pcma.transcode_into(Codec::Pcmu, &said.encoded(Codec::Pcma), &mut wanted);
    assert!((0..20).any(|_| {
        caller_phone.play(&said);
        agent_phone.wait_until(Duration::from_secs(3), |packets| {
            holds(&payloads(packets), &wanted)
        })
    }));
}

#[test]
fn in_a_room_each_hears_whom_it_should() {
    let media = media(21_090..=21_109, 2);
    let (caller, mut caller_heard, caller_phone) = call(&media, Codec::Pcma, None);
    let (agent, _h2, agent_phone) = call(&media, Codec::Pcma, None);
    let (supervisor, _h3, supervisor_phone) = call(&media, Codec::Pcma, None);
    let room = media.room(Some(&caller));
    caller.join(&room, Role::Speaks);
    agent.join(&room, Role::Speaks);
    supervisor.join(&room, Role::Whispers { to: agent.id() });
    // Silence of A-law is not quite zero, and would be added.
    caller_phone.hush();
    agent_phone.hush();
    let advice = speech(9, 30);
    let wanted = advice.encoded(Codec::Pcma);
    let hears = |phone: &Peer, within: Duration| {
        phone.wait_until(within, |packets| holds(&payloads(packets), &wanted))
    };
    assert!((0..20).any(|_| {
        supervisor_phone.play(&advice);
        hears(&agent_phone, Duration::from_secs(3))
    }));
    assert!(!hears(&caller_phone, Duration::ZERO), "a whisper is for one");
    supervisor.join(&room, Role::Speaks);
    assert!((0..20).any(|_| {
        supervisor_phone.play(&advice);
        hears(&caller_phone, Duration::from_secs(3))
    }));
    supervisor_phone.hush();
    caller_phone.talk(port(&caller), Codec::Pcma, Some(KEYS));
    assert!((0..20).any(|_| {
        caller_phone.play(&advice);
        hears(&supervisor_phone, Duration::from_secs(3))
    }));
    // Who has left is heard no more.
    caller.leave_room();
    caller.play(1, vec![Sound::silence(Duration::from_millis(200))], false);
    while next(&mut caller_heard)
        != (Heard::Played {
            id: 1,
            complete: true,
        })
    {}
    supervisor_phone.forget();
    caller_phone.play(&advice);
    while !caller_phone.is_done() {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(supervisor_phone.wait_until(AT_MOST, |packets| packets.len() > 10));
    assert!(
        supervisor_phone.heard()[1..]
            .iter()
            .all(|packet| packet.payload.iter().all(|byte| *byte == 0xd5))
    );
}

#[test]
fn a_hold_pauses_what_is_played() {
    let media = media(21_110..=21_119, 1);
    let (stream, mut heard, peer) = call(&media, Codec::Pcma, None);
    assert!(peer.wait_until(AT_MOST, |packets| packets.len() > 3));
    let mut held = Remote::new(peer.address().expect("an address"), Codec::Pcma, Some(KEYS));
    held.sends = false;
    stream.connect(held.clone());
    let prompt = speech(2, 15);
    stream.play(1, vec![prompt.clone()], false);
    // The far end's key comes through, and by then the hold is in force.
    peer.press("1");
    assert!(matches!(next(&mut heard), Heard::Key { .. }));
    assert!(matches!(next(&mut heard), Heard::KeyUp { .. }));
    assert!(!holds(
        &payloads(&peer.heard()),
        &prompt.encoded(Codec::Pcma)[..160]
    ));
    held.sends = true;
    stream.connect(held);
    assert_eq!(
        next(&mut heard),
        Heard::Played {
            id: 1,
            complete: true
        }
    );
    assert!(peer.wait_until(AT_MOST, |packets| holds(
        &payloads(packets),
        &prompt.encoded(Codec::Pcma)
    )));
}

#[test]
fn music_plays_beneath_until_it_is_stopped() {
    let media = media(21_120..=21_129, 1);
    let (stream, mut heard, peer) = call(&media, Codec::Pcma, None);
    let music = speech(11, 5);
    stream.repeat(1, vec![music.clone()]);
    let twice = [&music.encoded(Codec::Pcma)[..], &music.encoded(Codec::Pcma)[..]].concat();
    assert!(peer.wait_until(AT_MOST, |packets| holds(&payloads(packets), &twice)));
    stream.play(2, vec![speech(12, 5)], false);
    assert_eq!(
        next(&mut heard),
        Heard::Played {
            id: 2,
            complete: true
        }
    );
    peer.forget();
    assert!(peer.wait_until(AT_MOST, |packets| holds(&payloads(packets), &twice)));
    stream.stop();
    assert_eq!(
        next(&mut heard),
        Heard::Played {
            id: 1,
            complete: false
        }
    );
    peer.forget();
    assert!(peer.wait_until(AT_MOST, |packets| packets.len() > 4));
    assert!(
        peer.heard()[1..]
            .iter()
            .all(|packet| packet.payload.iter().all(|byte| *byte == 0xd5))
    );
}

/// The two channels of a recording.
fn channels(path: &std::path::Path) -> (Vec<i16>, Vec<i16>) {
    let file = std::fs::read(path).expect("the recording");
    let sample = |bytes: &[u8]| i16::from_le_bytes([bytes[0], bytes[1]]);
    file[44..]
        .chunks_exact(4)
        .map(|frame| (sample(&frame[..2]), sample(&frame[2..])))
        .unzip()
}

fn decoded(sound: &Sound) -> Vec<i16> {
    sound
        .encoded(Codec::Pcma)
        .iter()
        .map(|byte| Codec::Pcma.sample(*byte))
        .collect()
}

fn place(all: &[i16], part: &[i16]) -> Option<usize> {
    all.windows(part.len()).position(|window| window == part)
}

/// The two channels of a new call: what it is told, what it answers, and then keys that are hidden, one of
/// them in the sound itself, as old gateways send them.
fn recorded(
    media: &Media,
    path: &std::path::Path,
    [prompt, answer, key]: [&Sound; 3],
) -> (Vec<i16>, Vec<i16>) {
    let path = path.to_owned();
    let (stream, mut heard, peer) = call(media, Codec::Pcma, None);
    stream.record(path.clone());
    assert_eq!(
        next(&mut heard),
        Heard::Recording(Recording::Began { path: path.clone() })
    );
    stream.play(1, vec![prompt.clone()], false);
    assert_eq!(
        next(&mut heard),
        Heard::Played {
            id: 1,
            complete: true
        }
    );
    peer.play(answer);
    // Once a key after it is heard, all of it has come.
    peer.press("0");
    assert!(matches!(next(&mut heard), Heard::Key { key: '0', .. }));
    assert!(matches!(next(&mut heard), Heard::KeyUp { .. }));
    stream.hide_keys(true);
    peer.press("1");
    assert!(matches!(next(&mut heard), Heard::Key { key: '1', .. }));
    peer.play(key);
    peer.press("2");
    assert!(matches!(next(&mut heard), Heard::KeyUp { .. }));
    assert!(matches!(next(&mut heard), Heard::Key { key: '2', .. }));
    assert!(matches!(next(&mut heard), Heard::KeyUp { .. }));
    stream.hide_keys(false);
    stream.stop_recording();
    let Heard::Recording(Recording::Done {
        path: done,
        seconds,
        lost_seconds,
    }) = next(&mut heard)
    else {
        panic!("the recording is done");
    };
    assert_eq!((done, lost_seconds), (path.clone(), 0.0));
    let (left, right) = channels(&path);
    assert_eq!(seconds, left.len() as f64 / 8_000.0);
    assert!(!path.with_extension("wav.part").exists());
    (left, right)
}

#[test]
fn a_recording_holds_both_sides_and_no_hidden_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let media = media(21_130..=21_139, 1);
    let (prompt, answer, key) = (speech(1, 12), speech(2, 12), Sound::tone(Tone::Key('7')));
    // A machine that stalls leaves a gap in what is said: then another call is recorded.
    let whole = (0..10).find_map(|number| {
        let path = folder.path().join(format!("{number}.wav"));
        let (left, right) = recorded(&media, &path, [&prompt, &answer, &key]);
        assert!(
            place(&left, &decoded(&key)[80..160]).is_none(),
            "no key is in the file"
        );
        let said = place(&left, &decoded(&answer))?;
        let sent = place(&right, &decoded(&prompt))?;
        Some((left, said, sent))
    });
    let (left, said, sent) = whole.expect("what the far end said is on the left, what it heard on the right");
    assert!(said > sent, "the answer came after the prompt");
    assert!(
        left.iter()
            .skip(said + answer.samples().len() + 800)
            .all(|sample| sample.abs() <= 8),
        "nothing but silence after the answer"
    );
}

#[test]
fn dropping_media_completes_recordings() {
    let folder = tempfile::tempdir().expect("a folder");
    let media = Media::start(Settings {
        address: HERE,
        ports: 21_140..=21_149,
        workers: 1,
        recordings: Some(folder.path().to_owned()),
    })
    .expect("media starts");
    let (stream, mut heard, _peer) = call(&media, Codec::Pcma, None);
    stream.record("a/b.wav".into());
    assert!(matches!(
        next(&mut heard),
        Heard::Recording(Recording::Began { .. })
    ));
    drop(media);
    assert!(folder.path().join("a/b.wav").exists());
    assert!(matches!(
        next(&mut heard),
        Heard::Recording(Recording::Done { .. })
    ));
    assert_eq!(heard.blocking_recv(), None);
    stream.play(1, vec![], false);
}

#[test]
fn a_listener_has_what_was_said() {
    let media = media(21_150..=21_159, 1);
    let (stream, _heard, peer) = call(&media, Codec::Pcma, None);
    let (to, mut pieces) = tokio::sync::mpsc::channel(16);
    stream.listen(Some(to));
    let said = speech(5, 10);
    assert_eq!(pieces.blocking_recv().expect("silence").len(), limits::FRAME);
    let wanted = decoded(&said);
    let mut all: Vec<i16> = Vec::new();
    while place(&all, &wanted).is_none() {
        // A thread that stalls loses a piece of it: it is said until all of it came.
        if peer.is_done() {
            peer.play(&said);
        }
        all.extend_from_slice(&pieces.blocking_recv().expect("more"));
        assert!(all.len() < 800_000, "it never came");
    }
    // Nobody takes them any more: that costs a counter.
    while stream.statistics().unlistened == 0 {
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn ports_come_to_an_end_and_come_back() {
    let media = media(21_160..=21_163, 1);
    let (first, _heard) = media.open(None).expect("a pair");
    let (second, _heard) = media.open(None).expect("another");
    assert!(first.port().is_multiple_of(2) && second.port().is_multiple_of(2));
    assert!(media.open(None).is_err());
    drop(first);
    while media.load().streams() > 1 {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(media.open(None).is_ok());
}

#[test]
fn reports_go_both_ways_and_goodbye_is_said() {
    let media = media(21_170..=21_179, 1);
    let (stream, _heard) = media.open(None).expect("a stream");
    let peer = Peer::bind(HERE).expect("a peer");
    let reports = UdpSocket::bind((HERE, 0)).expect("a socket");
    reports.set_read_timeout(Some(AT_MOST)).expect("a socket");
    let mut remote = Remote::new(peer.address().expect("an address"), Codec::Pcma, None);
    remote.rtcp = Some(reports.local_addr().expect("an address"));
    stream.connect(remote);
    peer.talk(port(&stream), Codec::Pcma, None);
    let mut bytes = [0; 512];
    let (length, from) = reports
        .recv_from(&mut bytes)
        .expect("a report within some seconds");
    assert_eq!(from.port(), stream.port() + 1);
    let report = rtcp::parse(&bytes[..length], 0).expect("a report");
    let sender = report.sender.expect("it sends");
    assert!(sender.packets > 0 && sender.octets == sender.packets * 160);
    let about = rtcp::Block {
        ssrc: report.ssrc,
        lost: 3,
        jitter: 80,
        last_report: (sender.ntp >> 16) as u32,
        ..rtcp::Block::default()
    };
    let mut answer = [0; rtcp::REPORT_BYTES_MAX];
    let length = rtcp::write_report(&mut answer, 9, None, Some(&about), b"0123456789abcdef");
    reports.send_to(&answer[..length], from).expect("sent");
    while stream.statistics().round_trip.is_none() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let statistics = stream.statistics();
    assert_eq!(
        (statistics.far_lost, statistics.far_jitter),
        (3, Duration::from_millis(10))
    );
    drop(stream);
    loop {
        let (length, _) = reports.recv_from(&mut bytes).expect("goodbye");
        if rtcp::parse(&bytes[..length], 0).expect("a report").goodbye {
            break;
        }
    }
}

/// A packet as a far end writes it.
fn raw(payload_type: u8, (ssrc, sequence, timestamp): (u32, u16, u32), payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; limits::DATAGRAM_BYTES_MAX];
    let length = rtp::write(
        &rtp::Packet {
            marker: false,
            payload_type,
            sequence,
            timestamp,
            ssrc,
            payload,
        },
        &mut bytes,
    );
    bytes.truncate(length);
    bytes
}

fn event(code: u8, end: bool, duration: u16) -> [u8; 4] {
    let [high, low] = duration.to_be_bytes();
    [code, if end { 0x8a } else { 0x0a }, high, low]
}

#[test]
fn a_key_that_has_its_own_sender_is_one_key() {
    let media = media(21_180..=21_189, 1);
    let (stream, mut heard, peer) = call(&media, Codec::Pcma, None);
    let to = port(&stream);
    peer.hush();
    // It hears once it is connected, and then it sends, too.
    assert!(peer.wait_until(AT_MOST, |packets| packets.len() > 2));
    let send = |bytes: Vec<u8>| peer.send_raw(&bytes, to).expect("it is sent");
    for packet in 0..10u16 {
        send(raw(8, (1, packet, u32::from(packet) * 160), &[0x55; 160]));
        send(raw(
            KEYS,
            (2, 500 + packet, 7_000),
            &event(5, packet > 6, (packet + 1) * 160),
        ));
    }
    for packet in 10..12u16 {
        send(raw(8, (1, packet, u32::from(packet) * 160), &[0x55; 160]));
        send(raw(KEYS, (2, 500 + packet, 9_000), &event(6, true, 160)));
    }
    assert!(matches!(next(&mut heard), Heard::Key { key: '5', .. }));
    assert!(matches!(next(&mut heard), Heard::KeyUp { key: '5', .. }));
    assert!(matches!(next(&mut heard), Heard::Key { key: '6', .. }));
    let statistics = stream.statistics();
    assert_eq!((statistics.lost, statistics.dropped), (0, 0));
}

#[test]
fn a_key_that_comes_haltingly_crosses_a_bridge_as_one() {
    let media = media(21_190..=21_199, 1);
    let (caller, mut caller_heard, caller_phone) = call(&media, Codec::Pcma, None);
    let (agent, _agent_heard, agent_phone) = call(&media, Codec::Pcma, Some(&caller));
    caller.bridge(&agent);
    caller_phone.hush();
    assert!(agent_phone.wait_until(AT_MOST, |packets| packets.len() > 5));
    let to = port(&caller);
    for (packet, (end, duration)) in [(false, 160), (false, 1_600), (true, 3_200), (true, 3_200)]
        .into_iter()
        .enumerate()
    {
        let sequence = u16::try_from(packet).expect("a few");
        caller_phone
            .send_raw(&raw(KEYS, (1, sequence, 7_000), &event(5, end, duration)), to)
            .expect("it is sent");
        // Longer than a gap that is filled with silence.
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(matches!(next(&mut caller_heard), Heard::Key { key: '5', .. }));
    assert!(agent_phone.wait_until(AT_MOST, |packets| {
        packets
            .iter()
            .filter(|packet| packet.payload_type == KEYS)
            .count()
            == 4
    }));
    let heard = agent_phone.heard();
    let keys: Vec<_> = heard
        .iter()
        .filter(|packet| packet.payload_type == KEYS)
        .collect();
    assert!(keys.iter().all(|packet| packet.timestamp == keys[0].timestamp));
    assert_eq!(agent_phone.keys(KEYS), "5");
}

#[test]
fn a_hidden_key_that_becomes_a_tone_is_in_no_recording() {
    let folder = tempfile::tempdir().expect("a folder");
    let media = media(21_200..=21_209, 1);
    let (caller, mut caller_heard, caller_phone) = call(&media, Codec::Pcma, None);
    let (agent, mut agent_heard, agent_phone) = call(&media, Codec::Pcma, Some(&caller));
    // The agent's phone takes no events: keys go to it as tones.
    let at = agent_phone.address().expect("an address");
    agent.connect(Remote::new(at, Codec::Pcma, None));
    caller.bridge(&agent);
    let tone = |key| {
        let tone = Sound::tone(Tone::Key(key)).encoded(Codec::Pcma);
        tone[..limits::FRAME].to_vec()
    };
    for (key, hidden) in [('5', true), ('7', false)] {
        let path = folder.path().join(format!("{key}.wav"));
        agent.record(path.clone());
        assert!(matches!(
            next(&mut agent_heard),
            Heard::Recording(Recording::Began { .. })
        ));
        caller.hide_keys(hidden);
        caller_phone.press(&key.to_string());
        assert!(matches!(next(&mut caller_heard), Heard::Key { .. }));
        assert!(matches!(next(&mut caller_heard), Heard::KeyUp { .. }));
        assert!(agent_phone.wait_until(AT_MOST, |packets| holds(&payloads(packets), &tone(key))));
        let so_far = agent_phone.heard().len();
        assert!(agent_phone.wait_until(AT_MOST, |packets| packets.len() > so_far + 30));
        agent.stop_recording();
        assert!(matches!(
            next(&mut agent_heard),
            Heard::Recording(Recording::Done { .. })
        ));
        let (_, right) = channels(&path);
        let loud = right.iter().any(|sample| sample.abs() > 1_000);
        assert_eq!(loud, !hidden, "{key}");
        caller.hide_keys(false);
        // What follows stays hidden for some ticks: more of them go by with a silence of its own.
        caller.play(1, vec![Sound::silence(Duration::from_millis(600))], false);
        assert_eq!(
            next(&mut caller_heard),
            Heard::Played {
                id: 1,
                complete: true
            }
        );
    }
}

#[test]
fn a_bridge_that_was_ended_at_once_does_not_come_back() {
    let media = media(21_210..=21_289, 2);
    let pairs: Vec<_> = (0..10)
        .map(|_| {
            let (caller, agent) = (call(&media, Codec::Pcma, None), call(&media, Codec::Pcma, None));
            // The agent's stream moves to the caller's; the caller's own worker hears of the end first.
            caller.0.bridge(&agent.0);
            caller.0.unbridge();
            (caller, agent)
        })
        .collect();
    std::thread::sleep(Duration::from_millis(200));
    for (caller, agent) in &pairs {
        agent.2.forget();
        caller.2.play(&speech(1, 10));
    }
    for (caller, agent) in &pairs {
        while !caller.2.is_done() {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(agent.2.wait_until(AT_MOST, |packets| packets.len() > 20));
        let heard = agent.2.heard();
        assert!(
            heard
                .iter()
                .all(|packet| packet.payload.iter().all(|byte| *byte == 0xd5)),
            "nothing is relayed"
        );
    }
}
