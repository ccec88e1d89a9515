//! Findings in Chinese.
//!
//! Checks say what they find in English. Here a finding that is made is said again: its sentences
//! are looked up in [a catalogue](self::catalogue), `chinese.txt`, whose keys are the English
//! sentences as they stand in the source. What the catalogue does not have stays English.

mod catalogue;
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
