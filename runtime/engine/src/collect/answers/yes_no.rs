//! Yes and no. Every part of what was said has to say the same.

use super::said::Said;

const YES: [&str; 43] = [
    "1",
    "yes",
    "y",
    "yeah",
    "yep",
    "yup",
    "ok",
    "okay",
    "sure",
    "right",
    "correct",
    "i do",
    "i agree",
    "agree",
    "of course",
    "that's right",
    "that is right",
    "certainly",
    "是",
    "是的",
    "是啊",
    "对",
    "对的",
    "对啊",
    "好",
    "好的",
    "好啊",
    "要",
    "要的",
    "可以",
    "可以的",
    "行",
    "行啊",
    "嗯",
    "没错",
    "没问题",
    "同意",
    "我同意",
    "确认",
    "需要",
    "愿意",
    "当然",
    "正确",
];
const NO: [&str; 34] = [
    "2",
    "no",
    "n",
    "nope",
    "wrong",
    "not right",
    "incorrect",
    "no way",
    "i don't",
    "i do not",
    "disagree",
    "that's wrong",
    "no thank you",
    "no thanks",
    "不",
    "不是",
    "不是的",
    "不对",
    "不要",
    "不用",
    "不用了",
    "不需要",
    "不行",
    "不好",
    "不可以",
    "不同意",
    "我不同意",
    "不愿意",
    "否",
    "没有",
    "错",
    "错了",
    "不确认",
    "不了",
];

/// Parts that say nothing either way.
const NEITHER: [&str; 6] = ["please", "thanks", "thank you", "谢谢", "啊", "麻烦了"];

/// True for yes, false for no; none for anything else, and for both.
pub(super) fn understand(said: &Said) -> Option<bool> {
    let mut meant = None;
    for part in said
        .whole()
        .split(|c: char| "，。,.!！?？、；;".contains(c))
        .map(str::trim)
        .filter(|part| !part.is_empty() && !NEITHER.contains(part))
    {
        let part = meaning(part)?;
        if meant.is_some_and(|meant| meant != part) {
            return None;
        }
        meant = Some(part);
    }
    meant
}

fn meaning(part: &str) -> Option<bool> {
    let exact = |text: &str| {
        if YES.contains(&text) {
            Some(true)
        } else if NO.contains(&text) {
            Some(false)
        } else {
            None
        }
    };
    exact(part)
        .or_else(|| {
            NEITHER
                .iter()
                .find_map(|courtesy| part.strip_suffix(courtesy))
                .and_then(|rest| exact(rest.trim()))
        })
        .or_else(|| exact(once(part)?))
}

/// What is said over and over, once: `对对对`, `好的好的`, `yes yes`.
fn once(part: &str) -> Option<&str> {
    let repeated = |(at, _): (usize, char)| {
        let (word, rest) = part.split_at(at);
        let word = word.trim();
        (!word.is_empty() && rest.replace(word, "").trim().is_empty()).then_some(word)
    };
    part.char_indices().skip(1).find_map(repeated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yes_and_no_are_understood_and_nothing_else() {
        for (text, meant) in [
            ("是的。", Some(true)),
            ("对对对", Some(true)),
            ("好的好的", Some(true)),
            ("嗯嗯", Some(true)),
            ("是的，我同意", Some(true)),
            ("對", Some(true)),
            ("Yes, please!", Some(true)),
            ("yes yes", Some(true)),
            ("That's right", Some(true)),
            ("１", Some(true)),
            ("No!", Some(false)),
            ("no thank you", Some(false)),
            ("不用了谢谢", Some(false)),
            ("不是", Some(false)),
            ("没错", Some(true)),
            ("错", Some(false)),
            ("2", Some(false)),
            ("是的，不对", None),
            ("maybe", None),
            ("好像不是", None),
            ("yesterday", None),
            ("thanks", None),
            ("", None),
        ] {
            assert_eq!(understand(&Said::new(text)), meant, "{text}");
        }
    }
}
