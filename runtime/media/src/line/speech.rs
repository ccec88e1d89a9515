//! Whether somebody speaks, by the energy of what is heard against the noise of the line.
//!
//! For barge-in by voice and for answering machines; a recogniser decides for itself.

use crate::{
    Heard,
    limits::{FRAME, RATE},
};

/// Quieter than this is never speech: about -40 dBm0.
const LEVEL_MIN: f32 = 250.0;
/// How much louder than the noise speech is.
const ABOVE_NOISE: f32 = 3.0;
/// Speech that lasts as long is told: 100 ms.
const SPOKE_SAMPLES: usize = RATE as usize / 10;
/// A pause that lasts as long is told: 700 ms.
const QUIET_SAMPLES: usize = RATE as usize * 7 / 10;

#[derive(Debug, Default)]
pub(super) struct Speech {
    /// The noise of the line.
    noise: f32,
    speaking: bool,
    /// Samples in a row that speak against what is believed.
    against: usize,
}

impl Speech {
    pub(super) fn take(&mut self, samples: &[i16]) -> Option<Heard> {
        let energy: f32 = samples
            .iter()
            .map(|sample| f32::from(*sample) * f32::from(*sample))
            .sum();
        let level = (energy / samples.len().max(1) as f32).sqrt();
        let loud = level > LEVEL_MIN.max(self.noise * ABOVE_NOISE);
        // The noise falls at once and rises slowly: over some seconds a steady hum becomes noise.
        let weight = samples.len() as f32 / FRAME as f32 * 0.01;
        self.noise = if level < self.noise {
            level
        } else {
            self.noise + (level - self.noise) * weight.min(1.0)
        };
        if loud == self.speaking {
            self.against = 0;
            return None;
        }
        self.against += samples.len();
        let enough = if loud { SPOKE_SAMPLES } else { QUIET_SAMPLES };
        if self.against < enough {
            return None;
        }
        self.speaking = loud;
        self.against = 0;
        Some(if loud { Heard::Spoke } else { Heard::Quiet })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(level: i16) -> [i16; FRAME] {
        std::array::from_fn(|place| if place % 2 == 0 { level } else { -level })
    }

    #[test]
    fn speech_is_told_once_and_its_end_once() {
        let mut speech = Speech::default();
        let levels = [(10, 50), (3_000, 20), (50, 20), (3_000, 20), (50, 60)];
        let told: Vec<Heard> = levels
            .iter()
            .flat_map(|(level, frames)| std::iter::repeat_n(*level, *frames))
            .filter_map(|level| speech.take(&frame(level)))
            .collect();
        assert_eq!(told, [Heard::Spoke, Heard::Quiet], "a short pause is not the end");
    }

    #[test]
    fn a_click_and_a_steady_noise_are_no_speech() {
        let mut speech = Speech::default();
        assert!((0..100).all(|at| {
            speech
                .take(&frame(if at % 10 == 0 { 9_000 } else { 20 }))
                .is_none()
        }));
        let told: Vec<Heard> = (0..1_000).filter_map(|_| speech.take(&frame(600))).collect();
        assert!(told.len() <= 2, "{told:?}");
        assert_ne!(
            told.last(),
            Some(&Heard::Spoke),
            "a hum does not count as speech for ever"
        );
    }
}
