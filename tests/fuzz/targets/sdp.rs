//! Session descriptions: whatever is read can be answered, and the answer we write can be read.

#![no_main]

use libfuzzer_sys::fuzz_target;
use trunkline_sip::sdp::{self, Codec, Direction, Ours, SdpError, SessionDescription};

fuzz_target!(|bytes: &[u8]| {
    let Ok(offer) = SessionDescription::parse(bytes) else {
        return;
    };
    // A stranger's description is never written again as a whole; it only must not fall.
    let _ = offer.to_string();
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
