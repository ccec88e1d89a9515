//! The sizes in a WAV's header. A program that writes to a pipe cannot go back and set them, so
//! they say two gigabytes, or nothing. The end of the pipe is the end of the sound.

/// Sets the sizes of a WAV to what there is, where they say more or nothing. Anything else is left
/// as it is: whether it can be played is judged by who reads it.
pub(crate) fn mend(wav: &mut Vec<u8>) {
    if wav.get(..4) != Some(b"RIFF") || wav.get(8..12) != Some(b"WAVE") {
        return;
    }
    let mut at = 12;
    while let Some(size) = size(wav, at + 4) {
        let there = wav.len() - at - 8;
        let is_data = wav.get(at..at + 4) == Some(b"data");
        if size > there || (is_data && size == 0) {
            // Samples are of two bytes at least: half of one is none.
            set(wav, at + 4, there & !1);
            let end = wav.len() & !1;
            wav.truncate(end);
            break;
        }
        if is_data {
            break;
        }
        at += 8 + size + size % 2;
    }
    let all = wav.len().saturating_sub(8);
    set(wav, 4, all);
}

fn size(wav: &[u8], at: usize) -> Option<usize> {
    let bytes = wav.get(at..at + 4)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(bytes)).ok()
}

fn set(wav: &mut [u8], at: usize, size: usize) {
    if let (Some(bytes), Ok(size)) = (wav.get_mut(at..at + 4), u32::try_from(size)) {
        bytes.copy_from_slice(&size.to_le_bytes());
    }
}

/// A WAV of 8 kHz for tests.
#[cfg(test)]
pub(crate) fn sample(milliseconds: u32) -> Vec<u8> {
    let data = milliseconds * 16;
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + data).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(8_000_u32.to_le_bytes());
    wav.extend(16_000_u32.to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend(data.to_le_bytes());
    wav.extend((0..data / 2).flat_map(|at| (((at % 40) as i16 - 20) * 500).to_le_bytes()));
    wav
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_a_pipe_could_not_know_are_set() {
        let good = sample(100);
        for stated in [0_u32, 0x7fff_f000, u32::MAX] {
            let mut wav = good.clone();
            wav[4..8].copy_from_slice(&stated.to_le_bytes());
            wav[40..44].copy_from_slice(&stated.to_le_bytes());
            mend(&mut wav);
            assert_eq!(wav, good);
        }
        let mut same = good.clone();
        mend(&mut same);
        assert_eq!(same, good);
    }

    #[test]
    fn nothing_that_an_engine_writes_makes_it_fail() {
        let good = sample(10);
        for end in 0..good.len() {
            let mut cut = good[..end].to_vec();
            mend(&mut cut);
            assert!(cut.len() <= end);
        }
        for at in 0..60 {
            for byte in [0, 1, 0x7f, 0xff] {
                let mut bent = good.clone();
                bent[at] = byte;
                mend(&mut bent);
            }
        }
    }
}
