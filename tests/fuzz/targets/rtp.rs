//! RTP: what is read is written as the same packet.

#![no_main]

use libfuzzer_sys::fuzz_target;
use trunkline_media::rtp;

fuzz_target!(|bytes: &[u8]| {
    let _ = rtp::is_rtcp(bytes);
    let Ok(packet) = rtp::parse(bytes) else {
        return;
    };
    assert!(packet.payload.len() + rtp::HEADER_BYTES <= bytes.len());
    let mut into = vec![0; bytes.len()];
    let length = rtp::write(&packet, &mut into);
    assert_eq!(rtp::parse(&into[..length]), Ok(packet));
    assert_eq!(rtp::write(&packet, &mut into[..length - 1]), 0, "no room");
});
