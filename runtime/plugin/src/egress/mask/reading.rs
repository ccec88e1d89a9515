//! One way of reading a stream of bytes: with some escapes undone, and with forms looked for in what
//! is read. Where what is read began in the stream is kept for as long as it may be of a form.

use std::collections::VecDeque;

use zeroize::Zeroizing;

/// How a stream is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// As it stands.
    Plain,
    /// `%2B` is `+`.
    Address,
    /// The same, and `+` is a space.
    Form,
    /// `\u002B` is `+`, and so is `\+`.
    Json,
}

/// A stream as it is read in one way.
pub(super) struct Reading {
    way: Way,
    forms: Vec<Form>,
    /// Whether a byte of the stream begins a form or an escape.
    begins: [bool; 256],
    /// The beginning of an escape that is not whole yet, and where it began.
    escape: Vec<u8>,
    escape_from: u64,
    /// The first half of a character that JSON writes in two, and where it began.
    half: Option<(u32, u64)>,
    /// Where the last bytes that were read began in the stream: as many as may be of a form.
    from: VecDeque<u64>,
}

/// Characters of the longest escape, `\u002B`.
const ESCAPE_CHARS_MAX: usize = 6;

/// What stands for a half of a character without the other one: a byte that no text has.
const NO_TEXT: u8 = 0xff;

impl Reading {
    pub(super) fn new(way: Way, forms: Vec<Zeroizing<Vec<u8>>>) -> Self {
        let mut begins = [false; 256];
        for form in &forms {
            begins[usize::from(form[0])] = true;
        }
        if !forms.is_empty() {
            match way {
                Way::Plain => {}
                Way::Address => begins[usize::from(b'%')] = true,
                Way::Form => {
                    begins[usize::from(b'%')] = true;
                    begins[usize::from(b'+')] |= begins[usize::from(b' ')];
                }
                Way::Json => begins[usize::from(b'\\')] = true,
            }
        }
        Self {
            way,
            forms: forms.into_iter().map(Form::new).collect(),
            begins,
            escape: Vec::with_capacity(ESCAPE_CHARS_MAX),
            escape_from: 0,
            half: None,
            from: VecDeque::new(),
        }
    }

    /// Whether there is a form to look for.
    pub(super) const fn looks_for_something(&self) -> bool {
        !self.forms.is_empty()
    }

    /// Whether a byte begins something that is looked at.
    pub(super) const fn begins(&self, byte: usize) -> bool {
        self.begins[byte]
    }

    /// Since where in the stream something is under way that may be a form.
    pub(super) fn since(&self) -> Option<u64> {
        let half = self.half.map(|(_, from)| from);
        let escape = (!self.escape.is_empty()).then_some(self.escape_from);
        // In the order in which they stand in the stream.
        self.from.front().copied().or(half).or(escape)
    }

    /// Takes one more byte of the stream. Where the longest form began that ends with it.
    pub(super) fn take(&mut self, byte: u8, at: u64) -> Option<u64> {
        if self.since().is_none() && !self.begins[usize::from(byte)] {
            return None;
        }
        match self.way {
            Way::Plain => self.read(byte, at),
            Way::Address | Way::Form => self.of_address(byte, at),
            Way::Json => self.of_json(byte, at),
        }
    }

    /// Nothing follows.
    pub(super) fn end(&mut self) {
        self.escape.clear();
        self.half = None;
        self.from.clear();
        for form in &mut self.forms {
            form.matched = 0;
        }
    }

    fn of_address(&mut self, byte: u8, at: u64) -> Option<u64> {
        let digit = char::from(byte).to_digit(16);
        match (self.escape.as_slice(), digit) {
            ([], _) if byte == b'%' => {
                self.begin(byte, at);
                None
            }
            ([], _) => {
                let byte = if self.way == Way::Form && byte == b'+' {
                    b' '
                } else {
                    byte
                };
                self.read(byte, at)
            }
            ([_], Some(_)) => {
                self.escape.push(byte);
                None
            }
            (&[_, high], Some(low)) => {
                let high = char::from(high).to_digit(16).unwrap_or_default();
                let from = self.escape_from;
                self.escape.clear();
                self.read(u8::try_from(high * 16 + low).unwrap_or(NO_TEXT), from)
            }
            (_, None) | (&[_, _, ..], Some(_)) => {
                let found = self.literally(0);
                earliest(found, self.of_address(byte, at))
            }
        }
    }

    fn of_json(&mut self, byte: u8, at: u64) -> Option<u64> {
        match self.escape.len() {
            0 if byte == b'\\' => {
                self.begin(byte, at);
                None
            }
            0 => self.character(u32::from(byte), Some(byte), at),
            1 if byte == b'u' => {
                self.escape.push(byte);
                None
            }
            1 => {
                self.escape.clear();
                let meant = match byte {
                    b'b' => 0x08,
                    b'f' => 0x0c,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    other => other,
                };
                self.character(u32::from(meant), Some(meant), self.escape_from)
            }
            length if byte.is_ascii_hexdigit() => {
                self.escape.push(byte);
                if length + 1 < ESCAPE_CHARS_MAX {
                    return None;
                }
                let digits = self.escape.iter().skip(2);
                let unit = digits.fold(0, |unit, digit| {
                    unit * 16 + char::from(*digit).to_digit(16).unwrap_or_default()
                });
                self.escape.clear();
                self.character(unit, None, self.escape_from)
            }
            _ => {
                // `\u` without its digits is read as a `u`.
                let found = self.literally(1);
                earliest(found, self.of_json(byte, at))
            }
        }
    }

    /// Reads a unit of UTF-16, or a byte that stands for itself.
    fn character(&mut self, unit: u32, byte: Option<u8>, from: u64) -> Option<u64> {
        let half = self.half.take();
        if let (None, Some((high, first)), 0xdc00..=0xdfff) = (byte, half, unit) {
            let whole = 0x1_0000 + ((high - 0xd800) << 10) + (unit - 0xdc00);
            return self.text(char::from_u32(whole)?, first);
        }
        let stray = half.and_then(|(_, first)| self.read(NO_TEXT, first));
        let found = match (byte, unit) {
            (Some(byte), _) => self.read(byte, from),
            (None, 0xd800..=0xdbff) => {
                self.half = Some((unit, from));
                None
            }
            (None, unit) => match char::from_u32(unit) {
                Some(character) => self.text(character, from),
                None => self.read(NO_TEXT, from),
            },
        };
        earliest(stray, found)
    }

    fn text(&mut self, character: char, from: u64) -> Option<u64> {
        let mut found = None;
        for byte in character.encode_utf8(&mut [0; 4]).bytes() {
            found = earliest(found, self.read(byte, from));
        }
        found
    }

    fn begin(&mut self, byte: u8, at: u64) {
        self.escape.push(byte);
        self.escape_from = at;
    }

    /// Reads what began like an escape, and is none, as it stands; without its first bytes.
    fn literally(&mut self, without: usize) -> Option<u64> {
        let mut found = None;
        let bytes = std::mem::replace(&mut self.escape, Vec::with_capacity(ESCAPE_CHARS_MAX));
        for (byte, at) in bytes.into_iter().zip(self.escape_from..).skip(without) {
            let read = match self.way {
                Way::Json => self.character(u32::from(byte), Some(byte), at),
                _ => self.read(byte, at),
            };
            found = earliest(found, read);
        }
        found
    }

    /// Takes one more byte as it is read, which began somewhere in the stream. Where the longest
    /// form began that ends with it.
    fn read(&mut self, byte: u8, from: u64) -> Option<u64> {
        self.from.push_back(from);
        let mut longest = 0;
        for form in &mut self.forms {
            if form.step(byte) {
                longest = longest.max(form.text.len());
            }
        }
        let found = self.from.len().checked_sub(longest).filter(|_| longest > 0);
        let found = found.and_then(|index| self.from.get(index)).copied();
        let matched = self.forms.iter().map(|form| form.matched).max().unwrap_or(0);
        self.from.drain(..self.from.len() - matched);
        found
    }
}

/// Where the longer of two forms began.
fn earliest(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    [one, other].into_iter().flatten().min()
}

/// One form, and how much of it the last bytes were (Knuth, Morris and Pratt).
struct Form {
    text: Zeroizing<Vec<u8>>,
    /// For each length the longest shorter beginning that is also its end.
    shorter: Vec<usize>,
    matched: usize,
}

impl Form {
    fn new(text: Zeroizing<Vec<u8>>) -> Self {
        let mut shorter = vec![0; text.len() + 1];
        for end in 1..text.len() {
            let mut length = shorter[end];
            while length > 0 && text[length] != text[end] {
                length = shorter[length];
            }
            shorter[end + 1] = length + usize::from(text[length] == text[end]);
        }
        Self {
            text,
            shorter,
            matched: 0,
        }
    }

    /// Takes one more byte. Whether it ends an occurrence.
    fn step(&mut self, byte: u8) -> bool {
        while self.matched > 0 && self.text[self.matched] != byte {
            self.matched = self.shorter[self.matched];
        }
        self.matched += usize::from(self.text[self.matched] == byte);
        let whole = self.matched == self.text.len();
        if whole {
            self.matched = self.shorter[self.matched];
        }
        whole
    }
}
