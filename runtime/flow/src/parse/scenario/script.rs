//! The lines of a script.

use std::{cell::RefCell, collections::BTreeMap};

use trunkline_model::{Duration, FlowName, PromptKey, StepId, Value, VariableName, limits::WAIT_MAX};

use super::{World, agent_name, unknown_variable, value};
use crate::{
    diagnostics::{Code, Finding, Findings, did_you_mean},
    parse::fields::Reader,
    scenario::{AgentDoes, BookedCallback, Expect, Happening, Line, OpenedTicket, Said, TransferComes},
    source::{File, Word},
    step::{EVENTS, Key},
    yaml::{Entry, Kind, Node},
};

/// What a line may say.
const LINES: [&str; 10] = [
    "hears", "presses", "says", "wait", "hangs-up", "agent", "transfer", "happens", "restarts", "expect",
];

pub(super) fn script(reader: &Reader<'_>, world: &World<'_>, node: &Node, file: &File) -> Vec<Line> {
    reader
        .list(node, "`script`")
        .iter()
        .filter_map(|node| {
            Some(Line {
                place: Some(file.position(node.span.bytes().start)),
                what: line(reader, world, node)?,
            })
        })
        .collect()
}

fn line(reader: &Reader<'_>, world: &World<'_>, node: &Node) -> Option<Happening> {
    let Kind::Mapping(entries) = &node.kind else {
        reader.report(
            Finding::new(
                Code::ScriptLine,
                node.span,
                format!(
                    "a line of a script is no {}",
                    node.describe().trim_start_matches("a ")
                ),
            )
            .help("write what happens and a value: `- hears: welcome`"),
        );
        return None;
    };
    let [entry] = entries.as_slice() else {
        reader.report(
            Finding::new(Code::ScriptLine, node.span, "a line of a script says one thing")
                .help("begin a line with `-` for each"),
        );
        return None;
    };
    let (what, node) = (entry.key.as_str(), &entry.value);
    match what {
        "hears" => said(reader, world, node, "`hears`").map(Happening::Hears),
        "presses" => presses(reader, node),
        "says" => Some(Happening::Says(reader.word(node, "`says`")?.value)),
        "wait" => Some(Happening::Waits(reader.duration(node, "`wait`", WAIT_MAX)?)),
        "hangs-up" => yes(reader, node, "`hangs-up`").then_some(Happening::HangsUp),
        "agent" => agent(reader, world, entry),
        "transfer" => transfer(reader, node),
        "happens" => happens(reader, node),
        "restarts" => restarts(reader, node),
        "expect" => Some(Happening::Expect(Box::new(expect(reader, world, entry)?))),
        _ => {
            reader.report(
                Finding::new(
                    Code::ScriptLine,
                    entry.key.span,
                    format!("`{what}` is no line of a script"),
                )
                .help_if(did_you_mean("lines are", what, LINES)),
            );
            None
        }
    }
}

/// Reports all but `true`.
fn yes(reader: &Reader<'_>, node: &Node, what: &str) -> bool {
    match reader.bool(node, what) {
        Some(false) => {
            reader.report(
                Finding::new(Code::WrongValue, node.span, format!("{what} should be `true`"))
                    .help("take the line out if it does not happen"),
            );
            false
        }
        yes => yes.is_some(),
    }
}

/// A prompt's key, or `{ prompt: …, text: … }` with one of them or both.
fn said(reader: &Reader<'_>, world: &World<'_>, node: &Node, what: &str) -> Option<Said> {
    let Kind::Mapping(_) = node.kind else {
        return Some(Said {
            prompt: Some(prompt(reader, world, &reader.word(node, what)?)?),
            text: None,
        });
    };
    let mut fields = reader.fields(node, what, node.span);
    let key = fields.word(reader, "prompt");
    let text = fields.word(reader, "text");
    fields.finish(reader);
    if key.is_none() && text.is_none() {
        reader.report(
            Finding::new(
                Code::MissingField,
                node.span,
                format!("{what} needs `prompt` or `text`"),
            )
            .help("write what is heard: `{ text: \"您好\" }`"),
        );
        return None;
    }
    Some(Said {
        prompt: match key {
            None => None,
            Some(key) => Some(prompt(reader, world, &key)?),
        },
        text: text.map(|word| word.value),
    })
}

fn prompt(reader: &Reader<'_>, world: &World<'_>, word: &Word) -> Option<PromptKey> {
    let key = PromptKey::new(word.value.clone());
    if world.prompts.contains(&key) {
        return Some(key);
    }
    let names = world.prompts.iter().map(|key| key.as_str());
    reader.report(
        Finding::new(
            Code::UnknownPrompt,
            word.span,
            format!("no step says a prompt `{}`", word.as_str()),
        )
        .help_if(did_you_mean("prompts are", word.as_str(), names))
        .help("a text that is heard is written `{ text: \"…\" }`"),
    );
    None
}

fn presses(reader: &Reader<'_>, node: &Node) -> Option<Happening> {
    let word = reader.word(node, "`presses`")?;
    match word.as_str().chars().find(|key| Key::new(*key).is_none()) {
        None => Some(Happening::Presses(word.value)),
        Some(other) => {
            reader.report(
                Finding::new(
                    Code::BadKey,
                    word.span,
                    format!("`{other}` is no key of the keypad"),
                )
                .help("keys are 0 to 9, * and #; words are `says: …`"),
            );
            None
        }
    }
}

fn agent(reader: &Reader<'_>, world: &World<'_>, entry: &Entry) -> Option<Happening> {
    let mut fields = reader.fields(&entry.value, "`agent`", entry.key.span);
    let comes = fields.word(reader, "comes");
    let answers = fields.word(reader, "answers");
    let ends = fields.word(reader, "ends");
    let goes = fields.word(reader, "goes");
    fields.finish(reader);
    for name in [&comes, &answers, &ends, &goes].into_iter().flatten() {
        agent_name(reader, world, name);
    }
    let does = match (comes, answers, ends, goes) {
        (Some(name), None, None, None) => AgentDoes::Comes(name.value),
        (None, Some(name), None, None) => AgentDoes::Answers(name.value),
        (None, None, Some(name), None) => AgentDoes::Ends(name.value),
        (None, None, None, Some(name)) => AgentDoes::Goes(name.value),
        _ => {
            reader.report(
                Finding::new(
                    Code::ScriptLine,
                    entry.value.span,
                    "an agent does one thing: comes, answers a call, ends it, or goes",
                )
                .help("write `agent: { answers: zhang-wei }` or `agent: { ends: zhang-wei }`"),
            );
            return None;
        }
    };
    Some(Happening::Agent(does))
}

fn transfer(reader: &Reader<'_>, node: &Node) -> Option<Happening> {
    let word = reader.word(node, "`transfer`")?;
    let comes = TransferComes::ALL
        .into_iter()
        .find(|comes| comes.as_str() == word.as_str());
    if comes.is_none() {
        reader.report(
            Finding::new(
                Code::WrongValue,
                word.span,
                format!("nothing that comes of a transfer is called `{}`", word.as_str()),
            )
            .help_if(did_you_mean(
                "there are",
                word.as_str(),
                TransferComes::ALL.map(TransferComes::as_str),
            )),
        );
    }
    comes.map(Happening::Transfer)
}

fn happens(reader: &Reader<'_>, node: &Node) -> Option<Happening> {
    let word = reader.word(node, "`happens`")?;
    if !EVENTS.contains(&word.as_str()) {
        reader.report(
            Finding::new(
                Code::UnknownEvent,
                word.span,
                format!("no flow can wait for `{}`", word.as_str()),
            )
            .help_if(did_you_mean("events are", word.as_str(), EVENTS)),
        );
        return None;
    }
    Some(Happening::Happens(word.value))
}

fn restarts(reader: &Reader<'_>, node: &Node) -> Option<Happening> {
    let at_once = node.word().is_some_and(|word| word.as_str() == "true");
    if at_once {
        return Some(Happening::Restarts(Duration::default()));
    }
    let away = reader.duration(node, "`restarts`", WAIT_MAX)?;
    Some(Happening::Restarts(away))
}

fn expect(reader: &Reader<'_>, world: &World<'_>, entry: &Entry) -> Option<Expect> {
    let hotline = world.hotline;
    let mut fields = reader.fields(&entry.value, "`expect`", entry.key.span);
    let ended = fields.word(reader, "ended");
    let step = fields.word(reader, "step");
    let said = fields.take("said");
    let not_heard = fields.take("not-heard");
    let vars = fields.take("vars");
    let language = fields.word(reader, "language");
    let callback = fields.take("callback");
    let ticket = fields.take("ticket");
    let notified = fields
        .take("notified")
        .and_then(|node| reader.bool(node, "`notified`"));
    fields.finish(reader);
    if let Some(outcome) = &ended
        && !world.outcomes.contains(&outcome.value)
    {
        not_in_hotline(
            reader,
            Code::NoSuchOutcome,
            outcome,
            &format!("no contact ends as `{}`", outcome.as_str()),
            "they end as",
            world.outcomes.iter().map(|outcome| &**outcome),
        );
    }
    if let Some(step) = &step
        && !world.steps().any(|name| name == step.as_str())
    {
        reader.report(
            Finding::new(
                Code::UnknownStep,
                step.span,
                format!("no flow has a step `{}`", step.as_str()),
            )
            .help_if(did_you_mean("there are", step.as_str(), world.steps())),
        );
    }
    if let Some(language) = &language
        && !hotline.languages.contains(&language.value)
    {
        let languages = hotline.languages.iter().map(|language| &**language);
        reader.report(
            Finding::new(
                Code::UnknownLanguage,
                language.span,
                format!("the hotline does not have the language `{}`", language.as_str()),
            )
            .help_if(did_you_mean("its languages are", language.as_str(), languages)),
        );
    }
    let expect = Expect {
        ended: ended.map(|word| word.value),
        step: step.map(|word| StepId::new(word.value)),
        said: said.and_then(|node| self::said(reader, world, node, "`said`")),
        not_heard: not_heard.and_then(|node| self::said(reader, world, node, "`not-heard`")),
        variables: vars.map_or_else(BTreeMap::new, |node| variables(reader, world, node)),
        language: language.map(|word| word.value),
        callback: callback.map(|node| self::callback(reader, world, node)),
        ticket: ticket.map(|node| self::ticket(reader, world, node)),
        notified,
    };
    if entry.value.is_empty() || expect.is_empty() {
        reader.report(
            Finding::new(Code::ScriptLine, entry.key.span, "nothing is expected here")
                .help("write what must be so: `expect: { ended: completed }`"),
        );
        return None;
    }
    Some(expect)
}

fn not_in_hotline<'n>(
    reader: &Reader<'_>,
    code: Code,
    word: &Word,
    message: &str,
    all: &str,
    names: impl IntoIterator<Item = &'n str>,
) {
    reader.report(Finding::new(code, word.span, message).help_if(did_you_mean(all, word.as_str(), names)));
}

fn variables(
    reader: &Reader<'_>,
    world: &World<'_>,
    node: &Node,
) -> BTreeMap<VariableName, BTreeMap<FlowName, Value>> {
    let mut variables = BTreeMap::new();
    for entry in reader.entries(node, "`vars`") {
        let found = world.variable(entry.key.as_str());
        if found.is_empty() {
            unknown_variable(reader, &entry.key, world.variables());
            continue;
        }
        // Flows may have variables of one name and different types: the value is read as each,
        // and reported only when it is none of them.
        let mut values = BTreeMap::new();
        let mut reported = Vec::new();
        for (flow, ty) in found {
            let mut unheard = Findings::default();
            let quiet = Reader {
                findings: RefCell::new(&mut unheard),
            };
            // Any variable may be expected not to be set.
            let value = if value::is_null(&entry.value) {
                Some(Value::None)
            } else {
                value::read(&quiet, &entry.value, ty, value::Fields::Some)
            };
            match value {
                Some(value) => {
                    values.insert(flow.clone(), value);
                }
                None => reported.push(unheard),
            }
        }
        if values.is_empty() {
            for finding in reported.into_iter().take(1) {
                reader.findings.borrow_mut().extend(finding);
            }
            continue;
        }
        variables.insert(VariableName::new(entry.key.value.clone()), values);
    }
    variables
}

fn callback(reader: &Reader<'_>, world: &World<'_>, node: &Node) -> BookedCallback {
    if is_true(node) {
        return BookedCallback::default();
    }
    let mut fields = reader.fields(node, "`callback`", node.span);
    let within = fields.duration(reader, "within");
    let queue = fields.word(reader, "queue");
    fields.finish(reader);
    if let Some(queue) = &queue
        && !world.hotline.queues.contains_key(queue.as_str())
    {
        let names = world.hotline.queues.keys().map(|name| &**name);
        not_in_hotline(
            reader,
            Code::UnknownQueue,
            queue,
            &format!("there is no queue `{}`", queue.as_str()),
            "there are",
            names,
        );
    }
    BookedCallback {
        within,
        queue: queue.map(|word| word.value),
    }
}

fn ticket(reader: &Reader<'_>, world: &World<'_>, node: &Node) -> OpenedTicket {
    if is_true(node) {
        return OpenedTicket::default();
    }
    let mut fields = reader.fields(node, "`ticket`", node.span);
    let class = fields.word(reader, "class");
    fields.finish(reader);
    if let Some(class) = &class
        && !world.hotline.tickets.contains_key(class.as_str())
    {
        let names = world.hotline.tickets.keys().map(|name| &**name);
        not_in_hotline(
            reader,
            Code::UnknownTicketClass,
            class,
            &format!("there is no class of tickets `{}`", class.as_str()),
            "there are",
            names,
        );
    }
    OpenedTicket {
        class: class.map(|word| word.value),
    }
}

fn is_true(node: &Node) -> bool {
    node.word().is_some_and(|word| word.as_str() == "true")
}

impl Happening {
    /// Whether a scenario may fail by this line.
    pub(super) const fn checks(&self) -> bool {
        matches!(self, Self::Hears(_) | Self::Expect(_))
    }
}
