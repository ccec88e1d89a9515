//! Sounds that can be told from each other, and what is heard of them.

use std::{f64::consts::TAU, fs, path::Path};

/// Samples a second.
pub(crate) const RATE: u32 = 8_000;
/// What is quieter than this counts as silence (root mean square, of 32,767).
const QUIET: f64 = 200.0;

/// A tone.
pub(crate) fn tone(hertz: u32, seconds: f64) -> Vec<i16> {
    let count = seconds * f64::from(RATE);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a test's sounds are short, and a quarter of the full scale loud"
    )]
    (0..count as u32)
        .map(|at| (8_000.0 * (TAU * f64::from(hertz) * f64::from(at) / f64::from(RATE)).sin()) as i16)
        .collect()
}

/// Writes a WAV file of one channel.
pub(crate) fn write_wav(file: &Path, samples: &[i16]) {
    let bytes = u32::try_from(samples.len() * 2).expect("a test's sounds are short");
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + bytes).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(RATE.to_le_bytes());
    wav.extend((RATE * 2).to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend(bytes.to_le_bytes());
    wav.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    fs::create_dir_all(file.parent().expect("a file lies in a folder")).expect("there is room for a folder");
    fs::write(file, wav).expect("there is room for a sound");
}

/// The channels of a WAV file of 16 bits.
pub(crate) fn read_wav(file: &Path) -> Vec<Vec<i16>> {
    let bytes = fs::read(file).unwrap_or_else(|error| panic!("failed to read {}: {error}", file.display()));
    assert_eq!(&bytes[..4], b"RIFF", "{}", file.display());
    let channels = usize::from(u16::from_le_bytes([bytes[22], bytes[23]]));
    let at = bytes
        .windows(4)
        .position(|four| four == b"data")
        .expect("a WAV file has data");
    let samples: Vec<i16> = bytes[at + 8..]
        .chunks_exact(2)
        .map(|two| i16::from_le_bytes([two[0], two[1]]))
        .collect();
    (0..channels)
        .map(|channel| samples.iter().skip(channel).step_by(channels).copied().collect())
        .collect()
}

/// The pitch of what is heard, within 10 Hz; none where it is quiet.
pub(crate) fn pitch(samples: &[i16]) -> Option<u32> {
    let samples = &samples[samples.len().saturating_sub(1_600)..];
    if samples.len() < 800 || !is_loud(samples) {
        return None;
    }
    (20..340)
        .map(|ten| ten * 10)
        .max_by(|one, other| power(samples, *one).total_cmp(&power(samples, *other)))
}

/// Whether it is no silence.
pub(crate) fn is_loud(samples: &[i16]) -> bool {
    loudness(samples) >= QUIET
}

/// The root mean square.
pub(crate) fn loudness(samples: &[i16]) -> f64 {
    let sum: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    let count = u32::try_from(samples.len().max(1)).expect("a test's sounds are short");
    (sum / f64::from(count)).sqrt()
}

/// Whether a tone is the loudest thing in some fifth of a second of it.
pub(crate) fn holds(samples: &[i16], hertz: u32) -> bool {
    samples
        .chunks(1_600)
        .any(|part| pitch(part).is_some_and(|heard| heard.abs_diff(hertz) <= 20))
}

/// How much of a pitch there is (Goertzel's algorithm, squared).
fn power(samples: &[i16], hertz: u32) -> f64 {
    let turn = 2.0 * (TAU * f64::from(hertz) / f64::from(RATE)).cos();
    let (mut last, mut before) = (0.0_f64, 0.0_f64);
    for sample in samples {
        (last, before) = (f64::from(*sample) + turn * last - before, last);
    }
    last * last + before * before - turn * last * before
}
