//! Session descriptions: whatever is read can be answered, and what we write is read again as what it was.

#![no_main]

use libfuzzer_sys::fuzz_target;
use trunkline_sip::sdp::{self, Codec, Direction, Ours, SdpError, SessionDescription};

fuzz_target!(|bytes: &[u8]| {
    let Ok(offer) = SessionDescription::parse(bytes) else {
        return;
    };
    let written = offer.to_string();
    // Where a stranger's line has no address, it is written with that of the session; ours always have one.
    let addressed = offer
        .media
        .iter()
        .all(|media| media.port == 0 || media.address.is_some());
    match SessionDescription::parse(written.as_bytes()) {
        Ok(again) if addressed => assert_eq!(again.to_string(), written, "writing does not settle"),
        Ok(_) => {}
        // Every format known takes lines of its own, and letters that are no UTF-8 grow.
        Err(error) => assert_eq!(error, SdpError::TooLong, "what we write is not read: {written:?}"),
    }
    let _ = (offer.audio(), offer.holds());
    let ours = Ours {
        session: 1,
        version: 1,
        address: ([192, 0, 2, 1], 20_000).into(),
        codecs: vec![Codec::Pcma, Codec::Pcmu],
        direction: Direction::SendReceive,
        rtcp_mux: true,
    };
    if let Ok(answer) = sdp::negotiate(&offer, &ours) {
        assert!(ours.codecs.contains(&answer.agreed.codec));
        assert_eq!(answer.description.media.len(), offer.media.len());
        let taken = answer.description.media.iter().filter(|media| media.port != 0);
        assert_eq!(taken.count(), 1, "one line is taken, the others are refused");
        let written = answer.description.to_string();
        let read = SessionDescription::parse(written.as_bytes());
        match read {
            Ok(read) => assert_eq!(read.media.len(), offer.media.len()),
            Err(error) => assert_eq!(error, SdpError::TooLong),
        }
    }
    let _ = sdp::accept(&offer, &ours);
});
