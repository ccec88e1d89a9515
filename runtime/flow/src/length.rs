//! How long prompts take to be said: recordings by their length, texts by an estimate.
//!
//! Texts are counted in what a voice makes of them: a Chinese character is a syllable, a word
//! in letters has as many syllables as it has groups of vowels, figures are said one by one
//! when there are many in a row, and punctuation is a short silence. Values count by their
//! type, since nobody knows them yet: [`Prompt::seconds`] takes a usual one,
//! [`Prompt::seconds_max`] the longest of those bounds below. `docs/reference/prompts.md`
//! compares the estimate with a voice.

use trunkline_model::{Type, types::Range};

use crate::{
    speech::{Format, Tongue},
    step::{Part, Prompt, Template},
};

/// Seconds of a syllable of Chinese or another language written in syllables: 4.2 a second,
/// 250 a minute between pauses. Common practice for announcements on a telephone; the news are
/// read at about 300.
const SYLLABLE_SECONDS: f64 = 1.0 / 4.2;

/// Seconds of a syllable of a word in letters: about 155 words of English a minute, pauses
/// included, of the short words that announcements have. Common practice for announcements and
/// for books read aloud is 150 to 160.
const LETTERED_SYLLABLE_SECONDS: f64 = 0.265;

/// Seconds of a digit that is said by itself. Common practice for numbers to be written down.
const DIGIT_SECONDS: f64 = 0.4;

/// Seconds of silence at a comma or colon. Common practice of synthetic voices.
const COMMA_SECONDS: f64 = 0.2;

/// Seconds of silence between two sentences. Common practice of synthetic voices.
const SENTENCE_SECONDS: f64 = 0.4;

/// Digits in a row that are still said as one number.
const NUMBER_DIGITS_MAX: u32 = 2;

/// Characters of a text that is a value: a usual one and the longest that is reckoned with. A
/// name or a place has a few; a text of a plugin may be longer than the longest, and a prompt
/// that says one is not bounded by [`Prompt::seconds_max`].
const TEXT_CHARS: Lengths = Lengths(6.0, 40.0);

/// Words in letters that a text of so many Chinese characters has.
const WORDS_PER_CHARACTER: f64 = 0.5;

/// Digits of a whole number.
const INT_DIGITS: Lengths = Lengths(3.0, 9.0);

/// Digits of a number with a fraction, before and after its point.
const DECIMAL_DIGITS: Lengths = Lengths(4.0, 12.0);

/// Digits of an amount of money.
const MONEY_DIGITS: Lengths = Lengths(5.0, 11.0);

/// Digits of a phone number: 11 in China, at most 15 in the world (E.164).
const PHONE_DIGITS: Lengths = Lengths(11.0, 15.0);

/// Characters of a text that is said one by one: a ticket's number, an identity card's 18.
const CODE_DIGITS: Lengths = Lengths(8.0, 20.0);

/// Parts of a list.
const LIST_PARTS: Lengths = Lengths(2.0, 5.0);

/// Syllables of a day: 二零二六年十一月二十一日, the twenty-first of November twenty twenty-six.
const DATE_SYLLABLES: ByTongue = ByTongue(Lengths(11.0, 12.0), Lengths(11.0, 15.0));

/// Syllables of a time of day: 下午三点零五分, five past three in the afternoon.
const TIME_SYLLABLES: ByTongue = ByTongue(Lengths(6.0, 8.0), Lengths(5.0, 7.0));

/// Syllables of a length of time: 一分三十秒, two hours fifteen minutes.
const DURATION_SYLLABLES: ByTongue = ByTongue(Lengths(4.0, 12.0), Lengths(5.0, 14.0));

/// Syllables of a digit within a number: 三百, three hundred.
const NUMBER_SYLLABLES: ByTongue = ByTongue(Lengths(1.8, 2.0), Lengths(2.0, 2.5));

/// Syllables of a currency's name.
const CURRENCY_SYLLABLES: ByTongue = ByTongue(Lengths(1.0, 4.0), Lengths(2.0, 5.0));

/// Syllables of a letter or of one character.
const CHARACTER_SYLLABLES: ByTongue = ByTongue(Lengths(1.0, 2.0), Lengths(1.0, 3.0));

/// A usual length and the longest that is reckoned with.
#[derive(Clone, Copy)]
struct Lengths(f64, f64);

/// Syllables in languages written in syllables, and in those written in letters.
struct ByTongue(Lengths, Lengths);

/// Which of the lengths is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Usual,
    Longest,
}

/// How a language's values are measured.
#[derive(Clone, Copy)]
struct Measure {
    /// Whether it is written in syllables, as Chinese and Japanese are.
    syllables: bool,
    case: Case,
}

impl Prompt {
    /// How many seconds it takes to be said in a language: a recording's own length, or an
    /// estimate, in which values have a usual length.
    pub fn seconds(&self, language: &str) -> f64 {
        self.length(language, Case::Usual)
    }

    /// How many seconds it takes at most, with the longest values that are reckoned with: see
    /// `docs/reference/prompts.md`. A text that a plugin gives may be longer still.
    pub fn seconds_max(&self, language: &str) -> f64 {
        self.length(language, Case::Longest)
    }

    /// Whether a synthetic voice says it in a language, and not a recording.
    pub fn is_synthetic(&self, language: &str) -> bool {
        self.text(language)
            .is_some_and(|(_, template)| template.recording.is_none())
    }

    fn length(&self, language: &str, case: Case) -> f64 {
        self.text(language).map_or(0.0, |(language, template)| {
            let syllables = matches!(Tongue::of(language), Tongue::Chinese | Tongue::Japanese);
            template.length(Measure { syllables, case })
        })
    }
}

impl Template {
    fn length(&self, measure: Measure) -> f64 {
        if let Some(recording) = &self.recording {
            return recording.seconds;
        }
        let last_text = self.parts.iter().rposition(|part| matches!(part, Part::Text(_)));
        let parts = self.parts.iter().enumerate().map(|(index, part)| match part {
            Part::Text(text) => {
                // The silence after the last sentence belongs to whatever follows.
                let ends = Some(index) == last_text && index + 1 == self.parts.len();
                let text = if ends {
                    text.trim_end_matches(|c: char| c.is_whitespace() || silence(c) > 0.0)
                } else {
                    text
                };
                text_seconds(text)
            }
            Part::Pause(length) => length.to_std().as_secs_f64(),
            Part::Value(expression, format) => match (expression.constant_text(), format) {
                (Some(text), Some(Format::Digits)) => {
                    text.chars().filter(|c| c.is_alphanumeric()).count() as f64 * DIGIT_SECONDS
                }
                (Some(text), None) => text_seconds(text),
                _ => measure.value(expression.ty(), *format),
            },
        });
        parts.sum()
    }
}

/// How many seconds a voice takes for a text, values and all as they stand in it.
pub fn text_seconds(text: &str) -> f64 {
    let mut seconds = 0.0;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_ascii_digit() {
            let mut digits = 1_u32;
            while chars.next_if(char::is_ascii_digit).is_some() {
                digits += 1;
            }
            seconds += if digits <= NUMBER_DIGITS_MAX {
                // 一, five; 十二, thirty.
                f64::from(digits) * SYLLABLE_SECONDS
            } else {
                f64::from(digits) * DIGIT_SECONDS
            };
            // `8:30` and `3.5` are one number.
            if let Some(mark @ (':' | '.')) = chars.peek().copied() {
                let mut ahead = chars.clone();
                ahead.next();
                if ahead.peek().is_some_and(char::is_ascii_digit) {
                    chars.next_if_eq(&mark);
                }
            }
        } else if is_syllable(c) {
            seconds += SYLLABLE_SECONDS;
        } else if c.is_alphabetic() {
            let mut word = String::from(c);
            while let Some(next) =
                chars.next_if(|next| (next.is_alphabetic() && !is_syllable(*next)) || *next == '\'')
            {
                word.push(next);
            }
            seconds += f64::from(syllables(&word)) * LETTERED_SYLLABLE_SECONDS;
        } else {
            seconds += silence(c);
        }
    }
    seconds
}

/// Whether a character is a syllable of its own: Han, kana, hangul, bopomofo.
const fn is_syllable(c: char) -> bool {
    matches!(c,
        '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{30ff}' | '\u{3105}'..='\u{312f}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}

/// Seconds of silence that a mark stands for.
fn silence(c: char) -> f64 {
    match c {
        '，' | '、' | '；' | '：' | ',' | ';' | ':' | '—' | '…' => COMMA_SECONDS,
        '。' | '！' | '？' | '.' | '!' | '?' | '།' | '။' | '؟' => SENTENCE_SECONDS,
        _ => 0.0,
    }
}

/// Syllables of a word in letters: its groups of vowels, but for an `e` that is silent at the
/// end. Of a script without these vowels, every second letter.
fn syllables(word: &str) -> u32 {
    let word = word.to_lowercase();
    let letters: Vec<char> = word.chars().filter(|c| c.is_alphabetic()).collect();
    if !letters.iter().any(|c| is_latin(*c)) {
        return u32::try_from(letters.len().div_ceil(2)).unwrap_or(u32::MAX);
    }
    let mut groups = 0;
    let mut in_vowels = false;
    for c in &letters {
        let vowel = is_vowel(*c);
        groups += u32::from(vowel && !in_vowels);
        in_vowels = vowel;
    }
    let silent = match letters.as_slice() {
        [.., 'l', 'e'] => false,
        [.., before, 'e'] => !is_vowel(*before),
        [.., 't' | 'd', 'e', 'd'] => false,
        [.., before, 'e', 'd'] => !is_vowel(*before),
        _ => false,
    };
    (groups - u32::from(silent && groups > 1)).max(1)
}

const fn is_latin(c: char) -> bool {
    matches!(c, 'a'..='z' | '\u{df}'..='\u{24f}')
}

const fn is_vowel(c: char) -> bool {
    matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'à'..='æ' | 'è'..='ï' | 'ò'..='ö' | 'ø'..='ý' | 'ÿ' | 'ā' | 'ē' | 'ě' | 'ī' | 'ō' | 'ū')
}

impl Measure {
    fn of(self, lengths: Lengths) -> f64 {
        match self.case {
            Case::Usual => lengths.0,
            Case::Longest => lengths.1,
        }
    }

    /// Seconds of so many syllables.
    fn seconds(self, by: ByTongue) -> f64 {
        if self.syllables {
            self.of(by.0) * SYLLABLE_SECONDS
        } else {
            self.of(by.1) * LETTERED_SYLLABLE_SECONDS
        }
    }

    /// Seconds of a number of so many digits.
    fn number(self, digits: f64) -> f64 {
        digits * self.seconds(NUMBER_SYLLABLES)
    }

    /// Seconds of a value of a type.
    fn value(self, ty: &Type, format: Option<Format>) -> f64 {
        match format {
            None => self.printed(ty),
            Some(Format::Digits) => DIGIT_SECONDS * self.digits(ty),
            Some(Format::Number) => self.printed(ty),
            // 第, th
            Some(Format::Ordinal) => self.printed(ty) + SYLLABLE_SECONDS,
            Some(Format::Date) => self.seconds(DATE_SYLLABLES),
            Some(Format::Time) => self.seconds(TIME_SYLLABLES),
            Some(Format::Money(_)) => self.number(self.of(MONEY_DIGITS)) + self.seconds(CURRENCY_SYLLABLES),
        }
    }

    /// Characters that are said one by one.
    fn digits(self, ty: &Type) -> f64 {
        match ty {
            Type::Phone => self.of(PHONE_DIGITS),
            Type::Int(range) => self.int_digits(*range),
            Type::Char => 1.0,
            _ => self.of(CODE_DIGITS),
        }
    }

    /// Digits of a whole number: no more than its type can have.
    fn int_digits(self, range: Range) -> f64 {
        let widest = range.max.unsigned_abs().max(range.min.unsigned_abs());
        let most = f64::from(widest.checked_ilog10().unwrap_or_default() + 1);
        self.of(INT_DIGITS).min(most)
    }

    /// Seconds of a value as it is printed without a format.
    fn printed(self, ty: &Type) -> f64 {
        match ty {
            Type::Bool => self.seconds(ByTongue(Lengths(1.0, 1.0), Lengths(1.0, 1.0))),
            Type::Int(range) => self.number(self.int_digits(*range)),
            Type::Decimal => self.number(self.of(DECIMAL_DIGITS)),
            Type::Char => self.seconds(CHARACTER_SYLLABLES),
            Type::Date => self.seconds(DATE_SYLLABLES),
            Type::Time => self.seconds(DATE_SYLLABLES) + self.seconds(TIME_SYLLABLES),
            Type::Duration => self.seconds(DURATION_SYLLABLES),
            Type::Phone => DIGIT_SECONDS * self.of(PHONE_DIGITS),
            Type::String => self.text(self.of(TEXT_CHARS)),
            Type::Enum(cases) => {
                let lengths = cases.cases.iter().map(|case| text_seconds(case));
                match self.case {
                    Case::Longest => lengths.fold(0.0, f64::max),
                    Case::Usual => lengths.sum::<f64>() / cases.cases.len().max(1) as f64,
                }
            }
            Type::Flags(cases) => {
                let all: f64 = cases
                    .cases
                    .iter()
                    .map(|case| text_seconds(case) + COMMA_SECONDS)
                    .sum();
                self.of(Lengths(all / 2.0, all))
            }
            Type::List(inner) => self.of(LIST_PARTS) * (self.printed(inner) + COMMA_SECONDS),
            Type::Option(inner) => self.printed(inner),
            // The checker lets none of them be said.
            Type::Tuple(_) | Type::Record(_) | Type::Variant(_) | Type::Result { .. } => 0.0,
        }
    }

    /// Seconds of a text of so many characters of Chinese, or of the words it has in letters.
    fn text(self, characters: f64) -> f64 {
        if self.syllables {
            characters * SYLLABLE_SECONDS
        } else {
            // Names and places have about two syllables a word.
            characters * WORDS_PER_CHARACTER * 2.0 * LETTERED_SYLLABLE_SECONDS
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use trunkline_model::{Duration, Value};

    use super::*;
    use crate::{
        expression::{Expression, Node, Op},
        speech::Currency,
        step::Recording,
    };

    const PAGE: &str = include_str!("../../../docs/reference/prompts.md");

    fn prompt(language: &str, parts: Vec<Part>) -> Prompt {
        let template = Template {
            parts,
            recording: None,
        };
        Prompt {
            key: None,
            texts: [(language.into(), template)].into(),
            dialects: Arc::default(),
        }
    }

    fn value(ty: Type, format: Option<Format>) -> Part {
        let op = Op::Constant(Value::None);
        Part::Value(
            Expression::compiled("x".into(), ty, Node { op, range: 0..1 }),
            format,
        )
    }

    /// Seconds that a voice took: espeak-ng 1.51, `cmn-latn-pinyin` at speed 190, the silence
    /// before and after cut off.
    const MANDARIN: [(&str, f64); 10] = [
        (
            "您好，欢迎致电12345政务服务便民热线，现在由自动语音为您服务。",
            7.9,
        ),
        (
            "为了给您提供服务，我们会查询您来电号码的登记信息，并分析您描述的内容，仅用于处理您的诉求。",
            9.5,
        ),
        ("请稍等，正在为您查询。", 2.6),
        ("登记信息暂时查询不到，不影响您继续办理。", 4.6),
        ("请问您需要什么帮助？您可以按键，也可以直接说出或输入。", 6.1),
        ("住房公积金，请按1。", 2.2),
        (
            "贷款额度和利率会随政策调整，请以公积金中心公布的最新规定为准。",
            7.7,
        ),
        ("以上回答是否解决了您的问题？是请按1，否请按2。", 5.1),
        (
            "给您添麻烦了，非常抱歉。您不必再重复，请直接联系值班负责人。",
            6.9,
        ),
        (
            "人工服务时间为工作日上午八点半到十二点，下午一点半到五点半。法定节假日休息，调休工作日照常服务。",
            10.8,
        ),
    ];

    /// The same of `en-us` at speed 135, which is 157 words a minute.
    const ENGLISH: [(&str, f64); 10] = [
        (
            "Welcome to the city's service hotline, 12345. You are talking to an automatic service.",
            8.6,
        ),
        (
            "To serve you we look up the registration of the number you are calling from and assess what you tell us, only to handle your request.",
            8.2,
        ),
        ("One moment, please, while we look that up.", 3.5),
        (
            "We cannot reach the register just now. That is no obstacle: please go on.",
            5.9,
        ),
        (
            "How can we help you? Press a key, or simply say or type what it is about.",
            5.8,
        ),
        ("For the housing fund, press 1.", 2.5),
        (
            "Loan limits and interest rates change with policy; what the housing fund publishes applies.",
            6.7,
        ),
        ("Did that answer your question? Press 1 for yes, 2 for no.", 5.1),
        (
            "We are truly sorry for the trouble. You need not repeat anything: please speak to the officer on duty.",
            7.1,
        ),
        (
            "Our desk is open on working days from 8:30 to 12:00 and from 13:30 to 17:30. It is closed on public holidays and open on make-up working days.",
            13.4,
        ),
    ];

    #[test]
    fn the_estimate_is_near_a_voice() {
        for (language, measured) in [("zh-CN", MANDARIN), ("en", ENGLISH)] {
            let (mut estimated, mut taken, mut off_most) = (0.0, 0.0, 0.0_f64);
            for (text, seconds) in measured {
                let estimate = prompt(language, vec![Part::Text(text.into())]).seconds(language);
                (estimated, taken) = (estimated + estimate, taken + seconds);
                off_most = off_most.max((estimate / seconds - 1.0).abs());
            }
            let off: f64 = estimated / taken - 1.0;
            assert!(off.abs() < 0.03, "{language}: {off:+.3} in all");
            assert!(off_most < 0.2, "{language}: {off_most:.3} at most");
            let row = format!(
                "| {language} | {taken:.1} s | {estimated:.1} s | {:+.1} % | {:.0} % |",
                off * 100.0,
                off_most * 100.0
            );
            assert!(PAGE.contains(&row), "the page should say {row}");
        }
    }

    #[test]
    fn pauses_and_digits_count_exactly() {
        let seconds = |parts: Vec<Part>| prompt("zh-CN", parts).seconds("zh-CN");
        let text = |text: &str| Part::Text(text.into());
        let hello = seconds(vec![text("您好。")]);
        assert!((hello - 2.0 * SYLLABLE_SECONDS).abs() < 1e-9);
        let pause = Part::Pause(Duration::from_millis(700));
        let paused = seconds(vec![text("您好"), pause, text("您好")]);
        assert!((paused - 2.0 * hello - 0.7).abs() < 1e-9);
        let number = seconds(vec![text("057100001234")]);
        assert!((number - 12.0 * DIGIT_SECONDS).abs() < 1e-9);
        let phone = seconds(vec![value(Type::Phone, Some(Format::Digits))]);
        assert!((phone - 11.0 * DIGIT_SECONDS).abs() < 1e-9);
        assert!(seconds(vec![text("上午8:30到12:00")]) < 12.0 * SYLLABLE_SECONDS);
        let fixed = Expression::constant("0571 0000 1234".into());
        let known = seconds(vec![Part::Value(fixed, Some(Format::Digits))]);
        assert!((known - number).abs() < 1e-9);
    }

    #[test]
    fn values_take_longer_at_most_than_usually_and_never_nothing() {
        let money = Some(Format::Money(Currency::Cny));
        for language in ["zh-CN", "en"] {
            for (ty, format) in [
                (Type::INT, None),
                (Type::INT, Some(Format::Ordinal)),
                (Type::Decimal, None),
                (Type::Decimal, money),
                (Type::String, None),
                (Type::String, Some(Format::Digits)),
                (Type::Phone, None),
                (Type::Date, Some(Format::Date)),
                (Type::Time, None),
                (Type::Time, Some(Format::Time)),
                (Type::Duration, None),
                (Type::Char, None),
                (Type::String.list(), None),
            ] {
                let prompt = prompt(language, vec![value(ty.clone(), format)]);
                let (usual, longest) = (prompt.seconds(language), prompt.seconds_max(language));
                assert!(
                    usual > 0.0 && longest > usual,
                    "{ty} in {language}: {usual} to {longest}"
                );
            }
        }
        let small = Type::Int(Range::of_bits(8, false));
        let longest = |ty| prompt("en", vec![value(ty, None)]).seconds_max("en");
        assert!(longest(small) < longest(Type::INT));
    }

    #[test]
    fn a_recording_is_as_long_as_it_is_and_a_dialect_as_what_it_falls_back_to() {
        let recorded = Template {
            recording: Some(Recording {
                path: "audio/hello.wav".into(),
                seconds: 6.5,
            }),
            ..Template::plain("您好")
        };
        let prompt = Prompt {
            key: None,
            texts: BTreeMap::from([
                ("zh-CN".into(), recorded),
                ("en".into(), Template::plain("Hello")),
            ]),
            dialects: Arc::new(BTreeMap::from([
                ("zh-yue".into(), "zh-CN".into()),
                ("zh-yue-HK".into(), "zh-yue".into()),
            ])),
        };
        for language in ["zh-CN", "zh-yue", "zh-yue-HK"] {
            assert_eq!(prompt.text(language).unwrap().0.as_ref(), "zh-CN");
            assert!((prompt.seconds(language) - 6.5).abs() < 1e-9);
            assert!((prompt.seconds_max(language) - 6.5).abs() < 1e-9);
            assert!(!prompt.is_synthetic(language));
        }
        assert!(prompt.is_synthetic("en") && prompt.seconds("en") < 1.0);
    }

    #[test]
    fn words_have_the_syllables_they_are_said_with() {
        for (word, count) in [
            ("hotline", 2),
            ("service", 2),
            ("please", 1),
            ("trouble", 2),
            ("closed", 1),
            ("registration", 4),
            ("the", 1),
            ("Lin'an", 2),
            ("བཀྲ", 2),
        ] {
            assert_eq!(syllables(word), count, "{word}");
        }
    }
}
