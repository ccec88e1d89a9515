//! Places as editors count them: lines from 0, and columns in bytes or in UTF-16 units. A
//! Chinese character is one unit and three bytes; some others are two units and four bytes.

use std::ops::Range;

use tower_lsp_server::ls_types::{self as lsp, Position, PositionEncodingKind};

/// How columns are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Columns {
    /// In bytes.
    Utf8,
    /// In units of UTF-16, which every editor knows.
    Utf16,
}

impl Columns {
    /// What to count in, of what an editor offers.
    pub(super) fn choose(offered: Option<&[PositionEncodingKind]>) -> Self {
        let bytes = offered.is_some_and(|offered| offered.contains(&PositionEncodingKind::UTF8));
        if bytes { Self::Utf8 } else { Self::Utf16 }
    }

    pub(super) const fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    /// The byte of a place; the end of its line for a column beyond it, the end of the text
    /// for a line beyond that.
    pub(super) fn byte(self, text: &str, position: Position) -> usize {
        let line = usize::try_from(position.line).unwrap_or(usize::MAX);
        let column = usize::try_from(position.character).unwrap_or(usize::MAX);
        let mut start = 0;
        for _ in 0..line {
            match text[start..].find('\n') {
                Some(end) => start += end + 1,
                None => return text.len(),
            }
        }
        let end = text[start..].find('\n').map_or(text.len(), |end| start + end);
        let mut counted = 0;
        for (at, c) in text[start..end].char_indices() {
            if counted >= column || c == '\r' {
                return start + at;
            }
            counted += self.width(c);
        }
        end
    }

    /// The place of a byte.
    pub(super) fn position(self, text: &str, byte: usize) -> Position {
        let mut byte = byte.min(text.len());
        while !text.is_char_boundary(byte) {
            byte -= 1;
        }
        let start = text[..byte].rfind('\n').map_or(0, |end| end + 1);
        let line = text[..start].matches('\n').count();
        let column: usize = text[start..byte].chars().map(|c| self.width(c)).sum();
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Position::new(number(line), number(column))
    }

    pub(super) fn range(self, text: &str, bytes: &Range<usize>) -> lsp::Range {
        lsp::Range::new(self.position(text, bytes.start), self.position(text, bytes.end))
    }

    const fn width(self, c: char) -> usize {
        match self {
            Self::Utf8 => c.len_utf8(),
            Self::Utf16 => c.len_utf16(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_both_ways() {
        let text = "a: 您好 𠮷x\r\n热线: b\n";
        for (columns, byte, position) in [
            (Columns::Utf16, 3, (0, 3)),
            (Columns::Utf16, 9, (0, 5)),
            (Columns::Utf16, 14, (0, 8)),
            (Columns::Utf8, 9, (0, 9)),
            (Columns::Utf8, 14, (0, 14)),
            (Columns::Utf16, 17, (1, 0)),
            (Columns::Utf16, 25, (1, 4)),
            (Columns::Utf8, 25, (1, 8)),
        ] {
            let position = Position::new(position.0, position.1);
            assert_eq!(columns.position(text, byte), position, "{byte}");
            assert_eq!(columns.byte(text, position), byte, "{position:?}");
        }
        assert_eq!(Columns::Utf16.byte(text, Position::new(0, 99)), 15);
        assert_eq!(Columns::Utf16.byte(text, Position::new(9, 0)), text.len());
    }

    #[test]
    fn bytes_are_chosen_when_they_are_offered() {
        assert_eq!(Columns::choose(None), Columns::Utf16);
        let offered = [PositionEncodingKind::UTF16, PositionEncodingKind::UTF8];
        assert_eq!(Columns::choose(Some(&offered)), Columns::Utf8);
        assert_eq!(Columns::choose(Some(&offered[..1])), Columns::Utf16);
    }
}
