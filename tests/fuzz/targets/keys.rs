//! Keys (RFC 4733): whichever packets are lost, doubled or made up, a key goes up only after it went down, and once.

#![no_main]

use libfuzzer_sys::fuzz_target;
use trunkline_media::keys::{Detector, Event, Pressed};

/// A packet: its time and what it carries, the first four bytes of which are an event.
const PACKET_BYTES: usize = 8;

fuzz_target!(|bytes: &[u8]| {
    let mut detector = Detector::default();
    let mut down = None;
    for packet in bytes.chunks(PACKET_BYTES) {
        let Some((time, payload)) = packet.split_first_chunk::<4>() else {
            return;
        };
        let Some(event) = Event::parse(payload) else {
            return;
        };
        let read = Event::parse(&event.bytes());
        assert_eq!(read, Some(event));
        match detector.take(u32::from_be_bytes(*time), event) {
            Some(Pressed::Down { key, samples }) => {
                assert_eq!(Event::code_of(key), Some(event.code));
                assert_eq!(samples, u32::from(event.duration));
                down = (!event.end).then_some(key);
            }
            Some(Pressed::Up { key, samples }) => {
                assert_eq!(down.take(), Some(key), "a key went up that was not down");
                assert!(samples >= u32::from(event.duration));
            }
            None => {}
        }
    }
});
