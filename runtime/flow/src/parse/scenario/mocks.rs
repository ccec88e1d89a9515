//! What plugins answer in a scenario, typed by the functions that they stand for.

use std::{collections::BTreeMap, sync::Arc};

use trunkline_model::{
    Duration, FaultKind, Outcome, PluginName, Refusal, Value,
    signature::{Interface, Signature},
};

use super::{World, value};
use crate::{
    diagnostics::{Code, Finding, did_you_mean, one_of},
    parse::fields::Reader,
    scenario::{Answer, Mock},
    source::Word,
    yaml::{Kind, Node},
};

/// How long a mocked answer may take: longer than any call may, so that one that comes too late
/// can be told.
const ANSWERS_AFTER_MAX: Duration = Duration::from_secs(600);

/// The message of a fault that a scenario makes.
const FAULT: &str = "as the scenario has it";

pub(super) fn mocks(reader: &Reader<'_>, world: &World<'_>, node: &Node) -> Vec<Mock> {
    let mut mocks: Vec<Mock> = Vec::new();
    for entry in reader.entries(node, "`plugins`") {
        let Some((plugin, signature)) = function(reader, world, &entry.key) else {
            continue;
        };
        if mocks
            .iter()
            .any(|mock| mock.plugin == *plugin && mock.function == signature.function)
        {
            reader.report(
                Finding::new(
                    Code::DuplicateName,
                    entry.key.span,
                    format!("`{}` is answered twice", entry.key.as_str()),
                )
                .help("put the answers into one list: one for each call"),
            );
            continue;
        }
        let called = world
            .called
            .get(plugin)
            .is_some_and(|functions| functions.contains(&signature.function));
        if !called {
            reader.report(
                Finding::new(
                    Code::UncalledMock,
                    entry.key.span,
                    format!("no flow calls `{}`", entry.key.as_str()),
                )
                .help("take the line out"),
            );
        }
        let (nodes, repeated) = match &entry.value.kind {
            Kind::Sequence(nodes) => (nodes.as_slice(), false),
            Kind::Scalar { .. } | Kind::Mapping(_) => (std::slice::from_ref(&entry.value), true),
        };
        let answers: Vec<Answer> = nodes
            .iter()
            .filter_map(|node| answer(reader, signature, &entry.key, node))
            .collect();
        mocks.push(Mock {
            written: entry.key.value.clone(),
            plugin: plugin.clone(),
            function: signature.function.clone(),
            answers,
            repeated,
        });
    }
    mocks
}

/// The function that `plugin.function` means.
fn function<'w>(
    reader: &Reader<'_>,
    world: &World<'w>,
    name: &Word,
) -> Option<(&'w PluginName, &'w Signature)> {
    let Some((plugin, function)) = name.as_str().split_once('.') else {
        reader.report(
            Finding::new(
                Code::UnknownFunction,
                name.span,
                format!("`{}` names no function", name.as_str()),
            )
            .help("write plugin and function: `crm.find-citizen`"),
        );
        return None;
    };
    let Some((plugin, interface)) = world.interfaces.get_key_value(plugin) else {
        let names = world.interfaces.keys().map(PluginName::as_str);
        reader.report(
            Finding::new(
                Code::UnknownPlugin,
                name.span,
                format!("hotline.yaml declares no plugin `{plugin}`"),
            )
            .help_if(did_you_mean("there are", plugin, names)),
        );
        return None;
    };
    let found: Vec<&'w Signature> = interface
        .functions
        .iter()
        .filter(|signature| signature.is_called(function))
        .collect();
    match found.as_slice() {
        [only] => Some((plugin, only)),
        [] => {
            unknown_function(reader, name, plugin, function, interface);
            None
        }
        several => {
            let paths: Vec<_> = several.iter().map(|signature| signature.path()).collect();
            reader.report(
                Finding::new(
                    Code::AmbiguousFunction,
                    name.span,
                    format!("the plugin `{plugin}` has several functions `{function}`"),
                )
                .help(format!("say which: {}", one_of(paths.iter().map(String::as_str)))),
            );
            None
        }
    }
}

fn unknown_function(
    reader: &Reader<'_>,
    name: &Word,
    plugin: &PluginName,
    function: &str,
    interface: &Arc<Interface>,
) {
    let names = interface.functions.iter().map(|signature| &*signature.name);
    reader.report(
        Finding::new(
            Code::UnknownFunction,
            name.span,
            format!("the plugin `{plugin}` has no function `{function}`"),
        )
        .help_if(did_you_mean("it has", function, names)),
    );
}

fn answer(reader: &Reader<'_>, signature: &Signature, name: &Word, node: &Node) -> Option<Answer> {
    let mut fields = reader.fields(node, "an answer", name.span);
    let only_for = fields.take("for");
    let ok = fields.take("ok");
    let refusal = fields.word(reader, "refusal");
    let with = fields.take("with");
    let fault = fields.word(reader, "fault");
    let after = fields.take("after");
    fields.finish(reader);
    let after = match after {
        None => Some(Duration::default()),
        // An answer may come after the call's time is over: that is worth a test, too.
        Some(node) => reader.duration(node, "`after`", ANSWERS_AFTER_MAX),
    };
    let only_for = only_for.map_or_else(BTreeMap::new, |node| arguments(reader, signature, node));
    if let Some(with) = with
        && refusal.is_none()
    {
        reader.report(
            Finding::new(Code::BadMock, with.span, "`with` is what a refusal carries")
                .help("write what an answer gives after `ok`, and whom it is for after `for`"),
        );
        return None;
    }
    let outcome = match (ok, refusal, fault) {
        (Some(node), None, None) => Outcome::Ok(ok_value(reader, signature, node)?),
        (None, Some(case), None) => Outcome::Refusal(self::refusal(reader, signature, &case, with)?),
        (None, None, Some(kind)) => Outcome::fault(self::fault(reader, &kind)?, FAULT),
        _ => {
            reader.report(
                Finding::new(
                    Code::BadMock,
                    node.span,
                    "an answer has one of `ok`, `refusal` and `fault`",
                )
                .help(format!("`{}` is {signature}", name.as_str())),
            );
            return None;
        }
    };
    Some(Answer {
        only_for,
        after: after?,
        outcome,
    })
}

fn ok_value(reader: &Reader<'_>, signature: &Signature, node: &Node) -> Option<Value> {
    match &signature.ok {
        Some(ty) => value::read(reader, node, ty, value::Fields::All),
        None if value::is_null(node) || node.word().is_some_and(|word| word.as_str() == "true") => {
            Some(Value::None)
        }
        None => {
            reader.report(
                Finding::new(
                    Code::BadMock,
                    node.span,
                    format!("`{}` gives nothing when all went well", signature.path()),
                )
                .help("write `ok: true`"),
            );
            None
        }
    }
}

fn refusal(reader: &Reader<'_>, signature: &Signature, case: &Word, with: Option<&Node>) -> Option<Refusal> {
    let cases = signature.error_cases();
    let Some((name, payload)) = cases.iter().find(|(name, _)| **name == *case.value) else {
        let names = cases.iter().map(|(name, _)| &**name);
        let help = did_you_mean("it may refuse with", case.as_str(), names)
            .unwrap_or_else(|| "it has no error of its own: write `fault: trap`".to_owned());
        reader.report(
            Finding::new(
                Code::UnknownCase,
                case.span,
                format!("`{}` never refuses with `{}`", signature.path(), case.as_str()),
            )
            .help(help),
        );
        return None;
    };
    let payload = match (payload, with) {
        (None, None) => Value::None,
        (Some(ty), Some(node)) => value::read(reader, node, ty, value::Fields::All)?,
        (Some(ty), None) if ty.is_optional() => Value::None,
        (Some(ty), None) => {
            reader.report(
                Finding::new(Code::BadMock, case.span, format!("`{name}` carries {ty}"))
                    .help(format!("write it: `refusal: {name}, with: …`")),
            );
            return None;
        }
        (None, Some(node)) => {
            reader.report(Finding::new(
                Code::BadMock,
                node.span,
                format!("`{name}` carries nothing"),
            ));
            return None;
        }
    };
    Some(Refusal {
        case: name.clone(),
        payload,
    })
}

fn fault(reader: &Reader<'_>, kind: &Word) -> Option<FaultKind> {
    let found = FaultKind::ALL
        .into_iter()
        .find(|known| known.as_str() == kind.as_str());
    if found.is_none() {
        let kinds = FaultKind::ALL.map(FaultKind::as_str);
        reader.report(
            Finding::new(
                Code::WrongValue,
                kind.span,
                format!("`{}` is no kind of fault", kind.as_str()),
            )
            .help_if(did_you_mean("there are", kind.as_str(), kinds)),
        );
    }
    found
}

fn arguments(reader: &Reader<'_>, signature: &Signature, node: &Node) -> BTreeMap<Arc<str>, Value> {
    let mut arguments = BTreeMap::new();
    for entry in reader.entries(node, "`for`") {
        let name = entry.key.as_str();
        match signature
            .parameters
            .iter()
            .find(|parameter| &*parameter.name == name)
        {
            Some(parameter) => {
                if let Some(value) = value::read(reader, &entry.value, &parameter.ty, value::Fields::Some) {
                    arguments.insert(parameter.name.clone(), value);
                }
            }
            None => {
                let names = signature.parameters.iter().map(|parameter| &*parameter.name);
                reader.report(
                    Finding::new(
                        Code::UnknownArgument,
                        entry.key.span,
                        format!("`{}` takes no `{name}`", signature.path()),
                    )
                    .help_if(did_you_mean("it takes", name, names)),
                );
            }
        }
    }
    arguments
}
