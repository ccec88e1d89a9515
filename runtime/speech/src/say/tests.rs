use jiff::civil::date;
use trunkline_model::Duration as Span;

use super::*;

fn words(language: &str, part: Speech) -> String {
    match &*utterances(language, &[part], "") {
        [Utterance::Words(words)] => words.to_string(),
        other => panic!("{other:?}"),
    }
}

fn money(amount: &str, currency: &str) -> Speech {
    Speech::Money {
        amount: amount.into(),
        currency: currency.into(),
    }
}

#[test]
fn each_language_says_values_in_its_own_words() {
    let at = |hour, minute| Speech::Time { hour, minute };
    let digits = |text: &str| Speech::Digits(text.into());
    let number = |text: &str| Speech::Number(text.into());
    let ordinal = |text: &str| Speech::Ordinal(text.into());
    for (part, zh, en, de) in [
        (
            Speech::Date(date(2026, 11, 21)),
            "二零二六年十一月二十一日",
            "21st November 2026",
            "2026-11-21",
        ),
        (
            Speech::Date(date(2000, 1, 10)),
            "二零零零年一月十日",
            "10th January 2000",
            "2000-01-10",
        ),
        (at(20, 5), "晚上八点零五分", "8:05 p.m.", "20:05"),
        (at(0, 0), "凌晨零点", "midnight", "0:00"),
        (at(2, 30), "凌晨两点三十分", "2:30 a.m.", "2:30"),
        (at(9, 0), "上午九点", "9 a.m.", "9:00"),
        (at(12, 0), "中午十二点", "noon", "12:00"),
        (at(14, 10), "下午两点十分", "2:10 p.m.", "14:10"),
        (
            money("12.50", "CNY"),
            "十二元五角",
            "12 yuan and 50 fen",
            "12.50 CNY",
        ),
        (money("2.05", "CNY"), "两元零五分", "2 yuan and 5 fen", "2.05 CNY"),
        (money("0.20", "CNY"), "两角", "20 fen", "0.20 CNY"),
        (money("0.02", "CNY"), "两分", "2 fen", "0.02 CNY"),
        (
            money("22.22", "CNY"),
            "二十二元二角二分",
            "22 yuan and 22 fen",
            "22.22 CNY",
        ),
        (money("0.00", "CNY"), "零元", "0 yuan", "0.00 CNY"),
        (money("-0.50", "CNY"), "负五角", "minus 50 fen", "-0.50 CNY"),
        (
            money("-1234567.00", "CNY"),
            "负一百二十三万四千五百六十七元",
            "minus 1,234,567 yuan",
            "-1234567.00 CNY",
        ),
        (
            money("1.01", "USD"),
            "一点零一美元",
            "1 US dollar and 1 cent",
            "1.01 USD",
        ),
        (money("2.00", "GBP"), "两英镑", "2 pounds", "2.00 GBP"),
        (money("1200", "JPY"), "一千二百日元", "1,200 yen", "1200 JPY"),
        (money("3.50", "XAU"), "三点五XAU", "3.5 XAU", "3.50 XAU"),
        (ordinal("2"), "第二", "2nd", "2"),
        (ordinal("3"), "第三", "3rd", "3"),
        (ordinal("112"), "第一百一十二", "112th", "112"),
        (number("1200.50"), "一千二百点五", "1,200.5", "1200.50"),
        (number("-100"), "负一百", "minus 100", "-100"),
        (number("-0"), "零", "0", "-0"),
        (number("1e30"), "1e30", "1e30", "1e30"),
        (
            digits("0571 0000 1234"),
            "零五七幺，零零零零，幺二三四",
            "0 5 7 1, 0 0 0 0, 1 2 3 4",
            "0 5 7 1, 0 0 0 0, 1 2 3 4",
        ),
        (
            digits("13900001234"),
            "幺三九，零零零零，幺二三四",
            "1 3 9, 0 0 0 0, 1 2 3 4",
            "1 3 9, 0 0 0 0, 1 2 3 4",
        ),
        (
            digits("33010600123"),
            "三三零幺，零六零零，幺二三",
            "3 3 0 1, 0 6 0 0, 1 2 3",
            "3 3 0 1, 0 6 0 0, 1 2 3",
        ),
        (digits("110"), "幺幺零", "1 1 0", "1 1 0"),
        (digits("12"), "一二", "1 2", "1 2"),
        (digits("+86-10"), "加八六，幺零", "plus 8 6, 1 0", "+ 8 6, 1 0"),
        (digits("ab12"), "A B 一二", "A B 1 2", "a b 1 2"),
    ] {
        for (language, expected) in [("zh-CN", zh), ("en-GB", en), ("de", de)] {
            assert_eq!(words(language, part.clone()), expected, "{part:?} in {language}");
        }
    }
    assert_eq!(
        words("en-US", Speech::Date(date(2026, 11, 21))),
        "November 21st, 2026"
    );
}

#[test]
fn chinese_places_have_their_zeros() {
    for (figures, expected) in [
        ("0", "零"),
        ("2", "二"),
        ("10", "十"),
        ("19", "十九"),
        ("20", "二十"),
        ("101", "一百零一"),
        ("110", "一百一十"),
        ("200", "二百"),
        ("1001", "一千零一"),
        ("1010", "一千零一十"),
        ("2222", "两千二百二十二"),
        ("10000", "一万"),
        ("10050", "一万零五十"),
        ("20000", "两万"),
        ("100000", "十万"),
        ("120012", "十二万零一十二"),
        ("12345678", "一千二百三十四万五千六百七十八"),
        ("100000001", "一亿零一"),
        ("200010000", "两亿零一万"),
        ("1000000000000", "一万亿"),
        ("1000500000000", "一万零五亿"),
        (
            "9999999999999999",
            "九千九百九十九万九千九百九十九亿九千九百九十九万九千九百九十九",
        ),
        ("12345678901234567", "一二三四五六七八九零一二三四五六七"),
        ("00012", "十二"),
    ] {
        assert_eq!(
            words("zh-CN", Speech::Number(figures.into())),
            expected,
            "{figures}"
        );
    }
}

#[test]
fn digits_are_never_left_alone_at_the_end() {
    for length in 1..=40 {
        let text = "3".repeat(length);
        let said = words("zh-CN", Speech::Digits(text.into()));
        assert_eq!(said.chars().filter(|c| *c == '三').count(), length);
        let shortest = said.split('，').map(|group| group.chars().count()).min();
        assert!(length == 1 || shortest > Some(1), "{said}");
        assert!(said.split('，').all(|group| group.chars().count() <= 6), "{said}");
    }
}

#[test]
fn kinds_of_chinese_differ() {
    let digits = Speech::Digits("110".into());
    let number = Speech::Number("-20000.5".into());
    for (language, ones, many) in [
        ("zh", "幺幺零", "负两万点五"),
        ("cmn-Hans-CN", "幺幺零", "负两万点五"),
        ("zh-sichuan", "幺幺零", "负两万点五"),
        ("zh-TW", "一一零", "負兩萬點五"),
        ("zh-HK", "一一零", "負兩萬點五"),
        ("zh-yue", "一一零", "負兩萬點五"),
        ("yue", "一一零", "負兩萬點五"),
    ] {
        assert_eq!(words(language, digits.clone()), ones, "{language}");
        assert_eq!(words(language, number.clone()), many, "{language}");
    }
}

#[test]
fn two_of_something_is_not_number_two() {
    for (next, expected) in [
        ("位客户", "前面有两位客户"),
        ("分钟", "前面有两分钟"),
        ("号窗口", "前面有二号窗口"),
    ] {
        let parts = [
            Speech::Text("前面有".into()),
            Speech::Number("2".into()),
            Speech::Text(next.into()),
        ];
        assert_eq!(
            utterances("zh-CN", &parts, ""),
            [Utterance::Words(expected.into())]
        );
    }
}

#[test]
fn a_prompt_asks_the_engine_once_between_two_pauses() {
    let parts = [
        Speech::Text("您本月应缴".into()),
        money("86.50", "CNY"),
        Speech::Text("。".into()),
        Speech::Pause(Span::from_millis(300)),
        Speech::Pause(Span::from_millis(200)),
        Speech::Text("您的户号是".into()),
        Speech::Digits("12".into()),
        Speech::Text("。".into()),
        Speech::Pause(Span::from_secs(100)),
        Speech::Text("。\u{7}\n".into()),
        Speech::Recording {
            path: "audio/a.wav".into(),
            length: Span::from_secs(1),
        },
    ];
    assert_eq!(
        utterances("zh-CN", &parts, "not said"),
        [
            Utterance::Words("您本月应缴八十六元五角。".into()),
            Utterance::Silence(Duration::from_millis(500)),
            Utterance::Words("您的户号是一二。".into()),
            Utterance::Silence(PAUSE_MAX),
            Utterance::Recording {
                path: "audio/a.wav".into()
            },
        ]
    );
    assert_eq!(
        utterances("en", &[], " One\u{0}\r\n moment. "),
        [Utterance::Words("One moment.".into())]
    );
    assert_eq!(utterances("en", &[], " … "), []);
}

#[test]
fn long_texts_are_cut_where_sentences_end() {
    let sentence = "一句话说了又说，还没有说完。".repeat(100);
    let said = utterances("zh-CN", &[], &sentence);
    assert!(said.len() > 1);
    let mut all = String::new();
    for part in &said {
        let Utterance::Words(words) = part else {
            panic!("{part:?}");
        };
        assert!(words.chars().count() <= UTTERANCE_CHARS_MAX && words.ends_with('。'));
        all.push_str(words);
    }
    assert_eq!(all, sentence);
    // Nothing to cut at, and more than is said of one prompt.
    let endless = "啊".repeat(UTTERANCE_CHARS_MAX * (UTTERANCES_MAX + 5));
    assert_eq!(utterances("zh", &[], &endless).len(), UTTERANCES_MAX);
}

#[test]
fn the_page_shows_what_is_said() {
    const PAGE: &str = include_str!("../../../../docs/reference/voices.md");
    let (_, table) = PAGE.split_once("## How values are read").unwrap();
    let mut rows = 0;
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let value = match cells[0].trim_matches('`') {
            "date" => Speech::Date(date(2026, 11, 21)),
            "time" => Speech::Time { hour: 20, minute: 5 },
            "money" => money("12.50", "CNY"),
            "money JPY" => money("1200", "JPY"),
            "number" => Speech::Number("1200.5".into()),
            "ordinal" => Speech::Ordinal("3".into()),
            "digits" => Speech::Digits("13900001234".into()),
            // The tables behind it.
            _ => break,
        };
        for (language, cell) in ["zh-CN", "en", "de"].into_iter().zip(&cells[1..]) {
            assert_eq!(words(language, value.clone()), *cell, "{language}");
        }
        rows += 1;
    }
    assert_eq!(rows, 7);
}
