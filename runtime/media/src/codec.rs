//! The two laws of G.711, each as tables: one look-up a sample, whatever the direction.

use std::sync::LazyLock;

use audio_codec::{Decoder, Encoder, pcma, pcmu};

/// How sound is written on the wire: 8,000 samples a second, a byte each (RFC 3551, 4.5.14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// A-law, the law of China and Europe.
    Pcma,
    /// µ-law, the law of North America and Japan.
    Pcmu,
}

static DECODE: LazyLock<[[i16; 256]; 2]> = LazyLock::new(|| {
    let bytes: [u8; 256] = std::array::from_fn(|byte| u8::try_from(byte).unwrap_or(u8::MAX));
    let mut tables = [[0; 256]; 2];
    let [a_law, mu_law] = &mut tables;
    let written = (
        pcma::PcmaDecoder::new().decode_into(&bytes, a_law),
        pcmu::PcmuDecoder::new().decode_into(&bytes, mu_law),
    );
    debug_assert!(matches!(written, (Ok(256), Ok(256))), "a byte is a sample");
    tables
});

/// What a byte of one law is in the other.
static ACROSS: LazyLock<[[u8; 256]; 2]> = LazyLock::new(|| {
    let mut tables = [[0; 256]; 2];
    let [to_mu_law, to_a_law] = &mut tables;
    Codec::Pcmu.encode_into(&DECODE[0], to_mu_law);
    Codec::Pcma.encode_into(&DECODE[1], to_a_law);
    tables
});

impl Codec {
    /// The static payload type of RTP: 8 or 0.
    #[must_use]
    pub fn payload_type(self) -> u8 {
        match self {
            Self::Pcma => 8,
            Self::Pcmu => 0,
        }
    }

    /// The codec of a static payload type.
    #[must_use]
    pub fn of_payload_type(payload_type: u8) -> Option<Self> {
        match payload_type {
            8 => Some(Self::Pcma),
            0 => Some(Self::Pcmu),
            _ => None,
        }
    }

    /// Its name in SDP.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pcma => "PCMA",
            Self::Pcmu => "PCMU",
        }
    }

    /// The byte of silence.
    #[must_use]
    pub fn silence(self) -> u8 {
        match self {
            Self::Pcma => 0xd5,
            Self::Pcmu => 0xff,
        }
    }

    fn index(self) -> usize {
        match self {
            Self::Pcma => 0,
            Self::Pcmu => 1,
        }
    }

    /// The sample that a byte stands for.
    #[must_use]
    pub fn sample(self, byte: u8) -> i16 {
        DECODE[self.index()][usize::from(byte)]
    }

    /// Decodes as much as both slices hold; says how much that was.
    pub fn decode_into(self, bytes: &[u8], samples: &mut [i16]) -> usize {
        let table = &DECODE[self.index()];
        let length = bytes.len().min(samples.len());
        for (sample, byte) in samples.iter_mut().zip(bytes) {
            *sample = table[usize::from(*byte)];
        }
        length
    }

    /// Encodes as much as both slices hold; says how much that was.
    pub fn encode_into(self, samples: &[i16], bytes: &mut [u8]) -> usize {
        let length = samples.len().min(bytes.len());
        let (samples, bytes) = (&samples[..length], &mut bytes[..length]);
        let written = match self {
            Self::Pcma => pcma::PcmaEncoder::new().encode_into(samples, bytes),
            Self::Pcmu => pcmu::PcmuEncoder::new().encode_into(samples, bytes),
        };
        debug_assert!(written.is_ok(), "the slices are equally long");
        if self == Self::Pcma {
            // The library takes the smallest negative step for the positive one; G.711 has both.
            for (sample, byte) in samples.iter().zip(bytes) {
                if (-8..0).contains(sample) {
                    *byte = 0x55;
                }
            }
        }
        length
    }

    /// Copies sound of this law as sound of another; says how much that was.
    pub fn transcode_into(self, to: Self, from: &[u8], into: &mut [u8]) -> usize {
        let length = from.len().min(into.len());
        if self == to {
            into[..length].copy_from_slice(&from[..length]);
        } else {
            let table = &ACROSS[self.index()];
            for (into, from) in into.iter_mut().zip(from) {
                *into = table[usize::from(*from)];
            }
        }
        length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of ITU-T G.711, tables 1a to 2b, scaled to 16 bits.
    #[test]
    fn known_values() {
        assert_eq!(Codec::Pcma.sample(0xd5), 8);
        assert_eq!(Codec::Pcma.sample(0x55), -8);
        assert_eq!(Codec::Pcma.sample(0xaa), 32_256);
        assert_eq!(Codec::Pcmu.sample(0xff), 0);
        assert_eq!(Codec::Pcmu.sample(0x80), 32_124);
        assert_eq!(Codec::Pcmu.sample(0x00), -32_124);
    }

    #[test]
    fn what_was_decoded_encodes_to_the_same_byte() {
        for codec in [Codec::Pcma, Codec::Pcmu] {
            for byte in 0..=255 {
                let mut again = [0];
                codec.encode_into(&[codec.sample(byte)], &mut again);
                // µ-law has two zeros.
                if !(codec == Codec::Pcmu && byte == 0x7f) {
                    assert_eq!(again[0], byte, "{} {byte:#x}", codec.name());
                }
            }
        }
    }

    #[test]
    fn across_the_laws_the_sound_stays_near() {
        for byte in 0..=255u8 {
            let mut across = [0];
            Codec::Pcma.transcode_into(Codec::Pcmu, &[byte], &mut across);
            let before = i32::from(Codec::Pcma.sample(byte));
            let after = i32::from(Codec::Pcmu.sample(across[0]));
            assert!(
                (before - after).abs() <= 16 + before.abs() / 16,
                "{before} became {after}"
            );
        }
    }
}
