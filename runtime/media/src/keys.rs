//! Keys as events of RTP (RFC 4733): told at their first packet, once.

use crate::limits::{KEY_ENDS, KEY_GAP_TICKS, KEY_SENT_TICKS};

const KEYS: &[u8; 16] = b"0123456789*#ABCD";

/// Bytes of an event's payload.
pub const EVENT_BYTES: usize = 4;
/// The level of a key that is sent: -10 dBm0.
const VOLUME: u8 = 10;
/// Events whose time is this far behind are late copies; further behind, the clock has jumped.
const BEHIND_MAX: u32 = 16_000;

/// The payload of an event's packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// 0 to 15 are keys.
    pub code: u8,
    /// The key was let go.
    pub end: bool,
    /// Samples that it is down.
    pub duration: u16,
}

impl Event {
    /// Reads a payload; what follows the first event (redundant ones) is left.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let [code, flags, d0, d1, ..] = *payload else {
            return None;
        };
        Some(Self {
            code,
            end: flags & 0x80 != 0,
            duration: u16::from_be_bytes([d0, d1]),
        })
    }

    /// The payload.
    #[must_use]
    pub fn bytes(self) -> [u8; EVENT_BYTES] {
        let [d0, d1] = self.duration.to_be_bytes();
        [self.code, (u8::from(self.end) << 7) | VOLUME, d0, d1]
    }

    /// The key, when it is one.
    #[must_use]
    pub fn key(self) -> Option<char> {
        KEYS.get(usize::from(self.code)).copied().map(char::from)
    }

    /// The event's code of a key.
    #[must_use]
    pub fn code_of(key: char) -> Option<u8> {
        let key = u8::try_from(key.to_ascii_uppercase()).ok()?;
        KEYS.iter()
            .position(|known| *known == key)
            .and_then(|code| u8::try_from(code).ok())
    }
}

/// What a packet meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressed {
    /// A key went down.
    Down {
        /// Which.
        key: char,
        /// Samples that it is down.
        samples: u32,
    },
    /// It was let go.
    Up {
        /// Which.
        key: char,
        /// Samples that it was down.
        samples: u32,
    },
}

#[derive(Clone, Copy, Debug)]
struct Current {
    timestamp: u32,
    code: u8,
    /// Samples of segments before this one.
    before: u32,
    duration: u16,
    ended: bool,
}

/// Tells keys from the packets of events, whichever of them are lost or come twice.
#[derive(Clone, Copy, Debug, Default)]
pub struct Detector {
    current: Option<Current>,
}

impl Detector {
    /// Takes a packet. A key is known by its time: all its packets carry that of its begin.
    pub fn take(&mut self, timestamp: u32, event: Event) -> Option<Pressed> {
        let key = event.key()?;
        if let Some(current) = &mut self.current {
            let ahead = timestamp.wrapping_sub(current.timestamp);
            if ahead == 0 {
                if event.code != current.code || current.ended {
                    return None;
                }
                current.duration = current.duration.max(event.duration);
                if !event.end {
                    return None;
                }
                current.ended = true;
                return Some(Pressed::Up {
                    key,
                    samples: current.before + u32::from(current.duration),
                });
            }
            if ahead > u32::MAX - BEHIND_MAX {
                return None;
            }
            // A key that is down for longer than a duration can say goes on in a further segment.
            if ahead == u32::from(u16::MAX) && event.code == current.code && !current.ended {
                let before = current.before.saturating_add(ahead);
                *current = Current {
                    timestamp,
                    before,
                    duration: event.duration,
                    ended: event.end,
                    ..*current
                };
                return event.end.then(|| Pressed::Up {
                    key,
                    samples: before.saturating_add(event.duration.into()),
                });
            }
        }
        self.current = Some(Current {
            timestamp,
            code: event.code,
            before: 0,
            duration: event.duration,
            ended: event.end,
        });
        Some(Pressed::Down {
            key,
            samples: event.duration.into(),
        })
    }
}

/// A packet of a key that is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) event: Event,
    /// The first packet of the key: it takes a new time.
    pub(crate) first: bool,
}

/// The packets of one key: one a tick with a growing duration, its end three times, a pause.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sending {
    code: u8,
    tick: u32,
}

impl Sending {
    pub(crate) fn new(code: u8) -> Self {
        Self { code, tick: 0 }
    }

    /// What to send in this tick: nothing in the pause.
    pub(crate) fn next(&mut self) -> Option<Sent> {
        let tick = self.tick;
        self.tick += 1;
        if tick >= KEY_SENT_TICKS + KEY_ENDS {
            return None;
        }
        let ticks = (tick + 1).min(KEY_SENT_TICKS);
        let duration = u16::try_from(ticks * 160).unwrap_or(u16::MAX);
        Some(Sent {
            event: Event {
                code: self.code,
                end: tick >= KEY_SENT_TICKS,
                duration,
            },
            first: tick == 0,
        })
    }

    pub(crate) fn is_over(&self) -> bool {
        self.tick >= KEY_SENT_TICKS + KEY_ENDS + KEY_GAP_TICKS
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(code: u8, end: bool, duration: u16) -> Event {
        Event { code, end, duration }
    }

    #[test]
    fn a_key_is_told_at_its_first_packet_and_once() {
        let mut detector = Detector::default();
        assert_eq!(
            detector.take(1_000, event(5, false, 160)),
            Some(Pressed::Down {
                key: '5',
                samples: 160
            })
        );
        assert_eq!(detector.take(1_000, event(5, false, 320)), None);
        assert_eq!(
            detector.take(1_000, event(5, true, 800)),
            Some(Pressed::Up {
                key: '5',
                samples: 800
            })
        );
        assert_eq!(detector.take(1_000, event(5, true, 800)), None);
        assert_eq!(detector.take(1_000, event(5, false, 480)), None, "reordered");
        assert_eq!(
            detector.take(3_000, event(5, false, 160)),
            Some(Pressed::Down {
                key: '5',
                samples: 160
            })
        );
        assert_eq!(
            detector.take(1_000, event(5, true, 800)),
            None,
            "a late copy of the key before"
        );
    }

    #[test]
    fn a_key_of_which_only_an_end_arrives_is_told() {
        let mut detector = Detector::default();
        assert_eq!(
            detector.take(7, event(11, true, 800)),
            Some(Pressed::Down {
                key: '#',
                samples: 800
            })
        );
        assert_eq!(detector.take(7, event(11, true, 800)), None);
    }

    #[test]
    fn a_very_long_key_is_one() {
        let mut detector = Detector::default();
        assert!(detector.take(0, event(1, false, 160)).is_some());
        assert_eq!(detector.take(0, event(1, false, 0xffff)), None);
        assert_eq!(detector.take(0xffff, event(1, false, 160)), None);
        assert_eq!(
            detector.take(0xffff, event(1, true, 320)),
            Some(Pressed::Up {
                key: '1',
                samples: 0xffff + 320
            })
        );
    }

    #[test]
    fn what_is_no_key_is_none() {
        let mut detector = Detector::default();
        assert_eq!(detector.take(0, event(16, false, 160)), None);
        assert_eq!(Event::parse(&[1, 2, 3]), None);
        assert_eq!(Event::code_of('a'), Some(12));
        assert_eq!(Event::code_of('七'), None);
    }

    #[test]
    fn what_is_sent_is_told() {
        let mut detector = Detector::default();
        let mut sending = Sending::new(9);
        let mut told = Vec::new();
        while !sending.is_over() {
            if let Some(sent) = sending.next() {
                let event = Event::parse(&sent.event.bytes()).expect("our own event");
                told.extend(detector.take(50, event));
            }
        }
        assert_eq!(
            told,
            [
                Pressed::Down {
                    key: '9',
                    samples: 160
                },
                Pressed::Up {
                    key: '9',
                    samples: 800
                }
            ]
        );
    }

    proptest! {
        /// Whatever comes, a time tells at most one key down.
        #[test]
        fn no_time_tells_two_keys(packets in proptest::collection::vec((0u32..4, 0u8..18, any::<bool>(), any::<u16>()), 0..60)) {
            let mut detector = Detector::default();
            let mut downs = [0; 4];
            for (place, code, end, duration) in packets {
                if let Some(Pressed::Down { .. }) = detector.take(place * 800, event(code, end, duration)) {
                    downs[place as usize] += 1;
                }
            }
            prop_assert!(downs.iter().all(|downs| *downs <= 1), "{downs:?}");
        }
    }
}
