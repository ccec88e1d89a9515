//! Bytes as hexadecimal digits.

use std::fmt::Write as _;

/// Two lower-case digits for each byte.
pub fn write(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a string takes what is written");
    }
    text
}

/// Just so many bytes from two digits each, of either case; none from anything else.
pub fn read<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    read_into(text.as_bytes(), &mut bytes).then_some(bytes)
}

/// As [`read`], into bytes that are there already, as those of a key that is wiped after its use; false
/// where the text is anything else, and then some of them may be written.
pub fn read_into(text: &[u8], bytes: &mut [u8]) -> bool {
    if text.len() != 2 * bytes.len() {
        return false;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.chunks(2)) {
        let digit = |place: usize| char::from(pair[place]).to_digit(16);
        let (Some(high), Some(low)) = (digit(0), digit(1)) else {
            return false;
        };
        *byte = (high << 4 | low) as u8;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        assert_eq!(write(&[0, 0x1f, 0xff]), "001fff");
        assert_eq!(read("001fFF"), Some([0, 0x1f, 0xff]));
        for text in ["", "001f", "001fff00", "001ff", "00+fff", "001ffg", "ééé"] {
            assert_eq!(read::<3>(text), None, "{text}");
        }
    }
}
