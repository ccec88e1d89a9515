//! Texts as addresses and forms write them, with signs as `%2B`.

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// In an address, before its `?`.
    Path,
    /// In an address behind its `?`, and in a form: `+` is a space.
    Pairs,
}

/// A text, and where each of its bytes stands as it is written.
pub(super) struct Encoded {
    /// What is written.
    pub(super) text: String,
    places: Vec<usize>,
}

impl Encoded {
    /// Reads a text. What is no UTF-8 is taken as it is written.
    pub(super) fn read(raw: &str, form: Form) -> Self {
        let bytes = raw.as_bytes();
        let (mut read, mut places) = (
            Vec::with_capacity(bytes.len()),
            Vec::with_capacity(bytes.len() + 1),
        );
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            places.push(at);
            let escaped = (byte == b'%')
                .then(|| Some(digit(*bytes.get(at + 1)?)? * 16 + digit(*bytes.get(at + 2)?)?))
                .flatten();
            match escaped {
                Some(escaped) => {
                    read.push(escaped);
                    at += 3;
                }
                None => {
                    read.push(if byte == b'+' && form == Form::Pairs {
                        b' '
                    } else {
                        byte
                    });
                    at += 1;
                }
            }
        }
        places.push(raw.len());
        match String::from_utf8(read) {
            Ok(text) => Self { text, places },
            Err(_) => Self {
                text: raw.to_owned(),
                places: (0..=raw.len()).collect(),
            },
        }
    }

    /// Where a place of the text is as it is written.
    pub(super) fn raw(&self, place: usize) -> usize {
        self.places[place]
    }
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// Writes a text so that it may stand anywhere in an address or a form.
pub(super) fn write(text: &str) -> String {
    use std::fmt::Write as _;

    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            written.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(written, "%{byte:02X}");
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_what_is_written() {
        let read = Encoded::read("a%2B8+%E7%8E%8B%", Form::Pairs);
        assert_eq!(read.text, "a+8 王%");
        assert_eq!(
            [0, 1, 2, 3, 4, 7, 8].map(|place| read.raw(place)),
            [0, 1, 4, 5, 6, 15, 16]
        );
        assert_eq!(Encoded::read("a+b", Form::Path).text, "a+b");
        assert_eq!(Encoded::read("%FF", Form::Path).text, "%FF");
        assert_eq!(write("某 +1"), "%E6%9F%90%20%2B1");
    }
}
