//! The sentences that stand in the source of the crate, to compare the catalogue with them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Where sentences of findings are written, from the workspace's `runtime` on.
const PLACES: [&str; 13] = [
    "flow/src/calendar",
    "flow/src/check",
    "flow/src/check.rs",
    "flow/src/diagnostics/findings.rs",
    "flow/src/diagnostics/fix.rs",
    "flow/src/expression",
    "flow/src/parse",
    "flow/src/parse.rs",
    "flow/src/scenario",
    "flow/src/speech",
    "flow/src/yaml",
    "flow/src/yaml.rs",
    "flow/packs",
];

/// Where else sentences stand that findings are made of.
const MORE_PLACES: [&str; 21] = [
    "cli/src/plugins.rs",
    "node/src/build.rs",
    "node/src/bundle.rs",
    "flow/src/diagnostics/suggest.rs",
    "flow/src/hotline",
    "model/src/time.rs",
    "package/src/admission.rs",
    "plugin/src/load_error.rs",
    "plugin/src/missing.rs",
    "plugin/src/anatomy",
    "plugin/src/anatomy.rs",
    "plugin/src/budget.rs",
    "plugin/src/compiled.rs",
    "plugin/src/compiler.rs",
    "plugin/src/complexity.rs",
    "plugin/src/grants",
    "plugin/src/grants.rs",
    "plugin/src/host.rs",
    "plugin/src/imports.rs",
    "plugin/src/shape.rs",
    "plugin/src/introspect.rs",
];

/// What is written before a text that nobody is told by a finding.
const UNTOLD: [&str; 4] = ["expect(", "reason =", "#[error(", "unreachable!("];

/// Texts that look like sentences of findings and are none.
const OTHER: [&str; 19] = [
    "the caller's own words",
    ". Press 1 if that is right, or 2 to enter it again.",
    "as the scenario has it",
    "working day",
    "did you mean",
    ", or an expression",
    // What the parser of YAML says, before it is said in other words.
    "mapping values are not allowed",
    "did not find expected key",
    "simple key expect",
    "unexpected end of stream",
    "unexpected eof",
    "unknown anchor",
    "unknown escape character",
    "recursion limit",
    "misplaced bracket",
    "invalid indentation",
    "wrongly indented line",
    "invalid trailing content",
    "mapping values",
];

/// A text of the source, and whether it is certainly a sentence of findings.
pub(super) struct Literal {
    pub(super) text: String,
    pub(super) place: String,
    pub(super) sentence: bool,
}

/// All texts of the places where findings are made, without those of tests.
pub(super) fn literals() -> Vec<Literal> {
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut literals = Vec::new();
    for (places, told) in [(&PLACES[..], true), (&MORE_PLACES[..], false)] {
        for file in places.iter().flat_map(|place| files(&runtime.join(place))) {
            let name = file.strip_prefix(runtime).unwrap().display().to_string();
            let written = fs::read_to_string(&file).unwrap();
            let told = told && file.extension().is_some_and(|extension| extension == "rs");
            for (at, text) in texts(without_tests(&written)) {
                let line = 1 + written[..at].matches('\n').count();
                let before = written[..at].trim_end();
                let untold = UNTOLD.iter().any(|untold| before.ends_with(untold));
                literals.push(Literal {
                    sentence: told && !untold && is_sentence(&text),
                    place: format!("{name}:{line}"),
                    text,
                });
            }
        }
    }
    literals
}

/// The first line of a text as the catalogue writes it, whether it is one with holes or a plain one.
pub(super) fn keys(text: &str) -> [String; 2] {
    let text = text.split('\n').next().unwrap_or_default();
    let mut key = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let inside = rest.strip_prefix('{').and_then(|inside| inside.split_once('}'));
        let hole = inside.map(|(hole, _)| hole).filter(|hole| is_hole(hole));
        if rest.starts_with("{{") || rest.starts_with("}}") {
            key.push(c);
            rest = &rest[2..];
        } else if let Some(hole) = hole {
            key.push_str("{}");
            rest = &rest[hole.len() + 2..];
        } else {
            key.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    [key, text.to_owned()]
}

fn is_hole(hole: &str) -> bool {
    let name = hole.split(':').next().unwrap_or_default();
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !hole.contains(['{', ' '])
}

fn is_sentence(text: &str) -> bool {
    if OTHER.contains(&text) {
        return false;
    }
    let outside: String = text.split('`').step_by(2).collect::<Vec<_>>().join(" `` ");
    let words: Vec<bool> = outside
        .split(' ')
        .map(|word| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b','))
        .collect();
    words.windows(2).any(|pair| pair == [true, true])
}

fn files(place: &Path) -> BTreeSet<PathBuf> {
    if place.is_file() {
        return BTreeSet::from([place.to_owned()]);
    }
    let entries = fs::read_dir(place).unwrap();
    let entries = entries.map(|entry| entry.unwrap().path());
    let tests = ["harness.rs", "pages.rs", "tests.rs", "source.rs"];
    entries
        .filter(|path| !tests.iter().any(|test| path.ends_with(test)))
        .flat_map(|path| files(&path))
        .collect()
}

fn without_tests(text: &str) -> &str {
    let end = text
        .match_indices("#[cfg(test)]\n")
        .map(|(at, attribute)| (at, &text[at + attribute.len()..]))
        .find(|(_, rest)| {
            let line = rest.lines().next().unwrap_or_default();
            line.contains("mod tests {") || line.contains("mod testing {")
        });
    end.map_or(text, |(at, _)| &text[..at])
}

/// The string literals of Rust or YAML, and where each begins.
fn texts(source: &str) -> Vec<(usize, String)> {
    let mut texts = Vec::new();
    let mut at = 0;
    while let Some(c) = source[at..].chars().next() {
        let rest = &source[at..];
        if rest.starts_with("//") || rest.starts_with("# ") {
            at += rest.find('\n').unwrap_or(rest.len());
        } else if let Some(character) = character(rest) {
            at += character;
        } else if c == '"' {
            let (text, length) = text(&rest[1..]);
            texts.push((at, text));
            at += 1 + length;
        } else {
            at += c.len_utf8();
        }
    }
    texts
}

/// How long a character literal is.
fn character(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('\'')?;
    let mut chars = inner.chars();
    let first = chars.next()?;
    let length = first.len_utf8()
        + if first == '\\' {
            chars.next()?.len_utf8()
        } else {
            0
        };
    inner[length..].starts_with('\'').then_some(length + 2)
}

/// The text up to the quote that closes it, and how long it is with that quote.
fn text(rest: &str) -> (String, usize) {
    let mut text = String::new();
    let mut chars = rest.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (text, at + 1),
            '\\' => match chars.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, '\n')) => {
                    let tail = chars.as_str();
                    let blanks = tail.len() - tail.trim_start().len();
                    for _ in 0..tail[..blanks].chars().count() {
                        chars.next();
                    }
                }
                Some((_, c)) => text.push(c),
                None => break,
            },
            c => text.push(c),
        }
    }
    (text, rest.len())
}
