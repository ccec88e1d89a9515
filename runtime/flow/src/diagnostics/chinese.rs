//! Findings in Chinese.
//!
//! Checks say what they find in English. Here a finding that is made is said again: its sentences
//! are looked up in [a catalogue](self::catalogue), `chinese.txt`, whose keys are the English
//! sentences as they stand in the source. What the catalogue does not have stays English.

mod catalogue;
#[cfg(test)]
mod source;
mod typography;

use std::sync::LazyLock;

use self::catalogue::Catalogue;
use super::Diagnostic;

/// The sentences, and the words they keep to.
const FILE: &str = include_str!("chinese.txt");

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::new(FILE));

/// A finding in Chinese. Its places, its fixes and its script are the same.
pub(super) fn diagnostic(finding: &Diagnostic) -> Diagnostic {
    let mut said = finding.clone();
    let sentences = [&mut said.message]
        .into_iter()
        .chain(said.labels.iter_mut().map(|label| &mut label.message))
        .chain(&mut said.help)
        .chain(&mut said.clause)
        .chain(said.fixes.iter_mut().map(|fix| &mut fix.title));
    for sentence in sentences {
        *sentence = CATALOGUE.told(sentence);
    }
    said
}

/// What of a finding cannot be said in Chinese: each sentence, and the words of it that stay
/// English.
#[cfg(test)]
pub(crate) fn unsaid(finding: &Diagnostic) -> Vec<String> {
    let sentences = [&finding.message]
        .into_iter()
        .chain(finding.labels.iter().map(|label| &label.message))
        .chain(&finding.help)
        .chain(&finding.clause)
        .chain(finding.fixes.iter().map(|fix| &fix.title));
    sentences
        .filter_map(|sentence| match CATALOGUE.translated(sentence) {
            None => Some(format!("no `zh:` for `en: {sentence}`")),
            Some(chinese) => {
                let word = english(&chinese)?;
                Some(format!("{word:?} stays English in {chinese:?} for {sentence:?}"))
            }
        })
        .collect()
}

/// An English word that stands in a Chinese sentence outside of code. Names of files, tags of
/// languages and what has a figure, a capital letter or a dot in it are none.
#[cfg(test)]
fn english(chinese: &str) -> Option<&str> {
    /// Words that stay as they are.
    const KEPT: [&str; 17] = [
        "en", "bo", "call", "together", "choose", "set", "ticket", "callback", "notify", "run", "end",
        "contact", "number", "now", "nps", "csat", "mood",
    ];
    let outside = chinese.split('`').step_by(2);
    outside
        .flat_map(|part| part.split(|c: char| !c.is_ascii_alphanumeric() && !"-_./*$".contains(c)))
        .find(|word| {
            word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase()) && !KEPT.contains(word)
        })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::{
        Sources, Tongue, check,
        diagnostics::{Color, render_in},
        parse,
    };

    #[test]
    fn every_sentence_has_its_chinese() {
        let entries = catalogue::entries(FILE);
        let lines = FILE
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        assert_eq!(
            lines.count(),
            2 * entries.len(),
            "a line is no `en:`, `joined:` or `zh:`"
        );
        let mut seen = BTreeSet::new();
        for entry in &entries {
            let (english, chinese) = (entry.english, entry.chinese);
            assert!(seen.insert(english), "{english:?} stands there twice");
            assert_eq!(
                chinese.matches('`').count() % 2,
                english.matches('`').count() % 2,
                "{chinese}"
            );
            for place in 0..english.matches("{}").count() {
                assert!(
                    chinese.contains(&format!("{{{place}}}")),
                    "{{{place}}} is not in {chinese:?}"
                );
            }
        }
    }

    #[test]
    fn the_catalogue_says_what_the_source_says() {
        let literals = source::literals();
        let written: BTreeSet<String> = literals
            .iter()
            .flat_map(|literal| source::keys(&literal.text))
            .collect();
        let entries = catalogue::entries(FILE);
        let dead: Vec<&str> = entries
            .iter()
            .filter(|entry| !entry.joined && !written.contains(entry.english))
            .map(|entry| entry.english)
            .collect();
        assert!(
            dead.is_empty(),
            "not in the source any more:\n{}",
            dead.join("\n")
        );
        let known: BTreeSet<&str> = entries.iter().map(|entry| entry.english).collect();
        let is_said = |key: &String| {
            known.contains(&**key) || !key.contains("{}") && CATALOGUE.translated(key).is_some()
        };
        let missing: Vec<String> = literals
            .iter()
            .filter(|literal| literal.sentence && !source::keys(&literal.text).iter().any(is_said))
            .map(|literal| format!("{}\nen: {}", literal.place, source::keys(&literal.text)[0]))
            .collect();
        assert!(missing.is_empty(), "not in chinese.txt:\n{}", missing.join("\n"));
    }
}
