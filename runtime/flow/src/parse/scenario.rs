//! A scenario's file, read against the checked hotline that it is a test of.
//!
//! Reading and checking are one pass here: a scenario only means something for its hotline, and
//! what it names is either there or a finding.

mod mocks;
mod script;
mod services;
mod started;
mod value;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::civil::DateTime;
use trunkline_model::{
    FlowName, FunctionName, PluginName, PromptKey, StepId, Timestamp, Type, VariableName,
    signature::Interface,
};

use super::fields::Reader;
use crate::{
    check::Checked,
    diagnostics::{Code, Finding, Findings, did_you_mean},
    expression::literal,
    hotline::{Flow, Hotline},
    inventory,
    scenario::{AT_DEFAULT, AgentAtWork, Begins, Call, Channel, Scenario},
    source::{File, Span, Word},
    yaml::{self, Kind, Node},
};

/// What a scenario may name.
pub(crate) struct World<'a> {
    pub(super) hotline: &'a Hotline,
    pub(super) interfaces: &'a BTreeMap<PluginName, Arc<Interface>>,
    pub(super) prompts: BTreeSet<&'a PromptKey>,
    pub(super) outcomes: BTreeSet<Arc<str>>,
    pub(super) called: BTreeMap<PluginName, BTreeSet<FunctionName>>,
}

impl<'a> World<'a> {
    pub(crate) fn new(hotline: &'a Checked, interfaces: &'a BTreeMap<PluginName, Arc<Interface>>) -> Self {
        Self {
            prompts: inventory::prompt_keys(hotline),
            outcomes: inventory::outcomes(hotline),
            called: inventory::functions(hotline),
            hotline,
            interfaces,
        }
    }

    /// The flows that have a variable of a name, with its type in each.
    fn variable(&self, name: &str) -> Vec<(&'a FlowName, &'a Type)> {
        let flows = self.hotline.flows.iter();
        flows
            .filter_map(|(flow, content)| Some((flow, type_of(content, name)?)))
            .collect()
    }

    fn variables(&self) -> impl Iterator<Item = &str> {
        let flows = self.hotline.flows.values();
        flows.flat_map(variable_names)
    }

    fn steps(&self) -> impl Iterator<Item = &str> {
        let flows = self.hotline.flows.values();
        flows.flat_map(|flow| flow.steps.keys().map(StepId::as_str))
    }
}

/// The type of a flow's variable; inputs are variables, too.
fn type_of<'f>(flow: &'f Flow, name: &str) -> Option<&'f Type> {
    let own = flow.variables.get(name).map(|variable| &variable.ty);
    own.or_else(|| flow.inputs.get(name))
}

fn variable_names(flow: &Arc<Flow>) -> impl Iterator<Item = &str> {
    flow.variables
        .keys()
        .chain(flow.inputs.keys())
        .map(VariableName::as_str)
}

/// Reads one scenario; none when it cannot be played.
pub(crate) fn read(
    index: usize,
    file: &File,
    world: &World<'_>,
    findings: &mut Findings,
) -> Option<Scenario> {
    let start = Span::new(index, 0..0);
    let mut found = Findings::default();
    let document = yaml::read(index, file, &mut found);
    let mut scenario = None;
    if document.whole {
        let empty = Node {
            span: start,
            kind: Kind::Mapping(Arc::default()),
        };
        let root = document.root.as_ref().unwrap_or(&empty);
        let reader = Reader {
            findings: RefCell::new(&mut found),
        };
        scenario = whole(&reader, world, root, start, file);
    }
    let playable = !found.has_errors();
    findings.extend(found);
    scenario.filter(|_| playable)
}

fn whole(reader: &Reader<'_>, world: &World<'_>, root: &Node, start: Span, file: &File) -> Option<Scenario> {
    let mut fields = reader.fields(root, "a scenario", start);
    let name = fields.need_word(reader, "scenario", "a caller who presses nothing reaches a human");
    let (call, starts) = match fields.word(reader, "starts-on") {
        Some(on) => started::started(reader, world, &mut fields, &on).unzip(),
        None => {
            for field in ["change", "event", "to", "at", "language"] {
                fields.belongs(reader, field, "a scenario that begins with `starts-on`");
            }
            let call = fields
                .need(reader, "call", "{ number: \"12345\" }")
                .and_then(|node| call(reader, world, node));
            (call, None)
        }
    };
    let begins = match starts {
        None => fields.take("begins").map(|node| begins(reader, world, node)),
        Some(_) => None,
    };
    let plugins = fields
        .take("plugins")
        .map(|node| mocks::mocks(reader, world, node))
        .unwrap_or_default();
    let services = fields
        .take("services")
        .map(|node| services::services(reader, world, node))
        .unwrap_or_default();
    let agents = fields
        .take("agents")
        .map(|node| agents(reader, world, node))
        .unwrap_or_default();
    let script = fields
        .need(reader, "script", "[{ hears: welcome }, { presses: 1 }]")
        .map(|node| script::script(reader, world, node, file))
        .unwrap_or_default();
    fields.finish(reader);
    let name = name?;
    if !script.iter().any(|line| line.what.checks()) {
        reader.report(
            Finding::new(
                Code::ChecksNothing,
                name.span,
                "this scenario passes whatever the hotline does",
            )
            .help("add lines like `- hears: welcome` or `- expect: { ended: completed }`"),
        );
    }
    Some(Scenario {
        name: name.value,
        file: file.path.clone(),
        call: call?,
        begins: match begins {
            None => None,
            Some(begins) => Some(begins?),
        },
        starts,
        plugins,
        services,
        agents,
        script,
    })
}

fn call(reader: &Reader<'_>, world: &World<'_>, node: &Node) -> Option<Call> {
    let hotline = world.hotline;
    let mut fields = reader.fields(node, "`call`", node.span);
    let number = fields.need_word(reader, "number", "\"12345\"");
    let from = fields.word(reader, "from");
    let at = fields.word(reader, "at");
    let language = fields.word(reader, "language");
    let channel = fields.word(reader, "channel");
    fields.finish(reader);
    if let Some(number) = &number
        && !hotline.numbers.contains_key(number.as_str())
    {
        let numbers = hotline.numbers.keys().map(|number| &**number);
        reader.report(
            Finding::new(
                Code::BadNumber,
                number.span,
                format!("the hotline has no number `{}`", number.as_str()),
            )
            .help_if(did_you_mean("its numbers are", number.as_str(), numbers)),
        );
    }
    phone(reader, from.as_ref());
    known_language(reader, hotline, language.as_ref());
    let channel = match channel {
        None => Channel::default(),
        Some(word) => match word.as_str() {
            "voice" => Channel::Voice,
            "chat" => Channel::Chat,
            other => {
                no_such_value(
                    reader,
                    &word,
                    &format!("`{other}` is no channel"),
                    &["voice", "chat"],
                );
                return None;
            }
        },
    };
    Some(Call {
        number: number?.value,
        from: from.map(|from| from.value),
        at: match at {
            None => moment(AT_DEFAULT, hotline)?,
            Some(at) => civil(reader, &at, hotline)?,
        },
        language: language.map(|language| language.value),
        channel,
    })
}

/// Reports what is no telephone number.
fn phone(reader: &Reader<'_>, from: Option<&Word>) {
    if let Some(from) = from
        && let Err(problem) = literal::read(from.as_str(), &Type::Phone)
    {
        reader.report(value::finding(from.span, problem));
    }
}

/// Reports a language that the hotline does not have.
fn known_language(reader: &Reader<'_>, hotline: &Hotline, language: Option<&Word>) {
    if let Some(language) = language
        && hotline.language(language.as_str()).is_none()
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
}

/// A time of the hotline's time zone.
fn moment(text: &str, hotline: &Hotline) -> Option<Timestamp> {
    let civil: DateTime = text.parse().ok()?;
    let zoned = civil.to_zoned(hotline.time_zone.clone()).ok()?;
    Some(Timestamp::from_millis(zoned.timestamp().as_millisecond()))
}

fn civil(reader: &Reader<'_>, at: &Word, hotline: &Hotline) -> Option<Timestamp> {
    let moment = moment(at.as_str(), hotline);
    if moment.is_none() {
        reader.report(
            Finding::new(
                Code::WrongValue,
                at.span,
                format!("`at` cannot be `{}`", at.as_str()),
            )
            .help("write day and time by the hotline's time zone: \"2026-11-21T20:05\""),
        );
    }
    moment
}

fn begins(reader: &Reader<'_>, world: &World<'_>, node: &Node) -> Option<Begins> {
    let mut fields = reader.fields(node, "`begins`", node.span);
    let flow = fields.need_word(reader, "flow", "city");
    let step = fields.need_word(reader, "step", "topics");
    let vars = fields.take("vars");
    fields.finish(reader);
    let flow = flow?;
    let flows = &world.hotline.flows;
    let Some((name, content)) = flows.get_key_value(flow.as_str()) else {
        let names = flows.keys().map(FlowName::as_str);
        reader.report(
            Finding::new(
                Code::UnknownFlow,
                flow.span,
                format!("there is no flow `{}`", flow.as_str()),
            )
            .help_if(did_you_mean("there are", flow.as_str(), names)),
        );
        return None;
    };
    let step = step?;
    if !content.steps.contains_key(step.as_str()) {
        let names = content.steps.keys().map(StepId::as_str);
        reader.report(
            Finding::new(
                Code::UnknownStep,
                step.span,
                format!("the flow `{name}` has no step `{}`", step.as_str()),
            )
            .help_if(did_you_mean("it has", step.as_str(), names)),
        );
    }
    let mut variables = BTreeMap::new();
    for entry in vars
        .map(|node| reader.entries(node, "`vars`"))
        .unwrap_or_default()
    {
        match type_of(content, entry.key.as_str()) {
            Some(ty) => {
                if let Some(value) = value::read(reader, &entry.value, ty, value::Fields::All) {
                    variables.insert(VariableName::new(entry.key.value.clone()), value);
                }
            }
            None => unknown_variable(reader, &entry.key, variable_names(content)),
        }
    }
    Some(Begins {
        flow: name.clone(),
        step: StepId::new(step.value),
        variables,
    })
}

fn unknown_variable<'n>(reader: &Reader<'_>, name: &Word, names: impl IntoIterator<Item = &'n str>) {
    reader.report(
        Finding::new(
            Code::UnknownVariable,
            name.span,
            format!("there is no variable `{}`", name.as_str()),
        )
        .help_if(did_you_mean("there are", name.as_str(), names)),
    );
}

fn agents(reader: &Reader<'_>, world: &World<'_>, node: &Node) -> BTreeMap<Arc<str>, AgentAtWork> {
    let mut agents = BTreeMap::new();
    for entry in reader.entries(node, "`agents`") {
        agent_name(reader, world, &entry.key);
        let mut fields = reader.fields(&entry.value, "an agent", entry.key.span);
        let state = fields.word(reader, "state");
        let answers_after = fields.duration(reader, "answers-after");
        fields.finish(reader);
        let available = match &state {
            None => true,
            Some(word) => match word.as_str() {
                "available" => true,
                "away" => false,
                other => {
                    let message = format!("an agent cannot be `{other}`");
                    no_such_value(reader, word, &message, &["available", "away"]);
                    true
                }
            },
        };
        agents.insert(
            entry.key.value.clone(),
            AgentAtWork {
                available,
                answers_after,
            },
        );
    }
    agents
}

/// Reports an agent that the hotline does not have, where it has a list of them.
fn agent_name(reader: &Reader<'_>, world: &World<'_>, name: &Word) {
    let agents = &world.hotline.agents;
    if agents.is_empty() || agents.contains_key(name.as_str()) {
        return;
    }
    let names = agents.keys().map(|name| &**name);
    reader.report(
        Finding::new(
            Code::UnknownAgent,
            name.span,
            format!("agents.yaml has no agent `{}`", name.as_str()),
        )
        .help_if(did_you_mean("there are", name.as_str(), names)),
    );
}

fn no_such_value(reader: &Reader<'_>, word: &Word, message: &str, values: &[&'static str]) {
    reader.report(
        Finding::new(Code::WrongValue, word.span, message).help_if(did_you_mean(
            "there are",
            word.as_str(),
            values.iter().copied(),
        )),
    );
}
