//! Where in a file something is wrong.

use super::{Problem, ProjectError};

/// A file's text, and what was found wrong in it.
pub(super) struct Places<'a> {
    file: &'a str,
    text: &'a str,
    problems: Vec<(usize, String)>,
}

impl<'a> Places<'a> {
    pub(super) fn new(file: &'a str, text: &'a str) -> Self {
        Self {
            file,
            text,
            problems: Vec::new(),
        }
    }

    /// Keeps something that is wrong at a byte of the text.
    pub(super) fn report(&mut self, at: usize, message: impl Into<String>) {
        self.problems.push((at, message.into()));
    }

    pub(super) fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    /// All that was found, in the order of the text.
    pub(super) fn wrong(mut self) -> ProjectError {
        self.problems.sort();
        let problems = self.problems.iter().map(|(at, message)| {
            let (line, column) = self.line_and_column(*at);
            Problem {
                file: self.file.to_owned(),
                line,
                column,
                message: message.clone(),
            }
        });
        ProjectError::Wrong {
            problems: problems.collect(),
        }
    }

    fn line_and_column(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let begins = before.rfind('\n').map_or(0, |newline| newline + 1);
        (line, before[begins..].chars().count() + 1)
    }
}
