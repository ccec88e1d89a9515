//! An event as a frame, and back.
//!
//! | bytes | |
//! |---|---|
//! | 1 | layout of the frame: 1 |
//! | 32 | the chain after this event |
//! | 4 | length of the public part, big-endian |
//! | … | public part: JSON `{ "at": …, "fact": … }` |
//! | … | private part, if there is one: nonce, encrypted JSON, tag |
//!
//! The chain is SHA-256 over the layout, the chain before, the public part with its length, and
//! the digest of the private part as it is encrypted. So a frame that is changed, moved, left
//! out or put in is found when the contact is read, and the chain holds just as well when the
//! key of the private parts is gone.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use trunkline_engine::{Event, Fact, Personal};
use trunkline_model::{ContactId, Timestamp};

use crate::secrecy::{NONCE_BYTES, Seal};

/// The layout that is written. Every layout that was ever written is read.
const LAYOUT: u8 = 1;

const CHAIN_BYTES: usize = 32;

/// Layout, chain and length.
const HEADER_BYTES: usize = 1 + CHAIN_BYTES + 4;

/// Room for a usual frame, so that it is seldom moved while it is written.
const FRAME_BYTES_USUAL: usize = 512;

/// Where the chain over a contact's events stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chain([u8; CHAIN_BYTES]);

impl Chain {
    /// The chain before a contact's first event; another for each contact.
    pub(crate) fn begin(contact: &ContactId) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"trunkline contact ");
        hash.update(contact.as_str());
        Self(hash.finalize().into())
    }

    fn next(self, public: &[u8], private: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update([LAYOUT]);
        hash.update(self.0);
        hash.update((public.len() as u64).to_be_bytes());
        hash.update(public);
        if !private.is_empty() {
            hash.update(Sha256::digest(private));
        }
        Self(hash.finalize().into())
    }
}

#[derive(Serialize)]
struct PublicRef<'a> {
    at: Timestamp,
    fact: &'a Fact,
}

#[derive(Deserialize)]
struct Public {
    at: Timestamp,
    fact: Fact,
}

/// Why an event could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EncodeError {
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("its public part is larger than a frame can say")]
    TooLarge,
    #[error("{0}")]
    Seal(crate::Error),
}

/// Writes an event and moves the chain on. Without a seal the private part is left out.
pub(crate) fn encode(
    event: &Event,
    chain: &mut Chain,
    seal: Option<&mut Seal>,
) -> Result<Vec<u8>, EncodeError> {
    let mut frame = Vec::with_capacity(FRAME_BYTES_USUAL);
    frame.resize(HEADER_BYTES, 0);
    let public = PublicRef {
        at: event.at,
        fact: &event.fact,
    };
    serde_json::to_writer(&mut frame, &public)?;
    let private_start = frame.len();
    let public_bytes = u32::try_from(private_start - HEADER_BYTES).map_err(|_| EncodeError::TooLarge)?;
    if let (Some(personal), Some(seal)) = (&event.personal, seal) {
        frame.resize(private_start + NONCE_BYTES, 0);
        serde_json::to_writer(&mut frame, personal)?;
        seal.seal(&chain.0, &mut frame, private_start)
            .map_err(EncodeError::Seal)?;
    }
    let next = chain.next(&frame[HEADER_BYTES..private_start], &frame[private_start..]);
    frame[0] = LAYOUT;
    frame[1..=CHAIN_BYTES].copy_from_slice(&next.0);
    frame[1 + CHAIN_BYTES..HEADER_BYTES].copy_from_slice(&public_bytes.to_be_bytes());
    *chain = next;
    Ok(frame)
}

/// Reads an event, verifies that it follows in the chain and moves the chain on. Without a seal
/// the private part stays closed. The error says what is wrong with the frame.
pub(crate) fn decode(frame: &[u8], chain: &mut Chain, seal: Option<&mut Seal>) -> Result<Event, String> {
    let (header, parts) = frame
        .split_first_chunk::<HEADER_BYTES>()
        .ok_or_else(|| format!("it has {} bytes, fewer than any event", frame.len()))?;
    let [layout, header @ ..] = header;
    if *layout != LAYOUT {
        return Err(format!(
            "its layout is {layout}, and this version reads up to {LAYOUT}"
        ));
    }
    let (written, length) = header.split_at(CHAIN_BYTES);
    let length = length
        .iter()
        .fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
    let (public, private) = parts
        .split_at_checked(length)
        .ok_or_else(|| "its public part is cut short".to_owned())?;
    let next = chain.next(public, private);
    if next.0 != *written {
        return Err(
            "it was changed, or is not the one that was written after the event before it".to_owned(),
        );
    }
    let Public { at, fact } = serde_json::from_slice(public)
        .map_err(|error| format!("its public part is not understood: {error}"))?;
    let personal = match seal {
        Some(seal) if !private.is_empty() => {
            let plain = seal
                .open(&chain.0, private)
                .ok_or_else(|| "its private part does not open with the contact's key".to_owned())?;
            // serde_json's message would quote what is private.
            let personal: Personal = serde_json::from_slice(&plain)
                .map_err(|_| "its private part is not understood".to_owned())?;
            Some(personal)
        }
        _ => None,
    };
    *chain = next;
    Ok(Event { at, fact, personal })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use trunkline_model::Value;

    use super::*;
    use crate::secrecy::ContactKey;

    fn events() -> Vec<Event> {
        let event = |millis, fact, personal| Event {
            at: Timestamp::from_millis(millis),
            fact,
            personal,
        };
        vec![
            event(
                1,
                Fact::StepEntered {
                    step: "welcome".into(),
                },
                None,
            ),
            event(
                2,
                Fact::VariableSet { name: "mood".into() },
                Some(Personal::Value(Value::Decimal(0.1 + 0.2))),
            ),
            event(
                2,
                Fact::KeysAhead,
                Some(Personal::Text(Arc::from("330106199001011234"))),
            ),
        ]
    }

    fn contact() -> ContactId {
        ContactId::from("01")
    }

    fn seal() -> Seal {
        Seal::new(ContactKey::random().unwrap()).unwrap()
    }

    fn encoded(seal: &mut Seal) -> Vec<Vec<u8>> {
        let mut chain = Chain::begin(&contact());
        events()
            .iter()
            .map(|event| encode(event, &mut chain, Some(seal)).unwrap())
            .collect()
    }

    fn decoded(frames: &[Vec<u8>], mut seal: Option<&mut Seal>) -> Result<Vec<Event>, String> {
        let mut chain = Chain::begin(&contact());
        frames
            .iter()
            .map(|frame| decode(frame, &mut chain, seal.as_deref_mut()))
            .collect()
    }

    #[test]
    fn events_read_back_and_private_parts_are_not_to_be_seen() {
        let mut seal = seal();
        let frames = encoded(&mut seal);
        assert_eq!(decoded(&frames, Some(&mut seal)).unwrap(), events());
        let all = frames.concat();
        assert!(!all.windows(18).any(|window| window == b"330106199001011234"));
    }

    proptest::proptest! {
        #[test]
        fn values_read_back_to_the_last_bit(decimal in proptest::num::f64::NORMAL, int in proptest::prelude::any::<i64>()) {
            let event = Event {
                at: Timestamp::from_millis(int),
                fact: Fact::Read { name: "decimal".into(), value: Value::Decimal(decimal) },
                personal: Some(Personal::Arguments(vec![Value::Int(int.into()), Value::Decimal(decimal)])),
            };
            let mut seal = seal();
            let frame = encode(&event, &mut Chain::begin(&contact()), Some(&mut seal)).unwrap();
            let read = decode(&frame, &mut Chain::begin(&contact()), Some(&mut seal)).unwrap();
            proptest::prop_assert_eq!(read, event);
        }
    }

    #[test]
    fn without_the_key_the_chain_holds_and_the_private_parts_are_missing() {
        let frames = encoded(&mut seal());
        let expected: Vec<_> = events()
            .into_iter()
            .map(|event| Event {
                personal: None,
                ..event
            })
            .collect();
        assert_eq!(decoded(&frames, None).unwrap(), expected);
    }

    #[test]
    fn every_changed_byte_is_found() {
        let mut seal = seal();
        let frames = encoded(&mut seal);
        for frame in 0..frames.len() {
            for byte in 0..frames[frame].len() {
                let mut frames = frames.clone();
                frames[frame][byte] ^= 1;
                assert!(
                    decoded(&frames, Some(&mut seal)).is_err(),
                    "byte {byte} of {frame}"
                );
                assert!(decoded(&frames, None).is_err(), "byte {byte} of {frame}, erased");
            }
            for length in 0..frames[frame].len() {
                let mut frames = frames.clone();
                frames[frame].truncate(length);
                assert!(decoded(&frames, None).is_err(), "{length} bytes of {frame}");
            }
        }
    }

    #[test]
    fn frames_left_out_or_moved_are_found() {
        let mut seal = seal();
        let frames = encoded(&mut seal);
        assert!(decoded(&frames[1..], Some(&mut seal)).is_err());
        let swapped = [frames[1].clone(), frames[0].clone()];
        assert!(decoded(&swapped, Some(&mut seal)).is_err());
        let mut chain = Chain::begin(&ContactId::from("02"));
        assert!(decode(&frames[0], &mut chain, None).is_err());
    }
}
