//! Long texts in parts that a carrier's voice takes, cut where sentences end.

/// Bytes of a text that is said at once: services that make speech take 3,000 and more.
pub(super) const SAY_BYTES_MAX: usize = 3_000;

/// A text in parts of at most so many bytes: cut behind a sentence, else at a space, else between two
/// characters.
pub(super) fn cut(text: &str, bytes_max: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while rest.len() > bytes_max {
        let room = rest.floor_char_boundary(bytes_max.max(4));
        let (head, _) = rest.split_at(room);
        let sentence = head.rfind(ends_sentence);
        let at = sentence
            .or_else(|| head.rfind(char::is_whitespace))
            .and_then(|at| Some(at + head.get(at..)?.chars().next()?.len_utf8()))
            .unwrap_or(room);
        let (part, after) = rest.split_at(at);
        parts.push(part);
        rest = after;
    }
    parts.push(rest);
    parts
}

const fn ends_sentence(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '。' | '！' | '？' | '；' | '…' | '\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_where_it_can_be() {
        for (text, parts) in [
            ("Short.", vec!["Short."]),
            ("One two. Three four.", vec!["One two.", " Three four."]),
            ("您好。请讲。再见", vec!["您好。", "请讲。", "再见"]),
            ("one two three four", vec!["one two ", "three four"]),
            ("一二三四五六", vec!["一二三四", "五六"]),
            ("", vec![""]),
        ] {
            let cut = cut(text, 12);
            assert_eq!(cut, parts);
            assert_eq!(cut.concat(), text);
            assert!(cut.iter().all(|part| part.len() <= 12));
        }
    }
}
