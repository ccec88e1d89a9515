//! The text of a hotline's files, and places in it.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

/// The endings of files that are recordings.
pub const RECORDING_ENDINGS: [&str; 6] = ["wav", "mp3", "ogg", "opus", "flac", "m4a"];

/// The text of a hotline's files, and what else lies beside them.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Texts by path: relative to the hotline's folder, with `/` between its parts.
    pub files: BTreeMap<Arc<str>, Arc<str>>,
    /// The recordings that are there, by path, and how many seconds each is long where its
    /// header tells. Whoever reads the folder looks into them: this crate reads no files.
    pub recordings: BTreeMap<Arc<str>, Option<f64>>,
}

impl Sources {
    /// Takes files by path.
    pub fn new<P: Into<Arc<str>>, T: Into<Arc<str>>>(files: impl IntoIterator<Item = (P, T)>) -> Self {
        Self {
            files: files
                .into_iter()
                .map(|(path, text)| (path.into(), text.into()))
                .collect(),
            recordings: BTreeMap::new(),
        }
    }
}

/// Whether a path's ending says that it is a recording.
pub fn is_recording(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, ending)| {
        RECORDING_ENDINGS
            .iter()
            .any(|known| ending.eq_ignore_ascii_case(known))
    })
}

/// A stretch of one file, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Which file, by its place among the sorted paths.
    pub(crate) file: u32,
    /// Where it begins.
    pub(crate) start: u32,
    /// Where it ends, not included.
    pub(crate) end: u32,
}

impl Span {
    /// Takes the bytes of a file.
    pub(crate) fn new(file: usize, bytes: Range<usize>) -> Self {
        // Files over FILE_BYTES_MAX are refused unread, so offsets fit.
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self {
            file: offset(file),
            start: offset(bytes.start),
            end: offset(bytes.end),
        }
    }

    /// The bytes of the file.
    pub(crate) const fn bytes(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Something and where it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spanned<T> {
    /// What is written.
    pub value: T,
    /// Where.
    pub span: Span,
}

/// A word and where it is written.
pub type Word = Spanned<Arc<str>>;

impl<T> Spanned<T> {
    /// Puts something where it is written.
    pub const fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

impl Word {
    /// The word itself.
    pub fn as_str(&self) -> &str {
        &self.value
    }
}

/// A place as people count: lines and columns of characters, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// A file, and where its lines begin.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) path: Arc<str>,
    pub(crate) text: Arc<str>,
    lines: Vec<usize>,
}

/// All files of a hotline, numbered by path.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files(pub(crate) Vec<File>);

impl Files {
    /// Numbers the files; hotline.yaml is always among them, so that findings have a place.
    pub(crate) fn new(sources: &Sources) -> Self {
        let mut files = sources.files.clone();
        files.entry("hotline.yaml".into()).or_insert_with(|| "".into());
        Self(
            files
                .iter()
                .map(|(path, text)| File {
                    path: path.clone(),
                    text: text.clone(),
                    lines: std::iter::once(0)
                        .chain(
                            text.bytes()
                                .enumerate()
                                .filter(|(_, byte)| *byte == b'\n')
                                .map(|(at, _)| at + 1),
                        )
                        .collect(),
                })
                .collect(),
        )
    }

    /// The beginning of a file.
    pub(crate) fn beginning(&self, path: &str) -> Span {
        let index = self
            .0
            .iter()
            .position(|file| &*file.path == path)
            .unwrap_or_default();
        Span::new(index, 0..0)
    }

    pub(crate) fn of(&self, span: Span) -> &File {
        &self.0[span.file as usize]
    }

    /// The text of a span.
    pub(crate) fn text(&self, span: Span) -> &str {
        self.of(span).text.get(span.bytes()).unwrap_or_default()
    }
}

impl File {
    /// Where a byte stands.
    pub(crate) fn position(&self, byte: usize) -> Position {
        let byte = byte.min(self.text.len());
        let line = self.lines.partition_point(|start| *start <= byte).max(1);
        let start = self.lines[line - 1];
        let column = self.text.get(start..byte).map_or(0, |text| text.chars().count()) + 1;
        Position { line, column }
    }

    /// The bytes of the line that holds a byte, without its end.
    pub(crate) fn line_of(&self, byte: usize) -> Range<usize> {
        let line = self.lines.partition_point(|start| *start <= byte).max(1);
        let start = self.lines[line - 1];
        let end = self
            .lines
            .get(line)
            .map_or(self.text.len(), |next| next.saturating_sub(1));
        start..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let files = Files::new(&Sources::new([("a.yaml", "热线: 您好\nb: c\n")]));
        let file = &files.0[0];
        assert_eq!(files.0.len(), 2);
        assert_eq!(file.position(0), Position { line: 1, column: 1 });
        assert_eq!(file.position("热线: ".len()), Position { line: 1, column: 5 });
        assert_eq!(
            file.position("热线: 您好\nb: ".len()),
            Position { line: 2, column: 4 }
        );
        assert_eq!(&file.text[file.line_of(17)], "b: c");
    }
}
