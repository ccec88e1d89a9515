//! A catalogue of sentences: each in English with holes, and in Chinese.
//!
//! A finished English sentence is matched against the English ones. The template that says most
//! of it wins, provided that what fills its holes can be said in Chinese, too. What stands in
//! backticks is code, and stays as it is: a hole in backticks holds none, any other holds whole
//! ones. Looking is bounded, whatever a sentence holds.

use std::{cell::Cell, collections::HashMap};

use super::typography::tidy;

/// Places that are tried for the templates of one sentence.
const TRIES_MAX: usize = 20_000;

/// Bytes of a sentence to look through that count as one try.
const BYTES_A_TRY: usize = 16;

/// How deep sentences stand within each other.
const DEPTH_MAX: u32 = 8;

/// Characters of a template that must be in a sentence to take it although not all of its holes
/// can be said.
const SURE_CHARS: usize = 12;

/// What joins the names of a list, in both languages.
const JOINTS: [(&str, &str); 4] = [
    (", or ", " 或 "),
    (", ", "、"),
    (" or ", " 或 "),
    (" and ", " 和 "),
];

/// Sentences in two languages.
pub(super) struct Catalogue {
    /// Sentences without holes.
    whole: HashMap<&'static str, &'static str>,
    /// Sentences with holes; those that say most come first.
    templates: Vec<Template>,
}

struct Template {
    /// What stands around the holes: one more than there are holes.
    parts: Vec<&'static str>,
    /// Of each hole, whether it stands in backticks.
    code: Vec<bool>,
    /// Of each hole, whether what is in it is put in Chinese as it is.
    kept: Vec<bool>,
    target: Vec<Piece>,
    /// Characters around the holes.
    says: usize,
}

enum Piece {
    Text(&'static str),
    /// A hole by its place in English, and whether it stands in backticks in Chinese.
    Hole(usize, bool),
}

/// One pair of the catalogue's file.
pub(super) struct Entry {
    pub(super) english: &'static str,
    pub(super) chinese: &'static str,
    /// Whether the code joins it from parts, so that it does not stand there as a whole.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests look for the others"))]
    pub(super) joined: bool,
}

/// The pairs of a catalogue's file. A line of English, `en: …` or `joined: …`, is followed by
/// the Chinese one, `zh: …`; `#` begins a line of comment.
pub(super) fn entries(text: &'static str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut english = None;
    for line in text.lines() {
        if let Some(sentence) = line.strip_prefix("en: ") {
            english = Some((sentence, false));
        } else if let Some(sentence) = line.strip_prefix("joined: ") {
            english = Some((sentence, true));
        } else if let Some(chinese) = line.strip_prefix("zh: ")
            && let Some((english, joined)) = english.take()
        {
            entries.push(Entry {
                english,
                chinese,
                joined,
            });
        }
    }
    entries
}

impl Catalogue {
    pub(super) fn new(text: &'static str) -> Self {
        let mut whole = HashMap::new();
        let mut templates = Vec::new();
        for Entry { english, chinese, .. } in entries(text) {
            if english.contains("{}") {
                templates.push(Template::new(english, chinese));
            } else {
                whole.insert(english, chinese);
            }
        }
        templates.sort_by_key(|template: &Template| std::cmp::Reverse(template.says));
        Self { whole, templates }
    }

    /// The sentence in Chinese, if all of it can be said.
    pub(super) fn translated(&self, sentence: &str) -> Option<String> {
        let search = Search::new(self, false);
        search.say(sentence, 0).map(|chinese| tidy(&chinese))
    }

    /// The sentence in Chinese as far as it can be said: the parts that cannot stay English, or
    /// all of it does. Lines after the first are an example, and stay as they are.
    pub(super) fn told(&self, sentence: &str) -> String {
        if let Some((sentence, example)) = sentence.split_once('\n') {
            return format!("{}\n{example}", self.told(sentence));
        }
        if let Some(chinese) = self.translated(sentence) {
            return chinese;
        }
        // Names that people write may hold backticks themselves.
        if let Some(chinese) = Search::new(self, true).say(sentence, 0) {
            return chinese;
        }
        let search = Search::new(self, true);
        let text = Text::new(sentence);
        let sure = self
            .templates
            .iter()
            .filter(|template| template.says >= SURE_CHARS);
        for template in sure {
            let chinese = template.fill(&text, &search, &mut |holes| {
                template.put(holes, |hole| {
                    Some(search.say(hole, 1).unwrap_or_else(|| hole.to_owned()))
                })
            });
            if let Some(chinese) = chinese {
                return tidy(&chinese);
            }
        }
        sentence.to_owned()
    }
}

/// A text, and how many backticks stand before each of its bytes.
struct Text<'t> {
    text: &'t str,
    ticks: Vec<u32>,
}

impl<'t> Text<'t> {
    fn new(text: &'t str) -> Self {
        let mut count = 0;
        let mut ticks = Vec::with_capacity(text.len() + 1);
        for byte in text.bytes() {
            ticks.push(count);
            count += u32::from(byte == b'`');
        }
        ticks.push(count);
        Self { text, ticks }
    }

    fn ticks(&self, start: usize, end: usize) -> u32 {
        self.ticks[end] - self.ticks[start]
    }
}

impl Template {
    fn new(english: &'static str, chinese: &'static str) -> Self {
        let parts: Vec<&str> = english.split("{}").collect();
        let mut ticks = 0;
        let code = parts[..parts.len() - 1]
            .iter()
            .map(|part| {
                ticks += part.matches('`').count();
                ticks % 2 == 1
            })
            .collect();
        let target = pieces(chinese);
        let kept = (0..parts.len() - 1)
            .map(|hole| {
                let kept = |piece: &Piece| matches!(piece, Piece::Hole(place, true) if *place == hole);
                target.iter().any(kept)
            })
            .collect();
        Self {
            says: parts.iter().map(|part| part.chars().count()).sum(),
            parts,
            code,
            kept,
            target,
        }
    }

    /// Looks for texts of the holes that make the whole text, and takes the first that are
    /// accepted.
    fn fill<'t>(
        &self,
        text: &Text<'t>,
        search: &Search<'_>,
        accept: &mut dyn FnMut(&[&'t str]) -> Option<String>,
    ) -> Option<String> {
        let (first, last) = (self.parts.first()?, self.parts.last()?);
        if !text.text.starts_with(first) || !text.text.ends_with(last) {
            return None;
        }
        self.rest(text, first.len(), &mut Vec::new(), search, accept)
    }

    fn rest<'t>(
        &self,
        text: &Text<'t>,
        at: usize,
        found: &mut Vec<&'t str>,
        search: &Search<'_>,
        accept: &mut dyn FnMut(&[&'t str]) -> Option<String>,
    ) -> Option<String> {
        let hole = found.len();
        let Some(part) = self.parts.get(hole + 1) else {
            return accept(found);
        };
        let code = self.code[hole];
        let last = hole + 2 == self.parts.len();
        let mut from = at;
        loop {
            search.take(1)?;
            let end = if last {
                text.text.len().checked_sub(part.len()).filter(|end| *end >= at)?
            } else {
                from + text.text[from..].find(part)?
            };
            let ticks = text.ticks(at, end);
            let filled = code || self.kept[hole] || end > at;
            let whole = if code { ticks == 0 } else { ticks.is_multiple_of(2) };
            let fits = filled && (whole || search.loose);
            if fits {
                found.push(&text.text[at..end]);
                let filled = self.rest(text, end + part.len(), found, search, accept);
                found.pop();
                if filled.is_some() {
                    return filled;
                }
            }
            if last || code && ticks > 0 && !search.loose {
                return None;
            }
            from = end + part.chars().next()?.len_utf8();
        }
    }

    /// The Chinese sentence with its holes filled; none if one cannot be said.
    fn put(&self, holes: &[&str], mut say: impl FnMut(&str) -> Option<String>) -> Option<String> {
        let mut text = String::new();
        for piece in &self.target {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Hole(place, code) => {
                    let hole = holes.get(*place)?;
                    if self.code[*place] {
                        text.push_str(hole);
                    } else if *code {
                        text.push_str(Some(*hole).filter(|hole| !hole.contains('`'))?);
                    } else {
                        text.push_str(&say(hole)?);
                    }
                }
            }
        }
        Some(text)
    }
}

/// Splits a Chinese sentence at its holes, `{0}`, `{1}` and so on.
fn pieces(chinese: &'static str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = chinese;
    let mut ticks = 0;
    let mut from = 0;
    while let Some(open) = rest[from..].find('{').map(|offset| from + offset) {
        let digit = rest[open + 1..].chars().next().and_then(|c| c.to_digit(10));
        match digit {
            Some(place) if rest[open + 2..].starts_with('}') => {
                ticks += rest[..open].matches('`').count();
                pieces.push(Piece::Text(&rest[..open]));
                pieces.push(Piece::Hole(place as usize, ticks % 2 == 1));
                rest = &rest[open + 3..];
                from = 0;
            }
            _ => from = open + 1,
        }
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// One look for a sentence, which has only so many tries.
struct Search<'c> {
    catalogue: &'c Catalogue,
    /// Whether backticks may stand in code, too.
    loose: bool,
    left: Cell<usize>,
}

impl<'c> Search<'c> {
    const fn new(catalogue: &'c Catalogue, loose: bool) -> Self {
        Self {
            catalogue,
            loose,
            left: Cell::new(TRIES_MAX),
        }
    }

    /// Takes some of the tries that are left.
    fn take(&self, tries: usize) -> Option<()> {
        self.left.set(self.left.get().checked_sub(tries)?);
        Some(())
    }

    /// A sentence or a part of one in Chinese.
    fn say(&self, sentence: &str, depth: u32) -> Option<String> {
        if let Some(chinese) = self.catalogue.whole.get(sentence) {
            return Some((*chinese).to_owned());
        }
        if let Some(named) = a_type(sentence) {
            return Some(named);
        }
        if is_same(sentence) {
            return Some(sentence.to_owned());
        }
        if depth > DEPTH_MAX {
            return None;
        }
        self.take(1 + sentence.len() / BYTES_A_TRY)?;
        let text = Text::new(sentence);
        self.catalogue
            .templates
            .iter()
            .find_map(|template| {
                template.fill(&text, self, &mut |holes| {
                    template.put(holes, |hole| self.say(hole, depth + 1))
                })
            })
            .or_else(|| self.list(sentence, depth))
    }

    /// Names in a row.
    fn list(&self, sentence: &str, depth: u32) -> Option<String> {
        let mut chinese = String::new();
        let mut start = 0;
        let mut at = 0;
        let (mut code, mut nested) = (false, 0_u32);
        while let Some(c) = sentence[at..].chars().next() {
            match c {
                '`' => code = !code,
                '<' | '{' | '(' | '[' if !code => nested += 1,
                '>' | '}' | ')' | ']' if !code => nested = nested.saturating_sub(1),
                _ => {}
            }
            let joint = JOINTS
                .iter()
                .find(|(joint, _)| !code && nested == 0 && sentence[at..].starts_with(joint));
            match joint {
                Some((english, joined)) => {
                    chinese.push_str(&self.say(&sentence[start..at], depth + 1)?);
                    chinese.push_str(joined);
                    at += english.len();
                    start = at;
                }
                None => at += c.len_utf8(),
            }
        }
        if start == 0 {
            return None;
        }
        chinese.push_str(&self.say(&sentence[start..], depth + 1)?);
        Some(chinese)
    }
}

/// Whether a text is the same in every language: code in backticks, figures and signs, text that
/// is not English, or one name.
fn is_same(text: &str) -> bool {
    let outside = || text.split('`').step_by(2);
    let letters = outside().any(|part| part.contains(|c: char| c.is_ascii_alphabetic()));
    let parted = outside().any(|part| part.contains(if letters { " " } else { ", " }));
    !parted
}

/// A type, called by its name: one of the language's own, one that is written out, or one with
/// its article, such as `a citizen`.
fn a_type(text: &str) -> Option<String> {
    /// Types that need no article to be known.
    const OWN: [&str; 10] = [
        "string", "int", "decimal", "bool", "date", "time", "duration", "phone", "char", "ticket",
    ];
    let article = text.strip_prefix("a ").or_else(|| text.strip_prefix("an "));
    let name = article.unwrap_or(text);
    let bare = name.trim_end_matches('?');
    let open = bare.find(['{', '<']).filter(|_| bare.ends_with(['}', '>']));
    let written_out = open.is_some_and(|open| !bare[..open].trim_end().contains(' '))
        || bare
            .strip_prefix("int ")
            .is_some_and(|range| !range.contains(' '));
    let is_type = !name.contains('`')
        && (OWN.contains(&bare) || written_out || article.is_some() && !bare.contains(' '));
    is_type.then(|| format!("`{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# A comment.
en: no way out
zh: 没有出口

en: there is no step `{}` in flow `{}`
zh: 流程 `{1}` 没有步骤 `{0}`

en: {} has no field `{}`
zh: {0}没有字段 `{1}`

en: a number
zh: 号码

en: this should be {}, not {}
zh: 此处应为{0}，而不是{1}

joined: {}: {}
zh: {0}：{1}

en: there are
zh: 可选值

en: write it as \"${{}}\"
zh: 写成 `\"${{0}}\"`

en: the file cannot be read: {}
zh: 文件无法读取：{0}
";

    fn told(sentence: &str) -> String {
        Catalogue::new(TEXT).told(sentence)
    }

    #[test]
    fn holes_change_places_and_are_translated_themselves() {
        assert_eq!(told("no way out"), "没有出口");
        assert_eq!(
            told("there is no step `a in flow b` in flow `c`"),
            "流程 `c` 没有步骤 `a in flow b`"
        );
        assert_eq!(told("a number has no field `x`"), "号码没有字段 `x`");
        assert_eq!(told("`x` has no field `y`"), "`x` 没有字段 `y`");
        assert_eq!(
            told("this should be a string or a number, not an int"),
            "此处应为 `string` 或号码，而不是 `int`"
        );
        assert_eq!(
            told("this should be a record { a: b, c: d }?, not a list<tuple<a, b>>"),
            "此处应为 `record { a: b, c: d }?`，而不是 `list<tuple<a, b>>`"
        );
        assert_eq!(told("there are: `a`, `b`, `c`"), "可选值：`a`、`b`、`c`");
        assert_eq!(told("write it as \"${a > 3}\""), "写成 `\"${a > 3}\"`");
    }

    #[test]
    fn names_may_hold_backticks() {
        assert_eq!(
            told("there is no step `a`b` in flow `c`"),
            "流程 `c` 没有步骤 `a`b`"
        );
        assert_eq!(told("a number has no field ```"), "号码没有字段 ```");
    }

    #[test]
    fn what_cannot_be_said_stays_english() {
        let sentences = [
            "nobody has said this before",
            "no way out of here",
            "`odd` a ` sign",
        ];
        for sentence in sentences {
            assert_eq!(told(sentence), sentence);
            assert_eq!(Catalogue::new(TEXT).translated(sentence), None);
        }
        assert_eq!(told("no way out\n\nno way out\n"), "没有出口\n\nno way out\n");
        assert_eq!(
            told("the file cannot be read: nobody knows why"),
            "文件无法读取：nobody knows why"
        );
    }

    #[test]
    fn long_sentences_are_given_up_in_time() {
        let catalogue = Catalogue::new(TEXT);
        for part in ["no b, ", "no b or ", "` x: ", "this should be not, not "] {
            let long = part.repeat(5_000);
            assert!(catalogue.translated(&long).is_none(), "{part}");
        }
    }
}
