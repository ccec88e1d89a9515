//! "Did you mean": the names nearest to what was written.

use std::ops::Range;

/// How a proposal of names begins.
const DID_YOU_MEAN: &str = "did you mean ";

/// The name nearest to what was written, if one is near.
pub fn nearest<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    all_nearest(written, names).into_iter().next()
}

/// The names nearest to what was written, those that are equally near; none if none is near.
fn all_nearest<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let written: Vec<char> = written.to_lowercase().chars().collect();
    let far = (written.len() / 3).clamp(1, 3) + 1;
    let near: Vec<(usize, &str)> = names
        .into_iter()
        .filter_map(|name| {
            let chars: Vec<char> = name.to_lowercase().chars().collect();
            let distance = distance(&written, &chars, far)?;
            // One word for another of the same length is no slip of the finger.
            (distance < chars.len().max(1)).then_some((distance, name))
        })
        .collect();
    let least = near.iter().map(|(distance, _)| *distance).min();
    near.into_iter()
        .filter(|(distance, _)| Some(*distance) == least)
        .map(|(_, name)| name)
        .collect()
}

/// The names that a sentence of [`did_you_mean`] proposes.
pub(super) fn suggested(help: &str) -> Vec<&str> {
    let Some(rest) = help.strip_prefix(DID_YOU_MEAN) else {
        return Vec::new();
    };
    let sentence = rest.split_once('?').map_or(rest, |(sentence, _)| sentence);
    sentence.split('`').skip(1).step_by(2).collect()
}

/// The part of a text that was written for a name: the only word of it that is near.
pub(super) fn mistaken(text: &str, name: &str) -> Option<Range<usize>> {
    let words = |signs: &'static str| {
        let mut at = 0;
        let mut words: Vec<Range<usize>> = Vec::new();
        for part in text.split_inclusive(|c: char| !c.is_alphanumeric() && !signs.contains(c)) {
            let word = part.trim_end_matches(|c: char| !c.is_alphanumeric() && !signs.contains(c));
            if !word.is_empty() {
                words.push(at..at + word.len());
            }
            at += part.len();
        }
        words.retain(|word| !all_nearest(&text[word.clone()], [name]).is_empty());
        words
    };
    ["-_.", "-_"]
        .into_iter()
        .find_map(|signs| match words(signs).as_slice() {
            [word] => Some(word.clone()),
            _ => None,
        })
}

/// How many characters to insert, remove, replace or swap, below `far`.
fn distance(a: &[char], b: &[char], far: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) >= far {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut least = (last[j] + usize::from(x != y))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().filter(|distance| *distance < far)
}

/// What to say of a name that does not exist: the nearest one, or all there are.
pub(crate) fn did_you_mean<'a>(
    what: &str,
    written: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_unstable();
    names.dedup();
    let near = all_nearest(written, names.iter().copied());
    if !near.is_empty() {
        let near: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
        return Some(format!("{DID_YOU_MEAN}{}?", near.join(" or ")));
    }
    (!names.is_empty()).then(|| format!("{what}: {}", one_of(names)))
}

/// Names in a row, the first few of them.
pub(crate) fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN_MAX: usize = 12;
    let names: Vec<&str> = names.into_iter().collect();
    let mut text = names
        .iter()
        .take(SHOWN_MAX)
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN_MAX {
        text.push_str(&format!(" and {} more", names.len() - SHOWN_MAX));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_are_seen() {
        for (written, meant) in [
            ("welcom", Some("welcome")),
            ("wlecome", Some("welcome")),
            ("angri", Some("angry")),
            ("find-citzen", Some("find-citizen")),
            ("欢印", Some("欢迎")),
            ("zebra", None),
            ("x", None),
        ] {
            let names = ["welcome", "angry", "find-citizen", "欢迎"];
            assert_eq!(all_nearest(written, names).first().copied(), meant, "{written}");
        }
    }

    #[test]
    fn a_proposal_can_be_read_back() {
        for (written, names, proposed) in [
            ("welcom", vec!["welcome", "angry"], vec!["welcome"]),
            ("k-1", vec!["k-2", "k-3"], vec!["k-2", "k-3"]),
            ("zebra", vec!["angry"], vec![]),
        ] {
            let help = did_you_mean("there are", written, names).unwrap();
            assert_eq!(suggested(&help), proposed, "{help}");
        }
        assert_eq!(mistaken("strng?", "string"), Some(0..5));
        assert_eq!(mistaken("list<strng>", "string"), Some(5..10));
        assert_eq!(mistaken("crm.citzen?", "citizen"), Some(4..10));
        assert_eq!(mistaken("\"caler\"", "caller"), Some(1..6));
        assert_eq!(mistaken("welcome", "say"), None);
    }

    #[test]
    fn without_a_near_one_all_are_listed() {
        assert_eq!(
            did_you_mean("there are", "zebra", ["b", "a"]).as_deref(),
            Some("there are: `a`, `b`")
        );
        assert_eq!(did_you_mean("there are", "zebra", []), None);
    }
}
