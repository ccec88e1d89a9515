//! Feeds, webhooks, and the flows that start on them: the function gives what the flow takes, and
//! nobody is asked anything who is not there.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use trunkline_model::{FlowName, Type, VariableName, signature::Signature};

use super::{
    calls,
    world::{FlowHead, World},
};
use crate::{
    diagnostics::{Code, Finding, did_you_mean},
    source::Word,
    start::{Affected, Feed, Starts, StartsOn, Webhook},
    syntax::{FeedSyntax, StartsSyntax, VerbSyntax, WebhookSyntax},
};

/// What will start flows in a version to come.
const LATER: [&str; 4] = ["contact.ended", "ticket.overdue", "survey.low", "schedule"];

/// The feeds and webhooks of a hotline.
pub(super) type Doors = (BTreeMap<Arc<str>, Feed>, BTreeMap<Arc<str>, Webhook>);

pub(super) fn check(world: &World<'_>) -> Doors {
    let started = started(world);
    let flow = |on: StartsOn| started.get(&on).copied();
    let mut doors = Doors::default();
    for written in &world.hotline.feeds {
        let head = flow(StartsOn::Feed(written.name.value.clone()));
        unused(world, &written.name, "feed", head);
        window(world, &written.starts);
        if let Some(feed) = feed(world, written, head) {
            doors.0.insert(written.name.value.clone(), feed);
        }
    }
    for written in &world.hotline.webhooks {
        let head = flow(StartsOn::Webhook(written.name.value.clone()));
        unused(world, &written.name, "webhook", head);
        window(world, &written.starts);
        if let Some(webhook) = webhook(world, written, head) {
            doors.1.insert(written.name.value.clone(), webhook);
        }
    }
    doors
}

/// The flow that starts on each feed and webhook; reports what starts none, and what starts two.
fn started<'w, 'a>(world: &'w World<'a>) -> BTreeMap<StartsOn, &'w FlowHead<'a>> {
    let mut started: BTreeMap<StartsOn, &FlowHead<'a>> = BTreeMap::new();
    for head in world.flows.values() {
        let Some(word) = &head.syntax.starts_on else {
            continue;
        };
        let Some(on) = StartsOn::parse(word.as_str()).filter(|on| is_declared(world, on)) else {
            starts_nothing(world, word);
            continue;
        };
        if let Some(first) = started.get(&on) {
            let mut finding = Finding::new(
                Code::TwoStarts,
                word.span,
                format!("`{on}` starts the flow `{}` already", first.syntax.name.as_str()),
            );
            if let Some(word) = &first.syntax.starts_on {
                finding = finding.label(word.span, "here");
            }
            world.report(finding.help(format!(
                "run this flow from that one: `{{ run: {}, next: … }}`",
                head.syntax.name.as_str()
            )));
            continue;
        }
        started.insert(on, head);
    }
    started
}

fn is_declared(world: &World<'_>, on: &StartsOn) -> bool {
    match on {
        StartsOn::Feed(name) => world.hotline.feeds.iter().any(|feed| feed.name.value == *name),
        StartsOn::Webhook(name) => {
            let webhooks = &world.hotline.webhooks;
            webhooks.iter().any(|webhook| webhook.name.value == *name)
        }
    }
}

fn starts_nothing(world: &World<'_>, word: &Word) {
    if LATER.contains(&word.as_str()) {
        world.report(
            Finding::new(
                Code::FieldNotYet,
                word.span,
                format!("`starts-on: {}` is not in this version", word.as_str()),
            )
            .help("a flow starts on a feed or a webhook: `starts-on: feed.road-works`"),
        );
        return;
    }
    let feeds = world.hotline.feeds.iter();
    let mut names: Vec<String> = feeds.map(|feed| format!("feed.{}", feed.name.as_str())).collect();
    let webhooks = world.hotline.webhooks.iter();
    names.extend(webhooks.map(|webhook| format!("webhook.{}", webhook.name.as_str())));
    world.report(
        Finding::new(
            Code::UnknownFeed,
            word.span,
            format!("there is no `{}` that starts flows", word.as_str()),
        )
        .help(
            did_you_mean("there are", word.as_str(), names.iter().map(String::as_str)).unwrap_or_else(|| {
                "declare it under `feeds` or `webhooks` of hotline.yaml, and write `feed.NAME` or `webhook.NAME`"
                    .to_owned()
            }),
        ),
    );
}

fn unused(world: &World<'_>, name: &Word, kind: &str, head: Option<&FlowHead<'_>>) {
    if head.is_none() && world.broken_flows.is_empty() {
        world.report(
            Finding::new(
                Code::NothingUses,
                name.span,
                format!("no flow starts on the {kind} `{}`", name.as_str()),
            )
            .help(format!(
                "write `starts-on: {kind}.{}` in a flow, or leave it out",
                name.as_str()
            )),
        );
    }
}

/// Reports a window that is no calendar.
fn window(world: &World<'_>, written: &StartsSyntax) {
    if let Some(window) = &written.window {
        world.calendar(window);
    }
}

/// What both say of the contacts they start.
fn starts(
    world: &World<'_>,
    written: &StartsSyntax,
    head: Option<&FlowHead<'_>>,
    input: Option<VariableName>,
    names_people: bool,
) -> Starts {
    let reaches_people =
        names_people || head.is_some_and(|head| writes_to_people(world, head, &mut BTreeSet::new()));
    let own = written
        .window
        .as_ref()
        .filter(|word| world.calendars.contains(&word.value));
    let window = match own {
        Some(own) => Some(own.value.clone()),
        // Who is not reached is not disturbed.
        None if reaches_people => world
            .hotline
            .calling_window
            .as_ref()
            .map(|word| word.value.clone()),
        None => None,
    };
    Starts {
        flow: head.map(|head| FlowName::new(head.syntax.name.value.clone())),
        input,
        rate: written.rate,
        window,
        waiting_max: written.waiting_max,
        reaches_people,
    }
}

/// Whether a flow, or one that it runs, writes to people or has them rung.
fn writes_to_people<'w>(world: &'w World<'_>, head: &'w FlowHead<'_>, seen: &mut BTreeSet<&'w str>) -> bool {
    seen.insert(head.syntax.name.as_str())
        && head.syntax.steps.iter().any(|step| match &step.verb {
            VerbSyntax::Notify(_) | VerbSyntax::Callback(_) => true,
            VerbSyntax::Run { flow, .. } => {
                let inner = world.flows.get(&flow.value);
                inner.is_some_and(|inner| writes_to_people(world, inner, seen))
            }
            _ => false,
        })
}

fn feed(world: &World<'_>, written: &FeedSyntax, head: Option<&FlowHead<'_>>) -> Option<Feed> {
    let call = written.call.as_ref()?;
    let signature = calls::resolve(world, call)?;
    let change = change(world, call, signature)?;
    let key = match &written.key {
        Some(key) => Some(key_of_change(world, key, change)?),
        None => None,
    };
    let to = match &written.to {
        Some(to) => Some(affected(world, to, change)?),
        None => None,
    };
    if let (None, Some(to)) = (&written.key, &written.to) {
        told_apart(world, to, change);
    }
    let input = match head {
        Some(head) => Some(input_for(world, head, change)?),
        None => None,
    };
    let names_people = to.is_some();
    Some(Feed {
        plugin: plugin(call),
        function: signature.function.clone(),
        change: change.clone(),
        every: written.every?,
        jitter: written.jitter,
        time: written.time,
        key,
        to,
        starts: starts(world, &written.starts, head, input, names_people),
    })
}

fn plugin(call: &Word) -> trunkline_model::PluginName {
    call.as_str().split('.').next().unwrap_or_default().into()
}

/// What one change is, of a function that a feed may ask.
fn change<'s>(world: &World<'_>, call: &Word, signature: &'s Signature) -> Option<&'s Type> {
    let needed: Vec<&str> = signature
        .parameters
        .iter()
        .filter(|parameter| !parameter.ty.is_optional())
        .map(|parameter| &*parameter.name)
        .collect();
    if !needed.is_empty() {
        world.report(
            Finding::new(
                Code::BadFeed,
                call.span,
                format!(
                    "`{}` needs {}, and a feed has nothing to give",
                    call.as_str(),
                    crate::diagnostics::one_of(needed)
                ),
            )
            .help(
                "name a function without parameters; what it needs to know stands in the plugin's `config`",
            ),
        );
        return None;
    }
    match &signature.ok {
        Some(Type::List(change)) => Some(&**change),
        other => {
            let given = other
                .as_ref()
                .map_or_else(|| "nothing".to_owned(), ToString::to_string);
            world.report(
                Finding::new(
                    Code::BadFeed,
                    call.span,
                    format!("`{}` gives {given}, not a list of changes", call.as_str()),
                )
                .help("name a function that gives `list<…>` or `result<list<…>, …>`"),
            );
            None
        }
    }
}

/// Whether a value of a type may tell changes apart.
const fn is_key(ty: &Type) -> bool {
    matches!(
        ty,
        Type::String | Type::Int(_) | Type::Phone | Type::Date | Type::Time | Type::Enum(_) | Type::Char
    )
}

fn key_of_change(world: &World<'_>, key: &Word, change: &Type) -> Option<Arc<str>> {
    let fields = match change {
        Type::Record(record) => record.fields.as_slice(),
        _ => &[],
    };
    let Some(field) = fields.iter().find(|field| *field.name == *key.as_str()) else {
        let names = fields.iter().map(|field| &*field.name);
        world.report(
            Finding::new(
                Code::UnknownRecordField,
                key.span,
                format!("{change} has no field `{}`", key.as_str()),
            )
            .help_if(did_you_mean("it has", key.as_str(), names)),
        );
        return None;
    };
    if !is_key(&field.ty) {
        world.report(
            Finding::new(
                Code::BadFeed,
                key.span,
                format!("`{}` is {}, which cannot tell changes apart", key.as_str(), field.ty),
            )
            .help("a key is a text, a number, a date or a case that is always there; without `key` the whole change tells"),
        );
        return None;
    }
    Some(key.value.clone())
}

/// Reports people who would be told again because of a field that says nothing new, such as one that an
/// update of the plugin adds.
fn told_apart(world: &World<'_>, to: &Word, change: &Type) {
    let fields = match change {
        Type::Record(record) => record.fields.as_slice(),
        _ => &[],
    };
    if let Some(field) = fields.iter().find(|field| is_key(&field.ty)) {
        world.report(
            Finding::new(
                Code::BadFeed,
                to.span,
                format!(
                    "whom `{}` names are told again when any field of a change differs",
                    to.as_str()
                ),
            )
            .help(format!(
                "name the field that tells changes apart: `key: {}`",
                field.name
            )),
        );
    }
}

/// The function that says whom a change concerns.
fn affected(world: &World<'_>, to: &Word, change: &Type) -> Option<Affected> {
    let signature = calls::resolve(world, to)?;
    let mut needed = signature.parameters.iter().enumerate();
    let takes = needed.all(|(index, parameter)| match index {
        0 => parameter.ty.accepts(change),
        _ => parameter.ty.is_optional(),
    });
    let gives = matches!(&signature.ok, Some(Type::List(of)) if matches!(**of, Type::String | Type::Phone));
    if !takes || signature.parameters.is_empty() || !gives {
        world.report(
            Finding::new(
                Code::BadFeed,
                to.span,
                format!("`{}` does not say whom a change concerns", to.as_str()),
            )
            .help(format!(
                "name a function that takes one {change} and gives `list<string>`, telephone numbers with + and country code"
            )),
        );
        return None;
    }
    Some(Affected {
        plugin: plugin(to),
        function: signature.function.clone(),
    })
}

/// The input of a flow that is given the change.
fn input_for(world: &World<'_>, head: &FlowHead<'_>, change: &Type) -> Option<VariableName> {
    // A type that could not be read has been reported.
    if head.inputs.values().any(Option::is_none) {
        return None;
    }
    let inputs = || {
        head.inputs
            .iter()
            .filter_map(|(name, ty)| Some((name, ty.as_ref()?)))
    };
    let mut needed = inputs().filter(|(_, ty)| !ty.is_optional());
    let one = match (needed.next(), needed.next(), inputs().count()) {
        (Some(one), None, _) => Some(one),
        (None, None, 1) => inputs().next(),
        _ => None,
    };
    match one {
        Some((name, ty)) if ty.accepts(change) => Some(name.clone()),
        Some((name, ty)) => {
            let span = declared(head, name).map_or(head.syntax.name.span, |word| word.span);
            mismatch(
                world,
                head,
                span,
                format!("`{name}` is {ty}, and a change is {change}"),
                "give it the type of a change",
            );
            None
        }
        None => {
            mismatch(
                world,
                head,
                head.syntax.name.span,
                format!(
                    "the flow `{}` does not take one change, {change}",
                    head.syntax.name.as_str()
                ),
                "give it one input of the type of a change: `inputs: { change: road-works.change }`; further ones are optional",
            );
            None
        }
    }
}

fn declared<'h>(head: &'h FlowHead<'_>, name: &VariableName) -> Option<&'h Word> {
    let inputs = head.syntax.inputs.iter();
    inputs
        .map(|(_, ty)| ty)
        .zip(head.syntax.inputs.iter().map(|(name, _)| name))
        .find(|(_, input)| input.as_str() == name.as_str())
        .map(|(ty, _)| ty)
}

fn mismatch(world: &World<'_>, head: &FlowHead<'_>, span: crate::source::Span, message: String, help: &str) {
    let mut finding = Finding::new(Code::StartMismatch, span, message);
    if let Some(word) = &head.syntax.starts_on {
        finding = finding.label(word.span, "it starts on this");
    }
    world.report(finding.help(help));
}

fn webhook(world: &World<'_>, written: &WebhookSyntax, head: Option<&FlowHead<'_>>) -> Option<Webhook> {
    let secret = written.secret.as_ref()?;
    let mut complete = true;
    let mut input = |word: &Option<Word>, fits: fn(&Type) -> bool, message: &str, help: &str| {
        let (Some(word), Some(head)) = (word, head) else {
            return None;
        };
        let found = head
            .inputs
            .iter()
            .find(|(name, _)| name.as_str() == word.as_str());
        match found {
            Some((name, Some(ty))) if fits(ty) => return Some(name.clone()),
            // A type that could not be read has been reported.
            Some((_, None)) => {}
            Some((_, Some(ty))) => world.report(
                Finding::new(
                    Code::StartMismatch,
                    word.span,
                    format!("`{}` is {ty}, {message}", word.as_str()),
                )
                .help(help),
            ),
            None => {
                let names = head.inputs.keys().map(VariableName::as_str);
                world.report(
                    Finding::new(
                        Code::UnknownVariable,
                        word.span,
                        format!(
                            "the flow `{}` has no input `{}`",
                            head.syntax.name.as_str(),
                            word.as_str()
                        ),
                    )
                    .label(head.syntax.name.span, "the flow")
                    .help(
                        did_you_mean("it has", word.as_str(), names).unwrap_or_else(|| {
                            format!("declare it: `inputs: {{ {}: string }}`", word.as_str())
                        }),
                    ),
                );
            }
        }
        complete = false;
        None
    };
    let key = input(
        &written.key,
        is_key,
        "which cannot tell events apart",
        "a key is a text, a number, a date or a case that is always there; without `key` the whole event tells",
    );
    let to = input(
        &written.to,
        holds_people,
        "which names nobody",
        "whom an event concerns is a phone or a string, or a list of them",
    );
    if !complete {
        return None;
    }
    let names_people = to.is_some();
    Some(Webhook {
        secret: secret.value.clone(),
        key,
        to,
        starts: starts(world, &written.starts, head, None, names_people),
    })
}

fn holds_people(ty: &Type) -> bool {
    let of = match ty.required() {
        Type::List(of) => of,
        of => of,
    };
    matches!(of.required(), Type::String | Type::Phone)
}

#[cfg(test)]
mod tests {
    use super::super::harness::{assert_findings, files, interfaces};
    use crate::{Sources, check, parse, start::StartsOn};

    const HOTLINE: &str = "--- hotline.yaml
hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers: { \"12345\": { flow: main } }
calling-window: day
plugins:
  works: { component: plugins/works.wasm, department: roads }
  crm: { component: plugins/crm.wasm, department: civil }
--- calendars/day.yaml
calendar: day
open: { monday: [\"08:00-20:00\"], tuesday: [\"08:00-20:00\"], wednesday: [], thursday: [], friday: [], saturday: [], sunday: [] }
--- flows/main.yaml
flow: main
start: done
steps: { done: { end: completed } }
";

    fn with(more: &str, rest: &str) -> String {
        HOTLINE.replacen("plugins:\n", &format!("{more}plugins:\n"), 1) + rest
    }

    fn sources(text: &str) -> Sources {
        files(text)
    }

    #[test]
    fn a_feed_and_a_webhook_start_flows() {
        let text = with(
            "feeds:\n  road-works: { call: works.changes, every: 5m, key: id, to: works.affected, rate: 30 per minute }\nwebhooks:\n  sensor: { secret: sensor-key, key: id }\n",
            "--- flows/tell.yaml
flow: tell
starts-on: feed.road-works
inputs: { change: works.change }
start: tell
steps:
  tell: { notify: { say: { zh-CN: '{change.text}', en: '{change.text}' } }, on: { failed: again }, next: done }
  again: { wait: 10m, next: tell }
  done: { end: completed }
--- flows/alarm.yaml
flow: alarm
starts-on: webhook.sensor
inputs: { id: string, level: int }
start: done
steps:
  done: { end: completed }
",
        );
        let report = check(&parse(&sources(&text)), &interfaces());
        assert!(report.diagnostics.is_empty(), "{:#?}", report.diagnostics);
        let hotline = report.checked.unwrap();
        let feed = &hotline.feeds["road-works"];
        assert_eq!(feed.key.as_deref(), Some("id"));
        assert_eq!(feed.jitter.as_millis(), 30_000);
        assert_eq!(feed.starts.flow.as_ref().unwrap().as_str(), "tell");
        assert_eq!(feed.starts.window.as_deref(), Some("day"));
        assert_eq!(feed.starts.input.as_ref().unwrap().as_str(), "change");
        let sensor = hotline.starts(&StartsOn::Webhook("sensor".into())).unwrap();
        // Nobody is reached, so it need not wait for the day.
        assert_eq!((sensor.window.as_deref(), sensor.reaches_people), (None, false));
        assert_eq!(sensor.rate.to_string(), "60 per minute");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let text = with(
            "feeds:
  road-works: { call: works.changes, every: 0s, key: nr, rate: many, window: nigth }
#                                           ^^ TL0010: `every` should be more than nothing
#                                                              ^^^^ TL0010: `rate` cannot be `many`
#                                                                            ^^^^^ TL0601: there is no calendar `nigth`
#                                                    ^^ TL0204: change has no field `nr`
  people: { call: works.changes, every: 5m, key: until, to: crm.find-citizen }
#                                                ^^^^^ TL0813: `until` is date?, which cannot tell changes apart
  others: { call: works.changes, every: 5m, to: crm.find-citizen }
#                                               ^^^^^^^^^^^^^^^^ TL0813: `crm.find-citizen` does not say whom
  again: { call: works.changes, every: 5m, to: works.affected }
#                                              ^^^^^^^^^^^^^^ TL0813: whom `works.affected` names are told again
  asks: { call: works.affected, every: 5m }
#               ^^^^^^^^^^^^^^ TL0813: `works.affected` needs `change`
  one: { call: works.latest, every: 5m }
#              ^^^^^^^^^^^^ TL0813: `works.latest` gives change, not a list
  idle: { call: works.changes, every: 5m }
# ^^^^ TL0807: no flow starts on the feed `idle`
  texts: { call: works.changes, every: 5m }
  none: { call: works.changes, every: 5m }
webhooks:
  sensor: { key: idd, to: level, secret: Sensor }
#                ^^^ TL0106: the flow `alarm` has no input `idd`
#                         ^^^^^ TL0316: `level` is int, which names nobody
#                                        ^^^^^^ TL0107: `Sensor` cannot be the name of a secret
",
            "--- flows/a.yaml
flow: a
starts-on: feed.road-works
inputs: { change: works.change }
start: done
steps: { done: { end: completed } }
--- flows/b.yaml
flow: b
starts-on: feed.road-wroks
#          ^^^^^^^^^^^^^^^ TL0812: there is no `feed.road-wroks`
start: done
steps: { done: { end: completed } }
--- flows/c.yaml
flow: c
starts-on: ticket.overdue
#          ^^^^^^^^^^^^^^ TL0902: `starts-on: ticket.overdue` is not in this version
start: done
steps: { done: { end: completed } }
--- flows/d.yaml
flow: d
starts-on: feed.people
inputs: { change: works.change }
start: done
steps: { done: { end: completed } }
--- flows/e.yaml
flow: e
starts-on: feed.people
#          ^^^^^^^^^^^ TL0317: `feed.people` starts the flow `d` already
inputs: { change: works.change }
start: done
steps: { done: { end: completed } }
--- flows/f.yaml
flow: f
starts-on: feed.texts
inputs: { change: string }
#                 ^^^^^^ TL0316: `change` is string, and a change is change
start: done
steps: { done: { end: completed } }
--- flows/g.yaml
flow: g
#     ^ TL0316: the flow `g` does not take one change
starts-on: feed.none
start: done
steps: { done: { end: completed } }
--- flows/h.yaml
flow: h
starts-on: feed.others
inputs: { change: works.change }
start: done
steps: { done: { end: completed } }
--- flows/k.yaml
flow: k
starts-on: feed.again
inputs: { change: works.change }
start: done
steps: { done: { end: completed } }
--- flows/i.yaml
flow: i
starts-on: feed.asks
start: done
steps: { done: { end: completed } }
--- flows/j.yaml
flow: j
starts-on: feed.one
start: done
steps: { done: { end: completed } }
--- flows/alarm.yaml
flow: alarm
starts-on: webhook.sensor
inputs: { id: string, level: int }
start: done
steps: { done: { end: completed } }
",
        );
        assert_findings(&text);
    }

    #[test]
    fn nobody_is_asked_who_is_not_there() {
        let text = with(
            "feeds:\n  road-works: { call: works.changes, every: 5m }\n",
            "--- flows/tell.yaml
flow: tell
starts-on: feed.road-works
inputs: { change: works.change }
start: look
steps:
  look: { call: crm.find-citizen, with: { phone: \"1\" }, on: { else: greet }, next: pause }
  pause: { wait: 1m, next: more }
  greet: { say: { zh-CN: 您好, en: Hello }, next: done }
# ^^^^^ TL0318: `greet` says something, but nobody is on the line of a flow that starts on `feed.road-works`
  more: { run: helper, next: done }
# ^^^^ TL0318: `more` runs `helper`, whose step `b` needs a caller
  done: { end: completed }
--- flows/helper.yaml
flow: helper
start: a
steps:
  a: { wait: 1m, next: b }
  b: { say: { zh-CN: 您好, en: Hello }, next: c }
  c: { end: completed }
",
        );
        assert_findings(&text);
    }
}
