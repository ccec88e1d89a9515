//! A piece of sound that can be played.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};

use crate::{
    Codec, Tone,
    limits::{RATE, RATES, SOUND_SAMPLES_MAX, SOUND_SECONDS_MAX, WAV_CHANNELS_MAX},
    wav,
};

/// Why something is no sound that can be played.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SoundError {
    /// Not a WAV file that is read.
    #[error(transparent)]
    Wav(#[from] wav::Error),
    /// A rate outside what is resampled.
    #[error("a sound of {0} samples a second cannot be played; {low} to {high} can", low = RATES.start(), high = RATES.end())]
    Rate(u32),
    /// Too many channels, or none.
    #[error("a sound of {0} channels cannot be played; 1 to {WAV_CHANNELS_MAX} are mixed")]
    Channels(u16),
    /// Too long.
    #[error("the sound is too long: {SOUND_SECONDS_MAX} s are played at most; cut it, or play it in parts")]
    TooLong,
    /// The resampler gave up.
    #[error("failed to resample a sound of {rate} samples a second: {reason}")]
    Resample {
        /// Samples a second.
        rate: u32,
        /// What the resampler says.
        reason: String,
    },
}

/// A piece of sound: 8 kHz, one channel. Clones share it, and its encodings.
#[derive(Clone)]
pub struct Sound(Arc<Inner>);

struct Inner {
    samples: Box<[i16]>,
    a_law: OnceLock<Arc<[u8]>>,
    mu_law: OnceLock<Arc<[u8]>>,
}

/// What a resampled sound may reach, so that filters' ringing is not cut.
const HEADROOM: f32 = 0.97;
/// Frames that the resampler is given at once.
const RESAMPLED_FRAMES: usize = 1_024;

impl Sound {
    /// From samples at 8 kHz, one channel. What is longer than [`SOUND_SECONDS_MAX`] is cut.
    #[must_use]
    pub fn from_pcm(mut samples: Vec<i16>) -> Self {
        samples.truncate(SOUND_SAMPLES_MAX);
        Self(Arc::new(Inner {
            samples: samples.into_boxed_slice(),
            a_law: OnceLock::new(),
            mu_law: OnceLock::new(),
        }))
    }

    /// From samples of any rate; channels are interleaved, and mixed.
    ///
    /// # Errors
    /// When the rate or the channels are out of bounds, or it is too long.
    pub fn from_samples(samples: &[f32], rate: u32, channels: u16) -> Result<Self, SoundError> {
        if channels == 0 || channels > WAV_CHANNELS_MAX {
            return Err(SoundError::Channels(channels));
        }
        if !RATES.contains(&rate) {
            return Err(SoundError::Rate(rate));
        }
        let frames = samples.len() / usize::from(channels);
        if frames as u64 > u64::from(rate) * SOUND_SECONDS_MAX {
            return Err(SoundError::TooLong);
        }
        let mixed: Vec<f32> = samples
            .chunks_exact(usize::from(channels))
            .map(|frame| {
                let sum: f32 = frame.iter().filter(|sample| sample.is_finite()).sum();
                sum / f32::from(channels)
            })
            .collect();
        Self::from_mixed(mixed, rate)
    }

    fn from_mixed(samples: Vec<f32>, rate: u32) -> Result<Self, SoundError> {
        if rate == RATE {
            return Ok(Self::from_pcm(quantised(&samples, 1.0)));
        }
        Ok(Self::from_pcm(quantised(&resampled(&samples, rate)?, HEADROOM)))
    }

    /// From a WAV file; see [`wav::read`].
    ///
    /// # Errors
    /// When it cannot be read, or is too long.
    pub fn from_wav(bytes: &[u8]) -> Result<Self, SoundError> {
        let wave = wav::read(bytes)?;
        Self::from_mixed(wave.samples, wave.rate)
    }

    /// Silence; of more than [`SOUND_SECONDS_MAX`], that much.
    #[must_use]
    pub fn silence(length: Duration) -> Self {
        let samples = length.as_millis().saturating_mul(u128::from(RATE) / 1_000);
        let samples = usize::try_from(samples).unwrap_or(SOUND_SAMPLES_MAX);
        Self::from_pcm(vec![0; samples.min(SOUND_SAMPLES_MAX)])
    }

    /// One period of a tone.
    #[must_use]
    pub fn tone(tone: Tone) -> Self {
        Self::from_pcm(tone.samples())
    }

    /// How long it takes to play.
    #[must_use]
    pub fn length(&self) -> Duration {
        Duration::from_micros(self.0.samples.len() as u64 * 1_000_000 / u64::from(RATE))
    }

    /// Its samples.
    #[must_use]
    pub fn samples(&self) -> &[i16] {
        &self.0.samples
    }

    /// It as the wire has it; made on first use, and shared from then on.
    #[must_use]
    pub fn encoded(&self, codec: Codec) -> Arc<[u8]> {
        Arc::clone(self.law(codec))
    }

    /// As [`Self::encoded`], borrowed.
    pub(crate) fn bytes(&self, codec: Codec) -> &[u8] {
        self.law(codec)
    }

    fn law(&self, codec: Codec) -> &Arc<[u8]> {
        let law = match codec {
            Codec::Pcma => &self.0.a_law,
            Codec::Pcmu => &self.0.mu_law,
        };
        law.get_or_init(|| {
            let mut bytes = vec![0; self.0.samples.len()];
            codec.encode_into(&self.0.samples, &mut bytes);
            bytes.into()
        })
    }

    /// A WAV file of it: 16-bit PCM, 8 kHz, one channel.
    #[must_use]
    pub fn to_wav(&self) -> Vec<u8> {
        let bytes = self.0.samples.len() * 2;
        let mut file = Vec::with_capacity(wav::HEADER_BYTES + bytes);
        file.extend_from_slice(&wav::header(1, RATE, u32::try_from(bytes).unwrap_or(u32::MAX)));
        file.extend(self.0.samples.iter().flat_map(|sample| sample.to_le_bytes()));
        file
    }
}

impl fmt::Debug for Sound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sound({:?})", self.length())
    }
}

/// Samples of the wire; made quieter when the loudest would be cut.
fn quantised(samples: &[f32], peak_max: f32) -> Vec<i16> {
    let peak = samples.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
    let gain = if peak > peak_max { peak_max / peak } else { 1.0 };
    samples
        .iter()
        .map(|sample| (sample * gain * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16)
        .collect()
}

fn resampled(samples: &[f32], rate: u32) -> Result<Vec<f32>, SoundError> {
    if samples.is_empty() {
        return Ok(Vec::new());
    }
    let failed = |reason: String| SoundError::Resample { rate, reason };
    let mut resampler = Fft::<f32>::new(
        rate as usize,
        RATE as usize,
        RESAMPLED_FRAMES,
        1,
        1,
        FixedSync::Both,
    )
    .map_err(|error| failed(error.to_string()))?;
    let room = resampler.process_all_needed_output_len(samples.len());
    let mut output = vec![0.0; room];
    let from = InterleavedSlice::new(samples, 1, samples.len()).map_err(|error| failed(error.to_string()))?;
    let mut into =
        InterleavedSlice::new_mut(&mut output, 1, room).map_err(|error| failed(error.to_string()))?;
    let (_, written) = resampler
        .process_all_into_buffer(&from, &mut into, samples.len(), None)
        .map_err(|error| failed(error.to_string()))?;
    output.truncate(written);
    Ok(output)
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    fn sine(hz: f32, rate: u32, seconds: f32, level: f32) -> Vec<f32> {
        let frames = (seconds * rate as f32) as usize;
        (0..frames)
            .map(|place| (TAU * hz * place as f32 / rate as f32).sin() * level)
            .collect()
    }

    /// How alike two sounds are: 1 is the same but for its level.
    fn correlation(a: &[i16], b: &[i16]) -> f64 {
        let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
        for (a, b) in a.iter().zip(b) {
            let (a, b) = (f64::from(*a), f64::from(*b));
            ab += a * b;
            aa += a * a;
            bb += b * b;
        }
        ab / (aa * bb).sqrt()
    }

    #[test]
    fn a_resampled_tone_is_the_same_tone() {
        let wanted = Sound::from_samples(&sine(440.0, 8_000, 1.0, 0.5), 8_000, 1).expect("playable");
        for rate in [4_000, 11_025, 16_000, 22_050, 44_100, 48_000, 192_000] {
            let sound = Sound::from_samples(&sine(440.0, rate, 1.0, 0.5), rate, 1).expect("playable");
            assert_eq!(sound.length(), wanted.length(), "{rate}");
            let alike = correlation(&sound.samples()[200..7_800], &wanted.samples()[200..7_800]);
            // The filter may move it by half a sample.
            assert!(alike > 0.98, "{rate}: {alike}");
        }
    }

    #[test]
    fn a_loud_sound_keeps_its_shape() {
        let loud = Sound::from_samples(&sine(440.0, 22_050, 1.0, 1.6), 22_050, 1).expect("playable");
        let peak = loud.samples().iter().map(|sample| i32::from(*sample).abs()).max();
        assert!(
            peak.is_some_and(|peak| (30_000..=32_000).contains(&peak)),
            "{peak:?}"
        );
    }

    #[test]
    fn a_wav_file_of_it_is_it() {
        let sound = Sound::tone(Tone::Busy);
        let again = Sound::from_wav(&sound.to_wav()).expect("our own file");
        assert_eq!(again.samples(), sound.samples());
        assert_eq!(again.encoded(Codec::Pcmu), sound.encoded(Codec::Pcmu));
        assert!(Arc::ptr_eq(
            &sound.encoded(Codec::Pcma),
            &sound.encoded(Codec::Pcma)
        ));
    }

    #[test]
    fn what_cannot_be_played_is_refused() {
        assert!(matches!(
            Sound::from_samples(&[0.0], 1_000, 1),
            Err(SoundError::Rate(1_000))
        ));
        assert!(matches!(
            Sound::from_samples(&[0.0], 8_000, 0),
            Err(SoundError::Channels(0))
        ));
        let silence = Sound::silence(Duration::from_secs(1_000_000));
        assert_eq!(silence.length(), Duration::from_secs(SOUND_SECONDS_MAX));
        let broken = Sound::from_samples(&[f32::NAN, f32::INFINITY, 0.5], 8_000, 1).expect("playable");
        assert_eq!(broken.samples(), [0, 0, 16_384]);
    }
}
