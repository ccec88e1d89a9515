//! "Did you mean": the names nearest to what was written.

/// The name nearest to what was written, if one is near.
pub fn nearest<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written: Vec<char> = written.to_lowercase().chars().collect();
    let far = (written.len() / 3).clamp(1, 3) + 1;
    names
        .into_iter()
        .filter_map(|name| {
            let chars: Vec<char> = name.to_lowercase().chars().collect();
            let distance = distance(&written, &chars, far)?;
            // One word for another of the same length is no slip of the finger.
            (distance < chars.len().max(1)).then_some((distance, name))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
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
    if let Some(near) = nearest(written, names.iter().copied()) {
        return Some(format!("did you mean `{near}`?"));
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
            assert_eq!(nearest(written, names), meant, "{written}");
        }
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
