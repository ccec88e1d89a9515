//! Keys and words: each leads to one place, and none hides another.

use std::{collections::HashMap, sync::Arc};

use super::flow::{FlowView, key};
use crate::{
    diagnostics::{Code, Finding},
    source::{Span, Word},
    step::Key,
    syntax::{AnswerFields, AnswerSyntax, MenuSyntax, QueueSyntax, RecordSyntax, VerbSyntax},
    words::plain,
};

/// The flow's `anywhere`, resolved.
pub(super) struct AnywhereView<'a> {
    pub(super) keys: Vec<(Key, &'a Word, usize)>,
    pub(super) words: Vec<(&'a Word, usize)>,
}

/// Resolves `anywhere`; reports what is no key or no step.
pub(super) fn anywhere<'a>(view: &FlowView<'_, 'a>) -> AnywhereView<'a> {
    let syntax = &view.head.syntax.anywhere;
    let keys = syntax
        .keys
        .iter()
        .filter_map(|(word, step)| Some((key(view.world, word), word, view.target(step)?)))
        .filter_map(|(key, word, step)| Some((key?, word, step)))
        .collect();
    let words = syntax
        .words
        .iter()
        .filter_map(|(word, step)| Some((word, view.target(step)?)))
        .collect();
    AnywhereView { keys, words }
}

/// Words with what they lead to, longest first.
pub(super) fn longest_first<T>(words: impl Iterator<Item = (Arc<str>, T)>) -> Vec<(Arc<str>, T)> {
    let mut words: Vec<_> = words.collect();
    words.sort_by_key(|(word, _)| std::cmp::Reverse(word.chars().count()));
    words
}

pub(super) fn check(view: &FlowView<'_, '_>, anywhere: &AnywhereView<'_>, reached: &[bool]) {
    clashes(view, anywhere.words.iter().map(|(word, _)| *word));
    for (index, step) in view.steps.iter().enumerate() {
        match &step.verb {
            VerbSyntax::Menu(menu) => check_menu(view, menu, &step.name, anywhere),
            VerbSyntax::Queue(queue) => check_offers(view, queue, anywhere),
            VerbSyntax::Ask(ask) if reached[index] => {
                deaf(view, &taken(&ask.answer), &step.name, anywhere);
            }
            VerbSyntax::Survey(survey) if reached[index] => {
                let survey = view.world.centre.surveys.get(survey.as_str());
                let questions = survey.iter().flat_map(|survey| &survey.questions);
                let keys: Vec<char> = questions.flat_map(|question| taken(&question.answer)).collect();
                deaf(view, &keys, &step.name, anywhere);
            }
            VerbSyntax::Record(RecordSyntax::Message(message)) if reached[index] => {
                let finish = message.finish.as_ref();
                let keys: Vec<char> =
                    finish.map_or_else(|| vec!['#'], |word| word.as_str().chars().collect());
                deaf(view, &keys, &step.name, anywhere);
            }
            _ => {}
        }
    }
}

/// Reports words that are the same to a listener.
fn clashes<'a>(view: &FlowView<'_, '_>, words: impl IntoIterator<Item = &'a Word>) {
    let mut seen: HashMap<String, Span> = HashMap::new();
    for word in words {
        if let Some(first) = seen.insert(heard(word), word.span) {
            view.world.report(
                Finding::new(
                    Code::KeyClash,
                    word.span,
                    format!("`{}` is the same word as another of this step", word.as_str()),
                )
                .label(first, "the other")
                .help("leave out one of them; words are heard without regard to case and width"),
            );
        }
        if word.as_str().trim().is_empty() {
            view.world.report(Finding::new(
                Code::BadKey,
                word.span,
                "an empty word would be heard in everything",
            ));
        }
    }
}

fn heard(word: &Word) -> String {
    plain(word.as_str())
}

fn check_menu(view: &FlowView<'_, '_>, menu: &MenuSyntax, name: &Word, anywhere: &AnywhereView<'_>) {
    if menu.keys.is_empty() && menu.words.is_empty() && menu.intent.is_none() {
        view.world.report(
            Finding::new(
                Code::NothingToChoose,
                name.span,
                format!("the menu `{}` has neither keys nor words", name.as_str()),
            )
            .help("give it keys, like `keys: { 1: some-step }`, or make a `say` of it"),
        );
    }
    clashes(view, menu.words.iter().map(|(word, _)| word));
    for entry in &menu.keys {
        let Some(key) = key(view.world, &entry.key) else {
            continue;
        };
        if let Some((_, hidden, _)) = anywhere.keys.iter().find(|(other, ..)| *other == key) {
            shadows(view, &entry.key, hidden, "key");
        }
    }
    for (word, _) in &menu.words {
        if let Some((hidden, _)) = anywhere
            .words
            .iter()
            .find(|(other, _)| heard(other) == heard(word))
        {
            shadows(view, word, hidden, "word");
        }
    }
}

/// The keys of what a waiting caller is offered.
fn check_offers(view: &FlowView<'_, '_>, queue: &QueueSyntax, anywhere: &AnywhereView<'_>) {
    let mut seen: HashMap<Key, Span> = HashMap::new();
    for word in queue.offers.iter().filter_map(|offer| offer.key.as_ref()) {
        let Some(key) = key(view.world, word) else {
            continue;
        };
        if let Some(first) = seen.insert(key, word.span) {
            view.world.report(
                Finding::new(
                    Code::KeyClash,
                    word.span,
                    format!("the key `{key}` takes two offers"),
                )
                .label(first, "the other")
                .help("give one of the offers another key"),
            );
        }
        if let Some((_, hidden, _)) = anywhere.keys.iter().find(|(other, ..)| *other == key) {
            shadows(view, word, hidden, "key");
        }
    }
}

fn shadows(view: &FlowView<'_, '_>, word: &Word, hidden: &Word, what: &str) {
    view.world.report(
        Finding::new(
            Code::ShadowsAnywhere,
            word.span,
            format!("this {what} hides the one that holds anywhere"),
        )
        .label(hidden.span, "it is hidden at this step")
        .help(format!("give one of the two another {what}")),
    );
}

/// The keys that are part of an answer: they are not heard as keys that hold anywhere.
fn taken(answer: &AnswerFields) -> Vec<char> {
    let Some(kind) = &answer.kind else {
        return Vec::new();
    };
    match &kind.value {
        AnswerSyntax::Digits => {
            let finish = answer.finish.iter().flat_map(|word| word.as_str().chars());
            "0123456789".chars().chain(finish).collect()
        }
        AnswerSyntax::Number | AnswerSyntax::Date | AnswerSyntax::Phone => "0123456789#".chars().collect(),
        AnswerSyntax::Decimal | AnswerSyntax::Money => "0123456789*#".chars().collect(),
        AnswerSyntax::IdNumber => "0123456789*".chars().collect(),
        AnswerSyntax::YesNo => "12".chars().collect(),
        AnswerSyntax::OneOf(choices) => choices
            .iter()
            .flat_map(|choice| choice.key.iter().flat_map(|key| key.as_str().chars()))
            .collect(),
        AnswerSyntax::Text => Vec::new(),
    }
}

/// Reports keys that hold anywhere and that a step takes for something else.
fn deaf(view: &FlowView<'_, '_>, taken: &[char], name: &Word, anywhere: &AnywhereView<'_>) {
    for (key, word, _) in &anywhere.keys {
        if taken.contains(&key.as_char()) {
            view.world.report(
                Finding::new(
                    Code::AnywhereDeaf,
                    word.span,
                    format!("`{}` collects this key, so it does not hold there", name.as_str()),
                )
                .label(name.span, "this step")
                .help("choose a key that is no part of an answer, such as \"*\", or give that step its own way out"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::harness::assert_findings;

    #[test]
    fn keys_and_words_lead_to_one_place() {
        assert_findings(
            r##"
--- flows/main.yaml
flow: main
vars: { gauge: string? }
anywhere: { keys: { "9": done, x: done }, words: { 人工: done } }
#                   ^^^ TL0504: `ask` collects this key
#                              ^ TL0501: `x` is no key of the keypad
start: top
steps:
  top:
    menu: hello
    keys: { 1: ask, 9: done, 12: done, 1: done }
#                   ^ TL0503: this key hides the one that holds anywhere
#                            ^^ TL0501: `12` is no key of the keypad
#                                      ^ TL0003: `1` stands here a second time
    words: { Agent: done, ａgent: done, 人工: done }
#                         ^^^^^ TL0502: `ａgent` is the same word
#                                      ^^ TL0503: this word hides the one
    on: { else: empty }
  empty: { menu: hello, on: { else: done } }
# ^^^^^ TL0505: the menu `empty` has neither keys nor words
  ask: { ask: hello, answer: digits, length: 4, save: gauge, on: { else: done }, next: done }
  done: { end: completed }
"##,
        );
    }

    #[test]
    fn keys_hold_where_somebody_waits_or_is_surveyed() {
        assert_findings(
            r##"
--- hotline.yaml
hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers: { "12345": { flow: main } }
queues: { general: {} }
--- surveys/csat.yaml
survey: csat
kind: csat
questions: [{ name: score, ask: hello, answer: number, min: 1, max: 5 }]
--- flows/main.yaml
flow: main
vars: { words: string? }
anywhere: { keys: { "9": from-the-queue } }
#                   ^^^ TL0504: `rate` collects this key
start: wait
steps:
  wait: { queue: general, on: { else: done }, next: rate }
  from-the-queue: { say: { zh-CN: "{words}", en: "{words}" }, next: done }
#                                   ^^^^^ TL0205: `words` may be absent here
#                                                  ^^^^^ TL0205: `words` may be absent here
  rate: { survey: csat, on: { else: done }, next: done }
  done: { end: completed }
"##,
        );
    }
}
