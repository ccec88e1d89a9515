//! What was said, made ready for understanding: full-width forms made ordinary, traditional
//! and financial characters made simple, fillers and punctuation around the answer dropped.

use trunkline_flow::words::plain;

/// Signs that end or join what is said and mean nothing at its ends.
const SIGNS: &str = "。！，？～、；：…!?,;:~";

/// Fillers before an answer: 嗯 and the like, and `it is`.
const BEFORE: [&str; 18] = [
    "嗯",
    "呃",
    "额",
    "哦",
    "啊",
    "那个",
    "应该是",
    "就是",
    "是",
    "um",
    "uh",
    "er",
    "well",
    "it's",
    "it is",
    "that's",
    "that is",
    "i think",
];

/// Fillers after an answer: modal particles and courtesy.
const AFTER: [&str; 11] = [
    "吧",
    "啊",
    "呀",
    "呢",
    "哦",
    "的",
    "谢谢",
    "please",
    "thanks",
    "thank you",
    "sir",
];

/// Traditional and financial characters with the ones that stand for them here.
const SIMPLE: [(char, char); 36] = [
    ('壹', '一'),
    ('贰', '二'),
    ('貳', '二'),
    ('叁', '三'),
    ('參', '三'),
    ('肆', '四'),
    ('伍', '五'),
    ('陆', '六'),
    ('陸', '六'),
    ('柒', '七'),
    ('捌', '八'),
    ('玖', '九'),
    ('拾', '十'),
    ('佰', '百'),
    ('仟', '千'),
    ('萬', '万'),
    ('億', '亿'),
    ('兩', '两'),
    ('〇', '零'),
    ('○', '零'),
    ('點', '点'),
    ('塊', '块'),
    ('圓', '圆'),
    ('號', '号'),
    ('後', '后'),
    ('週', '周'),
    ('這', '这'),
    ('個', '个'),
    ('禮', '礼'),
    ('負', '负'),
    ('錢', '钱'),
    ('對', '对'),
    ('沒', '没'),
    ('還', '还'),
    ('錯', '错'),
    ('’', '\''),
];

/// What was said.
#[derive(Clone, Debug)]
pub(super) struct Said {
    /// All of it, without signs at its ends.
    whole: String,
    /// The answer without fillers.
    answer: String,
    /// The answer without spaces, as Chinese is read.
    compact: String,
}

impl Said {
    pub(super) fn new(text: &str) -> Self {
        let simple = |c: char| {
            SIMPLE
                .iter()
                .find(|(from, _)| *from == c)
                .map_or(c, |(_, to)| *to)
        };
        let whole: String = plain(text).chars().map(simple).collect();
        let whole = bare(&whole).to_owned();
        let answer = without_fillers(&whole).to_owned();
        let compact = answer.chars().filter(|c| !c.is_whitespace()).collect();
        Self {
            whole,
            answer,
            compact,
        }
    }

    /// All that was said, fillers included.
    pub(super) fn whole(&self) -> &str {
        &self.whole
    }

    /// The answer without spaces.
    pub(super) fn compact(&self) -> &str {
        &self.compact
    }

    /// The answer as words of Latin letters and numbers: `twenty-five` is two, `1,200` one.
    pub(super) fn words(&self) -> Vec<&str> {
        self.answer
            .split(|c: char| c.is_whitespace() || c == '-')
            .map(|word| word.trim_matches(','))
            .filter(|word| !word.is_empty())
            .collect()
    }
}

/// A text without signs at its ends; a point before a digit is none of them.
fn bare(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || SIGNS.contains(c))
        .trim_end_matches(|c: char| c == '.' || c.is_whitespace())
}

/// A text without the fillers around it; one that is nothing but a filler stays.
fn without_fillers(text: &str) -> &str {
    let mut text = text;
    loop {
        let shorter = BEFORE
            .iter()
            .filter_map(|filler| {
                let rest = text.strip_prefix(filler)?;
                (!joins(filler.chars().next_back(), rest.chars().next())).then_some(rest)
            })
            .chain(AFTER.iter().filter_map(|filler| {
                let rest = text.strip_suffix(filler)?;
                (!joins(rest.chars().next_back(), filler.chars().next())).then_some(rest)
            }))
            .map(bare)
            .find(|rest| !rest.is_empty());
        match shorter {
            Some(rest) => text = rest,
            None => return text,
        }
    }
}

/// Whether two characters are of one word.
fn joins(a: Option<char>, b: Option<char>) -> bool {
    let latin = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '\'');
    latin(a) && latin(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fillers_and_signs_are_dropped() {
        for (text, answer) in [
            ("嗯，是三百二十五吧。", "三百二十五"),
            ("Um, it's twelve, please!", "twelve"),
            ("是", "是"),
            ("谢谢", "谢谢"),
            ("ermine", "ermine"),
            ("壹佰贰拾叁圓", "一百二十三圆"),
            ("１２．５０元", "12.50元"),
            ("-5.", "-5"),
        ] {
            assert_eq!(Said::new(text).answer, answer, "{text}");
        }
        assert_eq!(
            Said::new("twenty-five, 1,200").words(),
            ["twenty", "five", "1,200"]
        );
    }
}
