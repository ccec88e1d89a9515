//! Reading and heading WAV files.
//!
//! [`read`] takes what departments send: PCM of 8 to 32 bits, floats, both laws of G.711, any
//! number of channels, files that were cut off or whose sizes were never filled in. It never
//! panics, and never holds more than its limits allow.

use crate::{
    Codec,
    limits::{RATES, SOUND_SECONDS_MAX, WAV_BYTES_MAX, WAV_CHANNELS_MAX, WAV_CHUNKS_MAX},
};

/// Why a WAV file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is something else.
    #[error("this is no WAV file: it does not begin with RIFF and WAVE")]
    NotWav,
    /// There is no usable description of the sound.
    #[error("the WAV file has no complete `fmt ` chunk before its sound")]
    NoFormat,
    /// There is no sound.
    #[error("the WAV file has no `data` chunk, or an empty one")]
    NoSound,
    /// The sound is written in a way that is not read.
    #[error(
        "the WAV file holds format {format:#06x} with {bits} bits; \
         PCM of 8, 16, 24 or 32 bits, floats of 32 or 64, A-law and µ-law are read: save it as 16-bit PCM"
    )]
    Format {
        /// The format's number.
        format: u16,
        /// Bits of a sample.
        bits: u16,
    },
    /// Too many channels, or none.
    #[error("the WAV file has {0} channels; 1 to {WAV_CHANNELS_MAX} are mixed")]
    Channels(u16),
    /// A rate that no telephone prompt has.
    #[error("the WAV file has {0} samples a second; {low} to {high} are read", low = RATES.start(), high = RATES.end())]
    Rate(u32),
    /// Too long.
    #[error("the WAV file is too large: {WAV_BYTES_MAX} bytes and {SOUND_SECONDS_MAX} s are read at most")]
    TooLong,
}

/// What a WAV file holds: its channels mixed into one.
#[derive(Clone, Debug, PartialEq)]
pub struct Wave {
    /// Samples a second.
    pub rate: u32,
    /// From -1 to 1; floats in the file may go beyond.
    pub samples: Vec<f32>,
}

const PCM: u16 = 1;
const FLOAT: u16 = 3;
const A_LAW: u16 = 6;
const MU_LAW: u16 = 7;
const EXTENSIBLE: u16 = 0xfffe;

#[derive(Clone, Copy)]
enum Kind {
    Unsigned8,
    Signed16,
    Signed24,
    Signed32,
    Float32,
    Float64,
    Law(Codec),
}

struct Format {
    kind: Kind,
    bytes: usize,
    channels: u16,
    rate: u32,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn format(chunk: &[u8]) -> Result<Format, Error> {
    let field = |at| u16_at(chunk, at).ok_or(Error::NoFormat);
    let (mut format, channels, bits) = (field(0)?, field(2)?, field(14)?);
    let rate = u32_at(chunk, 4).ok_or(Error::NoFormat)?;
    if format == EXTENSIBLE {
        // The first two bytes of the sub-format's GUID are the format's number.
        format = field(24)?;
    }
    if channels == 0 || channels > WAV_CHANNELS_MAX {
        return Err(Error::Channels(channels));
    }
    if !RATES.contains(&rate) {
        return Err(Error::Rate(rate));
    }
    let (kind, bytes) = match (format, bits) {
        (PCM, 8) => (Kind::Unsigned8, 1),
        (PCM, 16) => (Kind::Signed16, 2),
        (PCM, 24) => (Kind::Signed24, 3),
        (PCM, 32) => (Kind::Signed32, 4),
        (FLOAT, 32) => (Kind::Float32, 4),
        (FLOAT, 64) => (Kind::Float64, 8),
        (A_LAW, _) => (Kind::Law(Codec::Pcma), 1),
        (MU_LAW, _) => (Kind::Law(Codec::Pcmu), 1),
        (format, bits) => return Err(Error::Format { format, bits }),
    };
    Ok(Format {
        kind,
        bytes,
        channels,
        rate,
    })
}

fn sample(kind: Kind, bytes: &[u8]) -> f32 {
    let sample = match (kind, bytes) {
        (Kind::Unsigned8, [a, ..]) => (f32::from(*a) - 128.0) / 128.0,
        (Kind::Signed16, [a, b, ..]) => f32::from(i16::from_le_bytes([*a, *b])) / 32_768.0,
        (Kind::Signed24, [a, b, c, ..]) => i32::from_le_bytes([0, *a, *b, *c]) as f32 / 2_147_483_648.0,
        (Kind::Signed32, [a, b, c, d, ..]) => i32::from_le_bytes([*a, *b, *c, *d]) as f32 / 2_147_483_648.0,
        (Kind::Float32, [a, b, c, d, ..]) => f32::from_le_bytes([*a, *b, *c, *d]),
        (Kind::Float64, [a, b, c, d, e, f, g, h, ..]) => {
            f64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]) as f32
        }
        (Kind::Law(codec), [a, ..]) => f32::from(codec.sample(*a)) / 32_768.0,
        _ => 0.0,
    };
    // What is not a number must not poison the resampler; what is far too loud is cut there.
    if sample.is_finite() {
        sample.clamp(-64.0, 64.0)
    } else {
        0.0
    }
}

/// Reads a WAV file.
///
/// # Errors
/// When it is none, is written in a way that is not read, holds no sound, or is too large.
pub fn read(bytes: &[u8]) -> Result<Wave, Error> {
    if bytes.len() > WAV_BYTES_MAX {
        return Err(Error::TooLong);
    }
    if bytes.get(..4) != Some(b"RIFF") || bytes.get(8..12) != Some(b"WAVE") {
        return Err(Error::NotWav);
    }
    let mut found: Option<Format> = None;
    let mut at = 12usize;
    for _ in 0..WAV_CHUNKS_MAX {
        let (Some(name), Some(size)) = (bytes.get(at..at + 4), u32_at(bytes, at + 4)) else {
            break;
        };
        let body = at + 8;
        let rest = bytes.len() - body;
        let size = size as usize;
        match name {
            b"fmt " => {
                let chunk = bytes.get(body..body + size.min(rest)).unwrap_or_default();
                found = Some(format(chunk)?);
            }
            b"data" => {
                let found = found.ok_or(Error::NoFormat)?;
                // A stream's writer that could not seek leaves 0 or ffffffff: the sound goes to the end of
                // the file.
                let length = if size == 0 || size > rest { rest } else { size };
                return mixed(&found, bytes.get(body..body + length).unwrap_or_default());
            }
            _ => {}
        }
        // Chunks are padded to an even length.
        let Some(next) = body.checked_add(size).and_then(|end| end.checked_add(size % 2)) else {
            break;
        };
        if next >= bytes.len() {
            break;
        }
        at = next;
    }
    Err(if found.is_some() {
        Error::NoSound
    } else {
        Error::NoFormat
    })
}

fn mixed(format: &Format, sound: &[u8]) -> Result<Wave, Error> {
    let channels = usize::from(format.channels);
    let frame = format.bytes * channels;
    let frames = sound.len() / frame;
    if frames == 0 {
        return Err(Error::NoSound);
    }
    if frames as u64 > u64::from(format.rate) * SOUND_SECONDS_MAX {
        return Err(Error::TooLong);
    }
    let samples = sound
        .chunks_exact(frame)
        .map(|frame| {
            let sum: f32 = frame
                .chunks_exact(format.bytes)
                .map(|bytes| sample(format.kind, bytes))
                .sum();
            sum / channels as f32
        })
        .collect();
    Ok(Wave {
        rate: format.rate,
        samples,
    })
}

/// Bytes before the sound in a file of ours.
pub const HEADER_BYTES: usize = 44;

/// The header of a file of 16-bit PCM with `bytes` bytes of sound.
#[must_use]
pub fn header(channels: u16, rate: u32, bytes: u32) -> [u8; HEADER_BYTES] {
    let frame = channels.saturating_mul(2);
    let mut header = [0; HEADER_BYTES];
    let mut at = 0;
    let mut put = |field: &[u8]| {
        header[at..at + field.len()].copy_from_slice(field);
        at += field.len();
    };
    put(b"RIFF");
    put(&bytes.saturating_add(36).to_le_bytes());
    put(b"WAVEfmt ");
    put(&16u32.to_le_bytes());
    put(&PCM.to_le_bytes());
    put(&channels.to_le_bytes());
    put(&rate.to_le_bytes());
    put(&rate.saturating_mul(u32::from(frame)).to_le_bytes());
    put(&frame.to_le_bytes());
    put(&16u16.to_le_bytes());
    put(b"data");
    put(&bytes.to_le_bytes());
    header
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(format: u16, channels: u16, rate: u32, bits: u16, sound: &[u8]) -> Vec<u8> {
        let mut file = header(channels, rate, u32::try_from(sound.len()).expect("a short sound")).to_vec();
        file[20..22].copy_from_slice(&format.to_le_bytes());
        file[34..36].copy_from_slice(&bits.to_le_bytes());
        file.extend_from_slice(sound);
        file
    }

    #[test]
    fn every_kind_of_sample_is_read() {
        let half = |format, bits, sound: &[u8]| {
            read(&file(format, 1, 8_000, bits, sound))
                .expect("readable")
                .samples[0]
        };
        assert_eq!(half(PCM, 8, &[192]), 0.5);
        assert_eq!(half(PCM, 16, &[0, 0x40]), 0.5);
        assert_eq!(half(PCM, 24, &[0, 0, 0x40]), 0.5);
        assert_eq!(half(PCM, 32, &[0, 0, 0, 0xc0]), -0.5);
        assert_eq!(half(FLOAT, 32, &0.5f32.to_le_bytes()), 0.5);
        assert_eq!(half(FLOAT, 64, &0.5f64.to_le_bytes()), 0.5);
        assert_eq!(half(A_LAW, 8, &[0xd5]), 8.0 / 32_768.0);
        assert_eq!(half(MU_LAW, 8, &[0xff]), 0.0);
    }

    #[test]
    fn channels_are_mixed_and_odd_chunks_are_stepped_over() {
        let mut bytes = file(PCM, 2, 44_100, 16, &[0, 0x40, 0, 0]);
        // A chunk of one byte and its padding between the description and the sound.
        bytes.splice(36..36, *b"LIST\x01\x00\x00\x00ab");
        let wave = read(&bytes).expect("readable");
        assert_eq!((wave.rate, wave.samples), (44_100, vec![0.25]));
    }

    #[test]
    fn sizes_that_were_never_filled_in_reach_to_the_end() {
        for size in [0, u32::MAX, 1_000_000] {
            let mut bytes = file(PCM, 1, 8_000, 16, &[0, 0x40, 0, 0x20, 7]);
            bytes[40..44].copy_from_slice(&size.to_le_bytes());
            assert_eq!(read(&bytes).expect("readable").samples, [0.5, 0.25]);
        }
    }

    #[test]
    fn extensible_files_name_their_format_at_the_end() {
        let mut bytes = file(EXTENSIBLE, 1, 8_000, 32, &0.5f32.to_le_bytes());
        bytes[16..20].copy_from_slice(&40u32.to_le_bytes());
        let mut rest = vec![22, 0, 32, 0, 4, 0, 0, 0, 3, 0];
        rest.resize(24, 0);
        bytes.splice(36..36, rest);
        assert_eq!(read(&bytes).expect("readable").samples, [0.5]);
    }

    #[test]
    fn refusals_say_why() {
        assert_eq!(read(b"ID3"), Err(Error::NotWav));
        assert_eq!(
            read(&file(0x55, 1, 8_000, 0, &[0; 8])),
            Err(Error::Format {
                format: 0x55,
                bits: 0
            })
        );
        assert_eq!(read(&file(PCM, 0, 8_000, 16, &[0; 8])), Err(Error::Channels(0)));
        assert_eq!(read(&file(PCM, 1, 1, 16, &[0; 8])), Err(Error::Rate(1)));
        assert_eq!(read(&file(PCM, 1, 8_000, 16, &[])), Err(Error::NoSound));
        assert_eq!(
            read(&file(PCM, 1, 8_000, 16, &[1, 0])[..30]),
            Err(Error::NoFormat)
        );
    }

    proptest! {
        #[test]
        fn whatever_comes_is_answered(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&bytes);
            let mut headed = b"RIFF\0\0\0\0WAVE".to_vec();
            headed.extend_from_slice(&bytes);
            let _ = read(&headed);
        }

        #[test]
        fn a_damaged_file_is_answered(at in 12usize..60, with in any::<u8>(), cut in 0usize..80) {
            let mut bytes = file(PCM, 2, 16_000, 24, &[5; 60]);
            bytes[at] = with;
            bytes.truncate(bytes.len() - cut);
            let _ = read(&bytes);
        }
    }
}
