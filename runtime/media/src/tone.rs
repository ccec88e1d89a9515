//! Tones of the telephone network, with their frequencies and cadences.
//!
//! Source: ITU-T E.180, supplement 2 (various tones used in national networks), the entry for
//! China, where every tone of progress is 450 Hz; keys are those of ITU-T Q.23.

use std::f32::consts::TAU;

use crate::limits::RATE;

/// A tone; the sound of it is one period of its cadence, so that repeating it gives the tone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tone {
    /// Speak now: 1,000 Hz for 300 ms, as an answering machine does.
    Beep,
    /// 450 Hz, without a pause.
    Dial,
    /// The other end rings: 450 Hz, 1 s on, 4 s off.
    RingBack,
    /// The other end speaks: 450 Hz, 350 ms on, 350 ms off.
    Busy,
    /// No way through the network: 450 Hz, 700 ms on, 700 ms off.
    Congestion,
    /// It cannot be reached or something is broken: 450 Hz, three times 100 ms on and off, then 400 ms on and
    /// off.
    Fault,
    /// Somebody else calls: 450 Hz, 400 ms on, 4 s off.
    Waiting,
    /// A key, `0`-`9`, `*`, `#`, `A`-`D`: its two frequencies for 100 ms, then 80 ms of silence. Another
    /// letter is silence.
    Key(char),
}

const NETWORK_HZ: f32 = 450.0;
/// The level of a tone: about -10 dBm0.
const LEVEL: f32 = 0.25;
/// On and off that take this long do not click.
const RAMP_SAMPLES: usize = 40;

impl Tone {
    /// Frequencies in Hz.
    fn frequencies(self) -> [Option<f32>; 2] {
        match self {
            Self::Beep => [Some(1_000.0), None],
            Self::Dial | Self::RingBack | Self::Busy | Self::Congestion | Self::Fault | Self::Waiting => {
                [Some(NETWORK_HZ), None]
            }
            Self::Key(key) => {
                let Some(place) = "123A456B789C*0#D".find(key.to_ascii_uppercase()) else {
                    return [None, None];
                };
                let low = [697.0, 770.0, 852.0, 941.0][place / 4];
                let high = [1_209.0, 1_336.0, 1_477.0, 1_633.0][place % 4];
                [Some(low), Some(high)]
            }
        }
    }

    /// Milliseconds on and off, in turn.
    fn cadence_ms(self) -> &'static [(usize, usize)] {
        match self {
            Self::Beep => &[(300, 0)],
            Self::Dial => &[(1_000, 0)],
            Self::RingBack => &[(1_000, 4_000)],
            Self::Busy => &[(350, 350)],
            Self::Congestion => &[(700, 700)],
            Self::Fault => &[(100, 100), (100, 100), (100, 100), (400, 400)],
            Self::Waiting => &[(400, 4_000)],
            Self::Key(_) => &[(100, 80)],
        }
    }

    /// One period of it.
    pub(crate) fn samples(self) -> Vec<i16> {
        let per_ms = RATE as usize / 1_000;
        let mut samples = Vec::new();
        for (on_ms, off_ms) in self.cadence_ms() {
            let length = on_ms * per_ms;
            // A tone without a pause must not be ramped: its periods are joined.
            let ramped = *off_ms > 0 || matches!(self, Self::Beep);
            for place in 0..length {
                let edge = place.min(length - 1 - place);
                let ramp = if ramped && edge < RAMP_SAMPLES {
                    edge as f32 / RAMP_SAMPLES as f32
                } else {
                    1.0
                };
                let sum: f32 = self
                    .frequencies()
                    .iter()
                    .flatten()
                    .map(|hz| (TAU * hz * place as f32 / RATE as f32).sin() * LEVEL)
                    .sum();
                samples.push((sum * ramp * f32::from(i16::MAX)) as i16);
            }
            samples.resize(samples.len() + off_ms * per_ms, 0);
        }
        samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How much of a frequency is in a sound (Goertzel), against its whole energy: 1 is a pure tone.
    fn share(samples: &[i16], hz: f32) -> f32 {
        let (mut re, mut im, mut energy) = (0.0f32, 0.0f32, 0.0f32);
        for (place, sample) in samples.iter().enumerate() {
            let angle = TAU * hz * place as f32 / RATE as f32;
            let value = f32::from(*sample);
            re += value * angle.cos();
            im += value * angle.sin();
            energy += value * value;
        }
        2.0 * (re * re + im * im) / (energy * samples.len() as f32)
    }

    #[test]
    fn tones_have_their_frequencies() {
        let busy = Tone::Busy.samples();
        assert_eq!(busy.len(), 5_600);
        assert!(share(&busy[..2_800], 450.0) > 0.95);
        assert!(busy[2_800..].iter().all(|sample| *sample == 0));
        let nine = Tone::Key('9').samples();
        assert!(share(&nine[..800], 852.0) > 0.45);
        assert!(share(&nine[..800], 1_477.0) > 0.45);
        assert!(Tone::Key('x').samples().iter().all(|sample| *sample == 0));
    }

    #[test]
    fn the_dial_tone_repeats_without_a_click() {
        let dial = Tone::Dial.samples();
        let step = i32::from(dial[0]) - i32::from(dial[dial.len() - 1]);
        assert!(step.abs() < 3_000, "{step}");
    }
}
