//! Steps: one verb each.

mod queue;
mod services;
mod together;

use trunkline_model::{
    Duration,
    limits::{CALL_TIME_MAX, WAIT_MAX},
};

use super::{
    fields::{Fields, Reader, Style},
    value::{exits, prompt, value, values},
};
use crate::{
    diagnostics::{Code, Finding, did_you_mean, one_of},
    limits::RETRIES_MAX,
    source::{Spanned, Word},
    syntax::{
        AnswerFields, AnswerSyntax, AskSyntax, CallSyntax, ChoiceSyntax, ChooseSyntax, IntentSyntax,
        KeySyntax, MenuSyntax, PromptSyntax, StepSyntax, ValueSyntax, VerbSyntax,
    },
    yaml::{Entry, Kind, Node},
};

/// The verbs.
const VERBS: [&str; 17] = [
    "say", "menu", "ask", "call", "together", "choose", "set", "run", "queue", "transfer", "callback",
    "survey", "ticket", "notify", "record", "wait", "end",
];

/// How often `menu` and `ask` ask again when the step does not say.
const RETRIES_DEFAULT: u32 = 2;

pub(super) fn step(reader: &Reader<'_>, entry: &Entry) -> StepSyntax {
    let name = entry.key.clone();
    reader.name(&name, "a step", Style::Kebab);
    let mut fields = reader.fields(&entry.value, "a step", name.span);
    let verb = verb_name(reader, &fields, &name);
    let what = verb.map_or_else(|| "a step".to_owned(), |verb| format!("a `{verb}` step"));
    fields = reader.fields(&entry.value, &what, name.span);
    let title = fields.word(reader, "title");
    let service = fields.word(reader, "service");
    if let Some(service) = &service {
        reader.name(service, "a service", Style::Kebab);
    }
    let when = fields.word(reader, "when");
    let next = fields.word(reader, "next");
    let on = fields
        .take("on")
        .map(|node| exits(reader, node))
        .unwrap_or_default();
    let known = verb.is_some();
    let verb = verb
        .and_then(|verb| read_verb(reader, verb, &mut fields))
        .unwrap_or(VerbSyntax::Broken);
    if known {
        fields.finish(reader);
    }
    StepSyntax {
        name,
        title,
        service,
        when,
        next,
        on,
        verb,
    }
}

/// The verb of a step; reports when there is none, or more than one.
fn verb_name(reader: &Reader<'_>, fields: &Fields<'_>, name: &Word) -> Option<&'static str> {
    let mut found = VERBS
        .into_iter()
        .filter_map(|verb| Some((verb, fields.entry(verb)?)));
    // `save`, `next` and `say` at an ask would be ambiguous otherwise: the first in the
    // table of verbs names the step only if no other does.
    match (found.next(), found.next()) {
        (None, _) => {
            let keys: Vec<&str> = fields.keys().collect();
            let near = keys
                .iter()
                .find_map(|key| did_you_mean("", key, VERBS).filter(|help| help.starts_with("did you mean")));
            reader.report(
                Finding::new(
                    Code::UnknownVerb,
                    name.span,
                    format!("the step `{}` has no verb", name.as_str()),
                )
                .help(near.unwrap_or_else(|| format!("give it one of {}", one_of(VERBS)))),
            );
            None
        }
        (Some((verb, _)), None) => Some(verb),
        (Some((first, _)), Some((second, entry))) => {
            reader.report(
                Finding::new(
                    Code::UnknownVerb,
                    entry.key.span,
                    format!(
                        "a step has one verb, but `{}` has `{first}` and `{second}`",
                        name.as_str()
                    ),
                )
                .help("make two steps of it and join them with `next`"),
            );
            None
        }
    }
}

fn read_verb(reader: &Reader<'_>, verb: &'static str, fields: &mut Fields<'_>) -> Option<VerbSyntax> {
    let node = fields.take(verb)?;
    let what = format!("`{verb}`");
    Some(match verb {
        "say" => {
            let notice = fields.word(reader, "notice");
            VerbSyntax::Say {
                prompt: prompt(reader, node, &what)?,
                notice,
            }
        }
        "menu" => menu(reader, node, fields)?,
        "ask" => ask(reader, node, fields)?,
        "call" => call(reader, node, fields)?,
        "choose" => choose(reader, node, fields),
        "set" => VerbSyntax::Set(values(reader, node, &what)),
        "run" => {
            let with = named(reader, fields, "with");
            let save = named(reader, fields, "save");
            VerbSyntax::Run {
                flow: reader.word(node, &what)?,
                with,
                save,
            }
        }
        "together" => together::together(reader, node, fields)?,
        "queue" => queue::queue(reader, node, fields)?,
        "transfer" => services::transfer(reader, node, fields)?,
        "callback" => services::callback(reader, node)?,
        "survey" => VerbSyntax::Survey(reader.word(node, &what)?),
        "ticket" => services::ticket(reader, node, fields)?,
        "notify" => services::notify(reader, node)?,
        "record" => services::record(reader, node, fields)?,
        "wait" => wait(reader, node)?,
        "end" => {
            let outputs = named(reader, fields, "outputs");
            let outcome = reader.word(node, &what)?;
            reader.name(&outcome, "an outcome", Style::Kebab);
            VerbSyntax::End { outcome, outputs }
        }
        _ => VerbSyntax::Broken,
    })
}

fn named(reader: &Reader<'_>, fields: &mut Fields<'_>, name: &'static str) -> Vec<(Word, ValueSyntax)> {
    fields
        .take(name)
        .map(|node| values(reader, node, &format!("`{name}`")))
        .unwrap_or_default()
}

fn value_field(reader: &Reader<'_>, fields: &mut Fields<'_>, name: &'static str) -> Option<ValueSyntax> {
    value(reader, fields.take(name)?)
}

fn prompt_field(reader: &Reader<'_>, fields: &mut Fields<'_>, name: &'static str) -> Option<PromptSyntax> {
    prompt(reader, fields.take(name)?, &format!("`{name}`"))
}

fn menu(reader: &Reader<'_>, node: &Node, fields: &mut Fields<'_>) -> Option<VerbSyntax> {
    let keys = fields
        .take("keys")
        .map(|node| keys(reader, node))
        .unwrap_or_default();
    let words = fields
        .take("words")
        .map(|node| reader.words(node, "`words`"))
        .unwrap_or_default();
    let retries = fields.count(reader, "retries", RETRIES_DEFAULT, RETRIES_MAX);
    let again = again(reader, fields, retries);
    let time = fields.duration(reader, "time");
    let intent = intent(reader, fields);
    Some(VerbSyntax::Menu(Box::new(MenuSyntax {
        prompt: prompt(reader, node, "`menu`")?,
        keys,
        words,
        intent,
        retries,
        again,
        time,
    })))
}

/// `intent: nlu.classify`, with `intents` and `intent-time`.
fn intent(reader: &Reader<'_>, fields: &mut Fields<'_>) -> Option<IntentSyntax> {
    let Some(node) = fields.take("intent") else {
        fields.belongs(reader, "intents", "`intent: plugin.function`");
        fields.belongs(reader, "intent-time", "`intent: plugin.function`");
        return None;
    };
    let time = fields
        .take("intent-time")
        .and_then(|node| reader.duration(node, "`intent-time`", CALL_TIME_MAX));
    let cases = fields
        .need(reader, "intents", "{ housing: some-step, else: other-step }")
        .map(|node| reader.words(node, "`intents`"))
        .unwrap_or_default();
    Some(IntentSyntax {
        function: reader.word(node, "`intent`")?,
        cases,
        time,
    })
}

/// What is said at later hearings: one prompt, or a list of them. A mapping is one prompt,
/// written in every language.
fn again(reader: &Reader<'_>, fields: &mut Fields<'_>, retries: u32) -> Vec<PromptSyntax> {
    let Some(node) = fields.take("again") else {
        return Vec::new();
    };
    let nodes = match &node.kind {
        Kind::Sequence(nodes) => nodes.iter().collect(),
        Kind::Scalar { .. } | Kind::Mapping(_) => vec![node],
    };
    if let Some(never) = nodes.get(retries as usize) {
        reader.report(
            Finding::new(
                Code::WrongValue,
                never.span,
                format!(
                    "this is never said: `retries: {retries}` makes {} hearings, the first with the prompt itself",
                    retries + 1
                ),
            )
            .help("give `again` a prompt for each retry at most; the last is repeated where there are fewer"),
        );
    }
    nodes
        .into_iter()
        .filter_map(|node| prompt(reader, node, "`again`"))
        .collect()
}

fn keys(reader: &Reader<'_>, node: &Node) -> Vec<KeySyntax> {
    let mut keys = Vec::new();
    for entry in reader.entries(node, "`keys`") {
        let key = entry.key.clone();
        if let Kind::Mapping(_) = entry.value.kind {
            let mut fields = reader.fields(&entry.value, "a key", key.span);
            let say = prompt_field(reader, &mut fields, "say");
            let next = fields.need_word(reader, "next", "some-step");
            let when = fields.word(reader, "when");
            fields.finish(reader);
            keys.push(KeySyntax { key, say, next, when });
        } else {
            let next = reader.word(&entry.value, &format!("the step of key `{}`", key.as_str()));
            keys.push(KeySyntax {
                key,
                say: None,
                next,
                when: None,
            });
        }
    }
    keys
}

fn ask(reader: &Reader<'_>, node: &Node, fields: &mut Fields<'_>) -> Option<VerbSyntax> {
    let secret = fields
        .entry("secret")
        .map(|entry| entry.key.span)
        .filter(|_| fields.bool(reader, "secret"));
    fields.take("secret");
    let label = fields.word(reader, "label");
    if let Some(label) = &label {
        reader.name(label, "a kind of personal data", Style::Kebab);
    }
    let retries = fields.count(reader, "retries", RETRIES_DEFAULT, RETRIES_MAX);
    Some(VerbSyntax::Ask(Box::new(AskSyntax {
        answer: answer_fields(reader, fields),
        confirm: prompt_field(reader, fields, "confirm"),
        retries,
        again: again(reader, fields, retries),
        save: fields.word(reader, "save"),
        consent: fields.word(reader, "consent"),
        secret,
        label,
        time: fields.duration(reader, "time"),
        // Taken last: what follows `ask` is the question.
        prompt: prompt(reader, node, "`ask`")?,
    })))
}

/// `answer` and the fields that bound it.
pub(super) fn answer_fields(reader: &Reader<'_>, fields: &mut Fields<'_>) -> AnswerFields {
    AnswerFields {
        kind: fields
            .need(reader, "answer", "text")
            .and_then(|node| answer(reader, node)),
        length: fields.word(reader, "length"),
        pattern: fields.word(reader, "pattern"),
        finish: fields.word(reader, "finish"),
        min: fields.word(reader, "min"),
        max: fields.word(reader, "max"),
    }
}

const ANSWERS: [&str; 10] = [
    "text",
    "digits",
    "number",
    "decimal",
    "date",
    "money",
    "yes-no",
    "phone",
    "id-number",
    "one-of",
];

fn answer(reader: &Reader<'_>, node: &Node) -> Option<Spanned<AnswerSyntax>> {
    if let Kind::Mapping(_) = node.kind {
        let mut fields = reader.fields(node, "`answer`", node.span);
        let choices = fields.need(reader, "one-of", "[yes, later, no]");
        let choices = choices.map(|node| choices_of(reader, node));
        fields.finish(reader);
        return choices.map(|choices| Spanned::new(AnswerSyntax::OneOf(choices), node.span));
    }
    let word = reader.word(node, "`answer`")?;
    let answer = match word.as_str() {
        "text" => AnswerSyntax::Text,
        "digits" => AnswerSyntax::Digits,
        "number" => AnswerSyntax::Number,
        "decimal" => AnswerSyntax::Decimal,
        "date" => AnswerSyntax::Date,
        "money" => AnswerSyntax::Money,
        "yes-no" => AnswerSyntax::YesNo,
        "phone" => AnswerSyntax::Phone,
        "id-number" => AnswerSyntax::IdNumber,
        other => {
            let help = match other {
                "one-of" => Some("list the values: `answer: { one-of: [water, power] }`".to_owned()),
                "yes" | "no" | "bool" | "boolean" | "yes/no" => Some("write `yes-no`".to_owned()),
                "int" | "integer" => Some("write `number`".to_owned()),
                "string" => Some("write `text`".to_owned()),
                other => did_you_mean("there are", other, ANSWERS),
            };
            reader.report(
                Finding::new(
                    Code::WrongValue,
                    word.span,
                    format!("`{other}` is no kind of answer"),
                )
                .help_if(help),
            );
            return None;
        }
    };
    Some(Spanned::new(answer, word.span))
}

fn choices_of(reader: &Reader<'_>, node: &Node) -> Vec<ChoiceSyntax> {
    let mut choices = Vec::new();
    for node in reader.list(node, "`one-of`") {
        if let Kind::Mapping(_) = node.kind {
            let mut fields = reader.fields(node, "a choice", node.span);
            let value = fields.need_word(reader, "value", "water");
            let key = fields.word(reader, "key");
            let words = fields
                .take("words")
                .map(|node| reader.plain_list(node, "`words`"))
                .unwrap_or_default();
            fields.finish(reader);
            choices.extend(value.map(|value| ChoiceSyntax { value, key, words }));
        } else if let Some(value) = reader.word(node, "a choice") {
            choices.push(ChoiceSyntax {
                value,
                key: None,
                words: Vec::new(),
            });
        }
    }
    choices
}

fn call(reader: &Reader<'_>, node: &Node, fields: &mut Fields<'_>) -> Option<VerbSyntax> {
    let meanwhile = prompt_field(reader, fields, "meanwhile");
    let call = call_fields(reader, node, fields)?;
    Some(VerbSyntax::Call(Box::new(CallSyntax { meanwhile, ..call })))
}

/// What a `call` has, but for its `meanwhile`.
fn call_fields(reader: &Reader<'_>, node: &Node, fields: &mut Fields<'_>) -> Option<CallSyntax> {
    let with = named(reader, fields, "with");
    let save = fields.word(reader, "save");
    let time = fields
        .take("time")
        .and_then(|node| reader.duration(node, "`time`", CALL_TIME_MAX));
    let retries = fields.count(reader, "retries", 0, RETRIES_MAX);
    let at_most_once = fields.bool(reader, "at-most-once");
    if at_most_once && retries > 0 {
        let span = fields.entry("retries").map_or(node.span, |entry| entry.key.span);
        reader.report(
            Finding::new(
                Code::WrongValue,
                span,
                "a call that is made at most once has no retries",
            )
            .help("leave out `retries` or `at-most-once`"),
        );
    }
    Some(CallSyntax {
        function: reader.word(node, "`call`")?,
        with,
        save,
        time,
        retries,
        meanwhile: None,
        at_most_once,
    })
}

fn choose(reader: &Reader<'_>, node: &Node, fields: &mut Fields<'_>) -> VerbSyntax {
    let mut branches = Vec::new();
    let mut otherwise: Option<Word> = None;
    let mut complete = false;
    for branch in reader.list(node, "`choose`") {
        let mut part = reader.fields(branch, "a branch", branch.span);
        if let Some(last) = &otherwise {
            reader.report(
                Finding::new(
                    Code::NeverTaken,
                    branch.span,
                    "a branch after `else` is never taken",
                )
                .label(last.span, "this is taken always")
                .help("put `else` last"),
            );
        }
        if part.entry("else").is_some() {
            complete = true;
            otherwise = part.word(reader, "else");
        } else {
            let when = part.need_word(reader, "when", "\"${attempts > 3}\"");
            let next = part.need_word(reader, "next", "some-step");
            branches.extend(when.zip(next));
        }
        part.finish(reader);
    }
    if !complete {
        reader.report(
            Finding::new(
                Code::MissingField,
                fields.entry("choose").map_or(node.span, |entry| entry.key.span),
                "`choose` needs an `else` for when no condition holds",
            )
            .help("add a last branch `- { else: some-step }`"),
        );
    }
    VerbSyntax::Choose(ChooseSyntax { branches, otherwise })
}

/// A time, or `{ for: EVENT, max: 7d }`.
fn wait(reader: &Reader<'_>, node: &Node) -> Option<VerbSyntax> {
    if let Kind::Mapping(_) = node.kind {
        let mut fields = reader.fields(node, "`wait` for an event", node.span);
        let event = fields.need_word(reader, "for", "ticket.closed");
        let time = fields
            .need(reader, "max", "7d")
            .and_then(|node| reader.duration(node, "`max`", WAIT_MAX));
        fields.finish(reader);
        return Some(VerbSyntax::Wait {
            time,
            event: Some(event?),
        });
    }
    let time: Option<Duration> = reader.duration(node, "`wait`", WAIT_MAX);
    Some(VerbSyntax::Wait { time, event: None })
}
