//! One recording, on the media's side: both directions put in place by time, frame by frame.

use std::path::PathBuf;

use tokio::sync::mpsc::Sender;

use crate::{
    Heard,
    limits::{FRAME, RATE, RECORDING_CHUNK_FRAMES, RECORDING_DELAY_SAMPLES, RECORDING_SECONDS_MAX},
    window::Window,
    writer::{Job, STEREO_FRAME_BYTES, Told, Writing},
};

/// Frames that are in the windows and not yet written.
const DELAY_FRAMES: u32 = (RECORDING_DELAY_SAMPLES / FRAME as u64) as u32;
const FRAMES_MAX: u64 = RECORDING_SECONDS_MAX * (RATE as u64) / (FRAME as u64);
const CHUNK_BYTES: usize = RECORDING_CHUNK_FRAMES * STEREO_FRAME_BYTES;

pub(crate) struct Recorder {
    recording: u64,
    /// What the far end said.
    left: Window,
    /// What it heard.
    right: Window,
    /// Frames that lie before the recording's begin, or before it was resumed.
    before: u32,
    paused: bool,
    frames: u64,
    frames_lost: u32,
    chunk: Vec<u8>,
}

impl Recorder {
    pub(crate) fn begin(recording: u64, path: PathBuf, to: Sender<Heard>, writing: &mut Writing) -> Self {
        writing.control(Job::Begin {
            recording,
            path,
            told: Told::new(to),
        });
        Self {
            recording,
            left: Window::new(RECORDING_DELAY_SAMPLES),
            right: Window::new(RECORDING_DELAY_SAMPLES),
            before: DELAY_FRAMES,
            paused: false,
            frames: 0,
            frames_lost: 0,
            chunk: Vec::with_capacity(CHUNK_BYTES),
        }
    }

    /// The far end said something.
    pub(crate) fn said(&mut self, timestamp: u32, samples: &[i16]) {
        if !self.paused {
            self.left.place(timestamp, samples);
        }
    }

    /// The far end was sent something.
    pub(crate) fn sent(&mut self, timestamp: u32, samples: &[i16]) {
        if !self.paused {
            self.right.place(timestamp, samples);
        }
    }

    /// The far end is another sender now.
    pub(crate) fn other_sender(&mut self) {
        self.left.reset();
    }

    /// 20 ms have passed. False when the recording has reached its longest.
    pub(crate) fn tick(&mut self, writing: &mut Writing) -> bool {
        if !self.paused {
            self.frame(writing);
        }
        self.frames < FRAMES_MAX
    }

    fn frame(&mut self, writing: &mut Writing) {
        let (left, right) = (self.left.take(), self.right.take());
        if self.before > 0 {
            self.before -= 1;
            return;
        }
        self.frames += 1;
        for (left, right) in left.iter().zip(right) {
            self.chunk.extend_from_slice(&left.to_le_bytes());
            self.chunk.extend_from_slice(&right.to_le_bytes());
        }
        if self.chunk.len() >= CHUNK_BYTES {
            self.hand_over(writing);
        }
    }

    fn hand_over(&mut self, writing: &mut Writing) {
        let frames = u32::try_from(self.chunk.len() / STEREO_FRAME_BYTES).unwrap_or(u32::MAX);
        if frames == 0 {
            return;
        }
        let bytes = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK_BYTES));
        let job = Job::Sound {
            recording: self.recording,
            frames_lost: self.frames_lost,
            bytes,
        };
        if writing.sound(job) {
            self.frames_lost = 0;
        } else {
            metrics::counter!("trunkline_media_recording_frames_lost").increment(frames.into());
            self.frames_lost = self.frames_lost.saturating_add(frames);
        }
    }

    /// Writes what is still in the windows.
    fn drain(&mut self, writing: &mut Writing) {
        for _ in 0..DELAY_FRAMES {
            self.frame(writing);
        }
        self.hand_over(writing);
    }

    pub(crate) fn pause(&mut self, writing: &mut Writing) {
        if !self.paused {
            self.drain(writing);
            self.paused = true;
        }
    }

    pub(crate) fn resume(&mut self) {
        if self.paused {
            self.paused = false;
            self.left.reset();
            self.right.reset();
            self.before = DELAY_FRAMES;
        }
    }

    pub(crate) fn finish(mut self, writing: &mut Writing) {
        if !self.paused {
            self.drain(writing);
        }
        writing.control(Job::Finish {
            recording: self.recording,
            frames_lost: self.frames_lost,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, sync_channel};

    use super::*;

    fn recorder() -> (Recorder, Writing, Receiver<Job>) {
        let (queue, jobs) = sync_channel(64);
        let mut writing = Writing::new(queue);
        let (to, _) = tokio::sync::mpsc::channel(4);
        let recorder = Recorder::begin(1, "call.wav".into(), to, &mut writing);
        (recorder, writing, jobs)
    }

    /// The first sample of each frame, left and right.
    fn written(jobs: &Receiver<Job>) -> Vec<(i16, i16)> {
        let mut frames = Vec::new();
        for job in jobs.try_iter() {
            if let Job::Sound { bytes, .. } = job {
                let first = |frame: &[u8]| {
                    (
                        i16::from_le_bytes([frame[0], frame[1]]),
                        i16::from_le_bytes([frame[2], frame[3]]),
                    )
                };
                frames.extend(bytes.chunks_exact(STEREO_FRAME_BYTES).map(first));
            }
        }
        frames
    }

    #[test]
    fn both_directions_stay_aligned() {
        let (mut recorder, mut writing, jobs) = recorder();
        for tick in 0..40u32 {
            let value = i16::try_from(tick).expect("few");
            recorder.sent(7_000 + tick * 160, &[value; FRAME]);
            // The far end begins 10 ticks later, with another clock; one packet is lost.
            if tick >= 10 && tick != 20 {
                recorder.said(90_000 + tick * 160, &[value; FRAME]);
            }
            assert!(recorder.tick(&mut writing));
        }
        recorder.finish(&mut writing);
        let frames = written(&jobs);
        assert_eq!(frames.len(), 40);
        for (tick, (left, right)) in (0i16..).zip(frames) {
            assert_eq!(right, tick);
            assert_eq!(left, if tick < 10 || tick == 20 { 0 } else { tick }, "{tick}");
        }
    }

    #[test]
    fn nothing_is_written_while_it_is_paused() {
        let (mut recorder, mut writing, jobs) = recorder();
        for tick in 1..11i16 {
            recorder.said(tick as u32 * 160, &[tick; FRAME]);
            recorder.tick(&mut writing);
        }
        recorder.pause(&mut writing);
        for tick in 11..30i16 {
            recorder.said(tick as u32 * 160, &[tick; FRAME]);
            recorder.tick(&mut writing);
        }
        recorder.resume();
        for tick in 30..33i16 {
            recorder.said(tick as u32 * 160, &[tick; FRAME]);
            recorder.tick(&mut writing);
        }
        recorder.finish(&mut writing);
        let left: Vec<i16> = written(&jobs).into_iter().map(|(left, _)| left).collect();
        assert_eq!(left, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 30, 31, 32]);
    }

    #[test]
    fn a_full_queue_costs_sound_and_not_time() {
        let (queue, jobs) = sync_channel(1);
        let mut writing = Writing::new(queue);
        let (to, _) = tokio::sync::mpsc::channel(4);
        let mut recorder = Recorder::begin(1, "call.wav".into(), to, &mut writing);
        // The begin fills the queue: a chunk is lost, then the writer wakes up.
        let chunk = RECORDING_CHUNK_FRAMES as u32;
        for _ in 0..chunk + DELAY_FRAMES {
            recorder.tick(&mut writing);
        }
        assert!(matches!(jobs.try_recv(), Ok(Job::Begin { .. })));
        for _ in 0..chunk {
            recorder.tick(&mut writing);
        }
        let Ok(Job::Sound { frames_lost, .. }) = jobs.try_recv() else {
            panic!("the second chunk is written");
        };
        assert_eq!(frames_lost, chunk);
    }
}
