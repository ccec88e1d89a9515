//! WAV files: what is read has samples that can be played, and is resampled to the rate of the telephone.

#![no_main]

use libfuzzer_sys::fuzz_target;
use trunkline_media::{Codec, Sound, limits, wav};

/// Bytes of a file that is resampled, too; longer ones cost time and find nothing more.
const RESAMPLED_BYTES_MAX: usize = 2_048;

fuzz_target!(|bytes: &[u8]| {
    let Ok(wave) = wav::read(bytes) else {
        return;
    };
    assert!(limits::RATES.contains(&wave.rate));
    assert!(!wave.samples.is_empty() && wave.samples.len() <= bytes.len());
    assert!(wave.samples.iter().all(|sample| sample.is_finite()));
    if bytes.len() <= RESAMPLED_BYTES_MAX {
        let sound = Sound::from_wav(bytes).expect("what is read can be played");
        let expected = wave.samples.len() as f64 * f64::from(limits::RATE) / f64::from(wave.rate);
        let samples = sound.samples().len() as f64;
        assert!(
            (samples - expected).abs() <= 2.0,
            "{samples} samples instead of {expected}"
        );
        let _ = (sound.encoded(Codec::Pcma), sound.encoded(Codec::Pcmu));
    }
});
