//! A hotline with a cursor in it: `⟦⟧` marks where it stands.

use super::Editor;
use crate::{
    Sources,
    check::harness::{files, interfaces},
};

pub(super) const CURSOR: &str = "⟦⟧";

/// A hotline of the check's harness, its editor, and where the cursor stands: file and byte.
pub(super) fn at_cursor(text: &str) -> (Editor, String, usize) {
    let sources = files(text);
    let mut place = None;
    let texts: Vec<(String, String)> = sources
        .files
        .iter()
        .map(|(path, text)| {
            if let Some(byte) = text.find(CURSOR) {
                place = Some((path.to_string(), byte));
            }
            (path.to_string(), text.replacen(CURSOR, "", 1))
        })
        .collect();
    let (path, byte) = place.expect("a cursor");
    (Editor::new(&Sources::new(texts), interfaces()), path, byte)
}

/// The text of a file of the editor.
pub(super) fn text_of(editor: &Editor, path: &str) -> String {
    editor.file(path).expect("a file").text.to_string()
}
