//! YAML files that are no part of a hotline, such as the tests of a plugin, read as a hotline's
//! are: scalars keep their text, duplicate keys and bombs are refused, everything knows its line.

use std::sync::Arc;

use crate::{
    Sources,
    diagnostics::{Diagnostic, Findings, Severity},
    source::{File, Files},
    yaml,
};

/// A part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The line where it begins, from 1.
    pub line: usize,
    /// What it is.
    pub kind: Kind,
}

/// What a part of a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text, which has no other type until somebody wants one.
    Scalar {
        /// The text.
        text: Arc<str>,
        /// Whether it stands without quotes and not as a block.
        plain: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// A mapping, in written order.
    Mapping(Vec<(Arc<str>, Node)>),
}

impl Node {
    /// What it is, in words for messages.
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::Scalar { text, plain: true } if text.is_empty() => "nothing",
            Kind::Scalar { .. } => "a plain value",
            Kind::List(_) => "a list",
            Kind::Mapping(_) => "a mapping",
        }
    }

    /// The text, of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(text),
            Kind::List(_) | Kind::Mapping(_) => None,
        }
    }
}

/// Reads a file as a whole; nothing when it is empty.
///
/// # Errors
/// All that is wrong with it as YAML.
pub fn read(path: &str, text: &str) -> Result<Option<Node>, Vec<Diagnostic>> {
    let sources = Sources::new([(path, text)]);
    let files = Files::new(&sources);
    let mut findings = Findings::default();
    let Some((index, file)) = files.0.iter().enumerate().find(|(_, file)| &*file.path == path) else {
        return Ok(None);
    };
    let document = yaml::read(index, file, &mut findings);
    let root = document.root.map(|root| node(file, &root));
    let diagnostics = findings.into_diagnostics(&files);
    if diagnostics
        .iter()
        .any(|finding| finding.severity == Severity::Error)
    {
        return Err(diagnostics);
    }
    Ok(root)
}

fn node(file: &File, from: &yaml::Node) -> Node {
    let kind = match &from.kind {
        yaml::Kind::Scalar { text, plain } => Kind::Scalar {
            text: text.clone(),
            plain: *plain,
        },
        yaml::Kind::Sequence(nodes) => Kind::List(nodes.iter().map(|inner| node(file, inner)).collect()),
        yaml::Kind::Mapping(entries) => Kind::Mapping(
            entries
                .iter()
                .map(|entry| (entry.key.value.clone(), node(file, &entry.value)))
                .collect(),
        ),
    };
    Node {
        line: file.position(from.span.bytes().start).line,
        kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_with_its_lines() {
        let read = read("tests/a.yaml", "function: f\ncases:\n  - with: { phone: +86 }\n")
            .unwrap()
            .unwrap();
        let Kind::Mapping(entries) = &read.kind else {
            panic!("{read:?}")
        };
        assert_eq!(entries[0].1.text(), Some("f"));
        assert_eq!((&*entries[1].0, entries[1].1.line), ("cases", 3));
        assert_eq!(super::read("tests/a.yaml", "\n"), Ok(None));
        let findings = super::read("tests/a.yaml", "a: 1\na: 2\n").unwrap_err();
        assert_eq!((findings[0].line, &*findings[0].file), (2, "tests/a.yaml"));
    }
}
