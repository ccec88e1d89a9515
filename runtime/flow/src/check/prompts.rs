//! Prompts: every one that is said exists in every language, and every one is said.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
};

use super::{mends, recordings, world::World};
use crate::{
    diagnostics::{Code, Finding, did_you_mean},
    expression::markup::{Markup, MarkupError},
    source::{Span, Word},
    step::{Part, Prompt, Recording},
    syntax::PromptTable,
    yaml::locate,
};

/// A text of a prompt.
#[derive(Clone)]
pub(super) struct PromptText<'a> {
    pub(super) word: &'a Word,
    /// None when it cannot be read, which has been reported.
    pub(super) markup: Option<Rc<Markup>>,
    /// The recording that says it.
    pub(super) recording: Option<Recording>,
}

/// All prompt tables.
#[derive(Default)]
pub(super) struct Prompts<'a> {
    /// Texts by key and language.
    texts: BTreeMap<&'a str, BTreeMap<Arc<str>, PromptText<'a>>>,
    /// Languages of the hotline whose table is there as a whole.
    whole: BTreeSet<Arc<str>>,
    /// Languages of the hotline without a table.
    missing: BTreeSet<Arc<str>>,
    said: RefCell<BTreeSet<String>>,
    /// Prompts without values, which are the same wherever they are said.
    plain: RefCell<BTreeMap<String, Arc<Prompt>>>,
    /// Whether any table was broken: then a prompt that is not found may be there.
    broken: bool,
}

impl<'a> Prompts<'a> {
    pub(super) fn read(world: &World<'a>, tables: &'a [PromptTable]) -> Self {
        let mut prompts = Self {
            missing: world.languages.iter().cloned().collect(),
            ..Self::default()
        };
        for table in tables {
            prompts.missing.remove(&table.language);
            if table.whole {
                prompts.whole.insert(table.language.clone());
            } else {
                // What was read of it says too little to judge it by.
                prompts.broken = true;
                continue;
            }
            let declared = &world.hotline.dialects;
            if !world.speaks(&table.language)
                && declared
                    .iter()
                    .any(|(dialect, _)| dialect.value == table.language)
            {
                // A dialect that leads to no language has been reported.
                continue;
            }
            if !world.speaks(&table.language) {
                let names = world.languages.iter().chain(world.dialects.keys());
                let names = names.map(|language| &**language);
                world.report(
                    Finding::new(
                        Code::StrayLanguage,
                        table.span,
                        format!(
                            "the hotline has no language `{}`, so nothing here is said",
                            table.language
                        ),
                    )
                    .help(
                        did_you_mean("its languages are", &table.language, names).unwrap_or_else(|| {
                            "name it in `languages` or `dialects` of hotline.yaml".to_owned()
                        }),
                    ),
                );
                continue;
            }
            for (key, text) in &table.prompts {
                let markup = markup(world, text);
                let written = table.recordings.get(&key.value);
                let recording =
                    written.and_then(|written| recordings::check(world, written, text, markup.as_deref()));
                prompts.texts.entry(key.as_str()).or_default().insert(
                    table.language.clone(),
                    PromptText {
                        word: text,
                        markup,
                        recording,
                    },
                );
            }
        }
        prompts
    }

    /// The texts of a prompt that a step says; reports one that is not there or not in
    /// every language.
    pub(super) fn say(&self, world: &World<'a>, key: &Word) -> Option<&BTreeMap<Arc<str>, PromptText<'a>>> {
        self.said.borrow_mut().insert(key.value.to_string());
        let Some(texts) = self.texts.get(key.as_str()) else {
            if !self.broken && self.missing.is_empty() {
                let looks_like_text = key
                    .as_str()
                    .contains(|c: char| c.is_whitespace() || "，。？！,!?".contains(c));
                let help = if looks_like_text {
                    let languages: Vec<String> = world
                        .languages
                        .iter()
                        .map(|language| format!("{language}: …"))
                        .collect();
                    Some(format!(
                        "a text stands in prompts/*.yaml under a key, or here in every language: {{ {} }}",
                        languages.join(", ")
                    ))
                } else {
                    did_you_mean("prompts are", key.as_str(), self.texts.keys().copied())
                };
                world.report(
                    Finding::new(
                        Code::UnknownPrompt,
                        key.span,
                        format!("there is no prompt `{}`", key.as_str()),
                    )
                    .help_if(help)
                    .mend_if(
                        (!looks_like_text)
                            .then(|| mends::add_prompt(world, self, key.as_str()))
                            .flatten(),
                    )
                    .help_if((!looks_like_text).then(|| {
                        let language = world.languages.first().map_or("zh-CN", |language| &**language);
                        format!("or add a line `{}: …` to prompts/{language}.yaml", key.as_str())
                    })),
                );
            } else if !self.missing.is_empty() {
                self.tables_missing(world);
            }
            return None;
        };
        let mut complete = true;
        for language in &world.languages {
            if texts.contains_key(language) {
                continue;
            }
            complete = false;
            if self.missing.contains(language) {
                self.tables_missing(world);
            } else if self.whole.contains(language)
                && let Some((there, text)) = world.shown_first(texts)
            {
                world.report(
                    Finding::new(
                        Code::MissingTranslation,
                        text.word.span,
                        format!("the prompt `{}` has no text in {language}", key.as_str()),
                    )
                    .label(key.span, "it is said here")
                    .help(format!(
                        "add a line `{}: …` to prompts/{language}.yaml beside the one in {there}",
                        key.as_str()
                    ))
                    .mend_if(mends::translate(
                        world,
                        self,
                        key.as_str(),
                        language,
                        text.word.span,
                    )),
                );
            }
        }
        complete.then_some(texts)
    }

    /// A prompt without values that has been said before.
    pub(super) fn plain(&self, key: &str) -> Option<Arc<Prompt>> {
        self.plain.borrow().get(key).cloned()
    }

    pub(super) fn keep_if_plain(&self, prompt: &Arc<Prompt>) {
        let plain = prompt
            .texts
            .values()
            .all(|text| !text.parts.iter().any(|part| matches!(part, Part::Value(..))));
        if let Some(key) = prompt.key.as_ref().filter(|_| plain) {
            self.plain.borrow_mut().insert(key.to_string(), prompt.clone());
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.texts.contains_key(key)
    }

    /// The text in a language behind which one is added: that of the prompt which stands
    /// nearest before a place in another table, or else the last.
    pub(super) fn neighbour(&self, language: &str, there: Span) -> Option<&'a Word> {
        let nearest = self
            .texts
            .values()
            .filter_map(|texts| {
                let here = texts.get(language)?.word;
                let before = texts
                    .values()
                    .map(|text| text.word.span)
                    .find(|span| span.file == there.file && span.start < there.start)?;
                Some((before.start, here))
            })
            .max_by_key(|(start, _)| *start);
        nearest.map(|(_, word)| word).or_else(|| self.last(language))
    }

    /// The last text in a language.
    pub(super) fn last(&self, language: &str) -> Option<&'a Word> {
        let texts = self.texts.values();
        texts
            .filter_map(|texts| Some(texts.get(language)?.word))
            .max_by_key(|word| word.span)
    }

    fn tables_missing(&self, world: &World<'_>) {
        for word in &world.hotline.languages {
            if self.missing.contains(&word.value) {
                world.report(
                    Finding::new(
                        Code::MissingTranslation,
                        word.span,
                        format!("there are no prompts in {}", word.as_str()),
                    )
                    .help(format!("write prompts/{}.yaml", word.as_str())),
                );
            }
        }
    }

    /// Reports prompts that nothing says.
    pub(super) fn unused(&self, world: &World<'_>) {
        let said = self.said.borrow();
        for (key, texts) in &self.texts {
            if !said.contains(*key)
                && let Some((_, text)) = world.shown_first(texts)
            {
                world.report(
                    Finding::new(
                        Code::UnusedPrompt,
                        text.word.span,
                        format!("nothing says the prompt `{key}`"),
                    )
                    .help("leave it out, or say it in a step")
                    .mend_if(mends::remove_prompt(
                        world.files,
                        key,
                        texts.values().map(|text| text.word),
                    )),
                );
            }
        }
    }
}

/// Reads a prompt's text; reports braces and brackets that do not match, markup that is not
/// known, and what is no expression.
pub(super) fn markup(world: &World<'_>, word: &Word) -> Option<Rc<Markup>> {
    match Markup::read(word.as_str()) {
        Ok(markup) => Some(Rc::new(markup)),
        Err(error) => {
            let (code, error, help) = match error {
                MarkupError::Unbalanced(error) => (
                    Code::TemplateSyntax,
                    error,
                    Some(
                        "an expression stands in `{…}`, a pause in `[pause 500ms]`; a brace or bracket itself is written twice: `{{`, `}}`, `[[` or `]]`"
                            .to_owned(),
                    ),
                ),
                MarkupError::Unknown(error) => {
                    let help = error.help.clone();
                    (Code::UnknownMarkup, error, help)
                }
                MarkupError::Expression(error) => {
                    let help = error.help.clone();
                    (Code::ExpressionSyntax, error, help)
                }
            };
            let span = place(world, word, error.range);
            world.report(Finding::new(code, span, error.message).help_if(help));
            None
        }
    }
}

/// The place of a part of a word.
pub(super) fn place(world: &World<'_>, word: &Word, range: std::ops::Range<usize>) -> Span {
    let source = &world.files.of(word.span).text;
    locate(source, word.span, word.as_str(), range)
}

#[cfg(test)]
mod tests {
    use super::super::harness::assert_findings;

    #[test]
    fn prompts_exist_in_every_language_and_are_said() {
        assert_findings(
            r##"
--- prompts/zh-CN.yaml
hello: 您好
bye: 再见
#    ^^ TL0402: the prompt `bye` has no text in en
lost: 没人说
#     ^^^ TL0403: nothing says the prompt `lost`
--- prompts/en.yaml
hello: Hello
lost: Nobody says so
--- prompts/de.yaml
# ^1:1 TL0405: the hotline has no language `de`
hello: Hallo
--- flows/main.yaml
flow: main
start: welcome
steps:
  welcome: { say: hello, next: typo }
  typo: { say: helo, next: text }
#              ^^^^ TL0401: there is no prompt `helo`
  text: { say: 您好，请问, next: inline }
#              ^^^^^ TL0401: there is no prompt `您好，请问`
  inline: { say: { zh-CN: 好 }, next: goodbye }
#                ^^^^^^^^^^^^ TL0402: the text is missing in en
  goodbye: { say: bye, next: done }
  done: { end: completed }
"##,
        );
    }

    #[test]
    fn braces_match_and_values_can_be_said() {
        assert_findings(
            r##"
--- prompts/zh-CN.yaml
hello: 您好 {name} {{
open: 您好 {name
#        ^^^^^ TL0404: to this `{` no `}` belongs
silence: 您好[pause 1s请
#          ^^^^^^^^^^ TL0404: to this `[` no `]` belongs
wrong: "您好 {nam}"
#           ^^^ TL0106: the flow has no variable `nam`
maybe: 您好 {nick}
#          ^^^^ TL0205: `nick` may be absent here
--- prompts/en.yaml
hello: Hello {name}
open: Hello
silence: Hello
wrong: Hello
maybe: "Hello {has(nick) ? nick : 'you'}"
--- flows/main.yaml
flow: main
vars: { name: { type: string, is: 王芳 }, nick: string? }
start: a
steps:
  a: { say: hello, next: b }
  b: { say: open, next: s }
  s: { say: silence, next: c }
  c: { say: wrong, next: d }
  d: { say: maybe, next: done }
  done: { end: completed }
"##,
        );
    }

    #[test]
    fn markup_is_known_and_formats_fit() {
        assert_findings(
            r##"
--- prompts/zh-CN.yaml
hello: 您好[pause 500ms]，您的号码是{nick ?? | digits}
#                                  ^ TL0201
beep: "您好[beep]"
#         ^^^^ TL0407: `[beep]` says nothing that is known
format: "您好{name | dgits}"
#                  ^^^^^ TL0407: there is no format `dgits`
pause: 您好[pause 5m]
#         ^^^^^^^^ TL0407: a pause is more than nothing and at most 10s, not 5m
fits: "{name | digits}，{count | ordinal}，{fee | money HKD}，{now | date}{now | time}{now.date | date}"
fee: "{name | money}"
#             ^^^^^ TL0408: `money` takes an int or a decimal, not a string
day: "{count | date}"
#              ^^^^ TL0408: `date` takes a date or a time, not an int
words: "{ask | number}"
#              ^^^^^^ TL0408: `number` takes an int or a decimal, not a bool
--- prompts/en.yaml
hello: Hello
beep: Hello
format: Hello
pause: Hello
fits: Hello
fee: Hello
day: Hello
words: Hello
--- flows/main.yaml
flow: main
vars: { name: { type: string, is: 王芳 }, nick: string?, count: { type: int, is: 0 }, fee: { type: decimal, is: 1.5 }, ask: { type: bool, is: true } }
start: a
steps:
  a: { say: hello, next: b }
  b: { say: beep, next: c }
  c: { say: format, next: d }
  d: { say: pause, next: e }
  e: { say: fits, next: f }
  f: { say: fee, next: g }
  g: { say: day, next: h }
  h: { say: words, next: done }
  done: { end: completed }
"##,
        );
    }

    #[test]
    fn dialects_fall_back() {
        assert_findings(
            r##"
--- hotline.yaml
hotline: test
languages: [zh-CN, en]
dialects: { zh-yue: zh-CN, zh-yue-HK: zh-yue, zh-a1234: zh-b1234, zh-b1234: zh-a1234, bo: zh-TW, en: zh-CN }
#                                                       ^^^^^^^^ TL0412: from `zh-b1234` one comes back to `zh-a1234`
#                                                                           ^^^^^^^^ TL0412: from `zh-a1234` one comes back to `zh-b1234`
#                                                                                         ^^^^^ TL0111: the hotline has no language `zh-TW` to fall back to
#                                                                                                ^^ TL0109: `en` stands here twice
time-zone: Asia/Shanghai
numbers: { "12345": { flow: main, language: zh-yue-HK }, "2": { flow: main, language: zh-HK } }
#                                                                                     ^^^^^ TL0111: the hotline has no language `zh-HK`
--- prompts/zh-CN.yaml
hello: 您好
bye: 再见
#    ^^ TL0402: the prompt `bye` has no text in en
--- prompts/en.yaml
hello: Hello
--- prompts/zh-yue.yaml
hello: 你好
only: 唔该
#     ^^ TL0402: the prompt `only` has no text in zh-CN
#     ^^ TL0402: the prompt `only` has no text in en
--- prompts/zh-b1234.yaml
hello: 你好
--- prompts/bo.yaml
hello: བཀྲ་ཤིས་བདེ་ལེགས།
--- flows/main.yaml
flow: main
start: a
steps:
  a: { say: hello, next: b }
  b: { say: bye, next: c }
  c: { say: only, next: d }
  d: { set: { language: zh-yue }, next: e }
  e: { say: { zh-CN: 好, en: Fine, zh-yue-HK: 好呀 }, next: done }
  done: { end: completed }
"##,
        );
    }
}
