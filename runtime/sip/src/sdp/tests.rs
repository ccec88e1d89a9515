//! Tests of the module above.

use std::net::SocketAddr;

use super::*;
use proptest::prelude::*;

fn ours() -> Ours {
    Ours {
        session: 7,
        version: 1,
        address: SocketAddr::from(([192, 0, 2, 1], 40_000)),
        codecs: vec![Codec::Pcma, Codec::Pcmu],
        direction: Direction::SendReceive,
        rtcp_mux: true,
    }
}

#[test]
fn what_is_offered_is_read_back_as_it_was() {
    let offer = SessionDescription::offer(&ours());
    assert_eq!(
        SessionDescription::parse(offer.to_string().as_bytes()).unwrap(),
        offer
    );
}

#[test]
fn static_types_need_no_map_and_the_peers_order_decides() {
    let offer = SessionDescription::parse(b"v=0\no=- 1 1 IN IP4 198.51.100.9\ns=-\nc=IN IP4 198.51.100.9\nt=0 0\nm=audio 4000 RTP/AVP 18 0 8 96\na=rtpmap:96 telephone-event/8000\n").unwrap();
    let answer = negotiate(&offer, &ours()).unwrap();
    assert_eq!(
        (answer.agreed.codec, answer.agreed.payload, answer.agreed.keys),
        (Codec::Pcmu, 0, Some(96))
    );
    assert_eq!(answer.agreed.peer, SocketAddr::from(([198, 51, 100, 9], 4000)));
    assert_eq!(answer.agreed.peer_rtcp.port(), 4001);
}

#[test]
fn only_its_own_number_carries_a_codec_and_a_map_wins_over_the_table() {
    let offer = SessionDescription::parse(b"v=0\r\nc=IN IP4 198.51.100.9\r\nm=audio 4000 RTP/AVP 0 97\r\na=rtpmap:0 OPUS/48000/2\r\na=rtpmap:97 pcma/8000/1\r\n").unwrap();
    assert_eq!(negotiate(&offer, &ours()), Err(NoCommonCodec));
    let offer = SessionDescription::parse(
        b"v=0\r\nc=IN IP4 198.51.100.9\r\nm=audio 4000 RTP/AVP 97 8\r\na=rtpmap:97 pcma/8000/1\r\n",
    )
    .unwrap();
    let agreed = negotiate(&offer, &ours()).unwrap().agreed;
    assert_eq!((agreed.codec, agreed.payload), (Codec::Pcma, 8));
}

#[test]
fn nothing_is_sent_to_many_at_once() {
    for address in ["224.0.0.1", "255.255.255.255"] {
        let text = format!("v=0\r\nc=IN IP4 {address}\r\nm=audio 4000 RTP/AVP 8\r\n");
        let offer = SessionDescription::parse(text.as_bytes()).unwrap();
        assert_eq!(negotiate(&offer, &ours()), Err(NoCommonCodec));
    }
}

#[test]
fn an_offer_anew_ends_a_hold_and_a_version_never_repeats() {
    let local = SessionDescription::offer(&ours());
    let held = SessionDescription {
        media: vec![Media {
            direction: Direction::SendOnly,
            ..local.media[0].clone()
        }],
        ..local.clone()
    };
    let answered = SessionDescription {
        version: local.version + 1,
        media: vec![Media {
            direction: Direction::ReceiveOnly,
            ..local.media[0].clone()
        }],
        ..local.clone()
    };
    let resumed = answered.resumed(Some(&held));
    assert_eq!(resumed.media[0].direction, Direction::SendReceive);
    assert_eq!(resumed.version, answered.version + 1);
    // Our own hold stays.
    assert_eq!(answered.resumed(Some(&local)), answered);
    // The phone counts on without knowing of it.
    assert_eq!(
        answered.clone().after(Some(&resumed)).version,
        resumed.version + 1
    );
    assert_eq!(resumed.clone().after(Some(&resumed)), resumed);
}

#[test]
fn other_lines_are_refused_in_their_place() {
    let offer = SessionDescription::parse(
        b"v=0\r\nc=IN IP4 198.51.100.9\r\nm=video 5000 RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\nm=audio 4000 RTP/AVP 8\r\nm=audio 4002 RTP/AVP 0\r\n",
    )
    .unwrap();
    let text = negotiate(&offer, &ours()).unwrap().description.to_string();
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(
        lines,
        [
            "m=video 0 RTP/AVP 99",
            "m=audio 40000 RTP/AVP 8",
            "m=audio 0 RTP/AVP 0"
        ]
    );
}

#[test]
fn encrypted_or_unknown_audio_is_refused() {
    for offer in [
        "m=audio 4000 RTP/SAVP 0",
        "m=audio 4000 RTP/AVP 18",
        "m=audio 0 RTP/AVP 0",
        "m=image 4000 udptl t38",
    ] {
        let offer =
            SessionDescription::parse(format!("v=0\r\nc=IN IP4 198.51.100.9\r\n{offer}\r\n").as_bytes())
                .unwrap();
        assert_eq!(negotiate(&offer, &ours()), Err(NoCommonCodec));
    }
}

#[test]
fn hold_is_understood_new_and_old() {
    let hold = |address: &str, attribute: &str| {
        let text = format!("v=0\r\nc=IN IP4 {address}\r\nm=audio 4000 RTP/AVP 0\r\na={attribute}\r\n");
        let offer = SessionDescription::parse(text.as_bytes()).unwrap();
        (
            offer.holds(),
            negotiate(&offer, &ours()).unwrap().agreed.direction,
        )
    };
    assert_eq!(hold("198.51.100.9", "sendrecv"), (false, Direction::SendReceive));
    assert_eq!(hold("198.51.100.9", "sendonly"), (true, Direction::ReceiveOnly));
    assert_eq!(hold("198.51.100.9", "recvonly"), (false, Direction::SendOnly));
    assert_eq!(hold("198.51.100.9", "inactive"), (true, Direction::Inactive));
    assert_eq!(hold("0.0.0.0", "sendrecv"), (true, Direction::ReceiveOnly));
}

#[test]
fn the_media_level_overrides_the_session_level() {
    let text = b"v=0\r\nc=IN IP4 198.51.100.9\r\na=sendonly\r\na=ptime:30\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP6 2001:db8::9\r\na=sendrecv\r\na=rtcp:4711\r\na=ptime:40\r\n";
    let audio = SessionDescription::parse(text).unwrap().media.remove(0);
    assert_eq!(audio.address, "2001:db8::9".parse().ok());
    assert_eq!(
        (audio.direction, audio.ptime_ms, audio.rtcp_port),
        (Direction::SendReceive, Some(40), Some(4711))
    );
}

#[test]
fn ipv6_is_written_as_such() {
    let ours = Ours {
        address: "[2001:db8::1]:40000".parse().unwrap(),
        ..ours()
    };
    assert!(
        SessionDescription::offer(&ours)
            .to_string()
            .contains("c=IN IP6 2001:db8::1\r\n")
    );
}

#[test]
fn a_shared_port_needs_both() {
    let offer = SessionDescription::parse(
        b"v=0\r\nc=IN IP4 198.51.100.9\r\nm=audio 4000 RTP/AVP 0\r\na=rtcp-mux\r\n",
    )
    .unwrap();
    assert_eq!(negotiate(&offer, &ours()).unwrap().agreed.peer_rtcp.port(), 4000);
    let apart = Ours {
        rtcp_mux: false,
        ..ours()
    };
    assert_eq!(negotiate(&offer, &apart).unwrap().agreed.peer_rtcp.port(), 4001);
}

#[test]
fn what_is_no_description_is_refused() {
    assert_eq!(SessionDescription::parse(b""), Err(SdpError::Version));
    assert_eq!(SessionDescription::parse(b"v=1\r\n"), Err(SdpError::Version));
    assert_eq!(
        SessionDescription::parse(b"v=0\r\nm=audio\r\n"),
        Err(SdpError::Media(2))
    );
    assert_eq!(
        SessionDescription::parse(b"v=0\r\nc=nonsense\r\n"),
        Err(SdpError::Address(2))
    );
    assert_eq!(
        SessionDescription::parse(&[b'x'; SDP_BYTES_MAX + 1]),
        Err(SdpError::TooLong)
    );
    assert_eq!(
        SessionDescription::parse(format!("v=0\n{}", "a=x\n".repeat(SDP_LINES_MAX)).as_bytes()),
        Err(SdpError::TooLong)
    );
    assert_eq!(
        SessionDescription::parse(
            format!("v=0\n{}", "m=audio 1 RTP/AVP 0\n".repeat(SDP_MEDIA_MAX + 1)).as_bytes()
        ),
        Err(SdpError::TooManyMedia)
    );
}

proptest! {
    #[test]
    fn nothing_makes_reading_panic(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = SessionDescription::parse(&body);
    }

    #[test]
    fn near_misses_do_not_panic_and_answers_have_as_many_lines(lines in proptest::collection::vec("[macost]=[ -~]{0,40}|m=audio [0-9]{1,5} RTP/AVP [0-9 ]{1,9}|c=IN IP4 [0-9.]{7,12}", 0..20)) {
        let text = format!("v=0\r\n{}", lines.join("\r\n"));
        if let Ok(offer) = SessionDescription::parse(text.as_bytes())
            && let Ok(answer) = negotiate(&offer, &ours())
        {
            prop_assert_eq!(answer.description.media.len(), offer.media.len());
            let read = SessionDescription::parse(answer.description.to_string().as_bytes());
            prop_assert_eq!(read.map(|read| read.media.len()), Ok(offer.media.len()));
        }
    }
}
