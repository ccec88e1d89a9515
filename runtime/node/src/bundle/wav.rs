//! How long a WAV file is, by its header: the bytes of its `data` chunk over the bytes a second
//! that its `fmt ` chunk states. Whatever its encoding is, nothing of the sound is read.

use std::io::{self, Read, Seek, SeekFrom};

/// Chunks that are passed over in search of the two that count.
const CHUNKS_MAX: usize = 64;

/// Where in a `fmt ` chunk the bytes a second stand.
const BYTE_RATE_AT: usize = 8;

/// Seconds of sound in a WAV file; none when it is none, or its header does not tell.
pub(super) fn seconds(mut file: impl Read + Seek) -> Option<f64> {
    read(&mut file).ok().flatten()
}

fn read(file: &mut (impl Read + Seek)) -> io::Result<Option<f64>> {
    let length = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let mut riff = [0; 12];
    file.read_exact(&mut riff)?;
    if &riff[..4] != b"RIFF" || &riff[8..] != b"WAVE" {
        return Ok(None);
    }
    let mut bytes_a_second = None;
    for _ in 0..CHUNKS_MAX {
        let mut head = [0; 8];
        file.read_exact(&mut head)?;
        let (name, size) = head.split_at(4);
        let size = u32::from_le_bytes(size.try_into().expect("a half of eight bytes is four"));
        match name {
            b"fmt " if size as usize >= BYTE_RATE_AT + 4 => {
                let mut format = [0; BYTE_RATE_AT + 4];
                file.read_exact(&mut format)?;
                let rate = format[BYTE_RATE_AT..]
                    .try_into()
                    .expect("the last four of twelve");
                bytes_a_second = Some(u32::from_le_bytes(rate));
                skip(file, u64::from(size) - format.len() as u64, size)?;
            }
            b"data" => {
                let left = length.saturating_sub(file.stream_position()?);
                // A recorder that wrote to a pipe did not know the size and left it at 0 or at
                // the most; the file tells it now.
                let bytes = if size == 0 {
                    left
                } else {
                    left.min(u64::from(size))
                };
                let seconds = bytes_a_second
                    .filter(|rate| *rate > 0)
                    .map(|rate| bytes as f64 / f64::from(rate));
                return Ok(seconds.filter(|seconds| *seconds > 0.0));
            }
            _ => skip(file, u64::from(size), size)?,
        }
    }
    Ok(None)
}

/// Passes over the rest of a chunk: chunks begin at even bytes.
fn skip(file: &mut impl Seek, rest: u64, size: u32) -> io::Result<()> {
    let rest = rest + u64::from(size % 2);
    let rest = i64::try_from(rest).map_err(|_| io::ErrorKind::InvalidData)?;
    file.seek(SeekFrom::Current(rest)).map(drop)
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Cursor;

    use super::*;

    /// A WAV file of silence: 8,000 samples a second of one byte, as telephones have them.
    pub(crate) fn silence(samples: u32, stated: u32) -> Vec<u8> {
        let mut file = Vec::new();
        file.extend(b"RIFF\0\0\0\0WAVE");
        // A chunk of odd size before the others is followed by a byte that belongs to nothing.
        file.extend(b"LIST\x03\0\0\0abc\0");
        file.extend(b"fmt \x12\0\0\0");
        file.extend([7, 0, 1, 0]);
        file.extend(8_000_u32.to_le_bytes());
        file.extend(8_000_u32.to_le_bytes());
        file.extend([1, 0, 8, 0, 0, 0]);
        file.extend(b"data");
        file.extend(stated.to_le_bytes());
        file.extend(std::iter::repeat_n(0xff, samples as usize));
        file
    }

    fn of(bytes: &[u8]) -> Option<f64> {
        seconds(Cursor::new(bytes))
    }

    #[test]
    fn the_header_tells_the_length() {
        assert_eq!(of(&silence(12_000, 12_000)), Some(1.5));
        // Sizes that were not known when the header was written.
        assert_eq!(of(&silence(12_000, 0)), Some(1.5));
        assert_eq!(of(&silence(12_000, u32::MAX)), Some(1.5));
        // What follows the sound is no sound.
        let mut file = silence(12_000, 8_000);
        file.extend(b"LIST");
        assert_eq!(of(&file), Some(1.0));
    }

    #[test]
    fn what_is_none_or_broken_has_no_length() {
        let file = silence(0, 0);
        assert_eq!(of(&file), None);
        assert_eq!(of(b""), None);
        assert_eq!(of(b"ID3\x04 no wave at all"), None);
        let whole = silence(100, 100);
        for end in 0..whole.len() - 100 {
            assert_eq!(of(&whole[..end]), None, "cut at {end}");
        }
    }
}
