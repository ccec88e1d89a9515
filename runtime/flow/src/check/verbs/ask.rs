//! `ask` as the engine runs it: what counts as an answer.

use std::{collections::HashMap, ops::RangeInclusive, sync::Arc};

use trunkline_model::VariableName;

use super::{
    super::{
        carriers,
        expressions::{Scribe, type_of_answer},
        flow::{FlowView, key},
    },
    saves, variable,
};
use crate::{
    diagnostics::{Code, Finding, one_of},
    limits::ANSWER_KEYS_MAX,
    source::{Span, Word},
    step::{Answer, Ask, Choice, Digits, Key, Prompt},
    syntax::{AnswerFields, AnswerSyntax, AskSyntax, ChoiceSyntax, PromptSyntax},
    words::plain,
};

pub(super) fn lower(
    view: &FlowView<'_, '_>,
    ask: &AskSyntax,
    name: &Word,
    scribe: &Scribe<'_, '_, '_, '_>,
) -> Option<Ask> {
    let prompt = scribe.prompt(&ask.prompt);
    let again = later_prompts(scribe, &ask.again);
    let save = ask.save.as_ref().map(|word| (word, variable(view, word)));
    let answer = answer(view, &ask.answer);
    consent(view, ask);
    secret(view, ask);
    if ask.save.is_none() && ask.consent.is_none() {
        view.world.report(
            Finding::new(
                Code::AnswerLost,
                name.span,
                format!("the answer to `{}` is kept nowhere", name.as_str()),
            )
            .help("save it in a variable: `save: some_variable`"),
        );
    }
    let answer = answer?;
    let ty = type_of_answer(&answer);
    let mut fine = true;
    if let Some((word, wanted)) = save {
        fine = wanted.is_some_and(|wanted| saves(view, word, wanted, &ty));
    }
    let confirm = match &ask.confirm {
        Some(prompt) => Some(scribe.with_answer(ty).confirmation(prompt)?),
        None => None,
    };
    let (prompt, again) = (prompt?, again?);
    fine.then(|| Ask {
        prompt,
        answer,
        save: ask
            .save
            .as_ref()
            .map(|word| VariableName::new(word.value.clone())),
        retries: ask.retries,
        again,
        confirm,
        consent: ask.consent.as_ref().map(|word| word.value.clone()),
        secret: ask.secret.is_some(),
        label: ask.label.as_ref().map(|label| label.value.clone()),
        time: ask.time,
    })
}

/// What is said at later hearings; none when some of it cannot be, which has been reported.
pub(super) fn later_prompts(
    scribe: &Scribe<'_, '_, '_, '_>,
    again: &[PromptSyntax],
) -> Option<Vec<Arc<Prompt>>> {
    let prompts: Vec<_> = again.iter().map(|prompt| scribe.prompt(prompt)).collect();
    prompts.into_iter().collect()
}

fn consent(view: &FlowView<'_, '_>, ask: &AskSyntax) {
    let Some(word) = &ask.consent else { return };
    if matches!(&ask.answer.kind, Some(answer) if !matches!(answer.value, AnswerSyntax::YesNo)) {
        view.world.report(
            Finding::new(
                Code::WrongAnswerField,
                word.span,
                "consent is given by a yes or no",
            )
            .help("write `answer: yes-no`"),
        );
    }
}

/// A secret that is read back would stand in the journal as it was said, and one that is spoken would be
/// known to a carrier.
fn secret(view: &FlowView<'_, '_>, ask: &AskSyntax) {
    let kind = ask.answer.kind.as_ref().map(|kind| &kind.value);
    if let (Some(secret), Some(AnswerSyntax::Text)) = (ask.secret, kind) {
        carriers::hear_secrets(view, secret);
    }
    if let (Some(secret), Some(_)) = (ask.secret, &ask.confirm) {
        bad(
            view,
            secret,
            "a secret answer is not read back: what is said stands in the journal".to_owned(),
            "leave out `confirm` or `secret`",
        );
    }
}

/// What counts as an answer, of a question of a flow or of a survey.
pub(in crate::check) fn answer(view: &FlowView<'_, '_>, ask: &AnswerFields) -> Option<Answer> {
    let written = ask.kind.as_ref()?;
    let allowed: &[&str] = match &written.value {
        AnswerSyntax::Digits => &["length", "pattern", "finish"],
        AnswerSyntax::Number | AnswerSyntax::Decimal => &["min", "max"],
        AnswerSyntax::Text
        | AnswerSyntax::Date
        | AnswerSyntax::Money
        | AnswerSyntax::YesNo
        | AnswerSyntax::Phone
        | AnswerSyntax::IdNumber
        | AnswerSyntax::OneOf(_) => &[],
    };
    let mut fine = true;
    for (name, word) in [
        ("length", &ask.length),
        ("pattern", &ask.pattern),
        ("finish", &ask.finish),
        ("min", &ask.min),
        ("max", &ask.max),
    ] {
        if let Some(word) = word
            && !allowed.contains(&name)
        {
            fine = false;
            let owner = if matches!(name, "min" | "max") {
                "number` or `answer: decimal"
            } else {
                "digits"
            };
            view.world.report(
                Finding::new(
                    Code::WrongAnswerField,
                    word.span,
                    format!("`{name}` belongs to `answer: {owner}`"),
                )
                .help(if allowed.is_empty() {
                    "this kind of answer has no bounds of its own; leave it out".to_owned()
                } else {
                    format!("this kind of answer has {}", one_of(allowed.iter().copied()))
                }),
            );
        }
    }
    let answer = match &written.value {
        AnswerSyntax::Text => Answer::Text,
        AnswerSyntax::Date => Answer::Date,
        AnswerSyntax::Money => Answer::Money,
        AnswerSyntax::YesNo => Answer::YesNo,
        AnswerSyntax::Phone => Answer::Phone,
        AnswerSyntax::IdNumber => Answer::IdNumber,
        AnswerSyntax::Digits => Answer::Digits(digits(view, ask, written.span)?),
        AnswerSyntax::Number => number(view, ask, false)?,
        AnswerSyntax::Decimal => number(view, ask, true)?,
        AnswerSyntax::OneOf(choices) => Answer::OneOf(choices_of(view, choices, written.span)?),
    };
    fine.then_some(answer)
}

fn bad(view: &FlowView<'_, '_>, span: Span, message: String, help: &str) {
    view.world
        .report(Finding::new(Code::BadCollection, span, message).help(help));
}

fn digits(view: &FlowView<'_, '_>, ask: &AnswerFields, span: Span) -> Option<Digits> {
    let finish = match &ask.finish {
        Some(word) => Some(key(view.world, word)?),
        None => None,
    };
    let length = match &ask.length {
        Some(word) => length(view, word)?,
        None if finish.is_some() => 1..=ANSWER_KEYS_MAX,
        None => {
            bad(
                view,
                span,
                "nothing says when the answer is complete".to_owned(),
                "give it a `length: 4` or `length: 4-8`, or a key that finishes it: `finish: \"#\"`",
            );
            return None;
        }
    };
    let pattern = match &ask.pattern {
        Some(word) => {
            let keys = word.as_str().chars().all(|c| Key::new(c).is_some());
            if !keys || word.as_str().is_empty() || word.as_str().len() > *length.end() {
                bad(
                    view,
                    word.span,
                    format!(
                        "`{}` is nothing that such an answer can begin with",
                        word.as_str()
                    ),
                    "`pattern` is the keys that the answer begins with, no more than its length: `pattern: \"12\"`",
                );
                return None;
            }
            Some(word.value.clone())
        }
        None => None,
    };
    if let (Some(finish), Some(word)) = (finish, &ask.finish)
        && finish.as_char().is_ascii_digit()
    {
        bad(
            view,
            word.span,
            format!("`{finish}` finishes the answer and may be part of it"),
            "finish with \"#\" or \"*\"",
        );
        return None;
    }
    Some(Digits {
        length,
        finish,
        pattern,
    })
}

fn length(view: &FlowView<'_, '_>, word: &Word) -> Option<RangeInclusive<usize>> {
    let text = word.as_str();
    let (least, most) = text.split_once('-').unwrap_or((text, text));
    let range = least
        .trim()
        .parse::<usize>()
        .ok()
        .zip(most.trim().parse::<usize>().ok())
        .filter(|(least, most)| (1..=*most).contains(least) && *most <= ANSWER_KEYS_MAX);
    match range {
        Some((least, most)) => Some(least..=most),
        None => {
            bad(
                view,
                word.span,
                format!("`{text}` is no count of digits"),
                &format!("write `length: 4` or `length: 4-8`, at most {ANSWER_KEYS_MAX}"),
            );
            None
        }
    }
}

fn number(view: &FlowView<'_, '_>, ask: &AnswerFields, decimal: bool) -> Option<Answer> {
    let mut fine = true;
    let mut bound = |word: &Option<Word>| {
        let word = word.as_ref()?;
        let number: Option<f64> = word
            .as_str()
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite());
        if number.is_none() {
            fine = false;
            bad(
                view,
                word.span,
                format!("`{}` is no number", word.as_str()),
                "write a plain number such as 100",
            );
        }
        number
    };
    let (min, max) = (bound(&ask.min), bound(&ask.max));
    if let (Some(least), Some(most), Some(word)) = (min, max, &ask.max)
        && least > most
    {
        fine = false;
        bad(
            view,
            word.span,
            format!("no number lies between {least} and {most}"),
            "`min` is the least and `max` the greatest",
        );
    }
    fine.then_some(Answer::Number { min, max, decimal })
}

fn choices_of(view: &FlowView<'_, '_>, choices: &[ChoiceSyntax], span: Span) -> Option<Vec<Choice>> {
    let mut lowered = Vec::new();
    let mut fine = true;
    let mut seen: HashMap<String, Span> = HashMap::new();
    let mut once = |word: &Word, what: &str| {
        let first = seen.insert(format!("{what} {}", plain(word.as_str())), word.span);
        if let Some(first) = first {
            view.world.report(
                Finding::new(
                    Code::KeyClash,
                    word.span,
                    format!("the {what} `{}` means two things here", word.as_str()),
                )
                .label(first, "the other"),
            );
        }
        first.is_none()
    };
    for choice in choices {
        fine &= once(&choice.value, "word");
        for word in &choice.words {
            // A choice may name its own value among its words.
            if word.value != choice.value.value {
                fine &= once(word, "word");
            }
        }
        let key = match &choice.key {
            Some(word) => {
                fine &= once(word, "key");
                let key = key(view.world, word);
                fine &= key.is_some();
                key
            }
            None => None,
        };
        lowered.push(Choice {
            value: choice.value.value.clone(),
            key,
            words: choice.words.iter().map(|word| word.value.clone()).collect(),
        });
    }
    if lowered.is_empty() {
        bad(
            view,
            span,
            "`one-of` has no choices".to_owned(),
            "write `answer: { one-of: [water, power] }`",
        );
        return None;
    }
    fine.then_some(lowered)
}

#[cfg(test)]
mod tests {
    use super::super::super::harness::assert_findings;

    #[test]
    fn answers_can_be_collected() {
        assert_findings(
            r##"
--- flows/main.yaml
flow: main
otherwise: done
vars: { gauge: string?, n: int?, kind: string?, ok: bool? }
start: a
steps:
  a: { ask: hello, answer: digits, save: gauge, next: b }
#                          ^^^^^^ TL0506: nothing says when the answer is complete
  b: { ask: hello, answer: digits, length: 8-4, save: gauge, next: c }
#                                          ^^^ TL0506: `8-4` is no count of digits
  c: { ask: hello, answer: digits, length: 4, pattern: abc, save: gauge, next: d }
#                                                      ^^^ TL0506: `abc` is nothing that such an answer
  d: { ask: hello, answer: number, length: 4, min: 9, max: 1, save: n, next: e }
#                                          ^ TL0507: `length` belongs to `answer: digits`
#                                                          ^ TL0506: no number lies between 9 and 1
  e: { ask: hello, answer: { one-of: [water, { value: power, key: 1, words: [电, water] }, { value: x, key: 1 }] }, save: kind, next: f }
#                                                                               ^^^^^ TL0502: the word `water` means two things here
#                                                                                                          ^ TL0502: the key `1` means two things here
  f: { ask: hello, answer: yes-no, next: g }
# ^ TL0314: the answer to `f` is kept nowhere
  g: { ask: hello, answer: number, save: gauge, next: h }
#                                        ^^^^^ TL0202: `gauge` is a string?, but this gives a int
  h: { ask: hello, answer: digit, save: gauge, next: i }
#                          ^^^^^ TL0010: `digit` is no kind of answer
  i: { ask: hello, answer: digits, length: 4, finish: "#", confirm: read-back, consent: c, save: gauge, next: j }
#                                                                                       ^ TL0507: consent is given by a yes or no
  j: { ask: hello, answer: id-number, secret: true, label: ID, save: ok, next: k }
#                                                          ^^ TL0107: `ID` cannot be the name of a kind of personal data
#                                                                    ^^ TL0202: `ok` is a bool?, but this gives a string
  k: { ask: hello, answer: digits, length: 6, secret: true, confirm: read-back, save: gauge, next: l }
#                                             ^^^^^^ TL0506: a secret answer is not read back
  l: { ask: hello, answer: id-number, secret: false, confirm: read-back, length: 18, save: gauge, next: m }
#                                                                                ^^ TL0507: `length` belongs to `answer: digits`
  m: { ask: hello, answer: id-number, again: [hello, { en: Once more }], retries: 1, save: gauge, next: n }
#                                                    ^^^^^^^^^^^^^^^^^ TL0010: this is never said: `retries: 1` makes 2 hearings
#                                                    ^^^^^^^^^^^^^^^^^ TL0402
  n: { ask: hello, answer: id-number, again: { zh-CN: 再说一遍, en: Once more }, confirm: read-back, save: gauge, next: done }
  done: { end: completed }
"##,
        );
    }
}
